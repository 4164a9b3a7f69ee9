//! What several replicas let through together, beyond what is written.
//!
//! Each counts by itself, or they share what is used over Redis. Then a calendar window holds exactly what is written;
//! a rolling limit lets through what replicas hold leased and have not used; what Redis does not count is multiplied.
//! A replica that goes on with its share while Redis is away adds at most that share.
//!
//! Invariant: the same formula as the runtime's, which is [`waypost_policies::limits::slack`].

use std::fmt;

use waypost_lang::Span;
use waypost_lang::syntax::tree::{Amount, Window};
use waypost_policies::limits::slack;

use super::bound::capacity;
use super::money::Dollars;
use crate::program::{Program, Quota};

/// What several replicas let through of one limit or budget, beyond what is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excess {
    /// Index into the policy's quotas.
    pub quota: usize,
    /// Where it stands.
    pub span: Span,
    /// What it is called.
    pub label: String,
    /// What it counts, in one word.
    pub counts: &'static str,
    /// At most so much more, in its unit (nano-dollars of money), than one process would let through.
    pub leased: u64,
    /// At most so much more while Redis is away, in each window.
    pub away: u64,
    /// Whether Redis does not count it: each replica does, by itself.
    pub alone: bool,
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let amount = |amount: u64| match self.counts {
            "dollars" => Dollars(amount.into()).readable(),
            counts => format!("{amount} {counts}"),
        };
        write!(f, "`{}`: ", self.label)?;
        match (self.leased, self.alone) {
            (0, _) => write!(f, "nothing more")?,
            (more, true) => write!(f, "{} more, as each replica counts by itself", amount(more))?,
            (more, false) => write!(f, "{} more", amount(more))?,
        }
        match self.away {
            0 => Ok(()),
            away => write!(f, ", and {} while Redis is away", amount(away)),
        }
    }
}

/// How one quota is counted: what it admits is multiplied, and at one time it may hold more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counting {
    pub(super) times: u64,
    pub(super) more: u64,
}

/// What replicas let through beyond what is written, of all limits and budgets that add up; nothing where there is no Redis.
#[must_use]
pub fn excesses(program: &Program) -> Vec<Excess> {
    let quotas = program.policy.quotas.iter().enumerate();
    quotas
        .filter(|(_, quota)| !matches!(quota.window.value, Window::Call))
        .filter_map(|(index, quota)| excess(program, index, quota))
        .collect()
}

fn excess(program: &Program, index: usize, quota: &Quota) -> Option<Excess> {
    let deploy = program.deploy.as_ref()?;
    let redis = deploy.redis?;
    let replicas = deploy.most_at_once();
    let holds = capacity(quota).1;
    let alone = !is_shared(quota);
    let leased = match &quota.window.value {
        _ if alone => holds.saturating_mul(replicas - 1),
        Window::Rolling(_) => slack(holds, replicas),
        _ => 0,
    };
    let away = match redis.shares && !alone {
        true => (holds / replicas).saturating_mul(replicas),
        false => 0,
    };
    Some(Excess {
        quota: index,
        span: quota.span,
        label: quota.label.text.clone(),
        counts: match quota.amount.value {
            Amount::Requests(_) => "requests",
            Amount::Tokens(_) => "tokens",
            Amount::Money(_) => "dollars",
            Amount::Repeats(_) => "repeats",
            Amount::Concurrent(_) => "concurrent calls",
        },
        leased,
        away,
        alone,
    })
}

/// How a quota is counted where the file is deployed.
pub(super) fn counting(program: &Program, quota: &Quota) -> Counting {
    let Some(deploy) = &program.deploy else {
        return Counting { times: 1, more: 0 };
    };
    match deploy.redis {
        Some(redis) if is_shared(quota) => Counting {
            times: 1 + u64::from(redis.shares),
            more: match quota.window.value {
                Window::Rolling(_) => slack(capacity(quota).1, deploy.most_at_once()),
                _ => 0,
            },
        },
        Some(_) => Counting {
            times: deploy.most_at_once(),
            more: 0,
        },
        None => Counting {
            times: deploy.replicas.high.max(1),
            more: 0,
        },
    }
}

/// Whether Redis counts it, where there is one.
pub(crate) const fn is_shared(quota: &Quota) -> bool {
    matches!(
        quota.window.value,
        Window::Rolling(_) | Window::Day | Window::Week | Window::Month
    )
}

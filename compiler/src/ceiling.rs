//! What a file can spend at worst: for each tier and for the file, by everyone together and by one caller, in an hour,
//! a day and a month, with the rule that sets it.
//!
//! A ceiling is what limits, budgets, prices and contexts admit when every call costs all that it reserves. Windows are
//! those of a bill: a clock hour, a calendar day and a calendar month (of 31 days), in the time zone that all the
//! calendar budgets of the file share, else in UTC. A call counts in the window in which it is admitted.
//!
//! Invariants: never lower than what [`waypost_policies::decide()`] and [`waypost_policies::limits::State`] admit in any
//! such window, for a call is never taken to cost more than its reservation; a rule whose hold is not certain (a
//! condition that not every call meets, a key that callers choose) sets nothing; what nothing bounds is said to be
//! unbounded, with the rule that comes nearest.

pub(crate) mod bound;
mod call;
mod condition;
mod cover;
mod flow;
mod horizon;
mod money;
mod reason;
pub(crate) mod replicas;

use waypost_lang::Span;

use crate::program::{ModelIndex, Program};
use bound::Holder;
use cover::Sheet;
use flow::Flow;
use horizon::Calendar;

pub use horizon::Horizon;
pub use money::Dollars;
pub use reason::{Nearest, Unbounded};
pub use replicas::{Excess, excesses};

/// What a file can spend at worst.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ceilings {
    /// The time zone in which days and months are counted.
    pub zone: String,
    /// How many replicas count by themselves: each admits what is written, so all figures are multiplied by it. Those that
    /// share what is used are one; what they let through beyond that is in the figures, see [`excesses`].
    pub replicas: u64,
    /// Of each tier, lowest first: what the calls of that final tier can spend, whichever model answers them.
    pub tiers: Vec<Scope>,
    /// Of all calls.
    pub file: Scope,
}

/// What some of the calls can spend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// All callers together.
    pub everyone: Figures,
    /// Any one caller: one key of the keys file, with its team, agent, plan and name.
    pub caller: Figures,
    /// Models that may answer them and have no price: what they cost is not in the figures.
    pub unpriced: Vec<ModelIndex>,
}

/// A ceiling for each horizon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// In a clock hour.
    pub hour: Ceiling,
    /// In a calendar day.
    pub day: Ceiling,
    /// In a calendar month.
    pub month: Ceiling,
}

impl Figures {
    /// The ceiling for this horizon.
    #[must_use]
    pub const fn of(&self, horizon: Horizon) -> &Ceiling {
        match horizon {
            Horizon::Hour => &self.hour,
            Horizon::Day => &self.day,
            Horizon::Month => &self.month,
        }
    }
}

/// The most that can be spent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ceiling {
    /// At most this.
    Bounded {
        /// The most.
        most: Dollars,
        /// The rules that set it, the one with the largest part first; none where every model is free.
        by: Vec<Setter>,
    },
    /// Nothing bounds it.
    Unbounded(Unbounded),
}

impl Ceiling {
    /// The figure, where there is one.
    #[must_use]
    pub const fn most(&self) -> Option<Dollars> {
        match self {
            Self::Bounded { most, .. } => Some(*most),
            Self::Unbounded(_) => None,
        }
    }

    /// The rules that set it.
    #[must_use]
    pub fn by(&self) -> &[Setter] {
        match self {
            Self::Bounded { by, .. } => by,
            Self::Unbounded(_) => &[],
        }
    }
}

/// A rule that sets a ceiling, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setter {
    /// Index into the policy's quotas.
    pub quota: usize,
    /// Where it stands.
    pub span: Span,
    /// What it is called.
    pub label: String,
    /// What it lets through.
    pub part: Dollars,
    /// Of a limit on requests: the most that one of them can cost, retries included.
    pub one_call: Option<Dollars>,
}

/// What `program` can spend at worst.
#[must_use]
pub fn ceiling(program: &Program) -> Ceilings {
    let calendar = Calendar::of(program);
    let replicas = match &program.deploy {
        Some(deploy) if deploy.redis.is_none() => deploy.replicas.high.max(1),
        _ => 1,
    };
    let flows = flow::flows(program);
    let bounds = bound::bounds(program, &flows);
    let sheet = |holder, horizon| {
        let reach = calendar.reach(horizon);
        let held = bounds.iter().filter(|bound| bound.holds(holder));
        let lids = held.filter_map(|bound| bound.lid(program, &reach));
        Sheet::new(flows.len(), lids.collect())
    };
    let survey = Survey {
        program,
        flows: &flows,
        everyone: Horizon::ALL.map(|horizon| sheet(Holder::Everyone, horizon)),
        caller: Horizon::ALL.map(|horizon| sheet(Holder::Caller, horizon)),
    };
    let tiers = 0..program.tiers.len();
    Ceilings {
        replicas,
        tiers: tiers
            .map(|tier| survey.scope(|flow| flow.tier == tier))
            .collect(),
        file: survey.scope(|_| true),
        zone: calendar.zone.clone(),
    }
}

/// What all scopes of a file share.
struct Survey<'a> {
    program: &'a Program,
    flows: &'a [Flow],
    everyone: [Sheet<'a>; 3],
    caller: [Sheet<'a>; 3],
}

impl Survey<'_> {
    fn scope(&self, wanted: impl Fn(&Flow) -> bool) -> Scope {
        let all = self.flows.iter().enumerate();
        let mine = all.filter(|(_, flow)| wanted(flow));
        let (paid, unpriced): (Vec<_>, Vec<_>) = mine.partition(|(_, flow)| flow.priced);
        let paid: Vec<usize> = paid
            .into_iter()
            .filter(|(_, flow)| flow.is_paid())
            .map(|(index, _)| index)
            .collect();
        let mut unpriced: Vec<ModelIndex> =
            unpriced.into_iter().map(|(_, flow)| flow.model).collect();
        unpriced.sort_unstable();
        unpriced.dedup();
        let everyone = self.figures(&paid, &self.everyone);
        let caller = self.figures(&paid, &self.caller);
        Scope {
            caller: Figures {
                hour: lower(&caller.hour, &everyone.hour),
                day: lower(&caller.day, &everyone.day),
                month: lower(&caller.month, &everyone.month),
            },
            everyone,
            unpriced,
        }
    }

    fn figures(&self, paid: &[usize], sheets: &[Sheet<'_>; 3]) -> Figures {
        let [hour, day, month] = sheets.each_ref().map(|sheet| self.ceiling(paid, sheet));
        let day = lower(&day, &month);
        Figures {
            hour: lower(&hour, &day),
            day,
            month,
        }
    }

    fn ceiling(&self, paid: &[usize], sheet: &Sheet<'_>) -> Ceiling {
        match sheet.cheapest(paid) {
            Ok(parts) => self.bounded(&parts),
            Err(open) => Ceiling::Unbounded(self.unbounded(open)),
        }
    }

    fn bounded(&self, parts: &[cover::Part]) -> Ceiling {
        let setter = |part: &cover::Part| {
            let quota = self.program.policy.quotas.get(part.quota)?;
            Some(Setter {
                quota: part.quota,
                span: quota.span,
                label: quota.label.text.clone(),
                part: Dollars(part.most),
                one_call: part.one_call.map(Dollars),
            })
        };
        let total = parts.iter().map(|part| part.most);
        Ceiling::Bounded {
            most: Dollars(total.fold(0, u128::saturating_add)),
            by: parts.iter().filter_map(setter).collect(),
        }
    }

    fn unbounded(&self, flow: usize) -> Unbounded {
        let (tier, model) = self
            .flows
            .get(flow)
            .map_or((0, 0), |flow| (flow.tier, flow.model));
        let nearest = self
            .flows
            .get(flow)
            .map(|flow| reason::nearest(self.program, flow));
        Unbounded {
            tier,
            model,
            nearest: nearest.unwrap_or(Nearest::Nothing),
        }
    }
}

/// The lower of two that both hold.
fn lower(one: &Ceiling, other: &Ceiling) -> Ceiling {
    match (one.most(), other.most()) {
        (Some(most), Some(least)) if least < most => other.clone(),
        (None, Some(_)) => other.clone(),
        _ => one.clone(),
    }
}

//! What a limit or budget bounds for certain: which flows, for whom, and how much of it may be used at one time.
//!
//! Invariants: a quota bounds a flow only if it applies to every call of it and refuses what does not fit. Where a cap
//! holds back some flows earlier than a denial holds back all, each is a bound of its own: at the last call that the
//! lower bound admitted, what all of them had used was within it.

use waypost_lang::cel::typed::{Field, Typed};
use waypost_lang::syntax::tree::{Amount, Window};

use super::condition::Setting;
use super::cover::Lid;
use super::flow::Flow;
use super::horizon::Reach;
use super::replicas::{Counting, counting};
use crate::program::{Action, Program, Quota};

/// A share of 100%, in hundredths of a percent.
const WHOLE: u128 = 10_000;

/// Whose spending is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    /// All callers together.
    Everyone,
    /// One caller.
    Caller,
}

/// Who shares a bucket of a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// All calls; or all of a tier or model, by which it has a bucket each.
    All {
        /// Whether calls of another tier or model have another bucket.
        apart: bool,
    },
    /// The calls of one caller, and maybe of others.
    Caller {
        /// As in [`Sharing::All`].
        apart: bool,
    },
    /// Nobody: the caller chooses the key.
    Chosen,
}

/// A bound on some flows.
#[derive(Debug)]
pub(super) struct Bound {
    quota: usize,
    sharing: Sharing,
    /// What may be used at one time, in the quota's unit.
    most: u64,
    /// The flows in order, and what a unit of the quota can cost in each, in nano-dollars.
    flows: Vec<(usize, u128)>,
}

/// Every bound of the file.
pub(super) fn bounds(program: &Program, flows: &[Flow]) -> Vec<Bound> {
    let quotas = program.policy.quotas.iter().enumerate();
    quotas
        .flat_map(|(index, quota)| of_quota(program, index, quota, flows))
        .collect()
}

/// Whether it counts calls together: not each by itself, nor only as long as they are open.
pub(crate) const fn adds_up(quota: &Quota) -> bool {
    !matches!(quota.window.value, Window::Call | Window::Open)
}

/// Whether what it counts has anything to do with what is spent.
pub(crate) const fn counts_spending(quota: &Quota) -> bool {
    !matches!(
        quota.amount.value,
        Amount::Repeats(_) | Amount::Concurrent(_)
    )
}

fn of_quota(program: &Program, index: usize, quota: &Quota, flows: &[Flow]) -> Vec<Bound> {
    let sharing = sharing(program, quota);
    if sharing == Sharing::Chosen || !adds_up(quota) {
        return Vec::new();
    }
    let mut held: Vec<(u64, usize, u128)> = flows
        .iter()
        .enumerate()
        .filter(|(_, flow)| flow.is_paid() && applies(program, quota, flow) == Some(true))
        .filter_map(|(place, flow)| {
            Some((most(quota, flow.judged)?, place, unit_cost(quota, flow)?))
        })
        .collect();
    held.sort_unstable();
    if sharing.is_apart() {
        let alone = |(most, place, cost)| Bound {
            quota: index,
            sharing,
            most,
            flows: vec![(place, cost)],
        };
        return held.into_iter().map(alone).collect();
    }
    let mut levels: Vec<u64> = held.iter().map(|(most, ..)| *most).collect();
    levels.dedup();
    levels
        .into_iter()
        .map(|level| {
            let within = held.iter().take_while(|(most, ..)| *most <= level);
            let mut flows: Vec<_> = within.map(|(_, place, cost)| (*place, *cost)).collect();
            flows.sort_unstable();
            Bound {
                quota: index,
                sharing,
                most: level,
                flows,
            }
        })
        .collect()
}

impl Sharing {
    const fn is_apart(self) -> bool {
        matches!(
            self,
            Self::All { apart: true } | Self::Caller { apart: true }
        )
    }
}

impl Bound {
    /// Whether it bounds what this holder spends.
    pub(super) const fn holds(&self, holder: Holder) -> bool {
        match self.sharing {
            Sharing::All { .. } => true,
            Sharing::Caller { .. } => matches!(holder, Holder::Caller),
            Sharing::Chosen => false,
        }
    }

    /// What it lets through within `reach`, all replicas together.
    pub(super) fn lid(&self, program: &Program, reach: &Reach<'_>) -> Option<Lid<'_>> {
        let quota = program.policy.quotas.get(self.quota)?;
        let Counting { times, more } = counting(program, quota);
        let most = self.most.saturating_add(more);
        let units = reach.allows(quota, capacity(quota).0, most);
        Some(Lid {
            quota: self.quota,
            units: units.saturating_mul(u128::from(times)),
            flows: &self.flows,
            is_of_requests: matches!(quota.amount.value, Amount::Requests(_)),
        })
    }
}

/// Whether a quota applies to all calls of a flow (`true`), to none, or to some.
pub(super) fn applies(program: &Program, quota: &Quota, flow: &Flow) -> Option<bool> {
    if quota.on.as_ref().is_some_and(|on| on.value != flow.model) {
        return Some(false);
    }
    let Some(when) = &quota.when else {
        return Some(true);
    };
    let setting = Setting {
        tier: &program.tiers.get(flow.judged)?.name.value,
        model: &program.models.get(flow.model)?.name.value,
    };
    setting.truth(when)
}

/// What may be used of a quota when a call of this tier is let in; `None` where nothing is refused.
pub(super) fn most(quota: &Quota, tier: usize) -> Option<u64> {
    let refuses = |action: Action| match action {
        Action::Deny | Action::Wait(_) => true,
        Action::CapAt(cap) => tier > cap,
        Action::Warn => false,
    };
    let binding = quota.outcomes.iter().filter(|one| refuses(one.action));
    let share = binding.map(|one| one.share.0).min()?;
    let bound = u128::from(capacity(quota).1) * u128::from(share) / WHOLE;
    Some(u64::try_from(bound).unwrap_or(u64::MAX))
}

/// What a unit of the quota can cost in this flow; `None` where nothing bounds it.
pub(super) fn unit_cost(quota: &Quota, flow: &Flow) -> Option<u128> {
    match quota.amount.value {
        Amount::Money(_) => Some(1),
        Amount::Tokens(_) => Some(flow.one_token),
        Amount::Requests(_) => flow.one_call,
        // The same call may be told in other words, and calls may follow one another as fast as they like.
        Amount::Repeats(_) | Amount::Concurrent(_) => None,
    }
}

/// The amount that a quota refills in its window, and what it holds at one time, in its unit.
pub(crate) fn capacity(quota: &Quota) -> (u64, u64) {
    let amount = quota.amount.value.units();
    (amount, quota.burst.unwrap_or(amount))
}

/// Who shares a bucket of it. Where no caller is told from another, all share the bucket of "".
pub(crate) fn sharing(program: &Program, quota: &Quota) -> Sharing {
    let Some(per) = &quota.per else {
        // Callers name their sessions.
        return match quota.window.value {
            Window::Session(_) => Sharing::Chosen,
            _ => Sharing::All { apart: false },
        };
    };
    let (caller, apart, chosen) = reads(per);
    let policy = &program.policy;
    let told_apart = policy.keys.is_some() || policy.jwt.is_some() || !policy.anonymous;
    match (chosen, caller && told_apart) {
        (true, _) => Sharing::Chosen,
        (false, true) => Sharing::Caller { apart },
        (false, false) => Sharing::All { apart },
    }
}

/// Whether a key reads what is of the caller's key, the tier or the model, or anything else.
fn reads(per: &Typed) -> (bool, bool, bool) {
    let (mut caller, mut apart, mut chosen) = (false, false, false);
    for field in per.fields() {
        match field {
            Field::CallerKey
            | Field::CallerTeam
            | Field::CallerAgent
            | Field::CallerPlan
            | Field::CallerName => caller = true,
            Field::Tier | Field::Model => apart = true,
            _ => chosen = true,
        }
    }
    (caller, apart, chosen)
}

//! Limits and budgets: which apply to a call, how full they are, and what the call would take of them.

use super::Decider;
use super::policy::Answer;
use crate::decision::{Charge, Charges, Key};
use crate::facts::Facts;
use crate::limits::State;
use crate::plan::Plan;
use crate::plan::draft::TierIndex;
use crate::plan::view::{Amount, Quota, QuotaAction, Window};
use crate::vm::{Context, Evaluation};

/// A share of 100%, in hundredths of a percent.
const WHOLE: u128 = 10_000;

/// A quota as a call finds it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QuotaReading {
    pub(crate) key: Key,
    /// What the call would reserve, in the quota's unit.
    pub(crate) amount: u64,
    /// What is used of it, and the most that may be.
    pub(crate) used: u64,
    pub(crate) capacity: u64,
}

impl QuotaReading {
    /// Whether an outcome at this share acts: what is used, and what the call would reserve, is more than it.
    pub(crate) fn acts(&self, share: u32) -> bool {
        self.used.saturating_add(self.amount) > self.bound(share)
    }

    /// What the call would take, where an outcome at this share bounds it.
    pub(crate) fn charge(&self, quota: u16, share: u32) -> Charge {
        Charge {
            quota,
            key: self.key,
            amount: self.amount,
            bound: self.bound(share),
        }
    }

    fn bound(&self, share: u32) -> u64 {
        let bound = u128::from(self.capacity) * u128::from(share) / WHOLE;
        u64::try_from(bound).unwrap_or(u64::MAX)
    }
}

/// A quota that has no room for a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Binding {
    pub(crate) quota: u16,
    /// Whether its outcome is a refusal; else it caps.
    pub(crate) denies: bool,
    pub(crate) retry_after_milliseconds: Option<u64>,
}

/// The bucket of a quota that a call counts in, whether or not the quota applies to it.
#[must_use]
pub fn quota_key(
    plan: &Plan,
    facts: &Facts<'_>,
    state: &State,
    evaluation: &mut Evaluation,
    quota: u16,
) -> Key {
    let mut decider = Decider::new(plan, facts, state, evaluation);
    let Some(quota) = plan.quota(quota) else {
        return decider.session.key(None);
    };
    if names_session(&quota) {
        // Which session it is, the content says.
        let _ = decider.content();
    }
    decider.bucket(&quota)
}

/// Whether its buckets are the sessions that `keep` names.
fn names_session(quota: &Quota<'_>) -> bool {
    quota.per().is_none() && matches!(quota.window(), Window::Session(_))
}

impl Decider<'_, '_> {
    /// The bucket that the call counts in. Without a name a caller's calls are one session, so that leaving the name out
    /// is no way around a limit.
    fn bucket(&mut self, quota: &Quota<'_>) -> Key {
        let key = if names_session(quota) {
            let owner = &self.facts.caller.key;
            self.run
                .unwrap_or_else(|| self.state.key_of(owner, self.state.key("")))
        } else {
            self.session.key(quota.per())
        };
        match quota.amount() {
            Amount::Repeats(_) => self
                .state
                .key_of_request(key, self.facts.request.fingerprint),
            _ => key,
        }
    }

    /// The quota as the call finds it in this context; `None` where it does not apply.
    pub(crate) fn read_quota(
        &mut self,
        index: u16,
        quota: &Quota<'_>,
        context: Context,
    ) -> Option<QuotaReading> {
        if quota.on().is_some_and(|model| model != context.model) {
            return None;
        }
        if quota.when().is_some_and(|when| !self.session.matches(when)) {
            return None;
        }
        let key = self.bucket(quota);
        let amount = match quota.amount() {
            Amount::Requests(_) | Amount::Repeats(_) | Amount::Concurrent(_) => 1,
            Amount::Tokens(_) => {
                let model = self.plan.model(context.model)?;
                let Answer { reserved, .. } = self.answer(&model);
                self.facts.request.tokens.saturating_add(reserved)
            }
            Amount::Money(_) => u64::try_from(context.ceiling.0).unwrap_or(u64::MAX),
        };
        Some(QuotaReading {
            key,
            amount,
            used: self.state.used(index, key, self.facts.now),
            capacity: self.state.capacity(index),
        })
    }

    /// What a candidate of this tier must reserve, all of it or nothing; or the quota that binds. Of several that
    /// have no room: one that denies before one that caps, the longest wait first, then the first by label.
    pub(crate) fn charges(
        &mut self,
        context: Context,
        tier: TierIndex,
    ) -> Result<Charges, Binding> {
        let plan = self.plan;
        let mut charges = Charges::new();
        let mut binding: Option<(Binding, &str)> = None;
        let mut open = self.session.take_ranks();
        self.open(&plan.tables().ranks.quotas, &mut open);
        // Its rules are all the quotas, so a rank is an index.
        for index in open.iter().copied() {
            let Some(quota) = plan.quota(index) else {
                continue;
            };
            let Some(reading) = self.read_quota(index, &quota, context) else {
                continue;
            };
            let (bound, denies) = bound(&quota, &reading, tier);
            let charge = Charge {
                quota: index,
                key: reading.key,
                amount: reading.amount,
                bound,
            };
            if reading.used.saturating_add(reading.amount) > bound {
                let found = Binding {
                    quota: index,
                    denies,
                    retry_after_milliseconds: self.retry_after(&charge),
                };
                let found = (found, quota.label());
                binding = Some(binding.map_or(found, |before| heavier(before, found)));
            }
            charges.push(charge);
        }
        self.session.put_back(open);
        match binding {
            Some((binding, _)) => Err(binding),
            None => Ok(charges),
        }
    }

    /// When there may be room; `None` when never.
    pub(crate) fn retry_after(&self, charge: &Charge) -> Option<u64> {
        match self.state.room(charge, self.facts.now) {
            Err(exhausted) => exhausted.retry_after_milliseconds,
            // Another call ended in between.
            Ok(()) => Some(0),
        }
    }
}

fn heavier<'p>(left: (Binding, &'p str), right: (Binding, &'p str)) -> (Binding, &'p str) {
    let rank = |binding: &Binding| {
        let wait = binding.retry_after_milliseconds.unwrap_or(u64::MAX);
        (binding.denies, wait)
    };
    let order = rank(&left.0).cmp(&rank(&right.0));
    if order.then_with(|| right.1.cmp(left.1)).is_lt() {
        right
    } else {
        left
    }
}

/// The most that may be used when a candidate of this tier is let in, and whether an outcome denies it. An outcome
/// that caps at the candidate's tier or above it holds back others, not this one.
fn bound(quota: &Quota<'_>, reading: &QuotaReading, tier: TierIndex) -> (u64, bool) {
    let used = reading.used.saturating_add(reading.amount);
    let (mut lowest, mut is_denied) = (u64::MAX, false);
    for outcome in quota.outcomes() {
        let denies = match outcome.action() {
            QuotaAction::Deny | QuotaAction::Wait(_) => true,
            QuotaAction::CapAt(cap) if tier > cap => false,
            _ => continue,
        };
        let bound = reading.bound(outcome.share());
        lowest = lowest.min(bound);
        is_denied |= denies && used > bound;
    }
    (lowest, is_denied)
}

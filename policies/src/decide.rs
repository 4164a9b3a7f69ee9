//! The one decision: which tier, whether, at what cost, which model.
//!
//! Pure: the same plan, facts and state give the same decision, in `waypost test`, in `why` and on live traffic. What
//! it changes it returns: [`Route::charges`] to reserve, a session's floor to raise.
//!
//! Invariants: the order of rules changes no tier and no outcome; a rule that could not be evaluated acts as matched;
//! no quota that applies to the model that answers is left out of the charges.

mod candidates;
mod content;
mod first;
mod policy;
mod quotas;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
mod tests;

use crate::decision::{Decision, Key, Outcome, Route, RuleReference, SkipReason, Skipped};
use crate::facts::Facts;
use crate::limits::State;
use crate::plan::Plan;
use crate::plan::draft::{ModelIndex, TierIndex};
use crate::vm::{Evaluation, Session};

use policy::Lowered;
pub(crate) use quotas::QuotaReading;
pub use quotas::quota_key;

/// What one call gets.
#[must_use]
pub fn decide(
    plan: &Plan,
    facts: &Facts<'_>,
    state: &State,
    evaluation: &mut Evaluation,
) -> Decision {
    Decider::new(plan, facts, state, evaluation).decide()
}

/// What the call gets after the model of `previous` failed: the next admissible model, policy passed again against
/// the state as it is now. The reservation of the failed attempt must have been ended before.
#[must_use]
pub fn fall_back(
    plan: &Plan,
    facts: &Facts<'_>,
    state: &State,
    evaluation: &mut Evaluation,
    previous: &Decision,
) -> Decision {
    let Outcome::Route(failed) = &previous.outcome else {
        return previous.clone();
    };
    Decider::new(plan, facts, state, evaluation).fall_back(previous, failed)
}

pub(crate) struct Decider<'a, 'e> {
    pub(crate) plan: &'a Plan,
    pub(crate) facts: &'a Facts<'a>,
    pub(crate) state: &'a State,
    pub(crate) session: Session<'a, 'e>,
    /// The session that the call's content names, once that is known.
    run: Option<Key>,
}

impl<'a, 'e> Decider<'a, 'e> {
    pub(crate) fn new(
        plan: &'a Plan,
        facts: &'a Facts<'a>,
        state: &'a State,
        evaluation: &'e mut Evaluation,
    ) -> Self {
        Self {
            plan,
            facts,
            state,
            session: Session::new(plan, facts, state, evaluation),
            run: None,
        }
    }

    pub(crate) fn decide(&mut self) -> Decision {
        let Some(course) = self.content() else {
            return unknown_model();
        };
        let mut warnings = Vec::new();
        let lowered = self.lower(course.tier, course.home, &mut warnings);
        let tier = lowered.tier.min(course.tier);
        let alone = course.named.filter(|_| tier == course.tier);
        let outcome = self.admit(&Search {
            tier,
            alone,
            lowered,
            from: 0,
            skipped: Vec::new(),
            is_fallback: false,
        });
        if let Outcome::Route(route) = &outcome {
            self.warn(route, &mut warnings);
        }
        let capped_by = lowered.rule.filter(|_| tier < course.tier);
        let home = alone.unwrap_or_else(|| self.home(tier));
        Decision {
            content: course.content,
            start: course.start,
            content_tier: course.tier,
            tier,
            rule: capped_by.unwrap_or(course.rule),
            capped_by,
            difficulty: self.session.difficulty(),
            threshold: course.threshold,
            named: course.named,
            priority: self.priority(tier, home),
            warnings,
            outcome,
            session: course.session,
        }
    }

    pub(crate) fn fall_back(&mut self, previous: &Decision, failed: &Route) -> Decision {
        self.run = previous.session.map(|session| session.key);
        self.session.set_difficulty(previous.difficulty);
        self.session.set_threshold(previous.threshold);
        let home = previous
            .named
            .unwrap_or_else(|| self.home(previous.content_tier));
        let mut warnings = previous.warnings.clone();
        let lowered = self.lower(previous.content_tier, home, &mut warnings);
        let mut skipped = failed.skipped.clone();
        skipped.push(Skipped {
            model: failed.model,
            reason: SkipReason::Failed,
        });
        let outcome = self.admit(&Search {
            tier: previous.tier,
            alone: previous.named.filter(|_| previous.capped_by.is_none()),
            lowered,
            from: failed.step.saturating_add(1),
            skipped,
            is_fallback: true,
        });
        if let Outcome::Route(route) = &outcome {
            self.warn(route, &mut warnings);
        }
        Decision {
            outcome,
            warnings,
            ..previous.clone()
        }
    }

    /// The model that a tier tries first.
    pub(crate) fn home(&self, tier: TierIndex) -> ModelIndex {
        let homes = &self.plan.tables().homes;
        homes.get(usize::from(tier)).copied().unwrap_or_default()
    }
}

/// Where the models of a call are looked for.
pub(crate) struct Search {
    /// The final tier.
    pub(crate) tier: TierIndex,
    /// Only this model: the client named it, and no cap acts.
    pub(crate) alone: Option<ModelIndex>,
    /// What caps allow.
    pub(crate) lowered: Lowered,
    /// The first step to try.
    pub(crate) from: u16,
    /// What was passed over before.
    pub(crate) skipped: Vec<Skipped>,
    /// Whether another model was tried before.
    pub(crate) is_fallback: bool,
}

const fn unknown_model() -> Decision {
    Decision {
        content: None,
        start: 0,
        content_tier: 0,
        tier: 0,
        rule: RuleReference::Start(0),
        capped_by: None,
        difficulty: None,
        threshold: None,
        named: None,
        priority: (0, None),
        warnings: Vec::new(),
        outcome: Outcome::UnknownModel,
        session: None,
    }
}

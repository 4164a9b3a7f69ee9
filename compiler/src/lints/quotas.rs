//! What the lints about money ask of a limit or budget.

use waypost_lang::Span;

use crate::ceiling::bound::{self, Sharing};
use crate::checks::unreachable_model::reachable;
use crate::program::{Action, Model, Program, Quota};

/// `$50 / day`, where it is written.
pub(super) fn rate(quota: &Quota) -> Span {
    quota.amount.span.to(quota.window.span)
}

/// Whether it refuses some call: it denies, or caps below the highest tier.
pub(super) fn refuses(quota: &Quota, program: &Program) -> bool {
    let highest = program.tiers.len().saturating_sub(1);
    quota.outcomes.iter().any(|outcome| match outcome.action {
        Action::Deny | Action::Wait(_) => true,
        Action::CapAt(tier) => tier < highest,
        Action::Warn => false,
    })
}

/// Whether another one refuses every kind of call that this one counts, by a key that callers do not choose.
pub(super) fn is_backed(index: usize, quota: &Quota, program: &Program) -> bool {
    let on = |one: &Quota| one.on.as_ref().map(|on| on.value);
    let others = program.policy.quotas.iter().enumerate();
    others
        .filter(|(other, _)| *other != index)
        .any(|(_, other)| {
            other.when.is_none()
                && (other.on.is_none() || on(other) == on(quota))
                && refuses(other, program)
                && bound::adds_up(other)
                && bound::counts_spending(other)
                && bound::sharing(program, other) != Sharing::Chosen
        })
}

/// The answer that is reserved for a call that does not say how long it may be.
pub(super) fn usual_answer(model: &Model) -> u64 {
    const USUAL: u64 = 4096;
    match model.serves.chat || model.serves.completions {
        true => model.output.map_or(USUAL, |output| output.min(USUAL)),
        false => 0,
    }
}

/// Of what a model has most of: what a quota `on` a model finds there, or the most of all models that calls can reach.
pub(super) struct Most<'p, T> {
    program: &'p Program,
    of: fn(&Model) -> T,
    overall: Option<(T, &'p Model)>,
}

impl<'p, T: Ord + Copy> Most<'p, T> {
    pub(super) fn new(program: &'p Program, of: fn(&Model) -> T) -> Self {
        let models = reachable(program).into_iter();
        let models = models.filter_map(|index| program.models.get(index));
        let overall = models
            .map(|model| (of(model), model))
            .max_by_key(|(most, _)| *most);
        Self {
            program,
            of,
            overall,
        }
    }

    /// The most among the models that a quota counts, and whose it is.
    pub(super) fn counted(&self, quota: &Quota) -> Option<(T, &'p Model)> {
        let Some(on) = &quota.on else {
            return self.overall;
        };
        let model = self.program.models.get(on.value)?;
        Some(((self.of)(model), model))
    }
}

/// The least that an outcome lets be used before it refuses or lowers a call.
pub(super) fn least_bound(quota: &Quota) -> Option<u64> {
    let binding = |action: Action| !matches!(action, Action::Warn);
    let outcomes = quota.outcomes.iter().filter(|one| binding(one.action));
    let share = outcomes.map(|one| one.share.0).min()?;
    let capacity = u128::from(bound::capacity(quota).1);
    u64::try_from(capacity * u128::from(share) / 10_000).ok()
}

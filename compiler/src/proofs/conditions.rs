//! What is proved of each condition by itself: that it is never true, that it always is, which of its parts change nothing.

use waypost_lang::cel::typed::{Typed, TypedKind};
use waypost_lang::source::Span;

use super::redundancy::Redundant;
use super::{Condition, Reasoner};
use crate::program::{Label, Program};

/// What a condition is written at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// An escalation, a cap, a denial or a priority.
    Rule,
    /// A limit or budget.
    Quota,
    /// `only when` of a pool.
    Only,
}

/// A condition and what it is written at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written<'p> {
    pub(crate) place: Place,
    pub(crate) when: &'p Typed,
    /// The rule's identity; a pool's `only when` has none.
    pub(crate) label: Option<&'p Label>,
    /// The statement; of `only when` the condition.
    pub(crate) span: Span,
}

/// What is proved of a condition.
#[derive(Debug)]
pub(crate) struct Judged<'p> {
    pub(crate) written: Written<'p>,
    /// Whether no call satisfies it: then which part cannot be, and which other not together with it.
    pub(crate) never: Option<(&'p Typed, Option<&'p Typed>)>,
    /// Whether it is true of every call, or fails.
    pub(crate) always: bool,
    /// Whether it has a value on every call.
    pub(crate) total: bool,
    /// Parts that change nothing, of a condition that some calls satisfy and others do not.
    pub(crate) redundant: Vec<Redundant<'p>>,
}

impl<'p> Judged<'p> {
    /// Proves what can be of a condition, as its reasoner has read it.
    pub(crate) fn of(reasoner: &mut Reasoner, written: Written<'p>, condition: &Condition) -> Self {
        let never = reasoner.never(condition);
        let always = !never && reasoner.always(condition);
        Self {
            written,
            never: never.then(|| culprits(reasoner, written.when)),
            always,
            total: condition.is_total(),
            redundant: match never || always {
                true => Vec::new(),
                false => reasoner.redundant(written.when),
            },
        }
    }
}

/// Judges the conditions of limits and budgets; `reasoner` is that of the policy.
pub(super) fn of_quotas<'p>(program: &'p Program, reasoner: &mut Reasoner) -> Vec<Judged<'p>> {
    let quotas = program.policy.quotas.iter();
    let conditions = quotas.filter_map(|quota| Some((quota, quota.when.as_ref()?)));
    conditions
        .map(|(quota, when)| {
            let written = Written {
                place: Place::Quota,
                when,
                label: Some(&quota.label),
                span: quota.span,
            };
            let condition = reasoner.condition(when);
            Judged::of(reasoner, written, &condition)
        })
        .collect()
}

/// Judges what pools ask of their replicas.
pub(super) fn of_pools(program: &Program) -> Vec<Judged<'_>> {
    let mut reasoner = Reasoner::default();
    let conditions = program.pools.iter().flat_map(|pool| &pool.place.only);
    conditions
        .map(|when| {
            let written = Written {
                place: Place::Only,
                when,
                label: None,
                span: when.span,
            };
            let condition = reasoner.condition(when);
            Judged::of(&mut reasoner, written, &condition)
        })
        .collect()
}

/// The part that cannot be, or the two that cannot be together; else the whole.
fn culprits<'t>(reasoner: &mut Reasoner, typed: &'t Typed) -> (&'t Typed, Option<&'t Typed>) {
    let mut parts = Vec::new();
    conjuncts(typed, &mut parts);
    let read: Vec<_> = parts.iter().map(|part| reasoner.condition(part)).collect();
    for (part, condition) in parts.iter().zip(&read) {
        if reasoner.never(condition) {
            return (part, None);
        }
    }
    for (at, (second, right)) in parts.iter().zip(&read).enumerate() {
        let earlier = parts.iter().zip(&read).take(at);
        if let Some((first, _)) = earlier
            .into_iter()
            .find(|(_, left)| reasoner.disjoint(left, right))
        {
            return (second, Some(first));
        }
    }
    (typed, None)
}

fn conjuncts<'t>(typed: &'t Typed, parts: &mut Vec<&'t Typed>) {
    match &typed.kind {
        TypedKind::And(left, right) => {
            conjuncts(left, parts);
            conjuncts(right, parts);
        }
        _ => parts.push(typed),
    }
}

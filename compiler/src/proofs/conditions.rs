//! Every condition of a file, each with the reasoner of its section.

use waypost_lang::cel::typed::Typed;
use waypost_lang::source::Span;

use super::Reasoner;
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

/// Calls `visit` with each condition of the program.
pub(crate) fn visit<'p>(program: &'p Program, visit: &mut dyn FnMut(&mut Reasoner, Written<'p>)) {
    for content in &program.contents {
        let mut reasoner = Reasoner::of_content(content);
        for rule in &content.escalations {
            visit(
                &mut reasoner,
                written(Place::Rule, &rule.when, &rule.label, rule.span),
            );
        }
    }
    let mut reasoner = Reasoner::of_policy(program);
    let policy = &program.policy;
    for rule in &policy.denials {
        visit(
            &mut reasoner,
            written(Place::Rule, &rule.when, &rule.label, rule.span),
        );
    }
    for rule in &policy.caps {
        visit(
            &mut reasoner,
            written(Place::Rule, &rule.when, &rule.label, rule.span),
        );
    }
    for rule in &policy.priorities {
        if let Some(when) = &rule.when {
            visit(
                &mut reasoner,
                written(Place::Rule, when, &rule.label, rule.span),
            );
        }
    }
    for quota in &policy.quotas {
        if let Some(when) = &quota.when {
            visit(
                &mut reasoner,
                written(Place::Quota, when, &quota.label, quota.span),
            );
        }
    }
    let mut reasoner = Reasoner::default();
    for when in program.pools.iter().flat_map(|pool| &pool.place.only) {
        let only = Written {
            place: Place::Only,
            when,
            label: None,
            span: when.span,
        };
        visit(&mut reasoner, only);
    }
}

const fn written<'p>(place: Place, when: &'p Typed, label: &'p Label, span: Span) -> Written<'p> {
    Written {
        place,
        when,
        label: Some(label),
        span,
    }
}

//! WP0402: a condition that no call can satisfy.

use waypost_lang::cel::typed::{Typed, TypedKind};
use waypost_lang::{Diagnostic, codes};

use super::Subject;
use crate::proofs::Reasoner;
use crate::proofs::conditions::{self, Place, Written};

/// Finds conditions that are never true.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    conditions::visit(subject.program, &mut |reasoner, written| {
        let condition = reasoner.condition(written.when);
        if reasoner.never(&condition) {
            found.push(finding(subject, reasoner, &written));
        }
    });
}

fn finding(subject: &Subject<'_>, reasoner: &mut Reasoner, written: &Written<'_>) -> Diagnostic {
    let message = match (written.place, written.label) {
        (Place::Rule, Some(label)) => format!("`{}` never matches", label.text),
        (Place::Quota, Some(label)) => format!("`{}` never counts a call", label.text),
        _ => "this condition admits no replica".to_owned(),
    };
    let (part, other) = culprits(reasoner, written.when);
    let warning = |label: &str| {
        codes::CONTRADICTORY_CONDITION
            .warning(part.span, message)
            .label(label)
    };
    let finding = match other {
        Some(other) => warning("no call has this together with the other part")
            .because(other.span, "the other part")
            .help("write `||` if either is enough, or correct one of the two"),
        None => warning("this is never true").help("correct the condition, or delete the rule"),
    };
    match (written.label, subject.deletion(written.span)) {
        (Some(label), Some(edit)) if !subject.is_tested(label) => {
            finding.fix("delete the rule", [edit])
        }
        _ => finding,
    }
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

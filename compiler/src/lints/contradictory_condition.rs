//! WP0402: a condition that no call can satisfy.

use waypost_lang::cel::typed::Typed;
use waypost_lang::{Diagnostic, codes};

use super::Subject;
use crate::proofs::conditions::{Place, Written};

/// Finds conditions that are never true.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for one in &subject.proofs.conditions {
        if let Some(culprits) = one.never {
            found.push(finding(subject, &one.written, culprits));
        }
    }
}

fn finding(
    subject: &Subject<'_>,
    written: &Written<'_>,
    (part, other): (&Typed, Option<&Typed>),
) -> Diagnostic {
    let message = match (written.place, written.label) {
        (Place::Rule, Some(label)) => format!("`{}` never matches", label.text),
        (Place::Quota, Some(label)) => format!("`{}` never counts a call", label.text),
        _ => "this condition admits no replica".to_owned(),
    };
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

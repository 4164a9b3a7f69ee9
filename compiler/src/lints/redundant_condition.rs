//! WP0404: a part of a condition that the rest already says.

use waypost_lang::{Diagnostic, codes};

use super::Subject;
use crate::proofs::conditions::Written;
use crate::proofs::redundancy::Redundant;

/// Finds parts of `&&` and `||` that change nothing.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for one in &subject.proofs.conditions {
        for part in &one.redundant {
            found.push(finding(subject, &one.written, part));
        }
    }
}

fn finding(subject: &Subject<'_>, written: &Written<'_>, redundant: &Redundant<'_>) -> Diagnostic {
    let part = redundant.part.span;
    let text = subject
        .quoted(part)
        .unwrap_or_else(|| "this part".to_owned());
    let (message, label) = match (redundant.alone, redundant.conjunction) {
        (true, true) => (format!("`{text}` is always true"), "it leaves nothing out"),
        (true, false) => (format!("`{text}` is never true"), "it adds nothing"),
        (false, true) => (
            format!("`{text}` changes nothing"),
            "the rest already says so",
        ),
        (false, false) => (
            format!("`{text}` changes nothing"),
            "the rest already includes it",
        ),
    };
    let mut finding = codes::REDUNDANT_CONDITION
        .warning(part, message)
        .label(label)
        .help("delete the part, or correct it if it was meant to say more");
    if let Some(because) = redundant.because {
        let reason = if redundant.conjunction {
            "whenever this is true, so is the part"
        } else {
            "this is true whenever the part is"
        };
        finding = finding.because(because.span, reason);
    }
    let named_by_text = written
        .label
        .is_some_and(|label| !label.written && subject.is_tested(label));
    match subject.part_deletion(redundant).filter(|_| !named_by_text) {
        Some(edit) => finding.fix("delete the part", [edit]),
        None => finding,
    }
}

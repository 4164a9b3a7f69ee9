//! WP0459: a key that is the same for every call.

use waypost_lang::cel::typed::Typed;
use waypost_lang::{Diagnostic, codes};

use super::Subject;
use crate::program::Step;

/// Finds `per`, `by` and `keep session` with an expression that reads nothing.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let program = subject.program;
    let quotas = program
        .policy
        .quotas
        .iter()
        .filter_map(|quota| quota.per.as_ref());
    let quotas = quotas.map(|per| {
        (
            per,
            "all calls count as one's",
            "leave `per` out, or name a field: `per caller.key`",
        )
    });
    let sessions = program
        .contents
        .iter()
        .filter_map(|content| content.keep.as_ref());
    let sessions = sessions.map(|keep| {
        let help =
            "name what tells sessions apart: `request.headers[?\"x-session-id\"].orValue(\"\")`";
        (&keep.session, "all calls of a caller are one session", help)
    });
    let steps = program.tiers.iter().flat_map(|tier| &tier.steps);
    let splits = steps.filter_map(|step| match step {
        Step::Split { key, .. } => key.as_ref(),
        Step::Try(_) => None,
    });
    let splits = splits.map(|key| {
        (
            key,
            "all calls go to one model",
            "name a field: `by caller.key`",
        )
    });
    for (key, label, help) in quotas.chain(sessions).chain(splits) {
        if is_constant(key) {
            found.push(
                codes::CONSTANT_KEY
                    .warning(key.span, "this key is the same for every call")
                    .label(label)
                    .help(help),
            );
        }
    }
}

fn is_constant(key: &Typed) -> bool {
    key.fields().is_empty()
}

//! WP0433: a limit or budget by a value that the caller chooses for each call.

use waypost_lang::cel::typed::Field;
use waypost_lang::syntax::tree::Window;
use waypost_lang::{Diagnostic, Span, codes};

use super::Subject;
use super::quotas::{is_backed, refuses};
use crate::program::Quota;

/// What a caller may write anew in every call.
const CHOSEN: &[(Field, &str)] = &[
    (Field::RequestHeaders, "a header"),
    (Field::RequestMetadata, "`request.metadata`"),
    (Field::RequestModel, "`request.model`"),
    (Field::RequestMaxTokens, "`request.max_tokens`"),
];

/// What a caller chooses of a quota's bucket, and where that is said.
fn chosen(quota: &Quota) -> Option<(Span, &'static str)> {
    match (&quota.per, &quota.window.value) {
        (Some(per), _) => {
            let read = per.fields();
            let found = CHOSEN.iter().find(|(field, _)| read.contains(field));
            found.map(|(_, what)| (per.span, *what))
        }
        (None, Window::Session(_)) => Some((quota.window.span, "the session")),
        (None, _) => None,
    }
}

/// Finds quotas that refuse, by such a value, with nothing behind them.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let program = subject.program;
    for (index, quota) in program.policy.quotas.iter().enumerate() {
        let Some((span, what)) = chosen(quota) else {
            continue;
        };
        if !refuses(quota, program) || is_backed(index, quota, program) {
            continue;
        }
        found.push(
            codes::CALLER_CHOOSES_BUCKET
                .warning(
                    span,
                    format!("callers can walk around `{}`", quota.label.text),
                )
                .label(format!("{what} is what the caller says: another value is a fresh bucket"))
                .help("count by who is calling, such as `per caller.key`, or add a second limit that does"),
        );
    }
}

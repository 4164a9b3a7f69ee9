//! WP0433: a limit or budget by a value that the caller chooses for each call.

use waypost_lang::cel::typed::Field;
use waypost_lang::{Diagnostic, codes};

use super::Subject;
use super::quotas::{is_backed, refuses};

/// What a caller may write anew in every call.
const CHOSEN: &[(Field, &str)] = &[
    (Field::RequestHeaders, "a header"),
    (Field::RequestMetadata, "`request.metadata`"),
    (Field::RequestModel, "`request.model`"),
    (Field::RequestMaxTokens, "`request.max_tokens`"),
];

/// Finds quotas that refuse, by such a value, with nothing behind them.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let program = subject.program;
    for (index, quota) in program.policy.quotas.iter().enumerate() {
        let Some(per) = &quota.per else { continue };
        let read = per.fields();
        let chosen = CHOSEN.iter().find(|(field, _)| read.contains(field));
        let Some((_, what)) = chosen else { continue };
        if !refuses(quota, program) || is_backed(index, quota, program) {
            continue;
        }
        found.push(
            codes::CALLER_CHOOSES_BUCKET
                .warning(
                    per.span,
                    format!("callers can walk around `{}`", quota.label.text),
                )
                .label(format!("{what} is what the caller says: another value is a fresh bucket"))
                .help("count by who is calling, such as `per caller.key`, or add a second limit that does"),
        );
    }
}

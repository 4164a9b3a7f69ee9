//! WP0456: a denial with a status that clients try again.

use waypost_lang::cel::typed::Field;
use waypost_lang::{Diagnostic, codes};

use super::Subject;
use crate::resolve::content::reads;

/// Finds `deny … status 503` and its like where waiting changes nothing. 429 is left alone: it tells a client to slow down.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for denial in &subject.program.policy.denials {
        let retried = matches!(denial.status, 408 | 409) || denial.status >= 500;
        if !retried || reads(&denial.when, Field::Now).is_some() {
            continue;
        }
        let status = denial.status;
        found.push(
            codes::RETRIED_DENIAL
                .warning(
                    denial.label.span,
                    format!("clients try again after a {status}"),
                )
                .label("the same call is refused again, two or three times over")
                .help("write `status 403`, which clients give up on, or 429 if waiting helps"),
        );
    }
}

//! WP0453: a limit or budget that refuses nothing.

use waypost_lang::{Diagnostic, codes};

use super::Subject;
use crate::program::Action;

/// Finds quotas whose every outcome is `warn`.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for quota in &subject.program.policy.quotas {
        let Some(last) = quota.outcomes.last() else {
            continue;
        };
        if quota.outcomes.iter().any(|one| one.action != Action::Warn) {
            continue;
        }
        let what = if quota.budget { "budget" } else { "limit" };
        found.push(
            codes::ONLY_WARNS
                .warning(
                    quota.amount.span.to(quota.window.span),
                    format!("this {what} stops nothing"),
                )
                .label("all it does is warn")
                .because(last.span, "the last thing that happens")
                .help(
                    "say what happens when it is used up: `at 100% deny`, or `at 100% cap at TIER`",
                ),
        );
    }
}

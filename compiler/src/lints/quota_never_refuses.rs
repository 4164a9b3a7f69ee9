//! WP0426: a limit or budget that only warns, and nothing else holds what it counts.

use waypost_lang::{Diagnostic, codes};

use super::Subject;
use super::quotas::{is_backed, rate, refuses};
use crate::program::Action;

/// Finds quotas that neither deny nor lower any call, and that no other quota stands behind.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let program = subject.program;
    for (index, quota) in program.policy.quotas.iter().enumerate() {
        if refuses(quota, program) || is_backed(index, quota, program) {
            continue;
        }
        let Some(outcome) = quota.outcomes.iter().max_by_key(|one| one.share) else {
            continue;
        };
        let label = match outcome.action {
            Action::Warn => "only warns",
            Action::CapAt(_) | Action::Deny | Action::Wait(_) => {
                "caps at the highest tier, where calls are anyway"
            }
        };
        found.push(
            codes::QUOTA_NEVER_REFUSES
                .warning(
                    outcome.span,
                    format!("`{}` never refuses a call", quota.label.text),
                )
                .label(label)
                .because(rate(quota), "is counted and holds nothing")
                .help("add an outcome that acts, such as `at 100% deny`"),
        );
    }
}

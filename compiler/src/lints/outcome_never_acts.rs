//! WP0434: an outcome at a share that no call gets to, because an earlier one has refused or lowered it.

use waypost_lang::{Diagnostic, codes};

use super::Subject;
use crate::program::{Action, Outcome};

/// Finds denials and warnings above a denial, and caps above one that is at least as low.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for quota in &subject.program.policy.quotas {
        for outcome in &quota.outcomes {
            let earlier = quota
                .outcomes
                .iter()
                .filter(|one| one.share < outcome.share);
            let mut earlier = earlier.filter(|one| covers(one, outcome));
            let Some(first) = earlier.next() else {
                continue;
            };
            let does = match first.action {
                Action::Deny | Action::Wait(_) => "refuses every call that would get there",
                Action::CapAt(_) | Action::Warn => "has lowered every call that would get there",
            };
            found.push(
                codes::OUTCOME_NEVER_ACTS
                    .warning(outcome.span, "this outcome never acts")
                    .label("stands at a share that is never reached")
                    .because(first.span, does)
                    .help("delete it, or give it a share below the other's"),
            );
        }
    }
}

/// Whether nothing is left to do for `later` once `earlier` has acted. A cap above a denial is not covered: it lets a
/// large call go on as a cheaper one.
const fn covers(earlier: &Outcome, later: &Outcome) -> bool {
    match (earlier.action, later.action) {
        (Action::Deny | Action::Wait(_), Action::Deny | Action::Wait(_) | Action::Warn) => true,
        (Action::CapAt(low), Action::CapAt(high)) => low <= high,
        _ => false,
    }
}

//! WP0454: all callers without a key share one bucket of a quota per key.

use waypost_lang::cel::typed::{Field, TypedKind};
use waypost_lang::{Diagnostic, codes};

use super::Subject;
use super::shared_bucket::is_empty_test;
use crate::resolve::content::reads;

/// Finds quotas `per caller.key` where callers may come without one beside those who have one.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let policy = &subject.program.policy;
    if !policy.anonymous || (policy.keys.is_none() && policy.jwt.is_none()) {
        return;
    }
    let refused = |denial: &crate::program::Denial| is_empty_test(&denial.when, Field::CallerKey);
    if policy.denials.iter().any(refused) {
        return;
    }
    for quota in &policy.quotas {
        let per = quota.per.as_ref();
        let Some(per) = per.filter(|one| one.kind == TypedKind::Field(Field::CallerKey)) else {
            continue;
        };
        let guarded = quota
            .when
            .as_ref()
            .and_then(|when| reads(when, Field::CallerKey));
        if guarded.is_none() {
            found.push(
                codes::ANONYMOUS_SHARED_BUCKET
                    .warning(per.span, "all anonymous callers share one bucket")
                    .label("their key is \"\", which is a key like any other")
                    .help("give them a limit of their own, `when caller.key == \"\"`, and this one `when caller.key != \"\"`"),
            );
        }
    }
}

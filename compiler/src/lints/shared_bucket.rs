//! WP0440: a quota's key can be empty, and all who lack it share one bucket.

use waypost_lang::cel::typed::{Constant, Field, Function, Typed, TypedKind};
use waypost_lang::{Diagnostic, codes};

use super::Subject;
use crate::resolve::content::reads;

/// Keys that a caller may well lack: an entry of the keys file has what its author gave it.
const OPTIONAL: &[(Field, &str)] = &[
    (Field::CallerTeam, "caller.team"),
    (Field::CallerAgent, "caller.agent"),
    (Field::CallerPlan, "caller.plan"),
    (Field::CallerName, "caller.name"),
];

/// Finds quotas per something that a caller may lack, where neither their own condition nor a denial reads it.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let policy = &subject.program.policy;
    for quota in &policy.quotas {
        let Some(per) = &quota.per else { continue };
        let known = OPTIONAL
            .iter()
            .find(|(field, _)| per.kind == TypedKind::Field(*field));
        let Some((field, name)) = known else { continue };
        let guarded = quota
            .when
            .as_ref()
            .is_some_and(|when| reads(when, *field).is_some());
        let refused = policy
            .denials
            .iter()
            .any(|denial| is_empty_test(&denial.when, *field));
        if guarded || refused {
            continue;
        }
        found.push(
            codes::SHARED_BUCKET
                .warning(
                    per.span,
                    format!("callers without `{name}` share one bucket"),
                )
                .label("\"\" is a key like any other")
                .help(format!(
                    "refuse them: `deny \"no {}\" status 403 when {name} == \"\"`",
                    name.trim_start_matches("caller.")
                )),
        );
    }
}

/// `field == ""`
pub(super) fn is_empty_test(when: &Typed, field: Field) -> bool {
    let TypedKind::Call(Function::Equal, arguments) = &when.kind else {
        return false;
    };
    let empty = TypedKind::Constant(Constant::String(String::new()));
    let has = |kind: &TypedKind| arguments.iter().any(|argument| argument.kind == *kind);
    has(&TypedKind::Field(field)) && has(&empty)
}

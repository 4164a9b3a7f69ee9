//! WP0440: a quota's key can be empty, and all who lack it share one bucket.

use waypost_lang::cel::typed::{Constant, Field, Function, Type, Typed, TypedKind};
use waypost_lang::{Diagnostic, codes};

use super::Subject;
use crate::proofs::{Condition, Reasoner};
use crate::resolve::content::reads;

/// Keys that a caller may well lack: an entry of the keys file has what its author gave it.
const OPTIONAL: &[(Field, &str)] = &[
    (Field::CallerTeam, "caller.team"),
    (Field::CallerAgent, "caller.agent"),
    (Field::CallerPlan, "caller.plan"),
    (Field::CallerName, "caller.name"),
];

/// Finds quotas per something that a caller may lack, where neither their own condition nor a denial reads it: one finding for each
/// such key, since one denial mends them all.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let policy = &subject.program.policy;
    let mut reasoner = Reasoner::of_policy(subject.program);
    let denials: Vec<Condition> = policy
        .denials
        .iter()
        .map(|denial| reasoner.condition(&denial.when))
        .collect();
    for (field, name) in OPTIONAL {
        let quotas = policy.quotas.iter();
        let keys = quotas.filter_map(|quota| {
            let per = quota.per.as_ref()?;
            let guarded = quota
                .when
                .as_ref()
                .is_some_and(|when| reads(when, *field).is_some());
            (per.kind == TypedKind::Field(*field) && !guarded).then_some(per)
        });
        let mut keys = keys.collect::<Vec<_>>().into_iter();
        let Some(first) = keys.next() else { continue };
        let lacking = reasoner.condition(&is_empty(first));
        if denials
            .iter()
            .any(|denial| reasoner.holds_where(&lacking, denial))
        {
            continue;
        }
        let finding = codes::SHARED_BUCKET
            .warning(
                first.span,
                format!("callers without `{name}` share one bucket"),
            )
            .label("\"\" is a key like any other");
        let finding = keys.fold(finding, |finding, key| {
            finding.because(key.span, "and here")
        });
        found.push(finding.help(format!(
            "refuse them: `deny \"no {}\" status 403 when {name} == \"\"`",
            name.trim_start_matches("caller.")
        )));
    }
}

/// The condition that a key is empty.
fn is_empty(key: &Typed) -> Typed {
    let empty = Typed {
        kind: TypedKind::Constant(Constant::String(String::new())),
        ..key.clone()
    };
    Typed {
        ty: Type::Bool,
        kind: TypedKind::Call(Function::Equal, vec![key.clone(), empty]),
        span: key.span,
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

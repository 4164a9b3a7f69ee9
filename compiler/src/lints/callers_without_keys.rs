//! WP0455: rules about callers where nobody can say who they are.

use waypost_lang::cel::typed::{Field, Typed};
use waypost_lang::{Diagnostic, codes};

use super::Subject;
use crate::resolve::content::reads;

const CALLER: &[(Field, &str)] = &[
    (Field::CallerKey, "caller.key"),
    (Field::CallerTeam, "caller.team"),
    (Field::CallerAgent, "caller.agent"),
    (Field::CallerPlan, "caller.plan"),
    (Field::CallerName, "caller.name"),
];

/// How many rules are shown.
const SHOWN: usize = 3;

/// Finds policies with neither `keys` nor `jwt` that read the caller.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let policy = &subject.program.policy;
    let Some(callers) = policy.callers_span else {
        return;
    };
    if policy.keys.is_some() || policy.jwt.is_some() {
        return;
    }
    let expressions = subject.policy_expressions();
    let read = expressions.into_iter().filter_map(read);
    let mut read = read.peekable();
    let Some((_, name)) = read.peek().copied() else {
        return;
    };
    let diagnostic = codes::CALLERS_WITHOUT_KEYS
        .warning(callers, format!("no caller has a `{name}`"))
        .label("neither `keys` nor `jwt`: nobody is told apart");
    let diagnostic = read
        .take(SHOWN)
        .fold(diagnostic, |diagnostic, (span, name)| {
            diagnostic.because(span, format!("`{name}` is \"\" for every call"))
        });
    found.push(diagnostic.help("declare who may call: `keys secret NAME`"));
}

fn read(expression: &Typed) -> Option<(waypost_lang::Span, &'static str)> {
    let mut fields = CALLER.iter();
    fields.find_map(|(field, name)| Some((reads(expression, *field)?, *name)))
}

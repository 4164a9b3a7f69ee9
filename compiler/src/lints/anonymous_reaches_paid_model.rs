//! WP0432: callers without a key may spend beside those who have one.

use waypost_lang::cel::typed::{Field, Typed};
use waypost_lang::syntax::tree::{ItemKind, PolicyKind};
use waypost_lang::{Diagnostic, Span, codes};

use super::Subject;
use crate::checks::unreachable_model::reachable;
use crate::program::Via;

const CALLER: &[Field] = &[
    Field::CallerKey,
    Field::CallerTeam,
    Field::CallerAgent,
    Field::CallerPlan,
    Field::CallerName,
];

/// Finds policies that know keys and let in callers without one, to whom a provider's paid model is open. Where no key
/// is known, nobody is meant to have one.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let program = subject.program;
    let policy = &program.policy;
    if !policy.anonymous || (policy.keys.is_none() && policy.jwt.is_none()) {
        return;
    }
    // A rule that asks who is calling may well be about them.
    let asks = |when: &Typed| when.fields().iter().any(|field| CALLER.contains(field));
    let denials = policy.denials.iter().map(|rule| &rule.when);
    if denials
        .chain(policy.caps.iter().map(|rule| &rule.when))
        .any(asks)
    {
        return;
    }
    let models = reachable(program).into_iter();
    let mut models = models.filter_map(|index| program.models.get(index));
    let paid = models.find(|model| {
        let price = model.price.as_ref();
        matches!(model.via, Via::Provider(_)) && price.is_some_and(|price| !price.is_free())
    });
    let (Some(model), Some(span)) = (paid, written(subject)) else {
        return;
    };
    found.push(
        codes::ANONYMOUS_REACHES_PAID_MODEL
            .warning(span, "callers without a key may spend")
            .label("whoever reaches the port is let in")
            .because(model.name.span, "is paid for, and no rule keeps it from them")
            .help("write `anonymous deny`, or `cap at TIER \"anonymous\" when caller.key == \"\"` for a tier that costs nothing"),
    );
}

/// Where `callers` stands that lets them in.
fn written(subject: &Subject<'_>) -> Option<Span> {
    let items = subject.files.iter().flat_map(|file| &file.items);
    let policies = items.filter_map(|item| match &item.kind {
        ItemKind::Policy(policy) => Some(policy),
        _ => None,
    });
    let mut items = policies.flat_map(|policy| &policy.items);
    items.find_map(|item| match &item.kind {
        PolicyKind::Callers(callers) => callers.anonymous.as_ref().map(|word| word.span),
        _ => None,
    })
}

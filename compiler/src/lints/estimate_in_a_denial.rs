//! WP0435: calls are refused by what they are expected to cost, not by what they may.

use waypost_lang::cel::typed::{Field, Function, Typed, TypedKind};
use waypost_lang::{Diagnostic, Span, codes};
use waypost_policies::cost::EXPECTED_ANSWER;

use super::Subject;

/// Finds denials and caps that hold `cost.estimate` against a bound, and never `cost.ceiling`.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let policy = &subject.program.policy;
    let denials = policy.denials.iter().map(|rule| &rule.when);
    let caps = policy.caps.iter().map(|rule| &rule.when);
    for when in denials.chain(caps) {
        if when.fields().contains(&Field::CostCeiling) {
            continue;
        }
        let Some(span) = bounded_estimate(when) else {
            continue;
        };
        found.push(
            codes::ESTIMATE_IN_A_DENIAL
                .warning(span, "a dear call passes this by being short of words")
                .label(format!(
                    "takes an answer to be {EXPECTED_ANSWER} tokens, however long the call lets it be"
                ))
                .help("write `cost.ceiling`: what the call may cost with all of `max_tokens`"),
        );
    }
}

/// Where the estimate is refused for being above something.
fn bounded_estimate(when: &Typed) -> Option<Span> {
    let mut found = None;
    when.visit(&mut |inner| {
        let TypedKind::Call(function, arguments) = &inner.kind else {
            return;
        };
        let large = match (function, arguments.as_slice()) {
            (Function::Greater | Function::GreaterOrEqual, [large, _]) => large,
            (Function::Less | Function::LessOrEqual, [_, large]) => large,
            _ => return,
        };
        if large.kind == TypedKind::Field(Field::CostEstimate) {
            found.get_or_insert(large.span);
        }
    });
    found
}

//! WP0461: a call that sends no `max_tokens` passes for one with a short answer.

use waypost_lang::cel::typed::{Field, Function, TypedKind};
use waypost_lang::{Diagnostic, codes};

use super::Subject;
use super::comparison::{Comparison, comparisons};

/// Finds `request.max_tokens < 500` without a test for 0, which stands for "not sent".
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for expression in subject.expressions() {
        let all: Vec<Comparison<'_>> = comparisons(expression)
            .into_iter()
            .flat_map(Comparison::both)
            .filter(|one| one.left.kind == TypedKind::Field(Field::RequestMaxTokens))
            .collect();
        if all.iter().any(tells_zero) {
            continue;
        }
        for one in all.iter().filter(|one| is_upper_bound(one)) {
            let text = subject.sources.text(one.whole.span);
            found.push(
                codes::MAX_TOKENS_ZERO
                    .warning(
                        one.whole.span,
                        format!("`{text}` also holds for calls that set no bound"),
                    )
                    .label("`request.max_tokens` is 0 when it was not sent")
                    .help(format!("write `request.max_tokens > 0 && {text}`")),
            );
        }
    }
}

fn is_upper_bound(one: &Comparison<'_>) -> bool {
    let upper = matches!(one.operator, Function::Less | Function::LessOrEqual);
    upper && one.right_integer().is_none_or(|bound| bound > 1)
}

/// Whether the author thought of 0.
fn tells_zero(one: &Comparison<'_>) -> bool {
    let Some(bound) = one.right_integer() else {
        return false;
    };
    match one.operator {
        Function::Equal | Function::NotEqual => bound == 0,
        Function::Greater | Function::GreaterOrEqual | Function::Less | Function::LessOrEqual => {
            bound <= 1
        }
        _ => false,
    }
}

//! WP0425: a paid model that does not say how long its answers may be.

use waypost_lang::{Diagnostic, codes};

use super::Subject;
use super::quotas::usual_answer;
use crate::checks::unreachable_model::reachable;

/// Finds models whose answers cost money and have no declared end.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let program = subject.program;
    let models = reachable(program).into_iter();
    for model in models.filter_map(|index| program.models.get(index)) {
        let paid = model
            .price
            .as_ref()
            .is_some_and(|price| price.base().dearest().1.0 > 0);
        let answer = usual_answer(model);
        if model.output.is_some() || !paid || answer == 0 {
            continue;
        }
        found.push(
            codes::UNDECLARED_OUTPUT
                .warning(
                    model.name.span,
                    format!(
                        "how long an answer of `{}` may be is not said",
                        model.name.value
                    ),
                )
                .label(format!(
                    "a call without `max_tokens` reserves {answer} tokens, and may use more"
                ))
                .help("write the longest answer that it gives, such as `output 16k`"),
        );
    }
}

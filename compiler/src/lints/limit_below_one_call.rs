//! WP0424: a limit on tokens in which not even one call fits that leaves the length of its answer open.

use waypost_lang::syntax::tree::Amount;
use waypost_lang::{Diagnostic, codes};

use super::Subject;
use super::quotas::{Most, least_bound, rate, usual_answer};

/// Finds limits on tokens that hold less than an answer of the usual length reserves.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let program = subject.program;
    let most = Most::new(program, usual_answer);
    for quota in &program.policy.quotas {
        let (Amount::Tokens(_), Some(bound)) = (quota.amount.value, least_bound(quota)) else {
            continue;
        };
        let Some((answer, model)) = most.counted(quota) else {
            continue;
        };
        if answer <= bound {
            continue;
        }
        found.push(
            codes::LIMIT_BELOW_ONE_CALL
                .warning(
                    rate(quota),
                    format!("no ordinary call to `{}` ever fits", model.name.value),
                )
                .label(format!("holds {bound} tokens at most"))
                .because(
                    model.name.span,
                    format!("a call without `max_tokens` reserves {answer} tokens of answer"),
                )
                .help(format!(
                    "let it hold a prompt and an answer, such as {} tokens, or lower the model's `output`",
                    answer.saturating_mul(2)
                )),
        );
    }
}

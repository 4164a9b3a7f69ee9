//! WP0423: a budget in which not even one call fits that leaves the length of its answer open.

use waypost_lang::syntax::tree::Amount;
use waypost_lang::{Diagnostic, codes};
use waypost_policies::cost::Sort;

use super::Subject;
use super::quotas::{Most, least_bound, rate, usual_answer};
use crate::ceiling::Dollars;
use crate::program::Model;

/// Finds quotas of money that are smaller than what an answer of the usual length reserves.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let program = subject.program;
    let most = Most::new(program, answer);
    for quota in &program.policy.quotas {
        let (Amount::Money(_), Some(bound)) = (quota.amount.value, least_bound(quota)) else {
            continue;
        };
        let Some((cost, model)) = most.counted(quota) else {
            continue;
        };
        if cost <= u128::from(bound) {
            continue;
        }
        found.push(
            codes::BUDGET_BELOW_ONE_CALL
                .warning(
                    rate(quota),
                    format!("no ordinary call to `{}` ever fits", model.name.value),
                )
                .label(format!(
                    "lets {} be used, and an answer alone reserves {}",
                    Dollars(bound.into()).readable(),
                    Dollars(cost).readable(),
                ))
                .because(
                    model.name.span,
                    format!(
                        "a call without `max_tokens` reserves {} tokens of answer",
                        usual_answer(model)
                    ),
                )
                .help("raise it above the cost of a call, or lower the model's `output`"),
        );
    }
}

/// What the answer of a call without `max_tokens` reserves, in nano-dollars.
fn answer(model: &Model) -> u128 {
    let price = model.price.as_ref();
    let output = price.map_or(0, |price| price.base().of(Sort::Output).0);
    let output = u128::try_from(output).unwrap_or(0);
    (output * u128::from(usual_answer(model))).div_ceil(1_000_000)
}

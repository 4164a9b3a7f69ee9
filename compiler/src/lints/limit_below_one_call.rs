//! WP0452: a limit that has no room for a single call.

use waypost_lang::syntax::tree::Amount;
use waypost_lang::{Diagnostic, codes};

use super::Subject;
use crate::checks::unreachable_model::reachable;
use crate::program::{Action, Model, Quota};

/// What a call that does not say `max_tokens` reserves at most for its answer.
const RESERVED: u64 = 4096;
/// Hundredths of a percent.
const WHOLE: u128 = 10_000;
const MILLION: u128 = 1_000_000;

/// Finds limits of tokens and money that are smaller than what the smallest call reserves.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for quota in &subject.program.policy.quotas {
        let (Some(room), Some(need)) = (room(quota), need(subject, quota)) else {
            continue;
        };
        if room < need {
            let unit = if matches!(quota.amount.value, Amount::Money(_)) {
                "cost"
            } else {
                "tokens"
            };
            found.push(
                codes::LIMIT_BELOW_ONE_CALL
                    .warning(
                        quota.amount.span.to(quota.window.span),
                        "an ordinary call never fits into this",
                    )
                    .label(format!("a call reserves the {unit} of its whole answer before it leaves"))
                    .help(format!(
                        "raise it, or lower `output` of the models: a call that sends no `max_tokens` reserves up to {RESERVED} tokens"
                    )),
            );
        }
    }
}

/// What the quota holds when it is full, up to where it refuses; none if it refuses nothing.
fn room(quota: &Quota) -> Option<u128> {
    let refuses = quota
        .outcomes
        .iter()
        .filter(|one| one.action == Action::Deny);
    let share = refuses.map(|one| one.share.0).min()?;
    let amount = match quota.amount.value {
        Amount::Requests(_) => return None,
        Amount::Tokens(tokens) => u128::from(quota.burst.unwrap_or(tokens)),
        Amount::Money(money) => quota.burst.map_or_else(
            || u128::try_from(money).ok(),
            |burst| Some(u128::from(burst)),
        )?,
    };
    Some(amount * u128::from(share) / WHOLE)
}

/// What the smallest call reserves for its answer, of the models that it counts for.
fn need(subject: &Subject<'_>, quota: &Quota) -> Option<u128> {
    let models = match &quota.on {
        Some(on) => vec![on.value],
        None => reachable(subject.program),
    };
    let money = matches!(quota.amount.value, Amount::Money(_));
    let needs = models.into_iter().map(|index| {
        let model = subject.program.models.get(index)?;
        answer(model, money)
    });
    needs.collect::<Option<Vec<u128>>>()?.into_iter().min()
}

/// None for a model whose calls may have no answer to pay for.
fn answer(model: &Model, money: bool) -> Option<u128> {
    if model.serves.embeddings {
        return None;
    }
    let tokens = u128::from(model.output.map_or(RESERVED, |output| output.min(RESERVED)));
    if !money {
        return Some(tokens);
    }
    let price = u128::try_from(model.price?.output).ok()?;
    Some(tokens * price / MILLION)
}

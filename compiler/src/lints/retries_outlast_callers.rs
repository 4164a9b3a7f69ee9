//! WP0431: a tier that goes on trying after its callers have given up.

use waypost_lang::{Diagnostic, codes};

use super::Subject;
use crate::program::Step;

/// How long OpenAI's own client libraries wait for an answer: ten minutes.
const PATIENCE: u64 = 10 * 60 * 1000;

/// Finds tiers whose timeout, retries and fallbacks multiply beyond that.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for tier in &subject.program.tiers {
        let Some(timeout) = tier.timeout else {
            continue;
        };
        let attempts = u64::from(tier.retries) + 1;
        let models = u64::try_from(tier.steps.len()).unwrap_or(u64::MAX);
        let of_models = match models {
            1 => "one model".to_owned(),
            models => format!("each of {models} models"),
        };
        let longest = timeout.saturating_mul(attempts).saturating_mul(models);
        if longest <= PATIENCE {
            continue;
        }
        let paid = tier.steps.iter().any(|step| match step {
            Step::Try(model) => is_paid(subject, model.value),
            Step::Split { arms, .. } => arms.iter().any(|(model, _)| is_paid(subject, model.value)),
        });
        let bill = if paid && attempts > 1 {
            ", and each may be billed"
        } else {
            ""
        };
        let minutes = longest.div_ceil(60_000);
        found.push(
            codes::RETRIES_OUTLAST_CALLERS
                .warning(
                    tier.name.span,
                    format!("a call of the tier `{}` may be tried for {minutes} minutes", tier.name.value),
                )
                .label(format!(
                    "{attempts} attempts at {of_models}, {} seconds each{bill}",
                    timeout.div_ceil(1000)
                ))
                .help("shorten `timeout` or lower `retries`: most callers give up after ten minutes and send the call again"),
        );
    }
}

fn is_paid(subject: &Subject<'_>, model: usize) -> bool {
    let model = subject.program.models.get(model);
    let price = model.and_then(|model| model.price.as_ref());
    price.is_some_and(|price| !price.is_free())
}

//! WP0464: a tier may try for longer than its clients wait.

use waypost_lang::{Diagnostic, codes};

use super::Subject;

/// How long clients wait if nobody tells them otherwise, in milliseconds: 10 minutes, as OpenAI's libraries do.
const PATIENCE: u64 = 10 * 60 * 1000;

/// Finds tiers whose timeout, times their attempts, is more than ten minutes.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for tier in &subject.program.tiers {
        let Some(timeout) = tier.timeout else {
            continue;
        };
        let models = u64::try_from(tier.steps.len()).unwrap_or(u64::MAX);
        let attempts = models.saturating_mul(u64::from(tier.retries) + 1);
        let longest = timeout.saturating_mul(attempts);
        if longest > PATIENCE {
            let minutes = longest / 60_000;
            found.push(
                codes::TIMEOUT_BEYOND_CLIENTS
                    .warning(
                        tier.name.span,
                        format!("`{}` may try for {minutes} minutes", tier.name.value),
                    )
                    .label(format!(
                        "{attempts} attempts, one after the other; clients hang up after 10 minutes"
                    ))
                    .help("shorten `timeout`, or try fewer models less often"),
            );
        }
    }
}

//! WP0410, WP0411: a fallback that cannot take what the model before it was given.

use waypost_lang::source::Span;
use waypost_lang::{Diagnostic, codes};

use super::Subject;
use crate::program::{Model, Step, Tier};

/// Finds fallbacks whose context or answer is smaller than that of a model before them.
pub(super) fn check_sizes(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for (tier, first, second, span) in fallbacks(subject) {
        let (before, after) = (&first.name.value, &second.name.value);
        let smaller = |first: Option<u64>, second: Option<u64>| {
            Some((first?, second?)).filter(|(first, second)| second < first)
        };
        let warning = |message: String| codes::SMALLER_FALLBACK.warning(span, message);
        if let Some((large, small)) = smaller(first.context, second.context) {
            let finding =
                warning(format!("`{after}` takes less than `{before}` before it")).label(format!(
                    "{} tokens of context, {} before it: longer calls skip it",
                    amount(small),
                    amount(large)
                ));
            found.push(help(finding, tier));
        } else if let Some((long, short)) = smaller(first.output, second.output) {
            let finding = warning(format!(
                "`{after}` answers shorter than `{before}` before it"
            ))
            .label(format!(
                "{} tokens of output, {} before it: longer answers are cut",
                amount(short),
                amount(long)
            ));
            found.push(help(finding, tier));
        }
    }
}

fn help(finding: Diagnostic, tier: &Tier) -> Diagnostic {
    finding.help(format!(
        "end `{}` with a model that is at least as large, or start with a smaller one",
        tier.name.value
    ))
}

/// Finds fallbacks that serve no surface that the tier's first model serves.
pub(super) fn check_surfaces(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for (tier, first, second, span) in fallbacks(subject) {
        let (a, b) = (first.serves, second.serves);
        let common = (a.chat && b.chat)
            || (a.completions && b.completions)
            || (a.embeddings && b.embeddings);
        if common {
            continue;
        }
        found.push(
            codes::USELESS_FALLBACK
                .warning(
                    span,
                    format!(
                        "`{}` can never stand in for `{}`",
                        second.name.value, first.name.value
                    ),
                )
                .label(format!(
                    "it serves {}, not {}",
                    surfaces(second),
                    surfaces(first)
                ))
                .help(format!(
                    "let `{}` fall back to a model that serves {}",
                    tier.name.value,
                    surfaces(first)
                )),
        );
    }
}

fn surfaces(model: &Model) -> String {
    let served = [
        (model.serves.chat, "chat"),
        (model.serves.completions, "completions"),
        (model.serves.embeddings, "embeddings"),
    ];
    let names: Vec<&str> = served
        .iter()
        .filter(|(serves, _)| *serves)
        .map(|(_, name)| *name)
        .collect();
    names.join(" and ")
}

type Fallback<'s> = (&'s Tier, &'s Model, &'s Model, Span);

/// Each step with the first model of its tier, where it is written in this tier itself.
fn fallbacks<'s>(subject: &Subject<'s>) -> Vec<Fallback<'s>> {
    let program = subject.program;
    let mut found = Vec::new();
    for tier in &program.tiers {
        let Some(first) = tier.home().and_then(|home| program.models.get(home)) else {
            continue;
        };
        for step in tier.steps.iter().skip(1) {
            let Step::Try(model) = step else { continue };
            let is_seen = found
                .iter()
                .any(|(_, _, _, span): &Fallback<'_>| *span == model.span);
            if let Some(second) = program.models.get(model.value)
                && !is_seen
            {
                found.push((tier, first, second, model.span));
            }
        }
    }
    found
}

/// `400k`, `2M`, or the number.
fn amount(tokens: u64) -> String {
    match tokens {
        0 => "0".to_owned(),
        _ if tokens.is_multiple_of(1_000_000) => format!("{}M", tokens / 1_000_000),
        _ if tokens.is_multiple_of(1_000) => format!("{}k", tokens / 1_000),
        _ => tokens.to_string(),
    }
}

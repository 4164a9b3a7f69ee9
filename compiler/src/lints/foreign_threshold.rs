//! WP0449: a threshold that was calibrated for RouteLLM's scores.

use waypost_lang::cel::typed::Field;
use waypost_lang::{Diagnostic, codes};

use super::Subject;
use crate::resolve::content::reads;

/// The threshold of RouteLLM's examples: it sends half of the calls of Chatbot Arena to its strong model.
const PUBLISHED: f64 = 0.11593;

/// Finds names such as `router-mf-0.11593`, and that threshold itself.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for content in &subject.program.contents {
        let names = content
            .accepts
            .iter()
            .filter(|one| !one.prefix && is_calibrated(&one.name));
        let names = names.map(|one| (one.span, one.name.clone()));
        // One that no rule reads is found by a lint of its own.
        let mut rules = content.escalations.iter();
        let read = rules.any(|rule| reads(&rule.when, Field::Threshold).is_some());
        let threshold = content.threshold.iter().filter(|_| read);
        let threshold = threshold.filter(|one| (one.value - PUBLISHED).abs() < f64::EPSILON);
        let threshold = threshold.map(|one| (one.span, one.value.to_string()));
        for (span, what) in names.chain(threshold) {
            found.push(
                codes::FOREIGN_THRESHOLD
                    .warning(
                        span,
                        format!("`{what}` was calibrated for other models and other calls"),
                    )
                    .label("a threshold on RouteLLM's scores, which `difficulty` is not")
                    .help("accept `\"router-mf-*\"`, and set `threshold` by your own calls"),
            );
        }
    }
}

/// `router-NAME-0.25`
fn is_calibrated(name: &str) -> bool {
    let Some((_, figure)) = name
        .strip_prefix("router-")
        .and_then(|rest| rest.rsplit_once('-'))
    else {
        return false;
    };
    figure.contains('.') && figure.parse::<f64>().is_ok()
}

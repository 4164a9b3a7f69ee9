//! WP0451: a split that deals each call by itself.

use waypost_lang::{Diagnostic, codes};

use super::Subject;
use crate::program::Step;

/// Finds `split` without `by`.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for step in subject.program.tiers.iter().flat_map(|tier| &tier.steps) {
        let Step::Split { arms, key: None } = step else {
            continue;
        };
        let (Some((first, _)), Some((last, _))) = (arms.first(), arms.last()) else {
            continue;
        };
        found.push(
            codes::SPLIT_WITHOUT_KEY
                .warning(
                    first.span.to(last.span),
                    "this split deals each call by itself",
                )
                .label("a conversation changes its model from turn to turn")
                .help("say what stays with its model, such as `by caller.key`"),
        );
    }
}

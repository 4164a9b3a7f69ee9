//! WP0466: a `prefer` in which nothing weighs anything.

use waypost_lang::syntax::tree::ItemKind;
use waypost_lang::{Diagnostic, codes};

use super::Subject;

/// Finds `prefer` whose weights are all 0.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for item in subject.files.iter().flat_map(|file| &file.items) {
        let ItemKind::Place(place) = &item.kind else {
            continue;
        };
        let (Some((first, _)), Some((_, last))) = (place.prefer.first(), place.prefer.last())
        else {
            continue;
        };
        if place.prefer.iter().all(|(_, weight)| weight.value == 0) {
            found.push(
                codes::WEIGHTLESS_PREFER
                    .warning(
                        first.span.to(last.span),
                        "all replicas are the same to this",
                    )
                    .label("every weight is 0")
                    .help("give what matters a weight, such as `prefer prefix 3, queue 2`"),
            );
        }
    }
}

//! WP0450: a session is let go while its prompt is still cached.

use waypost_lang::{Diagnostic, codes};

use super::Subject;
use crate::program::Price;

/// How long hosted prompt caches last at least, without use, in milliseconds: 5 minutes.
const CACHED: u64 = 5 * 60 * 1000;

/// Finds `keep` windows under five minutes where a model has a price for cached prompts.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let mut models = subject.program.models.iter();
    let discounted = models.find(|model| model.price.as_ref().is_some_and(Price::discounts_cached));
    let Some(model) = discounted else {
        return;
    };
    for content in &subject.program.contents {
        let Some(keep) = content.keep.as_ref().filter(|keep| keep.window < CACHED) else {
            continue;
        };
        found.push(
            codes::KEEP_SHORTER_THAN_CACHE
                .warning(
                    keep.span,
                    "a session moves on while its prompt is still cached",
                )
                .label("prompt caches last five minutes and more")
                .because(model.name.span, "has a lower price for cached prompts")
                .help("keep it as long as the cache: `for 10m`"),
        );
    }
}

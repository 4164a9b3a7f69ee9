//! WP0430: a cached token that costs more than a fresh one.

use waypost_lang::syntax::tree::{Extension, ItemKind, Price};
use waypost_lang::{Diagnostic, codes};

use super::Subject;

/// Finds prices, of models and of their extensions, with `cached` above `input`.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for item in subject.files.iter().flat_map(|file| &file.items) {
        let price = match &item.kind {
            ItemKind::Model(model) | ItemKind::Extend(Extension::Model(model)) => {
                model.price.as_ref()
            }
            _ => None,
        };
        found.extend(price.and_then(finding));
    }
}

fn finding(price: &Price) -> Option<Diagnostic> {
    let (input, cached) = (price.input.as_ref()?, price.cached.as_ref()?);
    (cached.value > input.value).then(|| {
        codes::CACHED_ABOVE_INPUT
            .warning(cached.span, "a cached token costs more than a fresh one")
            .label("of the part of a prompt that was cached")
            .because(input.span, "of the rest")
            .help("check the price list: a cached token costs a half or a tenth; what writing to the cache costs is not this")
    })
}

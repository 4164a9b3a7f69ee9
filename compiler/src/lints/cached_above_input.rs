//! WP0430: a cached token that costs more than a fresh one.

use waypost_lang::syntax::tree::{Extension, ItemKind, PriceRow, Sort};
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
        let rows = price.into_iter().flat_map(|price| &price.rows);
        found.extend(rows.filter_map(finding));
    }
}

fn finding(row: &PriceRow) -> Option<Diagnostic> {
    let (input, cached) = (row.rate(Sort::Input)?, row.rate(Sort::Cached)?);
    (cached.value > input.value).then(|| {
        codes::CACHED_ABOVE_INPUT
            .warning(cached.span, "a cached token costs more than a fresh one")
            .label("of the part of a prompt that was cached")
            .because(input.span, "of the rest")
            .help("check the price list: a cached token costs a half or a tenth; what writing to the cache costs is `cache-write`")
    })
}

//! WP0438: a row of a price that is on the wrong side of the usual one.

use waypost_lang::source::Span;
use waypost_lang::syntax::tree::{Extension, ItemKind, Price, PriceRow, Service, Sort};
use waypost_lang::{Diagnostic, codes};

use super::Subject;

/// Finds longer prompts and urgent calls that cost less than others, and batches and flexible calls that cost more.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for item in subject.files.iter().flat_map(|file| &file.items) {
        let price = match &item.kind {
            ItemKind::Model(model) | ItemKind::Extend(Extension::Model(model)) => {
                model.price.as_ref()
            }
            ItemKind::Catalog(entry) => entry.model.price.as_ref(),
            _ => None,
        };
        let Some(price) = price else { continue };
        found.extend(price.rows.iter().filter_map(|row| finding(row, price)));
    }
}

/// The first rate of a row that is on the wrong side of the row that it is held against: that of shorter prompts, or of the
/// usual service.
fn finding(row: &PriceRow, price: &Price) -> Option<Diagnostic> {
    let length = |row: &PriceRow| row.above.as_ref().map_or(0, |above| above.value);
    let service = |row: &PriceRow| row.service.as_ref().map(|service| service.value);
    let shorter = price.rows.iter();
    let shorter =
        shorter.filter(|other| service(other) == service(row) && length(other) < length(row));
    let mut usual = price.rows.iter();
    let (other, dearer, what) = match shorter.max_by_key(|other| length(other)) {
        Some(other) => (other, true, "a longer prompt"),
        None => {
            let own = service(row)?;
            let other =
                usual.find(|other| service(other).is_none() && length(other) == length(row))?;
            let what = match own {
                Service::Batch => "a call in a batch",
                Service::Flex => "a call that waits for room",
                Service::Priority => "a call before others",
            };
            (other, own == Service::Priority, what)
        }
    };
    Sort::ALL.into_iter().find_map(|sort| {
        let (own, usual) = (row.rate(sort)?, other.rate(sort)?);
        let inverted = match dearer {
            true => own.value < usual.value,
            false => own.value > usual.value,
        };
        inverted.then(|| report(what, dearer, own.span, usual.span))
    })
}

fn report(what: &str, dearer: bool, own: Span, usual: Span) -> Diagnostic {
    let than = if dearer { "less" } else { "more" };
    codes::INVERTED_PRICE_ROW
        .warning(own, format!("{what} costs {than} than another"))
        .label("of such calls")
        .because(usual, "of others")
        .help("check the price list: the two rows may be exchanged, or a digit be missing")
}

//! WP0472: a price that was read long ago, or nobody knows when.

use waypost_lang::source::Spanned;
use waypost_lang::syntax::tree::Date;
use waypost_lang::{Diagnostic, codes};

use super::Subject;
use crate::program::Model;

/// Providers change their lists a few times a year.
const WRITTEN: i64 = 180;
/// What a pack lists is read anew with each release; it is said of a pack that has missed several.
const LISTED: i64 = 365;

/// Finds prices whose date is long past, and prices without one beside a list that has them.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for model in &subject.program.models {
        let (written, date) = (model.price_span.is_some(), model.price_date.as_ref());
        match (date, subject.today) {
            (Some(date), Some(today)) => found.extend(old(model, written, date, today)),
            (None, _) if written => found.extend(undated(model, subject)),
            _ => {}
        }
    }
}

fn old(model: &Model, written: bool, date: &Spanned<Date>, today: Date) -> Option<Diagnostic> {
    let age = today.days_since(date.value);
    let name = &model.name;
    let (most, at, help) = match written {
        true => (
            WRITTEN,
            date.span,
            "read the provider's list again, and write the price and the day",
        ),
        false => (
            LISTED,
            name.span,
            "use a newer catalog, or write the price at the model with its date",
        ),
    };
    let finding = codes::STALE_PRICE
        .warning(
            at,
            format!("the price of `{}` was read {age} days ago", name.value),
        )
        .label(format!("read on {}", date.value))
        .help(help);
    (age > most).then_some(finding)
}

/// A date matters where the list has one: without it nobody can say which of the two is newer.
fn undated(model: &Model, subject: &Subject<'_>) -> Option<Diagnostic> {
    let listing = subject.program.catalog.get(model.listing?)?;
    let listed = listing.price_date.as_ref()?;
    // A price that differs has a finding of its own.
    let same = match (&listing.price, &model.price) {
        (Some(listed), Some(own)) => listed.costs_the_same(own),
        _ => false,
    };
    let finding = codes::STALE_PRICE
        .warning(
            model.price_span?,
            format!(
                "the price of `{}` does not say when it was read",
                model.name.value
            ),
        )
        .label("the list may change, and this would not")
        .because(
            listing.name.span,
            format!("listed with the same price on {}", listed.value),
        )
        .help("delete it to take the list's, or say its date: `as of \"2026-11-25\"`");
    same.then_some(finding)
}

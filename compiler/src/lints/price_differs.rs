//! WP0471: a price that is not the catalog's, and not newer either.

use waypost_lang::{Diagnostic, codes};
use waypost_policies::money::NanoDollars;

use super::Subject;
use crate::program::Price;

/// Finds written prices that differ from the list's, unless they were read later than it.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for model in &subject.program.models {
        let (Some(span), Some(price), Some(index)) = (model.price_span, model.price, model.listing)
        else {
            continue;
        };
        let Some(listing) = subject.program.catalog.get(index) else {
            continue;
        };
        let Some(listed) = listing.price.filter(|listed| *listed != price) else {
            continue;
        };
        let dates = (&model.price_date, &listing.price_date);
        if let (Some(own), Some(list)) = dates
            && own.value > list.value
        {
            continue;
        }
        let date = listing.price_date.as_ref();
        let read = date.map_or(String::new(), |date| format!(" on {}", date.value));
        found.push(
            codes::PRICE_DIFFERS
                .warning(span, format!("the price of `{}` is not the one that is listed", model.name.value))
                .label(format!("the list has {}", shown(listed)))
                .because(listing.name.span, format!("listed here{read}"))
                .help("delete it to take the list's; for a contract's price say its date: `as of \"2026-11-25\"`"),
        );
    }
}

/// `input $1.25  cached $0.125  output $10.00`
fn shown(price: Price) -> String {
    let mut text = format!("`input {}", dollars(price.input));
    if price.cached != price.input {
        text += &format!("  cached {}", dollars(price.cached));
    }
    text + &format!("  output {}`", dollars(price.output))
}

/// With two decimals, or as many as it needs.
fn dollars(amount: i64) -> String {
    let exact = NanoDollars(amount).to_string();
    let (whole, decimals) = exact.split_once('.').unwrap_or((&exact, ""));
    let needed = decimals.trim_end_matches('0');
    format!("${whole}.{needed:0<2}")
}

//! WP0471: a price that is not the catalog's, and not newer either.

use waypost_lang::{Diagnostic, codes};
use waypost_policies::cost::{Row, Service, Sort};
use waypost_policies::money::NanoDollars;

use super::Subject;
use crate::program::Price;

/// Finds written prices that differ from the list's, unless they were read later than it.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for model in &subject.program.models {
        let (Some(span), Some(price), Some(index)) =
            (model.price_span, &model.price, model.listing)
        else {
            continue;
        };
        let Some(listing) = subject.program.catalog.get(index) else {
            continue;
        };
        let Some(listed) = listing
            .price
            .as_ref()
            .filter(|listed| !listed.costs_the_same(price))
        else {
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
                .label(format!("the list has `{}`", difference(price, listed)))
                .because(listing.name.span, format!("listed here{read}"))
                .help("delete it to take the list's; for a contract's price say its date: `as of \"2026-11-25\"`"),
        );
    }
}

/// What of the list's is another: `input $1.25  cached $0.125  output $10.00`, the first row of which any is.
fn difference(own: &Price, listed: &Price) -> String {
    let rows = listed.rows().iter();
    let of = |row: &Row| row.service != Service::Standard || row.above > 0;
    let mut others = rows.filter(|row| !own.rows().iter().any(|other| row.costs_the_same(other)));
    match others.next() {
        Some(row) if of(row) => format!("{}  {}", head(row), rates(row)),
        Some(row) => rates(row),
        // It has all of the list's rows, and more.
        None => "no other row".to_owned(),
    }
}

/// `price priority above 272000`
fn head(row: &Row) -> String {
    let mut head = "price".to_owned();
    if row.service != Service::Standard {
        head += &format!(" {}", row.service.word());
    }
    if row.above > 0 {
        head += &format!(" above {}", row.above);
    }
    head
}

fn rates(row: &Row) -> String {
    let rate = |sort: Sort| {
        let rate = row.rates.said(sort)?;
        // A discount that is none need not be said.
        let same = sort == Sort::Cached && rate == row.rates.of(Sort::Input);
        (!same).then(|| format!("{} {}", sort.word(), dollars(rate.0)))
    };
    let rates: Vec<String> = Sort::ALL.into_iter().filter_map(rate).collect();
    rates.join("  ")
}

/// With two decimals, or as many as it needs.
fn dollars(amount: i64) -> String {
    let exact = NanoDollars(amount).to_string();
    let (whole, decimals) = exact.split_once('.').unwrap_or((&exact, ""));
    let needed = decimals.trim_end_matches('0');
    format!("${whole}.{needed:0<2}")
}

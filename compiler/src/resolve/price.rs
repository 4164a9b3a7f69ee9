//! `price …`: the rows of a table, all with the same columns.

use waypost_lang::syntax::tree;
use waypost_policies::NanoDollars;
use waypost_policies::cost::{Rates, Row, Service};

use super::bounds::out_of_range;
use super::context::Context;
use super::values::missing;
use crate::program::{Price, Serves};

const EXAMPLE: &str = "price input $0.04  output $0.08";

/// The price. A part that is left out is never taken for free: it is an error, and what stands for it goes no
/// further than the checks, to which the model has a price.
pub(super) fn price(
    model: &tree::Model,
    serves: Serves,
    owner: &str,
    context: &mut Context<'_>,
) -> Option<Price> {
    let price = model.price.as_ref()?;
    let base = base(price, serves, owner, context);
    for row in &price.rows {
        if let Some(base) = base.filter(|base| !row.is_of(base)) {
            follows(row, base, price, owner, context);
        }
        for rate in row.rates.iter().flatten().filter(|rate| rate.value < 0) {
            let help = "write `$0` if it costs nothing";
            out_of_range(
                rate.span,
                "a price is below zero",
                "negative",
                help,
                context.findings,
            );
        }
    }
    let mut rows: Vec<Row> = price.rows.iter().map(resolved).collect();
    rows.sort_by_key(|row| (row.service, row.above));
    let usual = base.map_or_else(|| Rates::new(Default::default()), rates);
    Some(Price::new(rows).unwrap_or_else(|| Price::flat(usual)))
}

/// What a prompt of any length costs, and its answer.
fn base<'p>(
    price: &'p tree::Price,
    serves: Serves,
    owner: &str,
    context: &mut Context<'_>,
) -> Option<&'p tree::PriceRow> {
    let base = price.base();
    let has = |sort| base.is_some_and(|base| base.rate(sort).is_some());
    let answers = serves.chat || serves.completions;
    let (field, why) = match () {
        () if base.is_none() => ("price input", "what does a prompt of any length cost?"),
        () if !has(tree::Sort::Input) => ("price input", "what does a prompt cost?"),
        () if answers && !has(tree::Sort::Output) => ("price output", "what does an answer cost?"),
        () => return base,
    };
    let span = base.map_or(price.span, |base| base.span);
    missing(span, owner, field, why, EXAMPLE, context.findings);
    base
}

/// Whether a row stands beside the usual one: beside a shorter prompt's of its own service, with the same columns.
fn follows(
    row: &tree::PriceRow,
    base: &tree::PriceRow,
    price: &tree::Price,
    owner: &str,
    context: &mut Context<'_>,
) {
    let head = row.head();
    if let Some(above) = row.above.as_ref().filter(|above| above.value == 0) {
        out_of_range(
            above.span,
            "every prompt has more than 0 tokens",
            "no length",
            "leave `above` out, or write the length from which on the price is another",
            context.findings,
        );
    }
    if let (Some(service), Some(_)) = (&row.service, &row.above) {
        let of_any_length = |other: &&tree::PriceRow| {
            let same = other.service.as_ref().map(|other| other.value) == Some(service.value);
            same && other.above.is_none()
        };
        if !price.rows.iter().any(|other| of_any_length(&other)) {
            let word = service.value.word();
            let example = format!("price {word}  input $0.08  output $0.16");
            missing(
                row.span,
                owner,
                &format!("price {word}"),
                "what does a shorter prompt cost there?",
                &example,
                context.findings,
            );
        }
    }
    let mut sorts = tree::Sort::ALL.into_iter();
    let left_out = sorts.find(|sort| base.rate(*sort).is_some() && row.rate(*sort).is_none());
    if let Some(sort) = left_out {
        let word = sort.word();
        missing(
            row.span,
            owner,
            &format!("{head} {word}"),
            "the usual price says it, so this must too",
            &format!("{head}  {word} $0.08"),
            context.findings,
        );
    }
}

fn resolved(row: &tree::PriceRow) -> Row {
    let service = row.service.as_ref().map(|service| match service.value {
        tree::Service::Batch => Service::Batch,
        tree::Service::Flex => Service::Flex,
        tree::Service::Priority => Service::Priority,
    });
    Row {
        service: service.unwrap_or_default(),
        above: row.above.as_ref().map_or(0, |above| above.value),
        rates: rates(row),
    }
}

/// Both crates list the sorts in one order.
fn rates(row: &tree::PriceRow) -> Rates {
    let said = tree::Sort::ALL.map(|sort| row.rate(sort));
    Rates::new(said.map(|rate| rate.map(|rate| NanoDollars(rate.value))))
}

#[cfg(test)]
mod tests {
    use waypost_lang::syntax::tree;
    use waypost_policies::cost::Sort;

    #[test]
    fn both_crates_list_the_sorts_in_one_order() {
        let written = tree::Sort::ALL.map(tree::Sort::word);
        assert_eq!(written, Sort::ALL.map(Sort::word));
    }
}

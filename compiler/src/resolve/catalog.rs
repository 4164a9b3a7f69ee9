//! `catalog NAME { … }`: what providers' lists say, and what models take from it.
//!
//! Invariants: a model's own word counts; a price is one statement and is taken as a whole or not at all. What is
//! wrong with an entry is said once, of the entry.

use std::collections::BTreeMap;

use waypost_lang::codes;
use waypost_lang::source::Span;
use waypost_lang::syntax::tree;

use super::collected::Collected;
use super::context::Context;
use super::model::{lacks, rejects, serves, windows};
use super::names::{duplicate, unknown};
use super::price::price;
use crate::program::{Listing, ListingIndex};

/// The entries in the order of files and positions, each name once.
pub(crate) fn resolve(collected: &Collected<'_>, context: &mut Context<'_>) -> Vec<Listing> {
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    let mut listings = Vec::new();
    for entry in &collected.catalog {
        let name = &entry.model.name;
        match seen.get(name.value.as_str()) {
            Some(first) => {
                let found = duplicate("entry of the catalog", name, *first);
                context.findings.push(found);
            }
            None => {
                seen.insert(&name.value, name.span);
                listings.push(resolve_one(entry, context));
            }
        }
    }
    listings
}

fn resolve_one(entry: &tree::Catalog, context: &mut Context<'_>) -> Listing {
    let model = &entry.model;
    let owner = owner(entry);
    let serves = serves(model, context);
    // What is wrong with the words is said here, once for all models that are listed so.
    lacks(model, context);
    let (window, output) = windows(model, context);
    let source = entry.source.as_ref();
    Listing {
        name: model.name.clone(),
        context: window,
        output,
        price: price(model, serves, &owner, context),
        price_date: model.price.as_ref().and_then(|price| price.as_of.clone()),
        rejects: rejects(model, context),
        retires: model.retires.clone(),
        source: source.map(|text| text.value.clone()).unwrap_or_default(),
    }
}

/// How messages call an entry.
pub(super) fn owner(entry: &tree::Catalog) -> String {
    format!("entry `{}` of the catalog", entry.model.name.value)
}

/// The entry of a model: the one that it names, else, for a provider's model, the one of its own name. What a pool
/// of one's own serves costs what it costs, whatever a provider asks for the same weights.
pub(super) fn listed<'a>(
    model: &tree::Model,
    collected: &Collected<'a>,
    catalog: &[Listing],
    context: &mut Context<'_>,
) -> Option<(ListingIndex, &'a tree::Catalog)> {
    let hosted = model.via.as_ref().is_some_and(|via| !via.pool);
    let wanted = match &model.listed {
        Some(name) => name,
        None if hosted => &model.name,
        None => return None,
    };
    let index = catalog
        .iter()
        .position(|one| one.name.value == wanted.value);
    if index.is_none() && model.listed.is_some() {
        let names = catalog.iter().map(|one| one.name.value.as_str());
        let found = match catalog.is_empty() {
            true => codes::UNKNOWN_NAME
                .error(wanted.span, "there is no catalog to look this up in")
                .label("no file imports one")
                .help("write `import \"std/catalog.route\"`"),
            false => unknown("entry of the catalog", "catalog NAME { … }", wanted, names),
        };
        context.findings.push(found);
    }
    let entry = catalog.get(index?)?;
    let mut entries = collected.catalog.iter();
    let tree = entries.find(|one| one.model.name.span == entry.name.span)?;
    Some((index?, tree))
}

/// The model with what it does not say itself.
pub(super) fn filled(model: &tree::Model, entry: &tree::Catalog) -> tree::Model {
    let list = &entry.model;
    let mut filled = model.clone();
    filled.context = filled.context.or_else(|| list.context.clone());
    filled.output = filled.output.or_else(|| list.output.clone());
    filled.price = filled.price.or_else(|| list.price.clone());
    filled.retires = filled.retires.or_else(|| list.retires.clone());
    if filled.rejects.is_empty() {
        filled.rejects.clone_from(&list.rejects);
    }
    if filled.lacks.is_empty() {
        filled.lacks.clone_from(&list.lacks);
    }
    if filled.serves.is_empty() {
        filled.serves.clone_from(&list.serves);
    }
    filled
}

//! The statements of all files, by kind.

use waypost_lang::source::Span;
use waypost_lang::syntax::tree::{
    Catalog, Content, Deploy, File, ItemKind, Let, Model, Name, Place, Policy, Pool, Provider,
    Require, Secret, Test, Tier,
};

use super::extension::Extended;

/// The statements of all files, by kind, in the order of files and positions.
#[derive(Debug, Default)]
pub(crate) struct Collected<'a> {
    pub(crate) secrets: Vec<&'a Secret>,
    pub(crate) lets: Vec<&'a Let>,
    pub(crate) providers: Vec<&'a Provider>,
    pub(crate) models: Vec<&'a Model>,
    pub(crate) catalog: Vec<&'a Catalog>,
    pub(crate) pools: Vec<&'a Pool>,
    pub(crate) chains: Vec<(Span, &'a [Name])>,
    pub(crate) tiers: Vec<&'a Tier>,
    pub(crate) contents: Vec<(Span, &'a Content)>,
    pub(crate) policies: Vec<&'a Policy>,
    pub(crate) places: Vec<(Span, &'a Place)>,
    pub(crate) deploys: Vec<(Span, &'a Deploy)>,
    pub(crate) demands: Vec<(Span, &'a Require)>,
    pub(crate) tests: Vec<&'a Test>,
}

impl<'a> Collected<'a> {
    /// Sorts the statements of `files` by kind; what overlays change comes from `extended`.
    pub(crate) fn new(files: &'a [File], extended: &'a Extended) -> Self {
        let mut collected = Self {
            lets: extended.lets.iter().collect(),
            providers: extended.providers.iter().collect(),
            models: extended.models.iter().collect(),
            pools: extended.pools.iter().collect(),
            tiers: extended.tiers.iter().collect(),
            deploys: extended
                .deploys
                .iter()
                .map(|(span, one)| (*span, one))
                .collect(),
            ..Self::default()
        };
        for item in files.iter().flat_map(|file| &file.items) {
            match &item.kind {
                ItemKind::Secret(secret) => collected.secrets.push(secret),
                ItemKind::Catalog(entry) => collected.catalog.push(entry),
                ItemKind::Tiers(names) => collected.chains.push((item.span, names)),
                ItemKind::Content(content) => collected.contents.push((item.span, content)),
                ItemKind::Policy(policy) => collected.policies.push(policy),
                ItemKind::Place(place) => collected.places.push((item.span, place)),
                ItemKind::Require(demand) => collected.demands.push((item.span, demand)),
                ItemKind::Test(test) => collected.tests.push(test),
                ItemKind::Import(_)
                | ItemKind::Let(_)
                | ItemKind::Provider(_)
                | ItemKind::Model(_)
                | ItemKind::Pool(_)
                | ItemKind::Tier(_)
                | ItemKind::Deploy(_)
                | ItemKind::Extend(_) => {}
            }
        }
        collected
    }
}

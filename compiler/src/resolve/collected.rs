//! The statements of all files, by kind.

use waypost_lang::source::Span;
use waypost_lang::syntax::tree::{
    Content, Deploy, File, ItemKind, Let, Model, Name, Place, Policy, Pool, Provider, Secret, Test,
    Tier,
};

/// The statements of all files, by kind, in the order of files and positions.
#[derive(Debug, Default)]
pub(crate) struct Collected<'a> {
    pub(crate) secrets: Vec<&'a Secret>,
    pub(crate) lets: Vec<&'a Let>,
    pub(crate) providers: Vec<&'a Provider>,
    pub(crate) models: Vec<&'a Model>,
    pub(crate) extensions: Vec<&'a Model>,
    pub(crate) pools: Vec<&'a Pool>,
    pub(crate) chains: Vec<(Span, &'a [Name])>,
    pub(crate) tiers: Vec<&'a Tier>,
    pub(crate) contents: Vec<(Span, &'a Content)>,
    pub(crate) policies: Vec<&'a Policy>,
    pub(crate) places: Vec<(Span, &'a Place)>,
    pub(crate) deploys: Vec<(Span, &'a Deploy)>,
    pub(crate) tests: Vec<&'a Test>,
}

impl<'a> Collected<'a> {
    /// Sorts the statements of `files` by kind.
    pub(crate) fn new(files: &'a [File]) -> Self {
        let mut collected = Self::default();
        for item in files.iter().flat_map(|file| &file.items) {
            match &item.kind {
                ItemKind::Import(_) => {}
                ItemKind::Secret(secret) => collected.secrets.push(secret),
                ItemKind::Let(constant) => collected.lets.push(constant),
                ItemKind::Provider(provider) => collected.providers.push(provider),
                ItemKind::Model(model) => collected.models.push(model),
                ItemKind::ExtendModel(model) => collected.extensions.push(model),
                ItemKind::Pool(pool) => collected.pools.push(pool),
                ItemKind::Tiers(names) => collected.chains.push((item.span, names)),
                ItemKind::Tier(tier) => collected.tiers.push(tier),
                ItemKind::Content(content) => collected.contents.push((item.span, content)),
                ItemKind::Policy(policy) => collected.policies.push(policy),
                ItemKind::Place(place) => collected.places.push((item.span, place)),
                ItemKind::Deploy(deploy) => collected.deploys.push((item.span, deploy)),
                ItemKind::Test(test) => collected.tests.push(test),
            }
        }
        collected
    }
}

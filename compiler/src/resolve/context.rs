//! What every part of the resolver shares: the sources, the declared names, the constants, the findings.

use std::collections::{BTreeMap, BTreeSet};

use waypost_lang::SourceMap;
use waypost_lang::cel::typed::Constant;
use waypost_lang::source::Span;
use waypost_lang::syntax::tree::Name;

use super::collected::Collected;
use super::names::{Table, unknown};
use super::{constant, tier};
use crate::findings::Findings;
use crate::program::TierIndex;

/// What every part of the resolver shares.
pub(crate) struct Context<'a> {
    pub(crate) sources: &'a SourceMap,
    pub(crate) names: Names,
    pub(crate) constants: BTreeMap<String, Constant>,
    /// The namespace that `deploy` names.
    pub(crate) namespace: Option<String>,
    pub(crate) findings: &'a mut Findings,
}

/// The declared names of all files.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) secrets: Table,
    pub(crate) constants: Table,
    pub(crate) providers: Table,
    pub(crate) pools: Table,
    pub(crate) models: Table,
    /// The tiers of the chain; a tier's index is its rank.
    pub(crate) tiers: Table,
    /// Tiers that are declared but stand in no chain: reported where they are declared, known where they are used.
    pub(crate) unchained: BTreeSet<String>,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            secrets: Table::new("secret", "secret NAME = k8s(\"namespace/name\", \"key\")"),
            constants: Table::new("constant", "let NAME = 24k"),
            providers: Table::new("provider", "provider NAME { … }"),
            pools: Table::new("pool", "pool NAME { … }"),
            models: Table::new("model", "model NAME { … }"),
            tiers: Table::of_tiers(),
            unchained: BTreeSet::new(),
        }
    }
}

impl<'a> Context<'a> {
    /// Declares the names of all files.
    pub(crate) fn declare(
        sources: &'a SourceMap,
        collected: &Collected<'_>,
        findings: &'a mut Findings,
    ) -> Self {
        let mut names = Names::default();
        let secrets = collected.secrets.iter();
        names.secrets.declare(secrets, |one| &one.name, findings);
        let lets = collected.lets.iter();
        names.constants.declare(lets, |one| &one.name, findings);
        let providers = collected.providers.iter();
        names
            .providers
            .declare(providers, |one| &one.name, findings);
        let pools = collected.pools.iter();
        names.pools.declare(pools, |one| &one.name, findings);
        let models = collected.models.iter();
        names.models.declare(models, |one| &one.name, findings);
        tier::declare(collected, &mut names, findings);
        let constants = constant::resolve(collected, &names, findings);
        let deploy = collected.deploys.first();
        let namespace = deploy.and_then(|(_, deploy)| deploy.namespace.as_ref());
        Self {
            sources,
            names,
            constants,
            namespace: namespace.map(|text| text.value.clone()),
            findings,
        }
    }

    /// The rank of a tier. A tier that is declared but not in the chain was reported there.
    pub(crate) fn tier(&mut self, name: &Name) -> Option<TierIndex> {
        let found = self.names.tiers.get(&name.value);
        if found.is_none() && !self.names.unchained.contains(&name.value) {
            let tiers = self.names.tiers.names();
            let mut diagnostic = unknown("tier", "tier NAME { try MODEL }", name, tiers);
            if let Some(span) = self.names.models.span(&name.value) {
                diagnostic = diagnostic.because(span, "this is a model; rules speak of tiers");
            }
            self.findings.push(diagnostic);
        }
        found
    }

    /// The text of a span with its white space evened out: the identity of a rule without a label.
    pub(crate) fn text(&self, span: Span) -> String {
        let words: Vec<&str> = self.sources.text(span).split_whitespace().collect();
        words.join(" ")
    }
}

//! Walks the trees and notes every name.

use std::collections::{BTreeMap, BTreeSet};

use waypost_lang::SourceMap;
use waypost_lang::cel::Expr;
use waypost_lang::source::Span;
use waypost_lang::syntax::tree::{
    Accept, Auth, Callers, ContentKind, Deploy, ExpectKind, Extension, File, Given, Item, ItemKind,
    Model, Name, OutcomeAction, PolicyKind, Provider, Quota, Step, Text, Threshold, Tier,
};

use super::{Form, Index, Occurrence, Symbol, SymbolId, SymbolKind};

/// The walk: what is declared, and what was noted so far.
pub(super) struct Collector<'a> {
    sources: &'a SourceMap,
    models: BTreeSet<&'a str>,
    pub(super) constants: BTreeSet<&'a str>,
    symbols: Vec<Symbol>,
    ids: BTreeMap<(SymbolKind, String), SymbolId>,
    occurrences: Vec<Occurrence>,
    /// The variables of the macros around, innermost last.
    pub(super) variables: Vec<(String, SymbolId)>,
}

impl<'a> Collector<'a> {
    /// Knows what `files` declare, so that the order of statements does not matter.
    pub(super) fn new(files: &'a [File], sources: &'a SourceMap) -> Self {
        let items = || files.iter().flat_map(|file| &file.items);
        Self {
            sources,
            models: items()
                .filter_map(|item| match &item.kind {
                    ItemKind::Model(model) => Some(model.name.value.as_str()),
                    _ => None,
                })
                .collect(),
            constants: items()
                .filter_map(|item| match &item.kind {
                    ItemKind::Let(constant) => Some(constant.name.value.as_str()),
                    _ => None,
                })
                .collect(),
            symbols: Vec::new(),
            ids: BTreeMap::new(),
            occurrences: Vec::new(),
            variables: Vec::new(),
        }
    }

    /// Notes every name of `files`.
    pub(super) fn collect(mut self, files: &[File]) -> Index {
        for item in files.iter().flat_map(|file| &file.items) {
            self.item(item);
        }
        self.occurrences.sort_by_key(|one| one.span);
        self.occurrences.dedup_by_key(|one| one.span);
        Index {
            symbols: self.symbols,
            occurrences: self.occurrences,
        }
    }

    fn item(&mut self, item: &Item) {
        match &item.kind {
            ItemKind::Secret(secret) => self.define(SymbolKind::Secret, &secret.name),
            ItemKind::Let(constant) => {
                self.define(SymbolKind::Constant, &constant.name);
                self.expression(&constant.value);
            }
            ItemKind::Provider(provider) => {
                self.define(SymbolKind::Provider, &provider.name);
                self.provider(provider);
            }
            ItemKind::Model(model) => {
                self.define(SymbolKind::Model, &model.name);
                self.model(model);
            }
            ItemKind::Extend(extension) => self.extension(extension),
            ItemKind::Catalog(catalog) => self.define(SymbolKind::Catalog, &catalog.model.name),
            ItemKind::Require(require) => {
                for expression in require.when.iter().chain(&require.that) {
                    self.expression(expression);
                }
            }
            ItemKind::Pool(pool) => self.define(SymbolKind::Pool, &pool.name),
            ItemKind::Tiers(chain) => {
                for tier in chain {
                    self.refer(SymbolKind::Tier, tier);
                }
            }
            ItemKind::Tier(tier) => {
                self.define(SymbolKind::Tier, &tier.name);
                self.tier(tier);
            }
            ItemKind::Content(content) => {
                if let Some(name) = &content.name {
                    self.define(SymbolKind::Content, name);
                }
                for statement in &content.items {
                    self.content(&statement.kind);
                }
            }
            ItemKind::Policy(policy) => {
                for statement in &policy.items {
                    self.policy(&statement.kind);
                }
            }
            ItemKind::Place(place) => {
                self.refer(SymbolKind::Pool, &place.pool);
                for (_, only) in &place.only {
                    self.expression(only);
                }
            }
            ItemKind::Deploy(deploy) => self.deploy(deploy),
            ItemKind::Test(test) => {
                for given in &test.given {
                    if let Given::Spent(_, Some(on)) = given {
                        self.model_or_tier(on);
                    }
                }
                for expect in &test.expect {
                    self.expect(&expect.kind);
                }
            }
            _ => {}
        }
    }

    /// What an overlay changes is declared elsewhere.
    fn extension(&mut self, extension: &Extension) {
        match extension {
            Extension::Let(constant) => {
                self.refer(SymbolKind::Constant, &constant.name);
                self.expression(&constant.value);
            }
            Extension::Provider(provider) => {
                self.refer(SymbolKind::Provider, &provider.name);
                self.provider(provider);
            }
            Extension::Model(model) => {
                self.refer(SymbolKind::Model, &model.name);
                self.model(model);
            }
            Extension::Pool(pool) => self.refer(SymbolKind::Pool, &pool.name),
            Extension::Tier(tier) => {
                self.refer(SymbolKind::Tier, &tier.name);
                self.tier(tier);
            }
            Extension::Deploy(deploy) => self.deploy(deploy),
        }
    }

    fn provider(&mut self, provider: &Provider) {
        let auth = provider.auth.as_ref();
        if let Some(Auth::Secret(secret)) = auth.map(|auth| &auth.value) {
            self.refer(SymbolKind::Secret, secret);
        }
    }

    fn deploy(&mut self, deploy: &Deploy) {
        let state = deploy.state.as_ref();
        let secret = state.and_then(|state| state.secret.as_ref());
        self.references(SymbolKind::Secret, secret);
    }

    fn model(&mut self, model: &Model) {
        self.references(SymbolKind::Catalog, model.listed.as_ref());
        if let Some(via) = &model.via {
            let kind = match via.pool {
                true => SymbolKind::Pool,
                false => SymbolKind::Provider,
            };
            self.refer(kind, &via.target);
        }
    }

    fn tier(&mut self, tier: &Tier) {
        for step in &tier.steps {
            match step {
                Step::Try(name) => self.model_or_tier(name),
                Step::Split(split) => {
                    for (name, _) in &split.arms {
                        self.refer(SymbolKind::Model, name);
                    }
                    if let Some(key) = &split.key {
                        self.expression(key);
                    }
                }
            }
        }
    }

    fn content(&mut self, statement: &ContentKind) {
        match statement {
            ContentKind::Accept(accepts) => {
                for accept in accepts {
                    if let Accept::Pattern { alias, .. } = accept {
                        self.references(SymbolKind::Model, alias.as_ref());
                    }
                }
            }
            ContentKind::Start(tier) => self.refer(SymbolKind::Tier, tier),
            ContentKind::Escalate { tier, label, when } => {
                self.refer(SymbolKind::Tier, tier);
                self.label(SymbolKind::Escalation, label.as_ref(), when.span);
                self.expression(when);
            }
            ContentKind::Threshold(Threshold::Hold { tier, .. }) => {
                self.refer(SymbolKind::Tier, tier);
            }
            ContentKind::Threshold(Threshold::Fixed(_)) => {}
            ContentKind::Keep { session, .. } => self.expression(session),
        }
    }

    fn policy(&mut self, statement: &PolicyKind) {
        match statement {
            PolicyKind::Callers(callers) => self.callers(callers),
            PolicyKind::Deny { label, when, .. } => {
                self.label(SymbolKind::Rule, label.as_ref(), when.span);
                self.expression(when);
            }
            PolicyKind::Cap { tier, label, when } => {
                self.refer(SymbolKind::Tier, tier);
                self.label(SymbolKind::Rule, label.as_ref(), when.span);
                self.expression(when);
            }
            PolicyKind::Quota(quota) => self.quota(quota),
            PolicyKind::Redact { .. } => {}
            PolicyKind::Priority { label, when, .. } => {
                if let Some(label) = label {
                    self.text(SymbolKind::Rule, label, true);
                }
                if let Some(when) = when {
                    self.expression(when);
                }
            }
        }
    }

    fn callers(&mut self, callers: &Callers) {
        self.references(SymbolKind::Secret, callers.keys.as_ref());
    }

    fn quota(&mut self, quota: &Quota) {
        self.label(SymbolKind::Rule, quota.label.as_ref(), quota.rate_span);
        for expression in quota.per.iter().chain(&quota.when) {
            self.expression(expression);
        }
        if let Some(on) = &quota.on {
            self.model_or_tier(on);
        }
        for outcome in &quota.outcomes {
            if let OutcomeAction::CapAt(tier) = &outcome.action {
                self.refer(SymbolKind::Tier, tier);
            }
        }
    }

    fn expect(&mut self, expect: &ExpectKind) {
        match expect {
            ExpectKind::Tier(tier) => self.refer(SymbolKind::Tier, tier),
            ExpectKind::Model(model) => self.refer(SymbolKind::Model, model),
            ExpectKind::EscalatedBy(label) => self.text(SymbolKind::Escalation, label, false),
            ExpectKind::CappedBy(label)
            | ExpectKind::Denied(Some(label))
            | ExpectKind::LimitedBy(label)
            | ExpectKind::WarnedBy(label) => self.text(SymbolKind::Rule, label, false),
            _ => {}
        }
    }

    /// A rule's label: as written, or its own text.
    fn label(&mut self, kind: SymbolKind, written: Option<&Text>, own: Span) {
        match written {
            Some(text) => self.text(kind, text, true),
            None => {
                let words: Vec<&str> = self.sources.text(own).split_whitespace().collect();
                let symbol = self.symbol(kind, &words.join(" "));
                // The names inside it are occurrences of their own, so it is none.
                self.known(symbol, own, true);
            }
        }
    }

    fn text(&mut self, kind: SymbolKind, text: &Text, definition: bool) {
        let symbol = self.symbol(kind, &text.value);
        let (span, form) = inside(self.sources, text);
        self.note(symbol, span, form, definition);
    }

    fn model_or_tier(&mut self, name: &Name) {
        let kind = match self.models.contains(name.value.as_str()) {
            true => SymbolKind::Model,
            false => SymbolKind::Tier,
        };
        self.refer(kind, name);
    }

    fn references<'n>(&mut self, kind: SymbolKind, names: impl IntoIterator<Item = &'n Name>) {
        for name in names {
            self.refer(kind, name);
        }
    }

    fn define(&mut self, kind: SymbolKind, name: &Name) {
        let symbol = self.symbol(kind, &name.value);
        self.note(symbol, name.span, Form::Bare, true);
    }

    fn refer(&mut self, kind: SymbolKind, name: &Name) {
        let symbol = self.symbol(kind, &name.value);
        self.note(symbol, name.span, Form::Bare, false);
    }

    /// A name written as a string in an expression.
    pub(super) fn quoted(&mut self, kind: SymbolKind, value: &str, expr: &Expr) {
        let text = Text::new(value.to_owned(), expr.span);
        self.text(kind, &text, false);
    }

    /// The symbol of this kind and name.
    pub(super) fn symbol(&mut self, kind: SymbolKind, name: &str) -> SymbolId {
        if let Some(id) = self.ids.get(&(kind, name.to_owned())) {
            return *id;
        }
        let id = self.fresh(kind, name);
        self.ids.insert((kind, name.to_owned()), id);
        id
    }

    /// A symbol that shares its name with no other.
    pub(super) fn fresh(&mut self, kind: SymbolKind, name: &str) -> SymbolId {
        self.symbols.push(Symbol {
            kind,
            name: name.to_owned(),
            definitions: Vec::new(),
            references: Vec::new(),
        });
        SymbolId(self.symbols.len() - 1)
    }

    /// Notes one place of a symbol.
    pub(super) fn note(&mut self, symbol: SymbolId, span: Span, form: Form, definition: bool) {
        self.occurrences.push(Occurrence {
            span,
            symbol,
            definition,
            form,
        });
        self.known(symbol, span, definition);
    }

    fn known(&mut self, SymbolId(symbol): SymbolId, span: Span, definition: bool) {
        if let Some(symbol) = self.symbols.get_mut(symbol) {
            match definition {
                true => symbol.definitions.push(span),
                false => symbol.references.push(span),
            }
        }
    }
}

/// What of a string literal is its text: between plain double quotes, or the whole of it.
fn inside(sources: &SourceMap, text: &Text) -> (Span, Form) {
    let written = sources.text(text.span);
    let plain = written
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    if plain != Some(text.value.as_str()) {
        return (text.span, Form::Literal);
    }
    let span = Span {
        start: text.span.start + 1,
        end: text.span.end - 1,
        ..text.span
    };
    (span, Form::Quoted)
}

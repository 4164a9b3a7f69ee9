//! Hands expressions to the checker of `lang` with what is declared around them.

use waypost_lang::cel::typed::{Section, Typed};
use waypost_lang::cel::{self, Expr};
use waypost_lang::cel::{Expected, Scope, check};
use waypost_lang::{Diagnostic, codes};
use waypost_policies::plan::pattern;
use waypost_policies::vm;

use super::context::{Context, Names};
use super::redaction::reason;
use crate::Folder;
use crate::checks::window;

impl Context<'_> {
    /// The condition of a rule.
    pub(crate) fn condition(&mut self, expr: &Expr, section: Section) -> Option<Typed> {
        self.check(expr, section, Expected::Bool)
    }

    /// What a bucket, a session or a share of a split is told apart by.
    pub(crate) fn key(&mut self, expr: &Expr, section: Section) -> Option<Typed> {
        self.check(expr, section, Expected::String)
    }

    fn check(&mut self, expr: &Expr, section: Section, expected: Expected) -> Option<Typed> {
        let scope = Scope {
            tiers: &Tiers(&self.names),
            models: &self.names.models,
            constants: &|name| self.constants.get(name).cloned(),
            constant_names: &self.names.constants,
            evaluator: Some(&Folder),
            ..Scope::of(section)
        };
        let mut diagnostics = Vec::new();
        let typed = check(expr, &scope, expected, &mut diagnostics);
        // A constant without a value was reported where it is declared.
        diagnostics.retain(|one| {
            let name = self.sources.text(one.primary.span);
            one.code != codes::UNKNOWN_IDENTIFIER || self.names.constants.get(name).is_none()
        });
        self.findings.extend(diagnostics);
        let faults: Vec<Diagnostic> = typed.iter().flat_map(constant_faults).collect();
        let sound = faults.is_empty();
        self.findings.extend(faults);
        typed.filter(|_| sound)
    }
}

/// The tiers of the chain, and those that are declared without a place in it.
struct Tiers<'a>(&'a Names);

impl cel::Names for Tiers<'_> {
    fn has(&self, name: &str) -> bool {
        self.0.tiers.get(name).is_some() || self.0.unchained.contains(name)
    }

    fn list(&self) -> Vec<&str> {
        let unchained = self.0.unchained.iter().map(String::as_str);
        self.0.tiers.names().chain(unchained).collect()
    }
}

/// What is wrong with the patterns and time zones of an expression: the checker has no engine that reads them.
fn constant_faults(typed: &Typed) -> Vec<Diagnostic> {
    let patterns = typed.patterns();
    let patterns = patterns.iter().filter_map(|text| {
        let error = pattern(text.value).err()?;
        let message = format!("`{}` is no regular expression", text.value);
        let help = "write a regular expression without look-around and back-references; in a plain string `\\` is written `\\\\`";
        let finding = codes::CONSTANT_FAILS.error(text.span, message);
        Some(finding.label(reason(&error)).help(help))
    });
    let zones = typed.zones();
    let zones = zones
        .iter()
        .filter(|text| vm::zone(text.value).is_none())
        .map(|text| window::no_zone(text.value, text.span, codes::UNKNOWN_LITERAL));
    patterns.chain(zones).collect()
}

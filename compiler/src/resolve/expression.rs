//! Hands expressions to the checker of `lang` with what is declared around them.

use waypost_lang::cel::Expr;
use waypost_lang::cel::typed::{Section, Typed};
use waypost_lang::cel::{Expected, Scope, check};
use waypost_lang::{Diagnostic, codes};
use waypost_policies::plan::pattern;
use waypost_policies::vm;

use super::context::Context;
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
        let names = &self.names;
        let mut tiers: Vec<&str> = names.tiers.names().collect();
        tiers.extend(names.unchained.iter().map(String::as_str));
        let models: Vec<&str> = names.models.names().collect();
        let constant_names: Vec<&str> = names.constants.names().collect();
        let scope = Scope {
            tiers: &tiers,
            models: &models,
            constants: &|name| self.constants.get(name).cloned(),
            constant_names: &constant_names,
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

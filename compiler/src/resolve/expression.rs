//! Hands expressions to the checker of `lang` with what is declared around them.

use waypost_lang::cel::Expr;
use waypost_lang::cel::typed::{Section, Typed};
use waypost_lang::cel::{Expected, Scope, check};
use waypost_lang::codes;

use super::context::Context;

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
            section,
            tiers: &tiers,
            models: &models,
            constants: &|name| self.constants.get(name).cloned(),
            constant_names: &constant_names,
        };
        let mut diagnostics = Vec::new();
        let typed = check(expr, &scope, expected, &mut diagnostics);
        // A constant without a value was reported where it is declared.
        diagnostics.retain(|one| {
            let name = self.sources.text(one.primary.span);
            one.code != codes::UNKNOWN_IDENTIFIER || self.names.constants.get(name).is_none()
        });
        self.findings.extend(diagnostics);
        typed
    }
}

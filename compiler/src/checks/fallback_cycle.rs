//! WP0302: tiers that fall back to one another in a circle.

use waypost_lang::codes;
use waypost_lang::diagnostic::Diagnostic;
use waypost_lang::source::Span;

use crate::resolve::tier::{RawStep, inner_tiers};

/// Each circle once, at the step that closes it; the steps before it are its secondary labels.
pub(crate) fn check(tiers: &[&[RawStep]], names: &[String]) -> Vec<Diagnostic> {
    let mut search = Search {
        tiers,
        names,
        finished: vec![false; tiers.len()],
        path: Vec::new(),
        found: Vec::new(),
    };
    for tier in 0..tiers.len() {
        search.visit(tier);
    }
    search.found
}

struct Search<'a> {
    tiers: &'a [&'a [RawStep]],
    names: &'a [String],
    finished: Vec<bool>,
    /// The tiers being followed, each with the step that leads on from it.
    path: Vec<(usize, Span)>,
    found: Vec<Diagnostic>,
}

impl Search<'_> {
    fn visit(&mut self, tier: usize) {
        if self.finished.get(tier).copied().unwrap_or(true) {
            return;
        }
        let steps = self.tiers.get(tier).copied().unwrap_or_default();
        for (inner, span) in inner_tiers(steps) {
            self.path.push((tier, span));
            match self.path.iter().position(|(one, _)| *one == inner) {
                Some(from) => {
                    let circle = self.circle(from, span);
                    self.found.push(circle);
                }
                None => self.visit(inner),
            }
            self.path.pop();
        }
        if let Some(finished) = self.finished.get_mut(tier) {
            *finished = true;
        }
    }

    fn circle(&self, from: usize, closing: Span) -> Diagnostic {
        let steps = self.path.get(from..).unwrap_or_default();
        let first = self.name(steps.first().map_or(0, |(tier, _)| *tier));
        let last = self.name(steps.last().map_or(0, |(tier, _)| *tier));
        let label = format!("`{last}` tries `{first}` here, which closes the circle");
        let diagnostic = codes::FALLBACK_CYCLE
            .error(closing, format!("the tier `{first}` falls back to itself"))
            .label(label)
            .help("let one of them end in models: `try MODEL then MODEL`");
        let inner = steps.iter().zip(steps.iter().skip(1));
        inner.fold(diagnostic, |diagnostic, ((tier, span), (next, _))| {
            let (tier, next) = (self.name(*tier), self.name(*next));
            diagnostic.because(*span, format!("`{tier}` tries `{next}`"))
        })
    }

    fn name(&self, tier: usize) -> &str {
        self.names.get(tier).map_or("", String::as_str)
    }
}

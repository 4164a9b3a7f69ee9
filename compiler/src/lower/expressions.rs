//! Collects the expressions of a plan: each distinct one once, with its text and where it stands first.

use waypost_lang::SourceMap;
use waypost_lang::cel::typed::Typed;
use waypost_policies::plan::Draft;
use waypost_policies::plan::draft::ExpressionIndex;
use waypost_policies::vm::Pool;

use super::expression;
use super::origin::Origins;

/// The expressions so far.
pub(crate) struct Expressions<'a> {
    sources: &'a SourceMap,
    origins: Origins<'a>,
    pool: Pool,
}

impl<'a> Expressions<'a> {
    pub(crate) fn new(sources: &'a SourceMap) -> Self {
        Self {
            sources,
            origins: Origins::new(sources),
            pool: Pool::default(),
        }
    }

    /// The index of an expression, which is added if none has the same code.
    pub(crate) fn add(&mut self, typed: &Typed) -> ExpressionIndex {
        let words: Vec<&str> = self.sources.text(typed.span).split_whitespace().collect();
        let origin = self.origins.of(typed.span);
        self.pool.expression(&words.join(" "), origin, |assembler| {
            expression::write(typed, assembler);
        })
    }

    /// Hands all of them to the draft.
    pub(crate) fn finish(self, draft: &mut Draft) {
        self.pool.fill(draft);
    }
}

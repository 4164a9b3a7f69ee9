//! Spans as file, line and column.

use waypost_lang::{SourceMap, Span};
use waypost_policies::plan::draft::Origin;

/// Turns spans into what explanations show.
pub(crate) struct Origins<'a> {
    sources: &'a SourceMap,
}

impl<'a> Origins<'a> {
    pub(crate) const fn new(sources: &'a SourceMap) -> Self {
        Self { sources }
    }

    /// File, line and column of the start of a span.
    pub(crate) fn of(&self, span: Span) -> Origin {
        let (_, line, column) = self.sources.position(span);
        Origin {
            file: span.file.0,
            line,
            column,
        }
    }
}

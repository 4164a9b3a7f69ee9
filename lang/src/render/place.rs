//! A span held against the text it is of: cut to what exists, with lines and columns at both ends.

use std::ops::Range;

use crate::source::{SourceFile, SourceMap, Span};

/// A place of a source file that certainly exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place<'a> {
    /// The file's name.
    pub(super) file: &'a str,
    /// Its bytes, on character boundaries, within the text.
    pub(super) bytes: Range<usize>,
    /// Line and column of the first byte, from 1.
    pub(super) start: (u32, u32),
    /// Line and column just after the last byte, from 1.
    pub(super) end: (u32, u32),
}

impl<'a> Place<'a> {
    /// Where `span` is; the start of an unnamed file if its file is not of the map.
    pub(super) fn of(sources: &'a SourceMap, span: Span) -> Self {
        match sources.file(span.file) {
            Some(file) => Self::in_file(file, span),
            None => Self {
                file: "",
                bytes: 0..0,
                start: (1, 1),
                end: (1, 1),
            },
        }
    }

    fn in_file(file: &'a SourceFile, span: Span) -> Self {
        let start = boundary(file.text(), span.start);
        let end = boundary(file.text(), span.end).max(start);
        let position = |at: usize| file.line_column(u32::try_from(at).unwrap_or(u32::MAX));
        Self {
            file: file.name(),
            start: position(start),
            end: position(end),
            bytes: start..end,
        }
    }
}

/// The last character boundary at or before `at`.
fn boundary(text: &str, at: u32) -> usize {
    text.floor_char_boundary(at as usize)
}

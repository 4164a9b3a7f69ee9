//! The recovering parser: text in, tree and diagnostics out.
//!
//! Invariants: it returns a tree for every text; one mistake is one diagnostic, and what follows a mistake is
//! still read (from the next statement, or after the block); blocks nest to a fixed depth, and what is
//! skipped is skipped in a loop, so no text exhausts the stack.

mod block;
mod content;
mod cursor;
mod definition;
mod deploy;
mod expression;
pub(crate) mod fields;
mod foreign;
mod habit;
mod item;
mod layout;
mod lexical;
mod model;
mod number;
mod pairs;
mod place;
mod policy;
mod pool;
mod provider;
mod quota;
mod rate;
mod recovery;
mod require;
mod test;
mod tier;
mod values;

use std::ops::Range;

use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span};

use super::braces::Unclosed;
use super::lexer::{Token, Tokens};
use super::tree::File;
pub(crate) use layout::{Layout, MarkKind};

/// What was read of a text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parsed {
    /// The tree of what could be read.
    pub file: File,
    /// Every comment, `//` and `///`, in the order written.
    pub comments: Vec<Span>,
    /// What could not be read, and what must not be so.
    pub diagnostics: Vec<Diagnostic>,
    /// The statements that stand in the text and not, or not whole, in the tree.
    pub unread: Vec<Span>,
}

/// Reads the text of a `.route` file.
#[must_use]
pub fn parse(file: FileId, text: &str) -> Parsed {
    parse_with_layout(file, text).0
}

/// Reads the text, and where its statements, clauses and expressions stand, which the formatter needs.
pub(crate) fn parse_with_layout(file: FileId, text: &str) -> (Parsed, Layout) {
    let mut parser = Parser::new(file, text);
    let tree = parser.file();
    let mut diagnostics = parser.diagnostics;
    diagnostics.sort_by_key(|diagnostic| diagnostic.primary.span.start);
    let parsed = Parsed {
        file: tree,
        comments: parser.comments,
        diagnostics,
        unread: parser.unread,
    };
    (parsed, parser.layout)
}

/// The mark of a construct that could not be read: a diagnostic has been made, and the statement is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reported;

/// What was read, or the mark that a diagnostic says why not.
type Read<T> = Result<T, Reported>;

/// The state of the parser: how far it is, and what it has seen.
struct Parser<'t> {
    file: FileId,
    text: &'t str,
    tokens: Tokens<'t>,
    /// One past the last token taken.
    position: u32,
    /// The token after it, once looked at.
    ahead: Option<Token>,
    /// The `///` lines since the last token.
    documentation: Vec<&'t str>,
    /// The block being read, its outer blocks before it.
    blocks: Vec<block::Frame>,
    unclosed: Vec<Unclosed>,
    /// How many `{` were found to be never closed.
    never_closed: usize,
    /// How many `}` more than `{` the text has, less those accounted for.
    surplus: usize,
    /// The bytes of which nothing is said, since a mistake before them may explain it.
    suspect: Range<u32>,
    /// Whether a string that is never closed took all of the text after it, `}` included.
    swallowed: bool,
    /// Where the last finding begins that is a habit of another language.
    habit: Option<u32>,
    /// Where the last string ended that its line does not close.
    open_text: Option<u32>,
    /// Whether a zero byte was found: what is read is not UTF-8, or no text.
    is_binary: bool,
    /// Where the statement being read begins.
    statement: u32,
    /// How the statement being read is written.
    form: &'static str,
    comments: Vec<Span>,
    diagnostics: Vec<Diagnostic>,
    unread: Vec<Span>,
    layout: Layout,
}

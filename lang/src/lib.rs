//! The front end of Waypost: source map, lexer, parser, syntax tree, formatter, CEL, diagnostics.
//!
//! Invariants: this crate does no IO (no files, sockets, clocks, environment); parsing never fails, it
//! returns a tree and diagnostics; every node knows the bytes it came from.

pub mod cel;
pub mod codes;
pub mod diagnostic;
pub mod render;
pub mod source;
pub mod syntax;

pub use diagnostic::{Code, Diagnostic, Severity};
pub use source::{FileId, SourceMap, Span};

//! The language above expressions: lexer, recovering parser, tree, formatter.

mod braces;
mod date;
pub mod format;
mod lexer;
mod literal;
pub mod parser;
mod text;
pub mod tree;

pub use format::format;
pub use parser::{Parsed, parse};

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
pub use lexer::{Token, TokenKind, scan_all as tokens};
pub use parser::fields::{Block, Field};
pub use parser::{Parsed, parse};

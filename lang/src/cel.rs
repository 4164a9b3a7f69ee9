//! CEL: parsed with whole-expression spans, statically typed, made total.

pub mod expression;
mod lexer;
mod literal;
mod parser;
pub mod typed;

pub use expression::{Expr, ExprKind};
pub use parser::{Extent, MAXIMUM_DEPTH, ParsedExpr, parse};

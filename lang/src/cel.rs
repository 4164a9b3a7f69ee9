//! CEL: parsed with whole-expression spans, statically typed, made total.
//!
//! [`parse`] reads an expression, [`check`] gives it types and refuses what could fail on some call. What
//! remains is [`typed::Typed`], which later stages lower without asking anything again.

mod check;
pub mod expression;
mod facts;
mod lexer;
mod literal;
mod parser;
mod print;
pub mod scope;
pub mod typed;
mod walk;

pub use check::{Callable, check, functions};
pub use expression::{Expr, ExprKind};
pub use parser::{Extent, MAXIMUM_DEPTH, ParsedExpr, is_kept, parse};
pub use print::quote;
pub use scope::{Evaluate, Expected, Mode, Names, Scope, Signature, Variable};

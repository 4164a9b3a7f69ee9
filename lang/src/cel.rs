//! CEL: parsed with whole-expression spans, statically typed, made total.

pub mod expression;
pub mod typed;

pub use expression::{Expr, ExprKind};

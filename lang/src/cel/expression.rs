//! The syntax of a CEL expression (cel-spec `doc/langdef.md`), with the span of each whole subexpression.
//!
//! Operators stay operators and macros stay calls: the checker gives them meaning, the formatter and
//! messages show what was written.

use crate::source::{Span, Spanned};

/// An expression and the bytes it was written as.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// The whole of it, parentheses around it not included.
    pub span: Span,
    /// What it is.
    pub kind: ExprKind,
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// What could not be read; a diagnostic says why. Its type is unknown and nothing follows from it.
    Error,
    /// A constant.
    Literal(Literal),
    /// `request`, or `.request` with a leading dot.
    Identifier(String),
    /// `operand.field`, or `operand.?field`.
    Select {
        /// What it is taken from.
        operand: Box<Expr>,
        /// The field's name.
        field: Spanned<String>,
        /// Whether it was written `.?`.
        optional: bool,
    },
    /// `operand[index]`, or `operand[?index]`.
    Index {
        /// What it is taken from.
        operand: Box<Expr>,
        /// The index or key.
        index: Box<Expr>,
        /// Whether it was written `[?`.
        optional: bool,
    },
    /// `function(a, b)`, or `receiver.function(a, b)`; macros too.
    Call {
        /// What it is called on.
        receiver: Option<Box<Expr>>,
        /// The function's name.
        function: Spanned<String>,
        /// Its arguments.
        arguments: Vec<Expr>,
    },
    /// `!x`, `-x`.
    Unary {
        /// Which.
        operator: Spanned<UnaryOperator>,
        /// On what.
        operand: Box<Expr>,
    },
    /// `a && b`, `a in b`, `a + b`, …
    Binary {
        /// Which.
        operator: Spanned<BinaryOperator>,
        /// On the left.
        left: Box<Expr>,
        /// On the right.
        right: Box<Expr>,
    },
    /// `condition ? then : otherwise`
    Conditional {
        /// Which way.
        condition: Box<Expr>,
        /// If true.
        then: Box<Expr>,
        /// If false.
        otherwise: Box<Expr>,
    },
    /// `[a, ?b]`: each element, and whether it is optional.
    List(Vec<(bool, Expr)>),
    /// `{k: v, ?k: v}`: each entry, and whether it is optional.
    Map(Vec<(bool, Expr, Expr)>),
    /// `Name{field: v}`; no messages exist here, the checker says so.
    Message {
        /// The type's name.
        name: Spanned<String>,
        /// Its fields.
        fields: Vec<(Spanned<String>, Expr)>,
    },
}

/// A constant.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `null`
    Null,
    /// `true`
    Bool(bool),
    /// `24000`, `0x10`, and Waypost's `24k` and `2M`.
    Int(i64),
    /// `7u`
    Uint(u64),
    /// `0.5`
    Double(f64),
    /// `"text"`, `r'raw'`, `"""long"""`
    String(String),
    /// `b"bytes"`
    Bytes(Vec<u8>),
}

/// An operator before its operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnaryOperator {
    /// `!`
    Not,
    /// `-`
    Negate,
}

/// An operator between its operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOperator {
    /// `||`
    Or,
    /// `&&`
    And,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `in`
    In,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
}

//! The parser of CEL: precedence climbing over a lazy lexer.
//!
//! Invariants: it never fails and never overflows the stack; one mistake gives one diagnostic; a node's span
//! covers its whole text; it reads no further than the expression and one token after it.

mod mistake;
mod operand;

pub use operand::is_kept;

use super::expression::{BinaryOperator, Expr, ExprKind, Literal, UnaryOperator};
use super::lexer::{Lexer, Token, TokenKind};
use crate::codes::EXPRESSION_SYNTAX;
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span, Spanned};

/// Where an expression ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// `when`, `let`: at the end of the statement, so what looks like a slip of the pen is reported as one.
    Statement,
    /// `per`, `keep session`, `split … by`: at the first token that cannot continue it.
    Shortest,
}

/// An expression as read.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedExpr {
    /// What could be read of it; with a mistake that nothing can be read after, [`ExprKind::Error`].
    pub expr: Expr,
    /// The byte offset after its last token.
    pub end: u32,
    /// What is wrong with it.
    pub diagnostics: Vec<Diagnostic>,
}

/// How deep parentheses, operators and calls may nest. A tree is walked by recursion, here and in every later
/// stage, and a file must not be able to exhaust the stack.
pub const MAXIMUM_DEPTH: u32 = 160;

/// Reads the expression that starts at byte `start` of `text`.
///
/// Outside brackets it ends at the end of a line, unless the next line starts with an operator.
#[must_use]
pub fn parse(file: FileId, text: &str, start: u32, extent: Extent) -> ParsedExpr {
    let mut lexer = Lexer::new(file, text, start);
    let current = lexer.next();
    let mut parser = Parser {
        lexer,
        current,
        previous_end: start,
        extent,
        level: 0,
        brackets: Vec::new(),
        stopped: false,
        diagnostics: Vec::new(),
    };
    let mut expr = parser.expression().expr;
    if parser.stopped {
        // Half an expression may mean the opposite of the whole.
        expr.kind = ExprKind::Error;
    }
    ParsedExpr {
        expr,
        end: parser.previous_end,
        diagnostics: parser.diagnostics,
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    current: Token<'a>,
    /// The end of the last token taken.
    previous_end: u32,
    extent: Extent,
    /// How many calls deep the parser is.
    level: u32,
    /// The brackets that are open.
    brackets: Vec<(&'static str, Span)>,
    /// Whether a mistake was reported that nothing can be read after.
    stopped: bool,
    diagnostics: Vec<Diagnostic>,
}

/// An expression on its way up: the byte it starts at, its parentheses included, and the depth of its tree.
struct Node {
    expr: Expr,
    start: u32,
    depth: u32,
}

const BINARY: &[(&str, BinaryOperator)] = &[
    ("||", BinaryOperator::Or),
    ("&&", BinaryOperator::And),
    ("==", BinaryOperator::Equal),
    ("!=", BinaryOperator::NotEqual),
    ("<", BinaryOperator::Less),
    ("<=", BinaryOperator::LessOrEqual),
    (">", BinaryOperator::Greater),
    (">=", BinaryOperator::GreaterOrEqual),
    ("+", BinaryOperator::Add),
    ("-", BinaryOperator::Subtract),
    ("*", BinaryOperator::Multiply),
    ("/", BinaryOperator::Divide),
    ("%", BinaryOperator::Remainder),
];

impl Parser<'_> {
    fn expression(&mut self) -> Node {
        self.nested(Self::conditional)
    }

    /// Runs one level of the recursion, unless there are too many.
    fn nested(&mut self, parse: fn(&mut Self) -> Node) -> Node {
        if self.level >= MAXIMUM_DEPTH {
            self.too_deep(self.current.span);
            return self.error_node();
        }
        self.level += 1;
        let node = parse(self);
        self.level -= 1;
        node
    }

    fn conditional(&mut self) -> Node {
        let condition = self.binary(1);
        if self.stopped || !self.at("?") {
            return condition;
        }
        self.advance();
        let then = self.binary(1);
        if !self.expect_colon() {
            return condition;
        }
        let otherwise = self.expression();
        let depth = condition.depth.max(then.depth).max(otherwise.depth);
        let kind = ExprKind::Conditional {
            condition: Box::new(condition.expr),
            then: Box::new(then.expr),
            otherwise: Box::new(otherwise.expr),
        };
        self.node(condition.start, kind, depth)
    }

    fn binary(&mut self, minimum: u8) -> Node {
        let mut left = self.unary();
        while !self.stopped {
            let Some(operator) = self.binary_operator() else {
                self.foreign_operator();
                break;
            };
            let precedence = operator.precedence();
            if precedence < minimum {
                break;
            }
            let operator = Spanned::new(operator, self.current.span);
            self.take_operator(operator.value);
            let right = self.binary(precedence + 1);
            let depth = left.depth.max(right.depth);
            let kind = ExprKind::Binary {
                operator,
                left: Box::new(left.expr),
                right: Box::new(right.expr),
            };
            left = self.node(left.start, kind, depth);
        }
        left
    }

    /// The operator that the current token is, or was meant to be.
    fn binary_operator(&self) -> Option<BinaryOperator> {
        match &self.current.kind {
            TokenKind::Symbol(symbol) => BINARY
                .iter()
                .find(|(text, _)| text == symbol)
                .map(|(_, operator)| *operator)
                .or_else(|| self.meant_operator(symbol)),
            TokenKind::Word("in") => Some(BinaryOperator::In),
            TokenKind::Word(word) => self.meant_operator(word),
            TokenKind::Unknown(sign) => self.meant_operator(sign.encode_utf8(&mut [0; 4])),
            _ => None,
        }
    }

    fn unary(&mut self) -> Node {
        if self.is_outside_on_new_line() {
            self.missing_operand();
            return self.error_node();
        }
        let start = self.current.span.start;
        let operator = match &self.current.kind {
            TokenKind::Symbol("!") => UnaryOperator::Not,
            TokenKind::Symbol("-") if !self.is_negative_literal() => UnaryOperator::Negate,
            TokenKind::Word("not") if self.starts_operand_after() => {
                return self.not();
            }
            _ => return self.postfix(),
        };
        let operator = Spanned::new(operator, self.current.span);
        self.advance();
        let operand = self.nested(Self::unary);
        let kind = ExprKind::Unary {
            operator,
            operand: Box::new(operand.expr),
        };
        self.node(start, kind, operand.depth)
    }

    /// `not a`, as other languages negate.
    fn not(&mut self) -> Node {
        let word = self.current.span;
        self.advance();
        let before = self.diagnostics.len();
        let operand = self.nested(Self::unary);
        let inner = self.diagnostics.split_off(before);
        self.report_not(word, operand.start);
        self.diagnostics.extend(inner);
        let operator = Spanned::new(UnaryOperator::Not, word);
        let kind = ExprKind::Unary {
            operator,
            operand: Box::new(operand.expr),
        };
        self.node(word.start, kind, operand.depth)
    }

    fn is_negative_literal(&self) -> bool {
        let next = self.lexer.clone().next().kind;
        matches!(
            next,
            TokenKind::Integer(_) | TokenKind::Literal(Literal::Double(_))
        )
    }

    fn node(&mut self, start: u32, kind: ExprKind, depth: u32) -> Node {
        let span = Span::new(self.current.span.file, start, self.previous_end.max(start));
        let kind = if depth < MAXIMUM_DEPTH {
            kind
        } else {
            self.too_deep(span);
            ExprKind::Error
        };
        Node {
            expr: Expr { span, kind },
            start,
            depth: depth + 1,
        }
    }

    /// Nothing, where an expression should stand.
    fn error_node(&self) -> Node {
        let at = self.previous_end;
        Node {
            expr: Expr {
                span: Span::new(self.current.span.file, at, at),
                kind: ExprKind::Error,
            },
            start: at,
            depth: 0,
        }
    }

    /// Whether the current token is `symbol` and continues the expression.
    #[inline]
    fn at(&self, symbol: &str) -> bool {
        !self.stopped && self.current.kind.is(symbol)
    }

    /// Whether a line ended outside brackets: only an operator goes on after that.
    fn is_outside_on_new_line(&self) -> bool {
        self.brackets.is_empty() && self.current.on_new_line
    }

    fn advance(&mut self) {
        if self.current.kind == TokenKind::End {
            return;
        }
        self.previous_end = self.current.span.end;
        self.current = self.lexer.next();
    }

    #[inline]
    fn take(&mut self, symbol: &str) -> bool {
        let found = self.at(symbol);
        if found {
            self.advance();
        }
        found
    }

    fn open(&mut self, bracket: &'static str) {
        self.brackets.push((bracket, self.current.span));
        self.advance();
    }

    fn close(&mut self, bracket: &'static str) {
        if !self.stopped && !self.at(bracket) {
            self.unclosed(bracket);
        }
        self.brackets.pop();
        if !self.stopped {
            self.advance();
        }
    }

    fn expect_colon(&mut self) -> bool {
        if self.take(":") {
            return true;
        }
        if !self.stopped && !self.needs_no_braces() {
            self.expected("`:`", "here");
        }
        false
    }
}

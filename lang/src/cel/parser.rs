//! The parser of CEL: precedence climbing over a lazy lexer.
//!
//! Invariants: it never fails and never overflows the stack; one mistake gives one diagnostic; a node's span
//! covers its whole text; it reads no further than the expression and one token after it.

mod mistake;

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
    current: Token,
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

const BINARY: &[(&str, BinaryOperator, u8)] = &[
    ("||", BinaryOperator::Or, 1),
    ("&&", BinaryOperator::And, 2),
    ("==", BinaryOperator::Equal, 3),
    ("!=", BinaryOperator::NotEqual, 3),
    ("<", BinaryOperator::Less, 3),
    ("<=", BinaryOperator::LessOrEqual, 3),
    (">", BinaryOperator::Greater, 3),
    (">=", BinaryOperator::GreaterOrEqual, 3),
    ("+", BinaryOperator::Add, 4),
    ("-", BinaryOperator::Subtract, 4),
    ("*", BinaryOperator::Multiply, 5),
    ("/", BinaryOperator::Divide, 5),
    ("%", BinaryOperator::Remainder, 5),
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
            let Some((operator, precedence)) = self.binary_operator() else {
                break;
            };
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

    /// The operator that the current token is, or was meant to be, and how tightly it binds.
    fn binary_operator(&self) -> Option<(BinaryOperator, u8)> {
        match &self.current.kind {
            TokenKind::Symbol(symbol) => BINARY
                .iter()
                .find(|(text, ..)| text == symbol)
                .map(|(_, operator, precedence)| (*operator, *precedence))
                .or_else(|| self.meant_operator(symbol)),
            TokenKind::Word(word) if word == "in" => Some((BinaryOperator::In, 3)),
            TokenKind::Word(word) => self.meant_operator(word),
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
            TokenKind::Word(word) if word == "not" && self.starts_operand_after() => {
                self.report_not();
                UnaryOperator::Not
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

    fn is_negative_literal(&self) -> bool {
        let next = self.lexer.clone().next().kind;
        matches!(
            next,
            TokenKind::Integer(_) | TokenKind::Literal(Literal::Double(_))
        )
    }

    fn postfix(&mut self) -> Node {
        let mut node = self.primary();
        while !self.stopped {
            node = if self.at(".") {
                self.select(node)
            } else if self.at("[") && !self.is_outside_on_new_line() {
                self.index(node)
            } else if self.at("{") && !self.brackets.is_empty() {
                let Some(name) = qualified_name(&node.expr) else {
                    break;
                };
                self.message(node.start, name)
            } else {
                break;
            };
        }
        node
    }

    fn select(&mut self, operand: Node) -> Node {
        self.advance();
        let optional = self.take("?");
        let span = self.current.span;
        let (name, quoted) = match self.current.kind.clone() {
            TokenKind::Word(word) if !is_keyword(&word) && !self.is_outside_on_new_line() => {
                (word, false)
            }
            TokenKind::Quoted(name) => (name, true),
            _ => {
                self.expected("the name of a field or function", "after the `.`");
                return operand;
            }
        };
        self.advance();
        let name = Spanned::new(name, span);
        if self.at("(") && !optional && !quoted && !self.is_outside_on_new_line() {
            return self.call(operand.start, Some(operand), name);
        }
        let kind = ExprKind::Select {
            operand: Box::new(operand.expr),
            field: name,
            optional,
        };
        self.node(operand.start, kind, operand.depth)
    }

    fn index(&mut self, operand: Node) -> Node {
        self.open("[");
        let optional = self.take("?");
        let index = self.expression();
        self.close("]");
        let depth = operand.depth.max(index.depth);
        let kind = ExprKind::Index {
            operand: Box::new(operand.expr),
            index: Box::new(index.expr),
            optional,
        };
        self.node(operand.start, kind, depth)
    }

    fn call(&mut self, start: u32, receiver: Option<Node>, function: Spanned<String>) -> Node {
        self.open("(");
        let mut depth = receiver.as_ref().map_or(0, |receiver| receiver.depth);
        let mut arguments = Vec::new();
        let has_arguments = !self.at(")");
        while has_arguments && !self.stopped {
            let argument = self.expression();
            depth = depth.max(argument.depth);
            arguments.push(argument.expr);
            if !self.take(",") {
                break;
            }
        }
        self.close(")");
        let kind = ExprKind::Call {
            receiver: receiver.map(|receiver| Box::new(receiver.expr)),
            function,
            arguments,
        };
        self.node(start, kind, depth)
    }

    fn primary(&mut self) -> Node {
        let Token { kind, span, .. } = self.current.clone();
        match kind {
            TokenKind::Symbol("(") => self.parenthesized(),
            TokenKind::Symbol("[") => self.list(),
            TokenKind::Symbol("{") if self.may_be_map() => self.map(),
            TokenKind::Symbol("-") => self.negative(span),
            TokenKind::Symbol(".") => self.rooted(span),
            TokenKind::Integer(magnitude) => {
                self.advance();
                self.integer(span, i64::try_from(magnitude).ok())
            }
            TokenKind::Literal(literal) => self.constant(span, literal),
            TokenKind::Malformed(malformed) => {
                self.report_malformed(malformed);
                self.advance();
                self.node(span.start, ExprKind::Error, 0)
            }
            TokenKind::Word(word) => self.word(span, word),
            TokenKind::Quoted(_)
            | TokenKind::Symbol(_)
            | TokenKind::Unknown(_)
            | TokenKind::End => {
                self.missing_operand();
                self.error_node()
            }
        }
    }

    fn constant(&mut self, span: Span, literal: Literal) -> Node {
        self.advance();
        self.node(span.start, ExprKind::Literal(literal), 0)
    }

    fn word(&mut self, span: Span, word: String) -> Node {
        match word.as_str() {
            "true" => return self.constant(span, Literal::Bool(true)),
            "false" => return self.constant(span, Literal::Bool(false)),
            "null" => return self.constant(span, Literal::Null),
            "in" => {
                self.missing_operand();
                return self.error_node();
            }
            _ if is_reserved(&word) => {
                self.reserved(&word);
                return self.error_node();
            }
            _ => self.advance(),
        }
        self.identifier(span.start, Spanned::new(word, span))
    }

    /// `name` or a call of it, the name already taken.
    fn identifier(&mut self, start: u32, name: Spanned<String>) -> Node {
        if self.at("(") && !self.is_outside_on_new_line() {
            return self.call(start, None, name);
        }
        self.node(start, ExprKind::Identifier(name.value), 0)
    }

    /// `.name`: a name that no variable of a macro hides.
    fn rooted(&mut self, dot: Span) -> Node {
        self.advance();
        match self.current.kind.clone() {
            TokenKind::Word(word) if !is_keyword(&word) && !is_reserved(&word) => {
                let span = dot.to(self.current.span);
                self.advance();
                self.identifier(span.start, Spanned::new(format!(".{word}"), span))
            }
            _ => {
                self.expected("a name", "after the `.`");
                self.error_node()
            }
        }
    }

    fn negative(&mut self, sign: Span) -> Node {
        self.advance();
        let kind = self.current.kind.clone();
        self.advance();
        let span = Span::new(sign.file, sign.start, self.previous_end);
        match kind {
            TokenKind::Literal(Literal::Double(value)) => {
                self.node(sign.start, ExprKind::Literal(Literal::Double(-value)), 0)
            }
            TokenKind::Integer(magnitude) => {
                self.integer(span, 0_i64.checked_sub_unsigned(magnitude))
            }
            _ => self.error_node(),
        }
    }

    fn integer(&mut self, span: Span, value: Option<i64>) -> Node {
        let kind = match value {
            Some(value) => ExprKind::Literal(Literal::Int(value)),
            None => {
                self.report_too_large(span);
                ExprKind::Error
            }
        };
        self.node(span.start, kind, 0)
    }

    fn parenthesized(&mut self) -> Node {
        let start = self.current.span.start;
        self.open("(");
        let inner = self.expression();
        self.close(")");
        Node { start, ..inner }
    }

    /// Where an expression ends as soon as it can, a brace opens a block of the file, unless brackets are open.
    fn may_be_map(&self) -> bool {
        self.extent == Extent::Statement || !self.brackets.is_empty()
    }

    fn list(&mut self) -> Node {
        let start = self.current.span.start;
        self.open("[");
        let mut depth = 0;
        let mut elements = Vec::new();
        while !self.stopped && !self.at("]") {
            let optional = self.take("?");
            let element = self.expression();
            depth = depth.max(element.depth);
            elements.push((optional, element.expr));
            if !self.take(",") {
                break;
            }
        }
        self.close("]");
        self.node(start, ExprKind::List(elements), depth)
    }

    fn map(&mut self) -> Node {
        let start = self.current.span.start;
        self.open("{");
        let mut depth = 0;
        let mut entries = Vec::new();
        while !self.stopped && !self.at("}") {
            let optional = self.take("?");
            let key = self.expression();
            if !self.expect_colon() {
                break;
            }
            let value = self.expression();
            depth = depth.max(key.depth).max(value.depth);
            entries.push((optional, key.expr, value.expr));
            if !self.take(",") {
                break;
            }
        }
        self.close("}");
        self.node(start, ExprKind::Map(entries), depth)
    }

    fn message(&mut self, start: u32, name: Spanned<String>) -> Node {
        self.open("{");
        let mut depth = 0;
        let mut fields = Vec::new();
        while !self.stopped && !self.at("}") {
            self.take("?");
            let span = self.current.span;
            let (TokenKind::Word(field) | TokenKind::Quoted(field)) = self.current.kind.clone()
            else {
                self.expected("a field", "in a message");
                break;
            };
            self.advance();
            if !self.expect_colon() {
                break;
            }
            let value = self.expression();
            depth = depth.max(value.depth);
            fields.push((Spanned::new(field, span), value.expr));
            if !self.take(",") {
                break;
            }
        }
        self.close("}");
        self.node(start, ExprKind::Message { name, fields }, depth)
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
        if !self.stopped {
            self.expected("`:`", "here");
        }
        false
    }
}

/// `a.b.C` as the name of a message.
fn qualified_name(expr: &Expr) -> Option<Spanned<String>> {
    match &expr.kind {
        ExprKind::Identifier(name) => Some(Spanned::new(name.clone(), expr.span)),
        ExprKind::Select {
            operand,
            field,
            optional: false,
        } => {
            let package = qualified_name(operand)?;
            let name = format!("{}.{}", package.value, field.value);
            Some(Spanned::new(name, expr.span))
        }
        _ => None,
    }
}

/// Words that are operators and constants; no field has such a name.
fn is_keyword(word: &str) -> bool {
    matches!(word, "in" | "true" | "false" | "null")
}

/// Words that CEL keeps for the languages around it; fields may have such names, variables may not.
fn is_reserved(word: &str) -> bool {
    const RESERVED: &[&str] = &[
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ];
    RESERVED.contains(&word)
}

//! What operators stand between: literals, names, calls, brackets, and what follows them.

use super::{Extent, Node, Parser};
use crate::cel::expression::{Expr, ExprKind, Literal};
use crate::cel::lexer::{Token, TokenKind};
use crate::source::{Span, Spanned};

impl Parser<'_> {
    pub(super) fn postfix(&mut self) -> Node {
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
            TokenKind::Word(word) if !is_keyword(word) && !self.is_outside_on_new_line() => {
                (word, false)
            }
            TokenKind::Quoted(name) => (name, true),
            _ => {
                self.expected("the name of a field or function", "after the `.`");
                return operand;
            }
        };
        self.advance();
        let name = Spanned::new(name.to_owned(), span);
        if let Some(key) = self.dashed_key(&operand.expr, &name) {
            self.needs_brackets(key, operand.start);
            return operand;
        }
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
                let swallows = malformed.swallows;
                self.report_malformed(malformed);
                self.advance();
                // A string that does not end took the brackets that close with it.
                self.stopped |= swallows;
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

    fn word(&mut self, span: Span, word: &str) -> Node {
        match word {
            "true" => return self.constant(span, Literal::Bool(true)),
            "false" => return self.constant(span, Literal::Bool(false)),
            "null" => return self.constant(span, Literal::Null),
            "in" => {
                self.missing_operand();
                return self.error_node();
            }
            _ if is_reserved(word) => {
                self.reserved(word);
                return self.error_node();
            }
            _ => self.advance(),
        }
        self.identifier(span.start, Spanned::new(word.to_owned(), span))
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
            TokenKind::Word(word) if !is_keyword(word) && !is_reserved(word) => {
                let span = dot.to(self.current.span);
                self.advance();
                self.identifier(span.start, Spanned::new(format!(".{word}"), span))
            }
            _ => {
                self.name_after_dot();
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
        let among = self.previous_is_word("in");
        self.open("(");
        let inner = self.expression();
        if among && self.at(",") {
            return self.listed(start, inner);
        }
        self.close(")");
        Node { start, ..inner }
    }

    /// `("a", "b")` after `in`, of which `first` has been read: a list, with the brackets of other languages.
    fn listed(&mut self, start: u32, first: Node) -> Node {
        let mut depth = first.depth;
        let mut elements = vec![first.expr];
        while self.take(",") && !self.at(")") {
            let element = self.expression();
            depth = depth.max(element.depth);
            elements.push(element.expr);
        }
        let close = self.current.span;
        self.close(")");
        self.report_parentheses(start, close);
        let elements = elements.into_iter().map(|value| (false, value)).collect();
        self.node(start, ExprKind::List(elements), depth)
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
            fields.push((Spanned::new(field.to_owned(), span), value.expr));
            if !self.take(",") {
                break;
            }
        }
        self.close("}");
        self.node(start, ExprKind::Message { name, fields }, depth)
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
/// Whether CEL keeps a word for itself, so that nothing declared can have it for a name.
#[must_use]
pub fn is_kept(word: &str) -> bool {
    is_keyword(word) || is_reserved(word)
}

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

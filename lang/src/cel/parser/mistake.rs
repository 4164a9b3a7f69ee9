//! What the parser says about an expression that is not CEL, and where it goes on.

use super::{BinaryOperator, Diagnostic, EXPRESSION_SYNTAX, Extent, Parser, Span, TokenKind};
use crate::cel::expression::{Expr, ExprKind};
use crate::cel::literal::Malformed;
use crate::diagnostic::Edit;
use crate::source::Spanned;

/// What people write in other languages, and what it is in CEL.
const MEANT: &[(&str, &str, BinaryOperator)] = &[
    ("=", "==", BinaryOperator::Equal),
    ("===", "==", BinaryOperator::Equal),
    ("is", "==", BinaryOperator::Equal),
    ("equals", "==", BinaryOperator::Equal),
    ("!==", "!=", BinaryOperator::NotEqual),
    ("<>", "!=", BinaryOperator::NotEqual),
    ("=>", ">=", BinaryOperator::GreaterOrEqual),
    ("&", "&&", BinaryOperator::And),
    ("|", "||", BinaryOperator::Or),
    ("and", "&&", BinaryOperator::And),
    ("or", "||", BinaryOperator::Or),
    ("AND", "&&", BinaryOperator::And),
    ("OR", "||", BinaryOperator::Or),
];

impl Parser<'_> {
    /// Whether a word or sign that is not CEL may be a slip of the pen, and not what follows the expression.
    fn may_be_slip(&self) -> bool {
        self.extent == Extent::Statement || !self.brackets.is_empty()
    }

    /// The operator that was meant by something that is none.
    pub(super) fn meant_operator(&self, written: &str) -> Option<BinaryOperator> {
        if !self.may_be_slip() {
            return None;
        }
        // `exists(t => …)` is no comparison.
        if written == "=>" && !self.brackets.is_empty() {
            return None;
        }
        if written == "not" && self.lexer.clone().next().kind.is_word("in") {
            return Some(BinaryOperator::In);
        }
        MEANT
            .iter()
            .find(|(wrong, ..)| *wrong == written)
            .map(|(_, _, operator)| *operator)
    }

    /// Takes the current token as `operator`, and says so if it was written in another way.
    pub(super) fn take_operator(&mut self, operator: BinaryOperator) {
        let span = self.current.span;
        let written = match self.current.kind {
            TokenKind::Symbol(symbol) => symbol,
            TokenKind::Word(word) => word,
            _ => "",
        };
        self.advance();
        if written == "not" {
            self.advance();
            let span = Span::new(span.file, span.start, self.previous_end);
            self.report(
                EXPRESSION_SYNTAX
                    .error(span, "`not in` is not an operator")
                    .label("CEL negates the whole test")
                    .help("write `!(x in list)`"),
            );
            return;
        }
        let meant = MEANT
            .iter()
            .find(|(wrong, _, meant)| *wrong == written && *meant == operator);
        if let Some((wrong, right, ..)) = meant {
            self.report_meant(span, wrong, right);
        }
    }

    /// Stops at a sign of other languages that no operator of CEL stands for.
    pub(super) fn foreign_operator(&mut self) {
        let (label, help) = match self.current.kind {
            TokenKind::Symbol("=>") => (
                "a variable and its test stand apart by a comma",
                "write `,`, as in `list.exists(x, x.name == \"a\")`",
            ),
            TokenKind::Symbol("=~") => (
                "patterns are matched by a function",
                "write `text.matches(r\"pattern\")`",
            ),
            _ => return,
        };
        let span = self.current.span;
        let written = self.found();
        self.stop(
            EXPRESSION_SYNTAX
                .error(span, format!("{written} is not an operator"))
                .label(label)
                .help(help),
        );
    }

    pub(super) fn report_not(&mut self) {
        self.report(
            EXPRESSION_SYNTAX
                .error(self.current.span, "`not` is not an operator")
                .label("CEL writes `!`")
                .help("write `!`, and parentheses around a comparison: `!(a == b)`"),
        );
    }

    fn report_meant(&mut self, span: Span, wrong: &str, right: &str) {
        let edit = Edit {
            span,
            text: right.to_owned(),
        };
        self.report(
            EXPRESSION_SYNTAX
                .error(span, format!("`{wrong}` is not an operator"))
                .label(format!("CEL writes `{right}`"))
                .help(format!("write `{right}`"))
                .fix(format!("write `{right}`"), [edit]),
        );
    }

    /// The whole of `x-session-id` in `request.headers.x-session-id`, of which `name` is the first part.
    pub(super) fn dashed_key(
        &self,
        operand: &Expr,
        name: &Spanned<String>,
    ) -> Option<Spanned<String>> {
        let ExprKind::Select { field, .. } = &operand.kind else {
            return None;
        };
        let map = matches!(
            field.value.as_str(),
            "headers" | "metadata" | "labels" | "claims"
        );
        let adjacent = self.at("-") && self.current.span.start == name.span.end;
        let text = self.lexer.rest();
        if !map || !adjacent || !text.starts_with(char::is_alphanumeric) {
            return None;
        }
        let end = text.find(|c: char| !c.is_alphanumeric() && !"-_".contains(c));
        let rest = text.get(..end.unwrap_or(text.len()))?;
        let length = super::super::lexer::offset(rest.len());
        let end = self.current.span.end.saturating_add(length);
        let span = Span::new(name.span.file, name.span.start, end);
        Some(Spanned::new(format!("{}-{rest}", name.value), span))
    }

    pub(super) fn needs_brackets(&mut self, key: Spanned<String>, start: u32) {
        let map = self
            .lexer
            .before(key.span.start)
            .get(start as usize..)
            .unwrap_or("");
        let map = map.trim_end().trim_end_matches('.').to_owned();
        let right = format!("{map}[?\"{}\"].orValue(\"\")", key.value);
        let edit = Edit {
            span: Span::new(key.span.file, start, key.span.end),
            text: right.clone(),
        };
        while self.current.span.start < key.span.end && self.current.kind != TokenKind::End {
            self.advance();
        }
        self.stop(
            EXPRESSION_SYNTAX
                .error(key.span, format!("`{}` is a key, not a field", key.value))
                .label("a key with `-` stands in brackets and quotes")
                .help(format!("write `{right}`"))
                .fix(format!("write `{right}`"), [edit]),
        );
    }

    /// Whether the token after the current one starts an operand, on the same line.
    pub(super) fn starts_operand_after(&self) -> bool {
        let next = self.lexer.clone().next();
        let starts = match &next.kind {
            TokenKind::Word(word) => *word != "in",
            TokenKind::Symbol(symbol) => *symbol == "(",
            TokenKind::Integer(_) | TokenKind::Literal(_) => true,
            _ => false,
        };
        starts && !next.on_new_line && self.may_be_slip()
    }

    pub(super) fn report_malformed(&mut self, malformed: Malformed) {
        let token = self.current.span;
        let at = |offset: usize| {
            token
                .start
                .saturating_add(super::super::lexer::offset(offset))
        };
        let span = Span::new(token.file, at(malformed.from), at(malformed.to));
        self.report(
            EXPRESSION_SYNTAX
                .error(span, malformed.message)
                .label(malformed.label)
                .help(malformed.help),
        );
    }

    pub(super) fn report_too_large(&mut self, span: Span) {
        self.report(
            EXPRESSION_SYNTAX
                .error(span, "the number does not fit")
                .label("integers have 64 bits, with a sign")
                .help("write a smaller number, or an unsigned one: `18446744073709551615u`"),
        );
    }

    pub(super) fn reserved(&mut self, word: &str) {
        if self.brackets.is_empty() && self.extent == Extent::Shortest {
            self.missing_operand();
            return;
        }
        self.stop(
            EXPRESSION_SYNTAX
                .error(self.current.span, format!("`{word}` is a reserved word"))
                .label("nothing in an expression has this name")
                .help("write the name of a field, such as `request.tokens`"),
        );
    }

    pub(super) fn missing_operand(&mut self) {
        let after = Span::new(self.current.span.file, self.previous_end, self.previous_end);
        let is_line_over = self.is_outside_on_new_line() || self.current.kind == TokenKind::End;
        let (span, label) = if is_line_over {
            (after, "the line ends here".to_owned())
        } else {
            (self.current.span, format!("found {}", self.found()))
        };
        let help = match self.current.kind {
            _ if self.previous_is("%") => {
                "percentages have no literal here: write a fraction, such as `0.5`"
            }
            TokenKind::Symbol("=") if self.previous_is("==") => "CEL writes `==`",
            TokenKind::Symbol("=") if self.previous_is("!=") => "CEL writes `!=`",
            TokenKind::Unknown('“' | '”' | '‘' | '’' | '„') => {
                "strings stand between straight quotes: `\"…\"`"
            }
            TokenKind::Unknown('$') => {
                "money has no literal here: `cost.estimate` is a number of US dollars"
            }
            _ if is_line_over && self.current.kind != TokenKind::End => {
                "an expression goes on in the next line if that line starts with the operator, or inside parentheses"
            }
            _ => "write a field, a constant, a call or an expression in parentheses",
        };
        self.stop(
            EXPRESSION_SYNTAX
                .error(span, "an operand is missing")
                .label(label)
                .help(help),
        );
    }

    /// Whether what was read so far ends in `symbol`.
    fn previous_is(&self, symbol: &str) -> bool {
        self.lexer.before(self.previous_end).ends_with(symbol)
    }

    pub(super) fn expected(&mut self, what: &str, place: &str) {
        let (span, found) = if self.is_outside_on_new_line() {
            let end = Span::new(self.current.span.file, self.previous_end, self.previous_end);
            (end, "the end of the line".to_owned())
        } else {
            (self.current.span, self.found())
        };
        self.stop(
            EXPRESSION_SYNTAX
                .error(span, format!("expected {what}, found {found}"))
                .label(format!("{what} belongs here"))
                .help(format!("write {what} {place}")),
        );
    }

    /// Says that the innermost bracket is not closed by `bracket` where it should be.
    pub(super) fn unclosed(&mut self, bracket: &str) {
        // A quote too few pairs the others wrongly, up to one without a partner.
        if let TokenKind::Malformed(malformed) = self.current.kind.clone()
            && malformed.swallows
        {
            return self.stop(
                EXPRESSION_SYNTAX
                    .error(self.current.span, "a quote is missing on this line")
                    .label("this one has no partner")
                    .help("write the quote where a string before it ends, or where this one does"),
            );
        }
        let opened = self.brackets.last().copied();
        let is_line_over = self.current.on_new_line
            || self.current.kind == TokenKind::End
            || ["}", "]", ")"]
                .iter()
                .any(|close| self.current.kind.is(close));
        if let (Some((open, span)), true) = (opened, is_line_over) {
            let end = Span::new(span.file, self.previous_end, self.previous_end);
            self.stop(
                EXPRESSION_SYNTAX
                    .error(span, format!("`{open}` is not closed"))
                    .label("it opens here")
                    .because(end, format!("`{bracket}` is missing here"))
                    .help(format!("write `{bracket}` where it ends")),
            );
            return;
        }
        self.stop(
            EXPRESSION_SYNTAX
                .error(
                    self.current.span,
                    format!(
                        "expected an operator or `{bracket}`, found {}",
                        self.found()
                    ),
                )
                .label("nothing connects this to what stands before it")
                .help(format!("write an operator before it, or `{bracket}`")),
        );
    }

    pub(super) fn too_deep(&mut self, span: Span) {
        self.stop(
            EXPRESSION_SYNTAX
                .error(span, "the expression is nested too deeply")
                .label(format!("more than {} levels", super::MAXIMUM_DEPTH))
                .help("write several rules, or a list: `caller.team in [\"a\", \"b\"]`"),
        );
    }

    fn found(&self) -> String {
        match &self.current.kind {
            TokenKind::Word(word) => format!("`{word}`"),
            TokenKind::Quoted(name) => format!("`` `{name}` ``"),
            TokenKind::Integer(value) => format!("`{value}`"),
            TokenKind::Literal(_) => "a literal".to_owned(),
            TokenKind::Malformed(_) => "a broken literal".to_owned(),
            TokenKind::Symbol(symbol) => format!("`{symbol}`"),
            TokenKind::Unknown(c) => format!("`{c}`"),
            TokenKind::End => "the end of the text".to_owned(),
        }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        if !self.stopped {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Reports a mistake that nothing can be read after, and skips the rest of the expression.
    fn stop(&mut self, diagnostic: Diagnostic) {
        if self.stopped {
            return;
        }
        self.diagnostics.push(diagnostic);
        let mut open: Vec<&str> = self.brackets.iter().map(|(open, _)| *open).collect();
        while !self.is_after_mistake(&open) {
            match self.current.kind {
                TokenKind::Symbol(bracket @ ("(" | "[" | "{")) => open.push(bracket),
                TokenKind::Symbol(close @ (")" | "]" | "}")) => {
                    while open.pop().is_some_and(|open| closing(open) != close) {}
                }
                _ => {}
            }
            self.advance();
        }
        self.stopped = true;
    }

    /// Whether the current token stands after an expression with a mistake: it starts the next line, closes
    /// what the expression did not open, or follows an expression that ends as soon as it can.
    fn is_after_mistake(&self, open: &[&str]) -> bool {
        match self.current.kind {
            TokenKind::End => return true,
            _ if self.current.on_new_line => return true,
            TokenKind::Symbol(close @ (")" | "]" | "}")) => {
                return !open.iter().any(|open| closing(open) == close);
            }
            // At no depth, a brace opens a block of the file.
            TokenKind::Symbol("{") if open.is_empty() => return true,
            _ => {}
        }
        open.is_empty() && self.extent == Extent::Shortest
    }
}

fn closing(open: &str) -> &'static str {
    match open {
        "(" => ")",
        "[" => "]",
        _ => "}",
    }
}

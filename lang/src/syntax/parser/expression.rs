//! The seam to CEL: where an expression begins, and what may follow it.

use crate::cel::{self, ExprKind, Extent};
use crate::codes;
use crate::diagnostic::Edit;
use crate::source::Span;
use crate::syntax::lexer::{Token, TokenKind, indent};

use super::{MarkKind, Parser, Read, Reported};

/// What may follow a short expression, and is never the expression itself.
pub(super) const CLAUSES: &[&str] = &["on", "burst", "when", "for", "then", "per"];

impl Parser<'_> {
    /// `when EXPR` up to the end of the statement.
    pub(super) fn when(&mut self) -> Read<cel::Expr> {
        let found = self.marked_clause("when", MarkKind::When)
            || self.instead_of("when", &["if", "where", "whenever"])
            || self.forgotten_when();
        if self.at_word("unless") {
            return self.unless();
        }
        if !found {
            self.require_word("when")?;
        }
        self.statement_expression()
    }

    /// `unless EXPR`, taken for `when !(EXPR)`.
    fn unless(&mut self) -> Read<cel::Expr> {
        let word = self.bump();
        let mut expr = self.statement_expression()?;
        let edit = |start, end, text: &str| Edit {
            span: Span::new(self.file, start, end),
            text: text.to_owned(),
        };
        let report = codes::UNEXPECTED_TOKEN
            .error(self.span_of(word), "expected `when`, found `unless`")
            .label("a rule says when it holds")
            .help(format!("write `when !({expr})`"));
        let edits = [
            edit(word.start, expr.span.start, "when !("),
            edit(expr.span.end, expr.span.end, ")"),
        ];
        self.report(report.fix("write `when !(…)`", edits));
        // It means the opposite of what it says.
        expr.kind = ExprKind::Error;
        Ok(expr)
    }

    /// Reports a missing `when`, if what comes next can only be its condition.
    fn forgotten_when(&mut self) -> bool {
        let token = self.peek();
        let word = self.written(token);
        let next = self.tokens.at(token.end);
        let operator = matches!(
            next.kind,
            TokenKind::Operator | TokenKind::Less | TokenKind::OpenParen
        );
        let condition = self.at(TokenKind::Word)
            && !self.begins_statement(word)
            && (word.contains('.') || (operator && !next.first_on_line));
        if !condition {
            return false;
        }
        let span = self.span_of(token);
        let edit = Edit {
            span: Span::new(self.file, span.start, span.start),
            text: "when ".to_owned(),
        };
        self.report(
            codes::UNEXPECTED_TOKEN
                .error(span, format!("expected `when`, found `{word}`"))
                .label("the condition begins here")
                .help(format!("write `when {word} …`"))
                .fix("add `when`", [edit]),
        );
        true
    }

    /// `when EXPR`, if it is there.
    pub(super) fn optional_when(&mut self) -> Read<Option<cel::Expr>> {
        if self.marked_clause("when", MarkKind::When) {
            return self.statement_expression().map(Some);
        }
        Ok(None)
    }

    /// An expression to the end of the statement. One that has errors stands in the tree as such, so that
    /// its rule is still known by name.
    pub(super) fn statement_expression(&mut self) -> Read<cel::Expr> {
        let (mut expr, sound) = self.expression(Extent::Statement)?;
        if !sound {
            self.skip_operand();
            self.skip_expression();
            self.skipped_from(expr.span.start);
        } else if !self.at_end() && !self.at(TokenKind::OpenBrace) {
            self.after_expression();
            self.skipped_from(expr.span.start);
            // Without its rest it may be of another type.
            expr.kind = ExprKind::Error;
        }
        Ok(expr)
    }

    /// An expression up to the first token that cannot continue it.
    pub(super) fn short_expression(&mut self) -> Read<cel::Expr> {
        match self.expression(Extent::Shortest)? {
            (expr, true) => Ok(expr),
            (_, false) => Err(Reported),
        }
    }

    fn expression(&mut self, extent: Extent) -> Read<(cel::Expr, bool)> {
        // Not looked at through `peek`, since what is no token of ours may be one of CEL's.
        let next = self.tokens.at(self.position);
        let nothing = matches!(
            next.kind,
            TokenKind::End | TokenKind::Comment | TokenKind::CloseBrace
        );
        let clause = extent == Extent::Shortest && CLAUSES.contains(&self.written(next));
        if nothing || next.first_on_line || clause {
            return Err(self.expected("an expression"));
        }
        let parsed = cel::parse(self.file, self.text, self.position, extent);
        let sound = !parsed.diagnostics.iter().any(|found| found.is_error());
        for found in parsed.diagnostics {
            self.report(found);
        }
        self.comments_within(next.start, parsed.end);
        self.layout.expressions.push((next.start, parsed.end));
        self.move_to(parsed.end.max(self.position));
        Ok((parsed.expr, sound))
    }

    fn comments_within(&mut self, start: u32, end: u32) {
        let mut from = start;
        while from < end {
            let token = self.tokens.at(from);
            if token.kind == TokenKind::Comment && token.start < end {
                self.comments.push(self.span_of(token));
            }
            if token.kind == TokenKind::End {
                return;
            }
            from = token.end;
        }
    }

    /// Skips the next line if it is indented deeper and the last one ended with an operator.
    fn skip_operand(&mut self) {
        let read = self.text.get(..self.position as usize).unwrap_or("");
        let open = [
            "&&", "||", "==", "!=", "<", ">", "=", "+", "-", "*", "/", "and", "or", "in",
        ];
        let token = self.peek();
        let deeper = indent(self.text, token.start) > indent(self.text, self.statement);
        let operand = !matches!(token.kind, TokenKind::End | TokenKind::CloseBrace);
        if operand
            && token.first_on_line
            && deeper
            && open.iter().any(|end| read.trim_end().ends_with(end))
        {
            self.bump();
            self.skip_line();
        }
    }

    /// What follows an expression in another language, and the edit that says the same here.
    fn repair_after(&self, token: Token) -> Option<(String, Edit)> {
        let next = self.tokens.at(token.end);
        let ends =
            next.first_on_line || matches!(next.kind, TokenKind::End | TokenKind::CloseBrace);
        let condition = next.kind == TokenKind::Word && !ends;
        let edit = |start, text: &str| Edit {
            span: Span::new(self.file, start, token.end),
            text: text.to_owned(),
        };
        match (token.kind, self.written(token)) {
            (TokenKind::Colon, _) if ends => {
                Some(("remove `:`".to_owned(), edit(self.position, "")))
            }
            (TokenKind::Comma, _) if condition && !self.begins_statement(self.written(next)) => {
                Some((
                    "join the two with `&&`".to_owned(),
                    edit(self.position, " &&"),
                ))
            }
            (TokenKind::Word, "when" | "if") if condition => {
                Some(("join the two with `&&`".to_owned(), edit(token.start, "&&")))
            }
            (TokenKind::Colon, _) if next.kind == TokenKind::Equal && next.start == token.end => {
                let span = Span::new(self.file, token.start, next.end);
                let text = "==".to_owned();
                Some(("write `==`".to_owned(), Edit { span, text }))
            }
            _ => None,
        }
    }

    /// What to do about something that follows an expression.
    fn advice_after(&mut self, token: Token, found: &str) -> String {
        let before = self.text.get(..token.start as usize).unwrap_or("");
        let next = self.tokens.at(token.end);
        match token.kind {
            _ if self.begins_statement(self.written(token)) => {
                format!("an expression takes the rest of its line: begin {found} on a new one")
            }
            TokenKind::Comma
                if next.kind == TokenKind::Number && before.ends_with(char::is_numeric) =>
            {
                "digits are not grouped: remove the `,`".to_owned()
            }
            TokenKind::CloseParen => "remove it, or add the `(` that it closes".to_owned(),
            TokenKind::Text if before.ends_with(['f', 'F']) => {
                "texts have no `f` before them: join texts with `+`".to_owned()
            }
            TokenKind::Text => {
                format!("a label stands before the condition: write {found} before `when`")
            }
            TokenKind::Word if self.written(token) == "else" => {
                "there is no `else`: write a rule for the other case, or `condition ? a : b`".to_owned()
            }
            TokenKind::Word if self.written(token) == "between" => {
                "write two comparisons: `x >= 1 && x <= 5`".to_owned()
            }
            TokenKind::Word if self.written(token) == "like" => {
                "write `.startsWith(…)`, `.endsWith(…)`, `.contains(…)` or `.matches(…)` after a text".to_owned()
            }
            TokenKind::Word if before.trim_end().ends_with("some") => {
                "write `list.exists(x, …)`".to_owned()
            }
            TokenKind::Word if next.kind == TokenKind::Text && !next.first_on_line => {
                format!(
                    "functions are called: write `.{}({})` after a text",
                    self.written(token),
                    self.written(next)
                )
            }
            _ => "remove it, or join it to the expression with an operator".to_owned(),
        }
    }

    fn after_expression(&mut self) {
        let token = self.peek();
        if token.kind != TokenKind::UnclosedText {
            let (span, found) = self.found(token);
            let report = codes::UNEXPECTED_TOKEN
                .error(span, format!("unexpected {found} after the expression"))
                .label("the expression ends before this");
            let report = match self.repair_after(token) {
                Some((help, edit)) => report.help(help.clone()).fix(help, [edit]),
                None => report.help(self.advice_after(token, &found)),
            };
            self.report(report);
        }
        self.skip_expression();
    }
}

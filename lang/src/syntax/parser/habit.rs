//! What other languages write between words: read as it was meant, and said once with its correction, so that
//! the statement still stands in the tree and nothing that uses it is a second finding.

use crate::codes;
use crate::diagnostic::{Diagnostic, Edit};
use crate::source::{Span, Spanned};
use crate::syntax::lexer::{Token, TokenKind, offset};
use crate::syntax::text;
use crate::syntax::tree::{Name, Text};

use super::Parser;
use super::values::is_name;

/// Words that may follow a name, whatever it is.
const AFTER_A_NAME: &[&str] = &[
    "on",
    "burst",
    "when",
    "for",
    "then",
    "per",
    "as",
    "deployment",
    "in",
    "status",
    "secret",
    "at",
];

/// What may stand in a string that has no quotes.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || "._-/:@*+~%?&=<>".contains(c)
}

impl Parser<'_> {
    /// Takes a `:` or `=` after `word`, as YAML and HCL have it.
    pub(super) fn skip_separator(&mut self, word: &str) {
        let token = self.peek();
        if token.first_on_line || !matches!(token.kind, TokenKind::Colon | TokenKind::Equal) {
            return;
        }
        let sign = self.written(token);
        let spaced = |at: Option<char>| at.is_none_or(char::is_whitespace);
        let before = self.text.get(..token.start as usize).unwrap_or("");
        let after = self.text.get(token.end as usize..).unwrap_or("");
        let apart = spaced(before.chars().next_back()) || spaced(after.chars().next());
        let title = format!("remove `{sign}`");
        let edit = Edit {
            span: self.span_of(token),
            text: if apart { "" } else { " " }.to_owned(),
        };
        let report = codes::UNEXPECTED_TOKEN
            .error(
                self.span_of(token),
                format!("unexpected `{sign}` after `{word}`"),
            )
            .label("only a space belongs here")
            .help(format!(
                "remove it: `{word}` and its value stand apart by spaces"
            ))
            .fix(title, [edit]);
        self.report_habit(report);
        self.bump();
    }

    /// Makes a finding, unless the line already has the same with the same fix: then both are one habit.
    pub(super) fn report_habit(&mut self, report: Diagnostic) {
        let line = self.line_start(report.primary.span.start);
        if let (Some(first), Some(fix)) = (self.diagnostics.last_mut(), &report.fix)
            && first.primary.span.start >= line
            && first.code == report.code
            && let Some(known) = &mut first.fix
            && known.title == fix.title
        {
            known.edits.extend(fix.edits.iter().cloned());
            let again = first.clone().because(report.primary.span, "here too");
            *first = again;
            return;
        }
        self.report(report);
    }

    /// A name in quotes, taken for the name.
    pub(super) fn quoted_name(&mut self, what: &str) -> Option<Name> {
        let token = self.peek();
        if !self.at(TokenKind::Text) {
            return None;
        }
        let written = self.written(token);
        let name = text::decode(written).ok().filter(|name| is_name(name))?;
        let span = self.span_of(token);
        self.bump();
        let edit = Edit {
            span,
            text: name.clone(),
        };
        self.report_habit(
            codes::UNEXPECTED_TOKEN
                .error(span, format!("expected {what}, found `{written}`"))
                .label("names stand without quotes")
                .help(format!("write `{name}`"))
                .fix("remove the quotes", [edit]),
        );
        Some(Spanned::new(name, span))
    }

    /// A string without quotes, or without its first.
    pub(super) fn unquoted_text(&mut self) -> Option<Text> {
        let token = self.peek();
        let begins = matches!(token.kind, TokenKind::Word | TokenKind::Number);
        if token.first_on_line || !begins || self.begins_statement(self.written(token)) {
            return None;
        }
        if let Some(text) = self.stray_word(token) {
            return Some(text);
        }
        let rest = self.text.get(token.start as usize..)?;
        let length = rest.find(|c| !is_plain(c)).unwrap_or(rest.len());
        let value = rest.get(..length)?.to_owned();
        let closed = rest.get(length..)?.starts_with(['"', '\'']);
        let end = token.start + offset(length) + u32::from(closed);
        let span = Span::new(self.file, token.start, end);
        self.move_to(end);
        let edit = Edit {
            span,
            text: format!("\"{value}\""),
        };
        self.report(
            codes::UNEXPECTED_TOKEN
                .error(span, format!("expected a string, found `{value}`"))
                .label(match closed {
                    true => "the quote before it is missing",
                    false => "strings stand in quotes",
                })
                .help(format!("write `\"{value}\"`"))
                .fix("put it in quotes", [edit]),
        );
        Some(Spanned::new(value, span))
    }

    /// A string after a word that does not belong there: `as as "x"`.
    fn stray_word(&mut self, word: Token) -> Option<Text> {
        let next = self.tokens.at(word.end);
        if next.kind != TokenKind::Text || next.first_on_line {
            return None;
        }
        let written = self.written(word);
        let edit = Edit {
            span: Span::new(self.file, word.start, next.start),
            text: String::new(),
        };
        self.report(
            codes::UNEXPECTED_TOKEN
                .error(
                    self.span_of(word),
                    format!("expected a string, found `{written}`"),
                )
                .label("does not belong here")
                .help(format!("remove `{written}`, or write it after the string"))
                .fix(format!("remove `{written}`"), [edit]),
        );
        self.bump();
        self.text_anywhere().ok()
    }

    /// Takes the `[` of a list, as JSON writes one.
    pub(super) fn open_bracket(&mut self) -> Option<Token> {
        let token = self.peek();
        let bracket = self.at(TokenKind::Operator) && self.written(token) == "[";
        bracket.then(|| {
            self.bump();
            self.go_on();
            token
        })
    }

    /// Takes its `]`, and says that lists have neither.
    pub(super) fn close_bracket(&mut self, open: Token) {
        let close = self.peek();
        let mut edits = vec![self.removal(open)];
        let closed = self.written(close) == "]";
        if closed {
            edits.push(self.removal(close));
            self.bump();
        }
        let report = codes::UNEXPECTED_TOKEN
            .error(self.span_of(open), "unexpected `[` before a list")
            .label("lists stand without brackets")
            .help("remove `[` and `]`: commas make the list");
        self.report(match closed {
            true => report.fix("remove the brackets", edits),
            false => report,
        });
    }

    /// Reads on as if the next token stood on this line.
    pub(super) fn go_on(&mut self) {
        let token = self.peek();
        self.ahead = Some(Token {
            first_on_line: false,
            ..token
        });
    }

    /// Takes a token of this kind that the last fix removes as well.
    pub(super) fn drop_too(&mut self, kind: TokenKind) -> bool {
        let token = self.peek();
        let edit = self.removal(token);
        let found = self.eat(kind);
        let fix = self
            .diagnostics
            .last_mut()
            .and_then(|last| last.fix.as_mut());
        if let (true, Some(fix)) = (found, fix) {
            fix.edits.push(edit);
        }
        found
    }

    fn removal(&self, token: Token) -> Edit {
        Edit {
            span: self.span_of(token),
            text: String::new(),
        }
    }

    /// Says that a comma is missing, if what comes next can only be the next item of a list.
    pub(super) fn missing_comma(&mut self, words: bool) -> bool {
        let token = self.peek();
        let next = self.tokens.at(token.end);
        let word = self.written(token);
        let item = match token.kind {
            TokenKind::Text => true,
            TokenKind::Word if self.may_begin_statement(word) => false,
            TokenKind::Word => words != (next.kind == TokenKind::Number && !next.first_on_line),
            _ => false,
        };
        if !item || token.first_on_line {
            return false;
        }
        let at = Span::new(self.file, self.position, self.position);
        let edit = Edit {
            span: at,
            text: ",".to_owned(),
        };
        let report = codes::UNEXPECTED_TOKEN
            .error(self.span_of(token), format!("expected `,`, found `{word}`"))
            .label("another item of the list")
            .help(format!("write `,` before `{word}`"))
            .fix("add the comma", [edit]);
        self.report_habit(report);
        true
    }

    /// Takes a second comma.
    pub(super) fn doubled_comma(&mut self) {
        let token = self.peek();
        if !self.at(TokenKind::Comma) {
            return;
        }
        let edit = self.removal(token);
        let report = codes::UNEXPECTED_TOKEN
            .error(self.span_of(token), "unexpected `,` after a comma")
            .label("nothing stands between the two")
            .help("remove it, or write the item that is missing")
            .fix("remove `,`", [edit]);
        self.report(report);
        self.bump();
    }

    /// Takes one of `wrong` for the word `right`.
    pub(super) fn instead_of(&mut self, right: &'static str, wrong: &[&str]) -> bool {
        let token = self.peek();
        let found = self.at(TokenKind::Word) && wrong.contains(&self.written(token));
        if found {
            self.misspelt_as(token, right, &format!("`{right}` belongs here"));
            self.bump();
        }
        found
    }

    /// Takes a word that is written twice in a row: `kind kind openai`.
    pub(super) fn doubled_word(&mut self, first: Token) {
        let again = self.peek();
        let next = self.tokens.at(again.end);
        let value = matches!(next.kind, TokenKind::Word | TokenKind::Text)
            && !next.first_on_line
            && !self.begins_statement(self.written(next))
            && !["then", "deployment", "as"].contains(&self.written(next));
        let word = self.written(first);
        if value && self.at(TokenKind::Word) && self.written(again) == word {
            self.drop_doubled(first.end, again);
        }
    }

    /// Takes the word before a name that is written twice in a row: `secret secret a`.
    pub(super) fn doubled_before_name(&mut self) {
        let again = self.peek();
        let next = self.tokens.at(again.end);
        let name = next.kind == TokenKind::Word
            && !next.first_on_line
            && !self.begins_statement(self.written(next))
            && !AFTER_A_NAME.contains(&self.written(next));
        let before = self.text.get(..self.position as usize).unwrap_or("");
        let before = before.rsplit(char::is_whitespace).next().unwrap_or("");
        if name && self.at(TokenKind::Word) && before == self.written(again) {
            self.drop_doubled(self.position, again);
        }
    }

    fn drop_doubled(&mut self, first: u32, again: Token) {
        let word = self.written(again);
        let edit = Edit {
            span: Span::new(self.file, first, again.end),
            text: String::new(),
        };
        self.report(
            codes::UNEXPECTED_TOKEN
                .error(
                    self.span_of(again),
                    format!("`{word}` is written twice in a row"),
                )
                .label("again here")
                .help("remove it")
                .fix(format!("remove `{word}`"), [edit]),
        );
        self.bump();
    }
}

//! What other languages write between words: read as it was meant, and said once with its correction, so that
//! the statement still stands in the tree and nothing that uses it is a second finding.

use crate::codes;
use crate::diagnostic::{Diagnostic, Edit};
use crate::source::{Span, Spanned};
use crate::syntax::lexer::{Token, TokenKind, offset};
use crate::syntax::text;
use crate::syntax::tree::{Name, Text};

use super::Parser;
use super::fields::Block;
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

/// The line that begins at `start` as the edits leave it, if it is short enough to be shown.
fn corrected(text: &str, start: u32, edits: &[Edit]) -> Option<String> {
    const LONGEST: usize = 72;
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|edit| edit.span.start);
    let line = text.get(start as usize..)?;
    let end = start as usize + line.find('\n').unwrap_or(line.len());
    let (mut right, mut at) = (String::new(), start as usize);
    for edit in edits {
        right.push_str(text.get(at..edit.span.start as usize)?);
        right.push_str(&edit.text);
        at = edit.span.end as usize;
    }
    right.push_str(text.get(at..end)?);
    let quoted = right.split('"').skip(1).step_by(2);
    let spaced = quoted.clone().any(|text| text.contains("  "));
    let right = match spaced {
        true => right.trim().to_owned(),
        false => right.split_whitespace().collect::<Vec<_>>().join(" "),
    };
    (right.chars().count() <= LONGEST).then_some(right)
}

impl<'t> Parser<'t> {
    /// Takes a `:` or `=` after `word`, as YAML and HCL have it.
    pub(super) fn skip_separator(&mut self, word: &str) {
        let token = self.peek();
        if token.first_on_line || !matches!(token.kind, TokenKind::Colon | TokenKind::Equal) {
            return;
        }
        let sign = self.written(token);
        if self.list_below(token, word) {
            return;
        }
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

    /// Makes a finding, unless the line already has one of the kind: all that a line keeps of another language is
    /// one habit, with one fix.
    pub(super) fn report_habit(&mut self, report: Diagnostic) {
        let at = report.primary.span.start;
        let line = self.line_start(at);
        let known = self.habit.filter(|habit| *habit >= line);
        let first = self
            .diagnostics
            .iter_mut()
            .rev()
            .find(|one| Some(one.primary.span.start) == known && one.fix.is_some());
        let (Some(first), Some(fix)) = (first, &report.fix) else {
            self.habit = Some(at);
            self.report(report);
            return;
        };
        let mut again = first.clone();
        let same = again
            .fix
            .as_ref()
            .is_some_and(|known| known.title == fix.title);
        let said = if same {
            "here too"
        } else {
            report.primary.message.as_str()
        };
        again = again.because(report.primary.span, said);
        if let Some(known) = &mut again.fix {
            known.edits.extend(fix.edits.iter().cloned());
            if !same && let Some(right) = corrected(self.text, line, &known.edits) {
                known.title = format!("write `{right}`");
                again.help = Some(format!("write `{right}`"));
            }
        }
        *first = again;
    }

    /// Skips a list with an item a line, as YAML has it, after the `:` that it belongs to.
    fn list_below(&mut self, sign: Token, word: &str) -> bool {
        let below = self.text.get(sign.end as usize..).unwrap_or("");
        let mut end = sign.end;
        for (number, line) in below.split_inclusive('\n').enumerate() {
            let text = line.trim();
            match number {
                0 if text.is_empty() => {}
                0 => return false,
                _ if text.starts_with("- ") || text.is_empty() => {}
                _ => break,
            }
            end = end.saturating_add(offset(line.len()));
        }
        let list = self.text.get(sign.end as usize..end as usize).unwrap_or("");
        if list.trim().is_empty() {
            return false;
        }
        let report = codes::UNEXPECTED_TOKEN
            .error(
                self.span_of(sign),
                format!("a list after `{word}:` with an item a line"),
            )
            .label("lists have no dashes")
            .help(match self.form {
                "" => "write the items in one line, with commas between them".to_owned(),
                form => format!("write the items in one line: `{form}`"),
            });
        self.report(report);
        let listed = offset(list.trim_end().len());
        self.move_to(sign.end.saturating_add(listed));
        self.suspect = sign.end..end;
        true
    }

    /// Whether a text is the name of a field of the block being read, with `:` or `=` after it.
    pub(super) fn quotes_field(&self, token: Token) -> bool {
        let next = self.tokens.at(token.end);
        let written = self.written(token);
        let name = written
            .strip_prefix('"')
            .and_then(|name| name.strip_suffix('"'));
        let pair = matches!(next.kind, TokenKind::Colon | TokenKind::Equal) && !next.first_on_line;
        token.kind == TokenKind::Text
            && pair
            && name.is_some_and(|name| self.begins_statement(name))
    }

    /// A field's name in quotes before `:` or `=`, as JSON has it, taken for the name.
    pub(super) fn quoted_field(&mut self, token: Token, block: &Block) -> Option<&'t str> {
        if !self.quotes_field(token) {
            return None;
        }
        let written = self.written(token);
        let name = written.trim_matches('"');
        block.field(name)?;
        let edit = Edit {
            span: self.span_of(token),
            text: name.to_owned(),
        };
        self.report_habit(
            codes::UNEXPECTED_TOKEN
                .error(
                    self.span_of(token),
                    format!("expected a field, found `{written}`"),
                )
                .label("fields stand without quotes")
                .help(format!("write `{name}`"))
                .fix("remove the quotes", [edit]),
        );
        Some(name)
    }

    /// Takes the `-` before a statement, as a YAML list has it.
    pub(super) fn dash(&mut self, block: &Block) {
        let token = self.peek();
        let next = self.tokens.at(token.end);
        if token.kind != TokenKind::Minus || block.field(next.text(self.text)).is_none() {
            return;
        }
        let edit = Edit {
            span: Span::new(self.file, token.start, next.start),
            text: String::new(),
        };
        self.report_habit(
            codes::UNEXPECTED_TOKEN
                .error(self.span_of(token), "unexpected `-` before a statement")
                .label("statements are no list")
                .help("remove it")
                .fix("remove `-`", [edit]),
        );
        self.bump();
    }

    /// Takes `secret.name`, as a language with references has it, for `secret name`.
    pub(super) fn dotted_secret(&mut self) -> Option<Name> {
        let token = self.peek();
        let name = self.written(token).strip_prefix("secret.")?;
        if !self.at(TokenKind::Word) || !is_name(name) {
            return None;
        }
        let span = self.span_of(token);
        let dot = Span::new(
            self.file,
            span.end - offset(name.len()) - 1,
            span.end - offset(name.len()),
        );
        self.bump();
        let edit = Edit {
            span: dot,
            text: " ".to_owned(),
        };
        self.report_habit(
            codes::UNEXPECTED_TOKEN
                .error(
                    span,
                    format!("expected `secret NAME`, found `secret.{name}`"),
                )
                .label("the word and the name stand apart")
                .help(format!("write `secret {name}`"))
                .fix(format!("write `secret {name}`"), [edit]),
        );
        Some(Spanned::new(
            name.to_owned(),
            Span::new(self.file, dot.end, span.end),
        ))
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
        if let Some(name) = self.two_names(token) {
            return Some(name);
        }
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

    /// `"a" "b" {`: the labels of a block of HCL, of which one is its name here.
    fn two_names(&mut self, first: Token) -> Option<Name> {
        let second = self.tokens.at(first.end);
        let block = self.tokens.at(second.end).kind == TokenKind::OpenBrace;
        if second.kind != TokenKind::Text || second.first_on_line || !block {
            return None;
        }
        let name = text::decode(self.written(second))
            .ok()
            .filter(|name| is_name(name))?;
        let span = Span::new(self.file, first.start, second.end);
        self.move_to(second.end);
        self.report(
            codes::UNEXPECTED_TOKEN
                .error(span, "expected one name, found two")
                .label("a statement has one, without quotes")
                .help(format!(
                    "write `{name}`: what it belongs to is one of its fields"
                )),
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
        if matches!(value.as_str(), "null" | "None" | "nil" | "~") {
            return None;
        }
        let closed = rest.get(length..)?.starts_with(['"', '\'']);
        let end = token.start + offset(length) + u32::from(closed);
        let span = Span::new(self.file, token.start, end);
        self.move_to(end);
        let edit = Edit {
            span,
            text: format!("\"{value}\""),
        };
        let report = codes::UNEXPECTED_TOKEN
            .error(span, format!("expected a string, found `{value}`"))
            .label(match closed {
                true => "the quote before it is missing",
                false => "strings stand in quotes",
            })
            .help(format!("write `\"{value}\"`"))
            .fix("put it in quotes", [edit]);
        match closed {
            true => {
                self.report(report);
            }
            false => self.report_habit(report),
        }
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

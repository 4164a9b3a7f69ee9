//! What is said of text that makes no token: strings without an end, quotes and comments of other languages,
//! characters that mean nothing.

use crate::codes;
use crate::diagnostic::{Diagnostic, Edit};
use crate::source::Span;
use crate::syntax::lexer::{Token, TokenKind, offset, without_closing_braces};

use super::Parser;
use super::cursor::shortened;

impl Parser<'_> {
    /// Reports a string that is not closed, or has the wrong quotes.
    pub(super) fn checked_text(&mut self, token: Token) -> Token {
        match token.kind {
            TokenKind::UnclosedText => self.unclosed_text(token),
            TokenKind::CurlyText => {
                self.curly_text(token);
                Token {
                    kind: TokenKind::Text,
                    ..token
                }
            }
            _ => token,
        }
    }

    fn unclosed_text(&mut self, token: Token) -> Token {
        self.swallowed |= token.end as usize >= self.text.trim_end().len();
        let line = self.line_start(token.start);
        let open = self.blocks.iter().filter(|block| block.open >= line);
        let token = without_closing_braces(token, self.text, open.count());
        let written = token.text(self.text);
        let quote = if written.contains('"') { '"' } else { '\'' };
        let lines = written.contains('\n');
        let long = written.trim_start_matches(['r', 'R', 'b', 'B']);
        let span = if lines || long.starts_with("\"\"\"") || long.starts_with("'''") {
            let prefix = offset(written.len() - long.len());
            Span::new(
                self.file,
                token.start,
                (token.start + prefix + 3).min(token.end),
            )
        } else {
            self.span_of(token)
        };
        let (label, help) = if lines {
            (
                "opened here",
                "close it with the same three quotes".to_owned(),
            )
        } else {
            let help =
                format!("end it with `{quote}`; text of several lines stands between `\"\"\"`");
            ("no closing quote on this line", help)
        };
        let message = "the string is never closed";
        // The quote that closes a text broken over two lines.
        let closes = self
            .open_text
            .replace(token.end)
            .is_some_and(|end| on_next_line(self.text, end, token.start));
        if closes {
            return token;
        }
        self.report(
            codes::UNTERMINATED_STRING
                .error(span, message)
                .label(label)
                .help(help),
        );
        token
    }

    fn curly_text(&mut self, token: Token) {
        let written = token.text(self.text);
        let inner = written
            .char_indices()
            .nth(1)
            .zip(written.char_indices().next_back())
            .and_then(|((start, _), (end, _))| written.get(start..end))
            .unwrap_or("");
        let span = self.span_of(token);
        let mut report = codes::UNKNOWN_CHARACTER
            .error(span, "only straight quotes make a string")
            .label("quoted with other characters")
            .help(format!("write `\"{inner}\"`"));
        if !inner.contains(['"', '\\']) {
            let edit = Edit {
                span,
                text: format!("\"{inner}\""),
            };
            report = report.fix("use straight quotes", [edit]);
        }
        self.report(report);
    }

    fn semicolon(&mut self, span: Span) {
        let edit = Edit {
            span,
            text: String::new(),
        };
        self.report_habit(
            codes::UNKNOWN_CHARACTER
                .error(span, "`;` means nothing here")
                .label("not part of the language")
                .help("remove it: a statement ends with its line, and fields need no separator")
                .fix("remove `;`", [edit]),
        );
    }

    /// Whether a token is the `\\` with which other languages join a line to the next.
    pub(super) fn joins_lines(&self, token: Token) -> bool {
        let rest = self.text.get(token.end as usize..).unwrap_or("");
        let line = rest.lines().next().unwrap_or("");
        token.text(self.text) == "\\" && line.trim().is_empty()
    }

    fn joined_lines(&mut self, span: Span) {
        let rest = self.text.get(span.end as usize..).unwrap_or("");
        let blank = rest.len() - rest.trim_start().len();
        let edit = Edit {
            span: Span::new(span.file, span.start, span.end + offset(blank)),
            text: String::new(),
        };
        self.report(
            codes::UNKNOWN_CHARACTER
                .error(span, "`\\` does not join lines")
                .label("a statement ends with its line")
                .help("write the statement in one line")
                .fix("join the lines", [edit]),
        );
    }

    pub(super) fn unknown_characters(&mut self, token: Token) {
        let span = self.span_of(token);
        let written = token.text(self.text);
        let report = if let Some(rest) = written.strip_prefix('#') {
            let edit = Edit {
                span: Span::new(self.file, token.start, token.start + 1),
                text: "//".to_owned(),
            };
            codes::UNKNOWN_CHARACTER
                .error(span, "`#` does not begin a comment")
                .label("read as a comment")
                .help(format!("write `//{}`", shortened(rest)))
                .fix("write `//`", [edit])
        } else if written.starts_with("/*") {
            codes::UNKNOWN_CHARACTER
                .error(span, "`/*` does not begin a comment")
                .label("read as a comment")
                .help("begin each line of the comment with `//`")
        } else {
            let help = if written.starts_with(';') {
                return self.semicolon(span);
            } else if self.joins_lines(token) {
                return self.joined_lines(span);
            } else if written.starts_with(['€', '£', '¥']) {
                // What is read of the amount follows from its sign.
                self.report(foreign_money(span, written));
                return self.suspect_from(token.start);
            } else if written.contains('\0') {
                // Another encoding, or no text at all: every line has more of them.
                if std::mem::replace(&mut self.is_binary, true) {
                    self.suspect_from(token.end);
                    self.suspect.start = self.position;
                    return;
                }
                "save the file as UTF-8 text"
            } else {
                "remove it; if it is part of a text, quote the text"
            };
            self.report(
                codes::UNKNOWN_CHARACTER
                    .error(span, format!("`{}` means nothing here", visible(written)))
                    .label("not part of the language")
                    .help(help),
            );
            // What is missing instead, and what follows, has the same cause.
            self.suspect_from(token.end);
            self.suspect.start = self.position;
            return;
        };
        self.report(report);
    }
}

/// Whether the text at `at` stands on the line after that of `before`.
fn on_next_line(text: &str, before: u32, at: u32) -> bool {
    let between = text.get(before as usize..at as usize).unwrap_or("");
    between.matches('\n').count() == 1
}

pub(super) fn foreign_money(span: Span, sign: &str) -> Diagnostic {
    codes::UNKNOWN_CHARACTER
        .error(span, format!("`{sign}` is no sign of money here"))
        .label("prices are in US dollars")
        .help("write the amount in US dollars, such as `$50`")
}

/// Characters that can be seen as they are, others by their number.
fn visible(text: &str) -> String {
    let first: Vec<char> = text.chars().take(12).collect();
    let seen = |c: &char| match c.is_control() || is_invisible(*c) {
        true => format!("U+{:04X}", u32::from(*c)),
        false => c.to_string(),
    };
    let shown: String = first.iter().map(seen).collect();
    if text.chars().count() > first.len() {
        format!("{shown}…")
    } else {
        shown
    }
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

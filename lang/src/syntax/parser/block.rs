//! Blocks: the statements between `{` and `}`, and how the parser goes on after a bad one.

use std::cmp::Ordering;

use crate::codes;
use crate::diagnostic::Edit;
use crate::source::Span;
use crate::syntax::lexer::{Token, TokenKind, indent};

use super::fields::{self, Block, Field};
use super::{MarkKind, Parser, Read, Reported, foreign};

/// A block that is being read.
pub(super) struct Frame {
    /// The byte of its `{`.
    pub(super) open: u32,
    /// Where it ends if it is never closed.
    until: Option<u32>,
    pub(super) block: &'static Block,
}

/// The first word of a statement.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keyword<'t> {
    /// The field's name; for a field with a free end (`caller.team`), the part before it.
    pub(super) name: &'static str,
    /// As written, unless it was misspelt.
    pub(super) written: &'t str,
    /// Where.
    pub(super) span: Span,
    /// Whether it is reported as written twice; the first is what counts.
    pub(super) again: bool,
}

impl<'t> Parser<'t> {
    /// Reads `{ … }`, calling `statement` after each field's first word. A statement that cannot be read is
    /// skipped, so a block as a whole only fails if its `{` is missing.
    pub(super) fn block(
        &mut self,
        block: &'static Block,
        mut statement: impl FnMut(&mut Self, Keyword<'t>) -> Read<()>,
    ) -> Read<()> {
        let open = self.open_block(block)?;
        let form = self.form;
        let mut seen: Vec<(&str, Span)> = Vec::new();
        let mut before = None;
        while !self.closes(open) {
            self.progress(&mut before);
            let start = self.peek().start;
            let Some(mut keyword) = self.keyword(block) else {
                self.recover();
                self.skipped_from(start);
                continue;
            };
            keyword.again = self.repeated(block, keyword, &mut seen);
            let errors = self.diagnostics.len();
            let read = statement(self, keyword);
            if read.is_err() {
                if self.guessed(keyword) {
                    self.diagnostics.truncate(errors);
                }
                // One that could not be read may be written again, on the same line even: `kind kind openai`.
                if !keyword.again {
                    seen.retain(|(name, _)| *name != keyword.written);
                }
                self.recover();
                self.skipped_from(start);
            }
        }
        self.form = form;
        Ok(())
    }

    /// Takes the `{` of a block.
    pub(super) fn open_block(&mut self, block: &'static Block) -> Read<Token> {
        let next = self.peek().end;
        if self.tokens.at(next).kind == TokenKind::OpenBrace {
            let before = self.text.get(..self.position as usize).unwrap_or("");
            let word = before.rsplit(char::is_whitespace).next().unwrap_or("");
            self.skip_separator(word);
        }
        if let Some(open) = self.indented_block(block) {
            return Ok(open);
        }
        let open = match self.forgotten_brace(block) {
            Some(open) => open,
            None => self.require(TokenKind::OpenBrace, "`{`")?,
        };
        let open = self.doubled_brace(open).unwrap_or(open);
        let until = self.end_if_unclosed(open);
        self.blocks.push(Frame {
            open: open.start,
            until,
            block,
        });
        Ok(open)
    }

    /// Takes a `:` at the end of its line for `{`, as YAML and Python open a block: what is indented deeper below is
    /// in it.
    fn indented_block(&mut self, block: &'static Block) -> Option<Token> {
        let colon = self.peek();
        let next = self.tokens.at(colon.end);
        let depth = indent(self.text, self.line_start(colon.start));
        let opens = self.at(TokenKind::Colon) && next.first_on_line;
        if !opens || indent(self.text, next.start) <= depth {
            return None;
        }
        let mut end = next;
        let mut token = next;
        while token.kind != TokenKind::End
            && (!token.first_on_line || indent(self.text, token.start) > depth)
        {
            end = token;
            token = self.tokens.at(token.end);
        }
        let edit = |start, end, text: String| Edit {
            span: Span::new(self.file, start, end),
            text,
        };
        let close = format!("\n{}}}", " ".repeat(depth as usize));
        let edits = [
            edit(colon.start, colon.end, " {".to_owned()),
            edit(end.end, end.end, close),
        ];
        self.report(
            codes::UNEXPECTED_TOKEN
                .error(self.span_of(colon), "expected `{`, found `:`")
                .label("a block begins here")
                .help("write `{`, and `}` in the line after the block")
                .fix("write the block in braces", edits),
        );
        self.bump();
        self.blocks.push(Frame {
            open: colon.end,
            until: Some(token.start),
            block,
        });
        Some(Token {
            kind: TokenKind::OpenBrace,
            start: colon.end,
            end: colon.end,
            first_on_line: false,
        })
    }

    /// Takes a second `{` in a row for the first, if the text has one too many there.
    fn doubled_brace(&mut self, first: Token) -> Option<Token> {
        let second = self.peek();
        let at = self.end_if_unclosed(first).is_some() && self.at(TokenKind::OpenBrace);
        if !at {
            return None;
        }
        self.bump();
        self.unclosed.retain(|found| found.open != first.start);
        let edit = Edit {
            span: self.span_of(second),
            text: String::new(),
        };
        self.report(
            codes::UNEXPECTED_TOKEN
                .error(self.span_of(second), "unexpected `{` after `{`")
                .label("the block is open already")
                .help("remove it")
                .fix("remove `{`", [edit]),
        );
        Some(second)
    }

    /// Reports a missing `{`, if the text has a `}` too many and what the block would have follows. The
    /// block is then read as if it were there.
    fn forgotten_brace(&mut self, block: &Block) -> Option<Token> {
        let next = self.peek();
        let word = self.written(next);
        let follows = next.kind == TokenKind::Word
            && (block.fields.is_empty() || block.field(word).is_some());
        if self.surplus == 0 || !follows {
            return None;
        }
        self.surplus -= 1;
        self.expected("`{`");
        Some(Token {
            kind: TokenKind::OpenBrace,
            start: self.position,
            end: self.position,
            first_on_line: false,
        })
    }

    /// Whether the block ends here; if so it is left, and its missing `}` reported.
    pub(super) fn closes(&mut self, open: Token) -> bool {
        let token = self.peek();
        let until = self.blocks.last().and_then(|frame| frame.until);
        let closer = token.kind == TokenKind::CloseParen || self.written(token) == "]";
        if until.is_some() && closer {
            self.wrong_closer(open, token);
            self.blocks.pop();
            return true;
        }
        let unclosed =
            token.kind == TokenKind::End || until.is_some_and(|until| token.start >= until);
        if unclosed {
            self.never_closed(open, token);
        } else if token.kind == TokenKind::CloseBrace {
            self.bump();
        } else {
            return false;
        }
        self.blocks.pop();
        true
    }

    /// Takes a `]` or `)` for the `}` of a block that has none.
    fn wrong_closer(&mut self, open: Token, token: Token) {
        let edit = Edit {
            span: self.span_of(token),
            text: "}".to_owned(),
        };
        let found = self.written(token);
        self.report(
            codes::UNEXPECTED_TOKEN
                .error(
                    self.span_of(token),
                    format!("expected `}}`, found `{found}`"),
                )
                .label("closes a block")
                .because(self.span_of(open), "opened here")
                .help("write `}`")
                .fix("write `}`", [edit]),
        );
        self.bump();
    }

    /// Where what a `{` opens is taken to end, if nothing closes it.
    pub(super) fn end_if_unclosed(&self, open: Token) -> Option<u32> {
        let at = self
            .unclosed
            .binary_search_by_key(&open.start, |found| found.open);
        self.unclosed.get(at.ok()?).map(|found| found.until)
    }

    pub(super) fn never_closed(&mut self, open: Token, next: Token) {
        self.skipped_from(open.start);
        let reported = open.start == open.end;
        if reported || (next.kind == TokenKind::End && self.swallowed) {
            return;
        }
        // Each is true, and all have one cause.
        const MOST: usize = 3;
        self.never_closed += 1;
        let label = match self.never_closed.cmp(&MOST) {
            Ordering::Less => "opened here".to_owned(),
            Ordering::Equal if self.unclosed.len() > MOST => {
                let others = self.unclosed.len() - MOST;
                format!("opened here, as are {others} more that are never closed")
            }
            Ordering::Equal => "opened here".to_owned(),
            Ordering::Greater => return,
        };
        let mut report = codes::UNCLOSED_DELIMITER
            .error(self.span_of(open), "`{` is never closed")
            .label(label)
            .help("add the missing `}`");
        if next.kind != TokenKind::End {
            let word = self.written(next);
            report = report.because(self.span_of(next), format!("`{word}` stands outside of it"));
        }
        self.report(report);
    }

    /// Takes the first word of a statement, if it is a field of `block` or nearly one.
    fn keyword(&mut self, block: &'static Block) -> Option<Keyword<'t>> {
        self.dash(block);
        let token = self.peek();
        let quoted = self.quoted_field(token, block);
        if token.kind != TokenKind::Word && quoted.is_none() {
            self.unexpected(token, block);
            return None;
        }
        let written = quoted.unwrap_or(self.written(token));
        let field = match block.field(written) {
            Some(field) => field,
            None => self.unknown_field(token, block)?,
        };
        let exact = block.field(written).is_some();
        self.bump();
        if !exact {
            for _ in self.rest_of_field(token) {
                self.bump();
            }
        }
        self.form = field.form;
        self.doubled_word(token);
        self.statement = token.start;
        self.skip_separator(written);
        self.layout.mark(token.start, MarkKind::Statement);
        self.mark_value();
        Some(Keyword {
            name: field.name,
            written: if exact { written } else { field.name },
            span: self.span_of(token),
            again: false,
        })
    }

    /// Marks the next token as the value of the statement whose first words have just been taken.
    pub(super) fn mark_value(&mut self) {
        if !self.at_end() {
            let at = self.peek().start;
            self.layout.mark_value(at);
        }
    }

    fn guessed(&self, keyword: Keyword<'_>) -> bool {
        let (start, end) = (keyword.span.start as usize, keyword.span.end as usize);
        self.text.get(start..end) != Some(keyword.written)
    }

    fn unexpected(&mut self, token: Token, block: &'static Block) -> Reported {
        match token.kind {
            TokenKind::Comma => return self.separator(token),
            TokenKind::Slash => return self.slash(token),
            _ => {}
        }
        if token.kind != TokenKind::UnclosedText {
            // A string that is not closed has been reported.
            let text = self.written(token);
            let report = codes::UNEXPECTED_TOKEN
                .error(
                    self.span_of(token),
                    format!("unexpected `{text}` in {}", block.title()),
                )
                .label("no field begins with this")
                .help(block.advice());
            self.report(report);
        }
        if token.kind != TokenKind::OpenBrace {
            self.suspect_from(token.end);
            self.bump();
        }
        Reported
    }

    /// A `/` where a statement begins: half of a comment.
    pub(super) fn slash(&mut self, token: Token) -> Reported {
        let span = self.span_of(token);
        let report = codes::UNEXPECTED_TOKEN
            .error(span, "unexpected `/`")
            .label("no statement begins with this")
            .help("a comment begins with `//`");
        self.report(report);
        self.bump();
        self.skip_line();
        Reported
    }

    fn separator(&mut self, token: Token) -> Reported {
        let span = self.span_of(token);
        let edit = Edit {
            span,
            text: String::new(),
        };
        self.report_habit(
            codes::UNEXPECTED_TOKEN
                .error(span, "unexpected `,` between fields")
                .label("separates nothing")
                .help("remove it: fields stand apart by spaces or lines")
                .fix("remove `,`", [edit]),
        );
        self.bump();
        Reported
    }

    /// Reports a word that is no field of `block`; the field that was meant, if that is plain. Otherwise the
    /// word is taken.
    fn unknown_field(&mut self, token: Token, block: &'static Block) -> Option<&'static Field> {
        let (word, written) = (self.span_of(token), self.written(token));
        let other = foreign::advice(written);
        let meant = block.meant(written).filter(|_| other.is_none());
        let rest = meant.map_or_else(Vec::new, |_| self.rest_of_field(token));
        let span = match rest.as_slice() {
            [second, _] => word.to(self.span_of(*second)),
            _ => word,
        };
        let written = self.text.get(span.start as usize..span.end as usize);
        let written = written.unwrap_or_default();
        let report = codes::UNKNOWN_FIELD
            .error(
                span,
                format!("`{written}` is no field of {}", block.title()),
            )
            .label("unknown here");
        let Some(meant) = meant else {
            let help = match fields::home_of(written) {
                None if other.is_some() => other.unwrap_or_default().to_owned(),
                _ if block.kind == fields::OUTCOMES.kind => block.advice(),
                _ if fields::ITEMS.field(written).is_some() => {
                    format!("`{written}` stands outside of {}, by itself", block.title())
                }
                Some(home) => format!("`{written}` belongs in `{home}`"),
                None => block.advice(),
            };
            self.report(report.help(help));
            self.suspect_from(token.end);
            self.bump();
            return None;
        };
        let edit = match rest.last() {
            Some(sign) => self.field_edit(word.to(self.span_of(*sign)), meant),
            None => self.field_edit(word, meant),
        };
        self.report(
            report
                .help(format!("did you mean `{}`?", meant.name))
                .fix(format!("write `{}`", meant.name), [edit]),
        );
        Some(meant)
    }

    /// What follows the first word of an unknown field before its value: a second word, and a sign, as in
    /// `default tier = weak`.
    fn rest_of_field(&self, first: Token) -> Vec<Token> {
        let mut rest = Vec::new();
        let mut next = self.tokens.at(first.end);
        if next.kind == TokenKind::Word && !next.first_on_line {
            rest.push(next);
            next = self.tokens.at(next.end);
        }
        let is_sign = matches!(next.kind, TokenKind::Colon | TokenKind::Equal);
        let value = self.tokens.at(next.end);
        if !is_sign || next.first_on_line || value.first_on_line {
            return Vec::new();
        }
        rest.push(next);
        rest
    }

    fn field_edit(&self, span: Span, meant: &Field) -> Edit {
        let after = self.text.get(span.end as usize..).unwrap_or("");
        let apart = !after.starts_with(|c: char| c.is_alphanumeric() || c == '"');
        Edit {
            span,
            text: format!("{}{}", meant.name, if apart { "" } else { " " }),
        }
    }

    /// Reports a field that may be written once and is written again.
    fn repeated<'s>(
        &mut self,
        block: &Block,
        keyword: Keyword<'s>,
        seen: &mut Vec<(&'s str, Span)>,
    ) -> bool {
        let repeats = block
            .field(keyword.written)
            .is_some_and(|field| field.repeats);
        // A misspelt word has its finding already, and may have meant another field.
        if repeats || self.guessed(keyword) {
            return false;
        }
        let first = seen.iter().find(|(name, _)| *name == keyword.written);
        if let Some((name, first)) = first {
            self.duplicate(name, keyword.span, *first);
            return true;
        }
        seen.push((keyword.written, keyword.span));
        false
    }

    pub(super) fn duplicate(&mut self, name: &str, again: Span, first: Span) {
        self.report(
            codes::DUPLICATE_FIELD
                .error(again, format!("`{name}` is written twice"))
                .label("again here")
                .because(first, "first here")
                .help("keep one of the two"),
        );
    }
}

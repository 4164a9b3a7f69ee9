//! Blocks: the statements between `{` and `}`, and how the parser goes on after a bad one.

use crate::codes;
use crate::diagnostic::{Edit, nearest};
use crate::source::{Span, Spanned};
use crate::syntax::lexer::{Token, TokenKind};
use crate::syntax::tree::{Name, Text};

use super::fields::{self, Block, Field};
use super::{MarkKind, Parser, Read, Reported};

/// A block that is being read.
pub(super) struct Frame {
    /// The byte of its `{`.
    pub(super) open: u32,
    /// Where it ends if it is never closed.
    until: Option<u32>,
    block: &'static Block,
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
        while !self.closes(open) {
            let Some(keyword) = self.keyword(block) else {
                self.recover();
                continue;
            };
            self.once(block, keyword, &mut seen);
            let errors = self.diagnostics.len();
            let read = statement(self, keyword);
            if read.is_err() {
                if self.guessed(keyword) {
                    self.diagnostics.truncate(errors);
                }
                self.recover();
            }
        }
        self.form = form;
        Ok(())
    }

    /// Takes the `{` of a block.
    pub(super) fn open_block(&mut self, block: &'static Block) -> Read<Token> {
        let open = self.require(TokenKind::OpenBrace, "`{`")?;
        let unclosed = self.unclosed.iter().find(|found| found.open == open.start);
        self.blocks.push(Frame {
            open: open.start,
            until: unclosed.map(|found| found.until),
            block,
        });
        Ok(open)
    }

    /// Whether the block ends here; if so it is left, and its missing `}` reported.
    pub(super) fn closes(&mut self, open: Token) -> bool {
        let token = self.peek();
        let until = self.blocks.last().and_then(|frame| frame.until);
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

    fn never_closed(&mut self, open: Token, next: Token) {
        let swallowed = self.diagnostics.last().is_some_and(|last| {
            last.code == codes::UNTERMINATED_STRING && next.kind == TokenKind::End
        });
        if swallowed {
            return;
        }
        let mut report = codes::UNCLOSED_DELIMITER
            .error(self.span_of(open), "`{` is never closed")
            .label("opened here")
            .help("add the missing `}`");
        if next.kind != TokenKind::End {
            let word = self.written(next);
            report = report.because(self.span_of(next), format!("`{word}` stands outside of it"));
        }
        self.report(report);
    }

    /// Takes the first word of a statement, if it is a field of `block` or nearly one.
    fn keyword(&mut self, block: &'static Block) -> Option<Keyword<'t>> {
        let token = self.peek();
        if token.kind != TokenKind::Word {
            self.unexpected(token, block);
            return None;
        }
        let written = self.written(token);
        let field = match block.field(written) {
            Some(field) => field,
            None => self.unknown_field(token, block)?,
        };
        self.bump();
        self.form = field.form;
        self.layout.mark(token.start, MarkKind::Statement);
        self.mark_value();
        let exact = block.field(written).is_some();
        Some(Keyword {
            name: field.name,
            written: if exact { written } else { field.name },
            span: self.span_of(token),
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
        if token.kind == TokenKind::Comma {
            self.separator(token);
        } else if token.kind != TokenKind::UnclosedText {
            // A string that is not closed has been reported.
            let text = self.written(token);
            let kind = block.kind;
            let report = codes::UNEXPECTED_TOKEN
                .error(
                    self.span_of(token),
                    format!("unexpected `{text}` in `{kind}`"),
                )
                .label("no field begins with this")
                .help(format!("{} takes {}", block.title(), block.names()));
            self.report(report);
        }
        if token.kind != TokenKind::OpenBrace {
            self.bump();
        }
        Reported
    }

    fn separator(&mut self, token: Token) {
        let span = self.span_of(token);
        let edit = Edit {
            span,
            text: String::new(),
        };
        self.report(
            codes::UNEXPECTED_TOKEN
                .error(span, "unexpected `,` between fields")
                .label("separates nothing")
                .help("remove it: fields stand apart by spaces or lines")
                .fix("remove `,`", [edit]),
        );
    }

    /// Reports a word that is no field of `block`; the field that was meant, if that is plain. Otherwise the
    /// word is taken.
    fn unknown_field(&mut self, token: Token, block: &'static Block) -> Option<&'static Field> {
        let (span, written) = (self.span_of(token), self.written(token));
        let meant = nearest(written, block.fields.iter().map(|field| field.name));
        let report = codes::UNKNOWN_FIELD
            .error(span, format!("`{written}` is no field of `{}`", block.kind))
            .label("unknown here");
        let Some(meant) = meant else {
            let help = match fields::home_of(written) {
                Some(home) => format!("`{written}` belongs in `{home}`"),
                None => format!("{} takes {}", block.title(), block.names()),
            };
            self.report(report.help(help));
            self.bump();
            return None;
        };
        let edit = Edit {
            span,
            text: meant.to_owned(),
        };
        self.report(
            report
                .help(format!("did you mean `{meant}`?"))
                .fix(format!("write `{meant}`"), [edit]),
        );
        block.field(meant)
    }

    /// Reports a field that may be written once and is written again.
    fn once<'s>(&mut self, block: &Block, keyword: Keyword<'s>, seen: &mut Vec<(&'s str, Span)>) {
        let repeats = block
            .field(keyword.written)
            .is_some_and(|field| field.repeats);
        // A misspelt word has its finding already, and may have meant another field.
        if repeats || self.guessed(keyword) {
            return;
        }
        let first = seen.iter().find(|(name, _)| *name == keyword.written);
        match first {
            Some((name, first)) => self.duplicate(name, keyword.span, *first),
            None => seen.push((keyword.written, keyword.span)),
        }
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

    /// Skips to where the next statement of the block can begin: the next line, or on this line its end or
    /// another field (but not after `when`, since expressions use the same words).
    pub(super) fn recover(&mut self) {
        let mut in_expression = false;
        loop {
            let token = self.peek();
            let word = self.written(token);
            match token.kind {
                TokenKind::End | TokenKind::CloseBrace => return,
                // No statement begins with `{`, on whatever line.
                TokenKind::OpenBrace => self.skip_braces(),
                _ if token.first_on_line => return,
                TokenKind::Word if !in_expression && self.begins_statement(word) => return,
                _ => {
                    in_expression |= word == "when";
                    self.bump();
                }
            }
        }
    }

    /// Skips what remains of the line, up to the end of the block.
    pub(super) fn skip_line(&mut self) {
        while !self.at_end() {
            if self.peek().kind == TokenKind::OpenBrace {
                self.skip_braces();
            } else {
                self.bump();
            }
        }
    }

    /// Skips `{ … }` with all that is in it.
    pub(super) fn skip_braces(&mut self) {
        let mut depth = 0usize;
        loop {
            let token = self.bump();
            match token.kind {
                TokenKind::OpenBrace => {
                    if let Some(found) =
                        self.unclosed.iter().find(|found| found.open == token.start)
                    {
                        let until = found.until;
                        self.never_closed(token, token);
                        self.skip_to(until);
                    } else {
                        depth += 1;
                    }
                }
                TokenKind::CloseBrace => depth = depth.saturating_sub(1),
                TokenKind::End => return,
                _ => {}
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn skip_to(&mut self, until: u32) {
        while self.peek().start < until && self.peek().kind != TokenKind::End {
            self.bump();
        }
    }

    pub(super) fn begins_statement(&self, word: &str) -> bool {
        let frame = self.blocks.last();
        frame.is_some_and(|frame| frame.block.field(word).is_some())
    }

    /// Whether a word is a field of the block being read, or of the file, or nearly one.
    pub(super) fn may_begin_statement(&self, word: &str) -> bool {
        let block = self.blocks.last().map(|frame| frame.block);
        let fields = block
            .into_iter()
            .chain([&fields::ITEMS])
            .flat_map(|block| block.fields);
        let begins = block.is_some_and(|block| block.field(word).is_some());
        begins || nearest(word, fields.map(|field| field.name)).is_some()
    }

    /// Reads `{ name "text" … }`, with `:` between the two if `colon`; a name may then be quoted.
    pub(super) fn pairs(&mut self, block: &'static Block, colon: bool) -> Read<Vec<(Name, Text)>> {
        let open = self.open_block(block)?;
        let form = std::mem::replace(&mut self.form, block.form);
        let mut pairs: Vec<(Name, Text)> = Vec::new();
        while !self.closes(open) {
            let Ok((key, value)) = self.pair(colon) else {
                self.recover();
                continue;
            };
            match pairs.iter().find(|(first, _)| first.value == key.value) {
                Some((first, _)) => self.duplicate(&key.value, key.span, first.span),
                None => pairs.push((key, value)),
            }
        }
        self.form = form;
        Ok(pairs)
    }

    fn pair(&mut self, colon: bool) -> Read<(Name, Text)> {
        let token = self.peek();
        self.layout.mark(token.start, MarkKind::Statement);
        let key = match token.kind {
            TokenKind::Word => {
                self.bump();
                Spanned::new(self.written(token).to_owned(), self.span_of(token))
            }
            TokenKind::Text if colon => self.text_anywhere()?,
            _ => {
                let report = self.expected_at(token, "a name");
                if token.kind != TokenKind::OpenBrace {
                    self.bump();
                }
                return Err(report);
            }
        };
        if colon {
            self.require(TokenKind::Colon, "`:`")?;
        } else {
            self.mark_value();
        }
        let value = self.text()?;
        if colon {
            self.eat(TokenKind::Comma);
        }
        Ok((key, value))
    }

    fn expected_at(&mut self, token: Token, what: &str) -> Reported {
        if token.kind == TokenKind::UnclosedText {
            return Reported;
        }
        let text = self.written(token);
        let report = codes::UNEXPECTED_TOKEN
            .error(
                self.span_of(token),
                format!("expected {what}, found `{text}`"),
            )
            .label(format!("{what} belongs here"))
            .help(format!("write it as `{}`", self.form));
        self.report(report)
    }
}

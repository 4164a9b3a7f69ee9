//! How the parser goes on after a statement that it could not read.
//!
//! What stands on the same line after the place where it goes on may follow from the mistake, so nothing is
//! said of it: the first message is the true one, and the next check says what is left.

use crate::diagnostic::Diagnostic;
use crate::syntax::lexer::{Token, TokenKind, indent, offset};

use super::{Parser, Reported, fields};

impl Parser<'_> {
    /// Makes a finding, unless it may follow from the one before.
    pub(super) fn report(&mut self, diagnostic: Diagnostic) -> Reported {
        if !self.suspect.contains(&diagnostic.primary.span.start) {
            self.diagnostics.push(diagnostic);
        }
        Reported
    }

    /// Notes that what stands from `start` to here is not in the tree.
    pub(super) fn skipped_from(&mut self, start: u32) {
        let span = self.span_from(start);
        self.unread.push(span);
    }

    /// Takes a token if none was taken since the last call: whatever a statement's reader does, a loop over
    /// statements ends.
    pub(super) fn progress(&mut self, before: &mut Option<u32>) {
        if before.replace(self.position) == Some(self.position) {
            self.bump();
        }
    }

    /// From here to the end of the line, findings may follow from the last one.
    pub(super) fn suspect_from(&mut self, at: u32) {
        let rest = self.text.get(at as usize..).unwrap_or("");
        let length = rest.find('\n').unwrap_or(rest.len());
        self.suspect = at..at.saturating_add(offset(length + 1));
    }

    /// Skips to where the next statement of the block can begin: the next line, or on this line its end or
    /// another field (but not after `when`, since expressions use the same words).
    pub(super) fn recover(&mut self) {
        let mut in_expression = false;
        loop {
            let token = self.peek();
            let word = self.written(token);
            match token.kind {
                TokenKind::End => return,
                TokenKind::CloseBrace if !self.is_stray(token) => return,
                // No statement begins with `{`, on whatever line.
                TokenKind::OpenBrace => {
                    self.suspect_from(token.start);
                    self.skip_braces();
                    continue;
                }
                _ if token.first_on_line && !self.continues_statement(token) => return,
                TokenKind::Word if !in_expression && self.begins_statement(word) => return,
                TokenKind::Text if !in_expression && self.quotes_field(token) => return,
                _ => in_expression |= word == "when",
            }
            self.suspect_from(token.end);
            self.bump();
        }
    }

    fn at_stray(&mut self) -> bool {
        let token = self.peek();
        token.kind == TokenKind::CloseBrace && self.is_stray(token)
    }

    /// Whether a `}` lost its `{` on this line: the text has one too many, and the block began before.
    fn is_stray(&mut self, token: Token) -> bool {
        let line = self.line_start(token.start);
        let inside = self.blocks.last().is_some_and(|frame| frame.open >= line);
        let stray = self.surplus > 0 && !inside && !token.first_on_line;
        self.surplus -= usize::from(stray);
        stray
    }

    /// Whether a line goes on with the bad statement: it is indented deeper and begins with no field.
    fn continues_statement(&self, token: Token) -> bool {
        let deeper = indent(self.text, token.start) > indent(self.text, self.statement);
        let field = token.kind == TokenKind::Word && self.may_begin_statement(self.written(token));
        deeper && !field
    }

    /// Skips what remains of the line, up to the end of the block.
    pub(super) fn skip_line(&mut self) {
        self.suspect_from(self.position);
        while !self.at_end() || self.at_stray() {
            if self.peek().kind == TokenKind::OpenBrace {
                self.skip_braces();
            } else {
                self.bump();
            }
        }
    }

    /// Skips what remains of a bad expression: its line, and those that go on with it.
    pub(super) fn skip_expression(&mut self) {
        self.skip_line();
        loop {
            let token = self.peek();
            let ends = matches!(token.kind, TokenKind::End | TokenKind::CloseBrace);
            if ends || !self.continues_statement(token) {
                return;
            }
            if token.kind == TokenKind::OpenBrace {
                self.skip_braces();
            } else {
                self.bump();
            }
            self.skip_line();
        }
    }

    /// Skips `{ … }` with all that is in it.
    pub(super) fn skip_braces(&mut self) {
        let mut depth = 0usize;
        loop {
            let token = self.bump();
            match token.kind {
                TokenKind::OpenBrace => match self.end_if_unclosed(token) {
                    Some(until) => {
                        self.never_closed(token, token);
                        self.skip_to(until);
                    }
                    None => depth += 1,
                },
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
        let block = self
            .blocks
            .last()
            .map_or(&fields::ITEMS, |frame| frame.block);
        block.field(word).is_some()
            || block.meant(word).is_some()
            || fields::ITEMS.meant(word).is_some()
    }
}

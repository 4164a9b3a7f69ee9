//! Blocks whose fields have names of the user's: `{ kaito "v1beta1" }`, `{ app: "vllm" }`.

use crate::codes;
use crate::source::Spanned;
use crate::syntax::lexer::{Token, TokenKind};
use crate::syntax::tree::{Name, Text};

use super::fields::Block;
use super::{MarkKind, Parser, Read, Reported};

impl Parser<'_> {
    /// Reads `{ name "text" … }`, with `:` between the two if `colon`; a name may then be quoted.
    pub(super) fn pairs(&mut self, block: &'static Block, colon: bool) -> Read<Vec<(Name, Text)>> {
        let open = self.open_block(block)?;
        let form = std::mem::replace(&mut self.form, block.form);
        let mut pairs: Vec<(Name, Text)> = Vec::new();
        let mut before = None;
        while !self.closes(open) {
            self.progress(&mut before);
            let start = self.peek().start;
            let Ok((key, value)) = self.pair(colon) else {
                self.recover();
                self.skipped_from(start);
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
        self.statement = token.start;
        self.layout.mark(token.start, MarkKind::Statement);
        let quoted = !colon && token.kind == TokenKind::Text;
        let key = match token.kind {
            TokenKind::Word => {
                self.bump();
                Spanned::new(self.written(token).to_owned(), self.span_of(token))
            }
            TokenKind::Text if colon => self.text_anywhere()?,
            TokenKind::Text => {
                self.go_on();
                self.quoted_name("a name").ok_or(Reported)?
            }
            _ => {
                let report = self.expected_at(token, "a name");
                if token.kind != TokenKind::OpenBrace {
                    self.suspect_from(token.end);
                    self.bump();
                }
                return Err(report);
            }
        };
        if colon {
            self.require(TokenKind::Colon, "`:`")?;
        } else {
            // After a name in quotes, JSON's colon and comma are the same mistake.
            if !quoted || !self.drop_too(TokenKind::Colon) {
                self.skip_separator(&key.value);
            }
            self.mark_value();
        }
        let value = self.text()?;
        match quoted {
            true => self.drop_too(TokenKind::Comma),
            false => colon && self.eat(TokenKind::Comma),
        };
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

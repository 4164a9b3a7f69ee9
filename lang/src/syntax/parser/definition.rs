//! `secret NAME = …` and `let NAME = …`

use crate::codes;
use crate::source::Spanned;
use crate::syntax::lexer::{Token, TokenKind};
use crate::syntax::tree::{Let, Secret, SecretSource, Text};

use super::values::is_name;
use super::{MarkKind, Parser, Read, Reported};

impl Parser<'_> {
    pub(super) fn secret(&mut self) -> Read<Secret> {
        let name = self.name("the secret's name")?;
        self.equal()?;
        let source = self.secret_source()?;
        Ok(Secret { name, source })
    }

    fn equal(&mut self) -> Read<()> {
        let token = self.require(TokenKind::Equal, "`=`")?;
        self.layout.mark(token.start, MarkKind::Equal);
        Ok(())
    }

    fn secret_source(&mut self) -> Read<SecretSource> {
        if self.at(TokenKind::Text) {
            return self.text().map(SecretSource::Literal);
        }
        let kinds = ["k8s", "env", "file"];
        let kind = self.one_of(&kinds, "`k8s(…)`, `env(…)` or `file(…)`")?;
        let open = self.require(TokenKind::OpenParen, "`(`")?;
        let first = self.argument()?;
        let source = match kind {
            "env" => SecretSource::Environment(first),
            "file" => SecretSource::File(first),
            _ => {
                let comma = self.peek();
                if comma.kind != TokenKind::Comma {
                    return Err(self.expected("`,` and the key"));
                }
                self.bump();
                SecretSource::Kubernetes {
                    object: first,
                    key: self.argument()?,
                }
            }
        };
        self.close_paren(open)?;
        Ok(source)
    }

    /// A string between `(` and `)`, where lines go on.
    fn argument(&mut self) -> Read<Text> {
        match self.peek().kind {
            TokenKind::Text => self.text_anywhere(),
            _ => Err(self.expected("a string")),
        }
    }

    fn close_paren(&mut self, open: Token) -> Read<()> {
        if self.peek().kind == TokenKind::Comma {
            self.bump();
        }
        let token = self.peek();
        match token.kind {
            TokenKind::CloseParen => {
                self.bump();
                Ok(())
            }
            TokenKind::UnclosedText => Err(Reported),
            _ if self.at_end() => Err(self.report(
                codes::UNCLOSED_DELIMITER
                    .error(self.span_of(open), "`(` is never closed")
                    .label("opened here")
                    .help("add the missing `)`"),
            )),
            _ => Err(self.expected("`)`")),
        }
    }

    pub(super) fn constant(&mut self) -> Read<Let> {
        let token = self.require(TokenKind::Word, "the constant's name")?;
        let written = self.written(token);
        let constant = written.starts_with(|c: char| c.is_ascii_uppercase())
            && written
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        let plain = is_name(written) && !written.contains(['.', '-']);
        if !constant && !plain {
            let help = "write capital letters, digits and `_`, such as `LONG`";
            return Err(self.report(
                codes::BAD_LITERAL
                    .error(
                        self.span_of(token),
                        format!("`{written}` is not a constant's name"),
                    )
                    .label("cannot be used in an expression")
                    .help(help),
            ));
        }
        let name = Spanned::new(written.to_owned(), self.span_of(token));
        self.equal()?;
        let value = self.statement_expression()?;
        Ok(Let { name, value })
    }
}

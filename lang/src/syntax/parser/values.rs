//! Values: names, strings, numbers in their units, and lists of them.

use crate::codes;
use crate::source::{Span, Spanned};
use crate::syntax::lexer::{Token, TokenKind, offset};
use crate::syntax::literal::{self, Number, Refusal};
use crate::syntax::text;
use crate::syntax::tree::{Date, Milliseconds, Name, NanoDollars, Percent, Range, Text};

use super::{Parser, Read, Reported};

impl Parser<'_> {
    /// A name of the file: of a tier, a model, a kind.
    pub(super) fn name(&mut self, what: &str) -> Read<Name> {
        let token = self.require(TokenKind::Word, what)?;
        let (span, written) = (self.span_of(token), self.written(token));
        if is_name(written) {
            return Ok(Spanned::new(written.to_owned(), span));
        }
        let lower = written.to_lowercase().replace(char::is_whitespace, "-");
        let help = match is_name(&lower) {
            true => format!("write `{lower}`"),
            false => "write small letters and digits, joined by `.`, `_` or `-`".to_owned(),
        };
        Err(self.report(
            codes::BAD_LITERAL
                .error(span, format!("`{written}` is not a name"))
                .label("names are small letters and digits")
                .help(help),
        ))
    }

    /// A string on this line.
    pub(super) fn text(&mut self) -> Read<Text> {
        if !self.at(TokenKind::Text) {
            return Err(self.expected("a string"));
        }
        self.text_anywhere()
    }

    /// The string that comes next, on whatever line.
    pub(super) fn text_anywhere(&mut self) -> Read<Text> {
        let token = self.bump();
        let span = self.span_of(token);
        match text::decode(self.written(token)) {
            Ok(value) => Ok(Spanned::new(value, span)),
            Err(bad) => {
                let at = Span::new(
                    self.file,
                    token.start + offset(bad.start),
                    token.start + offset(bad.end),
                );
                Err(self.refused(at, &bad.refusal))
            }
        }
    }

    /// A day in quotes: `"2027-03-31"`.
    pub(super) fn date(&mut self) -> Read<Spanned<Date>> {
        if !self.at(TokenKind::Text) {
            return Err(self.expected("a date such as `\"2027-03-31\"`"));
        }
        let text = self.text()?;
        if let Some(date) = Date::read(&text.value) {
            return Ok(Spanned::new(date, text.span));
        }
        let refusal = Refusal {
            reason: "is no day of the calendar".to_owned(),
            advice: "write year, month and day, such as `\"2027-03-31\"`".to_owned(),
        };
        Err(self.refused(text.span, &refusal))
    }

    /// A number without a unit.
    pub(super) fn integer(&mut self) -> Read<Spanned<u64>> {
        self.number("a number", |number| number.integer())
    }

    /// A number that may be below zero.
    pub(super) fn signed(&mut self) -> Read<Spanned<i64>> {
        let start = self.peek().start;
        let negative = self.eat(TokenKind::Minus);
        let magnitude = self.integer()?;
        let span = Span::new(self.file, start, magnitude.span.end);
        match i64::try_from(magnitude.value) {
            Ok(value) if negative => Ok(Spanned::new(-value, span)),
            Ok(value) => Ok(Spanned::new(value, span)),
            Err(_) => Err(self.refused(
                span,
                &Refusal {
                    reason: "is too large".to_owned(),
                    advice: "write a smaller number".to_owned(),
                },
            )),
        }
    }

    /// A count: `24000`, `400k`, `2M`.
    pub(super) fn count(&mut self) -> Read<Spanned<u64>> {
        self.number("a count", |number| number.count())
    }

    /// A duration: `250ms`, `10m`.
    pub(super) fn duration(&mut self) -> Read<Spanned<Milliseconds>> {
        self.number("a duration", |number| number.duration())
    }

    /// A share: `80%`.
    pub(super) fn percent(&mut self) -> Read<Spanned<Percent>> {
        self.number("a percentage", |number| number.percent().map(Percent))
    }

    /// Money: `$50`.
    pub(super) fn money(&mut self) -> Read<Spanned<NanoDollars>> {
        self.number("an amount of money", |number| number.nano_dollars())
    }

    /// A price in dollars per 1M tokens.
    pub(super) fn price_per_million(&mut self) -> Read<Spanned<NanoDollars>> {
        self.number("a price", |number| number.nano_dollars())
    }

    /// A score: `0.42`.
    pub(super) fn decimal(&mut self) -> Read<Spanned<f64>> {
        self.number("a decimal", |number| number.decimal())
    }

    /// `2..8`, or `2` for `2..2`.
    pub(super) fn range(&mut self) -> Read<Spanned<Range>> {
        let low = self.integer()?;
        let high = match self.eat(TokenKind::DotDot) {
            true => self.integer()?,
            false => low.clone(),
        };
        let range = Range {
            low: low.value,
            high: high.value,
        };
        Ok(Spanned::new(range, low.span.to(high.span)))
    }

    /// A number on this line, read by `value`.
    pub(super) fn number<T>(
        &mut self,
        what: &str,
        value: impl FnOnce(Number<'_>) -> Result<T, Refusal>,
    ) -> Read<Spanned<T>> {
        let token = self.require(TokenKind::Number, what)?;
        let span = self.span_of(token);
        let Some(number) = literal::read(self.written(token)) else {
            return Err(self.expected(what));
        };
        match value(number) {
            Ok(value) => Ok(Spanned::new(value, span)),
            Err(refusal) => Err(self.refused(span, &refusal)),
        }
    }

    fn refused(&mut self, span: Span, refusal: &Refusal) -> Reported {
        let text = self.text.get(span.start as usize..span.end as usize);
        let message = format!("`{}` {}", text.unwrap_or(""), refusal.reason);
        self.report(
            codes::BAD_LITERAL
                .error(span, message)
                .label("cannot be read as meant")
                .help(refusal.advice.clone()),
        )
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self) -> Read<Spanned<bool>> {
        let token = self.peek();
        let word = self.one_of(&["true", "false"], "`true` or `false`")?;
        Ok(Spanned::new(word == "true", self.span_of(token)))
    }

    /// `item, item, …`; a comma may end it, and after a comma it may go on in the next line.
    pub(super) fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.eat(TokenKind::Comma) && self.list_goes_on() {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// Whether what follows a comma is another item rather than the next statement, on whatever line.
    fn list_goes_on(&mut self) -> bool {
        let token = self.peek();
        let goes_on = match token.kind {
            TokenKind::End | TokenKind::CloseBrace => false,
            TokenKind::Text => true,
            TokenKind::Word => !self.begins_statement(self.written(token)),
            _ => !token.first_on_line,
        };
        if goes_on && token.first_on_line {
            self.ahead = Some(Token {
                first_on_line: false,
                ..token
            });
        }
        goes_on
    }

    /// `"a", "b"`
    pub(super) fn texts(&mut self) -> Read<Vec<Text>> {
        self.list(Self::text)
    }

    /// `a, b`
    pub(super) fn names(&mut self, what: &str) -> Read<Vec<Name>> {
        self.list(|parser| parser.name(what))
    }
}

/// `[a-z][a-z0-9]*([._-][a-z0-9]+)*`
pub(super) fn is_name(word: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    word.starts_with(|c: char| c.is_ascii_lowercase()) && word.split(['.', '_', '-']).all(part)
}

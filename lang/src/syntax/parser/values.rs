//! Values: names, strings, numbers in their units, and lists of them.

use crate::codes;
use crate::diagnostic::{Diagnostic, Edit};
use crate::source::{Span, Spanned};
use crate::syntax::lexer::{Token, TokenKind, offset};
use crate::syntax::literal::Refusal;
use crate::syntax::text;
use crate::syntax::tree::{Date, Milliseconds, Name, NanoDollars, Percent, Range, Text};

use super::{Parser, Read};

impl Parser<'_> {
    /// A name of the file: of a tier, a model, a kind.
    pub(super) fn name(&mut self, what: &str) -> Read<Name> {
        if let Some(name) = self.quoted_name(what) {
            return Ok(name);
        }
        self.doubled_before_name();
        if self.at_next_part() {
            return Err(self.expected(what));
        }
        let token = self.require(TokenKind::Word, what)?;
        let (span, written) = (self.span_of(token), self.written(token));
        if is_name(written) {
            return Ok(Spanned::new(written.to_owned(), span));
        }
        let report = codes::BAD_LITERAL
            .error(span, format!("`{written}` is not a name"))
            .label("names are small letters and digits");
        let lower = written.to_lowercase();
        if !is_name(&lower) {
            let help = "write small letters and digits, joined by `.`, `_` or `-`";
            return Err(self.report(report.help(help)));
        }
        let edit = Edit {
            span,
            text: lower.clone(),
        };
        let title = format!("write `{lower}`");
        self.report_name(report.help(title.clone()).fix(title, [edit]));
        Ok(Spanned::new(lower, span))
    }

    /// Whether the name is missing, and what stands in its place begins the next part of the statement.
    fn at_next_part(&mut self) -> bool {
        let token = self.peek();
        let word = self.written(token);
        let next = self.tokens.at(token.end);
        let follows = |kinds: &[TokenKind]| kinds.contains(&next.kind) && !next.first_on_line;
        match word {
            _ if !self.at(TokenKind::Word) => false,
            "deployment" | "as" => follows(&[TokenKind::Text]),
            "then" => follows(&[TokenKind::Word]) && self.written(next) != word,
            _ => self.begins_statement(word) && follows(&[TokenKind::Number, TokenKind::Text]),
        }
    }

    /// Makes a finding of a name, or adds its use to the finding that the name has already.
    fn report_name(&mut self, report: Diagnostic) {
        let mut known = self.diagnostics.iter_mut();
        let same = known.find(|one| one.code == report.code && one.message == report.message);
        match (same, &report.fix) {
            (Some(first), Some(fix)) => {
                let mut again = first.clone().because(report.primary.span, "used here too");
                if let Some(known) = &mut again.fix {
                    known.edits.extend(fix.edits.iter().cloned());
                }
                *first = again;
            }
            _ => {
                self.report(report);
            }
        }
    }

    /// A string on this line.
    pub(super) fn text(&mut self) -> Read<Text> {
        if self.at(TokenKind::Text) {
            return self.text_anywhere();
        }
        match self.unquoted_text() {
            Some(text) => Ok(text),
            None => Err(self.expected("a string")),
        }
    }

    /// The string that comes next, on whatever line.
    pub(super) fn text_anywhere(&mut self) -> Read<Text> {
        let token = self.bump();
        let span = self.span_of(token);
        if self.runs_into_word(token) {
            return Err(self.report(
                codes::UNTERMINATED_STRING
                    .error(span, "a quote is missing on this line")
                    .label("this string ends in the middle of a word")
                    .help("write the quote where a string before it ends, or where this one does"),
            ));
        }
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

    /// Whether a letter follows the closing quote at once: the quotes of the line are paired wrongly.
    fn runs_into_word(&self, token: Token) -> bool {
        let rest = self.text.get(token.end as usize..).unwrap_or("");
        token.kind == TokenKind::Text && rest.starts_with(char::is_alphanumeric)
    }

    /// A day in quotes: `"2027-03-31"`.
    pub(super) fn date(&mut self) -> Read<Spanned<Date>> {
        if !self.at(TokenKind::Text) && !self.at(TokenKind::Number) {
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
        self.currency_before()?;
        self.number("an amount of money", |number| number.nano_dollars())
    }

    /// A price in dollars per 1M tokens.
    pub(super) fn price_per_million(&mut self) -> Read<Spanned<NanoDollars>> {
        self.currency_before()?;
        self.number("a price", |number| number.nano_dollars())
    }

    /// A score: `0.42`.
    pub(super) fn decimal(&mut self) -> Read<Spanned<f64>> {
        self.number("a decimal", |number| number.decimal())
    }

    /// `2..8`, or `2` for `2..2`.
    pub(super) fn range(&mut self) -> Read<Spanned<Range>> {
        let low = self.integer()?;
        let high = match self.dots(&low) {
            true => self.integer()?,
            false => low.clone(),
        };
        let range = Range {
            low: low.value,
            high: high.value,
        };
        Ok(Spanned::new(range, low.span.to(high.span)))
    }

    /// Takes the `..` of a range, or the `-` or `...` that was meant for it.
    fn dots(&mut self, low: &Spanned<u64>) -> bool {
        let sign = self.peek();
        let dots = self.eat(TokenKind::DotDot);
        let third = self.peek();
        let wrong = match dots {
            true => self.at(TokenKind::Operator) && self.written(third) == ".",
            false => self.eat(TokenKind::Minus),
        };
        if !wrong {
            return dots;
        }
        if dots {
            self.bump();
        }
        let span = self.span_from(sign.start);
        let edit = Edit {
            span,
            text: "..".to_owned(),
        };
        let high = self.peek();
        let help = format!("write `{}..{}`", low.value, self.written(high));
        self.report(
            codes::UNEXPECTED_TOKEN
                .error(span, "a range has two dots")
                .label("not how a range is written")
                .help(help)
                .fix("write `..`", [edit]),
        );
        true
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self) -> Read<Spanned<bool>> {
        let token = self.peek();
        let word = self.one_of(&["true", "false"], "`true` or `false`")?;
        Ok(Spanned::new(word == "true", self.span_of(token)))
    }

    /// `item, item, …`; a comma may end it, and after a comma it may go on in the next line.
    pub(super) fn list<T>(&mut self, item: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        self.items(item, false)
    }

    /// A list after which words only begin fields if they are fields, if `words`.
    fn items<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Read<T>,
        words: bool,
    ) -> Read<Vec<T>> {
        let bracket = self.open_bracket();
        let mut items = vec![item(self)?];
        loop {
            if bracket.is_some() && self.peek().kind == TokenKind::Comma {
                self.go_on();
            }
            if self.eat(TokenKind::Comma) {
                self.doubled_comma();
                if !self.list_goes_on() {
                    break;
                }
            } else if !self.missing_comma(words) {
                break;
            }
            items.push(item(self)?);
        }
        if let Some(open) = bracket {
            self.close_bracket(open);
        }
        Ok(items)
    }

    /// Whether what follows a comma is another item rather than the next statement, on whatever line.
    fn list_goes_on(&mut self) -> bool {
        let token = self.peek();
        let goes_on = match token.kind {
            TokenKind::End | TokenKind::CloseBrace => false,
            TokenKind::Operator if self.written(token) == "]" => false,
            TokenKind::Text => true,
            TokenKind::Word => !self.begins_statement(self.written(token)),
            _ => !token.first_on_line,
        };
        if goes_on && token.first_on_line {
            self.go_on();
        }
        goes_on
    }

    /// `"a", "b"`
    pub(super) fn texts(&mut self) -> Read<Vec<Text>> {
        self.list(Self::text)
    }

    /// `a, b`
    pub(super) fn names(&mut self, what: &str) -> Read<Vec<Name>> {
        let item = |parser: &mut Self| {
            let token = parser.peek();
            let next = parser.tokens.at(token.end);
            let ends = next.first_on_line
                || matches!(
                    next.kind,
                    TokenKind::Comma | TokenKind::CloseBrace | TokenKind::End
                );
            match parser.begins_statement(parser.written(token)) && !ends {
                true => Err(parser.expected(what)),
                false => parser.name(what),
            }
        };
        self.items(item, true)
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

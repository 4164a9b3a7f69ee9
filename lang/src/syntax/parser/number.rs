//! Numbers on a line, and what other files write for them: long units, units set apart, grouped digits, money
//! without its sign.

use crate::codes;
use crate::diagnostic::Edit;
use crate::source::{Span, Spanned};
use crate::syntax::lexer::{Token, TokenKind, offset};
use crate::syntax::literal::{self, Number, Refusal};
use crate::syntax::text;

use super::{Parser, Read, Reported};

/// Units as others write them, and as they are written here.
const UNITS: &[(&str, &str)] = &[
    ("sec", "s"),
    ("secs", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("min", "m"),
    ("mins", "m"),
    ("minute", "m"),
    ("minutes", "m"),
    ("hr", "h"),
    ("hrs", "h"),
    ("hour", "h"),
    ("hours", "h"),
    ("day", "d"),
    ("days", "d"),
    ("msec", "ms"),
    ("millis", "ms"),
    ("milliseconds", "ms"),
    ("K", "k"),
    ("thousand", "k"),
    ("m", "M"),
    ("million", "M"),
    ("percent", "%"),
    ("pct", "%"),
];

impl Parser<'_> {
    /// A number on this line, read by `value`.
    pub(super) fn number<T>(
        &mut self,
        what: &str,
        value: impl Fn(Number<'_>) -> Result<T, Refusal>,
    ) -> Read<Spanned<T>> {
        if let Some(quoted) = self.quoted_number(&value) {
            return Ok(quoted);
        }
        let token = self.require(TokenKind::Number, what)?;
        let span = self.span_of(token);
        let Some(number) = literal::read(self.written(token)) else {
            return Err(self.expected(what));
        };
        let refusal = match value(number) {
            Ok(read) if !self.groups_digits(token) => return Ok(Spanned::new(read, span)),
            Ok(_) => Refusal {
                reason: "groups its digits".to_owned(),
                advice: String::new(),
            },
            Err(refusal) => refusal,
        };
        match self.meant_number(token, &value) {
            Some((read, end, right)) => {
                let span = Span::new(self.file, token.start, end);
                self.move_to(end);
                self.refused_for(span, &refusal, &right);
                Ok(Spanned::new(read, span))
            }
            None => Err(self.refused(span, &refusal)),
        }
    }

    /// `"5000"`, taken for the number.
    fn quoted_number<T>(
        &mut self,
        value: &impl Fn(Number<'_>) -> Result<T, Refusal>,
    ) -> Option<Spanned<T>> {
        let token = self.peek();
        if !self.at(TokenKind::Text) {
            return None;
        }
        let inner = text::decode(self.written(token)).ok()?;
        let read = value(literal::read(&inner)?).ok()?;
        let span = self.span_of(token);
        self.bump();
        let refusal = Refusal {
            reason: "is text, where a number belongs".to_owned(),
            advice: String::new(),
        };
        self.refused_for(span, &refusal, &inner);
        Some(Spanned::new(read, span))
    }

    /// Whether a comma and three digits follow at once: `1,000`.
    fn groups_digits(&self, token: Token) -> bool {
        self.grouped(token).is_some()
    }

    /// The end of `1,000`, and its digits alone.
    fn grouped(&self, token: Token) -> Option<(u32, String)> {
        let rest = self.text.get(token.start as usize..)?;
        let length = rest
            .find(|c: char| !c.is_alphanumeric() && !"$,".contains(c))
            .unwrap_or(rest.len());
        let written = rest.get(..length)?.trim_end_matches(',');
        let (_, groups) = written.split_once(',')?;
        let three = |group: &str| group.bytes().take_while(u8::is_ascii_digit).count() == 3;
        let sound = groups.split(',').all(three);
        sound.then(|| {
            (
                token.start + offset(written.len()),
                written.replace(',', ""),
            )
        })
    }

    /// What was meant by a number that cannot be read: its value, where it ends, and how to write it.
    fn meant_number<T>(
        &self,
        token: Token,
        value: &impl Fn(Number<'_>) -> Result<T, Refusal>,
    ) -> Option<(T, u32, String)> {
        let read = |end: u32, right: String| {
            let read = value(literal::read(&right)?).ok()?;
            Some((read, end, right))
        };
        if let Some((end, right)) = self.grouped(token) {
            return read(end, right);
        }
        let written = self.written(token);
        let number = literal::read(written)?;
        let digits = written.strip_suffix(number.unit).unwrap_or(written);
        let next = self.tokens.at(token.end);
        let follows = self.written(next);
        let apart = number.unit.is_empty() && !next.first_on_line;
        let mut candidates = Vec::new();
        for (wrong, right) in UNITS {
            if number.unit == *wrong {
                candidates.push((token.end, format!("{digits}{right}")));
            } else if apart && (follows == *wrong || follows == *right) {
                candidates.push((next.end, format!("{digits}{right}")));
            }
        }
        if number.unit.starts_with('_') {
            candidates.push((token.end, written.replace('_', "")));
        }
        if apart {
            let sign = matches!(follows, "$" | "USD" | "usd" | "dollars");
            let end = if sign { next.end } else { token.end };
            candidates.push((end, format!("${digits}")));
        }
        if number.fraction.is_none() {
            candidates.push((token.end, format!("{digits}%")));
        }
        if number.unit == "%" && number.fraction.is_none() {
            candidates.push((token.end, format!("0.{digits:0>2}")));
        }
        candidates
            .into_iter()
            .find_map(|(end, right)| read(end, right))
    }

    fn refused_for(&mut self, span: Span, refusal: &Refusal, right: &str) {
        let text = self.text.get(span.start as usize..span.end as usize);
        let message = format!("`{}` {}", text.unwrap_or(""), refusal.reason);
        let edit = Edit {
            span,
            text: right.to_owned(),
        };
        self.report(
            codes::BAD_LITERAL
                .error(span, message)
                .label("cannot be read as meant")
                .help(format!("write `{right}`"))
                .fix(format!("write `{right}`"), [edit]),
        );
    }

    pub(super) fn refused(&mut self, span: Span, refusal: &Refusal) -> Reported {
        let text = self.text.get(span.start as usize..span.end as usize);
        let message = format!("`{}` {}", text.unwrap_or(""), refusal.reason);
        self.report(
            codes::BAD_LITERAL
                .error(span, message)
                .label("cannot be read as meant")
                .help(refusal.advice.clone()),
        )
    }
}

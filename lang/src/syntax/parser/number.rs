//! Numbers on a line, and what other files write for them: long units, units set apart, grouped digits, money
//! without its sign.

use crate::codes;
use crate::diagnostic::{Diagnostic, Edit};
use crate::source::{Span, Spanned};
use crate::syntax::lexer::{Token, TokenKind, offset};
use crate::syntax::literal::{self, Number, Refusal};
use crate::syntax::text;

use super::lexical::foreign_money;
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

/// Words for money.
const CURRENCIES: &[&str] = &["EUR", "euro", "euros", "GBP", "pounds", "CHF", "JPY", "yen"];

pub(super) fn is_currency(word: &str) -> bool {
    is_dollar(word) || CURRENCIES.contains(&word)
}

fn is_dollar(word: &str) -> bool {
    matches!(word, "USD" | "usd" | "US$" | "dollar" | "dollars")
}

/// A number of another notation, written with the units of this one: `$1.5M`, `1e6`, `0x1388`, `1h30m`.
fn spelled_out(number: Number<'_>) -> Option<String> {
    let (whole, unit) = (number.whole, number.unit);
    let fraction = number.fraction.unwrap_or("");
    if number.money {
        let places = match unit {
            "k" | "K" => 3,
            "M" | "m" => 6,
            _ => return None,
        };
        let zeros = "0".repeat(usize::checked_sub(places, fraction.len())?);
        let digits = format!("{whole}{fraction}{zeros}");
        return Some(format!("${}", digits.trim_start_matches('0')));
    }
    if let Some(places) = unit.strip_prefix(['e', 'E']) {
        let places: usize = places.parse().ok().filter(|places| *places <= 18)?;
        let zeros = "0".repeat(places.checked_sub(fraction.len())?);
        return Some(format!("{whole}{fraction}{zeros}"));
    }
    if let (Some(digits), "0") = (unit.strip_prefix('x'), whole) {
        return u64::from_str_radix(digits, 16)
            .ok()
            .map(|value| value.to_string());
    }
    let (hours, minutes) = (whole.parse::<u64>().ok()?, unit.strip_prefix('h')?);
    let minutes: u64 = minutes.strip_suffix('m')?.parse().ok()?;
    let minutes = hours.checked_mul(60)?.checked_add(minutes)?;
    fraction.is_empty().then(|| format!("{minutes}m"))
}

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
        let follows = self.tokens.at(token.end);
        let currency = self.written(follows);
        if !follows.first_on_line && is_currency(currency) && !is_dollar(currency) {
            let span = Span::new(self.file, token.start, follows.end);
            return Err(self.report(foreign_money(span, currency)));
        }
        let refusal = match value(number) {
            Ok(read) => match self.goes_on(token, number) {
                None => return Ok(Spanned::new(read, span)),
                Some(reason) => Refusal {
                    reason: reason.to_owned(),
                    advice: String::new(),
                },
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
        let report = self.refusal_for(span, &refusal, &inner);
        self.report_habit(report);
        Some(Spanned::new(read, span))
    }

    /// Why a number is not all of what was written as one: `1,000`, `$0,04`, `128 k`, `4¢`.
    fn goes_on(&self, token: Token, number: Number<'_>) -> Option<&'static str> {
        if self.grouped(token).is_some() {
            return Some("groups its digits");
        }
        if self.comma_for_point(token).is_some() {
            return Some("has a comma for its decimal point");
        }
        let next = self.tokens.at(token.end);
        let apart = number.unit.is_empty() && !number.money && !next.first_on_line;
        (apart && matches!(self.written(next), "k" | "K" | "M")).then_some("has its unit apart")
    }

    /// The end of `$0,04`, and the same with a point.
    fn comma_for_point(&self, token: Token) -> Option<(u32, String)> {
        let written = self.written(token);
        let cents = self.text.get(token.end as usize..)?.strip_prefix(',')?;
        let length = cents
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(cents.len());
        let whole = written
            .strip_prefix('$')?
            .bytes()
            .all(|b| b.is_ascii_digit());
        (whole && matches!(length, 1 | 2)).then(|| {
            let end = token.end + 1 + offset(length);
            (
                end,
                format!("{written}.{}", cents.get(..length).unwrap_or("")),
            )
        })
    }

    /// The end of `4¢`, and the same in dollars.
    fn cents(&self, token: Token) -> Option<(u32, String)> {
        let sign = "¢";
        let cents: u32 = self.written(token).parse().ok()?;
        let rest = self.text.get(token.end as usize..)?;
        let end = token.end + offset(sign.len());
        rest.starts_with(sign)
            .then(|| (end, format!("${}.{:02}", cents / 100, cents % 100)))
    }

    /// Reports a currency before its amount: `USD 50`, `EUR 50`.
    pub(super) fn currency_before(&mut self) -> Read<()> {
        let word = self.peek();
        let written = self.written(word);
        let next = self.tokens.at(word.end);
        if !self.at(TokenKind::Word) || !is_currency(written) || next.kind != TokenKind::Number {
            return Ok(());
        }
        let span = Span::new(self.file, word.start, next.end);
        if !is_dollar(written) {
            return Err(self.report(foreign_money(span, written)));
        }
        let right = format!("${}", self.written(next));
        let edit = Edit {
            span: Span::new(self.file, word.start, next.start),
            text: "$".to_owned(),
        };
        self.report(
            codes::BAD_LITERAL
                .error(span, format!("`{written}` is written `$`"))
                .label("cannot be read as meant")
                .help(format!("write `{right}`"))
                .fix(format!("write `{right}`"), [edit]),
        );
        // The amount is read as if its sign were there.
        self.bump();
        self.suspect = span.start..span.end;
        Ok(())
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
        let whole = self.grouped(token);
        let whole = whole.or_else(|| self.comma_for_point(token));
        if let Some((end, right)) = whole.or_else(|| self.cents(token)) {
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
        if let Some(exact) = spelled_out(number) {
            candidates.push((token.end, exact));
        }
        if number.unit.starts_with('_') {
            candidates.push((token.end, written.replace('_', "")));
        }
        if apart {
            let sign = follows == "$" || is_dollar(follows);
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
        let report = self.refusal_for(span, refusal, right);
        self.report(report);
    }

    fn refusal_for(&self, span: Span, refusal: &Refusal, right: &str) -> Diagnostic {
        let text = self.text.get(span.start as usize..span.end as usize);
        let message = format!("`{}` {}", text.unwrap_or(""), refusal.reason);
        let edit = Edit {
            span,
            text: right.to_owned(),
        };
        codes::BAD_LITERAL
            .error(span, message)
            .label("cannot be read as meant")
            .help(format!("write `{right}`"))
            .fix(format!("write `{right}`"), [edit])
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

//! Rates as other tools write them: `600 rpm`, `60k tpm`, `600/min`, `10 req/s`, `600 requests per minute`.

use crate::codes;
use crate::diagnostic::Edit;
use crate::source::{Span, Spanned};
use crate::syntax::lexer::{TokenKind, offset};
use crate::syntax::literal;
use crate::syntax::tree::{Amount, Window};

use super::Parser;

/// One word for what is counted and its window.
const RATES: &[(&str, &str, &str)] = &[
    ("rps", "requests", "1s"),
    ("qps", "requests", "1s"),
    ("rpm", "requests", "1m"),
    ("qpm", "requests", "1m"),
    ("rph", "requests", "1h"),
    ("rpd", "requests", "day"),
    ("tps", "tokens", "1s"),
    ("tpm", "tokens", "1m"),
    ("tph", "tokens", "1h"),
    ("tpd", "tokens", "day"),
];

const COUNTED: &[(&str, &str)] = &[
    ("r", "requests"),
    ("req", "requests"),
    ("reqs", "requests"),
    ("request", "requests"),
    ("requests", "requests"),
    ("call", "requests"),
    ("calls", "requests"),
    ("tok", "tokens"),
    ("token", "tokens"),
    ("tokens", "tokens"),
];

const WINDOWS: &[(&str, &str)] = &[
    ("s", "1s"),
    ("sec", "1s"),
    ("second", "1s"),
    ("m", "1m"),
    ("min", "1m"),
    ("minute", "1m"),
    ("h", "1h"),
    ("hr", "1h"),
    ("hour", "1h"),
    ("d", "day"),
    ("day", "day"),
    ("week", "week"),
    ("month", "month"),
];

/// What a rate of another form says.
struct Rate<'t> {
    /// With its `k` or `M`.
    number: &'t str,
    /// Nothing, where it does not say what it counts.
    counted: Option<&'static str>,
    window: &'static str,
    length: usize,
}

impl Parser<'_> {
    /// Reads an amount and its window in the form of another tool, if they stand here in one, and says so.
    pub(super) fn rate_of_elsewhere(
        &mut self,
        budget: bool,
    ) -> Option<(Spanned<Amount>, Spanned<Window>)> {
        let token = self.peek();
        if !self.at(TokenKind::Number) {
            return None;
        }
        let line = self.text.get(token.start as usize..)?.lines().next()?;
        // A budget that does not say what it counts lacks its `$`.
        let rate = read(line).filter(|rate| !budget || rate.counted.is_some())?;
        let count = literal::read(rate.number)?.count().ok()?;
        let (window, counted) = (rate.window, rate.counted.unwrap_or("requests"));
        let right = format!("{} {counted} / {window}", rate.number);
        let end = token.start.saturating_add(offset(rate.length));
        let span = Span::new(self.file, token.start, end);
        let written = line.get(..rate.length)?;
        let edit = Edit {
            span,
            text: right.clone(),
        };
        let report = codes::UNEXPECTED_TOKEN
            .error(span, format!("`{written}` is not how a rate is written"))
            .label("an amount, what it counts, `/` and a window")
            .help(format!("write `{right}`"));
        self.report(match rate.counted {
            Some(_) => report.fix(format!("write `{right}`"), [edit]),
            None => report,
        });
        self.move_to(end);
        let amount = match counted {
            "tokens" => Amount::Tokens(count),
            _ => Amount::Requests(count),
        };
        let window = match window {
            "day" => Window::Day,
            "week" => Window::Week,
            "month" => Window::Month,
            rolling => Window::Rolling(literal::read(rolling)?.duration().ok()?),
        };
        Some((Spanned::new(amount, span), Spanned::new(window, span)))
    }
}

/// The rate that `line` begins with, unless it is written as it is here.
fn read(line: &str) -> Option<Rate<'_>> {
    let digits = line.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (rest, scaled) = match line.get(digits..)? {
        tail if tail.starts_with(['k', 'M']) && !follows_word(tail.get(1..)?) => {
            (tail.get(1..)?, digits + 1)
        }
        tail => (tail, digits),
    };
    let number = line.get(..scaled)?;
    let (word, after) = word(rest.trim_start_matches(' '));
    let length = |after: &str| line.len() - after.len();
    if let Some((_, counted, window)) = RATES
        .iter()
        .find(|(rate, ..)| word.eq_ignore_ascii_case(rate))
    {
        return Some(Rate {
            number,
            counted: Some(counted),
            window,
            length: length(after),
        });
    }
    let counted = match word {
        "" => None,
        word => Some(find(COUNTED, word)?),
    };
    let (slash, after) = separator(after.trim_start_matches(' '))?;
    let (window, after) = self::word(after.trim_start_matches(' '));
    let right = find(WINDOWS, window)?;
    // What is wrong with these alone is said of the one word.
    let proper = matches!(word, "requests" | "calls" | "tokens")
        && (slash || matches!(window, "day" | "week" | "month"));
    (!proper && !follows_word(after)).then(|| Rate {
        number,
        counted,
        window: right,
        length: length(after),
    })
}

fn find(words: &[(&'static str, &'static str)], word: &str) -> Option<&'static str> {
    let mut known = words.iter().filter(|(other, _)| *other == word);
    known.next().map(|(_, right)| *right)
}

fn follows_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphanumeric() || c == '_')
}

/// The letters that `text` begins with, and what follows.
fn word(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// Takes `/` or a word for it; whether it was the sign.
fn separator(text: &str) -> Option<(bool, &str)> {
    if let Some(after) = text.strip_prefix('/') {
        return (!after.starts_with('/')).then_some((true, after));
    }
    let (word, after) = word(text);
    matches!(word, "per" | "a" | "an" | "every" | "each").then_some((false, after))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::read;

    #[test]
    fn a_rate_of_this_language_is_none_of_another() {
        for right in [
            "600 requests / 1m per caller.key",
            "600 requests / day",
            "60k tokens / 1m",
            "$50 / day",
            "600 requests per day",
            "600",
        ] {
            assert!(read(right).is_none(), "{right}");
        }
    }

    #[test]
    fn it_ends_with_its_window() {
        let rate = read("60k tpm  per caller.key").unwrap();
        assert_eq!((rate.number, rate.window, rate.length), ("60k", "1m", 7));
        let rate = read("600r/m per caller.key").unwrap();
        assert_eq!((rate.number, rate.window, rate.length), ("600", "1m", 6));
        assert!(read("600 requests / monthly").is_none());
    }
}

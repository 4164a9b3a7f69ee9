//! Numbers and their exact values: integers in the unit of the tree, never through floats.
//!
//! A value that its unit cannot hold exactly is refused with what to write instead; rounding money or a
//! limit in silence is how a bill differs from its file.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while};
use nom::character::complete::{char, digit1};
use nom::combinator::opt;
use nom::sequence::preceded;
use nom::{IResult, Parser as _};

/// A number as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number<'t> {
    /// Whether `$` stands before it.
    pub(crate) money: bool,
    /// The digits before the point.
    pub(crate) whole: &'t str,
    /// The digits after it, if there is a point.
    pub(crate) fraction: Option<&'t str>,
    /// What follows without a space: `k`, `ms`, `%`, or nothing.
    pub(crate) unit: &'t str,
}

/// Why a number is not a value of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// What it is instead, said of the literal: "is finer than a nano-dollar".
    pub(crate) reason: String,
    /// What to write.
    pub(crate) advice: String,
}

impl Refusal {
    pub(super) fn new(reason: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            advice: advice.into(),
        }
    }
}

/// A number, with its sign of money or its unit.
pub(crate) fn number(input: &str) -> IResult<&str, Number<'_>> {
    let digits = take_while(|c: char| c.is_ascii_digit());
    let money = (char('$'), digits).map(|(_, whole)| (true, whole));
    let plain = digit1.map(|whole| (false, whole));
    let unit = alt((
        tag("%"),
        take_while(|c: char| c.is_alphanumeric() || c == '_'),
    ));
    let (rest, ((money, whole), fraction, unit)) =
        (alt((money, plain)), opt(preceded(char('.'), digit1)), unit).parse(input)?;
    let number = Number {
        money,
        whole,
        fraction,
        unit,
    };
    Ok((rest, number))
}

/// The number that is the whole of `written`.
pub(crate) fn read(written: &str) -> Option<Number<'_>> {
    let (rest, number) = number(written).ok()?;
    rest.is_empty().then_some(number)
}

impl Number<'_> {
    /// A plain integer: a port, a weight, a status.
    pub(crate) fn integer(self) -> Result<u64, Refusal> {
        self.refuse_money("a plain number")?;
        if !self.unit.is_empty() || self.fraction.is_some() {
            return Err(Refusal::new(
                format!("{}, where a plain integer belongs", self.description()),
                "write an integer without a unit",
            ));
        }
        self.scaled(1, "an integer")
    }

    /// A count of tokens or requests: `24000`, `400k`, `1.5M`.
    pub(crate) fn count(self) -> Result<u64, Refusal> {
        self.refuse_money("a count")?;
        let scale = match self.unit {
            "" => 1,
            "k" => 1_000,
            "M" => 1_000_000,
            "K" => return Err(Refusal::new("has an unknown unit", "a thousand is `k`")),
            _ => {
                return Err(Refusal::new(
                    format!("{}, where a count belongs", self.description()),
                    "write an integer, or thousands and millions as `400k` and `2M`",
                ));
            }
        };
        self.scaled(scale, "a whole count")
    }

    /// Milliseconds of `250ms`, `2s`, `10m`, `1h`, `1d`.
    pub(crate) fn duration(self) -> Result<u64, Refusal> {
        self.refuse_money("a duration")?;
        let scale = match self.unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "" => {
                return Err(Refusal::new(
                    "has no unit",
                    "say of what: `ms`, `s`, `m`, `h` or `d`",
                ));
            }
            _ => {
                return Err(Refusal::new(
                    format!("{}, where a duration belongs", self.description()),
                    "write one number with one unit: `ms`, `s`, `m`, `h` or `d`",
                ));
            }
        };
        self.scaled(scale, "a whole number of milliseconds")
    }

    /// Hundredths of a percent of `80%`.
    pub(crate) fn percent(self) -> Result<u32, Refusal> {
        self.refuse_money("a percentage")?;
        if self.unit != "%" {
            return Err(Refusal::new(
                format!("{}, where a percentage belongs", self.description()),
                "write a share as `80%`",
            ));
        }
        let hundredths = self.scaled(100, "exact in hundredths of a percent")?;
        u32::try_from(hundredths).map_err(|_| too_large())
    }

    /// Nano-dollars of `$1.25`.
    pub(crate) fn nano_dollars(self) -> Result<i64, Refusal> {
        self.dollars(1_000_000_000, "exact in nano-dollars (nine decimals)")
    }

    /// A decimal that is a score: the one literal that is a float.
    pub(crate) fn decimal(self) -> Result<f64, Refusal> {
        self.refuse_money("a decimal")?;
        if !self.unit.is_empty() {
            return Err(Refusal::new(
                format!("{}, where a decimal belongs", self.description()),
                "write a decimal such as `0.42`",
            ));
        }
        let written = format!("{}.{}", self.whole, self.fraction.unwrap_or("0"));
        written.parse().map_err(|_| too_large())
    }

    fn dollars(self, scale: u128, exactness: &str) -> Result<i64, Refusal> {
        if !self.money {
            let advice = match (self.unit, self.fraction) {
                ("", Some(fraction)) => format!("write `${}.{fraction}`", self.whole),
                ("", None) => format!("write `${}`", self.whole),
                _ => "write US dollars as `$1.25`".to_owned(),
            };
            let reason = format!("{}, where money belongs", self.description());
            return Err(Refusal::new(reason, advice));
        }
        if !self.unit.is_empty() || self.whole.is_empty() {
            return Err(Refusal::new(
                "is not an amount of money",
                "write US dollars as `$1.25`, without a unit",
            ));
        }
        let amount = self.scaled(scale, exactness)?;
        i64::try_from(amount).map_err(|_| too_large())
    }

    fn refuse_money(self, wanted: &str) -> Result<(), Refusal> {
        if self.money {
            return Err(Refusal::new(
                format!("is money, where {wanted} belongs"),
                "remove the `$`",
            ));
        }
        Ok(())
    }

    /// The value times `scale`, if that is an integer that fits.
    fn scaled(self, scale: u128, exactness: &str) -> Result<u64, Refusal> {
        let fraction = self.fraction.unwrap_or("").trim_end_matches('0');
        let places = u32::try_from(fraction.len()).map_err(|_| too_large())?;
        let digits: String = [self.whole.trim_start_matches('0'), fraction].concat();
        let mantissa: u128 = match digits.as_str() {
            "" => 0,
            digits => digits.parse().map_err(|_| too_large())?,
        };
        let product = mantissa.checked_mul(scale).ok_or_else(too_large)?;
        let divisor = 10u128
            .checked_pow(places)
            .ok_or_else(|| inexact(exactness))?;
        if product % divisor != 0 {
            return Err(inexact(exactness));
        }
        u64::try_from(product / divisor).map_err(|_| too_large())
    }

    fn description(self) -> &'static str {
        match (self.unit, self.fraction) {
            ("%", _) => "is a percentage",
            ("ms" | "s" | "m" | "h" | "d", _) => "is a duration",
            ("k" | "M", _) => "is a count",
            ("", Some(_)) => "is a decimal",
            ("", None) => "is a plain number",
            _ => "has an unknown unit",
        }
    }
}

fn inexact(exactness: &str) -> Refusal {
    Refusal::new(
        format!("is not {exactness}"),
        "write fewer decimals, nothing is rounded for you",
    )
}

fn too_large() -> Refusal {
    Refusal::new("is too large", "write a smaller number")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::read;

    #[test]
    fn money_is_exact_to_the_nano_dollar() {
        assert_eq!(read("$1.25").unwrap().nano_dollars(), Ok(1_250_000_000));
        assert_eq!(read("$0.000000001").unwrap().nano_dollars(), Ok(1));
        assert_eq!(read("$007.50").unwrap().nano_dollars(), Ok(7_500_000_000));
        assert!(read("$0.0000000001").unwrap().nano_dollars().is_err());
        assert!(read("$10000000000").unwrap().nano_dollars().is_err());
        assert!(read("$").unwrap().nano_dollars().is_err());
    }

    #[test]
    fn counts_and_durations_know_their_units() {
        assert_eq!(read("400k").unwrap().count(), Ok(400_000));
        assert_eq!(read("1.5M").unwrap().count(), Ok(1_500_000));
        assert!(read("1.5").unwrap().count().is_err());
        assert!(read("10m").unwrap().count().is_err());
        assert_eq!(read("250ms").unwrap().duration(), Ok(250));
        assert_eq!(read("1.5h").unwrap().duration(), Ok(5_400_000));
        assert!(read("1h30m").unwrap().duration().is_err());
        assert!(read("60").unwrap().duration().is_err());
        assert_eq!(read("99.95%").unwrap().percent(), Ok(9995));
    }

    #[test]
    fn huge_numbers_are_refused_and_do_not_overflow() {
        let digits = "9".repeat(200);
        assert!(read(&digits).unwrap().integer().is_err());
        assert!(read(&format!("${digits}")).unwrap().nano_dollars().is_err());
        assert!(read(&format!("0.{digits}")).unwrap().count().is_err());
    }
}

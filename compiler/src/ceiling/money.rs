//! Sums of money too large for an account: what millions of the dearest calls would cost.

use std::fmt;

/// A sum in units of 10⁻⁹ dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Dollars(pub u128);

/// Exact: at least two decimals and as many as it needs, `50.00`, `0.000125`.
impl fmt::Display for Dollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const BILLION: u128 = 1_000_000_000;
        let fraction = format!("{:09}", self.0 % BILLION);
        let kept = fraction.trim_end_matches('0').len().max(2);
        write!(
            f,
            "{}.{}",
            self.0 / BILLION,
            fraction.get(..kept).unwrap_or(&fraction)
        )
    }
}

impl Dollars {
    /// As people read it, rounded up to a cent where it is a dollar or more: `$1,550.00`, `$0.000125`.
    #[must_use]
    pub fn readable(self) -> String {
        const CENT: u128 = 10_000_000;
        const DOLLAR: u128 = 100 * CENT;
        let shown = if self.0 < DOLLAR {
            self
        } else {
            Self(self.0.div_ceil(CENT).saturating_mul(CENT))
        };
        let text = shown.to_string();
        let (whole, rest) = text.split_once('.').unwrap_or((&text, "00"));
        let mut grouped = String::from("$");
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        format!("{grouped}.{rest}")
    }
}

#[cfg(test)]
mod tests {
    use super::Dollars;

    #[test]
    fn sums_are_exact_and_readable() {
        let check = |nanos, exact: &str, readable: &str| {
            assert_eq!(Dollars(nanos).to_string(), exact);
            assert_eq!(Dollars(nanos).readable(), readable);
        };
        check(0, "0.00", "$0.00");
        check(125_000, "0.000125", "$0.000125");
        check(50_000_000_000, "50.00", "$50.00");
        check(1_550_000_000_001, "1550.000000001", "$1,550.01");
        check(
            999_995_000_001_000_000_000,
            "999995000001.00",
            "$999,995,000,001.00",
        );
    }
}

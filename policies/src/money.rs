//! Money as integers.

use std::fmt;

/// An amount of US dollars in units of 10⁻⁹ dollars. Arithmetic saturates: money never wraps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct NanoDollars(pub i64);

impl NanoDollars {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Both together, at most `i64::MAX`.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// In dollars, for expressions and reports; never for accounting.
    #[must_use]
    pub fn dollars(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

/// As dollars with at least four decimals and as many as it needs: `0.0021`, `1.25`→`1.2500`, `0.000000125`.
impl fmt::Display for NanoDollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let nanos = self.0.unsigned_abs();
        let fraction = format!("{:09}", nanos % 1_000_000_000);
        let kept = fraction.trim_end_matches('0').len().max(4);
        write!(
            f,
            "{sign}{}.{}",
            nanos / 1_000_000_000,
            fraction.get(..kept).unwrap_or(&fraction)
        )
    }
}

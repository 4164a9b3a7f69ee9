//! How many attempts at an upstream may be repetitions.
//!
//! An upstream that is overloaded fails calls, and each that is repeated adds to its load. So repetitions are a share of
//! its calls: each call earns a fifth of one. A few are there from the beginning, and one a second comes back, so that an
//! upstream that is seldom called is repeated too.
//!
//! Pure: the time comes in, in nanoseconds since 1970.

/// What one repetition costs.
const REPETITION: u64 = 1_000_000_000;
/// What one call earns: a fifth of a repetition.
const EARNED: u64 = REPETITION / 5;
/// Repetitions that are there without any calls.
const RESERVE: u64 = 10 * REPETITION;
/// What calls can earn beyond the reserve at most.
const MOST: u64 = 100 * REPETITION;

/// The repetitions that an upstream may still get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryBudget {
    /// In nanoseconds of the reserve, which comes back at one repetition a second.
    balance: u64,
    last: i64,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self {
            balance: RESERVE,
            last: i64::MIN,
        }
    }
}

impl RetryBudget {
    /// A call came, which is no repetition.
    pub fn called(&mut self) {
        self.balance = self.balance.saturating_add(EARNED).min(RESERVE + MOST);
    }

    /// Takes a repetition, where there is one.
    #[must_use]
    pub fn take(&mut self, now: i64) -> bool {
        // The first look, or a clock that was set back, brings nothing.
        let elapsed = match self.last {
            i64::MIN => 0,
            last => u64::try_from(now.saturating_sub(last)).unwrap_or(0),
        };
        self.last = now;
        if self.balance < RESERVE {
            self.balance = self.balance.saturating_add(elapsed).min(RESERVE);
        }
        let rest = self.balance.checked_sub(REPETITION);
        self.balance = rest.unwrap_or(self.balance);
        rest.is_some()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn a_seldom_called_upstream_has_a_reserve() {
        let mut budget = RetryBudget::default();
        let taken = (0..20).filter(|_| budget.take(SECOND)).count();
        assert_eq!(taken, 10);
        assert!(!budget.take(SECOND + SECOND / 2));
        assert!(budget.take(2 * SECOND));
    }

    proptest! {
        /// Repetitions are never more than the reserve, one a second, and a fifth of the calls.
        #[test]
        fn repetitions_are_a_share_of_calls(
            events in proptest::collection::vec((any::<bool>(), 0..SECOND / 4), 0..400),
        ) {
            let (mut budget, mut now) = (RetryBudget::default(), SECOND);
            let (mut calls, mut repetitions) = (0_i64, 0_i64);
            for (is_call, pause) in events {
                now += pause;
                if is_call {
                    budget.called();
                    calls += 1;
                } else if budget.take(now) {
                    repetitions += 1;
                }
                let allowed = 10 + now / SECOND + calls / 5;
                prop_assert!(repetitions <= allowed, "{repetitions} of {calls}");
            }
        }
    }
}

//! What a call costs: before it leaves, at worst, and in the end.
//!
//! Invariants: integers all the way, in nano-dollars; arithmetic saturates, so money never wraps and a wrong
//! figure from an upstream can only make a call look dearer, never cheaper than nothing.

use crate::money::NanoDollars;
use crate::plan::draft::Price;

/// The answer that a call is expected to have, where more is reserved: most answers are short.
pub const EXPECTED_ANSWER: u64 = 256;

/// What a provider says a call used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Tokens of the prompt, cached ones included.
    pub input: u64,
    /// Of these, the ones that the provider had cached.
    pub cached: u64,
    /// Tokens of the answer, reasoning included.
    pub output: u64,
}

impl Usage {
    /// Prompt and answer together.
    #[must_use]
    pub const fn tokens(self) -> u64 {
        self.input.saturating_add(self.output)
    }
}

/// What a call is expected to cost: its prompt, nothing of it cached, and a usual answer.
#[must_use]
pub fn estimate(price: Price, input: u64, reserved_answer: u64) -> NanoDollars {
    ceiling(price, input, reserved_answer.min(EXPECTED_ANSWER))
}

/// What a call costs at worst: its prompt, nothing of it cached, and all of the answer reserved for it.
#[must_use]
pub fn ceiling(price: Price, input: u64, reserved_answer: u64) -> NanoDollars {
    // A discount that is none must not make the worst case too small.
    let input_price = price.input.max(price.cached);
    input_price
        .times(input)
        .plus(price.output.times(reserved_answer))
}

/// What a call cost. More cached tokens than the prompt has count as all of it.
#[must_use]
pub fn actual(price: Price, usage: Usage) -> NanoDollars {
    let cached = usage.cached.min(usage.input);
    price
        .input
        .times(usage.input - cached)
        .plus(price.cached.times(cached))
        .plus(price.output.times(usage.output))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// gpt-5.1's: $1.25, $0.125 and $10 per million tokens.
    const PRICE: Price = Price {
        input: NanoDollars(1250),
        cached: NanoDollars(125),
        output: NanoDollars(10_000),
    };

    #[test]
    fn estimate_takes_a_usual_answer() {
        assert_eq!(
            estimate(PRICE, 1000, 4096),
            NanoDollars(1_250_000 + 2_560_000)
        );
        assert_eq!(estimate(PRICE, 1000, 16), NanoDollars(1_250_000 + 160_000));
    }

    #[test]
    fn ceiling_takes_the_whole_answer() {
        assert_eq!(
            ceiling(PRICE, 1000, 4096),
            NanoDollars(1_250_000 + 40_960_000)
        );
    }

    #[test]
    fn cached_tokens_are_charged_at_their_price() {
        let usage = Usage {
            input: 1000,
            cached: 800,
            output: 10,
        };
        assert_eq!(
            actual(PRICE, usage),
            NanoDollars(250_000 + 100_000 + 100_000)
        );
    }

    #[test]
    fn more_cached_than_sent_is_all_of_it() {
        let usage = Usage {
            input: 10,
            cached: 800,
            output: 0,
        };
        assert_eq!(actual(PRICE, usage), NanoDollars(1250));
    }

    proptest! {
        #[test]
        fn the_ceiling_bounds_what_was_reserved(
            input in any::<u64>(), cached in any::<u64>(), reserved in any::<u64>(), output in any::<u64>(),
        ) {
            let usage = Usage { input, cached, output: output.min(reserved) };
            prop_assert!(actual(PRICE, usage) <= ceiling(PRICE, input, reserved));
            prop_assert!(estimate(PRICE, input, reserved) <= ceiling(PRICE, input, reserved));
            prop_assert!(actual(PRICE, usage) >= NanoDollars::ZERO);
        }
    }
}

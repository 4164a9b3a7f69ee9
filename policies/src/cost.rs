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

/// What a call costs where none of its prompt is cached: at worst with all of the answer that is reserved for it, as a
/// rule with [`EXPECTED_ANSWER`].
#[must_use]
pub fn ceiling(price: Price, input: u64, reserved_answer: u64) -> NanoDollars {
    // A discount that is none must not make the worst case too small.
    let input_price = price.input.max(price.cached);
    sum([(input_price, input), (price.output, reserved_answer)])
}

/// What a call cost. More cached tokens than the prompt has count as all of it.
#[must_use]
pub fn actual(price: Price, usage: Usage) -> NanoDollars {
    let cached = usage.cached.min(usage.input);
    sum([
        (price.input, usage.input - cached),
        (price.cached, cached),
        (price.output, usage.output),
    ])
}

/// Tokens at their prices per million, rounded up once: a call is never cheaper than what it used.
fn sum<const PARTS: usize>(parts: [(NanoDollars, u64); PARTS]) -> NanoDollars {
    const MILLION: i128 = 1_000_000;
    // 2⁶³ times 2⁶⁴ is 2¹²⁷: one product fits, the sum saturates.
    let total = parts
        .into_iter()
        .map(|(price, tokens)| i128::from(price.0).saturating_mul(i128::from(tokens)))
        .fold(0_i128, i128::saturating_add);
    let nanos = total.saturating_add(MILLION - 1) / MILLION;
    NanoDollars(i64::try_from(nanos).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// gpt-5.1's: $1.25, $0.125 and $10 per million tokens.
    const PRICE: Price = Price {
        input: NanoDollars(1_250_000_000),
        cached: NanoDollars(125_000_000),
        output: NanoDollars(10_000_000_000),
    };

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
    fn a_part_of_a_nano_dollar_is_one() {
        let price = Price {
            input: NanoDollars(37_500_000),
            ..PRICE
        };
        let usage = |input| Usage {
            input,
            ..Usage::default()
        };
        assert_eq!(actual(price, usage(2)), NanoDollars(75));
        assert_eq!(actual(price, usage(3)), NanoDollars(113));
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
            prop_assert!(ceiling(PRICE, input, output.min(reserved)) <= ceiling(PRICE, input, reserved));
            prop_assert!(actual(PRICE, usage) >= NanoDollars::ZERO);
        }
    }
}

//! Clocks that were wrong, sweeps at midnight, and the ends of 64 bits.

use super::*;

#[test]
fn a_clock_that_was_far_ahead_does_not_hold_a_window_for_ever() {
    let state = state([daily(Unit::Money, 50)]);
    state.add(0, spread(1), 50, MIDNIGHT + 10_000 * DAY);
    assert!(state.reserve(&[charge(0, 1, 1, 50)], MIDNIGHT).is_err());
    assert_eq!(used(&state, 0, 1, MIDNIGHT + DAY), 0);
}

/// A sweep just after midnight begins the new window of what it keeps: a call of the old one must not be settled in it.
#[test]
fn a_sweep_begins_a_new_window_as_any_call_does() {
    let state = State::bounded([daily(Unit::Tokens, 1_000)], [], [1, 2], 64 * 64);
    // All in one shard.
    let charge = |key: u128, amount| Charge {
        quota: 0,
        key: Key(key),
        amount,
        bound: 1_000,
    };
    let old = state.reserve(&[charge(0, 80)], MIDNIGHT - SECOND).unwrap();
    // Enough keys of one shard that it is swept, a second after midnight.
    let after = MIDNIGHT + SECOND;
    for key in 1..200 {
        if let Ok(held) = state.reserve(&[charge(key, 1)], after) {
            state.settle(held, spent(1), after);
        }
    }
    state.add(0, Key(0), 100, after);
    state.refund(old, after);
    assert_eq!(state.usage(0, Key(0), after).used, 100);
}

#[test]
fn the_ends_of_64_bits_wrap_nothing() {
    let most = i64::MAX.unsigned_abs();
    let state = state([
        rolling(Unit::Tokens, u64::MAX, 1, u64::MAX),
        daily(Unit::Money, most),
        rolling(Unit::Money, 1, i64::MAX as u64 / 1_000_000_000, 1),
    ]);
    for quota in [0, 1, 2] {
        let key = spread(1);
        state.add(quota, key, u64::MAX, MIDNIGHT);
        state.add(quota, key, u64::MAX, MIDNIGHT);
        assert_eq!(state.usage(quota, key, MIDNIGHT).used, u64::MAX);
        assert!(
            state
                .reserve(&[charge(quota, 1, 1, most)], MIDNIGHT)
                .is_err()
        );
        assert!(
            state
                .reserve(&[charge(quota, 1, u64::MAX, u64::MAX)], MIDNIGHT)
                .is_err()
        );
    }
    let now = i64::MAX - 2 * DAY;
    let held = state.reserve(&[charge(1, 2, most, most)], now).unwrap();
    state.settle(held, spent(u64::MAX), now);
    assert_eq!(used(&state, 1, 2, now), u64::MAX);
}

#[test]
fn a_limit_of_nothing_lets_nothing_through() {
    let state = state([rolling(Unit::Requests, 0, 60, 0), daily(Unit::Money, 0)]);
    for quota in [0, 1] {
        let exhausted = state
            .reserve(&[charge(quota, 1, 1, 0)], MIDNIGHT)
            .unwrap_err();
        assert_eq!(exhausted.retry_after_milliseconds, None, "never");
    }
    // Debt that never drains is owed for ever.
    state.add(0, spread(1), 5, MIDNIGHT);
    assert_eq!(used(&state, 0, 1, MIDNIGHT + 365 * DAY), 5);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// A key is forgotten only where it says no more than a fresh one: a state that is always short of places decides as one
    /// that has enough of them, but for calls of keys for which there is none.
    #[test]
    fn what_is_forgotten_is_what_a_fresh_key_says(
        calls in prop::collection::vec((0..100_u128, 0..4_u16, 1..9_u64, 0..12_u64, 0..2 * HOUR), 100..300),
    ) {
        let quotas = || [
            rolling(Unit::Tokens, 20, 30, 20),
            daily(Unit::Tokens, 20),
            sliding(Unit::Tokens, 20, 600),
            session(Unit::Tokens, 20, 3600),
        ];
        // Places for a fifth of the keys.
        let short = State::bounded(quotas(), [], [1, 2], 80 * SHARDS);
        let ample = State::with_quotas(quotas(), [], [1, 2]);
        let (mut now, mut open) = (MIDNIGHT, std::collections::VecDeque::new());
        for (key, quota, amount, spends, wait) in calls {
            // All in one shard.
            let charge = [Charge { quota, key: Key(key), amount, bound: 20 }];
            let both = (short.reserve(&charge, now), ample.reserve(&charge, now));
            match both {
                (Ok(one), Ok(other)) => open.push_back((one, other, spends)),
                (Err(full), other) if full.reason == ExhaustedReason::Buckets => {
                    if let Ok(other) = other {
                        ample.refund(other, now);
                    }
                }
                (one, other) => prop_assert_eq!(one.map(|_| ()), other.map(|_| ())),
            }
            if open.len() > 5 {
                let (one, other, spends) = open.pop_front().unwrap();
                short.settle(one, spent(spends), now);
                ample.settle(other, spent(spends), now);
            }
            for other in [key, key / 2] {
                let used = |state: &State| state.usage(quota, Key(other), now).used;
                prop_assert_eq!(used(&short), used(&ample));
            }
            now += wait / 20;
        }
        prop_assert!(short.len().0 <= 100);
        for (one, other, _) in open {
            short.refund(one, now);
            ample.refund(other, now);
        }
    }
}

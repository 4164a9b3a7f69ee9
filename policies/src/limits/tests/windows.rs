//! Sliding windows, sessions, single calls and open calls.

use super::*;

#[test]
fn a_sliding_window_is_the_time_just_past() {
    let state = state([sliding(Unit::Requests, 10, 60)]);
    let take = |count: u64, at: i64| {
        let held = state.reserve(&[charge(0, 1, count, 10)], at)?;
        state.settle(held, spent(count), at);
        Ok::<_, Exhausted>(())
    };
    take(4, MIDNIGHT).unwrap();
    take(6, MIDNIGHT + 59 * SECOND).unwrap();
    // A bucket of ten a minute would hold nearly ten again.
    let refused = take(1, MIDNIGHT + 60 * SECOND).unwrap_err();
    // What the first second used is free when all of it lies a minute back.
    assert_eq!(refused.retry_after_milliseconds, Some(1_000));
    take(4, MIDNIGHT + 61 * SECOND).unwrap();
    assert!(take(1, MIDNIGHT + 119 * SECOND).is_err());
    assert_eq!(used(&state, 0, 1, MIDNIGHT + 120 * SECOND), 4);
    assert_eq!(used(&state, 0, 1, MIDNIGHT + 122 * SECOND), 0);
}

#[test]
fn a_sliding_window_gives_back_what_was_not_used_and_keeps_what_was_used_beyond() {
    let state = state([sliding(Unit::Tokens, 100, 60)]);
    let first = state.reserve(&[charge(0, 1, 80, 100)], MIDNIGHT).unwrap();
    let later = MIDNIGHT + 30 * SECOND;
    state.settle(first, spent(10), later);
    assert_eq!(used(&state, 0, 1, later), 10);
    let second = state.reserve(&[charge(0, 1, 50, 100)], later).unwrap();
    state.settle(second, spent(120), later + 20 * SECOND);
    assert_eq!(used(&state, 0, 1, later + 20 * SECOND), 130);
    // The first call has left the window, what the second used beyond its reservation is of when it ended.
    assert_eq!(used(&state, 0, 1, MIDNIGHT + 91 * SECOND), 70);
    assert_eq!(used(&state, 0, 1, MIDNIGHT + 111 * SECOND), 0);
    // One that takes longer than the window used nothing of what is now, but for what it used beyond.
    let long = state
        .reserve(&[charge(0, 1, 50, 100)], MIDNIGHT + DAY)
        .unwrap();
    state.settle(long, spent(20), MIDNIGHT + DAY + HOUR);
    assert_eq!(used(&state, 0, 1, MIDNIGHT + DAY + HOUR), 0);
}

#[test]
fn a_session_is_over_when_it_has_been_idle() {
    let state = state([session(Unit::Money, 20, 600)]);
    let minute = 60 * SECOND;
    for step in 0..4 {
        let at = MIDNIGHT + step * 9 * minute;
        let held = state.reserve(&[charge(0, 1, 5, 20)], at).unwrap();
        state.settle(held, spent(5), at);
    }
    let last = MIDNIGHT + 27 * minute;
    let refused = state
        .reserve(&[charge(0, 1, 1, 20)], last + minute)
        .unwrap_err();
    assert_eq!(refused.retry_after_milliseconds, Some(9 * 60_000));
    // A refused call does not keep it alive.
    assert!(
        state
            .reserve(&[charge(0, 1, 1, 20)], last + 9 * minute)
            .is_err()
    );
    assert_eq!(used(&state, 0, 1, last + 10 * minute - 1), 20);
    assert_eq!(used(&state, 0, 1, last + 10 * minute), 0);
}

#[test]
fn a_call_that_outlives_its_session_leaves_only_its_overshoot() {
    let state = state([session(Unit::Money, 20, 60)]);
    let long = state.reserve(&[charge(0, 1, 5, 20)], MIDNIGHT).unwrap();
    let over = state.reserve(&[charge(0, 1, 5, 20)], MIDNIGHT).unwrap();
    state.settle(long, spent(3), MIDNIGHT + HOUR);
    assert_eq!(used(&state, 0, 1, MIDNIGHT + HOUR), 0);
    state.settle(over, spent(12), MIDNIGHT + HOUR);
    assert_eq!(used(&state, 0, 1, MIDNIGHT + HOUR), 7);
}

#[test]
fn a_call_by_itself_is_within_its_bound_or_is_refused_for_good() {
    let call = Quota {
        unit: Unit::Tokens,
        amount: 100,
        window: Window::Call,
    };
    let state = state([call]);
    for _ in 0..1_000 {
        let held = state.reserve(&[charge(0, 1, 100, 100)], MIDNIGHT).unwrap();
        state.settle(held, spent(400), MIDNIGHT);
    }
    assert_eq!((used(&state, 0, 1, MIDNIGHT), state.len().0), (0, 0));
    let refused = state
        .reserve(&[charge(0, 1, 101, 100)], MIDNIGHT)
        .unwrap_err();
    assert_eq!(
        (refused.reason, refused.retry_after_milliseconds),
        (ExhaustedReason::Quota, None)
    );
}

#[test]
fn open_calls_hold_a_seat_until_they_end_however_they_end() {
    let state = state([concurrent(3), daily(Unit::Tokens, 50)]);
    let open = |key| state.reserve(&[charge(0, key, 1, 3), charge(1, key, 10, 50)], MIDNIGHT);
    let mut held: Vec<Reservation> = (0..3).map(|_| open(1).unwrap()).collect();
    let refused = open(1).unwrap_err();
    assert_eq!(
        (refused.quota, refused.retry_after_milliseconds),
        (0, Some(1_000))
    );
    assert!(open(2).is_ok(), "another key has seats of its own");
    assert_eq!(
        used(&state, 1, 1, MIDNIGHT),
        30,
        "what was refused took nothing"
    );
    // Answered, failed, forgotten.
    state.settle(held.pop().unwrap(), spent(4), MIDNIGHT);
    state.refund(held.pop().unwrap(), MIDNIGHT);
    drop(held.pop());
    assert_eq!(used(&state, 0, 1, MIDNIGHT), 0);
    // A reservation that fails after it sat down leaves no seat taken.
    let full = state.reserve(&[charge(0, 1, 1, 3), charge(1, 1, 999, 50)], MIDNIGHT);
    assert_eq!(
        (full.unwrap_err().quota, used(&state, 0, 1, MIDNIGHT)),
        (1, 0)
    );
    // Below its whole, as an outcome at a share has it.
    assert!(state.reserve(&[charge(0, 1, 1, 0)], MIDNIGHT).is_err());
}

#[test]
fn no_more_calls_are_open_than_may_be_whoever_races() {
    let state = state([concurrent(5)]);
    let most = std::sync::atomic::AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..2_000 {
                    if let Ok(held) = state.reserve(&[charge(0, 1, 1, 5)], MIDNIGHT) {
                        let open = used(&state, 0, 1, MIDNIGHT);
                        most.fetch_max(open, std::sync::atomic::Ordering::Relaxed);
                        state.refund(held, MIDNIGHT);
                    }
                }
            });
        }
    });
    assert!(most.into_inner() <= 5);
    assert_eq!(used(&state, 0, 1, MIDNIGHT), 0);
}

/// A call of the reference: when it was admitted, and how much it reserved and used.
type Admitted = (i64, u64, u64);

proptest! {
    /// In no stretch of time as long as the window, wherever it begins, is more admitted than the amount; a refusal says
    /// when there is room; and in the end nothing is left.
    #[test]
    fn a_sliding_window_never_lets_more_through(events in events(20 * SECOND)) {
        let state = state([sliding(Unit::Tokens, 120, 10)]);
        let (calls, now) = run(&state, 120, &events);
        let window = 10 * SECOND;
        for key in 0..3 {
            let of_key: Vec<Admitted> = calls.iter().filter(|call| call.key == key)
                .map(|call| (call.at, call.amount, call.end.unwrap().1)).collect();
            for (start, ..) in &of_key {
                let inside = of_key.iter().filter(|(at, ..)| (*start..start + window).contains(at));
                // What was used of what was reserved: beyond it is debt.
                let used: u64 = inside.map(|(_, amount, used)| used.min(amount)).sum();
                prop_assert!(used <= 120, "{used} in ten seconds");
            }
            prop_assert_eq!(used(&state, 0, key, now + 11 * SECOND), 0);
        }
        prop_assert_eq!(state.abandoned(), 0);
    }

    /// Within a session never more than its amount is admitted, and all of it is there again when it has been idle.
    #[test]
    fn a_session_never_lets_more_through(events in events(15 * SECOND)) {
        let state = state([session(Unit::Tokens, 120, 10)]);
        let (calls, now) = run(&state, 120, &events);
        for key in 0..3 {
            let mut moments: Vec<i64> = calls.iter().filter(|call| call.key == key)
                .flat_map(|call| [call.at, call.end.unwrap().0]).collect();
            moments.sort_unstable();
            let (mut began, mut before) = (i64::MIN, i64::MIN);
            for moment in moments {
                if moment.saturating_sub(before) >= 10 * SECOND {
                    began = moment;
                }
                before = moment;
                let mine = calls.iter().filter(|call| call.key == key && (began..=moment).contains(&call.at));
                let used: u64 = mine.map(|call| call.end.unwrap().1.min(call.amount)).sum();
                prop_assert!(used <= 120, "{used} in a session");
            }
            prop_assert_eq!(used(&state, 0, key, now + 10 * SECOND), 0);
        }
    }

    /// Whatever the clock does, what is used is never more than was ever added, never wraps, and drains in the end.
    #[test]
    fn clocks_that_step_lose_nothing_for_ever(
        steps in prop::collection::vec((0..60_u64, 0..90_u64, -40 * SECOND..40 * SECOND), 0..60),
    ) {
        let state = state([sliding(Unit::Tokens, 500, 10), session(Unit::Tokens, 500, 10)]);
        let (mut now, mut total) = (MIDNIGHT, 0);
        for (amount, uses, wait) in steps {
            let charges = [charge(0, 1, amount, 500), charge(1, 1, amount, 500)];
            if let Ok(held) = state.reserve(&charges, now) {
                state.settle(held, spent(uses), now);
                total += uses.max(amount);
            }
            now += wait;
            for quota in [0, 1] {
                // Each learns what time it is.
                let seen = state.reserve(&[charge(quota, 1, 0, 5_000)], now).unwrap();
                state.refund(seen, now);
                prop_assert!(used(&state, quota, 1, now) <= total);
                prop_assert_eq!(used(&state, quota, 1, now + 100 * SECOND), 0);
            }
        }
    }
}

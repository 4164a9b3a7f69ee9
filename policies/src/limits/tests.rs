#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod edges;
mod interleavings;
mod recovery;
mod schedules;
mod sharing;
mod windows;

use std::sync::Barrier;
use std::thread;

use proptest::prelude::*;

use super::*;
use crate::plan::draft::Period;

const SECOND: i64 = 1_000_000_000;
const HOUR: i64 = 3600 * SECOND;
const DAY: i64 = 24 * HOUR;
/// 2026-11-24T00:00:00Z, a Tuesday.
const MIDNIGHT: i64 = 1_795_478_400 * SECOND;

fn rolling(unit: Unit, amount: u64, seconds: u64, burst: u64) -> Quota {
    Quota {
        unit,
        amount,
        window: Window::Rolling {
            nanoseconds: seconds * 1_000_000_000,
            burst,
        },
    }
}

fn daily(unit: Unit, amount: u64) -> Quota {
    Quota {
        unit,
        amount,
        window: Window::Calendar(Calendar::utc(Period::Day)),
    }
}

fn sliding(unit: Unit, amount: u64, seconds: u64) -> Quota {
    Quota {
        unit,
        amount,
        window: Window::Sliding {
            nanoseconds: seconds * 1_000_000_000,
        },
    }
}

fn session(unit: Unit, amount: u64, idle_seconds: u64) -> Quota {
    Quota {
        unit,
        amount,
        window: Window::Session {
            nanoseconds: idle_seconds * 1_000_000_000,
        },
    }
}

fn concurrent(amount: u64) -> Quota {
    Quota {
        unit: Unit::Concurrent,
        amount,
        window: Window::Open,
    }
}

fn state(quotas: impl IntoIterator<Item = Quota>) -> State {
    State::with_quotas(quotas, [Some(600_000)], [1, 2])
}

fn charge(quota: u16, key: u128, amount: u64, bound: u64) -> Charge {
    Charge {
        quota,
        key: spread(key),
        amount,
        bound,
    }
}

/// Small numbers as keys that lie in different shards.
fn spread(key: u128) -> Key {
    Key(key << 64 | key)
}

fn used(state: &State, quota: u16, key: u128, now: i64) -> u64 {
    state.usage(quota, spread(key), now).used
}

fn spent(amount: u64) -> Spent {
    Spent {
        requests: amount,
        tokens: amount,
        money: amount,
    }
}

#[test]
fn a_bucket_holds_its_burst_and_refills_evenly() {
    let state = state([rolling(Unit::Requests, 600, 60, 600)]);
    let one = [charge(0, 1, 1, 600)];
    for _ in 0..600 {
        state.settle(state.reserve(&one, MIDNIGHT).unwrap(), spent(1), MIDNIGHT);
    }
    let exhausted = state.reserve(&one, MIDNIGHT).unwrap_err();
    assert_eq!(exhausted.retry_after_milliseconds, Some(100));
    assert!(state.reserve(&one, MIDNIGHT + SECOND / 10 - 1).is_err());
    state.settle(
        state.reserve(&one, MIDNIGHT + SECOND / 10).unwrap(),
        spent(1),
        MIDNIGHT + SECOND / 10,
    );
    assert!(state.reserve(&one, MIDNIGHT + SECOND / 10).is_err());
    assert_eq!(used(&state, 0, 1, MIDNIGHT + 30 * SECOND), 301);
    assert_eq!(used(&state, 0, 1, MIDNIGHT + 61 * SECOND), 0);
}

#[test]
fn a_call_larger_than_the_quota_never_fits() {
    let state = state([rolling(Unit::Tokens, 100, 60, 100), daily(Unit::Money, 100)]);
    for quota in [0, 1] {
        let exhausted = state
            .reserve(&[charge(quota, 1, 101, 100)], MIDNIGHT)
            .unwrap_err();
        assert_eq!(
            (exhausted.quota, exhausted.retry_after_milliseconds),
            (quota, None)
        );
    }
}

#[test]
fn a_calendar_window_says_when_it_ends() {
    let state = state([daily(Unit::Money, 50)]);
    let noon = MIDNIGHT + 12 * HOUR;
    state.add(0, spread(1), 50, noon);
    let exhausted = state.reserve(&[charge(0, 1, 1, 50)], noon).unwrap_err();
    assert_eq!(exhausted.retry_after_milliseconds, Some(12 * 3600 * 1000));
    assert_eq!(
        state.usage(0, spread(1), noon),
        Usage {
            used: 50,
            capacity: 50,
            resets_milliseconds: 12 * 3600 * 1000
        }
    );
    assert!(
        state
            .reserve(&[charge(0, 1, 1, 50)], MIDNIGHT + DAY)
            .is_ok()
    );
}

#[test]
fn a_settlement_belongs_to_the_window_it_was_reserved_in() {
    let state = state([daily(Unit::Money, 50)]);
    let evening = MIDNIGHT + DAY - SECOND;
    let held = [
        state.reserve(&[charge(0, 1, 20, 50)], evening),
        state.reserve(&[charge(0, 1, 20, 50)], evening),
    ];
    let [first, second] = held.map(Result::unwrap);
    state.settle(first, spent(5), evening);
    assert_eq!(used(&state, 0, 1, evening), 25);
    let morning = MIDNIGHT + DAY + SECOND;
    let today = state.reserve(&[charge(0, 1, 10, 50)], morning).unwrap();
    state.settle(second, spent(5), morning);
    assert_eq!(
        used(&state, 0, 1, morning),
        10,
        "yesterday's unspent 15 are not given back today"
    );
    state.settle(today, spent(12), morning);
    assert_eq!(used(&state, 0, 1, morning), 12);
}

#[test]
fn overshoot_is_debt_that_later_calls_wait_out() {
    let state = state([rolling(Unit::Tokens, 60, 60, 60)]);
    let held = state.reserve(&[charge(0, 1, 10, 60)], MIDNIGHT).unwrap();
    state.settle(held, spent(100), MIDNIGHT);
    assert_eq!(used(&state, 0, 1, MIDNIGHT), 100);
    let exhausted = state.reserve(&[charge(0, 1, 1, 60)], MIDNIGHT).unwrap_err();
    assert_eq!(exhausted.retry_after_milliseconds, Some(41_000));
    assert!(
        state
            .reserve(&[charge(0, 1, 1, 60)], MIDNIGHT + 41 * SECOND)
            .is_ok()
    );
}

#[test]
fn what_has_drained_is_not_given_back() {
    let state = state([rolling(Unit::Tokens, 60, 60, 60)]);
    let held = state.reserve(&[charge(0, 1, 60, 60)], MIDNIGHT).unwrap();
    let later = MIDNIGHT + 50 * SECOND;
    let next = state.reserve(&[charge(0, 1, 50, 60)], later).unwrap();
    state.settle(held, spent(0), later);
    assert_eq!(
        used(&state, 0, 1, later),
        50,
        "10 had not drained; the other 50 are the second call's"
    );
    state.refund(next, later);
    assert_eq!(used(&state, 0, 1, later), 0);
}

#[test]
fn all_or_nothing() {
    let state = state([daily(Unit::Requests, 10), daily(Unit::Tokens, 5)]);
    let both = [charge(0, 1, 1, 10), charge(1, 2, 6, 5)];
    assert_eq!(state.reserve(&both, MIDNIGHT).unwrap_err().quota, 1);
    assert_eq!(
        (used(&state, 0, 1, MIDNIGHT), used(&state, 1, 2, MIDNIGHT)),
        (0, 0)
    );
    // One bucket twice in a reservation is full when both together are too much.
    let twice = [charge(1, 2, 3, 5), charge(1, 2, 3, 5)];
    assert!(state.reserve(&twice, MIDNIGHT).is_err());
    assert_eq!(used(&state, 1, 2, MIDNIGHT), 0);
    assert_eq!(state.abandoned(), 0);
}

#[test]
fn a_dropped_reservation_stays_used_and_is_counted() {
    let state = state([daily(Unit::Money, 50)]);
    drop(state.reserve(&[charge(0, 1, 30, 50)], MIDNIGHT).unwrap());
    assert_eq!((used(&state, 0, 1, MIDNIGHT), state.abandoned()), (30, 1));
    let none = state.reserve(&[], MIDNIGHT).unwrap();
    assert!(none.is_empty());
    drop(none);
    assert_eq!(state.abandoned(), 1);
}

#[test]
fn an_unknown_quota_is_exhausted() {
    let state = state([]);
    assert_eq!(
        state
            .reserve(&[charge(3, 1, 1, 1)], MIDNIGHT)
            .unwrap_err()
            .reason,
        ExhaustedReason::Unknown
    );
    assert!(
        state.usage(3, spread(1), MIDNIGHT).used > state.usage(3, spread(1), MIDNIGHT).capacity
    );
}

#[test]
fn a_clock_that_steps_back_gives_nothing_away_and_takes_nothing() {
    let state = state([rolling(Unit::Tokens, 60, 60, 60), daily(Unit::Money, 50)]);
    state.add(0, spread(1), 60, MIDNIGHT + HOUR);
    state.add(1, spread(1), 50, MIDNIGHT + HOUR);
    // A jitter counts as the same moment; there and back again refills nothing.
    assert_eq!(used(&state, 0, 1, MIDNIGHT + HOUR - SECOND), 60);
    // Set back by two hours, to yesterday: what is used stays used, and goes on draining from there.
    let yesterday = MIDNIGHT - HOUR;
    assert!(state.reserve(&[charge(0, 1, 1, 60)], yesterday).is_err());
    assert_eq!(used(&state, 0, 1, yesterday + 30 * SECOND), 30);
    // A day that was begun is not begun again, and ends when it does.
    let exhausted = state
        .reserve(&[charge(1, 1, 1, 50)], yesterday)
        .unwrap_err();
    assert_eq!(exhausted.retry_after_milliseconds, Some(25 * 3_600_000));
    assert_eq!(used(&state, 1, 1, MIDNIGHT), 50);
    assert_eq!(used(&state, 1, 1, MIDNIGHT + DAY), 0);
}

#[test]
fn idle_buckets_are_forgotten_and_there_is_a_most() {
    let bounded = |most| {
        State::bounded(
            [
                daily(Unit::Requests, 10),
                rolling(Unit::Requests, 10, 1, 10),
            ],
            [],
            [1, 2],
            most,
        )
    };
    let state = bounded(1 << 14);
    for key in 0..200_000_u128 {
        let now = MIDNIGHT + i64::try_from(key).unwrap() * SECOND / 100;
        let held = state.reserve(&[charge(1, key, 1, 10)], now).unwrap();
        state.settle(held, spent(1), now);
    }
    assert!(state.len().0 <= 1 << 14, "{:?}", state.len());
    // Buckets that are in use are not forgotten: then new keys are refused.
    let state = bounded(64 * 4);
    let results: Vec<_> = (0..10_000)
        .map(|key| state.reserve(&[charge(0, key, 1, 10)], MIDNIGHT))
        .collect();
    let refused = results.iter().filter_map(|result| result.as_ref().err());
    assert!(refused.clone().count() >= 10_000 - 64 * 4);
    assert!(
        refused
            .clone()
            .all(|exhausted| exhausted.reason == ExhaustedReason::Buckets)
    );
    assert!(
        state.reserve(&[charge(0, 0, 1, 10)], MIDNIGHT).is_ok(),
        "a key that has a bucket keeps it"
    );
    drop(results);
}

#[test]
fn floors_rise_and_expire() {
    let state = state([]);
    let floor = |tier| SessionFloor {
        content: 0,
        key: spread(1),
        tier,
    };
    assert_eq!(state.floor(0, spread(1), MIDNIGHT), None);
    state.raise_floor(floor(1), MIDNIGHT);
    state.raise_floor(floor(0), MIDNIGHT + SECOND);
    assert_eq!(state.floor(0, spread(1), MIDNIGHT + SECOND), Some(1));
    assert_eq!(state.floor(0, spread(2), MIDNIGHT + SECOND), None);
    assert_eq!(state.floor(1, spread(1), MIDNIGHT + SECOND), None);
    // Ten minutes after the last call.
    assert_eq!(
        state.floor(0, spread(1), MIDNIGHT + 601 * SECOND - 1),
        Some(1)
    );
    assert_eq!(state.floor(0, spread(1), MIDNIGHT + 601 * SECOND), None);
    state.raise_floor(floor(0), MIDNIGHT + 700 * SECOND);
    assert_eq!(state.floor(0, spread(1), MIDNIGHT + 700 * SECOND), Some(0));
    // No `keep`, no floor.
    state.raise_floor(
        SessionFloor {
            content: 7,
            key: spread(1),
            tier: 1,
        },
        MIDNIGHT,
    );
    assert_eq!(state.floor(7, spread(1), MIDNIGHT), None);
}

#[test]
fn sessions_are_bounded() {
    let state = State::bounded([], [Some(u64::MAX)], [1, 2], 64 * 100);
    for key in 0..50_000 {
        state.raise_floor(
            SessionFloor {
                content: 0,
                key: spread(key),
                tier: 1,
            },
            MIDNIGHT + key as i64,
        );
        assert_eq!(state.floor(0, spread(key), MIDNIGHT + key as i64), Some(1));
    }
    assert!(state.len().1 <= 64 * 100);
}

#[test]
fn keys_differ_by_text_and_seed() {
    let (one, other) = (state([]), State::with_quotas([], [], [3, 4]));
    assert_eq!(one.key("team-a"), one.key("team-a"));
    assert_ne!(one.key("team-a"), one.key("team-b"));
    assert_ne!(one.key("team-a"), other.key("team-a"));
}

#[test]
fn of_callers_that_race_for_the_last_dollar_one_wins() {
    for round in 0..200 {
        let state = state([daily(Unit::Money, 100), rolling(Unit::Money, 100, 60, 100)]);
        state.add(0, spread(1), 99, MIDNIGHT);
        let barrier = Barrier::new(4);
        let wins: usize = thread::scope(|scope| {
            let racers: Vec<_> = (0..4)
                .map(|racer| {
                    let (state, barrier) = (&state, &barrier);
                    scope.spawn(move || {
                        let mut charges =
                            vec![charge(0, 1, 1, 100), charge(1, 2 + racer % 2, 1, 100)];
                        if (round + racer) % 2 == 0 {
                            charges.reverse();
                        }
                        barrier.wait();
                        usize::from(state.reserve(&charges, MIDNIGHT).is_ok())
                    })
                })
                .collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).sum()
        });
        assert_eq!(wins, 1);
        assert_eq!(used(&state, 0, 1, MIDNIGHT), 100);
        assert_eq!(
            used(&state, 1, 2, MIDNIGHT) + used(&state, 1, 3, MIDNIGHT),
            1
        );
    }
}

#[test]
fn threads_that_settle_leave_exactly_what_was_spent() {
    let state = state([
        daily(Unit::Tokens, 1_000_000),
        daily(Unit::Tokens, 1_000_000),
    ]);
    thread::scope(|scope| {
        for worker in 0..4_u64 {
            let state = &state;
            scope.spawn(move || {
                for call in 0..2_000_u64 {
                    let (a, b) = (u128::from(call % 5), u128::from((call + worker) % 5));
                    let charges = [charge(0, a, 100, 1_000_000), charge(1, b, 100, 1_000_000)];
                    let held = state.reserve(&charges, MIDNIGHT).unwrap();
                    if call % 4 == 0 {
                        state.refund(held, MIDNIGHT);
                    } else {
                        state.settle(held, spent(7), MIDNIGHT);
                    }
                }
            });
        }
    });
    let total: u64 = (0..5).map(|key| used(&state, 0, key, MIDNIGHT)).sum();
    assert_eq!(total, 4 * 1_500 * 7);
    assert_eq!(state.abandoned(), 0);
}

/// One thing that happens to a state.
#[derive(Debug, Clone)]
enum Event {
    Reserve { key: u128, amount: u64 },
    Settle { which: usize, spent: u64 },
    Refund { which: usize },
    Wait { nanoseconds: i64 },
}

fn events(longest: i64) -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        4 => (0..3_u128, 0..60_u64).prop_map(|(key, amount)| Event::Reserve { key, amount }),
        3 => (any::<usize>(), 0..80_u64).prop_map(|(which, spent)| Event::Settle { which, spent }),
        1 => any::<usize>().prop_map(|which| Event::Refund { which }),
        2 => (0..longest).prop_map(|nanoseconds| Event::Wait { nanoseconds }),
    ];
    prop::collection::vec(event, 0..80)
}

/// A call of the reference: what it reserved and spent, and when.
#[derive(Debug, Clone, Copy)]
struct Call {
    key: u128,
    at: i64,
    amount: u64,
    end: Option<(i64, u64)>,
}

/// Runs events on a state of one quota; checks that no reservation passes `capacity`. All calls are ended at the end.
fn run(state: &State, capacity: u64, events: &[Event]) -> (Vec<Call>, i64) {
    let (mut now, mut calls, mut open) = (MIDNIGHT, Vec::new(), Vec::new());
    let end = |calls: &mut Vec<Call>,
               (index, held): (usize, Reservation),
               spends: Option<u64>,
               now: i64| {
        calls[index].end = Some((now, spends.unwrap_or(0)));
        match spends {
            Some(spends) => state.settle(held, spent(spends), now),
            None => state.refund(held, now),
        }
    };
    for event in events {
        match *event {
            Event::Reserve { key, amount } => {
                let before = used(state, 0, key, now);
                let room = state.room(&charge(0, key, amount, capacity), now);
                let result = state.reserve(&[charge(0, key, amount, capacity)], now);
                assert_eq!(
                    result.is_ok(),
                    before + amount <= capacity,
                    "{before} + {amount}"
                );
                assert_eq!(
                    room,
                    result.as_ref().map(|_| ()).map_err(|exhausted| *exhausted)
                );
                match result {
                    Ok(held) => {
                        assert_eq!(used(state, 0, key, now), before + amount);
                        open.push((calls.len(), held));
                        calls.push(Call {
                            key,
                            at: now,
                            amount,
                            end: None,
                        });
                    }
                    Err(exhausted) => check_retry(state, key, amount, capacity, exhausted, now),
                }
            }
            Event::Settle { which, spent } if !open.is_empty() => {
                let held = open.swap_remove(which % open.len());
                end(&mut calls, held, Some(spent), now);
            }
            Event::Refund { which } if !open.is_empty() => {
                let held = open.swap_remove(which % open.len());
                end(&mut calls, held, None, now);
            }
            Event::Wait { nanoseconds } => now += nanoseconds,
            Event::Settle { .. } | Event::Refund { .. } => {}
        }
    }
    for held in open {
        end(&mut calls, held, Some(1), now);
    }
    (calls, now)
}

/// A refusal says exactly when there is room: then, and not a millisecond before.
fn check_retry(
    state: &State,
    key: u128,
    amount: u64,
    capacity: u64,
    exhausted: Exhausted,
    now: i64,
) {
    assert_eq!(
        exhausted.retry_after_milliseconds.is_none(),
        amount > capacity
    );
    let Some(milliseconds) = exhausted.retry_after_milliseconds else {
        return;
    };
    let after = |milliseconds: u64| now + i64::try_from(milliseconds).unwrap() * 1_000_000;
    assert!(used(state, 0, key, after(milliseconds)) + amount <= capacity);
    assert!(used(state, 0, key, after(milliseconds - 1)) + amount > capacity);
}

/// What a bucket that had known from the start what each call spends would have used, scaled by its window.
fn hindsight(calls: &[Call], key: u128, rate: u64, window: i64, now: i64) -> i128 {
    let mut charges: Vec<(i64, i128)> = Vec::new();
    for call in calls.iter().filter(|call| call.key == key) {
        let (ended, spent) = call.end.unwrap();
        charges.push((
            call.at,
            i128::from(spent.min(call.amount)) * i128::from(window),
        ));
        charges.push((
            ended,
            i128::from(spent.saturating_sub(call.amount)) * i128::from(window),
        ));
    }
    charges.sort_unstable();
    let drain =
        |level: i128, nanoseconds: i64| (level - i128::from(rate) * i128::from(nanoseconds)).max(0);
    let (level, last) = charges
        .into_iter()
        .fold((0, MIDNIGHT), |(level, last), (at, amount)| {
            (drain(level, at - last) + amount, at)
        });
    drain(level, now - last)
}

proptest! {
    #[test]
    fn rolling_buckets_never_give_more_than_in_hindsight(events in events(5 * SECOND)) {
        let state = state([rolling(Unit::Tokens, 100, 10, 120)]);
        let (calls, now) = run(&state, 120, &events);
        for key in 0..3 {
            let least = hindsight(&calls, key, 100, 10 * SECOND, now);
            let kept = i128::from(used(&state, 0, key, now)) * i128::from(10 * SECOND);
            prop_assert!(kept >= least, "{kept} used, {least} in hindsight");
        }
        // Nothing stays: when all has drained the buckets are as new.
        for key in 0..3 {
            prop_assert_eq!(used(&state, 0, key, now + 3600 * SECOND), 0);
        }
        prop_assert_eq!(state.abandoned(), 0);
    }

    #[test]
    fn at_one_moment_exactly_what_was_spent_is_used(events in events(1)) {
        let state = state([rolling(Unit::Tokens, 100, 10, 120)]);
        let (calls, now) = run(&state, 120, &events);
        for key in 0..3 {
            let spent: u64 = calls.iter().filter(|call| call.key == key).map(|call| call.end.unwrap().1).sum();
            prop_assert_eq!(used(&state, 0, key, now), spent);
        }
    }

    #[test]
    fn calendar_windows_count_what_was_spent_in_them(events in events(DAY / 4)) {
        let state = state([daily(Unit::Tokens, 120)]);
        let (calls, now) = run(&state, 120, &events);
        let today = |at: i64| at.div_euclid(DAY) == now.div_euclid(DAY);
        for key in 0..3 {
            let spent: u64 = calls.iter().filter(|call| call.key == key && today(call.at)).map(|call| call.end.unwrap().1).sum();
            prop_assert_eq!(used(&state, 0, key, now), spent);
        }
    }

    #[test]
    fn a_refund_at_once_restores_the_bucket(before in 0..100_u64, amount in 0..100_u64, wait in 0..9 * SECOND) {
        let state = state([rolling(Unit::Tokens, 100, 10, 200), daily(Unit::Tokens, 200)]);
        for quota in [0, 1] {
            state.add(quota, spread(1), before, MIDNIGHT);
            let now = MIDNIGHT + wait;
            let usage = state.usage(quota, spread(1), now);
            let held = state.reserve(&[charge(quota, 1, amount, 200)], now).unwrap();
            state.refund(held, now);
            prop_assert_eq!(state.usage(quota, spread(1), now), usage);
        }
    }
}

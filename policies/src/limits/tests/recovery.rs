//! What comes back from the records, wherever they end.

use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::*;

/// Records in memory, and what was used after each.
#[derive(Debug, Default)]
struct Kept(Mutex<Vec<Vec<u8>>>);

impl Log for Kept {
    fn append(&self, record: &Record<'_>) -> Position {
        let mut bytes = Vec::new();
        record.encode(&mut bytes);
        let mut records = self.0.lock().unwrap();
        records.push(bytes);
        Position(records.len() as u64)
    }
}

const QUOTAS: u16 = 5;
const KEYS: u128 = 3;

fn quotas() -> [Quota; QUOTAS as usize] {
    [
        rolling(Unit::Tokens, 100, 10, 1000),
        daily(Unit::Money, 1000),
        rolling(Unit::Requests, 3, 60, 50),
        sliding(Unit::Tokens, 1000, 30),
        session(Unit::Money, 1000, 25),
    ]
}

/// Nothing used; the sections and tiers that floors are of have names.
fn fresh() -> State {
    let mut state = state(quotas());
    state.names.contents = vec!["content".to_owned()];
    state.names.tiers = ["weak", "strong", "frontier"].map(str::to_owned).to_vec();
    state
}

/// What is used of everything, at one moment.
fn all(state: &State, now: i64) -> Vec<u64> {
    let used = |quota| (0..KEYS).map(move |key| used(state, quota, key, now));
    (0..QUOTAS).flat_map(used).collect()
}

fn declared(state: &State) -> Vec<u8> {
    let mut bytes = Vec::new();
    state.declaration().encode(&mut bytes);
    bytes
}

fn replay(records: &[Vec<u8>], now: i64) -> State {
    let mut replay = Replay::new(fresh());
    for record in records {
        replay.apply(record).unwrap();
    }
    replay.finish(now)
}

#[derive(Debug, Clone)]
enum Step {
    Reserve {
        key: u128,
        amount: u64,
    },
    Settle {
        which: usize,
        spent: u64,
    },
    Refund {
        which: usize,
    },
    Abandon {
        which: usize,
    },
    Add {
        quota: u16,
        key: u128,
        amount: u64,
    },
    /// A refused call moves the clock of a bucket, and is not written down.
    Refused {
        key: u128,
    },
    Wait(i64),
    Raise {
        key: u128,
        tier: u16,
    },
    Checkpoint,
}

fn step(waits: std::ops::Range<i64>) -> impl Strategy<Value = Step> {
    let key = 0..KEYS;
    prop_oneof![
        4 => (key.clone(), 1..50_u64).prop_map(|(key, amount)| Step::Reserve { key, amount }),
        3 => (0..8_usize, 0..80_u64).prop_map(|(which, spent)| Step::Settle { which, spent }),
        1 => (0..8_usize).prop_map(|which| Step::Refund { which }),
        1 => (0..8_usize).prop_map(|which| Step::Abandon { which }),
        1 => (0..QUOTAS, key.clone(), 1..50_u64).prop_map(|(quota, key, amount)| Step::Add { quota, key, amount }),
        1 => key.clone().prop_map(|key| Step::Refused { key }),
        2 => waits.prop_map(Step::Wait),
        1 => (key, 0..3_u16).prop_map(|(key, tier)| Step::Raise { key, tier }),
        1 => Just(Step::Checkpoint),
    ]
}

/// A state that writes down what happens, and what was used after each number of records.
struct Run {
    state: State,
    log: Arc<Kept>,
    open: Vec<Reservation>,
    now: i64,
}

impl Run {
    fn new() -> Self {
        let log = Arc::new(Kept::default());
        let state = fresh().logged(Arc::clone(&log) as Arc<dyn Log>);
        log.0.lock().unwrap().push(declared(&state));
        Self {
            state,
            log,
            open: Vec::new(),
            now: MIDNIGHT + 20 * HOUR,
        }
    }

    fn records(&self) -> Vec<Vec<u8>> {
        self.log.0.lock().unwrap().clone()
    }

    fn take(&mut self, which: usize) -> Option<Reservation> {
        let which = which.checked_rem(self.open.len())?;
        Some(self.open.remove(which))
    }

    fn step(&mut self, step: &Step) {
        let now = self.now;
        match *step {
            Step::Reserve { key, amount } => {
                let charges = [
                    charge(0, key, amount, 1000),
                    charge(1, key, amount, 1000),
                    charge(2, key, 1, 50),
                    charge(3, key, amount, 1000),
                    charge(4, key, amount, 1000),
                ];
                self.open.extend(self.state.reserve(&charges, now));
            }
            Step::Settle {
                which,
                spent: amount,
            } => {
                if let Some(held) = self.take(which) {
                    self.state.settle(held, spent(amount), now);
                }
            }
            Step::Refund { which } => {
                if let Some(held) = self.take(which) {
                    self.state.refund(held, now);
                }
            }
            Step::Abandon { which } => drop(self.take(which)),
            Step::Add { quota, key, amount } => {
                self.state.add(quota, spread(key), amount, now);
            }
            Step::Refused { key } => {
                assert!(
                    self.state
                        .reserve(
                            &[
                                charge(3, key, 1, 1000),
                                charge(4, key, 1, 1000),
                                charge(0, key, 1, 1000),
                                charge(1, key, 5000, 1000),
                            ],
                            now
                        )
                        .is_err()
                );
            }
            Step::Wait(nanoseconds) => self.now += nanoseconds,
            Step::Raise { key, tier } => {
                let key = spread(key);
                self.state.raise_floor(
                    SessionFloor {
                        content: 0,
                        key,
                        tier,
                    },
                    now,
                );
            }
            Step::Checkpoint => {
                // Only what comes after it is needed, as in a new file.
                self.log.0.lock().unwrap().clear();
                self.log.0.lock().unwrap().push(declared(&self.state));
                let mut part = 0;
                while self.state.checkpoint(part).is_some() {
                    part += 1;
                }
                assert_eq!(part, 2 * SHARDS);
                self.log.append(&Record::complete());
            }
        }
    }
}

proptest! {
    /// With a clock that never steps back the state comes back exactly, wherever the records end.
    #[test]
    fn any_beginning_of_the_records_brings_back_the_state_of_that_moment(
        steps in prop::collection::vec(step(0..20 * SECOND), 0..60), cut in any::<prop::sample::Index>(),
    ) {
        let mut run = Run::new();
        // What was used when so many records had been written since the last checkpoint.
        let mut moments = vec![(run.records().len(), all(&run.state, run.now), run.now)];
        for step in &steps {
            run.step(step);
            if matches!(step, Step::Checkpoint) {
                moments.clear();
            }
            moments.push((run.records().len(), all(&run.state, run.now), run.now));
        }
        let (count, used, now) = moments[cut.index(moments.len())].clone();
        let records = run.records();
        let back = replay(&records[..count], now);
        prop_assert_eq!(all(&back, now), used);
        drop(run.open.drain(..));
    }

    /// Whatever the clock does, nothing that was used is forgotten, now or later.
    #[test]
    fn a_clock_that_steps_never_makes_it_less(
        steps in prop::collection::vec(step(-30 * SECOND..30 * HOUR), 0..60), later in 0..48 * HOUR,
    ) {
        let mut run = Run::new();
        for step in &steps {
            run.step(step);
        }
        let now = run.now;
        let back = replay(&run.records(), now);
        for (back, live) in all(&back, now).into_iter().zip(all(&run.state, now)) {
            prop_assert!(back >= live, "{back} came back of {live}");
        }
        for (back, live) in all(&back, now + later).into_iter().zip(all(&run.state, now + later)) {
            prop_assert!(back >= live, "{back} came back of {live}, later");
        }
        drop(run.open.drain(..));
    }

    #[test]
    fn floors_come_back_too(steps in prop::collection::vec(step(0..20 * SECOND), 0..60)) {
        let mut run = Run::new();
        for step in &steps {
            run.step(step);
        }
        let back = replay(&run.records(), run.now);
        for key in 0..KEYS {
            prop_assert_eq!(back.floor(0, spread(key), run.now), run.state.floor(0, spread(key), run.now));
        }
        drop(run.open.drain(..));
    }

    #[test]
    fn bytes_that_are_no_record_do_no_harm(bytes: Vec<u8>, cut in any::<prop::sample::Index>()) {
        let mut run = Run::new();
        run.step(&Step::Reserve { key: 1, amount: 7 });
        run.step(&Step::Checkpoint);
        let records = run.records();
        let mut replay = Replay::new(fresh());
        let _ = replay.apply(&bytes);
        for record in &records {
            let _ = replay.apply(&record[..cut.index(record.len())]);
        }
        let _ = replay.apply(&bytes);
        drop(run.open.drain(..));
    }
}

/// Found by the fuzzer: such a window made the next look at it overflow.
#[test]
fn a_window_that_ends_before_it_begins_is_no_record() {
    let mut run = Run::new();
    run.step(&Step::Reserve { key: 1, amount: 7 });
    run.step(&Step::Checkpoint);
    let Span { start, end } = Calendar::utc(Period::Day).span(run.now);
    let window = [start.to_le_bytes(), end.to_le_bytes()].concat();
    let mut damaged = 0;
    for mut record in run.records() {
        let found = record.windows(16).position(|bytes| bytes == window);
        if let Some(at) = found {
            record[at..at + 16].rotate_left(8);
            assert!(Replay::new(fresh()).apply(&record).is_err());
            damaged += 1;
        }
    }
    assert!(damaged > 0);
    drop(run.open.drain(..));
}

#[test]
fn what_comes_back_is_complete_only_after_a_whole_checkpoint() {
    let mut run = Run::new();
    run.step(&Step::Checkpoint);
    let records = run.records();
    let whole = |count: usize| {
        let mut replay = Replay::new(fresh());
        for record in &records[..count] {
            replay.apply(record).unwrap();
        }
        replay.is_complete()
    };
    assert!(!whole(1) && !whole(records.len() - 1) && whole(records.len()));
}

#[test]
fn a_reservation_that_nobody_settled_stays_used_until_it_has_drained() {
    let mut run = Run::new();
    run.step(&Step::Reserve { key: 1, amount: 50 });
    let now = run.now;
    let back = replay(&run.records(), now);
    assert_eq!(used(&back, 0, 1, now), 50);
    assert_eq!(used(&back, 0, 1, now + 5 * SECOND), 0);
    assert_eq!(used(&back, 1, 1, now + 5 * SECOND), 50);
    assert_eq!(used(&back, 1, 1, now + 4 * HOUR), 0);
    drop(run.open.drain(..));
}

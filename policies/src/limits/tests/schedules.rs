//! Every schedule of a few steps, searched to the end: a bucket of each kind beside a naive list of what calls hold and
//! have used. Whoever touches a bucket holds its lock, so that the orders of whole steps are all the orders that there are.

use std::collections::HashSet;

use super::super::bucket::{Bucket, Hold, Incarnation};
use super::super::codec::{Reader, Writer};
use super::*;

const CAPACITY: u64 = 4;
/// What calls reserve, and what they come to.
const RESERVED: [u64; 2] = [1, 3];
const SPENT: [u64; 3] = [0, 2, 5];
const MOST_OPEN: usize = 2;
/// By how much a clock that is set back differs from one that two threads have read in the wrong order.
const JITTER: i64 = 10 * SECOND;

/// What a call still has in a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Entry {
    call: u64,
    /// In units times the window's nanoseconds, where it drains.
    weight: u128,
    /// When it was reserved, as the bucket's time goes.
    slot: i64,
    life: u64,
}

/// The list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Naive {
    entries: Vec<Entry>,
    /// The bucket's time; of a calendar window its beginning.
    time: i64,
    present: i64,
    /// Grows when what is held is given back no more.
    life: u64,
    /// Who has an entry of his own no more.
    calls: u64,
}

/// A kind of bucket and the steps that its clock makes.
struct Kind {
    quota: Quota,
    waits: &'static [i64],
}

fn kinds() -> [Kind; 4] {
    [
        Kind {
            quota: rolling(Unit::Tokens, 3, 3, CAPACITY),
            waits: &[SECOND, 2 * SECOND + 1, -SECOND, -60 * SECOND],
        },
        Kind {
            quota: daily(Unit::Tokens, CAPACITY),
            waits: &[13 * HOUR, -2 * HOUR, -60 * HOUR],
        },
        Kind {
            quota: sliding(Unit::Tokens, CAPACITY, 60),
            waits: &[SECOND, 60 * SECOND, -SECOND, -60 * SECOND],
        },
        Kind {
            quota: session(Unit::Tokens, CAPACITY, 20),
            waits: &[8 * SECOND, 20 * SECOND, -SECOND, -60 * SECOND],
        },
    ]
}

impl Naive {
    fn new(quota: &Quota, now: i64) -> Self {
        let time = match quota.window {
            Window::Calendar(_) => day(now),
            _ => now,
        };
        Self {
            entries: Vec::new(),
            time,
            present: now,
            life: 0,
            calls: 0,
        }
    }

    fn begin_anew(&mut self) {
        self.entries.clear();
        self.life += 1;
    }

    /// Lets time pass.
    fn reach(&mut self, quota: &Quota, now: i64) {
        self.present = now;
        match &quota.window {
            Window::Rolling { .. } => {
                if now >= self.time {
                    self.drain(u128::from(quota.amount) * (now - self.time) as u128);
                    self.time = now;
                } else if now < self.time - JITTER {
                    self.time = now;
                }
            }
            Window::Calendar(_) => {
                if now >= self.time + DAY {
                    self.time = day(now);
                    self.begin_anew();
                } else if now < self.time - DAY {
                    self.time = day(now);
                }
            }
            Window::Sliding { nanoseconds } => {
                if now < self.time - JITTER {
                    self.time = now;
                    let mut moved = false;
                    for entry in &mut self.entries {
                        moved |= entry.slot > slot(now);
                        entry.slot = entry.slot.min(slot(now));
                    }
                    self.life += u64::from(moved);
                }
                self.time = self.time.max(now);
                let time = self.time - *nanoseconds as i64;
                self.entries
                    .retain(|entry| (entry.slot + 1) * SECOND > time);
            }
            Window::Session { nanoseconds } => {
                if now < self.time - JITTER {
                    self.time = now;
                }
                if now - self.time >= *nanoseconds as i64 {
                    self.time = now;
                    self.begin_anew();
                }
            }
            Window::Call | Window::Open => {}
        }
    }

    /// First come, first drained.
    fn drain(&mut self, mut drains: u128) {
        for entry in &mut self.entries {
            let drained = entry.weight.min(drains);
            entry.weight -= drained;
            drains -= drained;
        }
        self.entries.retain(|entry| entry.weight > 0);
    }

    fn used(&self, quota: &Quota) -> u64 {
        let weights = self.entries.iter().map(|entry| entry.weight);
        u64::try_from(weights.sum::<u128>().div_ceil(scale(quota))).unwrap()
    }

    fn add(&mut self, quota: &Quota, call: u64, amount: u64) {
        if matches!(quota.window, Window::Session { .. }) {
            self.time = self.time.max(self.present);
        }
        self.entries.push(Entry {
            call,
            weight: u128::from(amount) * scale(quota),
            slot: slot(self.present),
            life: self.life,
        });
    }

    fn reserve(&mut self, quota: &Quota, amount: u64) -> Option<Entry> {
        let weight = self.entries.iter().map(|entry| entry.weight).sum::<u128>();
        if weight + u128::from(amount) * scale(quota) > u128::from(CAPACITY) * scale(quota) {
            return None;
        }
        self.calls += 1;
        self.add(quota, self.calls, amount);
        self.entries.last().cloned()
    }

    /// What is not used comes back, as far as it is still there; what is used beyond is used now.
    fn settle(&mut self, quota: &Quota, held: &Entry, reserved: u64, spent: u64) {
        let is_same = held.life == self.life;
        if is_same {
            let unspent = u128::from(reserved.saturating_sub(spent)) * scale(quota);
            let own = self
                .entries
                .iter_mut()
                .find(|entry| entry.call == held.call);
            if let Some(entry) = own {
                entry.weight = entry.weight.saturating_sub(unspent);
            }
        }
        let belongs_to_its_day = matches!(quota.window, Window::Calendar(_)) && !is_same;
        if !belongs_to_its_day {
            self.add(quota, 0, spent.saturating_sub(reserved));
        }
        self.entries.retain(|entry| entry.weight > 0);
    }
}

fn day(now: i64) -> i64 {
    now.div_euclid(DAY) * DAY
}

fn slot(now: i64) -> i64 {
    now.div_euclid(SECOND)
}

fn scale(quota: &Quota) -> u128 {
    match quota.window {
        Window::Rolling { nanoseconds, .. } => u128::from(nanoseconds),
        _ => 1,
    }
}

/// A call that runs.
#[derive(Debug, Clone)]
struct Held {
    hold: Hold,
    entry: Entry,
}

/// A moment of a schedule: the bucket as it is written down, the list, and who runs.
#[derive(Clone)]
struct Moment {
    bucket: Vec<u8>,
    naive: Naive,
    open: Vec<Held>,
    now: i64,
    steps: u64,
}

impl Moment {
    fn name(&self) -> String {
        format!(
            "{:?} {:?} {:?} {}",
            self.bucket, self.naive, self.open, self.now
        )
    }

    /// Does something to the bucket, which finds out what time it is.
    fn touch<T>(&mut self, quota: &Quota, act: impl FnOnce(&mut Bucket) -> T) -> T {
        let mut bucket = Bucket::read(quota, &mut Reader(&self.bucket)).unwrap();
        self.steps += 1;
        bucket.advance(quota, self.now, Incarnation(1_000 + self.steps));
        self.naive.reach(quota, self.now);
        let done = act(&mut bucket);
        self.bucket.clear();
        bucket.write(&mut Writer(&mut self.bucket));
        done
    }

    /// All that may happen next.
    fn next(&self, kind: &Kind) -> Vec<Self> {
        let quota = &kind.quota;
        let mut moments = Vec::new();
        for wait in kind.waits {
            let mut moment = self.clone();
            moment.now += wait;
            moments.push(moment);
        }
        for amount in RESERVED {
            let mut moment = self.clone();
            let hold = moment.touch(quota, |bucket| {
                let has_room = bucket.has_room(quota, amount, CAPACITY);
                has_room.then(|| bucket.hold(quota, amount))
            });
            let entry = moment.naive.reserve(quota, amount);
            assert_eq!(hold.is_some(), entry.is_some(), "{}", self.name());
            moment
                .open
                .extend(hold.zip(entry).map(|(hold, entry)| Held { hold, entry }));
            if moment.open.len() <= MOST_OPEN {
                moments.push(moment);
            }
        }
        for (which, spent) in
            (0..self.open.len()).flat_map(|which| SPENT.map(|spent| (which, spent)))
        {
            let mut moment = self.clone();
            let Held { hold, entry } = moment.open.remove(which);
            moment.touch(quota, |bucket| bucket.settle(quota, hold, spent));
            moment.naive.settle(quota, &entry, hold.amount, spent);
            moments.push(moment);
        }
        moments
    }
}

/// Searches all schedules of so many steps; how many moments there are.
fn search(kind: &Kind, steps: usize) -> usize {
    let start = MIDNIGHT + HOUR;
    let mut bucket = Vec::new();
    Bucket::new(&kind.quota, start, Incarnation(1)).write(&mut Writer(&mut bucket));
    let first = Moment {
        bucket,
        naive: Naive::new(&kind.quota, start),
        open: Vec::new(),
        now: start,
        steps: 0,
    };
    let (mut seen, mut edge) = (HashSet::from([first.name()]), vec![first]);
    for _ in 0..steps {
        let mut found = Vec::new();
        for moment in edge.iter().flat_map(|moment| moment.next(kind)) {
            let read = Bucket::read(&kind.quota, &mut Reader(&moment.bucket)).unwrap();
            assert_eq!(
                read.used_at(&kind.quota, moment.now),
                {
                    let mut naive = moment.naive.clone();
                    naive.reach(&kind.quota, moment.now);
                    naive.used(&kind.quota)
                },
                "{}",
                moment.name()
            );
            if seen.insert(moment.name()) {
                found.push(moment);
            }
        }
        edge = found;
    }
    seen.len()
}

/// `WAYPOST_SCHEDULES=7` searches those of seven steps.
#[test]
fn every_schedule_of_a_few_steps_is_counted_as_a_list_counts_it() {
    let steps = std::env::var("WAYPOST_SCHEDULES").map_or(5, |text| text.parse().unwrap());
    for kind in kinds() {
        let moments = search(&kind, steps);
        println!("{:?}: {moments} moments", kind.quota.window);
        assert!(moments > 1_000);
    }
}

//! What Redis does with an ask, as a pure function: what its script (`runtime/src/sharing/lease.lua`) is held to by tests.
//!
//! Invariant: the script and this do the same, step by step. Amounts are grains, times microseconds of Redis's clock.

use std::collections::HashMap;

use super::lease::{Answer, Ask, Measure, Verdict};

/// For how long a Redis that has begun anew only learns, in microseconds.
pub const LEARNING: i64 = 2_000_000;
/// A clock that was set back by more than this is a new present: ten seconds.
const JITTER: i64 = 10_000_000;

/// What a Redis holds.
#[derive(Debug, Default)]
pub struct Exchange {
    born: Option<i64>,
    buckets: HashMap<(u128, u128), Committed>,
}

/// What is committed of one bucket.
#[derive(Debug, Clone, Default)]
struct Committed {
    used: u64,
    /// A rolling bucket's: up to when it has drained. A calendar bucket's: the start of its window.
    at: i64,
    /// What replicas have said was committed when Redis had forgotten it, at most, and when; later grants come on top.
    told: u64,
    told_at: i64,
    lessees: HashMap<u64, Lessee>,
}

/// What is held for one replica.
#[derive(Debug, Clone, Copy)]
struct Lessee {
    serial: u64,
    taken: u64,
    /// When it was last heard.
    at: i64,
}

impl Exchange {
    /// A replica says that it is there, which begins the life of a Redis that is empty.
    pub fn greet(&mut self, now: i64) {
        self.born.get_or_insert(now);
    }

    /// What is committed of a bucket, as of the last that was heard of it.
    #[must_use]
    pub fn committed(&self, bucket: (u128, u128)) -> u64 {
        self.buckets.get(&bucket).map_or(0, |kept| kept.used)
    }

    /// Does what a replica asks, as far as there is room.
    pub fn ask(
        &mut self,
        bucket: (u128, u128),
        (lessee, replicas): (u64, u64),
        ask: &Ask,
        now: i64,
    ) -> Answer {
        let born = *self.born.get_or_insert(now);
        let kept = self.buckets.get(&bucket).cloned();
        let Some(mut bucket_now) = advanced(kept, ask.measure, now) else {
            return answer(Verdict::NotNow, 0, 0, now);
        };
        let own = bucket_now.lessees.get(&lessee).copied();
        if own.is_some_and(|own| ask.serial <= own.serial) {
            return answer(Verdict::Late, 0, bucket_now.used, now);
        }
        let drained = |since: i64| drained(ask.measure, since, now);
        let was = ask.heard.saturating_sub(drained(ask.heard_at));
        let mut used = bucket_now.used;
        match own {
            // Granted, and never heard of.
            Some(own) if own.taken > ask.taken => {
                let lost = own.taken - ask.taken;
                used = used.saturating_sub(lost.saturating_sub(drained(own.at)));
            }
            // Redis has forgotten a part.
            Some(own) if own.taken < ask.taken => used = (used + ask.taken - own.taken).max(was),
            Some(_) => {}
            // It has forgotten everything: what was committed then, and what was granted since.
            None if ask.heard > 0 => {
                let told = bucket_now.told.saturating_sub(drained(bucket_now.told_at));
                let base = ask.floor.max(was);
                used += base.saturating_sub(told);
                (bucket_now.told, bucket_now.told_at) = (base.max(told), now);
            }
            // It has never heard of this replica.
            None => used = used.max(ask.floor),
        }
        used += ask.debt;
        // Of one that it has forgotten nobody knows whether this has been given back before: what others heard may say so.
        if own.is_some() {
            used = used.saturating_sub(ask.give.saturating_sub(drained(ask.give_since)));
        }
        let is_learning = now < born + LEARNING;
        let granted = if is_learning {
            0
        } else {
            granted(ask, ask.bound.saturating_sub(used), replicas)
        };
        let taken = (ask.taken + ask.debt + granted).saturating_sub(ask.give);
        bucket_now.used = used + granted;
        let serial = ask.serial;
        let own = Lessee {
            serial,
            taken,
            at: now,
        };
        bucket_now.lessees.insert(lessee, own);
        let committed = bucket_now.used;
        self.buckets.insert(bucket, bucket_now);
        let verdict = if is_learning {
            Verdict::Learning
        } else {
            Verdict::Done
        };
        answer(verdict, granted, committed, now)
    }
}

/// What is granted where there is so much room: what calls wait for, and a part of what is left then.
fn granted(ask: &Ask, room: u64, replicas: u64) -> u64 {
    let needed = if room >= ask.least {
        ask.need.min(room)
    } else {
        0
    };
    if needed < ask.need {
        return needed;
    }
    needed + ask.extra.min((room - needed) / (2 * replicas.max(1)))
}

/// The bucket as it is now; `None` where its window is another one.
fn advanced(kept: Option<Committed>, measure: Measure, now: i64) -> Option<Committed> {
    match measure {
        Measure::Calendar { start, end } => {
            if now < start || now >= end {
                return None;
            }
            let kept = kept.filter(|kept| kept.at == start);
            Some(kept.unwrap_or_else(|| Committed {
                at: start,
                ..Committed::default()
            }))
        }
        Measure::Rolling {
            amount,
            microseconds,
        } => {
            let Some(mut kept) = kept else {
                return Some(Committed {
                    at: now,
                    ..Committed::default()
                });
            };
            let gone = drained(measure, kept.at, now);
            if gone >= kept.used || now < kept.at - JITTER {
                kept.used = kept.used.saturating_sub(gone);
                kept.at = now;
            } else if gone > 0 {
                kept.used -= gone;
                let took = (u128::from(gone) * u128::from(microseconds)).div_ceil(amount.into());
                kept.at += i64::try_from(took).unwrap_or(i64::MAX);
            }
            Some(kept)
        }
    }
}

/// What drains of a rolling bucket from a moment to another.
fn drained(measure: Measure, since: i64, now: i64) -> u64 {
    let Measure::Rolling {
        amount,
        microseconds,
    } = measure
    else {
        return 0;
    };
    let passed = u128::from(now.saturating_sub(since).max(0).unsigned_abs());
    let drained = u128::from(amount) * passed / u128::from(microseconds.max(1));
    u64::try_from(drained).unwrap_or(u64::MAX)
}

const fn answer(verdict: Verdict, granted: u64, committed: u64, now: i64) -> Answer {
    Answer {
        verdict,
        granted,
        committed,
        now,
    }
}

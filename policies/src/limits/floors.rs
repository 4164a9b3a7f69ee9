//! The floors of sessions: within its window a session's tier does not fall.

use std::sync::{Mutex, PoisonError};

use super::shard::{Name, NameMap};
use crate::decision::SessionFloor;
use crate::plan::draft::TierIndex;

const NANOSECONDS_IN_MILLISECOND: i64 = 1_000_000;
/// How many sessions are looked at for expiry each time one is added to a full map.
const SWEEP_FROM: usize = 64;

/// Floors by content section and session.
#[derive(Debug)]
pub(super) struct Floors {
    /// How long each content section keeps a session, in nanoseconds; `None` where it keeps none.
    windows: Vec<Option<i64>>,
    shards: Vec<Mutex<Shard>>,
    most: usize,
}

#[derive(Debug, Default)]
struct Shard {
    floors: NameMap<Floor>,
    sweep_at: usize,
}

#[derive(Debug, Clone, Copy)]
struct Floor {
    tier: TierIndex,
    expires: i64,
}

impl Floors {
    pub(super) fn new(
        windows_milliseconds: impl IntoIterator<Item = Option<u64>>,
        shards: usize,
        most: usize,
    ) -> Self {
        let nanoseconds = |milliseconds: u64| {
            i64::try_from(milliseconds)
                .unwrap_or(i64::MAX)
                .saturating_mul(NANOSECONDS_IN_MILLISECOND)
        };
        Self {
            windows: windows_milliseconds
                .into_iter()
                .map(|window| window.map(nanoseconds))
                .collect(),
            shards: (0..shards.max(1)).map(|_| Mutex::default()).collect(),
            most: (most / shards.max(1)).max(1),
        }
    }

    pub(super) fn get(&self, name: Name, now: i64) -> Option<TierIndex> {
        let shard = self
            .shard(name)?
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        shard
            .floors
            .get(&name)
            .filter(|floor| floor.expires > now)
            .map(|floor| floor.tier)
    }

    /// Raises a session's floor and starts its window anew. Where there are too many sessions the oldest gives way.
    pub(super) fn raise(&self, floor: SessionFloor, now: i64) {
        self.raise_and(floor, now, || {});
    }

    /// As [`Floors::raise`], and does something before anyone else can.
    pub(super) fn raise_and(&self, floor: SessionFloor, now: i64, then: impl FnOnce()) {
        let Some(window) = self
            .windows
            .get(usize::from(floor.content))
            .copied()
            .flatten()
        else {
            return;
        };
        let name = (floor.content, floor.key);
        let Some(shard) = self.shard(name) else {
            return;
        };
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        shard.make_room(name, now, self.most);
        let kept = shard.floors.entry(name).or_insert(Floor {
            tier: floor.tier,
            expires: now,
        });
        if kept.expires <= now {
            kept.tier = floor.tier;
        }
        kept.tier = kept.tier.max(floor.tier);
        kept.expires = kept.expires.max(now.saturating_add(window));
        then();
    }

    /// All floors, and when they end.
    pub(super) fn all(&self) -> Vec<(SessionFloor, i64)> {
        let mut all = Vec::new();
        for shard in 0..self.shards.len() {
            self.visit(shard, |floors| all.extend_from_slice(floors));
        }
        all
    }

    /// The floors of a shard, and when they end, while nobody can change them.
    pub(super) fn visit(&self, shard: usize, visit: impl FnOnce(&[(SessionFloor, i64)])) {
        let Some(shard) = self.shards.get(shard) else {
            return;
        };
        let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let floors = shard.floors.iter().map(|(&(content, key), floor)| {
            let tier = floor.tier;
            (SessionFloor { content, key, tier }, floor.expires)
        });
        let floors: Vec<_> = floors.collect();
        visit(&floors);
    }

    /// Forgets a shard's floors.
    pub(super) fn clear(&self, shard: usize) {
        if let Some(shard) = self.shards.get(shard) {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.floors.clear();
        }
    }

    /// Keeps a floor until it ends.
    pub(super) fn keep(&self, floor: SessionFloor, expires: i64) {
        if let Some(shard) = self.shard((floor.content, floor.key)) {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.floors.insert(
                (floor.content, floor.key),
                Floor {
                    tier: floor.tier,
                    expires,
                },
            );
        }
    }

    pub(super) fn len(&self) -> usize {
        let count = |shard: &Mutex<Shard>| {
            shard
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .floors
                .len()
        };
        self.shards.iter().map(count).sum()
    }

    fn shard(&self, (_, key): Name) -> Option<&Mutex<Shard>> {
        self.shards.get(key.0 as usize % self.shards.len())
    }
}

impl Shard {
    fn make_room(&mut self, name: Name, now: i64, most: usize) {
        if self.floors.len() < self.sweep_at.max(SWEEP_FROM).min(most)
            || self.floors.contains_key(&name)
        {
            return;
        }
        self.floors.retain(|_, floor| floor.expires > now);
        if self.floors.len() >= most {
            // The half that ends first gives way, so that a full map is not searched for every new session.
            let mut ends: Vec<i64> = self.floors.values().map(|floor| floor.expires).collect();
            let middle = ends.len() / 2;
            let (_, median, _) = ends.select_nth_unstable(middle);
            let median = *median;
            self.floors.retain(|_, floor| floor.expires > median);
        }
        self.sweep_at = self.floors.len() * 2;
    }
}

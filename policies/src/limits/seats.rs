//! Calls that are open: each holds a seat until it is over, however it ends.
//!
//! Invariants: a seat is given back exactly once, when whoever holds it drops it; so a call that hangs up, fails or is
//! forgotten leaves none taken. Seats are shared by all the states that followed one another while this process
//! runs, so that a reload loses none, and they end with the process, as the calls do.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::decision::Key;

/// Locks to share the seats among.
const SHARDS: usize = 16;

/// Which limit's seats: the same for one that goes on in another plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Row(u32);

/// The seats that are taken, by limit and key. One that nobody holds is not kept, so there are never more than open calls.
#[derive(Debug)]
pub(super) struct Seats {
    rows: Mutex<u32>,
    shards: Vec<Mutex<HashMap<(Row, Key), u64>>>,
}

/// A seat, until it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Arc<Seats>,
    name: (Row, Key),
}

impl Default for Seats {
    fn default() -> Self {
        Self {
            rows: Mutex::default(),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
        }
    }
}

impl Seats {
    /// A row that no other limit has.
    pub(super) fn new_row(&self) -> Row {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        *rows += 1;
        Row(*rows)
    }

    /// How many are taken.
    pub(super) fn taken(&self, name: (Row, Key)) -> u64 {
        let shard = self.shard(name.1);
        shard
            .and_then(|shard| shard.get(&name).copied())
            .unwrap_or(0)
    }

    /// Takes one where at most `most` are taken then; none where there is no such place.
    pub(super) fn take(self: &Arc<Self>, name: (Row, Key), most: u64) -> Option<Seat> {
        let mut shard = self.shard(name.1)?;
        let taken = shard.get(&name).copied().unwrap_or(0);
        if taken >= most {
            return None;
        }
        shard.insert(name, taken + 1);
        Some(Seat {
            seats: Arc::clone(self),
            name,
        })
    }

    /// Takes as many for good: what a test says is open.
    pub(super) fn fill(&self, name: (Row, Key), count: u64) {
        if let (Some(mut shard), true) = (self.shard(name.1), count > 0) {
            let taken = shard.entry(name).or_default();
            *taken = taken.saturating_add(count);
        }
    }

    fn shard(&self, key: Key) -> Option<MutexGuard<'_, HashMap<(Row, Key), u64>>> {
        let shard = self.shards.get(key.0 as usize % SHARDS)?;
        Some(shard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let Some(mut shard) = self.seats.shard(self.name.1) else {
            return;
        };
        match shard.get_mut(&self.name) {
            Some(taken) if *taken > 1 => *taken -= 1,
            _ => drop(shard.remove(&self.name)),
        }
    }
}

//! What a call holds of its quotas until it is settled.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use smallvec::SmallVec;

use super::bucket::Hold;
use super::record::Position;
use super::seats::Seat;
use super::shard::Name;

/// As many as one call has in practice, without memory of their own.
pub(super) type Holds = SmallVec<[(Name, Hold); 6]>;

/// What a call holds: ended exactly once, by [`super::State::settle`] or [`super::State::refund`].
///
/// One that is dropped without either stays used, as if all of it had been spent, and is counted in
/// [`super::State::abandoned`]: a lost settlement must never make a call free.
#[derive(Debug)]
#[must_use = "a reservation that is not settled stays used"]
pub struct Reservation {
    holds: Holds,
    /// Given back when this is dropped, whatever becomes of the rest.
    seats: SmallVec<[Seat; 2]>,
    position: Position,
    abandoned: Arc<AtomicU64>,
}

impl Reservation {
    pub(super) fn new(abandoned: Arc<AtomicU64>) -> Self {
        Self {
            holds: Holds::new(),
            seats: SmallVec::new(),
            position: Position::default(),
            abandoned,
        }
    }

    pub(super) fn push(&mut self, name: Name, hold: Hold) {
        self.holds.push((name, hold));
    }

    /// Takes a seat among the open calls, until this ends.
    pub(super) fn sit(&mut self, seat: Seat) {
        self.seats.push(seat);
    }

    pub(super) fn holds(&self) -> &[(Name, Hold)] {
        &self.holds
    }

    /// Gives what it holds the names that another state has for them.
    pub(super) fn rename(&mut self, name: impl Fn(u16) -> u16) {
        for ((quota, _), _) in &mut self.holds {
            *quota = name(*quota);
        }
    }

    pub(super) const fn logged_at(&mut self, position: Position) {
        self.position = position;
    }

    /// Where it stands in the log.
    #[must_use]
    pub const fn position(&self) -> Position {
        self.position
    }

    /// Ends it.
    pub(super) fn take(mut self) -> Holds {
        std::mem::take(&mut self.holds)
    }

    /// Whether it holds nothing: no quota applies to the call.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.holds.is_empty()
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if !self.holds.is_empty() {
            self.abandoned.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Why nothing was reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exhausted {
    /// Index of the quota that binds.
    pub quota: u16,
    /// When there may be room; `None` when never: the call alone is larger than the bound.
    pub retry_after_milliseconds: Option<u64>,
    /// What is exhausted.
    pub reason: ExhaustedReason,
}

/// What is exhausted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExhaustedReason {
    /// The quota has no room for the call.
    Quota,
    /// There are more keys in use than are kept track of; a key that cannot be counted is refused.
    Buckets,
    /// Other replicas may use it too, and this one has not been granted what the call needs: it must ask.
    Lease,
    /// The plan has no such quota.
    Unknown,
}

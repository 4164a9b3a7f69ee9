//! Limits, budgets and session floors: reserve before a call leaves, settle when it is over.
//!
//! Invariants:
//! - A reservation takes all of its charges or none, and ends exactly once: settled, refunded, or, dropped, kept as used.
//! - Nothing is taken beyond a charge's bound. Only a settlement can pass it: what a call used above its reservation
//!   is debt, which later calls wait out.
//! - A quota that cannot be counted (too many keys, an index that the plan does not have) is exhausted, never skipped.
//! - No lock is global: buckets lie in shards by key, and a reservation locks its shards in one order.
//! - Memory is bounded: a bucket that says no more than a fresh one is forgotten, and there is a most.
//! - It reads no clock: `now` is nanoseconds since 1970, and may step back without harm.
//! - It does no IO: what happens goes out as [`Record`]s to a [`Log`], and [`Replay`] brings the state back from them.

mod bucket;
mod calendar;
mod codec;
mod declared;
#[doc(hidden)]
pub mod exchange;
mod floors;
mod identity;
mod lease;
mod quota;
mod record;
mod replay;
mod reservation;
mod seats;
mod shard;
mod sharing;
mod sliding;
mod succession;
#[cfg(test)]
mod tests;

use std::hash::Hasher as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use siphasher::sip128::{Hasher128 as _, SipHasher13};
use smallvec::SmallVec;

pub use calendar::{Calendar, Span};
pub use codec::Malformed;
pub use lease::{Answer, Ask, Measure, Verdict, largest_slice, slack};
pub use quota::{Quota, Spent, Unit, Usage, Window};
pub use record::{Log, Position, Record};
pub use replay::Replay;
pub use reservation::{Exhausted, ExhaustedReason, Reservation};
pub use sharing::{BucketName, Desk, Needs, Sharing};

use crate::decision::{Charge, Key, SessionFloor};
use crate::plan::draft::TierIndex;
use bucket::{Bucket, Hold};
use floors::Floors;
use identity::{Identity, Mapping, Names};
use record::Ended;
use reservation::Holds;
use seats::{Row, Seat, Seats};
use shard::{Full, Name, Shard};

/// Locks to share the buckets among; a power of two well above the number of cores.
const SHARDS: usize = 64;
/// Buckets, and sessions, that are kept at most: about a hundred megabytes of each.
const MOST: usize = 1 << 20;
/// When to come back where as many calls are open as may be: nobody knows when one ends.
const RETRY_OPEN_MILLISECONDS: u64 = 1_000;
/// When to come back where all buckets are taken: a shard looks for free ones once in this time.
const RETRY_FULL_MILLISECONDS: u64 = 1_000;

/// A quota that no plan has is full.
const UNKNOWN: Usage = Usage {
    used: u64::MAX,
    capacity: 0,
    resets_milliseconds: u64::MAX,
};

/// What has been used of every quota, and the floors of sessions.
#[derive(Debug)]
pub struct State {
    /// Those of the plan, and then those of plans before it that are still used.
    quotas: Vec<Quota>,
    /// What they are, in the same order.
    names: Names,
    shards: Vec<Mutex<Shard>>,
    /// The calls that are open, for all states that follow one another.
    seats: Arc<Seats>,
    /// Of each quota that counts open calls, its row there.
    rows: Vec<Option<Row>>,
    floors: Floors,
    seed: [u64; 2],
    abandoned: Arc<AtomicU64>,
    log: Option<Arc<dyn Log>>,
    /// Whom what is used is shared with; nobody without it.
    sharing: Option<Sharing>,
    /// Where what the state before it has is in this one.
    follows: Mapping,
    /// The state that has everything now.
    successor: OnceLock<Arc<Self>>,
}

impl State {
    /// The state of these quotas with nothing used.
    ///
    /// `keeps` is each content section's session window in milliseconds. `seed` is secret and random, so that nobody
    /// can choose keys that share a bucket; it must be the same for as long as the state is to be found again.
    pub fn with_quotas(
        quotas: impl IntoIterator<Item = Quota>,
        keeps: impl IntoIterator<Item = Option<u64>>,
        seed: [u64; 2],
    ) -> Self {
        Self::bounded(quotas, keeps, seed, MOST)
    }

    /// As [`State::with_quotas`], with a most of buckets and of sessions.
    pub fn bounded(
        quotas: impl IntoIterator<Item = Quota>,
        keeps: impl IntoIterator<Item = Option<u64>>,
        seed: [u64; 2],
        most: usize,
    ) -> Self {
        let per_shard = (most / SHARDS).max(1);
        let quotas: Vec<Quota> = quotas.into_iter().collect();
        let identity = |index: usize| Identity {
            label: index.to_string(),
            ..Identity::default()
        };
        let seats = Arc::<Seats>::default();
        let row = |quota: &Quota| matches!(quota.window, Window::Open).then(|| seats.new_row());
        Self {
            rows: quotas.iter().map(row).collect(),
            seats,
            names: Names {
                quotas: (0..quotas.len()).map(identity).collect(),
                ..Names::default()
            },
            quotas,
            shards: (0..SHARDS)
                .map(|_| Mutex::new(Shard::new(per_shard)))
                .collect(),
            floors: Floors::new(keeps, SHARDS, most),
            seed,
            abandoned: Arc::default(),
            log: None,
            sharing: None,
            follows: Mapping::default(),
            successor: OnceLock::new(),
        }
    }

    /// The same, with all that happens from now on written down. What the log begins with is
    /// [`State::declaration`], and every [`State::checkpoint`] makes what came before it superfluous.
    #[must_use]
    pub fn logged(self, log: Arc<dyn Log>) -> Self {
        Self {
            log: Some(log),
            ..self
        }
    }

    /// What the records of this state refer to: it comes before them.
    #[must_use]
    pub const fn declaration(&self) -> Record<'_> {
        Record::declared(self.quotas.as_slice(), &self.names)
    }

    /// Writes down a part of all that is used; the parts are numbered from 0. `None` when there is no such part.
    pub fn checkpoint(&self, part: usize) -> Option<Position> {
        if let Some(floors) = part.checked_sub(SHARDS) {
            let mut position = None;
            self.floors.visit(floors, |content| {
                position = Some(self.append(&Record::floors(floors, content)));
            });
            return position;
        }
        let shard = self.lock(part)?;
        Some(self.append(&Record::buckets(part, &shard)))
    }

    /// The key of a string: the value of a `per`, a session.
    #[must_use]
    pub fn key(&self, text: &str) -> Key {
        let [first, second] = self.seed;
        let mut hasher = SipHasher13::new_with_keys(first, second);
        hasher.write(text.as_bytes());
        Key(hasher.finish128().as_u128())
    }

    /// A key that belongs to somebody: another's of the same text is another one.
    #[must_use]
    pub fn key_of(&self, owner: &str, key: Key) -> Key {
        let [first, second] = self.seed;
        let mut hasher = SipHasher13::new_with_keys(first, second);
        hasher.write(&key.0.to_le_bytes());
        hasher.write(owner.as_bytes());
        Key(hasher.finish128().as_u128())
    }

    /// A key's for calls that are the same as this one.
    #[must_use]
    pub fn key_of_request(&self, key: Key, fingerprint: u128) -> Key {
        let [first, second] = self.seed;
        let mut hasher = SipHasher13::new_with_keys(first, second);
        hasher.write(&key.0.to_le_bytes());
        hasher.write(&fingerprint.to_le_bytes());
        Key(hasher.finish128().as_u128())
    }

    /// What is used of a bucket. Of a quota that the plan does not have everything is.
    #[must_use]
    pub fn used(&self, quota: u16, key: Key, now: i64) -> u64 {
        if let Some(next) = self.successor() {
            let quota = next.follows.quota(quota);
            return quota.map_or(u64::MAX, |quota| next.used(quota, key, now));
        }
        match self.quota(quota) {
            None => u64::MAX,
            Some(spec) if spec.has_buckets() => {
                self.look(spec, (quota, key), now, |bucket| bucket.used_at(spec, now))
            }
            Some(_) => self.usage(quota, key, now).used,
        }
    }

    /// The most that may be used of it at one time.
    #[must_use]
    pub fn capacity(&self, quota: u16) -> u64 {
        self.quota(quota).map_or(0, Quota::capacity)
    }

    /// How full a bucket is. A quota that the plan does not have is full.
    #[must_use]
    pub fn usage(&self, quota: u16, key: Key, now: i64) -> Usage {
        let Some(spec) = self.quota(quota) else {
            return UNKNOWN;
        };
        if let Some(next) = self.successor() {
            let found = next.follows.quota(quota);
            return found.map_or(UNKNOWN, |quota| next.usage(quota, key, now));
        }
        match spec.window {
            Window::Call => Usage {
                used: 0,
                capacity: spec.amount,
                resets_milliseconds: 0,
            },
            Window::Open => Usage {
                used: self.open(quota, key),
                capacity: spec.amount,
                resets_milliseconds: RETRY_OPEN_MILLISECONDS,
            },
            _ => self.look(spec, (quota, key), now, |bucket| bucket.usage_at(spec, now)),
        }
    }

    /// How many calls of a limit that counts open ones are.
    fn open(&self, quota: u16, key: Key) -> u64 {
        let row = self.row(quota);
        row.map_or(u64::MAX, |row| self.seats.taken((row, key)))
    }

    fn row(&self, quota: u16) -> Option<Row> {
        self.rows.get(usize::from(quota)).copied().flatten()
    }

    /// Whether a charge would have room by itself, without taking it.
    ///
    /// # Errors
    ///
    /// When it may have.
    pub fn room(&self, charge: &Charge, now: i64) -> Result<(), Exhausted> {
        if let Some(next) = self.successor() {
            let room = next.room(&next.charge_of_old(charge), now);
            let quota = charge.quota;
            return room.map_err(|exhausted| Exhausted { quota, ..exhausted });
        }
        let exhausted = |reason, retry_after_milliseconds| Exhausted {
            quota: charge.quota,
            retry_after_milliseconds,
            reason,
        };
        let quota = self
            .quota(charge.quota)
            .ok_or_else(|| exhausted(ExhaustedReason::Unknown, None))?;
        let (amount, bound) = (charge.amount, charge.bound);
        let room = match quota.window {
            Window::Call if amount <= bound => Ok(()),
            Window::Call => Err(None),
            Window::Open if bound == 0 => Err(None),
            Window::Open if self.open(charge.quota, charge.key) < bound => Ok(()),
            Window::Open => Err(Some(RETRY_OPEN_MILLISECONDS)),
            _ => self.look(quota, (charge.quota, charge.key), now, |bucket| {
                bucket.room_at(quota, amount, bound, now)
            }),
        };
        room.map_err(|retry| exhausted(ExhaustedReason::Quota, retry))
    }

    /// Takes all the charges, or none.
    ///
    /// # Errors
    ///
    /// The first charge that has no room, and when it may have.
    pub fn reserve(&self, charges: &[Charge], now: i64) -> Result<Reservation, Exhausted> {
        let mut reservation = Reservation::new(Arc::clone(&self.abandoned));
        let mut shards = self.lock_all(charges.iter().map(|charge| shard_of(charge.key)));
        if let Some(next) = self.successor() {
            drop(shards);
            return next.reserve_for_old(charges, now);
        }
        for charge in charges {
            match self.take(&mut shards, charge, now) {
                Ok(Taken::Hold(hold)) => reservation.push((charge.quota, charge.key), hold),
                Ok(Taken::Seat(seat)) => reservation.sit(seat),
                Ok(Taken::Nothing) => {}
                Err(exhausted) => {
                    self.undo(&mut shards, reservation);
                    return Err(exhausted);
                }
            }
        }
        if !reservation.is_empty() {
            let position = self.append(&Record::reserved(now, reservation.holds()));
            reservation.logged_at(position);
        }
        Ok(reservation)
    }

    /// Ends a reservation with what the call used. What it used above its reservation is debt; what it did not use
    /// is given back, as far as others have not had it already.
    pub fn settle(&self, reservation: Reservation, spent: Spent, now: i64) -> Position {
        self.end(reservation, now, |unit| spent.of(unit))
    }

    /// Ends the reservation of a call that used nothing.
    pub fn refund(&self, reservation: Reservation, now: i64) -> Position {
        self.end(reservation, now, |_| 0)
    }

    /// Counts an amount that is used already, whether there is room or not: what a test has spent, what was found in
    /// a ledger.
    pub fn add(&self, quota: u16, key: Key, amount: u64, now: i64) -> Position {
        let (Some(spec), Some(mut shard)) = (self.quota(quota), self.lock(shard_of(key))) else {
            return Position::default();
        };
        if let Some(next) = self.successor() {
            drop(shard);
            let own = next.follows.quota(quota);
            return own.map_or_else(Position::default, |own| next.add(own, key, amount, now));
        }
        if let Some(row) = self.row(quota) {
            self.seats.fill((row, key), amount);
        }
        if !spec.has_buckets() {
            return Position::default();
        }
        let name = (quota, key);
        let bucket = shard.bucket_beyond_most(name, spec, now);
        bucket.add(spec, amount);
        if let Some(sharing) = self.shares(spec) {
            sharing.owe(bucket, name, amount);
        }
        let incarnation = bucket.incarnation;
        self.append(&Record::added(now, name, amount, incarnation))
    }

    /// The floor of a session, while its window lasts.
    #[must_use]
    pub fn floor(&self, content: u16, key: Key, now: i64) -> Option<TierIndex> {
        if let Some(next) = self.successor() {
            return next.floor_for_old(content, key, now);
        }
        self.floors.get((content, key), now)
    }

    /// Raises a session's floor, and starts its window anew.
    pub fn raise_floor(&self, floor: SessionFloor, now: i64) {
        // Nobody hands over meanwhile.
        let shard = self.lock(shard_of(floor.key));
        if let Some(next) = self.successor() {
            drop(shard);
            if let Some(floor) = next.floor_of_old(floor) {
                next.raise_floor(floor, now);
            }
            return;
        }
        self.floors.raise_and(floor, now, || {
            self.append(&Record::raised(now, floor));
        });
    }

    /// Reservations that were dropped without being settled: a bug in whoever held them.
    #[must_use]
    pub fn abandoned(&self) -> u64 {
        self.abandoned.load(Ordering::Relaxed)
    }

    /// Buckets and sessions that are kept.
    #[must_use]
    pub fn len(&self) -> (usize, usize) {
        let buckets = (0..SHARDS)
            .filter_map(|index| self.lock(index))
            .map(|shard| shard.len())
            .sum();
        (buckets, self.floors.len())
    }

    /// Whether nothing is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == (0, 0)
    }

    /// The figures of all buckets at `now`.
    fn buckets(&self, now: i64) -> Vec<(Name, Bucket)> {
        let shards = (0..SHARDS).filter_map(|index| self.lock(index));
        shards
            .flat_map(|shard| shard.all(&self.quotas, now))
            .collect()
    }

    /// Puts a bucket in the place it had elsewhere.
    fn insert(&self, name: Name, bucket: Bucket) {
        if let Some(mut shard) = self.lock(shard_of(name.1)) {
            shard.insert(name, bucket);
        }
    }

    /// What is read of a bucket, where it is; of a fresh one, where there is none.
    fn look<T>(&self, quota: &Quota, name: Name, now: i64, read: impl Fn(&Bucket) -> T) -> T {
        let shard = self.lock(shard_of(name.1));
        let kept = shard.as_ref().and_then(|shard| shard.get(name));
        let is_shared = self.shares(quota).is_some();
        let all = |bucket: &Bucket| is_shared.then(|| bucket.with_others(quota, now)).flatten();
        let kept = kept.map(|bucket| match all(bucket) {
            Some(all) => read(&all),
            None => read(bucket),
        });
        kept.unwrap_or_else(|| read(&Bucket::new(quota, now, bucket::Incarnation(0))))
    }

    fn quota(&self, index: u16) -> Option<&Quota> {
        self.quotas.get(usize::from(index))
    }

    /// Takes one charge.
    fn take(&self, shards: &mut Locked<'_>, charge: &Charge, now: i64) -> Result<Taken, Exhausted> {
        let exhausted = |reason, retry_after_milliseconds| Exhausted {
            quota: charge.quota,
            retry_after_milliseconds,
            reason,
        };
        let unknown = || exhausted(ExhaustedReason::Unknown, None);
        let quota = self.quota(charge.quota).ok_or_else(unknown)?;
        if !quota.has_buckets() {
            self.room(charge, now)?;
            let Some(row) = self.row(charge.quota) else {
                return Ok(Taken::Nothing);
            };
            // Another call may have sat down in between.
            let seat = self.seats.take((row, charge.key), charge.bound);
            let full = || exhausted(ExhaustedReason::Quota, Some(RETRY_OPEN_MILLISECONDS));
            return seat.map(Taken::Seat).ok_or_else(full);
        }
        let shard = shards.get(shard_of(charge.key)).ok_or_else(unknown)?;
        let bucket = shard
            .bucket(&self.quotas, (charge.quota, charge.key), quota, now)
            .map_err(|Full| exhausted(ExhaustedReason::Buckets, Some(RETRY_FULL_MILLISECONDS)))?;
        if !bucket.has_room(quota, charge.amount, charge.bound) {
            let most = charge.bound.checked_sub(charge.amount);
            let retry = most.and_then(|most| bucket.until_at_most(quota, most, now));
            return Err(exhausted(ExhaustedReason::Quota, retry));
        }
        if let Some(sharing) = self.shares(quota)
            && !sharing.take(bucket, quota, charge, now)
        {
            return Err(exhausted(ExhaustedReason::Lease, None));
        }
        Ok(Taken::Hold(bucket.hold(quota, charge.amount)))
    }

    /// Takes back what a reservation that failed has taken, before anyone else has seen it.
    fn undo(&self, shards: &mut Locked<'_>, reservation: Reservation) {
        for (name, hold) in reservation.take().into_iter().rev() {
            if let (Some(quota), Some(shard)) = (self.quota(name.0), shards.get(shard_of(name.1))) {
                shard.undo(name, quota, hold);
            }
        }
    }

    fn end(&self, reservation: Reservation, now: i64, spent: impl Fn(Unit) -> u64) -> Position {
        self.end_holds(reservation.take(), now, &spent)
    }

    fn end_holds(&self, holds: Holds, now: i64, spent: &impl Fn(Unit) -> u64) -> Position {
        let mut shards = self.lock_all(holds.iter().map(|(name, _)| shard_of(name.1)));
        if let Some(next) = self.successor() {
            drop(shards);
            return next.end_holds(next.holds_of_old(holds), now, spent);
        }
        let mut ends: SmallVec<[Ended; 12]> = SmallVec::new();
        for (name, hold) in holds {
            let (Some(quota), Some(shard)) = (self.quota(name.0), shards.get(shard_of(name.1)))
            else {
                continue;
            };
            let spent = spent(quota.unit);
            // A bucket that was forgotten was empty: only what goes beyond the hold is news, and is counted anew.
            let bucket = shard.bucket_beyond_most(name, quota, now);
            let settled = bucket.settle(quota, hold, spent);
            if let Some(sharing) = self.shares(quota) {
                sharing.settle(bucket, (quota, name), settled, now);
            }
            if self.log.is_some() {
                ends.push(Ended {
                    name,
                    hold,
                    spent,
                    incarnation: bucket.incarnation,
                });
            }
        }
        match ends.is_empty() {
            true => Position::default(),
            false => self.append(&Record::settled(now, &ends)),
        }
    }

    /// Called while what the record says happened to is locked.
    fn append(&self, record: &Record<'_>) -> Position {
        let log = self.log.as_ref();
        log.map_or_else(Position::default, |log| log.append(record))
    }

    fn lock(&self, shard: usize) -> Option<MutexGuard<'_, Shard>> {
        // A panic elsewhere leaves whole integers behind: the counts stay good, and go on counting.
        Some(
            self.shards
                .get(shard)?
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// Locks shards in ascending order, each once: two reservations never wait for each other in a circle.
    fn lock_all(&self, wanted: impl Iterator<Item = usize>) -> Locked<'_> {
        let wanted = wanted.fold(0_u64, |set, index| set | 1 << index);
        let mut guards = SmallVec::new();
        for index in (0..SHARDS).filter(|index| wanted & (1 << index) != 0) {
            guards.extend(self.lock(index).map(|guard| (index, guard)));
        }
        Locked(guards)
    }
}

/// What a charge took.
enum Taken {
    Hold(Hold),
    Seat(Seat),
    /// It was only to be within its bound.
    Nothing,
}

/// The locked shards, by index.
struct Locked<'a>(SmallVec<[(usize, MutexGuard<'a, Shard>); 12]>);

impl Locked<'_> {
    fn get(&mut self, index: usize) -> Option<&mut Shard> {
        let (_, guard) = self.0.iter_mut().find(|(place, _)| *place == index)?;
        Some(guard)
    }
}

fn shard_of(key: Key) -> usize {
    // The upper bits: the maps within use the lower ones.
    (key.0 >> 64) as usize % SHARDS
}

//! The replicas of a pool: which there are, what is known of them, which one a call gets.
//!
//! Invariants: a call that is sent to a replica counts there until its guard is dropped, whatever becomes of it; the
//! lock of a pool is held for a choice or a note, never across a wait.

mod discovery;
mod hosted;
mod placed;
mod scrape;
mod seat;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::StatusCode;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};
use waypost_policies::place::{self, NoPick, PrefixIndex, Prompt};
use waypost_policies::plan::draft;
use waypost_policies::vm;

pub use discovery::DiscoveryError;
pub(crate) use hosted::{Hosted, LeftAlone};
pub(crate) use placed::Placed;
pub(crate) use seat::Seat;

use crate::queue::{Full, Queue, Rank};

use crate::clock;

/// Blocks of prompts that are remembered of each replica: some four million tokens.
const REMEMBERED: usize = 1 << 16;
/// Calls that may wait for each replica: more would only wait to be told that there is no room.
const MOST_WAITING: usize = 64;
/// One failure is enough where others can answer instead.
const MOST_FAILURES: u32 = 1;
/// Where Kubernetes says which zone a pod is in.
const ZONE: &str = "topology.kubernetes.io/zone";

/// A pool.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) name: String,
    pub(crate) engine: draft::Engine,
    discovery: draft::Discovery,
    /// Which labels its conditions read, by slot.
    labels: Vec<String>,
    members: Mutex<Members>,
    /// Calls that wait for a replica.
    queue: Queue,
    /// Replicas came or went.
    changed: Notify,
    /// A call came after a pause.
    woken: Notify,
    /// When the last call came, in nanoseconds since 1970.
    used: AtomicI64,
    /// Why the last discovery found nothing new, "" when it did.
    trouble: Mutex<String>,
}

#[derive(Debug)]
struct Members {
    replicas: Vec<Replica>,
    prefixes: PrefixIndex,
    turn: usize,
    next: u64,
}

#[derive(Debug)]
struct Replica {
    id: u64,
    base: Arc<str>,
    labels: Vec<Option<Cow<'static, str>>>,
    zone: String,
    known: place::Endpoint,
    /// What it said when it asked to be left alone.
    said: StatusCode,
}

/// A replica as it was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Found {
    /// Its base URL.
    pub(crate) base: String,
    /// Its labels, where it has any.
    pub(crate) labels: BTreeMap<String, String>,
}

impl Found {
    /// A replica of which nothing but its address is known.
    pub(crate) const fn unlabelled(base: String) -> Self {
        Self {
            base,
            labels: BTreeMap::new(),
        }
    }
}

/// What a call brings to the choice of a replica.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// The chained hashes of its prompt.
    pub(crate) chain: &'a [u64],
    /// Its tokens, the reserved answer included.
    pub(crate) tokens: u64,
    /// Whether the file's `only when` lets it go to a replica.
    pub(crate) admits: &'a (dyn Fn(&vm::Endpoint<'_>) -> bool + Sync),
    /// When it is served, where calls wait.
    pub(crate) rank: Rank,
    /// How long its caller waits at most.
    pub(crate) patience: Duration,
}

/// Why a call gets no replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unplaced {
    /// There is none, or each has failed or is left out.
    NoReplica,
    /// Each had all that it can take for as long as the call could wait.
    Saturated,
    /// The queue is full of calls that come first.
    Displaced,
}

/// A replica that a call gets, for as long as this is kept.
#[derive(Debug)]
pub(crate) struct Picked {
    pub(crate) id: u64,
    pub(crate) base: Arc<str>,
    /// Whether it waited for it.
    pub(crate) waited: bool,
    pool: Arc<Pool>,
    tokens: u64,
    caller: u64,
}

/// What is known of a replica, for metrics and health.
#[derive(Debug, Clone)]
pub(crate) struct ReplicaStatus {
    pub(crate) base: Arc<str>,
    pub(crate) known: place::Endpoint,
}

impl Pool {
    pub(crate) fn new(pool: &draft::Pool, labels: Vec<String>) -> Self {
        Self {
            name: pool.name.clone(),
            engine: pool.engine.clone(),
            discovery: pool.discovery.clone(),
            labels,
            members: Mutex::new(Members {
                replicas: Vec::new(),
                prefixes: PrefixIndex::new(REMEMBERED),
                turn: 0,
                next: 0,
            }),
            queue: Queue::default(),
            changed: Notify::new(),
            woken: Notify::new(),
            used: AtomicI64::new(i64::MIN),
            trouble: Mutex::default(),
        }
    }

    /// Whether it is what a plan declares, whatever the plan's way to place calls on it.
    fn is(&self, declared: &draft::Pool, labels: &[String]) -> bool {
        self.name == declared.name
            && self.engine == declared.engine
            && self.discovery == declared.discovery
            && self.labels == labels
    }

    /// Picks a replica; where all are saturated, waits as long as the file and the caller allow, by rank.
    async fn pick(
        self: &Arc<Self>,
        placement: &draft::Placement,
        wanted: Wanted<'_>,
        excluded: &[u64],
    ) -> Result<Picked, Unplaced> {
        self.note_use();
        let wait = Duration::from_millis(placement.wait_milliseconds).min(wanted.patience);
        if wait.is_zero() || self.queue.is_free_for(wanted.rank.priority) {
            match self.try_pick(placement, wanted, excluded) {
                Err(NoPick::Saturated) if !wait.is_zero() => {}
                other => return Ok(other?),
            }
        }
        let until = Instant::now() + wait;
        let place = self.queue.enter(wanted.rank, until, self.most_waiting());
        let place = place.map_err(|Full| Unplaced::Displaced)?;
        loop {
            match timeout_at(until, place.turn()).await {
                Ok(true) => {}
                Ok(false) => return Err(Unplaced::Displaced),
                Err(_) => return Err(Unplaced::Saturated),
            }
            match self.try_pick(placement, wanted, excluded) {
                // A call that was at no replica yet may go to every one: where it finds no room there is none.
                Err(NoPick::Saturated) => place.pass(excluded.is_empty()),
                other => {
                    let mut picked = other?;
                    picked.waited = true;
                    return Ok(picked);
                }
            }
        }
    }

    fn most_waiting(&self) -> usize {
        let replicas = self.lock().replicas.len();
        replicas.max(1).saturating_mul(MOST_WAITING)
    }

    /// How many calls wait for a replica.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.len()
    }

    fn try_pick(
        self: &Arc<Self>,
        placement: &draft::Placement,
        wanted: Wanted<'_>,
        excluded: &[u64],
    ) -> Result<Picked, NoPick> {
        let mut members = self.lock();
        let picked = members.choose(placement, wanted, excluded)?;
        members.prefixes.insert(picked, wanted.chain);
        let replica = members.replica(picked).ok_or(NoPick::NoEndpoint)?;
        replica.known.in_flight = replica.known.in_flight.saturating_add(1);
        replica.known.in_flight_tokens =
            replica.known.in_flight_tokens.saturating_add(wanted.tokens);
        let base = Arc::clone(&replica.base);
        drop(members);
        self.queue.served(wanted.rank.caller);
        Ok(Picked {
            id: picked,
            base,
            waited: false,
            pool: Arc::clone(self),
            tokens: wanted.tokens,
            caller: wanted.rank.caller,
        })
    }

    /// Takes in the replicas that there are now; what is known of those that stay is kept.
    pub(crate) fn update(&self, mut found: Vec<Found>) {
        found.sort();
        found.dedup_by(|a, b| a.base == b.base);
        let mut members = self.lock();
        members
            .replicas
            .retain(|replica| found.iter().any(|found| *found.base == *replica.base));
        for mut found in found {
            let labels = self
                .labels
                .iter()
                .map(|name| found.labels.remove(name).map(Cow::Owned))
                .collect();
            let zone = found.labels.remove(ZONE).unwrap_or_default();
            if let Some(replica) = members
                .replicas
                .iter_mut()
                .find(|replica| *replica.base == *found.base)
            {
                (replica.labels, replica.zone) = (labels, zone);
                continue;
            }
            let id = members.next;
            members.next += 1;
            members.replicas.push(Replica {
                id,
                base: found.base.into(),
                labels,
                zone,
                known: place::Endpoint::default(),
                said: StatusCode::default(),
            });
        }
        let ids: Vec<u64> = members.replicas.iter().map(|replica| replica.id).collect();
        members.prefixes.retain(|id| ids.contains(&id));
        drop(members);
        self.set_trouble(String::new());
        self.changed.notify_waiters();
        self.queue.changed();
    }

    /// Waits until it has a replica.
    pub(crate) async fn has_replica(&self) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if !self.lock().replicas.is_empty() {
                return;
            }
            changed.await;
        }
    }

    /// What the first of its replicas said that is to be asked again, and in how long, where all asked to be left alone.
    pub(crate) fn rest(&self) -> Option<(StatusCode, Duration)> {
        let members = self.lock();
        let now = clock::now();
        let rests = members.replicas.iter();
        let rests = rests.map(|replica| Some((replica.known.health.rests_for(now)?, replica.said)));
        let all: Option<Vec<(i64, StatusCode)>> = rests.collect();
        let (left, said) = all?.into_iter().min_by_key(|(left, _)| *left)?;
        Some((said, hosted::duration(left)))
    }

    /// What is known of its replicas.
    pub(crate) fn status(&self) -> Vec<ReplicaStatus> {
        let members = self.lock();
        let replicas = members.replicas.iter();
        replicas
            .map(|replica| ReplicaStatus {
                base: Arc::clone(&replica.base),
                known: replica.known,
            })
            .collect()
    }

    /// Why it has no replica, when it has none.
    pub(crate) fn missing(&self) -> Option<String> {
        if !self.lock().replicas.is_empty() {
            return None;
        }
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let reason = if trouble.is_empty() {
            "no replica found yet"
        } else {
            &trouble
        };
        Some(format!("pool `{}`: {reason}", self.name))
    }

    fn set_trouble(&self, reason: String) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = reason;
    }

    fn note_use(&self) {
        let before = self.used.swap(clock::now(), Ordering::Relaxed);
        if clock::since(before) > scrape::BUSY {
            self.woken.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Members> {
        // What a panic leaves behind is whole: counters and lists.
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Members {
    fn choose(
        &mut self,
        placement: &draft::Placement,
        wanted: Wanted<'_>,
        excluded: &[u64],
    ) -> Result<u64, NoPick> {
        self.turn = self.turn.wrapping_add(1);
        let now = clock::now();
        let warm: Vec<usize> = self
            .replicas
            .iter()
            .map(|replica| self.prefixes.warm(replica.id, wanted.chain))
            .collect();
        let prompt = Prompt {
            warm: &warm,
            blocks: wanted.chain.len(),
        };
        let left_out = |index: usize| {
            let replica = self.replicas.get(index);
            replica.is_none_or(|replica| {
                excluded.contains(&replica.id) || !(wanted.admits)(&replica.facts())
            })
        };
        let mut endpoints: Vec<place::Endpoint> =
            self.replicas.iter().map(|replica| replica.known).collect();
        let mut pick = place::pick(placement, &endpoints, prompt, &left_out, now, self.turn);
        if pick == Err(NoPick::NoEndpoint) {
            // All that are left have failed lately: one of them is a better chance than none.
            for endpoint in &mut endpoints {
                endpoint.health = endpoint.health.forgiven();
            }
            pick = place::pick(placement, &endpoints, prompt, &left_out, now, self.turn);
        }
        let replica = self.replicas.get(pick?.index).ok_or(NoPick::NoEndpoint)?;
        Ok(replica.id)
    }

    fn replica(&mut self, id: u64) -> Option<&mut Replica> {
        self.replicas.iter_mut().find(|replica| replica.id == id)
    }
}

impl Replica {
    /// As `only when` sees it. What it has not said of itself counts as idle: conditions are about which, not when.
    fn facts(&self) -> vm::Endpoint<'_> {
        let snapshot = self
            .known
            .scraped
            .map(|scraped| scraped.snapshot)
            .unwrap_or_default();
        vm::Endpoint {
            labels: &self.labels,
            zone: &self.zone,
            queue: snapshot.queue.unwrap_or(self.known.in_flight).into(),
            kv_cache: snapshot.kv_cache.unwrap_or(0.0),
            lora: &[],
        }
    }
}

impl Picked {
    /// It answered.
    pub(crate) fn succeeded(&self) {
        if let Some(replica) = self.pool.lock().replica(self.id) {
            replica.known.health.succeeded(clock::now());
        }
    }

    /// It failed: others come first for a while. Whether it is ejected for it.
    pub(crate) fn failed(&self) -> bool {
        let mut members = self.pool.lock();
        members.prefixes.forget(self.id);
        let replica = members.replica(self.id);
        replica.is_some_and(|replica| replica.known.health.failed(MOST_FAILURES, clock::now()))
    }

    /// It asks to be left alone for so long.
    fn rests(&self, status: StatusCode, wait: Duration) {
        if let Some(replica) = self.pool.lock().replica(self.id) {
            replica.said = status;
            let wait = hosted::nanoseconds(wait);
            replica.known.health.rests(wait, clock::now());
        }
    }
}

impl Drop for Picked {
    fn drop(&mut self) {
        if let Some(replica) = self.pool.lock().replica(self.id) {
            replica.known.in_flight = replica.known.in_flight.saturating_sub(1);
            replica.known.in_flight_tokens =
                replica.known.in_flight_tokens.saturating_sub(self.tokens);
        }
        self.pool.queue.left(self.caller);
    }
}

impl From<NoPick> for Unplaced {
    fn from(reason: NoPick) -> Self {
        match reason {
            NoPick::Saturated => Self::Saturated,
            NoPick::NoEndpoint => Self::NoReplica,
        }
    }
}

#[cfg(test)]
mod tests;

//! The replicas of a pool: which there are, what is known of them, which one a call gets.
//!
//! Invariants: a call that is sent to a replica counts there until its guard is dropped, whatever becomes of it; the
//! lock of a pool is held for a choice or a note, never across a wait.

mod discovery;
mod scrape;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};
use waypost_policies::place::{self, NoPick, PrefixIndex, Prompt};
use waypost_policies::plan::draft;

pub(crate) use discovery::{DiscoveryError, discover};
pub(crate) use scrape::scrape;

use crate::clock;

/// Blocks of prompts that are remembered of each replica: some four million tokens.
const REMEMBERED: usize = 1 << 16;
/// A replica that failed gets no call for this long, twice as long each time it fails again.
const COOLING: Duration = Duration::from_secs(1);
/// But never longer than this.
const LONGEST_COOLING: Duration = Duration::from_secs(30);

/// A pool.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) name: String,
    pub(crate) engine: draft::Engine,
    pub(crate) placement: draft::Placement,
    members: Mutex<Members>,
    /// A replica came, has room again, or told something new.
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
    known: place::Endpoint,
    failures: u32,
}

/// A replica that a call gets, for as long as this is kept.
#[derive(Debug)]
pub(crate) struct Picked {
    pub(crate) id: u64,
    pub(crate) base: Arc<str>,
    pool: Arc<Pool>,
    tokens: u64,
}

/// What is known of a replica, for metrics and health.
#[derive(Debug, Clone)]
pub(crate) struct ReplicaStatus {
    pub(crate) base: Arc<str>,
    pub(crate) known: place::Endpoint,
}

impl Pool {
    pub(crate) fn new(pool: &draft::Pool) -> Self {
        Self {
            name: pool.name.clone(),
            engine: pool.engine.clone(),
            placement: pool.placement.clone(),
            members: Mutex::new(Members {
                replicas: Vec::new(),
                prefixes: PrefixIndex::new(REMEMBERED),
                turn: 0,
                next: 0,
            }),
            changed: Notify::new(),
            woken: Notify::new(),
            used: AtomicI64::new(i64::MIN),
            trouble: Mutex::default(),
        }
    }

    /// Picks a replica; where all are saturated, waits as long as the file allows.
    pub(crate) async fn pick(
        self: &Arc<Self>,
        chain: &[u64],
        tokens: u64,
        excluded: &[u64],
    ) -> Result<Picked, NoPick> {
        self.note_use();
        let deadline = Instant::now() + Duration::from_millis(self.placement.wait_milliseconds);
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // From here on no change is missed, even before it is waited for.
            changed.as_mut().enable();
            match self.try_pick(chain, tokens, excluded) {
                Err(NoPick::Saturated) => {}
                other => return other,
            }
            if timeout_at(deadline, changed).await.is_err() {
                return Err(NoPick::Saturated);
            }
        }
    }

    fn try_pick(self: &Arc<Self>, chain: &[u64], tokens: u64, excluded: &[u64]) -> Result<Picked, NoPick> {
        let mut members = self.lock();
        let picked = members.choose(&self.placement, chain, excluded)?;
        members.prefixes.insert(picked, chain);
        let replica = members.replica(picked).ok_or(NoPick::NoEndpoint)?;
        replica.known.in_flight = replica.known.in_flight.saturating_add(1);
        replica.known.in_flight_tokens = replica.known.in_flight_tokens.saturating_add(tokens);
        Ok(Picked {
            id: picked,
            base: Arc::clone(&replica.base),
            pool: Arc::clone(self),
            tokens,
        })
    }

    /// Takes in the replicas that there are now; what is known of those that stay is kept.
    pub(crate) fn update(&self, mut bases: Vec<String>) {
        bases.sort();
        bases.dedup();
        let mut members = self.lock();
        members.replicas.retain(|replica| bases.iter().any(|base| **base == *replica.base));
        for base in bases {
            if members.replicas.iter().any(|replica| *replica.base == *base) {
                continue;
            }
            let id = members.next;
            members.next += 1;
            members.replicas.push(Replica {
                id,
                base: base.into(),
                known: place::Endpoint::default(),
                failures: 0,
            });
        }
        let ids: Vec<u64> = members.replicas.iter().map(|replica| replica.id).collect();
        members.prefixes.retain(|id| ids.contains(&id));
        drop(members);
        self.set_trouble(String::new());
        self.changed.notify_waiters();
    }

    /// What is known of its replicas.
    pub(crate) fn status(&self) -> Vec<ReplicaStatus> {
        let members = self.lock();
        let replicas = members.replicas.iter();
        replicas.map(|replica| ReplicaStatus { base: Arc::clone(&replica.base), known: replica.known }).collect()
    }

    /// Why it has no replica, when it has none.
    pub(crate) fn missing(&self) -> Option<String> {
        if !self.lock().replicas.is_empty() {
            return None;
        }
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let reason = if trouble.is_empty() { "no replica found yet" } else { &trouble };
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
    fn choose(&mut self, placement: &draft::Placement, chain: &[u64], excluded: &[u64]) -> Result<u64, NoPick> {
        self.turn = self.turn.wrapping_add(1);
        let now = clock::now();
        let warm: Vec<usize> = self.replicas.iter().map(|replica| self.prefixes.warm(replica.id, chain)).collect();
        let prompt = Prompt { warm: &warm, blocks: chain.len() };
        let left_out = |index: usize| self.replicas.get(index).is_none_or(|replica| excluded.contains(&replica.id));
        let mut endpoints: Vec<place::Endpoint> = self.replicas.iter().map(|replica| replica.known).collect();
        let mut pick = place::pick(placement, &endpoints, prompt, &left_out, now, self.turn);
        if pick == Err(NoPick::NoEndpoint) {
            // All that are left have failed lately: one of them is a better chance than none.
            for endpoint in &mut endpoints {
                endpoint.cooling_until = 0;
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

impl Picked {
    /// It answered.
    pub(crate) fn succeeded(&self) {
        if let Some(replica) = self.pool.lock().replica(self.id) {
            replica.failures = 0;
            replica.known.cooling_until = 0;
        }
    }

    /// It failed: others come first for a while.
    pub(crate) fn failed(&self) {
        let mut members = self.pool.lock();
        if let Some(replica) = members.replica(self.id) {
            let cooling = COOLING.saturating_mul(1 << replica.failures.min(8)).min(LONGEST_COOLING);
            replica.failures = replica.failures.saturating_add(1);
            let nanoseconds = i64::try_from(cooling.as_nanos()).unwrap_or(i64::MAX);
            replica.known.cooling_until = clock::now().saturating_add(nanoseconds);
            members.prefixes.forget(self.id);
        }
    }
}

impl Drop for Picked {
    fn drop(&mut self) {
        if let Some(replica) = self.pool.lock().replica(self.id) {
            replica.known.in_flight = replica.known.in_flight.saturating_sub(1);
            replica.known.in_flight_tokens = replica.known.in_flight_tokens.saturating_sub(self.tokens);
        }
        self.pool.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests;

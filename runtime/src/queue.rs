//! The calls that wait for a place, at a pool's replicas or in a limit, and whose turn it is.
//!
//! By priority, the highest first. Within one, the caller with the fewest calls there comes first, and of equals
//! the one who was served the longest ago: a caller who floods the place waits for himself. Of one caller's calls, the
//! one whose time ends first.
//!
//! Invariants: a queue that is full sheds from its end, which may be the call that comes; one call at a time has the
//! turn, and whoever leaves with it (served, out of time, hung up) hands it on; what is kept of callers is bounded by the
//! calls that wait or are answered.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

/// What decides when a call is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rank {
    /// Higher is served first.
    pub(crate) priority: i64,
    /// Who calls: a hash.
    pub(crate) caller: u64,
}

/// Calls that wait.
#[derive(Debug, Default)]
pub(crate) struct Queue(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    waiting: Vec<Waiter>,
    /// Those who have calls there or in the queue.
    callers: HashMap<u64, Caller>,
    /// How many calls were served.
    served: u64,
    tickets: u64,
    /// Whose turn it is.
    turn: Option<u64>,
    /// Grows whenever there may be room.
    changes: u64,
    /// At which of these changes there turned out to be no room for anybody.
    full_at: Option<u64>,
}

#[derive(Debug)]
struct Waiter {
    ticket: u64,
    rank: Rank,
    until: Instant,
    /// At which change it had its turn last.
    tried_at: Option<u64>,
    woken: Arc<Notify>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Caller {
    running: u32,
    waiting: u32,
    /// When it was served last, by the count of calls served.
    served: u64,
}

/// A call's place in the queue; left when this is dropped.
#[derive(Debug)]
pub(crate) struct Waiting<'q> {
    queue: &'q Queue,
    ticket: u64,
    woken: Arc<Notify>,
}

/// The queue is full of calls that come first.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Queue {
    /// Whether a call may look for a place at once: nobody waits who comes before it or with it.
    pub(crate) fn is_free_for(&self, priority: i64) -> bool {
        let state = self.lock();
        let mut waiting = state.waiting.iter();
        !waiting.any(|waiter| waiter.rank.priority >= priority)
    }

    /// Takes a place among at most `most`; whoever is last loses his, where there are more.
    pub(crate) fn enter(
        &self,
        rank: Rank,
        until: Instant,
        most: usize,
    ) -> Result<Waiting<'_>, Full> {
        let mut state = self.lock();
        state.tickets += 1;
        let ticket = state.tickets;
        let woken = Arc::new(Notify::new());
        state.caller(rank.caller).waiting += 1;
        state.waiting.push(Waiter {
            ticket,
            rank,
            until,
            tried_at: None,
            woken: Arc::clone(&woken),
        });
        if state.waiting.len() > most {
            let last = state.last();
            if let Some(shed) = last.and_then(|last| state.remove(last)) {
                // He looks, and is not there any more.
                shed.woken.notify_one();
                if shed.ticket == ticket {
                    return Err(Full);
                }
            }
        }
        state.call_next();
        drop(state);
        Ok(Waiting {
            queue: self,
            ticket,
            woken,
        })
    }

    /// There may be room.
    pub(crate) fn changed(&self) {
        let mut state = self.lock();
        state.changes += 1;
        state.call_next();
    }

    /// A call of this caller has a place now.
    pub(crate) fn served(&self, caller: u64) {
        let mut state = self.lock();
        state.served += 1;
        let served = state.served;
        let caller = state.caller(caller);
        caller.running = caller.running.saturating_add(1);
        caller.served = served;
    }

    /// A call of this caller has its place no more, and there may be room.
    pub(crate) fn left(&self, caller: u64) {
        let mut state = self.lock();
        let known = state.caller(caller);
        known.running = known.running.saturating_sub(1);
        state.forget(caller);
        state.changes += 1;
        state.call_next();
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.lock().waiting.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // What a panic leaves behind is whole: counters and lists.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn caller(&mut self, caller: u64) -> &mut Caller {
        self.callers.entry(caller).or_default()
    }

    fn known(&self, caller: u64) -> Caller {
        self.callers.get(&caller).copied().unwrap_or_default()
    }

    fn forget(&mut self, caller: u64) {
        let known = self.known(caller);
        if known.running == 0 && known.waiting == 0 {
            self.callers.remove(&caller);
        }
    }

    /// Gives the turn to the first who has not had it since the last change, unless somebody has it.
    fn call_next(&mut self) {
        if self.turn.is_some() || self.full_at == Some(self.changes) {
            return;
        }
        let first = self
            .waiting
            .iter()
            .enumerate()
            .filter(|(_, waiter)| waiter.tried_at != Some(self.changes))
            .min_by_key(|(_, waiter)| {
                let caller = self.known(waiter.rank.caller);
                let priority = Reverse(waiter.rank.priority);
                let until = waiter.until;
                (
                    priority,
                    caller.running,
                    caller.served,
                    until,
                    waiter.ticket,
                )
            })
            .map(|(index, _)| index);
        let changes = self.changes;
        if let Some(waiter) = first.and_then(|first| self.waiting.get_mut(first)) {
            waiter.tried_at = Some(changes);
            self.turn = Some(waiter.ticket);
            waiter.woken.notify_one();
        }
    }

    /// Who is shed first: of the lowest priority the caller who has most waiting, and of his calls the youngest.
    fn last(&self) -> Option<u64> {
        let last = self.waiting.iter().max_by_key(|waiter| {
            let caller = self.known(waiter.rank.caller);
            (Reverse(waiter.rank.priority), caller.waiting, waiter.ticket)
        });
        last.map(|waiter| waiter.ticket)
    }

    fn remove(&mut self, ticket: u64) -> Option<Waiter> {
        let index = self
            .waiting
            .iter()
            .position(|waiter| waiter.ticket == ticket)?;
        let waiter = self.waiting.remove(index);
        let caller = self.caller(waiter.rank.caller);
        caller.waiting = caller.waiting.saturating_sub(1);
        self.forget(waiter.rank.caller);
        self.release(ticket);
        Some(waiter)
    }

    fn release(&mut self, ticket: u64) {
        if self.turn == Some(ticket) {
            self.turn = None;
        }
    }
}

impl Waiting<'_> {
    /// Waits for the turn; whether it came, or the place was lost.
    pub(crate) async fn turn(&self) -> bool {
        loop {
            self.woken.notified().await;
            let state = self.queue.lock();
            if state.turn == Some(self.ticket) {
                return true;
            }
            let mut waiting = state.waiting.iter();
            if !waiting.any(|waiter| waiter.ticket == self.ticket) {
                return false;
            }
        }
    }

    /// Hands the turn on, since there is no room: for nobody, where this call could have gone everywhere.
    pub(crate) fn pass(&self, for_nobody: bool) {
        let mut state = self.queue.lock();
        let waiters = state.waiting.iter();
        let mut own = waiters.filter(|waiter| waiter.ticket == self.ticket);
        if for_nobody {
            state.full_at = own.next().and_then(|waiter| waiter.tried_at);
        }
        state.release(self.ticket);
        state.call_next();
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        state.remove(self.ticket);
        state.call_next();
    }
}

#[cfg(test)]
mod tests;

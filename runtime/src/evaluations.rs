//! Working memory for decisions, used again: no decision waits for another's.

use std::sync::{Mutex, TryLockError};

use waypost_policies::Evaluation;

use crate::worker;

/// More than threads that decide at one time.
const SLOTS: usize = 32;

/// Some working memories.
#[derive(Debug, Default)]
pub(crate) struct Evaluations {
    slots: Vec<Mutex<Evaluation>>,
}

impl Evaluations {
    pub(crate) fn new() -> Self {
        Self {
            slots: (0..SLOTS).map(|_| Mutex::default()).collect(),
        }
    }

    /// Runs `work` with a working memory that nobody else has.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Evaluation) -> T) -> T {
        // That of this thread first: nobody else asks for it while there are as many as threads.
        let (before, after) = self.slots.split_at(worker::here() % SLOTS);
        for slot in after.iter().chain(before) {
            match slot.try_lock() {
                Ok(mut evaluation) => return work(&mut evaluation),
                Err(TryLockError::WouldBlock | TryLockError::Poisoned(_)) => {}
            }
        }
        work(&mut Evaluation::default())
    }
}

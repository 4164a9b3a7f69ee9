//! The last of something: receipts for `/decisions`, calls for a new plan to be tried on.
//!
//! Invariant: writers do not wait for one another: each has a slot of its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::receipt::Receipt;

/// How many are kept.
pub(crate) const KEPT: usize = 256;

/// The last receipts.
pub(crate) type Journal = Ring<Receipt>;

/// An entry and its number, once there is one.
type Slot<T> = Option<(usize, Arc<T>)>;

/// The last entries.
#[derive(Debug)]
pub(crate) struct Ring<T> {
    slots: Vec<Mutex<Slot<T>>>,
    next: AtomicUsize,
}

impl<T> Default for Ring<T> {
    fn default() -> Self {
        Self {
            slots: (0..KEPT).map(|_| Mutex::default()).collect(),
            next: AtomicUsize::new(0),
        }
    }
}

impl<T> Ring<T> {
    /// Writes an entry over the oldest, which is returned.
    pub(crate) fn write(&self, entry: Arc<T>) -> Option<Arc<T>> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let slot = self.slots.get(number % KEPT)?;
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = slot.replace((number, entry));
        oldest.map(|(_, entry)| entry)
    }

    /// Takes out the oldest entry.
    pub(crate) fn take_oldest(&self) -> Option<Arc<T>> {
        let number = |slot: &Mutex<Slot<T>>| {
            let slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
            slot.as_ref().map(|(number, _)| *number)
        };
        let oldest = self.slots.iter().filter_map(number).min()?;
        let slot = self.slots.get(oldest % KEPT)?;
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        // Another may have written over it meanwhile; what it wrote is not the oldest.
        let taken = slot.take_if(|(number, _)| *number == oldest)?;
        Some(taken.1)
    }

    /// The last entries, the newest first.
    pub(crate) fn read(&self) -> Vec<Arc<T>> {
        let slots = self.slots.iter();
        let mut entries: Vec<_> = slots
            .filter_map(|slot| slot.lock().unwrap_or_else(PoisonError::into_inner).clone())
            .collect();
        entries.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
        entries.into_iter().map(|(_, entry)| entry).collect()
    }
}

//! The last receipts, for `/decisions`.
//!
//! Invariant: writers do not wait for one another: each has a slot of its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::receipt::Receipt;

/// How many receipts are kept.
const KEPT: usize = 256;

/// A receipt and its number, once there is one.
type Slot = Option<(usize, Arc<Receipt>)>;

/// The last receipts.
#[derive(Debug)]
pub(crate) struct Journal {
    slots: Vec<Mutex<Slot>>,
    next: AtomicUsize,
}

impl Default for Journal {
    fn default() -> Self {
        Self {
            slots: (0..KEPT).map(|_| Mutex::default()).collect(),
            next: AtomicUsize::new(0),
        }
    }
}

impl Journal {
    /// Writes a receipt over the oldest.
    pub(crate) fn write(&self, receipt: Arc<Receipt>) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        if let Some(slot) = self.slots.get(number % KEPT) {
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some((number, receipt));
        }
    }

    /// The last receipts, the newest first.
    pub(crate) fn read(&self) -> Vec<Arc<Receipt>> {
        let slots = self.slots.iter();
        let mut entries: Vec<_> = slots
            .filter_map(|slot| slot.lock().unwrap_or_else(PoisonError::into_inner).clone())
            .collect();
        entries.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
        entries.into_iter().map(|(_, receipt)| receipt).collect()
    }
}

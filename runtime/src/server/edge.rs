//! What the ports of a server share: whether it is to stop, how many connections there are, the certificate.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::tls::Certificates;
use crate::metrics::Connections;

/// What the ports of a server share.
#[derive(Debug)]
pub(crate) struct Edge {
    is_stopping: AtomicBool,
    open: AtomicUsize,
    /// The most connections of callers.
    most: usize,
    pub(crate) certificates: Option<Arc<Certificates>>,
    pub(crate) metrics: Connections,
}

/// The place of a connection, until it is closed.
#[derive(Debug)]
pub(super) struct Seat(Arc<Edge>);

impl Edge {
    pub(super) const fn new(
        most: usize,
        certificates: Option<Arc<Certificates>>,
        metrics: Connections,
    ) -> Self {
        Self {
            is_stopping: AtomicBool::new(false),
            open: AtomicUsize::new(0),
            most,
            certificates,
            metrics,
        }
    }

    /// From now on it is not ready.
    pub(super) fn stop(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Relaxed)
    }

    /// A place for a new connection, where there is one.
    pub(super) fn seat(self: &Arc<Self>) -> Option<Seat> {
        let seat = |open: usize| (open < self.most).then_some(open + 1);
        let taken = self
            .open
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, seat);
        taken.ok()?;
        self.metrics.open.inc();
        Some(Seat(Arc::clone(self)))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
        self.0.metrics.open.dec();
    }
}

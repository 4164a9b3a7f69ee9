//! The log of limits and budgets.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use super::single;

/// From a fast disk's fifty microseconds to a second and a half.
const SHORTEST_SYNC: f64 = 0.000_05;

/// Metrics of the state directory.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    /// Bytes of the file that is written now.
    pub(crate) bytes: Gauge,
    /// Records that were written.
    pub(crate) records: Counter,
    /// Writes and syncs that failed.
    pub(crate) errors: Counter,
    /// 1 while calls are refused because nothing can be written.
    pub(crate) failing: Gauge,
    /// How long syncs take.
    pub(crate) sync_seconds: Histogram,
}

impl Disk {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let r = registry;
        let sync_seconds = Histogram::new(exponential_buckets(SHORTEST_SYNC, 2.0, 16));
        let help = "How long the state directory takes to sync";
        r.register("waypost_state_sync_seconds", help, sync_seconds.clone());
        let bytes = "Bytes of the state directory's file that is written now";
        let records = "Reservations, settlements and the like that were written down";
        let errors = "Writes to the state directory that failed, and syncs";
        let failing = "1 while calls are refused because the state directory cannot be written";
        Self {
            bytes: single(r, "waypost_state_bytes", bytes),
            records: single(r, "waypost_state_records", records),
            errors: single(r, "waypost_state_errors", errors),
            failing: single(r, "waypost_state_failing", failing),
            sync_seconds,
        }
    }
}

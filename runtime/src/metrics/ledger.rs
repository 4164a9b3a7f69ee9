//! Quotas and reservations.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::sharded::Sharded;
use super::{Share, Table, single};

/// Metrics of what is counted.
#[derive(Debug)]
pub(crate) struct Ledger {
    used: Table<u16, Share>,
    waited: Table<(u16, &'static str), Counter>,
    /// Calls that wait for room in a limit.
    pub(crate) waiting: Gauge,
    /// Reservations that are not settled.
    pub(crate) open: Gauge<i64, Sharded>,
    /// Reservations that were lost.
    pub(crate) abandoned: Gauge,
    /// Decisions made again because another call took the room.
    pub(crate) conflicts: Counter,
    /// Calls of new keys for which there was no place.
    pub(crate) crowded: Counter,
    /// Expressions that failed.
    pub(crate) evaluation_errors: Counter,
}

impl Ledger {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let r = registry;
        let used = "Share in use of each quota that is not kept per caller";
        let open = "Reservations that are not settled";
        let abandoned = "Reservations that were lost: they stay used";
        let waited =
            "Calls that found no room in a limit that they may wait for, by what became of them";
        let waiting = "Calls that wait for room in a limit";
        let conflicts = "Decisions made again because another call took the room";
        let crowded = "Calls refused because limits count more keys than there is memory for";
        let errors = "Expressions that failed; their rules acted as matched";
        Self {
            used: Table::register(r, "waypost_quota_used_ratio", used, Share::default),
            waited: Table::register(r, "waypost_quota_waited", waited, Counter::default),
            waiting: single(r, "waypost_quota_waiting", waiting),
            open: single(r, "waypost_reservations_open", open),
            abandoned: single(r, "waypost_reservations_abandoned", abandoned),
            conflicts: single(r, "waypost_reservation_conflicts", conflicts),
            crowded: single(r, "waypost_quota_keys_refused", crowded),
            evaluation_errors: single(r, "waypost_evaluation_errors", errors),
        }
    }

    pub(super) fn renewed(&self) -> Self {
        Self {
            used: self.used.emptied(),
            waited: self.waited.renewed(),
            waiting: self.waiting.clone(),
            open: self.open.clone(),
            abandoned: self.abandoned.clone(),
            conflicts: self.conflicts.clone(),
            crowded: self.crowded.clone(),
            evaluation_errors: self.evaluation_errors.clone(),
        }
    }

    /// A call found no room in a limit, and waited or was to.
    pub(crate) fn waited(&self, quota: u16, label: &str, outcome: &'static str) {
        let labels = || vec![("quota", label.to_owned()), ("outcome", outcome.to_owned())];
        self.waited
            .with((quota, outcome), labels, |count| count.inc());
    }

    /// How much of a quota is used.
    pub(crate) fn used(&self, quota: u16, label: &str, share: f64) {
        self.used
            .get(quota, || vec![("quota", label.to_owned())])
            .set(share);
    }
}

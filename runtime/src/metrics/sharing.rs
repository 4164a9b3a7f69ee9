//! What is shared over Redis.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use super::{Labels, single};

/// From a Redis next door's fifty microseconds to more than it may take.
const SHORTEST: f64 = 0.000_05;

/// Metrics of Redis.
#[derive(Debug, Clone)]
pub(crate) struct Sharing {
    /// 1 while Redis can be asked.
    pub(crate) reachable: Gauge,
    /// Calls that waited for an answer.
    pub(crate) waits: Counter,
    /// How long answers take.
    pub(crate) seconds: Histogram,
    asks: Family<Labels, Counter>,
}

impl Sharing {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let r = registry;
        let seconds = Histogram::new(exponential_buckets(SHORTEST, 2.0, 15));
        let help = "How long Redis takes to answer";
        r.register("waypost_redis_seconds", help, seconds.clone());
        let asks = Family::<Labels, Counter>::default();
        let help = "Buckets that Redis was asked for, by what became of it";
        r.register("waypost_redis_asks", help, asks.clone());
        let reachable =
            "1 while limits and budgets are shared over Redis; 0 where it is away, or not used";
        let waits = "Calls that waited for Redis; all others were decided without it";
        Self {
            reachable: single(r, "waypost_redis_reachable", reachable),
            waits: single(r, "waypost_redis_waits", waits),
            seconds,
            asks,
        }
    }

    /// A bucket was asked for.
    pub(crate) fn asked(&self, outcome: &'static str) {
        let labels = vec![("outcome", outcome.to_owned())];
        self.asks.get_or_create(&labels).inc();
    }
}

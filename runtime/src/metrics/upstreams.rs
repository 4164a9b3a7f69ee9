//! Attempts at upstreams, and the replicas of pools.

use std::sync::Arc;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use waypost_policies::plan::draft::ModelIndex;

use super::{Labels, Share, Table};
use crate::pool::{Pool, ReplicaStatus};

/// A replica: its pool and its address.
type ReplicaKey = (usize, Arc<str>);

/// Metrics of upstreams.
#[derive(Debug)]
pub(crate) struct Upstreams {
    errors: Table<(ModelIndex, &'static str), Counter>,
    retries: Table<ModelIndex, Counter>,
    not_retried: Table<ModelIndex, Counter>,
    fallbacks: Table<ModelIndex, Counter>,
    hedges: Table<(ModelIndex, &'static str), Counter>,
    ejections: Table<ModelIndex, Counter>,
    left_alone: Table<ModelIndex, Counter>,
    dropped: Table<(ModelIndex, String), Counter>,
    replicas: Table<usize, Gauge>,
    waiting: Table<usize, Gauge>,
    waited: Table<(u16, &'static str), Counter>,
    in_flight: Table<ReplicaKey, Gauge>,
    queue: Table<ReplicaKey, Gauge>,
    kv_cache: Table<ReplicaKey, Share>,
}

impl Upstreams {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let r = registry;
        let errors = "Attempts that failed, by model and cause";
        let retries = "Attempts at the same model after the first";
        let not_retried = "Attempts that were not made: the upstream's retry budget was used up";
        let fallbacks = "Calls that a model lost to the next one";
        let hedges =
            "Calls of a slow model for which the next was asked beside it, by what became of that";
        let ejections =
            "Times that a replica, or the model at its provider, was ejected for its failures";
        let left_alone =
            "Attempts that were not made: the upstream had failed lately, or asked for a pause";
        let dropped = "Parameters dropped because the model rejects them";
        let waiting = "Calls that wait for a replica of each pool";
        let waited = "Calls that found every replica of a pool saturated, by what became of them";
        let in_flight = "Calls of this process at each replica";
        let queue = "Requests waiting at each replica, as it said last";
        let kv_cache = "Share of each replica's KV cache in use, as it said last";
        Self {
            errors: Table::register(r, "waypost_upstream_errors", errors, Counter::default),
            retries: Table::register(r, "waypost_retries", retries, Counter::default),
            not_retried: Table::register(
                r,
                "waypost_retries_over_budget",
                not_retried,
                Counter::default,
            ),
            fallbacks: Table::register(r, "waypost_fallbacks", fallbacks, Counter::default),
            hedges: Table::register(r, "waypost_hedges", hedges, Counter::default),
            ejections: Table::register(r, "waypost_ejections", ejections, Counter::default),
            left_alone: Table::register(
                r,
                "waypost_upstream_left_alone",
                left_alone,
                Counter::default,
            ),
            dropped: Table::register(r, "waypost_dropped_parameters", dropped, Counter::default),
            replicas: Table::register(
                r,
                "waypost_pool_replicas",
                "Replicas of each pool",
                Gauge::default,
            ),
            waiting: Table::register(r, "waypost_pool_waiting", waiting, Gauge::default),
            waited: Table::register(r, "waypost_pool_waited", waited, Counter::default),
            in_flight: Table::register(r, "waypost_replica_in_flight", in_flight, Gauge::default),
            queue: Table::register(r, "waypost_replica_queue", queue, Gauge::default),
            kv_cache: Table::register(
                r,
                "waypost_replica_kv_cache_ratio",
                kv_cache,
                Share::default,
            ),
        }
    }

    pub(super) fn renewed(&self) -> Self {
        Self {
            errors: self.errors.renewed(),
            retries: self.retries.renewed(),
            not_retried: self.not_retried.renewed(),
            fallbacks: self.fallbacks.renewed(),
            hedges: self.hedges.renewed(),
            ejections: self.ejections.renewed(),
            left_alone: self.left_alone.renewed(),
            dropped: self.dropped.renewed(),
            replicas: self.replicas.emptied(),
            waiting: self.waiting.emptied(),
            waited: self.waited.renewed(),
            in_flight: self.in_flight.emptied(),
            queue: self.queue.emptied(),
            kv_cache: self.kv_cache.emptied(),
        }
    }

    pub(crate) fn failed(&self, model: ModelIndex, name: &str, cause: &'static str) {
        let labels = || vec![("model", name.to_owned()), ("cause", cause.to_owned())];
        self.errors.get((model, cause), labels).inc();
    }

    pub(crate) fn retried(&self, model: ModelIndex, name: &str) {
        self.retries
            .get(model, || vec![("model", name.to_owned())])
            .inc();
    }

    pub(crate) fn not_retried(&self, model: ModelIndex, name: &str) {
        self.not_retried
            .get(model, || vec![("model", name.to_owned())])
            .inc();
    }

    pub(crate) fn fell_back(&self, model: ModelIndex, name: &str) {
        self.fallbacks
            .get(model, || vec![("model", name.to_owned())])
            .inc();
    }

    pub(crate) fn hedged(&self, slow: ModelIndex, name: &str, outcome: &'static str) {
        let labels = || vec![("model", name.to_owned()), ("outcome", outcome.to_owned())];
        self.hedges.get((slow, outcome), labels).inc();
    }

    pub(crate) fn ejected(&self, model: ModelIndex, name: &str) {
        self.ejections
            .get(model, || vec![("model", name.to_owned())])
            .inc();
    }

    pub(crate) fn left_alone(&self, model: ModelIndex, name: &str) {
        self.left_alone
            .get(model, || vec![("model", name.to_owned())])
            .inc();
    }

    pub(crate) fn waited(&self, pool: u16, name: &str, outcome: &'static str) {
        let labels = || vec![("pool", name.to_owned()), ("outcome", outcome.to_owned())];
        self.waited.get((pool, outcome), labels).inc();
    }

    pub(crate) fn dropped(&self, model: ModelIndex, name: &str, parameter: &str) {
        let labels = || {
            vec![
                ("model", name.to_owned()),
                ("parameter", parameter.to_owned()),
            ]
        };
        self.dropped
            .get((model, parameter.to_owned()), labels)
            .inc();
    }

    /// How a pool is now.
    pub(crate) fn observe(&self, index: usize, pool: &Pool) {
        let replicas = pool.status();
        let count = self
            .replicas
            .get(index, || vec![("pool", pool.name.clone())]);
        count.set(i64::try_from(replicas.len()).unwrap_or(i64::MAX));
        let waiting = self
            .waiting
            .get(index, || vec![("pool", pool.name.clone())]);
        waiting.set(i64::try_from(pool.waiting()).unwrap_or(i64::MAX));
        self.forget_others(index, &pool.name, &replicas);
        for replica in replicas {
            self.observe_replica((index, Arc::clone(&replica.base)), &pool.name, &replica);
        }
    }

    /// Replicas come and go: what is told of those that went would stay, and grow, for ever.
    fn forget_others(&self, index: usize, pool: &str, replicas: &[ReplicaStatus]) {
        let gone = |(of, base): &ReplicaKey| {
            *of == index && replicas.iter().all(|replica| replica.base != *base)
        };
        let labels = |(_, base): &ReplicaKey| replica_labels(pool, base);
        self.in_flight.forget(gone, labels);
        self.queue.forget(gone, labels);
        self.kv_cache.forget(gone, labels);
    }

    fn observe_replica(&self, key: ReplicaKey, pool: &str, replica: &ReplicaStatus) {
        let labels = || replica_labels(pool, &replica.base);
        let in_flight = self.in_flight.get(key.clone(), labels);
        in_flight.set(replica.known.in_flight.into());
        let Some(scraped) = replica.known.scraped else {
            return;
        };
        if let Some(queue) = scraped.snapshot.queue {
            self.queue.get(key.clone(), labels).set(queue.into());
        }
        if let Some(kv_cache) = scraped.snapshot.kv_cache {
            self.kv_cache.get(key, labels).set(kv_cache);
        }
    }
}

fn replica_labels(pool: &str, base: &str) -> Labels {
    vec![("pool", pool.to_owned()), ("replica", base.to_owned())]
}

//! What Prometheus reads. Handles are found without a lock once they have been used.

mod callers;
mod calls;
mod connections;
mod disk;
mod ledger;
mod plans;
mod sharded;
mod sharing;
mod upstreams;
mod warnings;

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arc_swap::ArcSwap;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Metric, Registry};
use waypost_policies::Decision;

use crate::receipt::Receipt;

pub(crate) use callers::Callers;
pub(crate) use calls::{Calls, RouteKey};
pub(crate) use connections::Connections;
pub(crate) use disk::Disk;
pub(crate) use ledger::Ledger;
pub(crate) use plans::Plans;
pub(crate) use sharing::Sharing;
pub(crate) use upstreams::Upstreams;
pub(crate) use warnings::Warnings;

type Labels = Vec<(&'static str, String)>;
/// A gauge of a share or of another number that is not whole.
type Share = Gauge<f64, AtomicU64>;

/// Metrics of one name, by key.
#[derive(Debug)]
pub(crate) struct Table<K, M> {
    family: Family<Labels, M, fn() -> M>,
    known: ArcSwap<HashMap<K, M, BuildHasherDefault<Quick>>>,
}

/// Hashes keys that nobody outside can choose: indices of the plan, and words of ours.
#[derive(Debug, Default)]
struct Quick(u64);

impl Hasher for Quick {
    fn write(&mut self, bytes: &[u8]) {
        /// Odd, and of no pattern.
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        for part in bytes.chunks(8) {
            let word = part
                .iter()
                .fold(0, |word, byte| word << 8 | u64::from(*byte));
            self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(SPREAD);
        }
    }

    fn finish(&self) -> u64 {
        // The low bits choose the place, and depend on the fewest of the key's.
        self.0.rotate_left(32)
    }
}

impl<K, M> Table<K, M>
where
    K: Hash + Eq + Clone,
    M: Clone + std::fmt::Debug,
    Family<Labels, M, fn() -> M>: Metric + Clone,
{
    fn register(registry: &mut Registry, name: &str, help: &str, make: fn() -> M) -> Self {
        let family = Family::new_with_constructor(make);
        registry.register(name, help, family.clone());
        Self {
            family,
            known: ArcSwap::default(),
        }
    }

    /// The same metrics, for keys that mean something else: those of another plan.
    fn renewed(&self) -> Self {
        Self {
            family: self.family.clone(),
            known: ArcSwap::default(),
        }
    }

    /// As [`Table::renewed`], and shows nothing of what was: for what is looked up anew each time.
    fn emptied(&self) -> Self {
        self.family.clear();
        self.renewed()
    }

    /// Uses the metric of a key; its labels are made only the first time.
    pub(crate) fn with<T>(
        &self,
        key: K,
        labels: impl FnOnce() -> Labels,
        count: impl FnOnce(&M) -> T,
    ) -> T {
        if let Some(metric) = self.known.load().get(&key) {
            return count(metric);
        }
        let metric = self.family.get_or_create_owned(&labels());
        self.known.rcu(|known| {
            let mut known = HashMap::clone(known);
            known.insert(key.clone(), metric.clone());
            known
        });
        count(&metric)
    }

    /// The metric of a key.
    pub(crate) fn get(&self, key: K, labels: impl FnOnce() -> Labels) -> M {
        self.with(key, labels, M::clone)
    }

    /// Shows no more the metrics of keys that are `gone`, whose labels were these.
    pub(crate) fn forget(&self, gone: impl Fn(&K) -> bool, labels: impl Fn(&K) -> Labels) {
        let known = self.known.load();
        let lost: Vec<&K> = known.keys().filter(|key| gone(key)).collect();
        if lost.is_empty() {
            return;
        }
        self.known.rcu(|known| {
            let mut known = HashMap::clone(known);
            known.retain(|key, _| !lost.contains(&key));
            known
        });
        for key in lost {
            self.family.remove(&labels(key));
        }
    }
}

/// All metrics of a server.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Arc<Registry>,
    pub(crate) calls: Calls,
    pub(crate) callers: Arc<Callers>,
    pub(crate) upstreams: Upstreams,
    pub(crate) ledger: Ledger,
    pub(crate) disk: Disk,
    pub(crate) sharing: Sharing,
    pub(crate) connections: Connections,
    pub(crate) plans: Plans,
    pub(crate) warnings: Warnings,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::default();
        Self {
            calls: Calls::register(&mut registry),
            callers: Arc::new(Callers::register(&mut registry)),
            upstreams: Upstreams::register(&mut registry),
            ledger: Ledger::register(&mut registry),
            disk: Disk::register(&mut registry),
            sharing: Sharing::register(&mut registry),
            connections: Connections::register(&mut registry),
            plans: Plans::register(&mut registry),
            warnings: Warnings::register(&mut registry),
            registry: Arc::new(registry),
        }
    }
}

impl Metrics {
    /// A decided call is over.
    pub(crate) fn finished(&self, key: RouteKey, decision: &Decision, receipt: &Receipt) {
        self.calls.finished(key, decision, receipt);
        self.callers.finished(receipt);
    }

    /// The same metrics for the calls of another plan, whose indices mean something else.
    pub(crate) fn renewed(&self) -> Self {
        Self {
            registry: Arc::clone(&self.registry),
            calls: self.calls.renewed(),
            callers: Arc::clone(&self.callers),
            upstreams: self.upstreams.renewed(),
            ledger: self.ledger.renewed(),
            disk: self.disk.clone(),
            sharing: self.sharing.clone(),
            connections: self.connections.clone(),
            plans: self.plans.clone(),
            warnings: self.warnings.clone(),
        }
    }

    /// As Prometheus reads it.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

fn single<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    let metric = M::default();
    registry.register(name, help, metric.clone());
    metric
}

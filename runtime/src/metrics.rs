//! What Prometheus reads. Handles are found without a lock once they have been used.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arc_swap::ArcSwap;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};
use waypost_policies::decision::RuleReference;
use waypost_policies::plan::draft::{ModelIndex, TierIndex};

type Labels = Vec<(&'static str, String)>;
/// A gauge of a share or of another number that is not whole.
type Share = Gauge<f64, AtomicU64>;
/// A counter of dollars.
type Dollars = Counter<f64, AtomicU64>;

/// Seconds of whole calls: a quick answer up to a long reasoning one.
const DURATION: [f64; 14] = [
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];
/// Seconds to the first token, by the semantic conventions of OpenTelemetry.
const FIRST_TOKEN: [f64; 16] = [
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];
/// Tokens of a call, by the same.
const TOKENS: [f64; 14] = [
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1024.0,
    4096.0,
    16384.0,
    65536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];

/// Metrics of one name, by key.
#[derive(Debug)]
pub(crate) struct Table<K, M> {
    family: Family<Labels, M, fn() -> M>,
    known: ArcSwap<HashMap<K, M>>,
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

    /// The metric of a key; its labels are made only the first time.
    pub(crate) fn get(&self, key: K, labels: impl FnOnce() -> Labels) -> M {
        if let Some(metric) = self.known.load().get(&key) {
            return metric.clone();
        }
        let metric = self.family.get_or_create_owned(&labels());
        self.known.rcu(|known| {
            let mut known = HashMap::clone(known);
            known.insert(key.clone(), metric.clone());
            known
        });
        metric
    }
}

/// Tier, model, rule and outcome of a decision.
pub(crate) type DecisionKey = (
    Option<TierIndex>,
    Option<ModelIndex>,
    Option<RuleReference>,
    &'static str,
);
/// Tier and model of a call.
pub(crate) type RouteKey = (Option<TierIndex>, Option<ModelIndex>);

/// All metrics of a server.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) decisions: Table<DecisionKey, Counter>,
    pub(crate) responses: Table<(&'static str, u16), Counter>,
    pub(crate) duration: Table<RouteKey, Histogram>,
    pub(crate) first_token: Table<RouteKey, Histogram>,
    pub(crate) token_usage: Table<(ModelIndex, &'static str), Histogram>,
    pub(crate) tokens: Table<(ModelIndex, &'static str), Counter>,
    pub(crate) cost: Table<RouteKey, Dollars>,
    pub(crate) upstream_errors: Table<(ModelIndex, &'static str), Counter>,
    pub(crate) retries: Table<ModelIndex, Counter>,
    pub(crate) fallbacks: Table<ModelIndex, Counter>,
    pub(crate) dropped: Table<(ModelIndex, String), Counter>,
    pub(crate) quota_used: Table<u16, Share>,
    pub(crate) replicas: Table<usize, Gauge>,
    pub(crate) replica_in_flight: Table<(usize, Arc<str>), Gauge>,
    pub(crate) in_flight: Gauge,
    pub(crate) reservations: Gauge,
    pub(crate) conflicts: Counter,
    pub(crate) evaluation_errors: Counter,
    pub(crate) abandoned: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::default();
        let r = &mut registry;
        Self {
            decisions: Table::register(
                r,
                "waypost_decisions",
                "Decisions by tier, model, rule and outcome",
                Counter::default,
            ),
            responses: Table::register(
                r,
                "waypost_responses",
                "Answers by surface and status",
                Counter::default,
            ),
            duration: Table::register(
                r,
                "gen_ai_server_request_duration_seconds",
                "From a call's first byte to its answer's last",
                || Histogram::new(DURATION),
            ),
            first_token: Table::register(
                r,
                "gen_ai_server_time_to_first_token_seconds",
                "From a call's first byte to its answer's first",
                || Histogram::new(FIRST_TOKEN),
            ),
            token_usage: Table::register(
                r,
                "gen_ai_client_token_usage",
                "Tokens of a call",
                || Histogram::new(TOKENS),
            ),
            tokens: Table::register(
                r,
                "waypost_tokens",
                "Tokens by model and type",
                Counter::default,
            ),
            cost: Table::register(
                r,
                "waypost_cost_dollars",
                "What calls cost",
                Dollars::default,
            ),
            upstream_errors: Table::register(
                r,
                "waypost_upstream_errors",
                "Attempts that failed, by model and cause",
                Counter::default,
            ),
            retries: Table::register(
                r,
                "waypost_retries",
                "Attempts at the same model after the first",
                Counter::default,
            ),
            fallbacks: Table::register(
                r,
                "waypost_fallbacks",
                "Calls that a model lost to the next one",
                Counter::default,
            ),
            dropped: Table::register(
                r,
                "waypost_dropped_parameters",
                "Parameters dropped because the model rejects them",
                Counter::default,
            ),
            quota_used: Table::register(
                r,
                "waypost_quota_used_ratio",
                "Share in use of each quota that is not kept per caller",
                Share::default,
            ),
            replicas: Table::register(
                r,
                "waypost_pool_replicas",
                "Replicas of each pool",
                Gauge::default,
            ),
            replica_in_flight: Table::register(
                r,
                "waypost_replica_in_flight",
                "Calls of this process at each replica",
                Gauge::default,
            ),
            in_flight: single(
                r,
                "waypost_in_flight",
                "Calls being answered",
                Gauge::default(),
            ),
            reservations: single(
                r,
                "waypost_reservations_open",
                "Reservations that are not settled",
                Gauge::default(),
            ),
            conflicts: single(
                r,
                "waypost_reservation_conflicts",
                "Decisions made again because another call took the room",
                Counter::default(),
            ),
            evaluation_errors: single(
                r,
                "waypost_evaluation_errors",
                "Expressions that failed; their rules acted as matched",
                Counter::default(),
            ),
            abandoned: single(
                r,
                "waypost_reservations_abandoned",
                "Reservations that were lost: they stay used",
                Gauge::default(),
            ),
            registry,
        }
    }
}

fn single<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}

impl Metrics {
    /// As Prometheus reads it.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

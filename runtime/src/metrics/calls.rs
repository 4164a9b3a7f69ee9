//! Calls: decisions, time, tokens, money.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use waypost_policies::decision::{Decision, RuleReference};
use waypost_policies::plan::draft::{ModelIndex, TierIndex};

use super::sharded::{Histogram, Sharded};
use super::{Table, single};
use crate::receipt::Receipt;

/// A counter of dollars.
type Dollars = Counter<f64, Sharded>;
type Count = Counter<u64, Sharded>;

/// Seconds of whole calls: a quick answer up to a long reasoning one.
static DURATION: [f64; 14] = [
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];
/// Seconds to the first token, by the semantic conventions of OpenTelemetry.
static FIRST_TOKEN: [f64; 16] = [
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];
/// Tokens of a call, by the same.
static TOKENS: [f64; 14] = [
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

/// Tier and model of a call.
pub(crate) type RouteKey = (Option<TierIndex>, Option<ModelIndex>);
/// Tier, model, rule and outcome of a decision.
type DecisionKey = (RouteKey, RuleReference, &'static str);

/// Metrics of calls.
#[derive(Debug)]
pub(crate) struct Calls {
    decisions: Table<DecisionKey, Count>,
    responses: Table<(&'static str, u16), Count>,
    duration: Table<RouteKey, Histogram>,
    first_token: Table<RouteKey, Histogram>,
    token_usage: Table<(ModelIndex, &'static str), Histogram>,
    tokens: Table<(ModelIndex, &'static str), Count>,
    cost: Table<RouteKey, Dollars>,
    /// Calls that are decided and not over.
    pub(crate) in_flight: Gauge<i64, Sharded>,
}

impl Calls {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let r = registry;
        let decisions = "Decisions by tier, model, rule and outcome";
        let duration = "From a call's first byte to its answer's last";
        let first_token = "From a call's first byte to its answer's first";
        Self {
            decisions: Table::register(r, "waypost_decisions", decisions, Count::default),
            responses: Table::register(
                r,
                "waypost_responses",
                "Answers by surface and status",
                Count::default,
            ),
            duration: Table::register(
                r,
                "gen_ai_server_request_duration_seconds",
                duration,
                || Histogram::new(&DURATION),
            ),
            first_token: Table::register(
                r,
                "gen_ai_server_time_to_first_token_seconds",
                first_token,
                || Histogram::new(&FIRST_TOKEN),
            ),
            token_usage: Table::register(
                r,
                "gen_ai_client_token_usage",
                "Tokens of a call",
                || Histogram::new(&TOKENS),
            ),
            tokens: Table::register(
                r,
                "waypost_tokens",
                "Tokens by model and type",
                Count::default,
            ),
            cost: Table::register(
                r,
                "waypost_cost_dollars",
                "What calls cost",
                Dollars::default,
            ),
            in_flight: single(
                r,
                "waypost_in_flight",
                "Calls that are decided and not over",
            ),
        }
    }

    pub(super) fn renewed(&self) -> Self {
        Self {
            decisions: self.decisions.renewed(),
            responses: self.responses.renewed(),
            duration: self.duration.renewed(),
            first_token: self.first_token.renewed(),
            token_usage: self.token_usage.renewed(),
            tokens: self.tokens.renewed(),
            cost: self.cost.renewed(),
            in_flight: self.in_flight.clone(),
        }
    }

    /// An answer has gone out, or has begun to.
    pub(crate) fn answered(&self, surface: &'static str, status: u16) {
        let labels = || {
            vec![
                ("surface", surface.to_owned()),
                ("status", status.to_string()),
            ]
        };
        self.responses
            .with((surface, status), labels, |count| count.inc());
    }

    /// A decided call is over.
    pub(super) fn finished(&self, key: RouteKey, decision: &Decision, receipt: &Receipt) {
        let outcome = receipt.ending.word();
        let rule = decision.outcome.refused_by().unwrap_or(decision.rule);
        let labels = || {
            let mut labels = route_labels("tier", "model", receipt);
            labels.extend([
                ("rule", receipt.rule.label.clone()),
                ("outcome", outcome.to_owned()),
            ]);
            labels
        };
        self.decisions
            .with((key, rule, outcome), labels, |count| count.inc());
        // Also of calls that no model answered: what they tried may have cost something.
        if key.1.is_some() || receipt.cost.0 > 0 {
            let labels = || route_labels("tier", "model", receipt);
            self.cost
                .with(key, labels, |cost| cost.inc_by(receipt.cost.dollars()));
        }
        let Some(model) = key.1 else {
            return;
        };
        let gen_ai = || route_labels("waypost_tier", "gen_ai_request_model", receipt);
        let seconds = receipt.duration.as_secs_f64();
        self.duration
            .with(key, gen_ai, |duration| duration.observe(seconds));
        if let Some(first_byte) = receipt.first_byte {
            let seconds = first_byte.as_secs_f64();
            self.first_token
                .with(key, gen_ai, |first_token| first_token.observe(seconds));
        }
        self.used(model, receipt);
    }

    fn used(&self, model: ModelIndex, receipt: &Receipt) {
        let usage = receipt.usage;
        let written = usage.cache_write.saturating_add(usage.cache_write_hour);
        let labels = |model: &'static str, kind: &'static str, value: &str| {
            vec![(model, receipt.model.to_string()), (kind, value.to_owned())]
        };
        let whole = [("input", usage.input), ("output", usage.output)];
        let parts = [
            ("cached", usage.cached),
            ("cache_write", written),
            ("audio_input", usage.audio_input),
            ("image_input", usage.image_input),
            ("reasoning", usage.reasoning),
            ("audio_output", usage.audio_output),
        ];
        // Rare parts that no call of a model has used have no line.
        let parts = parts.into_iter();
        let parts = parts.filter(|(kind, tokens)| *kind == "cached" || *tokens > 0);
        for (kind, tokens) in whole.into_iter().chain(parts) {
            let named = || labels("model", "type", kind);
            self.tokens
                .with((model, kind), named, |count| count.inc_by(tokens));
        }
        // The conventions know no parts.
        for (kind, tokens) in whole {
            let named = || labels("gen_ai_request_model", "gen_ai_token_type", kind);
            self.token_usage
                .with((model, kind), named, |usage| usage.observe(tokens as f64));
        }
    }
}

fn route_labels(
    tier: &'static str,
    model: &'static str,
    receipt: &Receipt,
) -> Vec<(&'static str, String)> {
    vec![
        (tier, receipt.tier.to_string()),
        (model, receipt.model.to_string()),
    ]
}

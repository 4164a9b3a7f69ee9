//! Who calls, and what with.
//!
//! Invariant: however many teams and agents call, at most [`MOST`] are told apart; those that come later are `other`.

use std::collections::HashMap;

use arc_swap::ArcSwap;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::sharded::Sharded;
use super::{Table, single};
use crate::receipt::Receipt;

/// How many pairs of team and agent are told apart.
const MOST: usize = 200;
/// What all others are called.
const OTHER: &str = "other";

/// A number for each pair of team and agent; 0 for all others.
type Numbers = HashMap<String, HashMap<String, usize>>;

/// Metrics of callers.
#[derive(Debug)]
pub(crate) struct Callers {
    numbers: ArcSwap<Numbers>,
    calls: Table<(usize, &'static str), Counter<u64, Sharded>>,
    tokens: Table<(usize, &'static str), Counter<u64, Sharded>>,
    cost: Table<usize, Counter<f64, Sharded>>,
    rereads: Table<bool, Counter>,
    /// Keys that are known.
    pub(crate) keys: Gauge,
    /// Whether the keys in force are those that stand in the file.
    pub(crate) current: Gauge,
}

impl Callers {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let r = registry;
        let calls = "Calls by team, agent and outcome";
        let tokens = "Tokens by team, agent and type";
        let cost = "What calls cost, by team and agent";
        let rereads = "How often the caller keys changed, and whether they could be used";
        let current =
            "1 when the caller keys in force are those of the file, 0 when it cannot be used";
        Self {
            numbers: ArcSwap::default(),
            calls: Table::register(r, "waypost_caller_calls", calls, Counter::default),
            tokens: Table::register(r, "waypost_caller_tokens", tokens, Counter::default),
            cost: Table::register(r, "waypost_caller_cost_dollars", cost, Counter::default),
            rereads: Table::register(r, "waypost_caller_key_reloads", rereads, Counter::default),
            keys: single(r, "waypost_caller_keys", "Caller keys that are known"),
            current: single(r, "waypost_caller_keys_current", current),
        }
    }

    /// The key file changed.
    pub(crate) fn reread(&self, taken: bool) {
        let result = if taken { "taken" } else { "refused" };
        self.rereads
            .get(taken, || vec![("result", result.to_owned())])
            .inc();
    }

    /// A decided call is over.
    pub(super) fn finished(&self, receipt: &Receipt) {
        let number = self.number(&receipt.team, &receipt.agent);
        let who = || match number {
            0 => vec![("team", OTHER.to_owned()), ("agent", OTHER.to_owned())],
            _ => vec![
                ("team", receipt.team.to_string()),
                ("agent", receipt.agent.to_string()),
            ],
        };
        let with = |label: &'static str, value: &str| {
            let mut labels = who();
            labels.push((label, value.to_owned()));
            labels
        };
        let outcome = receipt.ending.word();
        let labels = || with("outcome", outcome);
        self.calls
            .with((number, outcome), labels, |count| count.inc());
        let kinds = [
            ("input", receipt.usage.input),
            ("output", receipt.usage.output),
        ];
        for (kind, tokens) in kinds {
            let labels = || with("type", kind);
            self.tokens
                .with((number, kind), labels, |count| count.inc_by(tokens));
        }
        self.cost
            .with(number, who, |cost| cost.inc_by(receipt.cost.dollars()));
    }

    fn number(&self, team: &str, agent: &str) -> usize {
        let find = |numbers: &Numbers| Some(*numbers.get(team)?.get(agent)?);
        let numbers = self.numbers.load();
        if let Some(number) = find(&numbers) {
            return number;
        }
        if numbers.values().map(HashMap::len).sum::<usize>() >= MOST {
            return 0;
        }
        self.numbers.rcu(|numbers| {
            let mut numbers = Numbers::clone(numbers);
            let next: usize = numbers.values().map(HashMap::len).sum();
            if next < MOST {
                let agents = numbers.entry(team.to_owned()).or_default();
                agents.entry(agent.to_owned()).or_insert(next + 1);
            }
            numbers
        });
        find(&self.numbers.load()).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_agents_is_counted_as_others() {
        let mut registry = Registry::default();
        let callers = Callers::register(&mut registry);
        for agent in 0..3 * MOST {
            callers.finished(&Receipt {
                team: "payments".into(),
                agent: format!("agent-{agent}").into(),
                ..Receipt::default()
            });
        }
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap_or_default();
        let calls = |line: &&str| line.starts_with("waypost_caller_calls_total");
        assert_eq!(text.lines().filter(calls).count(), MOST + 1);
        let others = format!(
            "waypost_caller_calls_total{{team=\"other\",agent=\"other\",outcome=\"hung-up\"}} {}",
            2 * MOST
        );
        assert!(text.contains(&others), "{text}");
        assert_eq!(callers.number("payments", "agent-0"), 1);
    }
}

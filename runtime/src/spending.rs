//! What calls have cost since the start, to the nano-dollar: by caller, tier and model.
//!
//! Invariants: every decided call counts once; rows are bounded, and what comes beyond them is counted as `other`; a
//! call locks one shard, which calls of other callers seldom need.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use waypost_policies::NanoDollars;

use crate::clock;
use crate::receipt::Receipt;

const SHARDS: usize = 16;
/// Rows of a shard.
const MOST: usize = 1 << 10;
/// What all callers beyond them are called.
const OTHER: &str = "other";

/// What calls have cost since the start.
#[derive(Debug)]
pub(crate) struct Spending {
    /// In milliseconds since 1970.
    since: i64,
    hash: RandomState,
    shards: [Mutex<HashMap<u64, (Row, Totals)>>; SHARDS],
}

/// Whose calls, and what answered them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Row {
    team: Arc<str>,
    agent: Arc<str>,
    tier: Arc<str>,
    model: Arc<str>,
}

/// By one name, or by two.
type Sums = BTreeMap<(Arc<str>, Arc<str>), Totals>;

/// Sums.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Totals {
    calls: u64,
    input: u64,
    cached: u64,
    cache_write: u64,
    output: u64,
    reasoning: u64,
    cost: NanoDollars,
    /// What the same would have cost in the dearest tier.
    strongest: NanoDollars,
}

impl Default for Spending {
    fn default() -> Self {
        Self {
            since: clock::now() / 1_000_000,
            hash: RandomState::new(),
            shards: std::array::from_fn(|_| Mutex::default()),
        }
    }
}

impl Spending {
    /// A decided call is over.
    pub(crate) fn add(&self, receipt: &Receipt) {
        let Receipt {
            team,
            agent,
            tier,
            model,
            ..
        } = receipt;
        let hash = self.hash.hash_one((team, agent, tier, model));
        let Some(shard) = self.shards.get(hash as usize % SHARDS) else {
            return;
        };
        let mut rows = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((row, totals)) = rows.get_mut(&hash)
            && row.is_of(receipt)
        {
            totals.add(receipt);
            return;
        }
        // The caller is what there is no end of; tiers and models are the plan's.
        let is_other = rows.len() >= MOST || rows.contains_key(&hash);
        let who = |name: &Arc<str>| {
            if is_other {
                Arc::from(OTHER)
            } else {
                Arc::clone(name)
            }
        };
        let row = Row {
            team: who(team),
            agent: who(agent),
            tier: Arc::clone(tier),
            model: Arc::clone(model),
        };
        let place = match is_other {
            true => self.hash.hash_one((&row.team, &row.agent, tier, model)),
            false => hash,
        };
        let (_, totals) = rows.entry(place).or_insert((row, Totals::default()));
        totals.add(receipt);
    }

    /// The sums, each way.
    pub(crate) fn to_json(&self) -> Value {
        let mut total = Totals::default();
        let mut by: [Sums; 4] = Default::default();
        for shard in &self.shards {
            let rows = shard.lock().unwrap_or_else(PoisonError::into_inner);
            for (row, totals) in rows.values() {
                total.merge(totals);
                let keys = [
                    (row.tier.clone(), Arc::default()),
                    (row.model.clone(), Arc::default()),
                    (row.team.clone(), Arc::default()),
                    (row.team.clone(), row.agent.clone()),
                ];
                for (sums, key) in by.iter_mut().zip(keys) {
                    sums.entry(key).or_default().merge(totals);
                }
            }
        }
        let [tiers, models, teams, agents] = by;
        let table = |name: &str, sums: Sums| {
            let rows = sums.into_iter();
            rows.map(|((key, _), totals)| totals.to_json(json!({ name: &*key })))
                .collect::<Value>()
        };
        let agents: Value = agents
            .into_iter()
            .map(|((team, agent), totals)| {
                totals.to_json(json!({"team": &*team, "agent": &*agent}))
            })
            .collect();
        json!({
            "version": 1,
            "since": self.since,
            "until": clock::now() / 1_000_000,
            "total": total.to_json(json!({})),
            "tiers": table("tier", tiers),
            "models": table("model", models),
            "teams": table("team", teams),
            "agents": agents,
        })
    }
}

impl Row {
    fn is_of(&self, receipt: &Receipt) -> bool {
        (&self.team, &self.agent, &self.tier, &self.model)
            == (&receipt.team, &receipt.agent, &receipt.tier, &receipt.model)
    }
}

impl Totals {
    fn add(&mut self, receipt: &Receipt) {
        self.merge(&Self {
            calls: 1,
            input: receipt.usage.input,
            cached: receipt.usage.cached,
            cache_write: receipt
                .usage
                .cache_write
                .saturating_add(receipt.usage.cache_write_hour),
            output: receipt.usage.output,
            reasoning: receipt.usage.reasoning,
            cost: receipt.cost,
            strongest: receipt.strongest,
        });
    }

    fn merge(&mut self, other: &Self) {
        self.calls = self.calls.saturating_add(other.calls);
        self.input = self.input.saturating_add(other.input);
        self.cached = self.cached.saturating_add(other.cached);
        self.cache_write = self.cache_write.saturating_add(other.cache_write);
        self.output = self.output.saturating_add(other.output);
        self.reasoning = self.reasoning.saturating_add(other.reasoning);
        self.cost = self.cost.plus(other.cost);
        self.strongest = self.strongest.plus(other.strongest);
    }

    /// With what they are sums of.
    fn to_json(self, mut of: Value) -> Value {
        let saved = self.strongest.0.saturating_sub(self.cost.0);
        let figures = json!({
            "calls": self.calls,
            "tokens": {
                "input": self.input,
                "cached": self.cached,
                "cache_write": self.cache_write,
                "output": self.output,
                "reasoning": self.reasoning,
            },
            "cost_usd": self.cost.to_string(),
            "strongest_usd": self.strongest.to_string(),
            "saved_usd": NanoDollars(saved).to_string(),
        });
        if let (Some(of), Value::Object(figures)) = (of.as_object_mut(), figures) {
            of.extend(figures);
        }
        of
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, reason = "tests")]
    use super::*;

    fn receipt(team: &str, model: &str, cost: i64) -> Receipt {
        Receipt {
            team: team.into(),
            model: model.into(),
            cost: NanoDollars(cost),
            strongest: NanoDollars(3 * cost),
            ..Receipt::default()
        }
    }

    #[test]
    fn each_table_adds_up_to_the_total() {
        let spending = Spending::default();
        for (team, model, cost) in [("a", "x", 1), ("a", "y", 20), ("b", "x", 300)] {
            spending.add(&receipt(team, model, cost));
        }
        let document = spending.to_json();
        assert_eq!(document["total"]["cost_usd"], "0.000000321");
        assert_eq!(document["total"]["saved_usd"], "0.000000642");
        assert_eq!(document["teams"][0]["cost_usd"], "0.000000021");
        assert_eq!(document["models"][0]["calls"], 2);
        assert_eq!(document["agents"][1]["team"], "b");
    }

    #[test]
    fn a_flood_of_teams_is_bounded_and_still_counted() {
        let spending = Spending::default();
        let many = 3 * SHARDS * MOST;
        for team in 0..many {
            spending.add(&receipt(&team.to_string(), "x", 1));
        }
        let document = spending.to_json();
        assert_eq!(document["total"]["calls"], many);
        assert!(
            document["teams"]
                .as_array()
                .is_some_and(|teams| teams.len() <= SHARDS * (MOST + 1))
        );
    }
}

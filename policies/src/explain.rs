//! The decision, rule by rule: what matched, what each read, and what came of it.
//!
//! [`explain`] decides with the same code as [`crate::decide()`] and then looks at every rule as the call found it. Its
//! serialization is the JSON of `waypost why` and of `/decisions`, version 1.

mod render;
mod rules;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::decide::Decider;
use crate::decision::{Decision, Outcome, SkipReason, Skipped};
use crate::facts::Facts;
use crate::limits::State;
use crate::money::NanoDollars;
use crate::plan::Plan;
use crate::vm::Evaluation;

/// A decision and its reasons.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The version of this shape.
    pub version: u32,
    /// `route`, `deny`, `limit`, `no-model` or `unknown-model`.
    pub decision: &'static str,
    /// The status of the answer.
    pub status: u16,
    /// The final tier; absent for a model name that nobody may send.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// The model that answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The content section that took the call, "" for the unnamed one; absent for a model by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Where the call started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// The tier before caps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_tier: Option<String>,
    /// What set the final tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The cap or quota that lowered the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capped_by: Option<String>,
    /// The denial or quota that refused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused_by: Option<String>,
    /// When to come back, after a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// The difficulty, where a rule reads it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difficulty: Option<f64>,
    /// The threshold in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// The priority.
    pub priority: i64,
    /// Quotas whose `warn` share the call passes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Every rule, in the order of the decision: escalations, `keep`, caps, quotas, denials, priorities.
    pub rules: Vec<RuleExplanation>,
    /// The models that were passed over.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<SkippedExplanation>,
    /// What the call may cost, where a model answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
}

/// A rule as a call found it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuleExplanation {
    /// `escalate`, `keep`, `cap`, `deny`, `limit`, `budget` or `priority`.
    pub kind: &'static str,
    /// Its label, or its own text.
    pub label: String,
    /// The source file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// Whether it acts on this call. For a quota: whether one of its outcomes does.
    pub matched: bool,
    /// The tier it raises or lowers to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Its condition as written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// Whether the condition could not be evaluated, so that the rule acts closed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
    /// The facts that it reads.
    pub values: BTreeMap<String, serde_json::Value>,
    /// Of a limit or budget that applies to the call: how full it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaExplanation>,
}

/// How full a limit or budget is. Amounts of money are in dollars.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QuotaExplanation {
    /// `requests`, `tokens` or `usd`.
    pub unit: &'static str,
    /// What is used and reserved.
    pub used: String,
    /// The most that may be.
    pub capacity: String,
    /// What this call would reserve.
    pub reserves: String,
    /// The value of `per`; "" without one.
    pub key: String,
    /// When nothing is used any more.
    pub resets_ms: u64,
}

/// A model that was passed over.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SkippedExplanation {
    /// Which.
    pub model: String,
    /// `context`, `surface`, `images`, `tools`, `not-allowed`, `cap`, `quota-cap`, `deny`, `quota` or `failed`.
    pub reason: &'static str,
    /// The rule that says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

/// What a call may cost, in dollars.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cost {
    /// What is expected.
    pub estimate_usd: String,
    /// The worst.
    pub ceiling_usd: String,
}

impl Cost {
    fn new(estimate: NanoDollars, ceiling: NanoDollars) -> Self {
        Self {
            estimate_usd: estimate.to_string(),
            ceiling_usd: ceiling.to_string(),
        }
    }
}

/// The decision and every rule.
#[must_use]
pub fn explain(
    plan: &Plan,
    facts: &Facts<'_>,
    state: &State,
    evaluation: &mut Evaluation,
) -> Explanation {
    let mut decider = Decider::new(plan, facts, state, evaluation);
    let decision = decider.decide();
    explain_decision(&mut decider, &decision)
}

fn explain_decision(decider: &mut Decider<'_, '_>, decision: &Decision) -> Explanation {
    let plan = decider.plan;
    let is_known = decision.outcome != Outcome::UnknownModel;
    let tier = |index: u16| {
        let tier = plan.tier(index).filter(|_| is_known);
        tier.map(|tier| tier.name().to_owned())
    };
    let label = |reference| plan.rule(reference).label.to_owned();
    let rules = if is_known {
        rules::all(decider, decision)
    } else {
        Vec::new()
    };
    let route = match &decision.outcome {
        Outcome::Route(route) => Some(route),
        _ => None,
    };
    Explanation {
        version: 1,
        decision: decision.outcome.name(),
        status: decision.outcome.status(),
        tier: tier(decision.tier),
        model: route.map(|route| model_name(plan, route.model)),
        content: decision
            .content
            .and_then(|index| plan.content(index).map(|content| content.name().to_owned())),
        start: tier(decision.start),
        content_tier: tier(decision.content_tier),
        rule: is_known.then(|| label(decision.rule)),
        capped_by: decision.capped_by.map(label),
        refused_by: decision.outcome.refused_by().map(label),
        retry_after_ms: match decision.outcome {
            Outcome::Limited {
                retry_after_milliseconds,
                ..
            } => retry_after_milliseconds,
            _ => None,
        },
        // Looking at every rule may have asked for what the decision did not need.
        difficulty: decider.session.difficulty(),
        threshold: decision.threshold,
        priority: decision.priority.0,
        warnings: decision
            .warnings
            .iter()
            .map(|quota| label(crate::decision::RuleReference::Quota(*quota)))
            .collect(),
        rules,
        skipped: skipped(plan, &decision.outcome),
        cost: route.map(|route| Cost::new(route.estimate, route.ceiling)),
    }
}

fn model_name(plan: &Plan, index: u16) -> String {
    plan.model(index)
        .map_or_else(String::new, |model| model.name().to_owned())
}

fn skipped(plan: &Plan, outcome: &Outcome) -> Vec<SkippedExplanation> {
    let skipped: &[Skipped] = match outcome {
        Outcome::Route(route) => &route.skipped,
        Outcome::NoModel(skipped) => skipped,
        _ => &[],
    };
    let explain = |skipped: &Skipped| SkippedExplanation {
        model: model_name(plan, skipped.model),
        reason: match skipped.reason {
            SkipReason::Context => "context",
            SkipReason::Surface => "surface",
            SkipReason::Lacks(capability) => capability.word(),
            SkipReason::Unpriced(_) => "unpriced",
            SkipReason::NotAllowed => "not-allowed",
            SkipReason::Cap(_) => "cap",
            SkipReason::QuotaCap(_) => "quota-cap",
            SkipReason::Denial(_) => "deny",
            SkipReason::Quota(_) => "quota",
            SkipReason::Failed => "failed",
        },
        rule: skipped
            .reason
            .rule()
            .map(|reference| plan.rule(reference).label.to_owned()),
    };
    skipped.iter().map(explain).collect()
}

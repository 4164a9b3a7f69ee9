//! A decision by its names, so that those of two plans can be compared.

use serde_json::Value;
use waypost_policies::decision::{Decision, Outcome, RuleReference};
use waypost_policies::limits::State;
use waypost_policies::{Evaluation, Facts, Plan, decide};

use super::request;

/// What a call gets. Two of them are equal when the call would notice no difference: of a refused one, the tier that it would
/// have had is only told, and so is which rule did it.
#[derive(Debug, Clone)]
pub struct Decided {
    /// `route`, `deny`, `limit`, `no-model` or `unknown-model`.
    pub decision: &'static str,
    /// The status of the answer.
    pub status: u16,
    /// The final tier; "" for a model name that nobody may send.
    pub tier: String,
    /// The model that answers; "" where none does.
    pub model: String,
    /// Its place in the queue.
    pub priority: i64,
    /// How many limits and budgets warn.
    pub warnings: usize,
    /// What decided: the denial or quota that refuses, else what set the tier.
    pub rule: String,
    /// The file that it stands in.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}

impl PartialEq for Decided {
    fn eq(&self, other: &Self) -> bool {
        let answer = |one: &Self| (one.decision, one.status);
        let routed = self.decision == "route";
        answer(self) == answer(other)
            && (!routed
                || (self.tier == other.tier
                    && self.model == other.model
                    && self.priority == other.priority
                    && self.warnings == other.warnings))
    }
}

impl Decided {
    /// Decides facts as a first call.
    #[must_use]
    pub fn of(plan: &Plan, facts: &Facts<'_>) -> Self {
        // Only this process sees the state, so its keys need no secret.
        let state = State::new(plan, [0, 0]);
        Self::new(
            plan,
            &decide(plan, facts, &state, &mut Evaluation::default()),
        )
    }

    pub(super) fn new(plan: &Plan, decision: &Decision) -> Self {
        let known = decision.outcome != Outcome::UnknownModel;
        let tier = plan.tier(decision.tier).filter(|_| known);
        let model = match &decision.outcome {
            Outcome::Route(route) => plan.model(route.model),
            _ => None,
        };
        let reference: Option<RuleReference> = decision
            .outcome
            .refused_by()
            .or_else(|| known.then_some(decision.rule));
        let rule = reference.map(|reference| plan.rule(reference));
        Self {
            decision: decision.outcome.name(),
            status: decision.outcome.status(),
            tier: tier.map_or_else(String::new, |tier| tier.name().to_owned()),
            model: model.map_or_else(String::new, |model| model.name().to_owned()),
            priority: decision.priority.0,
            warnings: decision.warnings.len(),
            rule: rule.map_or_else(String::new, |rule| rule.label.to_owned()),
            file: rule.map_or_else(String::new, |rule| rule.file.to_owned()),
            line: rule.map_or(0, |rule| rule.line),
        }
    }
}

impl std::fmt::Display for Decided {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            status,
            tier,
            model,
            rule,
            line,
            ..
        } = self;
        match self.decision {
            "route" => write!(f, "tier {tier}, {model}")?,
            "deny" => write!(f, "denied with {status}")?,
            "limit" => write!(f, "limited with {status}")?,
            "unknown-model" => return write!(f, "{status}: no `accept` takes the model name"),
            _ => write!(f, "{status}: no model can serve it")?,
        }
        match &**rule {
            "" => {}
            "start" => f.write_str(" (where it starts)")?,
            rule => write!(f, " (`{rule}`, line {line})")?,
        }
        match self.priority {
            0 => {}
            priority => write!(f, ", priority {priority}")?,
        }
        match self.warnings {
            0 => Ok(()),
            1 => f.write_str(", warned"),
            count => write!(f, ", warned {count} times"),
        }
    }
}

/// Decides a request, as `why --request` reads it, as a first call; `None` where it cannot be read.
#[must_use]
pub fn decide_request(plan: &Plan, request: &Value) -> Option<Decided> {
    request::with_facts(plan, request, |facts| Decided::of(plan, facts))
}

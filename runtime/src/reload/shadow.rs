//! What a new plan decides on the last calls, beside the plan that it replaces.
//!
//! Invariants: both plans decide each call at the same moment, against what is used by then, so that what differs is
//! the plans' doing; nothing is charged, raised or sent.

use serde::Serialize;
use serde_json::{Value, json};
use waypost_policies::decision::{Decision, Outcome};
use waypost_policies::facts::Request;
use waypost_policies::{Facts, Plan, decide};

use super::source_hash;
use crate::clock;
use crate::gateway::Gateway;
use crate::recent::RecentCall;
use crate::rule::Site;

/// How many calls of each kind of change are named.
const EXAMPLES: usize = 3;
/// How many kinds of change are logged; all can be read.
const LOGGED: usize = 10;

/// How a plan decides the last calls differently from the one that it replaces.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// Calls that both have decided.
    pub calls: usize,
    /// Of these, the ones that they decide differently.
    pub different: usize,
    /// What changes, the most frequent first.
    pub changes: Vec<Change>,
}

/// A change that some calls have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What the old plan decides.
    pub before: Decided,
    /// What the new plan decides.
    pub after: Decided,
    /// How many calls.
    pub calls: usize,
    /// The request ids of some of them, the newest first.
    pub examples: Vec<String>,
}

/// What a plan decides on a call, as far as its caller can tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decided {
    /// `route`, `deny`, `limit`, `no-model`, `unknown-model`; `invalid` where it cannot be read.
    pub outcome: &'static str,
    /// The tier; "" where there is none.
    pub tier: String,
    /// The model that is asked first; "" where none is.
    pub model: String,
    /// The rule that is the cause.
    pub rule: Site,
}

impl Difference {
    /// What `new` decides differently from `old`.
    pub(crate) fn between(old: &Gateway, new: &Gateway) -> Self {
        let calls = old.recent.calls();
        let mut difference = Self {
            calls: calls.len(),
            ..Self::default()
        };
        for call in calls {
            let now = clock::now();
            let [before, after] = [old, new].map(|gateway| Decided::of(gateway, &call, now));
            if !before.is_like(&after) {
                difference.add(before, after, &call.request_id);
            }
        }
        difference
            .changes
            .sort_by_key(|change| std::cmp::Reverse(change.calls));
        difference
    }

    fn add(&mut self, before: Decided, after: Decided, request_id: &str) {
        self.different += 1;
        let mut changes = self.changes.iter_mut();
        let found = changes.find(|change| change.before == before && change.after == after);
        match found {
            Some(change) => {
                change.calls += 1;
                if change.examples.len() < EXAMPLES {
                    change.examples.push(request_id.to_owned());
                }
            }
            None => self.changes.push(Change {
                before,
                after,
                calls: 1,
                examples: vec![request_id.to_owned()],
            }),
        }
    }

    /// As JSON, for `/reload`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({"calls": self.calls, "different": self.different, "changes": self.changes})
    }

    pub(super) fn log(&self, plan: &Plan) {
        tracing::info!(
            source_hash = source_hash(plan),
            calls = self.calls,
            different = self.different,
            "a new plan is served"
        );
        for change in self.changes.iter().take(LOGGED) {
            tracing::info!(
                calls = change.calls,
                before = %change.before,
                after = %change.after,
                example = change.examples.first(),
                "recent calls that the new plan decides differently"
            );
        }
    }
}

impl Decided {
    fn of(gateway: &Gateway, call: &RecentCall, now: i64) -> Self {
        let plan = &gateway.plan;
        let header = |name: &str| {
            let value = call.headers.get(name)?;
            value.to_str().ok()
        };
        let read = Request::read(plan.needs(), call.surface, &call.path, &header, &call.body);
        let Ok(request) = read else {
            return Self {
                outcome: "invalid",
                tier: String::new(),
                model: String::new(),
                rule: Site::default(),
            };
        };
        let facts = Facts {
            request: &request,
            caller: call.identity.caller_under(plan),
            source_ip: call.peer,
            now,
            difficulty: None,
        };
        let decision = gateway
            .evaluations
            .with(|evaluation| decide(plan, &facts, &gateway.state, evaluation));
        Self::new(gateway, &decision)
    }

    fn new(gateway: &Gateway, decision: &Decision) -> Self {
        let model = match &decision.outcome {
            Outcome::Route(route) => gateway.model(route.model),
            _ => None,
        };
        let rule = decision.outcome.refused_by().unwrap_or(decision.rule);
        Self {
            outcome: decision.outcome.name(),
            tier: gateway
                .tier_of(decision)
                .map(|tier| tier.name.to_string())
                .unwrap_or_default(),
            model: model
                .map(|model| model.name.to_string())
                .unwrap_or_default(),
            rule: match decision.outcome {
                Outcome::UnknownModel => Site::default(),
                _ => Site::of(&gateway.plan, rule),
            },
        }
    }

    /// Whether a caller can tell no difference; the rule may be another, or stand elsewhere.
    fn is_like(&self, other: &Self) -> bool {
        (self.outcome, &self.tier, &self.model) == (other.outcome, &other.tier, &other.model)
    }
}

impl std::fmt::Display for Decided {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.outcome)?;
        if !self.tier.is_empty() {
            write!(f, " {}", self.tier)?;
        }
        if !self.model.is_empty() {
            write!(f, " ({})", self.model)?;
        }
        if !self.rule.label.is_empty() {
            write!(f, " by `{}`", self.rule.label)?;
        }
        Ok(())
    }
}

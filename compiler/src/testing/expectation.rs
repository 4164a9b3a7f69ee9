//! What is expected, held against what was decided.

use waypost_lang::syntax::tree::ExpectKind;
use waypost_policies::decision::{Decision, Outcome, RuleReference};
use waypost_policies::{Explanation, NanoDollars, Plan};

use super::reason;

/// A decision with its reasons.
#[derive(Debug)]
pub(super) struct Verdict<'p> {
    pub(super) plan: &'p Plan,
    pub(super) decision: Decision,
    pub(super) explanation: Explanation,
}

impl Verdict<'_> {
    /// What is wrong with the decision, if it is not as expected.
    pub(super) fn mismatch(&self, expected: &ExpectKind) -> Option<String> {
        match expected {
            ExpectKind::Tier(name) => self.tier(&name.value),
            ExpectKind::Model(name) => self.model(&name.value),
            ExpectKind::CostBelow(bound) => self.cost(NanoDollars(bound.value)),
            ExpectKind::EscalatedBy(label) => self.escalated(&label.value),
            ExpectKind::CappedBy(label) => self.capped(&label.value),
            ExpectKind::Denied(label) => self.denied(label.as_ref().map(|text| &*text.value)),
            ExpectKind::LimitedBy(label) => self.limited(&label.value),
            ExpectKind::WarnedBy(label) => self.warned(&label.value),
            ExpectKind::Status(status) => {
                let actual = self.decision.outcome.status();
                let wrong = u64::from(actual) != status.value;
                wrong.then(|| {
                    let outcome = reason::outcome(self);
                    format!("expected status {}, was {actual}: {outcome}", status.value)
                })
            }
            ExpectKind::Priority(priority) => {
                let actual = self.decision.priority.0;
                let wrong = actual != priority.value;
                wrong.then(|| format!("expected priority {}, was {actual}", priority.value))
            }
        }
    }

    /// The label of a rule.
    pub(super) fn label(&self, rule: RuleReference) -> &str {
        self.plan.rule(rule).label
    }

    fn tier(&self, expected: &str) -> Option<String> {
        let actual = self.explanation.tier.as_deref();
        if actual == Some(expected) {
            return None;
        }
        Some(match actual {
            Some(actual) => format!(
                "expected tier {expected}, was {actual}: {}",
                reason::tier(self)
            ),
            None => format!("expected tier {expected}, but {}", reason::outcome(self)),
        })
    }

    fn model(&self, expected: &str) -> Option<String> {
        match self.explanation.model.as_deref() {
            Some(actual) if actual == expected => None,
            Some(actual) => Some(format!(
                "expected model {expected}, was {actual}: {}",
                reason::outcome(self)
            )),
            None => Some(format!(
                "expected model {expected}, but {}",
                reason::outcome(self)
            )),
        }
    }

    fn cost(&self, bound: NanoDollars) -> Option<String> {
        let Outcome::Route(route) = &self.decision.outcome else {
            return Some(format!(
                "expected cost < ${bound}, but {}",
                reason::outcome(self)
            ));
        };
        let wrong = route.estimate >= bound;
        wrong.then(|| {
            let tokens = "prompt and expected answer";
            let model = self.explanation.model.as_deref().unwrap_or_default();
            format!(
                "expected cost < ${bound}, was ${}: {tokens} at the prices of {model}",
                route.estimate
            )
        })
    }

    fn escalated(&self, label: &str) -> Option<String> {
        let rule = self.rule(label, &["escalate"]);
        if rule.is_some_and(|rule| rule.matched) {
            return None;
        }
        let why = rule.map_or_else(
            || "it is not a rule of the content section that took the call".to_owned(),
            |rule| format!("it did not match, {}", reason::rule(rule)),
        );
        Some(format!("expected to be escalated by \"{label}\": {why}"))
    }

    fn capped(&self, label: &str) -> Option<String> {
        let expected = format!("expected to be capped by \"{label}\"");
        match self.decision.capped_by {
            Some(rule) if self.label(rule) == label => None,
            // Several caps may lower a call to the same tier; one of them is named.
            Some(rule) => match self.rule(label, &["cap", "limit", "budget"]) {
                Some(other) if other.matched && other.to == self.explanation.tier => None,
                _ => Some(format!("{expected}, was by \"{}\"", self.label(rule))),
            },
            None => {
                let rule = self.rule(label, &["cap", "limit", "budget"]);
                let why = rule.map_or_else(String::new, |rule| match rule.matched {
                    true => format!(", though it matched, {}", reason::rule(rule)),
                    false => format!(", {}", reason::rule(rule)),
                });
                Some(format!("{expected}, was not capped{why}"))
            }
        }
    }

    fn denied(&self, label: Option<&str>) -> Option<String> {
        let by = label.map_or_else(String::new, |label| format!(" by \"{label}\""));
        match &self.decision.outcome {
            Outcome::Denied { denial, .. } => {
                let actual = self.label(RuleReference::Denial(*denial));
                let wrong = label.is_some_and(|label| label != actual);
                wrong.then(|| format!("expected to be denied{by}, was by \"{actual}\""))
            }
            _ => Some(format!(
                "expected to be denied{by}, but {}",
                reason::outcome(self)
            )),
        }
    }

    fn limited(&self, label: &str) -> Option<String> {
        match &self.decision.outcome {
            Outcome::Limited { quota, .. } => {
                let actual = self.label(RuleReference::Quota(*quota));
                let wrong = label != actual;
                wrong.then(|| format!("expected to be limited by \"{label}\", was by \"{actual}\""))
            }
            _ => Some(format!(
                "expected to be limited by \"{label}\", but {}",
                reason::outcome(self)
            )),
        }
    }

    fn warned(&self, label: &str) -> Option<String> {
        let warnings = &self.decision.warnings;
        let mut labels = warnings
            .iter()
            .map(|quota| self.label(RuleReference::Quota(*quota)));
        if labels.any(|warned| warned == label) {
            return None;
        }
        let rule = self.rule(label, &["limit", "budget"]);
        let why = rule.map_or_else(String::new, |rule| format!(", {}", reason::rule(rule)));
        Some(format!(
            "expected a warning by \"{label}\", there was none{why}"
        ))
    }

    fn rule(
        &self,
        label: &str,
        kinds: &[&str],
    ) -> Option<&waypost_policies::explain::RuleExplanation> {
        let mut rules = self.explanation.rules.iter();
        rules.find(|rule| kinds.contains(&rule.kind) && rule.label == label)
    }
}

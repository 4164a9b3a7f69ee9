//! What is expected, held against what was decided.

use waypost_lang::syntax::tree::ExpectKind;
use waypost_policies::cost::EXPECTED_ANSWER;
use waypost_policies::decision::{Decision, Outcome, RuleReference};
use waypost_policies::explain::RuleExplanation;
use waypost_policies::{Explanation, NanoDollars, Plan};

use super::reason;

/// A decision with its reasons.
#[derive(Debug)]
pub(super) struct Verdict<'p> {
    pub(super) plan: &'p Plan,
    /// The file that the test stands in.
    pub(super) file: &'p str,
    /// The prompt, in tokens.
    pub(super) tokens: u64,
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
            ExpectKind::Priority(priority) => self.priority(priority.value),
        }
    }

    /// The label of a rule.
    pub(super) fn label(&self, rule: RuleReference) -> &str {
        self.plan.rule(rule).label
    }

    /// A place as the test's author would say it: by its line, and by its file where that is another one.
    pub(super) fn place(&self, file: &str, line: u32) -> String {
        match file == self.file {
            true => format!("line {line}"),
            false => format!("{file}:{line}"),
        }
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
                reason::model(self)
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
            let (tokens, answer) = (self.tokens, route.max_tokens.min(EXPECTED_ANSWER));
            let model = self.explanation.model.as_deref().unwrap_or_default();
            format!(
                "expected cost < ${bound}, was ${}: {tokens} tokens of prompt and {answer} of answer at the prices of {model}, {}",
                route.estimate,
                reason::model(self)
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
            |rule| format!("it did not match, {}", reason::rule(self, rule)),
        );
        Some(format!("expected to be escalated by `{label}`: {why}"))
    }

    fn capped(&self, label: &str) -> Option<String> {
        let expected = format!("expected to be capped by `{label}`");
        let rule = self.rule(label, &["cap", "limit", "budget"]);
        match self.decision.capped_by {
            Some(by) if self.label(by) == label => None,
            // Several caps may lower a call to the same tier; one of them is named.
            Some(_)
                if rule.is_some_and(|rule| rule.matched && rule.to == self.explanation.tier) =>
            {
                None
            }
            Some(_) => Some(format!(
                "{expected}, was {}{}",
                reason::tier(self),
                self.unmatched(rule)
            )),
            None => {
                let why = rule.map_or_else(String::new, |rule| match rule.matched {
                    true => format!(", though it matched, {}", reason::rule(self, rule)),
                    false => format!(": it did not match, {}", reason::rule(self, rule)),
                });
                Some(format!("{expected}, was not capped{why}"))
            }
        }
    }

    fn denied(&self, label: Option<&str>) -> Option<String> {
        let by = label.map_or_else(String::new, |label| format!(" by `{label}`"));
        let rule = label.and_then(|label| self.rule(label, &["deny"]));
        if let Outcome::Denied { denial, .. } = &self.decision.outcome {
            let actual = self.label(RuleReference::Denial(*denial));
            if label.is_none_or(|label| label == actual) {
                return None;
            }
        }
        let outcome = reason::outcome(self);
        let unmatched = self.unmatched(rule);
        Some(format!(
            "expected to be denied{by}, but {outcome}{unmatched}"
        ))
    }

    fn limited(&self, label: &str) -> Option<String> {
        if let Outcome::Limited { quota, .. } = &self.decision.outcome
            && self.label(RuleReference::Quota(*quota)) == label
        {
            return None;
        }
        let outcome = reason::outcome(self);
        let unmatched = self.unmatched(self.rule(label, &["limit", "budget"]));
        Some(format!(
            "expected to be limited by `{label}`, but {outcome}{unmatched}"
        ))
    }

    fn warned(&self, label: &str) -> Option<String> {
        let warnings = &self.explanation.warnings;
        if warnings.iter().any(|warned| warned == label) {
            return None;
        }
        let unmatched = self.unmatched(self.rule(label, &["limit", "budget"]));
        Some(format!(
            "expected a warning by `{label}`, there was none{unmatched}"
        ))
    }

    fn priority(&self, expected: i64) -> Option<String> {
        let (actual, rule) = self.decision.priority;
        if actual == expected {
            return None;
        }
        let mut priorities = self.plan.priorities();
        let rule = rule.and_then(|index| priorities.nth(usize::from(index)));
        let why = rule.map_or_else(
            || "no priority rule matched".to_owned(),
            |rule| match self.rule(rule.label(), &["priority"]) {
                Some(found) => format!("by `{}`, {}", found.label, reason::rule(self, found)),
                None => format!("by `{}`", rule.label()),
            },
        );
        Some(format!("expected priority {expected}, was {actual}: {why}"))
    }

    /// `` ; `free plan` did not match, line 20: … `` for a rule that did not.
    fn unmatched(&self, rule: Option<&RuleExplanation>) -> String {
        let rule = rule.filter(|rule| !rule.matched);
        rule.map_or_else(String::new, |rule| {
            let label = &rule.label;
            format!("; `{label}` did not match, {}", reason::rule(self, rule))
        })
    }

    fn rule(&self, label: &str, kinds: &[&str]) -> Option<&RuleExplanation> {
        let mut rules = self.explanation.rules.iter();
        rules.find(|rule| kinds.contains(&rule.kind) && rule.label == label)
    }
}

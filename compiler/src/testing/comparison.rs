//! What was expected beside what came, both in the words of `expect`.

use waypost_lang::syntax::tree::{Expect, ExpectKind};
use waypost_policies::NanoDollars;
use waypost_policies::decision::{Outcome, RuleReference};

use super::expectation::Verdict;

/// One expectation and what came instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// `tier weak`
    pub expected: String,
    /// `tier strong`; absent where it came as expected.
    pub came: Option<String>,
}

/// Compares every expectation of a test.
pub(super) fn compare(expect: &[Expect], verdict: &Verdict<'_>) -> Vec<Compared> {
    let compare = |expect: &Expect| {
        let wrong = verdict.mismatch(&expect.kind).is_some();
        Compared {
            expected: expected(&expect.kind),
            came: wrong.then(|| came(&expect.kind, verdict)),
        }
    };
    expect.iter().map(compare).collect()
}

fn expected(kind: &ExpectKind) -> String {
    match kind {
        ExpectKind::Tier(name) => format!("tier {}", name.value),
        ExpectKind::Model(name) => format!("model {}", name.value),
        ExpectKind::CostBelow(bound) => format!("cost < ${}", NanoDollars(bound.value)),
        ExpectKind::EscalatedBy(label) => format!("escalated by {:?}", label.value),
        ExpectKind::CappedBy(label) => format!("capped by {:?}", label.value),
        ExpectKind::Denied(Some(label)) => format!("denied by {:?}", label.value),
        ExpectKind::Denied(None) => "denied".to_owned(),
        ExpectKind::LimitedBy(label) => format!("limited by {:?}", label.value),
        ExpectKind::WarnedBy(label) => format!("warned by {:?}", label.value),
        ExpectKind::Status(status) => format!("status {}", status.value),
        ExpectKind::Priority(priority) => format!("priority {}", priority.value),
    }
}

fn came(kind: &ExpectKind, verdict: &Verdict<'_>) -> String {
    let explanation = &verdict.explanation;
    let named = |rule: RuleReference| verdict.label(rule);
    match (kind, &verdict.decision.outcome) {
        (ExpectKind::Tier(_), _) if explanation.tier.is_some() => {
            format!("tier {}", explanation.tier.as_deref().unwrap_or_default())
        }
        (ExpectKind::EscalatedBy(_), _) => labels("escalated", &raised(verdict)),
        (ExpectKind::CappedBy(_), _) => {
            let capped = verdict.decision.capped_by.map(named);
            labels("capped", capped.as_slice())
        }
        (ExpectKind::WarnedBy(_), _) => labels("warned", &explanation.warnings),
        (ExpectKind::Priority(_), _) => format!("priority {}", explanation.priority),
        (ExpectKind::Status(_), outcome) => format!("status {}", outcome.status()),
        (ExpectKind::CostBelow(_), Outcome::Route(route)) => format!("cost ${}", route.estimate),
        (_, Outcome::Route(_)) => {
            format!("model {}", explanation.model.as_deref().unwrap_or_default())
        }
        (_, Outcome::Denied { denial, .. }) => {
            format!("denied by {:?}", named(RuleReference::Denial(*denial)))
        }
        (_, Outcome::Limited { quota, .. }) => {
            format!("limited by {:?}", named(RuleReference::Quota(*quota)))
        }
        (_, outcome) => format!("status {}", outcome.status()),
    }
}

/// The escalations that matched.
fn raised<'v>(verdict: &'v Verdict<'_>) -> Vec<&'v str> {
    let rules = verdict.explanation.rules.iter();
    rules
        .filter(|rule| rule.kind == "escalate" && rule.matched)
        .map(|rule| &*rule.label)
        .collect()
}

fn labels(verb: &str, labels: &[impl AsRef<str>]) -> String {
    let labels: Vec<String> = labels
        .iter()
        .map(|label| format!("{:?}", label.as_ref()))
        .collect();
    match labels.is_empty() {
        true => format!("not {verb}"),
        false => format!("{verb} by {}", labels.join(", ")),
    }
}

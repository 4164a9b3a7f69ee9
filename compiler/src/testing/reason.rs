//! Why a call was decided as it was, in a few words that name the rule, its line and what it read.

use std::collections::BTreeMap;

use serde_json::Value;
use waypost_policies::decision::{Outcome, RuleReference};
use waypost_policies::explain::RuleExplanation;

use super::expectation::Verdict;

/// What set the final tier: `escalated by "long context", agents.route:31: request.tokens = 30211 > 24000`.
pub(super) fn tier(verdict: &Verdict<'_>) -> String {
    let reference = verdict.decision.rule;
    let view = verdict.plan.rule(reference);
    let place = format!("{}:{}", view.file, view.line);
    let by = match reference {
        RuleReference::Start(_) => {
            return format!("it starts there, {place}, and no rule raised it");
        }
        RuleReference::Keep(_) => return format!("its session is kept there, {place}"),
        RuleReference::Named(_) => return "the call asks for a model by name".to_owned(),
        RuleReference::Escalation(..) => "escalated",
        RuleReference::Cap(_) | RuleReference::Quota(_) => "capped",
        RuleReference::Denial(_) => "denied",
    };
    let detail = verdict
        .explanation
        .rules
        .iter()
        .find(|rule| rule.label == view.label && rule.line == view.line)
        .and_then(condition)
        .map_or_else(String::new, |condition| format!(": {condition}"));
    format!("{by} by \"{}\", {place}{detail}", view.label)
}

/// What became of the call, as the end of a sentence that begins with `but`.
pub(super) fn outcome(verdict: &Verdict<'_>) -> String {
    let named = |rule: RuleReference| {
        let view = verdict.plan.rule(rule);
        format!("\"{}\", {}:{}", view.label, view.file, view.line)
    };
    match &verdict.decision.outcome {
        Outcome::Route(_) => {
            let tier = verdict.explanation.tier.as_deref().unwrap_or_default();
            let model = verdict.explanation.model.as_deref().unwrap_or_default();
            let skipped = verdict.explanation.skipped.iter();
            let skipped: String = skipped
                .map(|skipped| format!(", {} was passed over ({})", skipped.model, skipped.reason))
                .collect();
            format!("it was routed to {model} in tier {tier}{skipped}")
        }
        Outcome::Denied { denial, status } => {
            let rule = named(RuleReference::Denial(*denial));
            format!("it was denied with {status} by {rule}")
        }
        Outcome::Limited { quota, .. } => {
            format!("it was limited by {}", named(RuleReference::Quota(*quota)))
        }
        Outcome::NoModel(skipped) => {
            let one = |skipped: &waypost_policies::explain::SkippedExplanation| {
                format!("{} ({})", skipped.model, skipped.reason)
            };
            let all: Vec<String> = verdict.explanation.skipped.iter().map(one).collect();
            let count = skipped.len();
            format!("none of {count} models could serve it: {}", all.join(", "))
        }
        Outcome::UnknownModel => "no `accept` takes the model name that it sends".to_owned(),
    }
}

/// Where a rule stands and what it read: `agents.route:31: request.tokens = 12 > 24000`.
pub(super) fn rule(rule: &RuleExplanation) -> String {
    let place = format!("{}:{}", rule.file, rule.line);
    let used = rule.quota.as_ref().map(|quota| {
        format!(
            "{} of {} {} used, this call reserves {}",
            quota.used, quota.capacity, quota.unit, quota.reserves
        )
    });
    match used.or_else(|| condition(rule)) {
        Some(detail) => format!("{place}: {detail}"),
        None => place,
    }
}

/// The condition with what it read: in place where that is easy to read, else after it.
fn condition(rule: &RuleExplanation) -> Option<String> {
    let expression = rule.expression.as_deref()?;
    let values = &rule.values;
    if let Some((name, value)) = single(values)
        && let Some(rest) = expression.strip_prefix(name.as_str())
        && rest.starts_with([' ', '\n'])
    {
        return Some(format!("{name} = {value}{rest}"));
    }
    let read: Vec<String> = values
        .iter()
        .map(|(name, value)| format!("{name} = {value}"))
        .collect();
    Some(match read.is_empty() {
        true => expression.to_owned(),
        false => format!("{expression}, with {}", read.join(", ")),
    })
}

fn single(values: &BTreeMap<String, Value>) -> Option<(&String, &Value)> {
    match values.len() {
        1 => values.iter().next(),
        _ => None,
    }
}

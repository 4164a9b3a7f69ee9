//! Why a call was decided as it was, in a few words that name the rule, its line and what it read.

use std::collections::BTreeMap;

use serde_json::Value;
use waypost_policies::decision::{Outcome, RuleReference};
use waypost_policies::explain::{QuotaExplanation, RuleExplanation, SkippedExplanation};

use super::expectation::Verdict;

/// What set the final tier: ``escalated by `long context`, line 31: request.tokens = 30211 > 24000``.
pub(super) fn tier(verdict: &Verdict<'_>) -> String {
    let reference = verdict.decision.rule;
    let view = verdict.plan.rule(reference);
    let place = verdict.place(view.file, view.line);
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
    format!("{by} by {}", named(verdict, reference))
}

/// A rule by its label, its place and what it read: `` `long context`, line 31: request.tokens = 30211 > 24000``.
fn named(verdict: &Verdict<'_>, reference: RuleReference) -> String {
    let view = verdict.plan.rule(reference);
    let rules = &verdict.explanation.rules;
    let explained = rules
        .iter()
        .find(|rule| (&*rule.label, &*rule.file, rule.line) == (view.label, view.file, view.line));
    let place = explained.map_or_else(
        || verdict.place(view.file, view.line),
        |explained| rule(verdict, explained),
    );
    format!("`{}`, {place}", view.label)
}

/// What became of the call, as the end of a sentence that begins with `but`.
pub(super) fn outcome(verdict: &Verdict<'_>) -> String {
    match &verdict.decision.outcome {
        Outcome::Route(_) => {
            let tier = verdict.explanation.tier.as_deref().unwrap_or_default();
            let model = verdict.explanation.model.as_deref().unwrap_or_default();
            let skipped = passed_over(verdict);
            format!("it was routed to {model} in tier {tier}{skipped}")
        }
        Outcome::Denied { denial, status } => {
            let rule = named(verdict, RuleReference::Denial(*denial));
            format!("it was denied with {status} by {rule}")
        }
        Outcome::Limited { quota, .. } => {
            let rule = named(verdict, RuleReference::Quota(*quota));
            format!("it was limited by {rule}")
        }
        Outcome::NoModel(skipped) => {
            let one =
                |skipped: &SkippedExplanation| format!("{} ({})", skipped.model, why(skipped));
            let all: Vec<String> = verdict.explanation.skipped.iter().map(one).collect();
            let count = skipped.len();
            format!("none of {count} models could serve it: {}", all.join(", "))
        }
        Outcome::UnknownModel => "no `accept` takes the model name that it sends".to_owned(),
    }
}

/// Why the model that answers is that one.
pub(super) fn model(verdict: &Verdict<'_>) -> String {
    let name = verdict.explanation.tier.as_deref().unwrap_or_default();
    let skipped = passed_over(verdict);
    format!("tier {name}, {}{skipped}", tier(verdict))
}

/// `, small was passed over (context)` for each.
fn passed_over(verdict: &Verdict<'_>) -> String {
    let skipped = verdict.explanation.skipped.iter();
    skipped
        .map(|skipped| format!(", {} was passed over ({})", skipped.model, why(skipped)))
        .collect()
}

fn why(skipped: &SkippedExplanation) -> String {
    match &skipped.rule {
        Some(rule) => format!("{} `{rule}`", skipped.reason),
        None => skipped.reason.to_owned(),
    }
}

/// Where a rule stands and what it read: `line 31: request.tokens = 12 > 24000`.
pub(super) fn rule(verdict: &Verdict<'_>, rule: &RuleExplanation) -> String {
    let place = verdict.place(&rule.file, rule.line);
    let used = rule.quota.as_ref().map(used);
    match used.or_else(|| condition(rule)) {
        Some(detail) => format!("{place}: {detail}"),
        None => place,
    }
}

fn used(quota: &QuotaExplanation) -> String {
    let QuotaExplanation {
        unit,
        used,
        capacity,
        reserves,
        ..
    } = quota;
    match *unit {
        "usd" => format!("${used} of ${capacity} used, this call reserves ${reserves}"),
        unit => format!("{used} of {capacity} {unit} used, this call reserves {reserves}"),
    }
}

/// The condition with what it read: in place where that is easy to read, else after it.
fn condition(rule: &RuleExplanation) -> Option<String> {
    let expression = rule.expression.as_deref()?;
    let words: Vec<&str> = expression.split_whitespace().collect();
    let expression = words.join(" ");
    let values = &rule.values;
    if let Some((name, value)) = single(values)
        && let Some(rest) = expression.strip_prefix(name.as_str())
        && rest.starts_with(' ')
        && !rest.starts_with(" ==")
    {
        return Some(format!("{name} = {value}{rest}"));
    }
    let read: Vec<String> = values
        .iter()
        .map(|(name, value)| format!("{name} = {value}"))
        .collect();
    Some(match read.is_empty() {
        true => expression,
        false => format!("{expression}, with {}", read.join(", ")),
    })
}

fn single(values: &BTreeMap<String, Value>) -> Option<(&String, &Value)> {
    match values.len() {
        1 => values.iter().next(),
        _ => None,
    }
}

//! Every rule of the sections that a call passes.

use std::collections::BTreeMap;

use super::{QuotaExplanation, RuleExplanation, render};
use crate::decide::{Decider, QuotaReading};
use crate::decision::{Decision, Outcome, RuleReference};
use crate::money::NanoDollars;
use crate::plan::draft::{ExpressionIndex, ModelIndex, TierIndex};
use crate::plan::view::{Amount, Quota, QuotaAction};
use crate::vm::{Context, Verdict};

/// All rules, in the order of the decision.
pub(super) fn all(decider: &mut Decider<'_, '_>, decision: &Decision) -> Vec<RuleExplanation> {
    let mut rules = Vec::new();
    decider.session.set_threshold(decision.threshold);
    content(decider, decision, &mut rules);
    let tier_home = decider.home(decision.content_tier);
    let home = decision.named.unwrap_or(tier_home);
    let before = decider.enter(decision.content_tier, home);
    caps(decider, &mut rules);
    let after = answering(decider, decision);
    quotas(decider, before, after, &mut rules);
    decider.session.set_context(after);
    denials(decider, &mut rules);
    priorities(decider, decision, &mut rules);
    rules
}

/// What denials and quotas see: the model that answers, or the one that the final tier tries first.
fn answering(decider: &mut Decider<'_, '_>, decision: &Decision) -> Context {
    let model = match &decision.outcome {
        Outcome::Route(route) => route.model,
        _ => first(decider, decision),
    };
    let tier = if decider.home(decision.tier) == model {
        decision.tier
    } else {
        decider.home_tier(model).unwrap_or(decision.tier)
    };
    decider.enter(tier, model)
}

/// The model that the call tries first: the one it named, unless it was lowered, or the final tier's.
fn first(decider: &Decider<'_, '_>, decision: &Decision) -> ModelIndex {
    let named = decision.named.filter(|_| decision.capped_by.is_none());
    named.unwrap_or_else(|| decider.home(decision.tier))
}

fn content(decider: &mut Decider<'_, '_>, decision: &Decision, rules: &mut Vec<RuleExplanation>) {
    let plan = decider.plan;
    let Some((index, content)) = decision
        .content
        .and_then(|index| Some((index, plan.content(index)?)))
    else {
        return;
    };
    for (place, escalation) in (0..).zip(content.escalations()) {
        let reference = RuleReference::Escalation(index, place);
        let mut rule = blank(decider, "escalate", reference);
        rule.to = tier_name(decider, escalation.tier());
        condition(decider, &mut rule, Some(escalation.when()));
        rules.push(rule);
    }
    if let Some(keep) = content.keep() {
        let mut rule = blank(decider, "keep", RuleReference::Keep(index));
        describe(decider, &mut rule, keep.session());
        rule.matched = decision.rule == RuleReference::Keep(index)
            || (decision.capped_by.is_some() && decision.content_tier > decision.start)
                && decision.session.is_some_and(|session| {
                    let now = decider.facts.now;
                    decider.state.floor(index, session.key, now) == Some(decision.content_tier)
                });
        rules.push(rule);
    }
}

fn caps(decider: &mut Decider<'_, '_>, rules: &mut Vec<RuleExplanation>) {
    for (index, cap) in (0..).zip(decider.plan.caps()) {
        let mut rule = blank(decider, "cap", RuleReference::Cap(index));
        rule.to = tier_name(decider, cap.tier());
        condition(decider, &mut rule, Some(cap.when()));
        rules.push(rule);
    }
}

fn denials(decider: &mut Decider<'_, '_>, rules: &mut Vec<RuleExplanation>) {
    for (index, denial) in (0..).zip(decider.plan.denials()) {
        let mut rule = blank(decider, "deny", RuleReference::Denial(index));
        condition(decider, &mut rule, Some(denial.when()));
        rules.push(rule);
    }
}

fn priorities(
    decider: &mut Decider<'_, '_>,
    decision: &Decision,
    rules: &mut Vec<RuleExplanation>,
) {
    let plan = decider.plan;
    let home = first(decider, decision);
    decider.enter(decision.tier, home);
    for priority in plan.priorities() {
        let origin = priority.origin();
        let mut rule = RuleExplanation {
            label: priority.label().to_owned(),
            file: plan.file(origin.file).unwrap_or_default().to_owned(),
            line: origin.line,
            ..blank(decider, "priority", RuleReference::Start(0))
        };
        condition(decider, &mut rule, priority.when());
        // A priority is the one rule that does not act when it cannot be evaluated.
        rule.matched &= !rule.failed;
        rules.push(rule);
    }
}

fn quotas(
    decider: &mut Decider<'_, '_>,
    before: Context,
    after: Context,
    rules: &mut Vec<RuleExplanation>,
) {
    for (index, quota) in (0..).zip(decider.plan.quotas()) {
        let kind = if quota.budget() { "budget" } else { "limit" };
        let mut rule = blank(decider, kind, RuleReference::Quota(index));
        if let Some(when) = quota.when() {
            describe(decider, &mut rule, when);
            rule.failed |= decider.session.condition(when).is_err();
        }
        if let Some(per) = quota.per() {
            let text = rule.expression.take();
            describe(decider, &mut rule, per);
            rule.expression = text;
        }
        let capped = quota.outcomes().find_map(|outcome| match outcome.action() {
            QuotaAction::CapAt(tier) => Some(tier),
            _ => None,
        });
        rule.to = capped.and_then(|tier| tier_name(decider, tier));
        decider.session.set_context(before);
        let early = decider.read_quota(index, &quota, before);
        decider.session.set_context(after);
        let late = decider.read_quota(index, &quota, after);
        rule.matched = acts(&quota, early, late, after.tier);
        if let Some(reading) = early.or(late) {
            rule.quota = Some(describe_quota(decider, index, &quota, &reading));
        }
        rules.push(rule);
    }
}

/// Caps and warnings are judged on the content tier; denials on the model that answers.
fn acts(
    quota: &Quota<'_>,
    early: Option<QuotaReading>,
    late: Option<QuotaReading>,
    tier: TierIndex,
) -> bool {
    let acts = |reading: Option<QuotaReading>, share: u32| {
        reading.is_some_and(|reading| reading.acts(share))
    };
    quota.outcomes().any(|outcome| match outcome.action() {
        QuotaAction::Deny | QuotaAction::Wait(_) => acts(late, outcome.share()),
        QuotaAction::Warn => acts(early, outcome.share()) || acts(late, outcome.share()),
        QuotaAction::CapAt(cap) => {
            acts(early, outcome.share()) || tier > cap && acts(late, outcome.share())
        }
    })
}

fn describe_quota(
    decider: &mut Decider<'_, '_>,
    index: u16,
    quota: &Quota<'_>,
    reading: &QuotaReading,
) -> QuotaExplanation {
    let (unit, is_money) = match quota.amount() {
        Amount::Requests(_) => ("requests", false),
        Amount::Tokens(_) => ("tokens", false),
        Amount::Money(_) => ("usd", true),
        Amount::Repeats(_) => ("repeats", false),
        Amount::Concurrent(_) => ("concurrent", false),
    };
    let usage = decider.state.usage(index, reading.key, decider.facts.now);
    let amount = |amount: u64| {
        if is_money {
            NanoDollars(i64::try_from(amount).unwrap_or(i64::MAX)).to_string()
        } else {
            amount.to_string()
        }
    };
    QuotaExplanation {
        unit,
        used: amount(reading.used),
        capacity: amount(reading.capacity),
        reserves: amount(reading.amount),
        key: quota
            .per()
            .map_or_else(String::new, |per| render::text(&mut decider.session, per)),
        resets_ms: usage.resets_milliseconds,
    }
}

fn blank(
    decider: &Decider<'_, '_>,
    kind: &'static str,
    reference: RuleReference,
) -> RuleExplanation {
    let rule = decider.plan.rule(reference);
    RuleExplanation {
        kind,
        label: rule.label.to_owned(),
        file: rule.file.to_owned(),
        line: rule.line,
        matched: false,
        to: None,
        expression: None,
        failed: false,
        values: BTreeMap::new(),
        quota: None,
    }
}

fn tier_name(decider: &Decider<'_, '_>, tier: TierIndex) -> Option<String> {
    decider.plan.tier(tier).map(|tier| tier.name().to_owned())
}

/// A rule without a condition always matches.
fn condition(
    decider: &mut Decider<'_, '_>,
    rule: &mut RuleExplanation,
    when: Option<ExpressionIndex>,
) {
    let Some(when) = when else {
        rule.matched = true;
        return;
    };
    describe(decider, rule, when);
    let value = decider.session.condition(when);
    rule.failed |= value.is_err();
    rule.matched = value.unwrap_or(true);
}

/// What an expression says, and the facts that it reads.
fn describe(decider: &mut Decider<'_, '_>, rule: &mut RuleExplanation, index: ExpressionIndex) {
    let Some(expression) = decider.plan.expression(index) else {
        return;
    };
    rule.expression = Some(expression.text().to_owned());
    rule.failed |= matches!(decider.session.verdict(index), Verdict::Failed(_));
    render::values(&mut decider.session, expression.code(), &mut rule.values);
}

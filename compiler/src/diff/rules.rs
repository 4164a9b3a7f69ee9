//! Rules by what they mean: two that do the same under the same condition are one, whatever they are called and wherever
//! they stand. What is left over is paired by label, and each pair or single rule is shown by a witness.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use waypost_lang::Span;
use waypost_lang::cel::typed::Typed;
use waypost_lang::syntax::tree::{Amount, Window};
use waypost_policies::explain::Explanation;
use waypost_policies::money::NanoDollars;

use super::before::{Before, Event, Used};
use super::search::{Both, Goal, Search};
use super::slots::{self, Slot};
use super::{Change, ChangeKind, Side, place};
use crate::lower::session_idle;
use crate::program::{Action, Label, Program, Quota};
use crate::proofs::coverage::{Fate, Proofs};

/// A rule of one file.
struct Rule<'a> {
    kind: &'static str,
    /// Of an escalation: its content section.
    section: Option<&'a str>,
    label: &'a str,
    span: Span,
    /// What it does, all but its expressions.
    effect: String,
    /// Its expressions, each with the word before it.
    expressions: Vec<(&'static str, &'a Typed)>,
    /// Of a limit or budget: its index.
    quota: Option<(u16, &'a Quota)>,
}

/// What a rule means, as text: equal for rules that do the same.
type Meaning = (&'static str, String);

/// Every rule that was added, removed or changed.
pub(super) fn compare(old: Side<'_>, new: Side<'_>, search: &mut Search<'_>) -> Vec<Change> {
    let (mut before, mut after) = (rules(old.program), rules(new.program));
    cancel(&mut before, &mut after);
    let pairs = pair(before, after);
    let (idle_before, idle_after) = (idle(old.program), idle(new.program));
    let decides = |idle: &BTreeSet<Span>, rule: Option<&Rule<'_>>| {
        rule.is_some_and(|rule| !idle.contains(&rule.span))
    };
    pairs
        .iter()
        .filter(|(old, new)| !is_same(old.as_ref(), new.as_ref()))
        .filter(|(old, new)| {
            decides(&idle_before, old.as_ref()) || decides(&idle_after, new.as_ref())
        })
        .map(|(one, other)| change((old, one.as_ref()), (new, other.as_ref()), search))
        .collect()
}

/// The rules that are proved to decide nothing: that one comes or goes changes no call.
fn idle(program: &Program) -> BTreeSet<Span> {
    let proofs = Proofs::of(program);
    let never = proofs.conditions.iter().filter(|one| one.never.is_some());
    let mut idle: BTreeSet<Span> = never.map(|one| one.written.span).collect();
    for group in proofs.groups {
        let fates = group.rules.iter().zip(&group.fates);
        let covered = fates.filter(|(_, fate)| matches!(fate, Fate::Covered { .. }));
        idle.extend(covered.map(|(rule, _)| rule.span));
    }
    idle
}

/// Takes out rules that mean the same in both.
fn cancel(before: &mut Vec<Rule<'_>>, after: &mut Vec<Rule<'_>>) {
    let mut left: BTreeMap<Meaning, usize> = BTreeMap::new();
    for rule in before.iter() {
        *left.entry(meaning(rule)).or_insert(0) += 1;
    }
    let mut both: BTreeMap<Meaning, usize> = BTreeMap::new();
    after.retain(|rule| {
        let meaning = meaning(rule);
        match left.get_mut(&meaning) {
            Some(count) if *count > 0 => {
                *count -= 1;
                *both.entry(meaning).or_insert(0) += 1;
                false
            }
            _ => true,
        }
    });
    before.retain(|rule| match both.get_mut(&meaning(rule)) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    });
}

fn meaning(rule: &Rule<'_>) -> Meaning {
    let text = format!("{:?} {}{}", rule.section, rule.effect, conditions(rule));
    (rule.kind, text)
}

/// Its expressions as text that is equal for those that are written alike.
fn conditions(rule: &Rule<'_>) -> String {
    let expressions = rule.expressions.iter();
    expressions
        .map(|(word, typed)| format!(" {word} {:?}", typed.without_spans().kind))
        .collect()
}

type Pair<'a> = (Option<Rule<'a>>, Option<Rule<'a>>);

/// Pairs rules of one kind and label, then those that do the same under another condition, then those that do something
/// else under the same; the rest stays alone.
fn pair<'a>(before: Vec<Rule<'a>>, mut after: Vec<Rule<'a>>) -> Vec<Pair<'a>> {
    let take = |after: &mut Vec<Rule<'a>>, wanted: &dyn Fn(&Rule<'a>) -> bool| {
        let at = after.iter().position(wanted)?;
        Some(after.remove(at))
    };
    let mut pairs: Vec<Pair<'a>> = Vec::new();
    for rule in before {
        let other = take(&mut after, &|other| {
            (other.kind, other.section, other.label) == (rule.kind, rule.section, rule.label)
        });
        pairs.push((Some(rule), other));
    }
    let alike: [fn(&Rule<'_>) -> String; 2] = [|rule| rule.effect.clone(), conditions];
    for alike in alike {
        for (rule, slot) in &mut pairs {
            if let (Some(rule), None) = (rule.as_ref(), slot.as_ref()) {
                *slot = take(&mut after, &|other| {
                    (other.kind, other.section) == (rule.kind, rule.section)
                        && alike(other) == alike(rule)
                });
            }
        }
    }
    pairs.extend(after.into_iter().map(|rule| (None, Some(rule))));
    pairs
}

/// Whether a pair that is written differently certainly means the same.
fn is_same(old: Option<&Rule<'_>>, new: Option<&Rule<'_>>) -> bool {
    let (Some(old), Some(new)) = (old, new) else {
        return false;
    };
    old.effect == new.effect
        && old.expressions.len() == new.expressions.len()
        && old
            .expressions
            .iter()
            .zip(&new.expressions)
            .all(|(old, new)| old.0 == new.0 && super::equivalence::equivalent(old.1, new.1))
}

fn change(
    (old_side, old): (Side<'_>, Option<&Rule<'_>>),
    (new_side, new): (Side<'_>, Option<&Rule<'_>>),
    search: &mut Search<'_>,
) -> Change {
    let kind = match (old, new) {
        (None, _) => ChangeKind::Added,
        (_, None) => ChangeKind::Removed,
        _ => ChangeKind::Changed,
    };
    let subject = new.or(old).map_or_else(String::new, |rule| {
        let section = rule.section.filter(|name| !name.is_empty());
        let within = section.map_or_else(String::new, |name| format!(" of content `{name}`"));
        format!("{} `{}`{within}", rule.kind, rule.label)
    });
    Change {
        kind,
        subject,
        details: details((old_side, old), (new_side, new)),
        old: old.map(|rule| place(old_side, rule.span)),
        new: new.map(|rule| place(new_side, rule.span)),
        is_rule: true,
        witness: witness(old, new, (old_side, new_side), search),
    }
}

/// What was said and what is, without what stayed.
fn details(
    (old_side, old): (Side<'_>, Option<&Rule<'_>>),
    (new_side, new): (Side<'_>, Option<&Rule<'_>>),
) -> Vec<String> {
    let written = |side: Side<'_>, rule: &Rule<'_>| -> Vec<String> {
        let expressions = rule.expressions.iter().map(|(word, typed)| {
            let words: Vec<&str> = side.sources.text(typed.span).split_whitespace().collect();
            format!("{word} {}", words.join(" "))
        });
        std::iter::once(rule.effect.clone())
            .chain(expressions)
            .collect()
    };
    match (old, new) {
        (Some(old), Some(new)) => {
            let (old, new) = (written(old_side, old), written(new_side, new));
            let mut details = Vec::new();
            for index in 0..old.len().max(new.len()) {
                let (was, is) = (old.get(index), new.get(index));
                if was != is {
                    let nothing = "nothing".to_owned();
                    let (was, is) = (was.unwrap_or(&nothing), is.unwrap_or(&nothing));
                    details.push(format!("{was} -> {is}"));
                }
            }
            details
        }
        (Some(rule), None) => vec![written(old_side, rule).join(" ")],
        (None, Some(rule)) => vec![written(new_side, rule).join(" ")],
        (None, None) => Vec::new(),
    }
}

fn witness(
    old: Option<&Rule<'_>>,
    new: Option<&Rule<'_>>,
    (old_side, new_side): (Side<'_>, Side<'_>),
    search: &mut Search<'_>,
) -> Option<super::Witness> {
    let both = || old.into_iter().chain(new);
    let conditions = both().flat_map(|rule| rule.expressions.iter().map(|(_, typed)| *typed));
    let callers = callers(old, new);
    let before = before((old, new), new_side.program, &callers);
    let acts = |side: Side<'_>, rule: Option<&Rule<'_>>, explanation: &Explanation| {
        let rule = rule?;
        let (_, line, _) = side.sources.position(rule.span);
        let mut rules = explanation.rules.iter();
        let found = rules.find(|one| {
            one.kind == rule.kind
                && one.line == line
                && (one.label == rule.label || rule.kind == "keep")
        });
        found.map(|one| one.matched)
    };
    // What one of them does and the other does not, or both do and differently.
    let is_meant = |both: &Both| {
        let was = acts(old_side, old, &both.old.2);
        let is = acts(new_side, new, &both.new.2);
        was == Some(true) || is == Some(true)
    };
    search.witness(&Goal {
        conditions: conditions.collect(),
        section: both().find_map(|rule| rule.section),
        names: Vec::new(),
        before,
        is_of_time: old
            .zip(new)
            .is_some_and(|(old, new)| lasts(old) != lasts(new)),
        is_meant: &is_meant,
    })
}

/// What may have happened before a call that shows the change of a rule.
fn before<'a>(
    (old, new): (Option<&Rule<'a>>, Option<&Rule<'a>>),
    program: &'a Program,
    callers: &'a [(Slot, Value)],
) -> Vec<Before<'a>> {
    let both = || old.into_iter().chain(new);
    let index = |rule: Option<&Rule<'_>>| rule.and_then(|rule| Some(rule.quota?.0));
    let others = || std::iter::once(None).chain(callers.iter().map(Some));
    let quotas = both().filter_map(|rule| rule.quota);
    let mut levels: Vec<u64> = quotas.flat_map(|(_, quota)| levels(quota)).collect();
    // What refuses shows more than what warns.
    levels.sort_unstable_by(|one, other| other.cmp(one));
    levels.dedup();
    let used = levels.into_iter().flat_map(|amount| {
        others().map(move |other| {
            Event::Used(Used {
                old: index(old),
                new: index(new),
                amount,
                other,
            })
        })
    });
    let keeps = both().any(|rule| rule.kind == "keep");
    let tiers = program.tiers.iter().rev().filter(|_| keeps);
    let sessions = tiers.map(|tier| Event::Session(&tier.name.value));
    used.chain(sessions).map(Before::now).collect()
}

/// In what another call may differ, where a quota counts each by another word than it did.
fn callers(old: Option<&Rule<'_>>, new: Option<&Rule<'_>>) -> Vec<(Slot, Value)> {
    let (Some(old), Some(new)) = (old, new) else {
        return Vec::new();
    };
    let expressions = old.expressions.iter().chain(&new.expressions);
    let per = expressions.filter(|(word, _)| *word == "per");
    let slots = slots::slots(per.map(|(_, typed)| *typed), &[]);
    let others = slots.into_iter().filter_map(|(slot, values)| {
        let other = match values.iter().any(Value::is_string) {
            true => Value::from("another"),
            false => values.last()?.clone(),
        };
        Some((slot, other))
    });
    match old.quota.is_some() && conditions(old) != conditions(new) {
        true => others.collect(),
        false => Vec::new(),
    }
}

/// For how long a rule remembers, as text.
fn lasts(rule: &Rule<'_>) -> String {
    match rule.quota {
        Some((_, quota)) => format!("{} {:?}", window(quota), quota.burst),
        None => rule.effect.clone(),
    }
}

/// How much of a quota may be used before the call, so that each outcome comes into play.
fn levels(quota: &Quota) -> Vec<u64> {
    let capacity = quota.burst.unwrap_or_else(|| quota.amount.value.units());
    let shares = quota.outcomes.iter().map(|outcome| {
        let level = u128::from(capacity) * u128::from(outcome.share.0) / 10_000;
        u64::try_from(level).unwrap_or(u64::MAX)
    });
    shares.collect()
}

fn rules(program: &Program) -> Vec<Rule<'_>> {
    let tier = |index: usize| {
        let tier = program.tiers.get(index);
        tier.map_or_else(String::new, |tier| tier.name.value.clone())
    };
    let mut all = Vec::new();
    for content in &program.contents {
        let section = Some(content.name.as_str());
        all.extend(content.escalations.iter().map(|one| Rule {
            section,
            ..conditional(
                "escalate",
                &one.label,
                one.span,
                format!("to {}", tier(one.tier)),
                &one.when,
            )
        }));
        all.extend(content.keep.iter().map(|keep| Rule {
            kind: "keep",
            section,
            label: "session",
            span: keep.span,
            effect: format!("for {}", duration(keep.window)),
            expressions: vec![("session", &keep.session)],
            quota: None,
        }));
    }
    let policy = &program.policy;
    all.extend(policy.caps.iter().map(|one| {
        let effect = format!("at {}", tier(one.tier));
        conditional("cap", &one.label, one.span, effect, &one.when)
    }));
    all.extend(policy.denials.iter().map(|one| {
        let effect = format!("status {}", one.status);
        conditional("deny", &one.label, one.span, effect, &one.when)
    }));
    all.extend(
        (0..)
            .zip(&policy.quotas)
            .map(|(index, one)| of_quota(index, one, program)),
    );
    all.extend(policy.priorities.iter().map(|one| Rule {
        kind: "priority",
        section: None,
        label: &one.label.text,
        span: one.span,
        effect: one.value.to_string(),
        expressions: one.when.iter().map(|when| ("when", when)).collect(),
        quota: None,
    }));
    all
}

fn conditional<'a>(
    kind: &'static str,
    label: &'a Label,
    span: Span,
    effect: String,
    when: &'a Typed,
) -> Rule<'a> {
    Rule {
        kind,
        section: None,
        label: &label.text,
        span,
        effect,
        expressions: vec![("when", when)],
        quota: None,
    }
}

fn of_quota<'a>(index: u16, quota: &'a Quota, program: &Program) -> Rule<'a> {
    let on = quota
        .on
        .as_ref()
        .and_then(|on| program.models.get(on.value));
    let on = on.map_or_else(String::new, |model| format!(" on {}", model.name.value));
    let burst = quota.burst.map_or_else(String::new, |burst| {
        format!(" burst {}", amount_of(quota, burst))
    });
    let outcomes: Vec<String> = quota
        .outcomes
        .iter()
        .map(|outcome| {
            let what = match outcome.action {
                Action::Warn => "warn".to_owned(),
                Action::Deny => "deny".to_owned(),
                Action::Wait(time) => format!("wait {}", duration(time)),
                Action::CapAt(tier) => {
                    let tier = program.tiers.get(tier);
                    format!("cap at {}", tier.map_or("", |tier| &tier.name.value))
                }
            };
            format!("at {} {what}", percent(outcome.share.0))
        })
        .collect();
    let rate = format!("{} / {}", written_amount(quota), window(quota));
    Rule {
        kind: if quota.budget { "budget" } else { "limit" },
        section: None,
        label: &quota.label.text,
        span: quota.span,
        effect: format!("{rate}{on}{burst} {{ {} }}", outcomes.join("  ")),
        expressions: (quota.per.iter().map(|per| ("per", per)))
            .chain(quota.when.iter().map(|when| ("when", when)))
            .collect(),
        quota: Some((index, quota)),
    }
}

fn written_amount(quota: &Quota) -> String {
    amount_of(quota, quota.amount.value.units())
}

/// An amount in a quota's unit: `$50`, `600 requests`.
pub(super) fn amount_of(quota: &Quota, amount: u64) -> String {
    match quota.amount.value {
        Amount::Requests(_) => format!("{amount} requests"),
        Amount::Tokens(_) => format!("{amount} tokens"),
        Amount::Money(_) => dollars(i64::try_from(amount).unwrap_or(i64::MAX)),
        Amount::Repeats(_) => format!("{amount} repeats"),
        Amount::Concurrent(_) => format!("{amount} concurrent"),
    }
}

/// Nano-dollars as an author writes them: `$50`, `$1.25`.
pub(super) fn dollars(nanos: i64) -> String {
    let text = NanoDollars(nanos).to_string();
    format!("${}", text.trim_end_matches('0').trim_end_matches('.'))
}

fn window(quota: &Quota) -> String {
    let name = match &quota.window.value {
        Window::Rolling(length) => return duration(*length),
        Window::Sliding(length) => return format!("sliding {}", duration(*length)),
        Window::Session(idle) => {
            let idle = session_idle(idle.as_ref());
            return format!("session idle {}", duration(idle));
        }
        Window::Call => "call",
        Window::Open => "open",
        Window::Day => "day",
        Window::Week => "week",
        Window::Month => "month",
        Window::Other(word) => word,
    };
    match &*quota.zone {
        "UTC" | "" => name.to_owned(),
        zone => format!("{name} in \"{zone}\""),
    }
}

/// Milliseconds in the largest unit that has no rest: `10m`.
pub(super) fn duration(milliseconds: u64) -> String {
    let units = [
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "m"),
        (1_000, "s"),
    ];
    let whole = units
        .into_iter()
        .find(|(unit, _)| milliseconds > 0 && milliseconds.is_multiple_of(*unit));
    match whole {
        Some((unit, name)) => format!("{}{name}", milliseconds / unit),
        None => format!("{milliseconds}ms"),
    }
}

/// Hundredths of a percent: `80%`, `12.5%`.
pub(super) fn percent(hundredths: u32) -> String {
    let fraction = format!("{:02}", hundredths % 100);
    match fraction.trim_end_matches('0') {
        "" => format!("{}%", hundredths / 100),
        fraction => format!("{}.{fraction}%", hundredths / 100),
    }
}

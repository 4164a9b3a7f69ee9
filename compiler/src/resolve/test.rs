//! `test "…" { given { … } expect { … } }`: names and labels that tests speak of.

use jiff::Timestamp;
use waypost_lang::codes;
use waypost_lang::diagnostic::nearest;
use waypost_lang::source::Spanned;
use waypost_lang::syntax::tree::{ExpectKind, Given, Name, Text};

use super::bounds::{number, out_of_range};
use super::collected::Collected;
use super::context::Context;
use super::names::{unknown, write};
use super::values::{missing, word};
use crate::program::{Action, Content, Label, Policy, Quota, Test};

const CALLER_FIELDS: &[(&str, ())] = &[
    ("key", ()),
    ("team", ()),
    ("agent", ()),
    ("plan", ()),
    ("name", ()),
];

pub(crate) fn resolve(
    collected: &Collected<'_>,
    contents: &[Content],
    policy: &Policy,
    context: &mut Context<'_>,
) -> Vec<Test> {
    let mut tests: Vec<Test> = Vec::new();
    for test in &collected.tests {
        if let Some(first) = tests.iter().find(|one| one.name.value == test.name.value) {
            context.findings.push(
                codes::DUPLICATE_LABEL
                    .error(
                        test.name.span,
                        format!("two tests are called `{}`", test.name.value),
                    )
                    .label("used again here")
                    .because(first.name.span, "first used here")
                    .help("write another name"),
            );
        }
        for given in &test.given {
            check_given(given, context);
        }
        let owner = format!("the test `{}`", test.name.value);
        if test.expect.is_empty() {
            let why = "would pass whatever happens";
            let example = "expect { tier weak }";
            let at = test.name.span;
            missing(at, &owner, "expect", why, example, context.findings);
        }
        for expect in &test.expect {
            check_expect(&expect.kind, contents, policy, context);
        }
        tests.push(Test {
            name: test.name.clone(),
            given: test.given.clone(),
            expect: test.expect.clone(),
        });
    }
    tests
}

fn check_given(given: &Given, context: &mut Context<'_>) {
    match given {
        Given::Caller(field, _) => {
            word("field of `caller`", field, CALLER_FIELDS, context.findings);
        }
        Given::Spent(_, Some(name)) => check_on(name, context),
        Given::Difficulty(value) => probability(value, context),
        Given::Count(field, turns) if field.value == "turns" => {
            number("turns", turns, 1, u64::MAX, context.findings);
        }
        Given::Temperature(value) if value.value < 0.0 => out_of_range(
            value.span,
            "a temperature below zero",
            "no model takes it",
            "write 0 or more",
            context.findings,
        ),
        Given::Now(text) if text.value.parse::<Timestamp>().is_err() => out_of_range(
            text.span,
            format!("`{}` is no point in time", text.value),
            "not a date, a time and a zone",
            "write, for example, `\"2026-01-31T23:59:59Z\"`",
            context.findings,
        ),
        _ => {}
    }
}

fn probability(value: &Spanned<f64>, context: &mut Context<'_>) {
    if !(0.0..=1.0).contains(&value.value) {
        out_of_range(
            value.span,
            format!("a difficulty cannot be {}", value.value),
            "not a probability",
            "write a number from 0 to 1",
            context.findings,
        );
    }
}

fn check_on(name: &Name, context: &mut Context<'_>) {
    let names = &context.names;
    let known = names.models.get(&name.value).is_some()
        || names.tiers.get(&name.value).is_some()
        || names.unchained.contains(&name.value);
    if !known {
        let candidates = names.models.names().chain(names.tiers.names());
        let found = unknown("model or tier", "tier NAME { try MODEL }", name, candidates);
        context.findings.push(found);
    }
}

fn check_expect(
    expect: &ExpectKind,
    contents: &[Content],
    policy: &Policy,
    context: &mut Context<'_>,
) {
    let has = |quota: &Quota, wanted: fn(Action) -> bool| {
        quota.outcomes.iter().any(|outcome| wanted(outcome.action))
    };
    let quotas = |wanted: fn(Action) -> bool| {
        let quotas = policy.quotas.iter();
        quotas
            .filter(move |quota| has(quota, wanted))
            .map(|quota| &quota.label)
    };
    match expect {
        ExpectKind::Tier(name) => drop(context.tier(name)),
        ExpectKind::Model(name) => drop(context.names.models.resolve(name, context.findings)),
        ExpectKind::EscalatedBy(text) => {
            let rules = contents.iter().flat_map(|content| &content.escalations);
            known_label("escalates", text, rules.map(|rule| &rule.label), context);
        }
        ExpectKind::CappedBy(text) => {
            let caps = policy.caps.iter().map(|rule| &rule.label);
            let quotas = quotas(|action| matches!(action, Action::CapAt(_)));
            known_label("caps", text, caps.chain(quotas), context);
        }
        ExpectKind::Denied(Some(text)) => {
            let denials = policy.denials.iter().map(|rule| &rule.label);
            known_label("denies", text, denials, context);
        }
        ExpectKind::LimitedBy(text) => {
            known_label(
                "limits",
                text,
                quotas(|action| action != Action::Warn),
                context,
            );
        }
        ExpectKind::WarnedBy(text) => {
            known_label(
                "warns",
                text,
                quotas(|action| action == Action::Warn),
                context,
            );
        }
        ExpectKind::Status(status) => {
            number("a status", status, 100, 599, context.findings);
        }
        ExpectKind::CostBelow(_) | ExpectKind::Denied(None) | ExpectKind::Priority(_) => {}
    }
}

/// Reports a label that no rule of this effect has.
fn known_label<'a>(
    effect: &str,
    text: &Text,
    labels: impl Iterator<Item = &'a Label>,
    context: &mut Context<'_>,
) {
    let labels: Vec<&str> = labels.map(|label| label.text.as_str()).collect();
    // A rule with an error was left out, and may be the one that is meant.
    if context.findings.has_errors() || labels.contains(&text.value.as_str()) {
        return;
    }
    let message = format!("no rule called `{}` {effect} a call", text.value);
    let diagnostic = codes::UNKNOWN_NAME
        .error(text.span, message)
        .label("the test could never pass");
    context
        .findings
        .push(match nearest(&text.value, labels.iter().copied()) {
            Some(near) => {
                let written = format!("\"{}\"", near.replace('\\', "\\\\").replace('"', "\\\""));
                diagnostic
                    .help(format!("did you mean `{near}`?"))
                    .fix(format!("write `{near}`"), [write(text.span, &written)])
            }
            None if labels.is_empty() => diagnostic.help(format!("no rule {effect} calls")),
            None => diagnostic.help(format!("such rules are called `{}`", labels.join("`, `"))),
        });
}

//! No claim is false: what a lint calls dead, idle, always true or redundant is taken out, and no decision may change.
//!
//! Generated files over a small vocabulary, so that rules often cover one another; each claim is then held against many calls,
//! drawn from the constants of that vocabulary and their neighbours. Failing arithmetic, NaN, missing headers and claims of
//! other types are among them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

mod calls;
mod generator;

use std::collections::BTreeMap;

use proptest::prelude::*;
use waypost_compiler::{check, lint, lower};
use waypost_lang::Diagnostic;
use waypost_policies::decision::{Decision, Outcome, SkipReason};
use waypost_policies::limits::State;
use waypost_policies::plan::{Plan, encode};
use waypost_policies::{Evaluation, decide};

use calls::{Call, calls};
use generator::Choices;

/// Sessions and keys are hashed with this; the same for all plans that are compared.
const SECRET: [u64; 2] = [1, 2];

fn plan(text: &str) -> Option<Plan> {
    let checked = check("a.route", text, &|_: &str| None);
    let program = checked.program?;
    let image = encode(&lower(&program, &checked.sources));
    Some(Plan::load(image).expect("a plan that loads"))
}

/// What a decision comes to, without the names of the rules that share the credit.
fn essence(decision: &Decision) -> String {
    let reason = |reason: &SkipReason| match reason {
        SkipReason::Context => "context",
        SkipReason::Surface => "surface",
        SkipReason::Lacks(capability) => capability.word(),
        SkipReason::Unpriced(what) => what,
        SkipReason::NotAllowed => "not allowed",
        SkipReason::Cap(_) => "cap",
        SkipReason::QuotaCap(_) => "quota cap",
        SkipReason::Denial(_) => "denial",
        SkipReason::Quota(_) => "quota",
        SkipReason::Failed => "failed",
    };
    let outcome = match &decision.outcome {
        Outcome::Route(route) => {
            let skipped: Vec<_> = route
                .skipped
                .iter()
                .map(|one| (one.model, reason(&one.reason)))
                .collect();
            format!(
                "{} {} {:?} {} {skipped:?}",
                route.model, route.step, route.ceiling, route.max_tokens
            )
        }
        Outcome::Denied { status, .. } => format!("denied {status}"),
        Outcome::Limited { .. } => "limited".to_owned(),
        Outcome::NoModel(skipped) => {
            let skipped: Vec<_> = skipped
                .iter()
                .map(|one| (one.model, reason(&one.reason)))
                .collect();
            format!("no model {skipped:?}")
        }
        Outcome::UnknownModel => "unknown".to_owned(),
    };
    format!(
        "{:?} {} {} {:?} {} {outcome}",
        decision.content, decision.content_tier, decision.tier, decision.named, decision.priority.0
    )
}

/// What becomes of calls, one after another, where each that is admitted takes its share of every quota and raises its session.
fn course(plan: &Plan, calls: &[Call]) -> Vec<(Decision, String)> {
    let state = State::new(plan, SECRET);
    let mut evaluation = Evaluation::default();
    let mut held = Vec::new();
    let mut decisions = Vec::new();
    for call in calls {
        let request = call.request(plan);
        let facts = call.facts(&request, plan);
        let decision = decide(plan, &facts, &state, &mut evaluation);
        if let Outcome::Route(route) = &decision.outcome {
            held.extend(state.reserve(&route.charges, facts.now).ok());
            if let Some(floor) = decision.session {
                state.raise_floor(floor, facts.now);
            }
        }
        let essence = essence(&decision);
        decisions.push((decision, essence));
    }
    decisions
}

/// The text without the line of a finding.
fn without_line(text: &str, at: u32) -> String {
    let at = at as usize;
    let start = text[..at].rfind('\n').map_or(0, |line| line + 1);
    let end = text[at..]
        .find('\n')
        .map_or(text.len(), |line| at + line + 1);
    format!("{}{}", &text[..start], &text[end..])
}

/// The text with a condition that is always true in place of the finding's.
fn with_true(text: &str, at: u32) -> String {
    let at = at as usize;
    let end = text[at..].find('\n').map_or(text.len(), |line| at + line);
    let when = text[..at].rfind(" when ").expect("a condition");
    format!("{} when true{}", &text[..when], &text[end..])
}

fn edited(text: &str, finding: &Diagnostic) -> Option<String> {
    let fix = finding.fix.as_ref()?;
    let mut text = text.to_owned();
    for edit in fix.edits.iter().rev() {
        text.replace_range(edit.span.start as usize..edit.span.end as usize, &edit.text);
    }
    Some(text)
}

/// The file that a claim says to be the same.
fn claimed(text: &str, finding: &Diagnostic) -> Option<String> {
    let at = finding.primary.span.start;
    match finding.code.number {
        "WP0401" | "WP0402" | "WP0405" | "WP0406" | "WP0408" | "WP0409" | "WP0412" => {
            Some(without_line(text, at))
        }
        "WP0403" => Some(with_true(text, at)),
        "WP0404" => edited(text, finding),
        _ => None,
    }
}

fn same(text: &str, before: &[(Decision, String)], other: &str, claim: &str, calls: &[Call]) {
    let Some(changed) = plan(other) else {
        panic!("{claim}: what is left does not compile\n{other}");
    };
    let after = course(&changed, calls);
    for ((before, after), call) in before.iter().zip(&after).zip(calls) {
        assert_eq!(
            before.1, after.1,
            "{claim}\n{text}\n--- without it\n{other}\n{call:#?}"
        );
    }
}

fn examine(numbers: Vec<u32>, seed: u64) -> BTreeMap<&'static str, usize> {
    let text = Choices::new(numbers).file();
    let checked = check("a.route", &text, &|_: &str| None);
    assert!(
        checked.program.is_some(),
        "{text}\n{:#?}",
        checked.diagnostics
    );
    let findings = lint(&checked, None);
    let calls = calls(seed);
    let before = course(&plan(&text).unwrap(), &calls);
    let mut counts = BTreeMap::new();
    let mut deleted = Vec::new();
    for finding in &findings {
        let claim = format!("{} {}", finding.code.number, finding.message);
        if finding.code.number == "WP0407" {
            let name = finding.message.split('`').nth(1).unwrap();
            let tier: u16 = name[1..].parse().unwrap();
            for (decision, _) in &before {
                let routed = matches!(decision.outcome, Outcome::Route(_));
                assert!(!routed || decision.tier != tier, "{claim}\n{text}");
            }
        }
        if let Some(other) = claimed(&text, finding) {
            same(&text, &before, &other, &claim, &calls);
            *counts.entry(finding.code.number).or_default() += 1;
        }
        if let Some(fix) = &finding.fix
            && finding.code.number < "WP0413"
        {
            deleted.extend(fix.edits.iter().map(|edit| edit.span));
        }
    }
    deleted.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
    let mut all = text.clone();
    let mut kept: Vec<waypost_lang::Span> = Vec::new();
    for span in deleted {
        if kept.last().is_none_or(|last| last.end <= span.start) {
            kept.push(span);
        }
    }
    for span in kept.iter().rev() {
        all.replace_range(span.start as usize..span.end as usize, "");
    }
    same(&text, &before, &all, "every fix at once", &calls);
    counts
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_claim_is_false(numbers in prop::collection::vec(any::<u32>(), 500), seed: u64) {
        examine(numbers, seed);
    }
}

/// The property says something only if there are claims.
#[test]
fn the_generator_makes_every_claim() {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..120 {
        let numbers = (0..500).map(|_| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            (seed >> 20) as u32
        });
        for (code, count) in examine(numbers.collect(), seed) {
            *counts.entry(code).or_default() += count;
        }
    }
    println!("claims: {counts:?}");
    for code in [
        "WP0401", "WP0402", "WP0403", "WP0404", "WP0405", "WP0408", "WP0409", "WP0412",
    ] {
        assert!(counts.contains_key(code), "{code}: {counts:?}");
    }
}

//! Moving a rule never changes a decision: the same statements in many orders decide the same.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::net::{IpAddr, Ipv4Addr};

use waypost_compiler::{check, lower};
use waypost_policies::limits::State;
use waypost_policies::plan::{Plan, encode};
use waypost_policies::{Caller, Evaluation, Facts, Outcome, decide, example};

/// Top-level statements; those of one section are blocks of their own, which merge.
const STATEMENTS: &[&str] = &[
    "provider hosted { kind openai  auth none }",
    "model big { via hosted  context 400k  output 128k  price input $1.25  output $10.00 }",
    "model middle { via hosted  context 400k  output 64k  price input $0.50  output $2.00 }",
    "model small { via hosted  context 128k  output 4k  price input $0.04  output $0.08 }",
    "tiers weak < fair < strong",
    "tier weak { try small then middle }",
    "tier fair { try middle then big }",
    "tier strong { try big }",
    "content { accept \"auto\" }",
    "content { accept models, \"auto-*\" }",
    "content { start weak }",
    "content { escalate to fair \"longer\" when request.tokens > 20 }",
    "content { escalate to strong \"long\" when request.tokens > 60 }",
    "content { escalate to strong \"urgent\" when request.prompt.contains(\"urgent\") }",
    "policy { callers { anonymous allow } }",
    "policy { cap at fair \"no frontier\" when caller.plan == \"basic\" }",
    "policy { cap at weak \"free\" when caller.plan == \"free\" }",
    "policy { deny \"sandbox\" status 403 when caller.team == \"sandbox\" && tier == \"strong\" }",
    "policy { limit 5 requests / 1m per caller.team }",
    "policy { budget $1 / day per caller.team on strong { at 100% cap at weak } }",
    "policy { priority 10 \"paying\" when caller.plan == \"pro\" }",
];

fn plan(order: &[usize]) -> Plan {
    let statements: Vec<&str> = order.iter().map(|at| STATEMENTS[*at]).collect();
    let text = format!("waypost 1\n{}\n", statements.join("\n"));
    let checked = check("order.route", &text, &|_: &str| None);
    let messages: Vec<&str> = checked
        .diagnostics
        .iter()
        .map(|one| one.message.as_str())
        .collect();
    let program = checked
        .program
        .unwrap_or_else(|| panic!("{messages:?}\n{text}"));
    Plan::load(encode(&lower(&program, &checked.sources))).unwrap()
}

/// What one call gets, by names.
fn decided(plan: &Plan, model: &str, prompt: &str, team: &str, paid: &str) -> String {
    let state = State::new(plan, [1, 2]);
    let mut request = example::request(prompt);
    request.model = model.into();
    let facts = Facts {
        request: &request,
        caller: Caller {
            team: team.into(),
            plan: paid.into(),
            ..Caller::default()
        },
        source_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
        now: 1_768_478_400_000_000_000,
        difficulty: None,
    };
    let decision = decide(plan, &facts, &state, &mut Evaluation::default());
    let tier = plan.tiers().nth(decision.tier.into()).unwrap();
    let outcome = match &decision.outcome {
        Outcome::Route(route) => {
            let model = plan.model(route.model).unwrap();
            format!(
                "{} {:?} {}",
                model.name(),
                route.ceiling,
                route.charges.len()
            )
        }
        Outcome::Denied { status, .. } => format!("denied {status}"),
        other => format!("{other:?}"),
    };
    format!("{} {outcome} {}", tier.name(), decision.priority.0)
}

fn all_decided(plan: &Plan) -> Vec<String> {
    let long = "a long question about the meaning of routes ".repeat(3);
    let longer = long.repeat(4);
    let mut decisions = Vec::new();
    for model in ["auto", "auto-x", "big", "unknown"] {
        for prompt in ["2+2", "urgent: 2+2", &long, &longer] {
            for (team, paid) in [
                ("payments", "pro"),
                ("sandbox", ""),
                ("x", "free"),
                ("x", "basic"),
            ] {
                decisions.push(decided(plan, model, prompt, team, paid));
            }
        }
    }
    decisions
}

#[test]
fn any_order_of_statements_decides_the_same() {
    let count = STATEMENTS.len();
    let written: Vec<usize> = (0..count).collect();
    let expected = all_decided(&plan(&written));
    assert!(expected.iter().any(|one| one.starts_with("strong big")));
    assert!(expected.iter().any(|one| one.contains("denied 403")));
    assert!(expected.iter().any(|one| one.starts_with("fair middle")));
    // Steps that share no factor with the count visit every statement once.
    for step in [1, 2, 4, 5, 8, 10, 11, 13, 16, 17, 19, 20] {
        for from in [0, 3, 9] {
            let order: Vec<usize> = (0..count).map(|at| (from + at * step) % count).collect();
            assert_eq!(all_decided(&plan(&order)), expected, "{order:?}");
        }
    }
}

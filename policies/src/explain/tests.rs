//! The shape of an explanation.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::explain;
use crate::example;
use crate::limits::State;
use crate::plan::{Plan, encode};
use crate::vm::Evaluation;

fn explained(plan_name: &'static str, tokens: u64) -> Value {
    let plan = Plan::load(encode(&example::draft())).unwrap();
    let state = State::new(&plan, [1, 2]);
    let mut request = example::request("What is 2+2?");
    request.tokens = tokens;
    let mut facts = example::facts(&request);
    facts.difficulty = Some(0.71);
    facts.caller.plan = Cow::Borrowed(plan_name);
    let explanation = explain(&plan, &facts, &state, &mut Evaluation::default());
    serde_json::to_value(explanation).unwrap()
}

#[test]
fn it_has_the_documented_shape() {
    let shown = explained("free", 30_000);
    assert_eq!(shown["version"], 1);
    assert_eq!(shown["decision"], "route");
    assert_eq!(shown["status"], 200);
    assert_eq!(shown["tier"], "weak");
    assert_eq!(shown["content_tier"], "strong");
    assert_eq!(shown["start"], "weak");
    assert_eq!(shown["model"], "phi-4-mini");
    assert_eq!(shown["capped_by"], "free plan");
    assert_eq!(shown["difficulty"], 0.71);
    assert_eq!(
        shown["cost"],
        json!({"estimate_usd": "0.00122048", "ceiling_usd": "0.00124"})
    );
    let rules = shown["rules"].as_array().unwrap();
    let kinds: Vec<_> = rules
        .iter()
        .map(|rule| rule["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "escalate", "escalate", "escalate", "keep", "cap", "limit", "limit", "budget",
            "budget", "deny", "priority"
        ]
    );
    assert_eq!(
        rules[2],
        json!({
            "kind": "escalate", "label": "hard prompt", "file": "agents.route", "line": 48,
            "matched": true, "to": "strong", "expression": "difficulty >= threshold",
            "values": {"difficulty": 0.71, "threshold": 0.42},
        })
    );
    assert_eq!(
        rules[3]["values"],
        json!({"request.headers[\"x-session-id\"]": null})
    );
    assert_eq!(rules[4]["matched"], true);
    assert_eq!(rules[4]["values"], json!({"caller.plan": "free"}));
    assert_eq!(
        rules[7]["quota"]["reserves"], "0.0425",
        "what it would have cost on the content tier"
    );
    assert_eq!(rules[7]["values"], json!({"caller.team": "payments"}));
}

#[test]
fn an_unknown_model_has_no_rules() {
    let plan = Plan::load(encode(&example::draft())).unwrap();
    let state = State::new(&plan, [1, 2]);
    let mut request = example::request("");
    request.model = Cow::Borrowed("nobody");
    let explanation = explain(
        &plan,
        &example::facts(&request),
        &state,
        &mut Evaluation::default(),
    );
    assert_eq!(
        serde_json::to_value(explanation).unwrap(),
        json!({"version": 1, "decision": "unknown-model", "status": 404, "priority": 0, "rules": []})
    );
}

#[test]
fn it_says_what_the_decision_says() {
    let plan = Plan::load(encode(&example::draft())).unwrap();
    let state = State::new(&plan, [1, 2]);
    let mut evaluation = Evaluation::default();
    for (plan_name, team, tokens) in [
        ("", "payments", 100),
        ("", "payments", 30_000),
        ("", "payments", 70_000),
        ("free", "payments", 30_000),
        ("", "sandbox", 30_000),
        ("pro", "sandbox", 100),
    ] {
        let mut request = example::request("What is 2+2?");
        request.tokens = tokens;
        let mut facts = example::facts(&request);
        facts.caller.plan = Cow::Borrowed(plan_name);
        facts.caller.team = Cow::Borrowed(team);
        let decision = crate::decide(&plan, &facts, &state, &mut evaluation);
        let explanation = explain(&plan, &facts, &state, &mut evaluation);
        assert_eq!(explanation.decision, decision.outcome.name());
        assert_eq!(explanation.status, decision.outcome.status());
        assert_eq!(
            explanation.tier.as_deref(),
            plan.tier(decision.tier).map(|tier| tier.name())
        );
        assert_eq!(
            explanation.rule.as_deref(),
            Some(plan.rule(decision.rule).label)
        );
        let refused = decision.outcome.refused_by();
        assert_eq!(
            explanation.refused_by.as_deref(),
            refused.map(|rule| plan.rule(rule).label)
        );
        // The rule that refuses is one of those that are shown as matched.
        if let Some(label) = explanation.refused_by {
            let mut rules = explanation.rules.iter();
            assert!(
                rules.any(|rule| rule.label == label && rule.matched),
                "{label}"
            );
        }
    }
}

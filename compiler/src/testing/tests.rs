#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use waypost_lang::SourceMap;
use waypost_policies::Plan;
use waypost_policies::plan::encode;

use super::{Coverage, Outcome, run};
use crate::Program;

const FILE: &str = r#"waypost 1
provider lab { kind openai-compatible  url "http://127.0.0.1:9/v1"  auth none }
model small { via lab  lacks images  context 128k  output 4k  price input $0.04  output $0.08 }
model large { via lab  context 400k  output 128k  price input $1.25  output $10.00 }
tiers weak < strong
tier weak { try small  then large }
tier strong { try large }
content {
  accept "auto"
  start weak
  escalate to strong "writes" when request.tools.exists(t, t.name.startsWith("write_"))
  escalate to strong "long context" when request.tokens > 24000
  threshold 0.42
  escalate to strong "hard prompt" when difficulty >= threshold
  escalate to strong "vip" when request.headers[?"x-priority"].orValue("") == "high"
}
policy {
  callers { anonymous allow }
  deny "sandbox never spends" status 403 when caller.team == "sandbox" && tier == "strong"
  cap at weak "free plan" when caller.plan == "free"
  limit 60k tokens / 1m per caller.agent on strong
  budget $50 / day per caller.team on strong { at 80% warn  at 100% cap at weak }
  budget $900 / month { at 100% deny }
  priority 10 "paying" when caller.plan == "pro"
}
"#;

fn compiled(given: &str, expect: &str) -> (Program, Plan, SourceMap) {
    let text = format!("{FILE}test \"t\" {{\n  given {{ {given} }}\n  expect {{ {expect} }}\n}}\n");
    let checked = crate::check("agents.route", &text, &|_: &str| None);
    let program = checked
        .program
        .unwrap_or_else(|| panic!("{:#?}", checked.diagnostics));
    let plan = Plan::load(encode(&crate::lower(&program, &checked.sources))).unwrap();
    (program, plan, checked.sources)
}

/// Runs one test with this `given` and `expect`.
fn result(given: &str, expect: &str) -> Outcome {
    let (program, plan, _) = compiled(given, expect);
    run(program.tests.first().unwrap(), &program, &plan)
}

/// What did not come.
fn outcome(given: &str, expect: &str) -> Vec<String> {
    let mismatches = result(given, expect).mismatches.into_iter();
    mismatches.map(|one| one.message).collect()
}

fn check_passes(given: &str, expect: &str) {
    assert_eq!(outcome(given, expect), Vec::<String>::new(), "{given}");
}

fn check_fails(given: &str, expect: &str, message: &str) {
    assert_eq!(outcome(given, expect), [message], "{given}");
}

/// Runs a test of the file with one more statement in its policy.
fn outcome_with(rule: &str, given: &str, expect: &str) -> Vec<String> {
    let text = FILE
        .replace("policy {", &format!("policy {{\n  {rule}"))
        .replace(
            "  threshold 0.42\n",
            "  threshold 0.42\n  keep session request.headers[?\"x-run\"].orValue(\"\") for 10m\n",
        );
    let text = format!("{text}test \"t\" {{\n  given {{ {given} }}\n  expect {{ {expect} }}\n}}\n");
    let checked = crate::check("agents.route", &text, &|_: &str| None);
    let program = checked
        .program
        .unwrap_or_else(|| panic!("{:#?}", checked.diagnostics));
    let plan = Plan::load(encode(&crate::lower(&program, &checked.sources))).unwrap();
    let outcome = run(program.tests.first().unwrap(), &program, &plan);
    outcome
        .mismatches
        .into_iter()
        .map(|one| one.message)
        .collect()
}

#[test]
fn what_is_spent_of_any_limit_counts() {
    let none = Vec::<String>::new();
    for (rule, spent, label) in [
        ("limit 40 calls / session", "40 calls", "40 calls / session"),
        ("budget $2 / session", "$2", "$2 / session"),
        ("budget $2 / session idle 5m", "$2", "$2 / session idle 5m"),
        (
            "limit 20 concurrent per caller.team",
            "20 concurrent",
            "20 concurrent",
        ),
        (
            "limit 5 repeats / 10m per caller.key",
            "5 repeats",
            "5 repeats / 10m",
        ),
        (
            "limit 900 requests / sliding 1m",
            "900 requests",
            "900 requests / sliding 1m",
        ),
        (
            "limit 8k tokens / sliding 1h",
            "8k tokens",
            "8k tokens / sliding 1h",
        ),
    ] {
        let given = format!("header \"x-run\" \"a\"  spent {spent}");
        let expect = format!("limited by \"{label}\"  status 429");
        assert_eq!(outcome_with(rule, &given, &expect), none, "{rule}");
        assert_eq!(
            outcome_with(rule, "header \"x-run\" \"a\"", "status 200"),
            none,
            "{rule}"
        );
    }
    let call = "budget $0.001 / call { at 100% cap at weak }";
    assert_eq!(
        outcome_with(
            call,
            "difficulty 0.9  max_tokens 1000",
            "tier weak  capped by \"$0.001 / call\""
        ),
        none
    );
    assert_eq!(
        outcome_with(
            "budget $0.001 / call",
            "difficulty 0.9  max_tokens 1000",
            "limited by \"$0.001 / call\""
        ),
        none
    );
}

#[test]
fn what_is_given_decides() {
    check_passes(
        r#"prompt "What is 2+2?"  caller.team "payments""#,
        "tier weak  model small  cost < $0.001  status 200  priority 0",
    );
    check_passes(
        r#"tools "write_file""#,
        r#"tier strong  escalated by "writes""#,
    );
    check_passes("tokens 30k", r#"escalated by "long context"  model large"#);
    check_passes("difficulty 0.9", r#"escalated by "hard prompt""#);
    check_passes(r#"header "X-Priority" "high""#, r#"escalated by "vip""#);
    check_passes(r#"caller.plan "pro""#, "priority 10");
}

#[test]
fn caps_denials_and_limits() {
    check_passes(
        r#"difficulty 1.0  caller.plan "free""#,
        r#"tier weak  capped by "free plan""#,
    );
    check_passes(
        r#"difficulty 1.0  caller.team "sandbox""#,
        r#"denied by "sandbox never spends"  status 403"#,
    );
    check_passes("spent $900", r#"limited by "$900 / month"  status 429"#);
}

#[test]
fn money_spent_counts_where_it_was_spent() {
    check_passes(
        "difficulty 1.0  spent $50 on strong",
        r#"tier weak  capped by "$50 / day""#,
    );
    check_passes(
        "difficulty 1.0  spent $45 on strong",
        r#"tier strong  warned by "$50 / day""#,
    );
    check_passes("difficulty 1.0  spent $50 on weak", "tier strong");
}

#[test]
fn a_failure_names_the_rule_its_line_and_what_it_read() {
    check_fails(
        "tokens 30211",
        "tier weak",
        "expected tier weak, was strong: escalated by `long context`, line 12: request.tokens = 30211 > 24000",
    );
    check_fails(
        r#"prompt "hi""#,
        "tier strong",
        "expected tier strong, was weak: it starts there, line 10, and no rule raised it",
    );
    check_fails(
        "tokens 12",
        r#"escalated by "long context""#,
        "expected to be escalated by `long context`: it did not match, line 12: request.tokens = 12 > 24000",
    );
    check_fails(
        "spent $900",
        "denied",
        "expected to be denied, but it was limited by `$900 / month`, line 23: $900.0000 of $900.0000 used, this call reserves $0.00032028",
    );
    check_fails(
        r#"model "unheard-of""#,
        "tier weak",
        "expected tier weak, but no `accept` takes the model name that it sends",
    );
}

#[test]
fn each_kind_of_failure_says_why() {
    check_fails(
        "tokens 30k  max_tokens 100",
        "cost < $0.001",
        "expected cost < $0.0010, was $0.0385: 30000 tokens of prompt and 100 of answer at the prices of large, tier strong, escalated by `long context`, line 12: request.tokens = 30000 > 24000",
    );
    check_fails(
        r#"prompt "hi"  caller.team "payments""#,
        r#"denied by "sandbox never spends""#,
        "expected to be denied by `sandbox never spends`, but it was routed to small in tier weak; `sandbox never spends` did not match, line 19: caller.team == \"sandbox\" && tier == \"strong\", with caller.team = \"payments\", tier = \"weak\"",
    );
    check_fails(
        r#"difficulty 1.0  caller.plan "free""#,
        r#"capped by "$50 / day""#,
        "expected to be capped by `$50 / day`, was capped by `free plan`, line 20: caller.plan == \"free\", with caller.plan = \"free\"; `$50 / day` did not match, line 22: $0.0000 of $50.0000 used, this call reserves $0.04096875",
    );
    check_fails(
        r#"prompt "hi"  caller.plan "pro""#,
        "priority 0",
        "expected priority 0, was 10: by `paying`, line 24: caller.plan == \"pro\", with caller.plan = \"pro\"",
    );
    check_fails(
        "tokens 130k",
        "model small",
        "expected model small, but it was limited by `60k tokens / 1m`, line 21: 0 of 60000 tokens used, this call reserves 134096",
    );
    check_fails(
        "tokens 30k",
        "model small",
        "expected model small, was large: tier strong, escalated by `long context`, line 12: request.tokens = 30000 > 24000",
    );
}

#[test]
fn what_came_stands_beside_what_was_expected() {
    let compared = result(
        r#"tokens 30k  caller.team "sandbox""#,
        r#"tier weak  model small  status 403  escalated by "vip"  capped by "free plan""#,
    )
    .compared;
    let lines: Vec<String> = compared
        .iter()
        .map(|one| {
            format!(
                "{} -> {}",
                one.expected,
                one.came.as_deref().unwrap_or("same")
            )
        })
        .collect();
    assert_eq!(
        lines,
        [
            "tier weak -> tier strong",
            "model small -> denied by \"sandbox never spends\"",
            "status 403 -> same",
            "escalated by \"vip\" -> escalated by \"long context\"",
            "capped by \"free plan\" -> not capped",
        ]
    );
}

/// The labels of rules that a call of this `given` reaches.
fn reached(given: &str) -> Vec<String> {
    let mut labels: Vec<String> = result(given, "status 200")
        .reached
        .into_iter()
        .map(|rule| rule.label)
        .collect();
    labels.sort();
    labels
}

#[test]
fn a_rule_is_reached_when_it_matches_or_binds() {
    assert!(reached(r#"prompt "hi""#).is_empty());
    assert_eq!(reached("tokens 30k"), ["long context"]);
    assert_eq!(
        reached(r#"tokens 30k  caller.plan "free""#),
        ["free plan", "long context"]
    );
    assert_eq!(reached(r#"caller.plan "pro""#), ["paying"]);
    assert_eq!(reached("spent $900"), ["$900 / month"]);
}

#[test]
fn coverage_counts_every_rule_once() {
    let (program, plan, sources) = compiled("prompt \"hi\"", "tier weak");
    let mut coverage = Coverage::default();
    coverage.declare(&plan, &sources);
    coverage.declare(&plan, &sources);
    assert_eq!(
        (coverage.total(), coverage.reached(), coverage.per_mille()),
        (10, 0, 0)
    );
    coverage.add(
        &run(program.tests.first().unwrap(), &program, &plan),
        &plan,
        &sources,
    );
    assert_eq!(coverage.reached(), 0);
    coverage.add(&result("tokens 30k", "tier weak"), &plan, &sources);
    coverage.add(&result("tokens 40k", "tier weak"), &plan, &sources);
    assert_eq!((coverage.reached(), coverage.per_mille()), (1, 100));
    let counts: Vec<(u32, usize)> = coverage
        .rules()
        .filter(|(_, tests)| *tests > 0)
        .map(|(rule, tests)| (rule.line, tests))
        .collect();
    assert_eq!(counts, [(12, 2)]);
}

#[test]
fn a_call_that_a_model_cannot_take_goes_to_the_next() {
    check_passes("images 1", "tier weak  model large");
    check_passes("tools \"read_file\"", "tier weak  model small");
}

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use waypost_policies::Plan;
use waypost_policies::plan::encode;

use super::run;

const FILE: &str = r#"waypost 1
provider lab { kind openai-compatible  url "http://127.0.0.1:9/v1"  auth none }
model small { via lab  context 128k  output 4k  price input $0.04  output $0.08 }
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

/// Runs one test with this `given` and `expect`; returns what did not come.
fn outcome(given: &str, expect: &str) -> Vec<String> {
    let text = format!("{FILE}test \"t\" {{\n  given {{ {given} }}\n  expect {{ {expect} }}\n}}\n");
    let checked = crate::check("agents.route", &text, &|_: &str| None);
    let program = checked
        .program
        .unwrap_or_else(|| panic!("{:#?}", checked.diagnostics));
    let plan = Plan::load(encode(&crate::lower(&program, &checked.sources))).unwrap();
    let result = run(program.tests.first().unwrap(), &program, &plan);
    result
        .mismatches
        .into_iter()
        .map(|one| one.message)
        .collect()
}

fn check_passes(given: &str, expect: &str) {
    assert_eq!(outcome(given, expect), Vec::<String>::new(), "{given}");
}

fn check_fails(given: &str, expect: &str, message: &str) {
    assert_eq!(outcome(given, expect), [message], "{given}");
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
        "expected tier weak, was strong: escalated by \"long context\", agents.route:12: request.tokens = 30211 > 24000",
    );
    check_fails(
        r#"prompt "hi""#,
        "tier strong",
        "expected tier strong, was weak: it starts there, agents.route:10, and no rule raised it",
    );
    check_fails(
        "tokens 12",
        r#"escalated by "long context""#,
        "expected to be escalated by \"long context\": it did not match, agents.route:12: request.tokens = 12 > 24000",
    );
    check_fails(
        "spent $900",
        "denied",
        "expected to be denied, but it was limited by \"$900 / month\", agents.route:23",
    );
    check_fails(
        r#"model "unheard-of""#,
        "tier weak",
        "expected tier weak, but no `accept` takes the model name that it sends",
    );
}

//! Prices, budgets and windows: each defect beside its nearest neighbour without it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    unreachable_pub,
    reason = "tests"
)]

mod fixture;

use fixture::{SOUND, findings, refused, replaced, taken};

const PRICED: &str = "price input $1.25  output $10.00 }";

#[test]
fn a_budget_over_a_model_without_a_price_counts_nothing() {
    let unpriced = replaced(PRICED, "}");
    let found = findings(&unpriced);
    assert_eq!(found, [("WP0311".to_owned(), "$50 / day".to_owned())]);
    // On another model, the same budget counts what it says; the test's cost is of `small`.
    assert_eq!(
        findings(&unpriced.replace("team on strong {", "team on small {")),
        []
    );
}

#[test]
fn a_budget_on_nothing_counts_every_model_that_can_answer() {
    let unpriced = replaced("price input $1  output $2 }", "}");
    assert_eq!(findings(&unpriced), []);
    let every = unpriced.replace("per caller.team on strong {", "per caller.team {");
    assert_eq!(
        findings(&every),
        [("WP0311".to_owned(), "$50 / day".to_owned())]
    );
}

#[test]
fn an_expected_cost_needs_a_price() {
    let unpriced = replaced("price input $0.04  output $0.08 }", "}");
    assert_eq!(
        findings(&unpriced),
        [("WP0311".to_owned(), "cost < $0.001".to_owned())]
    );
    assert_eq!(findings(&unpriced.replace("  cost < $0.001", "")), []);
}

#[test]
fn a_rule_about_cost_needs_every_price() {
    let rule = SOUND.replace("caller.team == \"sandbox\"", "cost.ceiling > 0.5");
    assert_eq!(findings(&rule), []);
    let unpriced = rule.replace("price input $1  output $2 }", "}");
    assert_eq!(
        findings(&unpriced),
        [("WP0311".to_owned(), "cost.ceiling".to_owned())]
    );
}

#[test]
fn zero_is_a_price() {
    taken("price input $1  output $2", "price input $0  output $0");
}

#[test]
fn windows_are_counted_by_a_clock() {
    for word in ["quarter", "fortnight", "daily", "hour"] {
        let by = format!("$50 / {word}");
        let text = SOUND.replace("$50 / day in \"Europe/Berlin\"", &by);
        let text = text.replace("  capped by \"$50 / day\"", "");
        assert_eq!(findings(&text), [("WP0312".to_owned(), word.to_owned())]);
    }
    refused("requests / 1m", "requests / 0m", "WP0312", "0m");
    refused("requests / 1m", "requests / 32d", "WP0312", "32d");
    taken("requests / 1m", "requests / 31d");
    refused(
        "requests / 1m burst",
        "requests / 1m in \"UTC\" burst",
        "WP0312",
        "\"UTC\"",
    );
}

#[test]
fn what_has_no_midnight_has_no_zone_and_what_is_counted_by_itself_no_requests() {
    for (rate, found) in [
        ("sliding 0m", "sliding 0m"),
        ("sliding 32d", "sliding 32d"),
        ("sliding 1m in \"UTC\"", "\"UTC\""),
        ("call", "call"),
        ("call in \"UTC\"", "call"),
    ] {
        let by = format!("limit 600 requests / {rate}  \"again\"\n  limit 600 requests / 1m");
        let text = SOUND.replace("limit 600 requests / 1m", &by);
        assert_eq!(findings(&text), [("WP0312".to_owned(), found.to_owned())]);
    }
    for rate in ["/ sliding 31d", "/ sliding 250ms"] {
        let by = format!("limit 600 requests {rate}  \"again\"\n  limit 600 requests / 1m");
        assert_eq!(findings(&SOUND.replace("limit 600 requests / 1m", &by)), []);
    }
    let with = |rule: &str| {
        let by = format!("{rule}\n  limit 600 requests / 1m");
        findings(&SOUND.replace("limit 600 requests / 1m", &by))
    };
    for good in [
        "limit 20 concurrent  per caller.team",
        "limit 8k tokens / call",
        "limit 5 repeats / 10m  per caller.key",
        "limit 5 repeats / session idle 5m  per caller.key",
    ] {
        assert_eq!(with(good), [], "{good}");
    }
    let code = |number: &str, text: &str| vec![(number.to_owned(), text.to_owned())];
    assert_eq!(with("limit 20 concurrent / 1m"), code("WP0312", "1m"));
    assert_eq!(with("limit 5 repeats / call"), code("WP0312", "call"));
    assert_eq!(
        with("limit 5 repeats / session idle 0s per caller.key"),
        code("WP0312", "0s")
    );
    assert_eq!(with("limit 0 concurrent"), code("WP0307", "0 concurrent"));
    assert_eq!(with("budget 5 repeats / day"), code("WP0307", "5 repeats"));
    assert_eq!(
        with("limit 5 requests / sliding 1m burst 9"),
        code("WP0307", "9")
    );
}

#[test]
fn a_session_has_a_name() {
    let rule = "limit 40 calls / session\n  limit 600 requests / 1m";
    let text = SOUND.replace("limit 600 requests / 1m", rule);
    let kept = text.contains("keep session");
    let expected = vec![("WP0312".to_owned(), "session".to_owned())];
    assert_eq!(
        findings(&text),
        if kept { vec![] } else { expected.clone() }
    );
    let nameless: String = text
        .lines()
        .filter(|line| !line.contains("keep session"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(findings(&nameless), expected);
    let named = nameless.replace("/ session", "/ session per caller.agent");
    assert_eq!(findings(&named), []);
}

#[test]
fn zones_are_of_the_time_zone_database() {
    let zone = |name: &str| SOUND.replace("Europe/Berlin", name);
    assert_eq!(
        findings(&zone("Europe/Berlln")),
        [("WP0312".to_owned(), "\"Europe/Berlln\"".to_owned())]
    );
    assert_eq!(findings(&zone("America/New_York")), []);
}

#[test]
fn a_burst_is_of_a_bucket_that_refills() {
    refused(
        "$50 / day in \"Europe/Berlin\" per",
        "$50 / day in \"Europe/Berlin\" burst 5 per",
        "WP0307",
        "5",
    );
    taken("requests / 1m burst 50", "requests / 1m burst 5000");
}

#[test]
fn a_budget_counts_dollars() {
    refused(
        "limit 600 requests / 1m",
        "budget 600 requests / 1m",
        "WP0307",
        "600 requests",
    );
    taken("limit 600 requests / 1m burst 50", "limit $5 / 1h");
}

#[test]
fn one_share_has_one_binding_outcome() {
    refused(
        "at 80% warn",
        "at 100% deny",
        "WP0102",
        "at 100% cap at weak",
    );
    taken("at 80% warn", "at 100% warn");
}

#[test]
fn calls_wait_where_other_calls_can_make_room() {
    let waits = "{ at 100% wait 5s }";
    taken(
        "limit 600 requests / 1m burst 50",
        &format!("limit 20 concurrent {waits}"),
    );
    taken(
        "limit 600 requests / 1m burst 50",
        &format!("limit 600 requests / 1m {waits}"),
    );
    refused(
        "limit 600 requests / 1m burst 50",
        &format!("limit 8k tokens / call {waits}"),
        "WP0307",
        "5s",
    );
    // It refuses in the end: of two outcomes at one share one is too many.
    refused(
        "at 80% warn",
        "at 100% wait 2s",
        "WP0102",
        "at 100% cap at weak",
    );
    let source = replaced(
        "limit 600 requests / 1m burst 50",
        &format!("limit 600 requests / 1m {waits}"),
    );
    let program = fixture::checked(&source).program.unwrap();
    let action = program.policy.quotas[0].outcomes[0].action;
    assert_eq!(action, waypost_compiler::program::Action::Wait(5_000));
    let plan = waypost_compiler::lower(&program, &fixture::checked(&source).sources);
    let lowered = plan.quotas.iter().flat_map(|quota| &quota.outcomes);
    let lowered: Vec<_> = lowered.map(|outcome| outcome.action).collect();
    assert!(lowered.contains(&waypost_policies::plan::draft::QuotaAction::Wait(5_000)));
}

#[test]
fn a_keep_that_cannot_be_read_is_said_once() {
    let file = |content: &str| {
        format!(
            "waypost 1\nprovider p {{ kind openai  auth none }}\nmodel m {{ via p }}\ntier t {{ try m }}\n\
             content {{\n  accept \"auto\"  start t\n{content}\n}}\n\
             policy {{\n  callers {{ anonymous allow }}\n  limit 4 calls / session\n}}\n"
        )
    };
    let codes = |content: &str| -> Vec<String> {
        let found = findings(&file(content)).into_iter();
        found.map(|(code, _)| code).collect()
    };
    let keep = "keep session request.model for 10m";
    assert_eq!(codes(""), ["WP0312"]);
    assert_eq!(codes(&format!("  {keep}")), [""; 0]);
    let glued = format!("  escalate to t \"all\" when request.stream  {keep}");
    assert_eq!(codes(&glued), ["WP0001"]);
}

#[test]
fn a_quota_denies_at_the_whole_where_no_outcome_is_written() {
    let program = fixture::checked(SOUND).program.unwrap();
    let outcome = program.policy.quotas[0].outcomes[0];
    assert_eq!(outcome.share.0, 10_000);
    assert_eq!(outcome.action, waypost_compiler::program::Action::Deny);
    assert_eq!(program.policy.quotas[0].label.text, "600 requests / 1m");
}

#[test]
fn a_tier_in_on_stands_for_the_model_that_it_tries_first() {
    let program = fixture::checked(SOUND).program.unwrap();
    let on = program.policy.quotas[1].on.as_ref().unwrap();
    assert_eq!(program.models[on.value].name.value, "big");
}

#[test]
fn half_a_price_is_one_finding() {
    let half = "price input $1.25";
    refused("price input $1.25  output $10.00", half, "WP0105", half);
    let other = "price output $10.00";
    refused("price input $1.25  output $10.00", other, "WP0105", other);
}

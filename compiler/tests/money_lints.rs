//! Lints about money: each defect beside its nearest neighbours that have it not.
//!
//! One example of each, and its fix, is in its explanation and tested with it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use waypost_compiler::{check, lint};

/// `weak` is served by a model of one's own that is not free, `strong` by a provider; nothing is found in it.
const SOUND: &str = r#"waypost 1
secret keys = env("CALLER_KEYS")
provider lab { kind openai  auth secret keys }
provider own { kind openai-compatible  url "http://127.0.0.1:9/v1"  auth none }
model cheap { via own  context 16k  output 4k  price input $0.10  output $0.20 }
model dear { via lab  context 100k  output 10k  price input $2  cached $0.20  output $10 }
tiers weak < strong
tier weak { try cheap  then dear  timeout 30s }
tier strong { try dear  timeout 60s  retries 2 }
content {
  accept "auto"
  start weak
  escalate to strong "long" when request.tokens > 2000
  keep session request.headers[?"x-session-id"].orValue("") for 10m
}
policy {
  callers { keys secret keys  anonymous deny }
  budget $50 / day "all" { at 80% warn  at 100% deny }
}
"#;
const BUDGET: &str = "budget $50 / day \"all\" { at 80% warn  at 100% deny }";

fn found(text: &str) -> Vec<(&'static str, String)> {
    let checked = check("spend.route", text, &|_: &str| None);
    let found = lint(&checked, None);
    assert!(
        found.iter().all(|one| !one.is_error()),
        "{text}\n{found:#?}"
    );
    let finding = |one: &waypost_lang::Diagnostic| {
        let text = checked.sources.text(one.primary.span);
        (one.code.number, text.to_owned())
    };
    // Others have their say in tests of their own.
    let money = found
        .iter()
        .filter(|one| ("WP0420".."WP0440").contains(&one.code.number));
    money.map(finding).collect()
}

#[track_caller]
fn replaced(part: &str, by: &str) -> String {
    assert_eq!(SOUND.matches(part).count(), 1, "`{part}` must stand once");
    SOUND.replace(part, by)
}

/// Asserts that the replacement gives this one finding.
#[track_caller]
fn warns(part: &str, by: &str, code: &'static str, underlined: &str) {
    let text = replaced(part, by);
    assert_eq!(found(&text), [(code, underlined.to_owned())], "{text}");
}

/// Asserts that the replacement gives none.
#[track_caller]
fn clean(part: &str, by: &str) {
    let text = replaced(part, by);
    assert_eq!(found(&text), [], "{text}");
}

#[test]
fn the_sound_file_is() {
    assert_eq!(found(SOUND), []);
}

#[test]
fn a_paid_tier_needs_a_bound() {
    warns(BUDGET, "budget $5 / day on weak", "WP0420", "strong");
    warns(BUDGET, "budget $5 / day on strong", "WP0420", "weak");
    clean(
        BUDGET,
        "budget $5 / day on weak\n  budget $5 / day \"s\" on strong",
    );
    clean(BUDGET, "budget $5 / day per caller.key");
    clean(BUDGET, "limit 60k tokens / 1m");
    // A model of one's own that costs nothing by the token needs none.
    let free = SOUND.replace(
        "price input $0.10  output $0.20",
        "price input $0  output $0",
    );
    assert_eq!(
        found(&free.replace(BUDGET, "budget $5 / day on strong")),
        []
    );
    let unpriced = SOUND.replace("price input $0.10  output $0.20", "");
    assert_eq!(
        found(&unpriced.replace(BUDGET, "budget $5 / day on strong")),
        []
    );
    // What every call of it is refused by.
    clean(
        BUDGET,
        "budget $5 / day on weak\n  deny \"none\" when model == \"dear\"",
    );
}

#[test]
fn replicas_multiply_what_is_counted() {
    let deployed =
        |fields: &str| format!("{SOUND}deploy kubernetes {{ namespace \"n\"  {fields} }}\n");
    let several = deployed("replicas 1..3");
    assert_eq!(found(&several), [("WP0421", "1..3".to_owned())]);
    assert_eq!(found(&deployed("replicas 1")), []);
    assert_eq!(found(&deployed("")), []);
}

#[test]
fn a_session_that_moves_pays_for_cold_caches() {
    let keep = "  keep session request.headers[?\"x-session-id\"].orValue(\"\") for 10m\n";
    let unkept = |when: &str| {
        SOUND
            .replace(keep, "")
            .replace("request.tokens > 2000", when)
    };
    let text = unkept("difficulty > 0.5");
    assert_eq!(found(&text), [("WP0422", "\"long\"".to_owned())]);
    // What matches again with each call of a conversation that grows moves it once: to keep it changes nothing.
    let goes_on = [
        "request.tokens > 2000",
        "5 <= request.turns || request.model == \"auto\"",
        "request.system.contains(\"planner\") && request.tokens >= 900",
    ];
    for when in goes_on {
        assert_eq!(found(&unkept(when)), [], "{when}");
    }
    let comes_back = [
        "request.turns == 1",
        "request.tokens < 2000",
        "request.tokens > 2000 && size(request.tools) > 0",
        "!(request.turns > 3)",
    ];
    for when in comes_back {
        assert_eq!(
            found(&unkept(when)),
            [("WP0422", "\"long\"".to_owned())],
            "{when}"
        );
    }
    // No discount, nothing to lose; and a tier that tries the same model is no move.
    assert_eq!(found(&text.replace("cached $0.20  ", "")), []);
    let one = text
        .replace("try cheap  then dear", "try dear")
        .replace("model cheap", "model spare");
    let one = one.replace("tier weak { try dear", "tier weak { try dear then spare");
    assert_eq!(found(&one), []);
}

#[test]
fn one_ordinary_call_must_fit() {
    // 4,096 tokens at $10 a million are $0.04096.
    clean(BUDGET, "budget $0.05 / day");
    warns(BUDGET, "budget $0.04 / day", "WP0423", "$0.04 / day");
    warns(
        BUDGET,
        "budget $0.05 / day { at 80% deny }",
        "WP0423",
        "$0.05 / day",
    );
    clean(BUDGET, "budget $0.05 / day { at 10% warn  at 100% deny }");
    clean(BUDGET, "limit 4096 tokens / 1h");
    warns(
        BUDGET,
        "limit 4095 tokens / 1h",
        "WP0424",
        "4095 tokens / 1h",
    );
    // A model whose answers are shorter reserves less.
    let short = SOUND
        .replace("output 10k", "output 1k")
        .replace("output 4k", "output 1k");
    assert_eq!(found(&short.replace(BUDGET, "limit 4000 tokens / 1h")), []);
}

#[test]
fn an_answer_has_an_end() {
    warns("  output 10k", "", "WP0425", "dear");
    let free = SOUND.replace(
        "price input $0.10  output $0.20",
        "price input $0.10  output $0",
    );
    assert_eq!(found(&free.replace("  output 4k", "")), []);
}

#[test]
fn a_budget_must_do_something() {
    warns(
        BUDGET,
        "budget $50 / day { at 80% warn }",
        "WP0426",
        "at 80% warn",
    );
    let highest = "budget $50 / day { at 100% cap at strong }";
    warns(BUDGET, highest, "WP0426", "at 100% cap at strong");
    let backed = format!("budget $40 / day {{ at 100% warn }}\n  {BUDGET}");
    clean(BUDGET, &backed);
    // What stands behind it must hold all that it counts.
    let part = "budget $40 / day { at 100% warn }\n  budget $5 / day \"w\" on weak\n  budget $5 / day \"s\" on strong when caller.plan == \"x\"";
    warns(BUDGET, part, "WP0426", "at 100% warn");
}

#[test]
fn a_cap_must_save_something() {
    let caps = "budget $50 / day on strong { at 100% cap at weak }\n  budget $90 / day \"all\"";
    clean(BUDGET, caps);
    let text = SOUND.replace(
        "price input $0.10  output $0.20",
        "price input $2  output $10",
    );
    assert_eq!(
        found(&text.replace(BUDGET, caps)),
        [("WP0427", "at 100% cap at weak".to_owned())]
    );
    // Dearer prompts and cheaper answers may save.
    let mixed = SOUND.replace(
        "price input $0.10  output $0.20",
        "price input $3  output $1",
    );
    assert_eq!(found(&mixed.replace(BUDGET, caps)), []);
}

#[test]
fn what_is_capped_needs_an_end() {
    warns(
        BUDGET,
        "budget $50 / day { at 100% cap at weak }",
        "WP0428",
        "at 100% cap at weak",
    );
    clean(
        BUDGET,
        "budget $50 / day { at 100% cap at weak  at 120% deny }",
    );
    clean(
        BUDGET,
        "budget $50 / day { at 100% cap at weak }\n  budget $5 / day on weak",
    );
}

#[test]
fn a_stronger_tier_costs_more() {
    let dear = "price input $2  cached $0.20  output $10";
    warns(dear, "price input $0.10  output $0.19", "WP0429", "strong");
    clean(dear, "price input $0.10  output $0.20");
    clean(dear, "price input $0.05  output $0.30");
}

#[test]
fn a_cached_token_costs_less() {
    let text = SOUND.replace("keep session", "// keep session");
    let text = text.replace("cached $0.20", "cached $2.50");
    assert_eq!(found(&text), [("WP0430", "$2.50".to_owned())]);
    clean("cached $0.20", "cached $2");
}

#[test]
fn longer_prompts_and_urgent_calls_cost_more() {
    let row = "price input $2  cached $0.20  output $10";
    let more = |rows: &str| format!("{row}\n  {rows}");
    let right = "price above 50k input $4  cached $0.40  output $15
  price flex input $1  cached $0.10  output $5
  price priority input $4  cached $0.40  output $20";
    clean(row, &more(right));
    let cheap = "price above 50k input $4  cached $0.10  output $15";
    warns(row, &more(cheap), "WP0438", "$0.10");
    let slow = "price flex input $1  cached $0.10  output $11";
    warns(row, &more(slow), "WP0438", "$11");
    let urgent = "price priority input $1  cached $0.20  output $10";
    warns(row, &more(urgent), "WP0438", "$1");
}

#[test]
fn retries_end_before_the_caller_does() {
    warns(
        "timeout 60s  retries 2",
        "timeout 60s  retries 10",
        "WP0431",
        "strong",
    );
    clean("timeout 60s  retries 2", "timeout 60s  retries 9");
    clean("timeout 30s", "timeout 5m");
    warns("timeout 30s", "timeout 301s", "WP0431", "weak");
    clean("timeout 60s  retries 2", "retries 10");
}

#[test]
fn strangers_do_not_spend_beside_callers() {
    let callers = "callers { keys secret keys  anonymous deny }";
    let open = "callers { keys secret keys  anonymous allow }";
    warns(callers, open, "WP0432", "allow");
    clean(callers, "callers { anonymous allow }");
    clean(
        callers,
        &format!("{open}\n  deny \"no\" when tier == \"strong\" && caller.key == \"\""),
    );
}

#[test]
fn a_bucket_is_not_the_callers_to_choose() {
    let header = "budget $5 / day per request.headers[?\"x-user\"].orValue(\"\")";
    let key = "request.headers[?\"x-user\"].orValue(\"\")";
    warns(BUDGET, header, "WP0433", key);
    let both = "budget $5 / day per caller.key + request.metadata[?\"run\"].orValue(\"\")";
    let key = "caller.key + request.metadata[?\"run\"].orValue(\"\")";
    warns(BUDGET, both, "WP0433", key);
    clean(BUDGET, &format!("{header}\n  {BUDGET}"));
    clean(
        BUDGET,
        &format!("{header}\n  limit 60k tokens / 1m per caller.key"),
    );
}

#[test]
fn outcomes_stand_in_an_order_that_acts() {
    let outcomes = |list: &str| format!("budget $50 / day {{ {list} }}\n  budget $900 / month");
    let dead = |list: &str, part: &str| warns(BUDGET, &outcomes(list), "WP0434", part);
    dead("at 100% deny  at 120% deny", "at 120% deny");
    dead("at 120% warn  at 100% deny", "at 120% warn");
    dead(
        "at 50% cap at weak  at 80% cap at weak",
        "at 80% cap at weak",
    );
    // A large call may still go on as a cheaper one, so this acts.
    clean(BUDGET, &outcomes("at 100% deny  at 120% cap at weak"));
    clean(
        BUDGET,
        &outcomes("at 50% warn  at 80% cap at weak  at 100% warn  at 120% deny"),
    );
}

#[test]
fn a_bound_is_held_against_what_may_happen() {
    let deny = |when: &str| format!("{BUDGET}\n  deny \"dear\" when {when}");
    warns(
        BUDGET,
        &deny("cost.estimate > 0.5"),
        "WP0435",
        "cost.estimate",
    );
    warns(
        BUDGET,
        &deny("tier == \"strong\" && 0.5 <= cost.estimate"),
        "WP0435",
        "cost.estimate",
    );
    clean(BUDGET, &deny("cost.ceiling > 0.5"));
    clean(BUDGET, &deny("cost.ceiling > 5.0 || cost.estimate > 0.5"));
    clean(BUDGET, &deny("cost.estimate < 0.0001"));
}

#[test]
fn a_request_has_no_price() {
    let limit = "limit 600 requests / 1m per caller.key";
    warns(BUDGET, limit, "WP0436", "600 requests / 1m");
    clean(
        BUDGET,
        &format!("{limit}\n  deny \"dear\" when cost.ceiling > 0.5"),
    );
    clean(BUDGET, &format!("{limit}\n  {BUDGET}"));
    // So few that the budget is never what binds are still held by it in the month.
    let unpriced = SOUND.replace("price input $0.10  output $0.20", "");
    let unpriced = unpriced.replace("price input $2  cached $0.20  output $10", "");
    assert_eq!(found(&unpriced.replace(BUDGET, limit)), []);
}

//! Completion in every section, mostly in the middle of broken text.

use serde_json::Value;

use crate::client::{Client, EXAMPLE};
use crate::text::apply;

/// What is offered at the mark in `typed`, which stands at the end of the example.
fn labels(client: &mut Client, typed: &str) -> Vec<String> {
    let offered = offered(client, typed);
    let items = offered["items"].as_array().unwrap().iter();
    items
        .map(|item| item["label"].as_str().unwrap().to_owned())
        .collect()
}

fn offered(client: &mut Client, typed: &str) -> Value {
    client.ask_at("textDocument/completion", &format!("{EXAMPLE}\n{typed}"))
}

/// All of `wanted` are offered, none of `unwanted`.
fn check(client: &mut Client, typed: &str, wanted: &[&str], unwanted: &[&str]) {
    let labels = labels(client, typed);
    for one in wanted {
        assert!(
            labels.iter().any(|label| label == one),
            "`{typed}` offers no `{one}`: {labels:?}"
        );
    }
    for one in unwanted {
        assert!(
            labels.iter().all(|label| label != one),
            "`{typed}` offers `{one}`: {labels:?}"
        );
    }
}

#[test]
fn statements_and_fields_that_are_not_there_yet() {
    let mut client = Client::start();
    let client = &mut client;
    check(
        client,
        "¦",
        &["model", "tier", "content", "policy", "test", "extend"],
        &["via"],
    );
    check(
        client,
        "model x {\n  via aoai\n  ¦\n}",
        &["context", "price"],
        &["via", "start"],
    );
    check(
        client,
        "model x {\n  ¦\n  context 4k\n}",
        &["via", "output"],
        &["context"],
    );
    check(
        client,
        "content x {\n  start weak\n  ¦",
        &["accept", "escalate", "keep"],
        &["start", "deny"],
    );
    check(
        client,
        "policy {\n  d¦",
        &["deny", "budget", "redact"],
        &["escalate"],
    );
    check(
        client,
        "pool x { kaito { ¦ } }",
        &["preset", "instance"],
        &["port"],
    );
    check(
        client,
        "test \"x\" { given { caller.team \"a\"  ¦",
        &["prompt", "caller.plan"],
        &["tier"],
    );
    check(
        client,
        "test \"x\" { expect { ¦",
        &["tier", "capped", "cost"],
        &["prompt"],
    );
    check(client, "deploy kubernetes { versions { ¦", &["kaito"], &[]);
}

#[test]
fn names_where_they_belong() {
    let mut client = Client::start();
    let client = &mut client;
    check(
        client,
        "model x { via ¦",
        &["aoai", "pool"],
        &["weak", "gpt-5.1"],
    );
    check(client, "model x { via pool ¦", &["phi"], &["aoai"]);
    check(
        client,
        "provider x { auth secret ¦",
        &["aoai_key", "redis_url"],
        &["aoai"],
    );
    check(client, "tier x { try ¦", &["gpt-5.1", "strong"], &["aoai"]);
    check(
        client,
        "tier x { try gpt-5.1 then ph¦",
        &["phi-4-mini"],
        &["phi"],
    );
    check(
        client,
        "content { start ¦",
        &["weak", "strong"],
        &["gpt-5.1"],
    );
    check(
        client,
        "content { escalate to ¦",
        &["weak", "strong"],
        &["gpt-5.1"],
    );
    check(
        client,
        "content { accept \"a\" as ¦",
        &["gpt-5.1"],
        &["weak"],
    );
    check(client, "policy { cap at ¦", &["weak"], &["gpt-5.1"]);
    check(
        client,
        "policy { limit 1 requests / 1m on ¦",
        &["gpt-5.1", "weak"],
        &["phi"],
    );
    check(client, "policy { budget $1 / ¦", &["day", "month"], &[]);
    check(
        client,
        "policy { budget $1 / day { at 80% ¦",
        &["warn", "deny", "wait", "cap"],
        &[],
    );
    check(client, "place ¦", &["phi"], &["aoai"]);
    check(
        client,
        "place phi { prefer prefix 2, ¦",
        &["queue", "kv-cache"],
        &[],
    );
    check(client, "extend model ¦", &["gpt-5.1"], &["phi"]);
    check(client, "provider x { kind ¦", &["azure-openai"], &[]);
    check(
        client,
        "test \"x\" { expect { capped by \"¦",
        &["free plan", "$50 / day"],
        &["hard prompt"],
    );
    check(
        client,
        "test \"x\" { expect { escalated by \"¦",
        &["hard prompt"],
        &["free plan"],
    );
    check(
        client,
        "import \"¦",
        &["std/agents.route", "std/privacy.route"],
        &[],
    );
    check(client, "// allow(¦", &["WP0440"], &[]);
}

#[test]
fn expressions_read_what_their_section_may() {
    let mut client = Client::start();
    let client = &mut client;
    check(
        client,
        "content { escalate to strong when ¦",
        &["request.prompt", "difficulty", "RUNAWAY_TURNS", "math.abs"],
        &["caller.team", "cost.estimate"],
    );
    check(
        client,
        "content { escalate to strong when request.¦",
        &["prompt", "tools", "headers"],
        &["team"],
    );
    check(
        client,
        "policy { deny when ¦",
        &["caller.team", "tier", "request.tokens"],
        &["request.prompt", "difficulty"],
    );
    check(
        client,
        "policy { deny when request.¦",
        &["tokens", "headers"],
        &["prompt"],
    );
    check(
        client,
        "policy { limit 1 requests / 1m per caller.¦",
        &["key", "agent"],
        &["prompt"],
    );
    check(
        client,
        "policy { limit 1 requests / 1m per caller.key ¦",
        &["on", "burst", "when"],
        &["per"],
    );
    check(
        client,
        "place phi { only when endpoint.¦",
        &["zone", "labels"],
        &["team"],
    );
    check(
        client,
        "let A = ¦",
        &["RUNAWAY_TURNS"],
        &["request.tokens", "A"],
    );
    check(
        client,
        "policy { deny when tier == \"¦",
        &["weak", "strong"],
        &["gpt-5.1"],
    );
    check(
        client,
        "policy { deny when model in [\"¦",
        &["gpt-5.1"],
        &["weak"],
    );
    check(
        client,
        "content { escalate to strong when request.headers[?\"¦",
        &["x-session-id"],
        &[],
    );
}

#[test]
fn a_dot_offers_what_the_type_has() {
    let mut client = Client::start();
    let client = &mut client;
    let when = |rest: &str| format!("content {{ escalate to strong when {rest}");
    check(
        client,
        &when("request.prompt.¦"),
        &["contains", "matches", "size"],
        &["exists", "orValue"],
    );
    check(
        client,
        &when("request.tools.¦"),
        &["exists", "all", "size"],
        &["contains"],
    );
    check(
        client,
        &when("request.tools.exists(t, t.¦"),
        &["name", "description"],
        &["role", "contains"],
    );
    check(
        client,
        &when("request.tools.exists(t, t.name.st¦"),
        &["startsWith"],
        &["role"],
    );
    check(
        client,
        &when("request.messages.exists(m, m.tool_calls.exists(c, c.¦"),
        &["arguments"],
        &["role"],
    );
    check(
        client,
        &when("request.messages.exists(m, ¦"),
        &["m", "request.tokens"],
        &[],
    );
    check(
        client,
        &when("request.headers[?\"a\"].¦"),
        &["orValue", "hasValue"],
        &["contains"],
    );
    check(
        client,
        &when("request.headers[?\"a\"].orValue(\"\").¦"),
        &["contains"],
        &["orValue"],
    );
    check(client, &when("math.¦"), &["abs", "greatest"], &["math.abs"]);
}

#[test]
fn what_is_inserted_replaces_what_was_typed() {
    let mut client = Client::start();
    let typed = "tier x { try gpt-5¦";
    let offered = offered(&mut client, typed);
    let items = offered["items"].as_array().unwrap();
    let item = items
        .iter()
        .find(|item| item["label"] == "gpt-5.1")
        .unwrap();
    let text = format!("{EXAMPLE}\n{}", typed.replace('¦', ""));
    let text = apply(&text, &[item["textEdit"].clone()]);
    assert!(text.ends_with("tier x { try gpt-5.1"), "{text}");
}

#[test]
fn snippets_are_for_clients_that_know_them() {
    let mut client = Client::start();
    let with = offered(&mut client, "policy {\n  bud¦");
    let mut client = Client::with(serde_json::json!({ "capabilities": {} }));
    let without = offered(&mut client, "policy {\n  bud¦");
    let text = |offered: &Value| {
        let items = offered["items"].as_array().unwrap();
        let item = items.iter().find(|item| item["label"] == "budget").unwrap();
        item["textEdit"]["newText"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        text(&with),
        "budget \\$${1:50} / ${2|day,week,month|}  per ${3:caller.team}"
    );
    assert_eq!(text(&without), "budget $50 / day  per caller.team");
}

#[test]
fn a_demand_reads_the_compiled_model_and_no_request() {
    let mut client = Client::start();
    let client = &mut client;
    let demand = |text: &str| format!("require \"r\" {{\n  each {text}");
    check(client, &demand("¦"), &["tier", "budget", "deploy"], &[]);
    check(
        client,
        &demand("tier\n  that ¦"),
        &["tier", "file", "size"],
        &["model", "request.tokens"],
    );
    check(
        client,
        &demand("tier\n  that tier.¦"),
        &["paid", "timeout", "budgets"],
        &["contains"],
    );
    check(
        client,
        &demand("tier\n  that tier.models.exists(m, m.¦"),
        &["price", "retires"],
        &["timeout"],
    );
}

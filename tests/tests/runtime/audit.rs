//! The audit log and `/spend`: they agree with each other and with what limits and budgets have counted.

use std::collections::BTreeMap;
use std::path::Path;

use hyper::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;
use waypost_cli::{Stream, Streams};
use waypost_policies::plan::draft::Amount;

use crate::client::{get, request, send};
use crate::plan::{daily, quota};
use crate::upstream::Script;
use crate::world::World;

/// A world with an audit log, and a budget and limits that run for a day.
async fn world(folder: &Path) -> World {
    World::with(|draft, settings| {
        let day = daily(1.0).window;
        draft.quotas = vec![
            daily(1.0),
            quota("calls a day", Amount::Requests(1_000), day.clone()),
            quota("tokens a day", Amount::Tokens(1_000_000), day),
        ];
        settings.audit = Some(folder.to_owned());
    })
    .await
}

fn lines(folder: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join("audit.jsonl")).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Dollars as written, in nano-dollars.
fn nanos(dollars: &Value) -> u64 {
    let (whole, fraction) = dollars.as_str().unwrap().split_once('.').unwrap();
    format!("{whole}{fraction:0<9}").parse().unwrap()
}

#[tokio::test]
async fn every_call_leaves_a_line_and_the_lines_add_up_to_what_was_counted() {
    let folder = TempDir::new().unwrap();
    let mut world = world(folder.path()).await;
    world.ask("one").await;
    world.ask("HARD").await;
    let reason = json!({"error": {"message": "no", "code": "bad"}}).to_string();
    world
        .one
        .then(Script::Whole(StatusCode::BAD_REQUEST, Vec::new(), reason));
    assert_eq!(world.ask("is rejected").await.status, 400);
    // A fallback, a failure of all, and what the plan has no model for.
    world.one.fails(500).fails(500).fails(500);
    world.ask("falls back").await;
    world.one.fails(500).fails(500).fails(500);
    world.two.fails(500).fails(500).fails(500);
    assert_ne!(world.ask("fails").await.status, 200);
    let unknown =
        json!({"model": "nobody", "messages": [{"role": "user", "content": "hi"}]}).to_string();
    assert_eq!(world.chat(unknown).await.status, 404);
    for _ in 0..6 {
        world.receipt().await;
    }

    let lines = lines(folder.path());
    assert_eq!(lines.len(), 6);
    let spend = send(get(world.admin, "/spend")).await.json();
    let cost: u64 = lines.iter().map(|line| nanos(&line["cost_usd"])).sum();
    assert!(cost > 0);
    assert_eq!(nanos(&spend["total"]["cost_usd"]), cost);
    assert_eq!(spend["total"]["calls"], 6);
    let mut charged: BTreeMap<String, u64> = BTreeMap::new();
    let charges = lines
        .iter()
        .flat_map(|line| line["charged"].as_array().unwrap());
    for charge in charges {
        let label = charge["quota"].as_str().unwrap().to_owned();
        *charged.entry(label).or_default() += charge["amount"].as_u64().unwrap();
    }
    for quota in spend["quotas"].as_array().unwrap() {
        let label = quota["quota"].as_str().unwrap();
        assert_eq!(quota["used"].as_u64().unwrap(), charged[label], "{label}");
    }
    assert_eq!(charged["daily budget"], cost);
}

#[tokio::test]
async fn what_the_dearest_tier_would_have_cost_stands_beside_what_was_spent() {
    let folder = TempDir::new().unwrap();
    let world = world(folder.path()).await;
    world.ask("one").await;
    let spend = send(get(world.admin, "/spend")).await.json();
    // Ten tokens in and five out, at $1 and $2 a million, and at $10 and $20.
    assert_eq!(spend["total"]["cost_usd"], "0.00002");
    assert_eq!(spend["total"]["strongest_usd"], "0.0002");
    assert_eq!(spend["tiers"][0]["saved_usd"], "0.00018");
    assert_eq!(spend["agents"][0]["team"], "payments");
}

#[tokio::test]
async fn no_text_and_no_key_is_in_it() {
    let folder = TempDir::new().unwrap();
    let mut world = world(folder.path()).await;
    world.ask("a very secret prompt").await;
    let wrong = request(world.address, "/v1/chat/completions", "{\"model\": 7}");
    send(wrong).await;
    world.receipt().await;
    let text = std::fs::read_to_string(folder.path().join("audit.jsonl")).unwrap();
    assert!(text.contains("\"caller\":\"alpha\""), "{text}");
    for secret in ["secret prompt", "alpha-key", "four", "sk-one"] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[tokio::test]
async fn a_log_that_cannot_be_written_serves_nobody_and_says_why() {
    let folder = TempDir::new().unwrap();
    // Takes no byte, as a full disk does not.
    std::os::unix::fs::symlink("/dev/full", folder.path().join("audit.jsonl")).unwrap();
    let mut world = world(folder.path()).await;
    // Only the first call finds out.
    assert_eq!(world.ask("one").await.status, 200);
    world.receipt().await;
    let answer = world.ask("two").await;
    assert_eq!(
        (answer.status.as_u16(), answer.error("code")),
        (503, "state_unavailable".to_owned())
    );
    assert_eq!(world.one.calls(), 1);
    let ready = send(get(world.admin, "/readyz")).await;
    assert_eq!(ready.status, 503);
    assert!(ready.text.contains("the audit log in"), "{}", ready.text);
}

#[tokio::test]
async fn the_command_prints_what_the_admin_port_says() {
    let folder = TempDir::new().unwrap();
    let world = world(folder.path()).await;
    world.ask("one").await;
    let asked = |format: &'static str| {
        let address = world.admin.to_string();
        tokio::task::spawn_blocking(move || run(&["spend", "--live", &address, "--format", format]))
    };
    let (text, document) = (asked("human").await.unwrap(), asked("json").await.unwrap());
    for words in [
        "weak",
        "payments / ",
        "$0.00002",
        "$0.00018",
        "`calls a day` is 0.1 % full",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let document: Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["version"], 1);
    assert_eq!(document["total"]["calls"], 1);
}

/// What `waypost` prints.
fn run(arguments: &[&str]) -> String {
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let stream = |writer| Stream {
        writer,
        is_terminal: false,
    };
    waypost_cli::run(
        std::iter::once(&"waypost").chain(arguments),
        Streams {
            input: &mut std::io::empty(),
            output: stream(&mut output),
            errors: stream(&mut errors),
            colors: false,
        },
    );
    assert!(errors.is_empty(), "{}", String::from_utf8_lossy(&errors));
    String::from_utf8(output).unwrap()
}

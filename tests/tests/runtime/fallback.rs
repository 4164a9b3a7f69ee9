//! What happens when an upstream fails before its first byte.

use std::time::Duration;

use hyper::StatusCode;
use serde_json::json;
use waypost_runtime::Ending;

use crate::client::{chat, get, request, send};
use crate::upstream::{Script, usual_answer};
use crate::world::World;

/// The cheap model fails as scripted; the dear one answers.
async fn falls_back(script: Script, cause: &str) {
    let mut world = World::with(|draft, _| draft.tiers[0].timeout_milliseconds = 300).await;
    world.one.then(script);
    let answer = world.ask("hi").await;
    assert_eq!(
        (answer.status.as_u16(), &*answer.text),
        (200, &*usual_answer())
    );
    assert_eq!(
        (
            answer.header("x-waypost-tier"),
            answer.header("x-waypost-model")
        ),
        ("weak", "dear")
    );
    assert_eq!(world.two.call().await.json()["model"], "dear-upstream");
    let receipt = world.receipt().await;
    assert_eq!((receipt.attempts, receipt.tried.len()), (2, 1));
    assert!(
        receipt.tried[0].failure.contains(cause),
        "{:?}",
        receipt.tried
    );
    assert_eq!(receipt.tried[0].replica.as_deref(), Some("one"));
}

fn error(status: u16, body: &str) -> Script {
    Script::Whole(
        StatusCode::from_u16(status).unwrap(),
        Vec::new(),
        body.to_owned(),
    )
}

#[tokio::test]
async fn after_a_reset() {
    falls_back(Script::Reset, "the connection broke").await;
}

#[tokio::test]
async fn after_an_error_of_the_server() {
    falls_back(
        error(500, r#"{"error":{"message":"out of memory"}}"#),
        "out of memory",
    )
    .await;
}

#[tokio::test]
async fn after_503_without_a_word_on_when_to_come_back() {
    falls_back(error(503, "upstream connect error"), "503").await;
}

#[tokio::test]
async fn after_429() {
    falls_back(error(429, "{}"), "429").await;
}

#[tokio::test]
async fn after_silence() {
    falls_back(Script::Hang, "no first byte within 300ms").await;
}

#[tokio::test]
async fn after_a_context_that_was_too_small_after_all() {
    let body = r#"{"object":"error","message":"This model's maximum context length is 4096 tokens.","code":400}"#;
    falls_back(error(400, body), "maximum context length").await;
}

#[tokio::test]
async fn after_credentials_that_the_upstream_does_not_take() {
    let body = r#"{"error":{"message":"Incorrect API key provided: sk-one"}}"#;
    falls_back(error(401, body), "credentials").await;
}

#[tokio::test]
async fn after_a_connection_that_cannot_be_made() {
    let world = World::with(|_, settings| {
        settings
            .upstreams
            .providers
            .insert("one".to_owned(), "http://127.0.0.1:1/v1".to_owned());
    })
    .await;
    assert_eq!(world.ask("hi").await.header("x-waypost-model"), "dear");
}

#[tokio::test]
async fn after_an_answer_that_is_none() {
    let not_json = "not a JSON object";
    falls_back(error(200, "<html>maintenance</html>"), not_json).await;
    falls_back(error(200, r#"{"choices":[{"mess"#), not_json).await;
    falls_back(error(200, "[]"), not_json).await;
    falls_back(error(204, ""), not_json).await;
    falls_back(error(200, r#"{"error":{"message":"x"}}"#), "with an error").await;
}

#[tokio::test]
async fn after_an_answer_in_a_coding_that_was_not_asked_for() {
    let coded = Script::Whole(
        StatusCode::OK,
        vec![("content-encoding", "gzip")],
        usual_answer(),
    );
    falls_back(coded, "coded").await;
    let mut world = World::start().await;
    world.ask("hi").await;
    assert_eq!(
        world.one.call().await.headers["accept-encoding"],
        "identity"
    );
}

#[tokio::test]
async fn after_a_bill_that_is_not_the_callers() {
    falls_back(error(402, r#"{"error":{"message":"pay"}}"#), "credentials").await;
}

#[tokio::test]
async fn a_kept_connection_that_died_is_nobodys_failure() {
    // Of one thread: each keeps connections of its own.
    let mut world = World::with(|_, settings| settings.workers = 1).await;
    world.ask("hi").await;
    assert_eq!(world.receipt().await.attempts, 1);
    world.one.then(Script::Reset);
    assert_eq!(world.ask("hi").await.header("x-waypost-model"), "cheap");
    let receipt = world.receipt().await;
    assert_eq!((receipt.attempts, receipt.tried.len()), (1, 0));
    assert_eq!((world.one.calls(), world.two.calls()), (3, 0));
}

#[tokio::test]
async fn a_refusal_in_another_shape_is_put_into_openais() {
    let mut world = World::start().await;
    for body in ["<html>no</html>", r#"{"message":"no such field"}"#, "{}"] {
        world.one.then(error(422, body));
        let answer = world.ask("hi").await;
        assert_eq!(answer.status.as_u16(), 422);
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.error("code"), "upstream_rejected");
        assert_eq!(
            answer.error("message").contains("no such field"),
            body.contains("no such field")
        );
        assert_eq!(world.receipt().await.ending, Ending::Rejected);
    }
    assert_eq!(world.two.calls(), 0);
}

#[tokio::test]
async fn a_mistake_of_the_client_is_told_in_the_upstreams_words() {
    let mut world = World::start().await;
    let body = r#"{"error":{"message":"`top_p` must be at most 1","type":"invalid_request_error","param":"top_p","code":null}}"#;
    world.one.then(error(400, body));
    let answer = world.ask("hi").await;
    assert_eq!((answer.status.as_u16(), &*answer.text), (400, body));
    assert_eq!(world.two.calls(), 0);
    let receipt = world.receipt().await;
    assert_eq!((receipt.ending, receipt.cost.0), (Ending::Rejected, 0));
}

#[tokio::test]
async fn the_same_model_is_asked_again_as_often_as_its_tier_says() {
    let mut world = World::with(|draft, _| draft.tiers[0].retries = 2).await;
    world.one.fails(500).fails(502);
    let answer = world.ask("hi").await;
    assert_eq!(answer.header("x-waypost-model"), "cheap");
    assert_eq!((world.one.calls(), world.two.calls()), (3, 0));
    assert_eq!(world.receipt().await.attempts, 3);
    let metrics = send(get(world.admin, "/metrics")).await.text;
    assert!(
        metrics.contains(r#"waypost_retries_total{model="cheap"} 2"#),
        "{metrics}"
    );
    assert!(
        metrics
            .contains(r#"waypost_upstream_errors_total{model="cheap",cause="upstream_error"} 2"#),
        "{metrics}"
    );
}

#[tokio::test]
async fn an_upstream_that_asks_for_a_long_pause_is_left_alone() {
    let mut world = World::with(|draft, _| draft.tiers[0].retries = 2).await;
    world.one.then(Script::Whole(
        StatusCode::TOO_MANY_REQUESTS,
        vec![("retry-after", "30")],
        "{}".to_owned(),
    ));
    assert_eq!(world.ask("hi").await.header("x-waypost-model"), "dear");
    assert_eq!(world.one.calls(), 1);
}

#[tokio::test]
async fn when_nothing_is_left_the_first_failure_is_the_answer() {
    let mut world = World::start().await;
    world.one.then(Script::Whole(
        StatusCode::TOO_MANY_REQUESTS,
        vec![("retry-after", "7")],
        "{}".to_owned(),
    ));
    world.two.fails(500);
    let answer = world.ask("hi").await;
    assert_eq!(
        (answer.status.as_u16(), answer.error("code")),
        (429, "rate_limit_exceeded".to_owned())
    );
    assert_eq!(
        (
            answer.header("retry-after"),
            answer.header("retry-after-ms")
        ),
        ("7", "7000")
    );
    assert_eq!(
        answer.json()["error"]["tried"],
        json!([
            {"model": "cheap", "replica": "one", "failure": "it answered 429 Too Many Requests"},
            {"model": "dear", "replica": "two", "failure": "it answered 500 Internal Server Error: no"},
        ])
    );
    let receipt = world.receipt().await;
    assert_eq!(
        (receipt.ending, receipt.status, receipt.attempts),
        (Ending::Failed, 429, 2)
    );
}

#[tokio::test]
async fn each_failure_has_its_status() {
    for (status, told) in [(500, 502), (503, 503), (504, 504), (401, 502), (404, 502)] {
        let world = World::start().await;
        world.two.fails(status);
        assert_eq!(
            world.ask("HARD").await.status.as_u16(),
            told,
            "for {status}"
        );
    }
    let world = World::with(|draft, _| draft.tiers[1].timeout_milliseconds = 50).await;
    world.two.then(Script::Hang);
    assert_eq!(world.ask("HARD").await.status.as_u16(), 504);
}

#[tokio::test]
async fn a_caller_who_hangs_up_stops_the_upstream_and_pays_for_the_prompt() {
    let mut world = World::start().await;
    world.one.then(Script::Hang);
    let waiting = tokio::spawn(send(request(
        world.address,
        "/v1/chat/completions",
        chat("hi"),
    )));
    world.one.call().await;
    waiting.abort();
    world.one.ended().await;
    let receipt = world.receipt().await;
    assert_eq!((receipt.ending, receipt.status), (Ending::HungUp, 499));
    assert!(
        receipt.cost.0 > 0
            && receipt.usage.input > 0
            && receipt.usage.output == 0
            && receipt.estimated
    );
    assert!(receipt.duration < Duration::from_secs(30));
}

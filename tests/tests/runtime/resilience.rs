//! What keeps a failing upstream, or a caller in a hurry, from taking others along.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::StatusCode;
use serde_json::json;

use crate::client::{chat, get, open, request, send};
use crate::upstream::Script;
use crate::world::World;

const CHAT: &str = "/v1/chat/completions";

fn in_a_hurry(
    world: &World,
    timeout: &'static str,
) -> hyper::Request<http_body_util::Full<bytes::Bytes>> {
    let mut request = request(world.address, CHAT, chat("hi"));
    let value = hyper::header::HeaderValue::from_static(timeout);
    request.headers_mut().insert("x-request-timeout", value);
    request
}

#[tokio::test]
async fn an_upstream_that_fails_is_not_asked_twice_for_every_call() {
    const CALLS: usize = 60;
    let mut world = World::with(|draft, _| draft.tiers[0].retries = 1).await;
    for _ in 0..2 * CALLS {
        // No reason to eject it, but one to ask again.
        let error = json!({"error": {"message": "overloaded"}}).to_string();
        world
            .one
            .then(Script::Whole(StatusCode::OK, Vec::new(), error));
    }
    let started = Instant::now();
    let calls: Vec<_> = (0..CALLS)
        .map(|_| tokio::spawn(send(request(world.address, CHAT, chat("hi")))))
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().header("x-waypost-model"), "dear");
    }
    // Ten in reserve, one a second, and a fifth of the calls.
    let most = 10 + CALLS / 5 + started.elapsed().as_secs() as usize + 1;
    let retries = world.one.calls() - CALLS;
    assert!((10..=most).contains(&retries), "{retries} retries");
    let metrics = send(get(world.admin, "/metrics")).await.text;
    let over = CALLS - retries;
    let line = format!(r#"waypost_retries_over_budget_total{{model="cheap"}} {over}"#);
    assert!(metrics.contains(&line), "{line}\n{metrics}");
}

#[tokio::test]
async fn a_model_that_fails_at_its_provider_is_left_alone_for_a_moment() {
    let mut world = World::start().await;
    for _ in 0..5 {
        world.one.fails(500);
        assert_eq!(world.ask("hi").await.header("x-waypost-model"), "dear");
    }
    assert_eq!((world.one.calls(), world.two.calls()), (5, 5));
    let answer = world.ask("hi").await;
    assert_eq!(answer.header("x-waypost-model"), "dear");
    assert_eq!((world.one.calls(), world.two.calls()), (0, 1));
    let metrics = send(get(world.admin, "/metrics")).await.text;
    for line in [
        r#"waypost_ejections_total{model="cheap"} 1"#,
        r#"waypost_upstream_left_alone_total{model="cheap"} 1"#,
        r#"waypost_upstream_errors_total{model="cheap",cause="upstream_error"} 5"#,
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
}

#[tokio::test]
async fn a_model_that_fails_is_asked_all_the_same_where_there_is_no_other() {
    let mut world = World::start().await;
    for _ in 0..6 {
        world.two.fails(500);
        let answer = world.ask("HARD").await;
        assert_eq!(
            (answer.status.as_u16(), answer.error("code")),
            (502, "upstream_error".to_owned()),
            "{}",
            answer.text
        );
    }
    assert_eq!(world.ask("HARD").await.status, StatusCode::OK);
    assert_eq!(world.two.calls(), 7);
}

#[tokio::test]
async fn an_upstream_that_asks_for_a_pause_gets_it_from_every_call() {
    let asks = |status: u16| {
        let status = StatusCode::from_u16(status).unwrap();
        Script::Whole(status, vec![("retry-after", "30")], "{}".to_owned())
    };
    for status in [429, 503] {
        let mut world = World::start().await;
        world.one.then(asks(status));
        for _ in 0..3 {
            assert_eq!(world.ask("hi").await.header("x-waypost-model"), "dear");
        }
        assert_eq!((world.one.calls(), world.two.calls()), (1, 3));
        world.two.then(asks(status));
        for _ in 0..2 {
            let answer = world.ask("HARD").await;
            assert_eq!(answer.status.as_u16(), status);
            let wait: u64 = answer.header("retry-after").parse().unwrap();
            assert!((28..=30).contains(&wait), "{wait}");
        }
        assert_eq!(world.two.calls(), 1);
    }
}

#[tokio::test]
async fn a_callers_deadline_ends_all_attempts_and_is_passed_on() {
    let mut world = World::with(|draft, _| draft.tiers[0].retries = 3).await;
    world.one.then(Script::Hang);
    let answer = send(in_a_hurry(&world, "300ms")).await;
    assert_eq!(
        (answer.status, answer.error("code")),
        (StatusCode::GATEWAY_TIMEOUT, "upstream_timeout".to_owned())
    );
    let call = world.one.call().await;
    let told: f64 = call.headers["x-request-timeout"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(told > 0.0 && told <= 0.3, "{told}");
    assert_eq!((world.one.calls(), world.two.calls()), (0, 0));
    // Time enough: as without.
    assert_eq!(send(in_a_hurry(&world, "60")).await.status, StatusCode::OK);
    world.ask("hi").await;
    world.one.call().await;
    assert!(
        !world
            .one
            .call()
            .await
            .headers
            .contains_key("x-request-timeout")
    );
}

#[tokio::test]
async fn a_pause_that_outlasts_the_deadline_is_not_made() {
    let mut world = World::with(|draft, _| draft.tiers[0].retries = 1).await;
    let wait = vec![("retry-after", "1")];
    world.one.then(Script::Whole(
        StatusCode::TOO_MANY_REQUESTS,
        wait,
        "{}".to_owned(),
    ));
    let answer = send(in_a_hurry(&world, "900ms")).await;
    assert_eq!(answer.header("x-waypost-model"), "dear");
    assert_eq!((world.one.calls(), world.two.calls()), (1, 1));
}

#[tokio::test]
async fn a_deadline_that_is_none_is_refused() {
    let mut world = World::start().await;
    for wrong in ["soon", "-1", "0", ""] {
        let answer = send(in_a_hurry(&world, wrong)).await;
        assert_eq!(
            (answer.status.as_u16(), answer.error("code")),
            (400, "invalid_timeout".to_owned()),
            "{wrong}"
        );
    }
    assert_eq!(world.one.calls(), 0);
}

#[tokio::test]
async fn what_a_filter_stops_goes_to_the_next_model_and_is_told_where_there_is_none() {
    let filtered = || {
        let error =
            json!({"error": {"message": "triggered Azure's policy", "code": "content_filter"}});
        Script::Whole(StatusCode::BAD_REQUEST, Vec::new(), error.to_string())
    };
    let mut world = World::with(|draft, _| draft.tiers[0].retries = 2).await;
    world.one.then(filtered());
    assert_eq!(world.ask("hi").await.header("x-waypost-model"), "dear");
    assert_eq!(world.one.calls(), 1, "the same model would say the same");
    world.one.then(filtered());
    world.two.then(filtered());
    let answer = world.ask("hi").await;
    assert_eq!(
        (answer.status.as_u16(), answer.error("code")),
        (400, "content_filter".to_owned())
    );
    assert!(answer.error("message").contains("triggered Azure's policy"));
}

#[tokio::test]
async fn a_caller_who_hangs_up_before_the_first_byte_cancels_the_upstream_within_a_second() {
    let mut world = World::start().await;
    world.one.then(Script::Hang);
    let address = world.address;
    let call = tokio::spawn(async move { open(request(address, CHAT, chat("hi"))).await });
    world.one.call().await;
    call.abort();
    let left = tokio::time::timeout(Duration::from_secs(1), world.one.ended()).await;
    assert!(left.is_ok(), "the upstream works on for nobody");
    assert_eq!(world.receipt().await.status, 499);
    assert_eq!(world.two.calls(), 0);
}

#[tokio::test]
async fn a_thousand_callers_who_hang_up_leave_nothing_behind() {
    const CALLERS: usize = 1_000;
    let world = Arc::new(World::start().await);
    let mut streams = Vec::new();
    for _ in 0..CALLERS {
        let events = world.one.streams();
        let word = json!({"choices": [{"delta": {"content": "a"}}]});
        events.send(Ok(format!("data: {word}\n\n"))).unwrap();
        streams.push(events);
    }
    let body = r#"{"model":"auto","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
    for _ in 0..CALLERS / 50 {
        let calls: Vec<_> = (0..50)
            .map(|_| tokio::spawn(open(request(world.address, CHAT, body))))
            .collect();
        for call in calls {
            assert_eq!(call.await.unwrap().status(), StatusCode::OK);
        }
    }
    for events in &streams {
        // The upstream's end of each stream is dropped.
        events.closed().await;
    }
    let metrics = send(get(world.admin, "/metrics")).await.text;
    for line in [
        "waypost_in_flight 0",
        "waypost_reservations_open 0",
        "waypost_reservations_abandoned 0",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line}");
    }
}

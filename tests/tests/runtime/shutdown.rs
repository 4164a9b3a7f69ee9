//! Stopping.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt as _;
use waypost_policies::Plan;
use waypost_policies::plan::encode;
use waypost_runtime::{Secrets, Server, Settings};

use crate::client::{open, request};
use crate::world::{ANY_PORT, World};

const STREAM: &str =
    r#"{"model":"auto","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;

#[tokio::test]
async fn a_stream_is_finished_and_nobody_new_gets_in() {
    let world = World::start().await;
    let events = world.one.streams();
    let say = |text: &str| events.send(Ok(format!("data: {text}\n\n"))).unwrap();
    say(r#"{"choices":[{"delta":{"content":"a"}}]}"#);
    let body = open(request(world.address, "/v1/chat/completions", STREAM))
        .await
        .into_body();
    let stopping = tokio::spawn(world.server.shutdown());
    // The port is closed as the first thing: a connection is refused once the stop is under way.
    while tokio::net::TcpStream::connect(world.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!stopping.is_finished());
    say("[DONE]");
    drop(events);
    let text = body.collect().await.unwrap().to_bytes();
    assert!(text.ends_with(b"data: [DONE]\n\n"));
    stopping.await.unwrap();
}

#[tokio::test]
async fn what_takes_too_long_is_cut_off() {
    let world = World::with(|_, settings| settings.bounds.drain = Duration::from_millis(50)).await;
    let events = world.one.streams();
    events
        .send(Ok(
            "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n".to_owned(),
        ))
        .unwrap();
    let body = open(request(world.address, "/v1/chat/completions", STREAM))
        .await
        .into_body();
    world.server.shutdown().await;
    assert!(body.collect().await.is_err());
    drop(events);
}

#[tokio::test]
async fn a_missing_secret_is_named_and_nothing_is_served() {
    let plan = Plan::load(encode(&crate::plan::draft())).unwrap();
    let mut settings = Settings::new(ANY_PORT.parse().unwrap());
    settings.secrets = Secrets::system()
        .with("one_key", "a")
        .with("keys", r#"{"keys":[]}"#);
    let error = Server::start(Arc::new(plan), settings).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "secret `two_key` is missing: environment variable `NOT_SET_two_key`: it is not set"
    );
}

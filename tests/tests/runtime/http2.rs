//! Callers over HTTP/2, as they begin it without TLS.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2::SendRequest;
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;

use waypost_runtime::Ending;

use crate::client::{chat, get, request, send};
use crate::upstream::Script;
use crate::world::World;

const CHAT: &str = "/v1/chat/completions";
const A_MOMENT: Duration = Duration::from_millis(200);

/// A connection, and what ends when it does.
async fn connect(address: SocketAddr) -> (SendRequest<Full<Bytes>>, JoinHandle<()>) {
    let stream = TcpStream::connect(address).await.unwrap();
    let builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
    let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.unwrap();
    let ended = tokio::spawn(async move {
        let _ = connection.await;
    });
    (sender, ended)
}

fn streaming(address: SocketAddr) -> Request<Full<Bytes>> {
    let stream = r#"{"model":"auto","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
    request(address, CHAT, stream)
}

fn ask(address: SocketAddr, prompt: &str) -> Request<Full<Bytes>> {
    request(address, CHAT, chat(prompt))
}

#[tokio::test]
async fn many_calls_share_a_connection() {
    let mut world = World::start().await;
    let (sender, _ended) = connect(world.address).await;
    let mut calls = tokio::task::JoinSet::new();
    for turn in 0..300 {
        let mut sender = sender.clone();
        let request = ask(world.address, &format!("turn {turn}"));
        calls.spawn(async move {
            let answer = sender.send_request(request).await.unwrap();
            let status = answer.status();
            (
                status,
                answer.into_body().collect().await.unwrap().to_bytes(),
            )
        });
    }
    while let Some(answer) = calls.join_next().await {
        let (status, body) = answer.unwrap();
        assert_eq!(status, 200);
        assert!(body.starts_with(b"{\"id\""));
    }
    assert_eq!(world.one.calls(), 300);
}

#[tokio::test]
async fn heads_and_bodies_have_the_same_bounds() {
    let world = World::with(|_, settings| settings.bounds.body = 1000).await;
    let (mut sender, _ended) = connect(world.address).await;
    let mut long_head = ask(world.address, "hi");
    long_head
        .headers_mut()
        .insert("x-long", "a".repeat(100_000).parse().unwrap());
    let answer = sender.send_request(long_head).await.unwrap();
    assert_eq!(answer.status(), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    let answer = sender
        .send_request(ask(world.address, &"a".repeat(2000)))
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let answer = sender.send_request(ask(world.address, "hi")).await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn calls_that_are_reset_at_once_end_the_connection() {
    let mut world = World::start().await;
    let (mut sender, ended) = connect(world.address).await;
    for _ in 0..101 {
        world.one.then(Script::Hang);
        let call = sender.send_request(ask(world.address, "hi"));
        tokio::select! {
            _ = call => panic!("it hangs"),
            _ = world.one.call() => {}
        }
        world.one.ended().await;
    }
    ended.await.unwrap();
    let metrics = send(get(world.admin, "/metrics")).await.text;
    assert!(
        metrics.contains("waypost_connections_refused_total{reason=\"rapid_reset\"} 1"),
        "{metrics}"
    );
    assert_eq!(world.ask("hi").await.status, 200);
}

#[tokio::test]
async fn a_connection_that_rests_too_long_takes_its_leave() {
    let world = World::with(|_, settings| settings.bounds.idle = Duration::from_millis(200)).await;
    let (mut sender, ended) = connect(world.address).await;
    let answer = sender.send_request(ask(world.address, "hi")).await.unwrap();
    assert_eq!(answer.status(), 200);
    drop(answer);
    ended.await.unwrap();
}

#[tokio::test]
async fn an_answer_that_nobody_reads_ends_the_connection() {
    let mut world = World::with(|_, settings| settings.bounds.unread = A_MOMENT).await;
    let events = world.one.streams();
    let (mut sender, ended) = connect(world.address).await;
    let answer = sender.send_request(streaming(world.address));
    let event = format!(
        "data: {{\"choices\":[{{\"delta\":{{\"content\":\"{}\"}}}}]}}\n\n",
        "a".repeat(1 << 20)
    );
    // More than the client takes unasked, and this side keeps for it.
    for _ in 0..16 {
        events.send(Ok(event.clone())).unwrap();
    }
    let answer = answer.await.unwrap();
    ended.await.unwrap();
    world.one.ended().await;
    drop(answer);
    let metrics = send(get(world.admin, "/metrics")).await.text;
    assert!(metrics.contains("waypost_connections_refused_total{reason=\"unread\"} 1"));
}

#[tokio::test]
async fn a_call_that_is_given_up_cancels_its_upstream_and_no_other() {
    let mut world = World::start().await;
    let (kept, given_up) = (world.one.streams(), world.one.streams());
    let say = |events: &UnboundedSender<_>, text: &str| {
        events.send(Ok(format!("data: {text}\n\n"))).unwrap();
    };
    let word = r#"{"choices":[{"delta":{"content":"a"}}]}"#;
    let (mut sender, _ended) = connect(world.address).await;
    let mut answers = Vec::new();
    for events in [&kept, &given_up] {
        say(events, word);
        let answer = sender.send_request(streaming(world.address)).await.unwrap();
        let mut body = answer.into_body();
        body.frame().await.unwrap().unwrap();
        answers.push(body);
    }
    drop(answers.pop());
    // Its upstream is left within a second, and is told by nothing else.
    let left = tokio::time::timeout(Duration::from_secs(1), given_up.closed()).await;
    assert!(left.is_ok(), "the upstream works on for nobody");
    let receipt = world.receipt().await;
    assert_eq!((receipt.ending, receipt.status), (Ending::HungUp, 499));
    say(&kept, "[DONE]");
    drop(kept);
    let rest = answers.pop().unwrap().collect().await.unwrap().to_bytes();
    assert!(rest.ends_with(b"data: [DONE]\n\n"));
    assert_eq!(world.receipt().await.ending, Ending::Answered);
}

#[tokio::test]
async fn a_stream_that_is_silent_for_longer_than_that_goes_on() {
    let world = World::with(|_, settings| settings.bounds.unread = A_MOMENT).await;
    let events = world.one.streams();
    let say = |text: &str| events.send(Ok(format!("data: {text}\n\n"))).unwrap();
    say(r#"{"choices":[{"delta":{"content":"a"}}]}"#);
    let (mut sender, _ended) = connect(world.address).await;
    let answer = sender.send_request(streaming(world.address)).await.unwrap();
    let reading = tokio::spawn(answer.into_body().collect());
    tokio::time::sleep(A_MOMENT * 4).await;
    say("[DONE]");
    drop(events);
    let text = reading.await.unwrap().unwrap().to_bytes();
    assert!(text.ends_with(b"data: [DONE]\n\n"));
}

#[tokio::test]
async fn a_stream_is_finished_before_the_server_stops() {
    let world = World::start().await;
    let events = world.one.streams();
    let say = |text: &str| events.send(Ok(format!("data: {text}\n\n"))).unwrap();
    say(r#"{"choices":[{"delta":{"content":"a"}}]}"#);
    let (mut sender, ended) = connect(world.address).await;
    let answer = sender.send_request(streaming(world.address)).await.unwrap();
    let admin = world.admin;
    let stopping = tokio::spawn(world.server.shutdown());
    // It says so first, to those who ask, and goes on saying so.
    let ready = loop {
        let ready = send(get(admin, "/readyz")).await;
        if ready.status != 200 {
            break ready;
        }
    };
    assert_eq!(
        (ready.status.as_u16(), ready.json()["stopping"].as_bool()),
        (503, Some(true))
    );
    // The connection takes no more calls.
    while sender
        .send_request(request(world.address, "/v1/models", ""))
        .await
        .is_ok()
    {
        tokio::task::yield_now().await;
    }
    assert!(!stopping.is_finished());
    say("[DONE]");
    drop(events);
    let text = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(text.ends_with(b"data: [DONE]\n\n"));
    stopping.await.unwrap();
    ended.await.unwrap();
}

#[tokio::test]
async fn callers_are_served_for_a_while_after_it_says_that_it_stops() {
    let farewell = Duration::from_secs(2);
    let world = World::with(|_, settings| settings.bounds.farewell = farewell).await;
    let stopping = tokio::spawn(world.server.shutdown());
    while send(get(world.admin, "/readyz")).await.status == 200 {}
    let answer = send(ask(world.address, "hi")).await;
    assert_eq!(answer.status, 200);
    stopping.await.unwrap();
    assert!(TcpStream::connect(world.address).await.is_err());
}

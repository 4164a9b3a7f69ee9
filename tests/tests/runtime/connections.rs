//! Connections to upstreams: what is spoken on them, how many there are, and whom they trust.

use std::time::Duration;

use waypost_runtime::UpstreamTls;

use crate::authority::Authority;
use crate::client::{chat, open, request};
use crate::upstream::{Script, Speaks, Upstream};
use crate::world::World;

const CHAT: &str = "/v1/chat/completions";

/// A server whose cheap model is at `base`, of one thread: each has connections of its own.
async fn world(base: String, tls: UpstreamTls) -> World {
    World::with(move |_, settings| {
        settings.workers = 1;
        settings.upstreams.providers.insert("one".to_owned(), base);
        settings.upstream_tls = tls;
    })
    .await
}

/// Which upstream answers a call.
async fn answers(world: &World) -> String {
    let answer = world.ask("hi").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.header("x-waypost-replica").to_owned()
}

#[tokio::test]
async fn calls_one_after_the_other_share_a_connection() {
    let mut world = World::with(|_, settings| settings.workers = 1).await;
    for _ in 0..5 {
        assert_eq!(answers(&world).await, "one");
    }
    assert_eq!((world.one.calls(), world.one.connections()), (5, 1));
    // One that is given up is not used again.
    world.one.then(Script::Hang);
    let hanging = tokio::spawn(open(request(world.address, CHAT, chat("hi"))));
    world.one.call().await;
    hanging.abort();
    world.one.ended().await;
    assert_eq!(answers(&world).await, "one");
    assert_eq!(world.one.connections(), 2);
}

#[tokio::test]
async fn http2_without_tls_is_spoken_where_the_file_says_so() {
    let mut upstream = Upstream::speaking(Speaks::Http2).await;
    let base = format!("h2c://{}/v1", upstream.address);
    let world = world(base, UpstreamTls::default()).await;
    assert_eq!(answers(&world).await, "one");
    let call = upstream.call().await;
    assert_eq!(call.path, "/v1/chat/completions");
    assert_eq!(call.headers["authorization"], "Bearer sk-one");
    assert!(!call.headers.contains_key("host"));
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..50 {
        calls.spawn(open(request(world.address, CHAT, chat("hi"))));
    }
    while let Some(answer) = calls.join_next().await {
        assert_eq!(answer.unwrap().status(), 200);
    }
    assert_eq!((upstream.calls(), upstream.connections()), (50, 1));
}

#[tokio::test]
async fn more_calls_than_one_connection_carries_get_another() {
    let mut upstream = Upstream::speaking(Speaks::Http2).await;
    let base = format!("h2c://{}/v1", upstream.address);
    let world = world(base, UpstreamTls::default()).await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..150 {
        upstream.then(Script::Hang);
        calls.spawn(open(request(world.address, CHAT, chat("hi"))));
    }
    for _ in 0..150 {
        upstream.call().await;
    }
    // On a busy machine a call may lose patience with the connection that another makes.
    let connections = upstream.connections();
    assert!((2..10).contains(&connections), "{connections}");
    // Who hangs up ends its own call and no other.
    drop(calls);
    for _ in 0..150 {
        upstream.ended().await;
    }
    assert_eq!(answers(&world).await, "one");
    assert_eq!(upstream.connections(), connections);
}

#[tokio::test]
async fn over_tls_the_upstream_chooses_and_is_connected_to_ahead() {
    for protocols in [&["h2", "http/1.1"][..], &["http/1.1"], &[]] {
        let authority = Authority::new();
        let server = authority.server(protocols, false);
        let upstream = Upstream::speaking(Speaks::Tls(server)).await;
        let tls = UpstreamTls {
            authority: Some(authority.own_file()),
            ..UpstreamTls::default()
        };
        let base = format!("https://localhost:{}/v1", upstream.address.port());
        let world = world(base, tls).await;
        while upstream.connections() == 0 {
            tokio::task::yield_now().await;
        }
        for _ in 0..3 {
            assert_eq!(answers(&world).await, "one");
        }
        assert_eq!(upstream.connections(), 1, "{protocols:?}");
    }
}

#[tokio::test]
async fn an_upstream_that_nobody_vouches_for_gets_no_call() {
    let authority = Authority::new();
    let server = authority.server(&["h2"], false);
    let mut upstream = Upstream::speaking(Speaks::Tls(server)).await;
    let base = format!("https://localhost:{}/v1", upstream.address.port());
    let world = world(base, UpstreamTls::default()).await;
    assert_eq!(answers(&world).await, "two");
    assert_eq!(upstream.calls(), 0);
}

#[tokio::test]
async fn an_upstream_that_asks_is_shown_a_certificate() {
    let authority = Authority::new();
    let own = authority.issue();
    let shown = UpstreamTls {
        authority: Some(authority.own_file()),
        certificate: Some(authority.file("client.pem", &own.certificate)),
        key: Some(authority.file("client.key", &own.key)),
    };
    let not_shown = UpstreamTls {
        authority: shown.authority.clone(),
        ..UpstreamTls::default()
    };
    for (tls, expected) in [(shown, "one"), (not_shown, "two")] {
        let server = authority.server(&["http/1.1"], true);
        let upstream = Upstream::speaking(Speaks::Tls(server)).await;
        let base = format!("https://localhost:{}/v1", upstream.address.port());
        assert_eq!(answers(&world(base, tls).await).await, expected);
    }
}

#[tokio::test]
async fn an_upstream_may_be_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("engine.sock");
    let mut upstream = Upstream::speaking(Speaks::File(path.clone())).await;
    while !path.exists() {
        tokio::task::yield_now().await;
    }
    let base = format!("unix:{}:/v1", path.display());
    let world = world(base, UpstreamTls::default()).await;
    assert_eq!(answers(&world).await, "one");
    let call = upstream.call().await;
    assert_eq!(call.path, "/v1/chat/completions");
    assert_eq!(call.headers["host"], "localhost");
}

#[tokio::test]
async fn an_address_that_refuses_is_passed_over_for_the_next() {
    // Names of this machine have an address of each family; upstreams listen on one of them.
    let upstream = Upstream::start().await;
    let base = format!("http://localhost:{}/v1", upstream.address.port());
    let world = world(base, UpstreamTls::default()).await;
    let started = std::time::Instant::now();
    assert_eq!(answers(&world).await, "one");
    assert!(started.elapsed() < Duration::from_secs(4));
}

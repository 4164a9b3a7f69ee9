//! Clients that take their time, or take too much.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::client::{chat, get, request as client_request, send};
use crate::wire::{exchange, read_all, resident, status};
use crate::world::World;

const A_MOMENT: Duration = Duration::from_millis(200);

/// The sum of a metric's lines.
async fn metric(world: &World, name: &str) -> f64 {
    let text = send(get(world.admin, "/metrics")).await.text;
    let values = text.lines().filter(|line| line.starts_with(name));
    values
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}

fn request(headers: &str) -> String {
    let body = chat("hi");
    format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer alpha-key\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn a_head_that_drips_in_is_not_waited_for() {
    let world = World::with(|_, settings| settings.bounds.head_time = A_MOMENT).await;
    for begins in ["P", "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n"] {
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        stream.write_all(begins.as_bytes()).await.unwrap();
        let (mut reading, mut writing) = stream.into_split();
        let drip = tokio::spawn(async move {
            while writing.write_all(b"x").await.is_ok() {
                tokio::time::sleep(A_MOMENT / 10).await;
            }
        });
        let mut answer = String::new();
        let _ = reading.read_to_string(&mut answer).await;
        drip.abort();
        assert_eq!(status(&answer), 408, "{answer}");
    }
    assert_eq!(
        metric(
            &world,
            "waypost_connections_refused_total{reason=\"slow_head\"}"
        )
        .await,
        2.0
    );
}

#[tokio::test]
async fn a_connection_may_rest_between_calls_longer_than_a_head_may_take() {
    let world = World::with(|_, settings| settings.bounds.head_time = A_MOMENT).await;
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    let mut buffer = vec![0; 64 << 10];
    for _ in 0..2 {
        tokio::time::sleep(A_MOMENT * 2).await;
        stream.write_all(request("").as_bytes()).await.unwrap();
        let read = stream.read(&mut buffer).await.unwrap();
        assert_eq!(status(&String::from_utf8_lossy(&buffer[..read])), 200);
    }
}

#[tokio::test]
async fn a_connection_that_rests_too_long_is_closed() {
    let world = World::with(|_, settings| settings.bounds.idle = A_MOMENT).await;
    assert_eq!(exchange(world.address, "").await, "");
    let answer = exchange(world.address, request("")).await;
    assert_eq!(status(&answer), 200);
}

#[tokio::test]
async fn a_body_that_drips_in_is_a_408() {
    let world = World::with(|_, settings| settings.bounds.body_time = A_MOMENT).await;
    let whole = request("Connection: close\r\n");
    let answer = exchange(world.address, &whole[..whole.len() - 5]).await;
    assert_eq!(status(&answer), 408, "{answer}");
    assert!(answer.contains("request_timeout"));
}

#[tokio::test]
async fn a_head_beyond_the_bound_is_a_431_and_one_within_passes() {
    let world = World::start().await;
    let header = |bytes: usize| format!("X-Long: {}\r\nConnection: close\r\n", "a".repeat(bytes));
    for (bytes, expected) in [(60_000, 200), (100_000, 431), (1_000_000, 431)] {
        let answer = exchange(world.address, request(&header(bytes))).await;
        assert_eq!(status(&answer), expected, "{bytes}: {answer}");
    }
    let many: String = (0..200).map(|n| format!("x-{n}: 1\r\n")).collect();
    assert_eq!(status(&exchange(world.address, request(&many)).await), 431);
    let path = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(80_000));
    assert!([414, 431].contains(&status(&exchange(world.address, path).await)));
}

#[tokio::test]
async fn a_body_beyond_the_bound_is_a_413() {
    let world = World::with(|_, settings| settings.bounds.body = 1000).await;
    let head = "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer alpha-key\r\n\
         Content-Type: application/json\r\nConnection: close\r\n";
    let long = "a".repeat(2000);
    for rest in [
        format!("Content-Length: 2000\r\n\r\n{long}"),
        format!("Transfer-Encoding: chunked\r\n\r\n7d0\r\n{long}\r\n0\r\n\r\n"),
    ] {
        let answer = exchange(world.address, format!("{head}{rest}")).await;
        assert_eq!(status(&answer), 413, "{answer}");
    }
}

#[tokio::test]
async fn hundreds_who_drip_keep_nobody_from_an_answer() {
    const CLIENTS: usize = 400;
    let world = World::with(|_, settings| settings.bounds.head_time = A_MOMENT * 5).await;
    let before = resident();
    let mut slow = JoinSet::new();
    for client in 0..CLIENTS {
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        // Heads that never end, and bodies that come byte by byte.
        let begins = match client % 2 {
            0 => "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nX-A: ".to_owned(),
            _ => request("Connection: close\r\n").replace("Content-Length: ", "Content-Length: 10"),
        };
        slow.spawn(async move {
            stream.write_all(begins.as_bytes()).await.unwrap();
            while stream.write_all(b" ").await.is_ok() {
                tokio::time::sleep(A_MOMENT / 10).await;
            }
        });
    }
    while metric(&world, "waypost_connections ").await < CLIENTS as f64 {
        tokio::task::yield_now().await;
    }
    for _ in 0..5 {
        let answer = tokio::time::timeout(Duration::from_secs(2), world.ask("hi")).await;
        assert_eq!(answer.expect("an answer in time").status, 200);
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 40 << 20, "{grown} bytes for {CLIENTS} slow clients");
    let slow_heads = "waypost_connections_refused_total{reason=\"slow_head\"}";
    while metric(&world, slow_heads).await < (CLIENTS / 2) as f64 {
        tokio::time::sleep(A_MOMENT / 10).await;
    }
    slow.shutdown().await;
    while metric(&world, "waypost_connections ").await > 1.0 {
        tokio::task::yield_now().await;
    }
}

/// A chat of so many bytes, whose model need not read them.
fn long(bytes: usize) -> String {
    let body = serde_json::json!({"model": "auto", "user": "a".repeat(bytes), "messages": [{"role": "user", "content": "hi"}]});
    body.to_string()
}

#[tokio::test]
async fn large_bodies_wait_for_room_and_small_ones_do_not() {
    let mut world = World::with(|_, settings| {
        settings.bounds.body = 1 << 20;
        settings.bounds.body_memory = 2 << 20;
        settings.bounds.body_time = Duration::from_secs(20);
    })
    .await;
    // Two upstreams that do not answer yet hold the room of their calls.
    let events = [world.one.streams(), world.one.streams()];
    let body = |bytes| {
        let stream = long(bytes).replace("\"user\":\"a", "\"stream\":true,\"user\":\"a");
        client_request(world.address, "/v1/chat/completions", stream)
    };
    let mut calls: Vec<_> = (0..2).map(|_| tokio::spawn(send(body(900_000)))).collect();
    for _ in 0..2 {
        world.one.call().await;
    }
    assert!(metric(&world, "waypost_body_memory_bytes").await > 1.8e6);
    let third = tokio::spawn(send(client_request(
        world.address,
        "/v1/chat/completions",
        long(900_000),
    )));
    let dripped = exchange(world.address, request("Connection: close\r\n")).await;
    assert_eq!(status(&dripped), 200);
    assert!(!third.is_finished(), "there was no room for it");
    assert!(metric(&world, "waypost_body_memory_bytes").await < 2.1e6);
    for events in events {
        events
            .send(Ok(
                "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: [DONE]\n\n"
                    .to_owned(),
            ))
            .unwrap();
    }
    calls.push(third);
    for call in calls {
        assert_eq!(call.await.unwrap().status, 200);
    }
    while metric(&world, "waypost_body_memory_bytes").await > 0.0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_large_body_that_finds_no_room_in_time_is_a_503_and_chunks_count_too() {
    let mut world = World::with(|_, settings| {
        settings.bounds.body = 1 << 20;
        settings.bounds.body_memory = 1 << 20;
        settings.bounds.body_time = A_MOMENT * 5;
    })
    .await;
    let events = world.one.streams();
    let stream = long(900_000).replace("\"user\":\"a", "\"stream\":true,\"user\":\"a");
    let holding = tokio::spawn(send(client_request(
        world.address,
        "/v1/chat/completions",
        stream,
    )));
    world.one.call().await;
    let body = long(200_000);
    let chunked = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer alpha-key\r\n\
         Content-Type: application/json\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n\
         {:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );
    let answer = exchange(world.address, &chunked).await;
    assert_eq!(status(&answer), 503, "{answer}");
    assert!(
        answer.contains("too_many_large_bodies") && answer.contains("retry-after: 1"),
        "{answer}"
    );
    drop(events);
    holding.await.unwrap();
    assert_eq!(status(&exchange(world.address, &chunked).await), 200);
}

#[tokio::test]
async fn idle_connections_by_the_thousand_are_held_and_forgotten() {
    let world = World::start().await;
    let before = resident();
    let mut idle = Vec::new();
    for _ in 0..2000 {
        idle.push(TcpStream::connect(world.address).await.unwrap());
    }
    while metric(&world, "waypost_connections ").await < 2000.0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.ask("hi").await.status, 200);
    // Both ends of each, and the tests beside this one.
    let grown = resident().saturating_sub(before);
    assert!(grown < 80 << 20, "{grown} bytes for 2,000 connections");
    drop(idle);
    while metric(&world, "waypost_connections ").await > 1.0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn who_comes_when_all_places_are_taken_is_told_so() {
    let world = World::with(|_, settings| settings.bounds.connections = 2).await;
    let mut seated = Vec::new();
    for _ in 0..2 {
        seated.push(TcpStream::connect(world.address).await.unwrap());
    }
    while metric(&world, "waypost_connections ").await < 2.0 {
        tokio::task::yield_now().await;
    }
    let answer = exchange(world.address, request("")).await;
    assert_eq!(status(&answer), 503, "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("content-length: {}", body.len())));
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["error"]["code"], "too_many_connections");
    // A place that becomes free is given away.
    seated.pop();
    while metric(&world, "waypost_connections ").await > 1.0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.ask("hi").await.status, 200);
    drop(seated);
    while metric(&world, "waypost_connections ").await > 0.0 {
        tokio::task::yield_now().await;
    }
    let mut early = TcpStream::connect(world.address).await.unwrap();
    early.shutdown().await.unwrap();
    assert_eq!(read_all(&mut early).await, "");
}

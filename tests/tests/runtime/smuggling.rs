//! Requests that two servers could see in two ways: one of them at most gets an answer.

use crate::client::chat;
use crate::wire::{exchange, status};
use crate::world::World;

/// A request with these headers and this body, and a second one that would pass if the first one's end was misread.
async fn check(headers: &str, body: &str, expected: u16, code: &str) {
    let mut world = World::start().await;
    let second = "GET /v1/models HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer alpha-key\r\n\r\n";
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nAuthorization: Bearer alpha-key\r\n\
         Content-Type: application/json\r\n{headers}\r\n{body}{second}"
    );
    let answer = exchange(world.address, &request).await;
    assert_eq!(status(&answer), expected, "{headers}: {answer}");
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{headers}: {answer}");
    assert!(answer.contains(code), "{headers}: {answer}");
    assert_eq!(world.one.calls(), 0, "{headers}");
}

#[tokio::test]
async fn the_length_of_a_body_is_said_once() {
    let body = chat("hi");
    let length = body.len();
    let both = "400";
    for headers in [
        format!("Host: a\r\nContent-Length: {length}\r\nTransfer-Encoding: chunked\r\n"),
        format!("Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: {length}\r\n"),
        "Host: a\r\ntransfer-encoding: chunked\r\nx: y\r\ncontent-length: 4\r\n".to_owned(),
        format!("Host: a\r\nContent-Length: {length}\r\nContent-Length: {length}\r\n"),
    ] {
        check(&headers, &body, 400, "ambiguous_length").await;
    }
    for headers in [
        format!("Host: a\r\nContent-Length: {length}\r\nContent-Length: 4\r\n"),
        format!("Host: a\r\nContent-Length: {length}, {length}\r\n"),
        format!("Host: a\r\nContent-Length: +{length}\r\n"),
        "Host: a\r\nContent-Length: -1\r\n".to_owned(),
        format!("Host: a\r\nContent-Length : {length}\r\n"),
        format!("Host: a\r\nX: y\r\n Content-Length: {length}\r\n"),
        "Host: a\r\nTransfer-Encoding: chunked\r\n\tx\r\n".to_owned(),
        "Host: a\r\nTransfer-Encoding: chunked, identity\r\n".to_owned(),
        "Host: a\r\nTransfer-Encoding: xchunked\r\n".to_owned(),
    ] {
        check(&headers, &body, 400, both).await;
    }
    for headers in [
        "Host: a\r\nTransfer-Encoding: gzip, chunked\r\n",
        "Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    ] {
        check(headers, &body, 501, "unsupported_transfer_encoding").await;
    }
}

#[tokio::test]
async fn a_request_has_one_host() {
    let body = chat("hi");
    let length = format!("Content-Length: {}\r\n", body.len());
    check(&length, &body, 400, "invalid_host").await;
    check(
        &format!("{length}Host: a\r\nHost: b\r\n"),
        &body,
        400,
        "invalid_host",
    )
    .await;
}

#[tokio::test]
async fn chunks_that_are_none_end_the_connection() {
    for chunks in [
        "zz\r\n{}\r\n0\r\n\r\n",
        "2 2\r\n{}\r\n0\r\n\r\n",
        "-2\r\n{}\r\n0\r\n\r\n",
        "0x2\r\n{}\r\n0\r\n\r\n",
        "ffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
        "2\r\n{}0\r\n\r\n",
        "2\n{}\n0\n\n",
    ] {
        check(
            "Host: a\r\nTransfer-Encoding: chunked\r\n",
            chunks,
            400,
            "incomplete_body",
        )
        .await;
    }
}

#[tokio::test]
async fn what_concerns_one_hop_or_this_server_alone_is_not_sent_on() {
    let mut world = World::start().await;
    let body = chat("hi");
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer alpha-key\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close, X-Secret-Hop\r\nX-Secret-Hop: 1\r\nKeep-Alive: timeout=5\r\nTE: trailers\r\n\
         Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nProxy-Authorization: Basic eA==\r\nProxy-Connection: close\r\nX-Waypost-Tier: strong\r\nX-Waypost-Anything: 1\r\n\
         Cookie: a=b\r\nX-Api-Key: alpha-key\r\nApi-Key: alpha-key\r\nX-Goog-Api-Key: alpha-key\r\nX-Forwarded-For: 1.2.3.4\r\n\
         X-Kept: yes\r\n\r\n{body}",
        body.len()
    );
    let answer = exchange(world.address, &request).await;
    assert_eq!(status(&answer), 200, "{answer}");
    let call = world.one.call().await;
    let mut names: Vec<_> = call.headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "accept",
            "accept-encoding",
            "authorization",
            "content-length",
            "content-type",
            "host",
            "user-agent",
            "x-kept",
        ]
    );
    assert_eq!(call.headers["authorization"], "Bearer sk-one");
}

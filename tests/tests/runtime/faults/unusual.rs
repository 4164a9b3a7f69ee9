//! Answers that few expect, and that are answers all the same.

use serde_json::json;

use super::raw::{Raw, Reply, Then};
use super::{CHAT, alone, before_a_well_one, leaves_nothing_behind};
use crate::client::{chat, request, send};
use crate::upstream::usual_answer;

/// Some ten megabytes.
fn long_prompt() -> String {
    "ten bytes ".repeat(1 << 20)
}

fn chunked(tail: &str) -> Reply {
    let answer = usual_answer();
    let head =
        "200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\ntrailer: x-sum";
    let body = format!("{:x}\r\n{answer}\r\n{tail}", answer.len());
    Reply::with(head, body, Then::Keep)
}

fn answers() -> Vec<(&'static str, Reply)> {
    let answer = usual_answer();
    let early = |lines: &str| {
        let whole = Reply::whole("200 OK", "", &answer);
        let bytes = [lines.as_bytes(), &whole.bytes].concat();
        Reply::new(bytes, Then::Keep)
    };
    let long = format!("\r\nx-request-id: {}", "a".repeat(100_000));
    let deep = format!(
        r#"{{"x":{}{},{}"#,
        "[".repeat(10_000),
        "]".repeat(10_000),
        &answer[1..]
    );
    vec![
        ("100", early("HTTP/1.1 100 Continue\r\n\r\n")),
        (
            "103",
            early("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"),
        ),
        ("trailers", chunked("0\r\nx-sum: 7\r\n\r\n")),
        ("a chunk's extension", chunked("0;last=yes\r\n\r\n")),
        ("byte by byte", Reply::whole("200 OK", "", &answer).drips()),
        ("no length", Reply::with("200 OK", &answer, Then::Close)),
        (
            "HTTP/1.0",
            Reply::new(format!("HTTP/1.0 200 OK\r\n\r\n{answer}"), Then::Close),
        ),
        ("100 kB of headers", Reply::whole("200 OK", &long, &answer)),
        ("10,000 deep", Reply::whole("200 OK", "", deep)),
    ]
}

#[tokio::test]
async fn they_are_passed_on() {
    for (name, reply) in answers() {
        let raw = Raw::that(&reply, 1).await;
        let mut world = before_a_well_one(&raw).await;
        let answer = world.ask("hi").await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("x-waypost-model")),
            (200, "cheap"),
            "{name}: {:?}",
            world.receipt().await.tried
        );
        assert!(answer.text.contains(r#""content":"four""#), "{name}");
        let receipt = world.receipt().await;
        assert_eq!(
            (receipt.usage.input, receipt.usage.output),
            (10, 5),
            "{name}"
        );
        let longest = answer.headers.values().map(|value| value.len()).max();
        assert!(
            longest < Some(1_000),
            "{name}: a header of {longest:?} bytes"
        );
    }
}

#[tokio::test]
async fn what_follows_an_answer_is_not_taken_for_the_next_one() {
    let forged = Reply::whole("200 OK", "", r#"{"choices":[],"forged":true}"#);
    let mut smuggled = Reply::whole("200 OK", "", usual_answer());
    smuggled.bytes.extend_from_slice(&forged.bytes);
    let raw = Raw::that(&smuggled, 1).await;
    let world = before_a_well_one(&raw).await;
    for call in 0..3 {
        let answer = world.ask("hi").await;
        assert_eq!(answer.text, usual_answer(), "call {call}");
    }
}

#[tokio::test]
async fn a_prompt_of_ten_megabytes_goes_through_and_again_to_the_next_model() {
    let raw = Raw::that(&Reply::new("", Then::Reset), 1).await;
    let mut world = before_a_well_one(&raw).await;
    let body = json!({"model": "auto", "messages": [{"role": "user", "content": "hi"}], "user": long_prompt()});
    let answer = send(request(world.address, CHAT, body.to_string())).await;
    assert_eq!(answer.header("x-waypost-model"), "dear", "{}", answer.text);
    let mut sent = world.two.call().await.json();
    let mut wanted = body;
    // What is decided: the model's name, and how long the answer may be.
    for body in [&mut sent, &mut wanted] {
        let members = body.as_object_mut().unwrap();
        members.retain(|key, _| key != "model" && key != "max_tokens");
    }
    assert!(sent == wanted, "the prompt came changed");
    assert_eq!(world.receipt().await.tried.len(), 1);
}

#[tokio::test]
async fn an_answer_that_comes_before_the_body_was_read_is_heard() {
    let busy = r#"{"error":{"message":"slow down","code":"rate_limit_exceeded"}}"#;
    for then in [Then::Hold, Then::HalfClose, Then::Close, Then::Reset] {
        let reply = Reply::whole("429 Too Many Requests", "\r\nconnection: close", busy);
        let reply = Reply { then, ..reply }.before_the_body();
        let mut raw = Raw::that(&reply, 2).await;
        let world = alone(&raw).await;
        let body = json!({"model": "dear", "messages": [{"role": "user", "content": "hi"}], "user": long_prompt()});
        let answer = send(request(world.address, CHAT, body.to_string())).await;
        let told = (answer.status.as_u16(), answer.error("code"));
        // Of a connection that is reset the answer may be lost on the way.
        let lost = (502, "upstream_broken".to_owned());
        let heard = (429, "rate_limit_exceeded".to_owned());
        assert!(
            told == heard || (then != Then::Hold && told == lost),
            "{then:?}: {told:?}"
        );
        leaves_nothing_behind(&world, &mut raw).await;
    }
}

#[tokio::test]
async fn the_upstream_is_told_one_length_and_no_coding() {
    let raw = Raw::start().await;
    let world = before_a_well_one(&raw).await;
    let mut call = request(world.address, CHAT, chat("hi"));
    call.headers_mut()
        .insert("accept-encoding", "gzip, br".parse().unwrap());
    assert_eq!(send(call).await.status, 200);
    let head = raw.head(0).to_ascii_lowercase();
    assert_eq!(head.matches("content-length:").count(), 1, "{head}");
    assert!(
        !head.contains("transfer-encoding") && head.contains("accept-encoding: identity"),
        "{head}"
    );
}

//! Streams that break after their first byte, and streams that only look broken.

use serde_json::{Value, json};
use waypost_runtime::Ending;

use super::raw::{Raw, Reply, Then};
use super::{CHAT, MESSAGES, alone, at_once, before_a_well_one, leaves_nothing_behind};
use crate::client::{open, request, send};
use crate::upstream::USAGE;

pub(super) const RESPONSES: &str = "/v1/responses";
const FIRST: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"some words that were sent\"},\"finish_reason\":null}]}\n\n";
const STOP: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";

fn usage() -> String {
    format!("data: {{\"choices\":[],\"usage\":{USAGE}}}\n\n")
}

pub(super) fn body(path: &str, prompt: &str) -> String {
    let mut body = json!({"model": "auto", "stream": true});
    if path == RESPONSES {
        body["input"] = json!(prompt);
    } else {
        body["messages"] = json!([{"role": "user", "content": prompt}]);
    }
    if path == MESSAGES {
        body["max_tokens"] = json!(50);
    }
    if path == CHAT {
        body["stream_options"] = json!({"include_usage": true});
    }
    body.to_string()
}

fn broken() -> Vec<(&'static str, Reply)> {
    let half = format!("{FIRST}data: {{\"choices\":[{{\"del");
    let cut = "ff\r\ndata: {\"choices\"";
    let error = "data: {\"error\":{\"message\":\"overloaded\"}}\n\n";
    vec![
        ("reset", Reply::stream(FIRST, Then::Reset)),
        ("reset in an event", Reply::chunked(&half, "", Then::Reset)),
        ("closed", Reply::stream(FIRST, Then::Close)),
        ("closed in an event", Reply::stream(&half, Then::Close)),
        (
            "closed without a last chunk",
            Reply::chunked(FIRST, "", Then::Close),
        ),
        ("half closed", Reply::chunked(FIRST, "", Then::HalfClose)),
        ("a truncated chunk", Reply::chunked(FIRST, cut, Then::Close)),
        (
            "a chunk of no length",
            Reply::chunked(FIRST, "zz\r\n", Then::Hold),
        ),
        (
            "ended before its end",
            Reply::chunked(FIRST, "0\r\n\r\n", Then::Keep),
        ),
        ("silence", Reply::chunked(FIRST, "", Then::Hold)),
        ("silence in an event", Reply::chunked(&half, "", Then::Hold)),
        (
            "an error, and silence",
            Reply::chunked(format!("{FIRST}{error}"), "", Then::Hold),
        ),
        (
            "an error",
            Reply::stream(format!("{FIRST}{error}"), Then::Close),
        ),
    ]
}

/// The data of the last event, and its name.
pub(super) fn last_event(text: &str) -> (String, Value) {
    assert!(text.ends_with("\n\n"), "an event without end: {text}");
    let event = text.trim_end().rsplit("\n\n").next().unwrap();
    let line = |prefix| event.lines().find_map(|line| line.strip_prefix(prefix));
    let data = line("data: ").unwrap_or_else(|| panic!("no event: {event}"));
    let name = line("event: ").unwrap_or_default().to_owned();
    let data = serde_json::from_str(data).unwrap_or_else(|_| panic!("no error event: {event}"));
    (name, data)
}

#[tokio::test]
async fn they_end_in_an_error_event_and_are_charged_for_what_came() {
    for path in [CHAT, MESSAGES, RESPONSES] {
        at_once(broken().into_iter().map(|(name, reply)| async move {
            let name = format!("{name} on {path}");
            let mut raw = Raw::that(&reply, 1).await;
            let mut world = alone(&raw).await;
            let answer = send(request(world.address, path, body(path, "hi"))).await;
            assert_eq!(answer.status, 200, "{name}");
            assert!(answer.text.contains("some words that were sent"), "{name}");
            let (event, data) = last_event(&answer.text);
            assert!(data["error"]["message"].is_string(), "{name}: {data}");
            if path != CHAT {
                assert_eq!(
                    (&*event, &data["type"]),
                    ("error", &json!("error")),
                    "{name}"
                );
            }
            let receipt = world.receipt().await;
            assert_eq!(receipt.ending, Ending::Broken, "{name}");
            assert!(
                receipt.estimated && receipt.usage.output >= 4 && receipt.cost.0 > 0,
                "{name}: {receipt:?}"
            );
            assert_eq!(
                receipt.attempts, 1,
                "{name}: nothing is sent twice after the first byte"
            );
            if reply.then != Then::Keep {
                leaves_nothing_behind(&world, &mut raw).await;
            }
        }))
        .await;
    }
}

#[tokio::test]
async fn they_fall_back_while_nothing_was_said() {
    let comment = ": one moment\n\n";
    let replies = [
        ("reset", Reply::chunked(comment, "", Then::Reset)),
        ("closed", Reply::stream(comment, Then::Close)),
        ("only a head", Reply::stream("", Then::Close)),
        ("silence", Reply::chunked(comment, "", Then::Hold)),
        ("half an event", Reply::stream("data: {\"choi", Then::Close)),
        (
            "gzip",
            Reply::with(
                "200 OK\r\ncontent-type: text/event-stream\r\ncontent-encoding: gzip",
                b"\x1f\x8b",
                Then::Hold,
            ),
        ),
        (
            "an error",
            Reply::stream(
                "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"x\"}}\n\n",
                Then::Hold,
            ),
        ),
    ];
    at_once(replies.into_iter().map(|(name, reply)| async move {
        let mut raw = Raw::that(&reply, 1).await;
        let world = before_a_well_one(&raw).await;
        let events = world.two.streams();
        for text in [FIRST, STOP, &usage(), "data: [DONE]\n\n"] {
            events.send(Ok(text.to_owned())).unwrap();
        }
        drop(events);
        let answer = send(request(world.address, CHAT, body(CHAT, "hi"))).await;
        assert_eq!(
            answer.header("x-waypost-model"),
            "dear",
            "{name}: {}",
            answer.text
        );
        assert!(answer.text.starts_with(FIRST), "{name}");
        leaves_nothing_behind(&world, &mut raw).await;
    }))
    .await;
}

#[tokio::test]
async fn a_stream_that_only_looks_broken_is_whole() {
    let whole = format!("{FIRST}{STOP}{}data: [DONE]\n\n", usage());
    let events = [
        ("as usual", whole.clone()),
        ("without [DONE]", format!("{FIRST}{STOP}{}", usage())),
        ("without a last blank line", whole.trim_end().to_owned()),
        (
            "without [DONE] and a last line end",
            format!("{FIRST}{STOP}{}", usage().trim_end()),
        ),
        ("line ends of two", whole.replace('\n', "\r\n")),
    ];
    for (name, text) in events {
        let endings = [
            Reply::stream(&text, Then::Close),
            Reply::chunked(&text, "0\r\n\r\n", Then::Keep),
            Reply::chunked(&text, "0\r\nx-sum: 1\r\n\r\n", Then::Keep),
            Reply::chunked(&text, "0\r\n\r\n", Then::Keep).drips(),
        ];
        for path in [CHAT, MESSAGES] {
            for reply in &endings {
                let raw = Raw::that(reply, 1).await;
                let mut world = before_a_well_one(&raw).await;
                let answer = send(request(world.address, path, body(path, "hi"))).await;
                assert!(
                    answer.text.starts_with(&text) || path != CHAT,
                    "{name}: {}",
                    answer.text
                );
                assert!(
                    answer.text.ends_with("\n\n") || answer.text.ends_with("\r\n\r\n"),
                    "{name}: {:?}",
                    answer.text
                );
                assert!(!answer.text.contains("error"), "{name}: {}", answer.text);
                let receipt = world.receipt().await;
                assert_eq!(
                    (receipt.ending, receipt.usage.input, receipt.usage.output),
                    (Ending::Answered, 10, 5),
                    "{name} on {path}"
                );
            }
        }
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_pass_as_they_are_and_are_counted() {
    let odd = b"data: {\"choices\":[{\"delta\":{\"content\":\"\xff\xfe and words beside\"}}]}\n\n";
    let deep = format!("data: {}{}\n\n", "[".repeat(10_000), "]".repeat(10_000));
    let text = [
        FIRST.as_bytes(),
        odd,
        deep.as_bytes(),
        STOP.as_bytes(),
        b"data: [DONE]\n\n",
    ]
    .concat();
    let raw = Raw::that(&Reply::stream(&text, Then::Close), 1).await;
    let mut world = before_a_well_one(&raw).await;
    let answer = open(request(world.address, CHAT, body(CHAT, "hi"))).await;
    let bytes = http_body_util::BodyExt::collect(answer.into_body())
        .await
        .unwrap()
        .to_bytes();
    assert_eq!(bytes, text);
    let receipt = world.receipt().await;
    assert_eq!(receipt.ending, Ending::Answered);
    // Nothing said what was used: the words, and by their length what could not be read.
    assert!(
        receipt.estimated && receipt.usage.output > 5_000,
        "{receipt:?}"
    );
}

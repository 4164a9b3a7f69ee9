//! Answers that are not streamed, and fail.

use serde_json::json;

use super::raw::{Raw, Reply, Then};
use super::{CHAT, MESSAGES, alone, at_once, before_a_well_one, leaves_nothing_behind};
use crate::client::{chat, get, request, send};
use crate::upstream::usual_answer;
use crate::world::World;

/// A fault, and what the caller is told when no other model answers.
struct Fault {
    name: &'static str,
    reply: Reply,
    status: u16,
    code: &'static str,
}

fn fault(name: &'static str, reply: Reply, status: u16, code: &'static str) -> Fault {
    Fault {
        name,
        reply,
        status,
        code,
    }
}

const BROKEN: (u16, &str) = (502, "upstream_broken");
const LATE: (u16, &str) = (504, "upstream_timeout");
const REFUSED: (u16, &str) = (502, "upstream_error");

fn json_head(length: usize) -> String {
    format!("200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}")
}

/// Connections that break, at every place.
fn broken() -> Vec<Fault> {
    let answer = usual_answer();
    let half = &answer.as_bytes()[..40];
    let chunks = "200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked";
    let twice = "200 OK\r\ncontent-length: 5\r\ncontent-length: 6";
    let replies = [
        ("reset before the head", Reply::new("", Then::Reset)),
        ("closed before the head", Reply::new("", Then::Close)),
        (
            "half a head",
            Reply::new("HTTP/1.1 200 OK\r\ncontent-", Then::Close),
        ),
        (
            "no HTTP",
            Reply::new("220 smtp.example.com\r\n", Then::Hold),
        ),
        (
            "reset after the head",
            Reply::with(&json_head(100), "", Then::Reset),
        ),
        (
            "reset in the body",
            Reply::with(&json_head(500), half, Then::Reset),
        ),
        (
            "fewer bytes than announced",
            Reply::with(&json_head(5_000), &answer, Then::Close),
        ),
        (
            "half closed in the body",
            Reply::with(&json_head(5_000), half, Then::HalfClose),
        ),
        (
            "more bytes than announced",
            Reply::with(&json_head(60), &answer, Then::Hold),
        ),
        ("two lengths", Reply::with(twice, "hello!", Then::Hold)),
        (
            "a truncated chunk",
            Reply::with(chunks, "ff\r\n{\"choices\"", Then::Close),
        ),
        (
            "no last chunk",
            Reply::with(chunks, "2\r\n{}\r\n", Then::Close),
        ),
        (
            "a chunk of no length",
            Reply::with(chunks, "zz\r\n{}\r\n0\r\n\r\n", Then::Hold),
        ),
        (
            "half an answer, and its end",
            Reply::with("200 OK", half, Then::Close),
        ),
    ];
    replies
        .map(|(name, reply)| fault(name, reply, BROKEN.0, BROKEN.1))
        .into()
}

/// Answers that are whole, and none.
fn no_answers() -> Vec<Fault> {
    let html = Reply::whole("500 Internal Server Error", "", "<html>oops</html>");
    let invalid = [b"{\"choices\":[\"".as_slice(), b"\xff\xfe", b"\"]}"].concat();
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let coded = Reply::whole("200 OK", "\r\ncontent-encoding: gzip", b"\x1f\x8b\x08\x00");
    let many = "\r\nx-line: 1".repeat(150);
    vec![
        fault("an error of HTML", html, REFUSED.0, REFUSED.1),
        fault(
            "invalid UTF-8",
            Reply::whole("200 OK", "", invalid),
            BROKEN.0,
            BROKEN.1,
        ),
        fault(
            "an array, 10,000 deep",
            Reply::whole("200 OK", "", deep),
            BROKEN.0,
            BROKEN.1,
        ),
        fault(
            "nothing",
            Reply::whole("200 OK", "", ""),
            BROKEN.0,
            BROKEN.1,
        ),
        fault("gzip", coded, BROKEN.0, BROKEN.1),
        fault(
            "150 headers",
            Reply::whole("200 OK", &many, usual_answer()),
            BROKEN.0,
            BROKEN.1,
        ),
        fault(
            "204",
            Reply::with("204 No Content", "", Then::Keep),
            BROKEN.0,
            BROKEN.1,
        ),
        fault(
            "101",
            Reply::with(
                "101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade",
                "",
                Then::Hold,
            ),
            REFUSED.0,
            REFUSED.1,
        ),
    ]
}

/// Answers that do not come.
fn late() -> Vec<Fault> {
    let replies = [
        ("silence", Reply::new("", Then::Hold)),
        (
            "only 1xx",
            Reply::new("HTTP/1.1 103 Early Hints\r\n\r\n", Then::Hold),
        ),
        ("only a head", Reply::with(&json_head(100), "", Then::Hold)),
        (
            "half a body",
            Reply::with(&json_head(100), "{\"choices\":", Then::Hold),
        ),
    ];
    replies
        .map(|(name, reply)| fault(name, reply, LATE.0, LATE.1))
        .into()
}

fn all() -> Vec<Fault> {
    let lists = [broken(), no_answers(), late()];
    lists.into_iter().flatten().collect()
}

#[tokio::test]
async fn another_model_answers() {
    at_once(all().into_iter().map(|fault| async move {
        let name = fault.name;
        let mut raw = Raw::that(&fault.reply, 1).await;
        let mut world = before_a_well_one(&raw).await;
        let answer = world.ask("hi").await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("x-waypost-model")),
            (200, "dear"),
            "{name}"
        );
        assert_eq!(answer.text, usual_answer(), "{name}");
        assert_eq!(raw.calls(), 1, "{name}: no retry was asked for");
        let receipt = world.receipt().await;
        assert_eq!((receipt.attempts, receipt.tried.len()), (2, 1), "{name}");
        assert_eq!(
            (receipt.usage.input, receipt.usage.output),
            (10, 5),
            "{name}"
        );
        // Of the one that ran out of time also the prompt: it may have worked on it all along.
        let is_late = fault.code == LATE.1;
        assert_eq!(spent(&world).await > 200_000, is_late, "{name}");
        if fault.reply.then != Then::Keep {
            leaves_nothing_behind(&world, &mut raw).await;
        }
    }))
    .await;
}

#[tokio::test]
async fn the_caller_is_told_where_no_other_answers() {
    at_once(all().into_iter().map(|fault| async move {
        let name = fault.name;
        let mut raw = Raw::that(&fault.reply, 2).await;
        let mut world = alone(&raw).await;
        let answer = send(request(world.address, CHAT, chat("HARD"))).await;
        assert_eq!(
            (answer.status.as_u16(), &*answer.error("code")),
            (fault.status, fault.code),
            "{name}: {}",
            answer.text
        );
        assert_eq!(answer.error("type"), "upstream_error", "{name}");
        assert_eq!(
            answer.json()["error"]["tried"][0]["model"],
            "dear",
            "{name}"
        );
        // What ran out of time may have been worked on all along, and is charged for its prompt.
        let is_late = fault.code == LATE.1;
        assert_eq!(world.receipt().await.cost.0 > 0, is_late, "{name}");

        let body = json!({"model": "auto", "max_tokens": 9, "messages": [{"role": "user", "content": "HARD"}]});
        let answer = send(request(world.address, MESSAGES, body.to_string())).await;
        let kind = match fault.status {
            504 => "timeout_error",
            _ => "api_error",
        };
        assert_eq!(
            (answer.status.as_u16(), answer.json()["type"].as_str()),
            (fault.status, Some("error")),
            "{name}: {}",
            answer.text
        );
        assert_eq!(answer.error("type"), kind, "{name}");
        if fault.reply.then != Then::Keep {
            leaves_nothing_behind(&world, &mut raw).await;
        }
    }))
    .await;
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Raw::start().await;
    for status in [
        "301 Moved Permanently",
        "302 Found",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ] {
        let location = format!(
            "\r\nlocation: http://{}/v1/chat/completions",
            elsewhere.address
        );
        let raw = Raw::that(&Reply::whole(status, &location, ""), 2).await;
        let world = World::with(|draft, settings| {
            draft.tiers[1].retries = 2;
            let base = format!("http://{}/v1", raw.address);
            settings.upstreams.providers.insert("two".to_owned(), base);
        })
        .await;
        let answer = world.ask("HARD").await;
        assert_eq!(
            (answer.status.as_u16(), &*answer.error("code")),
            (502, "upstream_redirects"),
            "{status}"
        );
        assert_eq!(raw.calls(), 1, "{status}: it would say the same again");
        assert!(!answer.headers.contains_key("location"), "{status}");
    }
    assert_eq!(
        elsewhere.calls(),
        0,
        "credentials do not go where an upstream points"
    );
}

/// Nano-dollars that the budget of ten dollars has counted.
async fn spent(world: &World) -> u64 {
    let metrics = send(get(world.admin, "/metrics")).await.text;
    let used = metrics
        .lines()
        .find(|line| line.starts_with("waypost_quota_used_ratio"))
        .unwrap();
    let share: f64 = used.rsplit(' ').next().unwrap().parse().unwrap();
    (share * 10e9).round() as u64
}

//! Streams of other APIs that break after their first byte: every client is told in its own.

use serde_json::json;
use waypost_policies::plan::draft::ProviderKind;
use waypost_runtime::Ending;

use super::raw::{Raw, Reply, Then};
use super::streams::{RESPONSES, body, last_event};
use super::{CHAT, MESSAGES, at_once, leaves_nothing_behind, speaking};
use crate::client::{request, send};
use crate::providers::frame;

const WORDS: &str = "some words that were sent";

/// An API: how a stream of it begins and goes on, and how it says that something went wrong.
struct Api {
    kind: ProviderKind,
    media_type: &'static str,
    begins: Vec<u8>,
    goes_on: Vec<u8>,
    fails: Vec<u8>,
}

fn events(all: &[serde_json::Value]) -> Vec<u8> {
    let text: String = all.iter().map(|data| format!("data: {data}\n\n")).collect();
    text.into_bytes()
}

fn anthropic() -> Api {
    let start = json!({"type": "message_start", "message": {"id": "m", "type": "message", "role": "assistant",
        "model": "c", "content": [], "usage": {"input_tokens": 3, "output_tokens": 1}}});
    let open = json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}});
    let delta = |text: &str| json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}});
    let error =
        json!({"type": "error", "error": {"type": "overloaded_error", "message": "too much"}});
    Api {
        kind: ProviderKind::Anthropic,
        media_type: "text/event-stream",
        begins: events(&[start, open, delta(WORDS)]),
        goes_on: events(&[delta("and more")]),
        fails: events(&[error]),
    }
}

fn gemini() -> Api {
    let said = |text: &str| json!({"candidates": [{"index": 0, "content": {"role": "model", "parts": [{"text": text}]}}]});
    let error = json!({"error": {"code": 503, "status": "UNAVAILABLE", "message": "too much"}});
    Api {
        kind: ProviderKind::Gemini,
        media_type: "text/event-stream",
        begins: events(&[said(WORDS)]),
        goes_on: events(&[said("and more")]),
        fails: events(&[error]),
    }
}

fn bedrock() -> Api {
    let delta = |text: &str| {
        let delta = json!({"contentBlockIndex": 0, "delta": {"text": text}});
        frame("contentBlockDelta", &delta)
    };
    let start = frame("messageStart", &json!({"role": "assistant"}));
    Api {
        kind: ProviderKind::Bedrock,
        media_type: "application/vnd.amazon.eventstream",
        begins: [start, delta(WORDS)].concat(),
        goes_on: delta("and more"),
        fails: frame("throttlingException", &json!({"message": "too much"})),
    }
}

impl Api {
    /// A stream of these bytes in one chunk, and what follows it as it stands.
    fn chunked(&self, bytes: &[u8], after: &str, then: Then) -> Reply {
        let head = format!(
            "200 OK\r\ncontent-type: {}\r\ntransfer-encoding: chunked",
            self.media_type
        );
        let mut body = format!("{:x}\r\n", bytes.len()).into_bytes();
        body.extend_from_slice(bytes);
        body.extend_from_slice(format!("\r\n{after}").as_bytes());
        Reply::with(&head, body, then)
    }

    fn broken(&self) -> Vec<(&'static str, Reply)> {
        let half = &self.goes_on[..self.goes_on.len() / 2];
        let begun = [&*self.begins, half].concat();
        let failed = [&*self.begins, &*self.fails].concat();
        let end = "0\r\n\r\n";
        vec![
            ("reset", self.chunked(&self.begins, "", Then::Reset)),
            ("reset in an event", self.chunked(&begun, "", Then::Reset)),
            ("closed", self.chunked(&self.begins, "", Then::Close)),
            ("half closed", self.chunked(&begun, "", Then::HalfClose)),
            (
                "truncated chunk",
                self.chunked(&self.begins, "ff\r\n", Then::Close),
            ),
            ("silence", self.chunked(&self.begins, "", Then::Hold)),
            ("silence in an event", self.chunked(&begun, "", Then::Hold)),
            (
                "ended before its end",
                self.chunked(&self.begins, end, Then::Keep),
            ),
            ("ended in an event", self.chunked(&begun, end, Then::Keep)),
            ("an error", self.chunked(&failed, end, Then::Keep)),
            (
                "an error, and silence",
                self.chunked(&failed, "", Then::Hold),
            ),
        ]
    }
}

async fn ends_with_an_error(name: String, reply: Reply, kind: ProviderKind, path: &'static str) {
    let mut raw = Raw::that(&reply, 1).await;
    let mut world = speaking(&raw, kind).await;
    let answer = send(request(world.address, path, body(path, "hi"))).await;
    assert_eq!(answer.status, 200, "{name}");
    assert!(answer.text.contains(WORDS), "{name}: {}", answer.text);
    let (event, data) = last_event(&answer.text);
    assert!(data["error"]["message"].is_string(), "{name}: {data}");
    if path != CHAT {
        assert_eq!(data["type"], "error", "{name}: {data}");
        assert!(
            event == "error" || kind == ProviderKind::Anthropic,
            "{name}: {event}"
        );
    }
    let receipt = world.receipt().await;
    assert_eq!(
        (receipt.ending, receipt.attempts),
        (Ending::Broken, 1),
        "{name}"
    );
    assert!(
        receipt.usage.output >= 4 && receipt.cost.0 > 0,
        "{name}: {receipt:?}"
    );
    if reply.then != Then::Keep {
        leaves_nothing_behind(&world, &mut raw).await;
    }
}

#[tokio::test]
async fn every_client_is_told_in_its_own_words_that_a_stream_broke() {
    for path in [CHAT, MESSAGES, RESPONSES] {
        let apis = [anthropic(), gemini(), bedrock()];
        let cases = apis.iter().flat_map(|api| {
            let broken = api.broken().into_iter();
            broken.map(|(name, reply)| {
                ends_with_an_error(
                    format!("{name}, {:?} on {path}", api.kind),
                    reply,
                    api.kind,
                    path,
                )
            })
        });
        at_once(cases.collect::<Vec<_>>()).await;
    }
}

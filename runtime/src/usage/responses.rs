//! What OpenAI's Responses and their events tell of usage.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use waypost_policies::cost::Service;
use waypost_policies::tokens;

use super::{Heard, Reported, Said};

/// An event, or a whole response.
#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow, default)]
    r#type: Cow<'a, str>,
    #[serde(borrow, default)]
    delta: Option<Said<'a>>,
    #[serde(borrow, default)]
    response: Option<Response<'a>>,
    #[serde(borrow, default)]
    output: Option<Vec<Item<'a>>>,
    #[serde(default)]
    usage: Option<WireUsage>,
    #[serde(borrow, default)]
    service_tier: Option<Cow<'a, str>>,
    #[serde(default)]
    error: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Response<'a> {
    #[serde(borrow, default)]
    output: Option<Vec<Item<'a>>>,
    #[serde(default)]
    usage: Option<WireUsage>,
    #[serde(borrow, default)]
    service_tier: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow, default)]
    content: Option<Vec<Part<'a>>>,
    #[serde(borrow, default)]
    arguments: Option<Said<'a>>,
}

#[derive(Deserialize)]
struct Part<'a> {
    #[serde(borrow, default)]
    text: Option<Said<'a>>,
}

#[derive(Deserialize, Clone, Copy)]
struct WireUsage {
    #[serde(default)]
    input_tokens: u64,
    #[serde(default)]
    input_tokens_details: Option<InputDetails>,
    #[serde(default)]
    output_tokens: u64,
    #[serde(default)]
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Deserialize, Clone, Copy, Default)]
struct InputDetails {
    #[serde(default)]
    cached_tokens: Option<u64>,
    #[serde(default)]
    cache_write_tokens: Option<u64>,
    #[serde(default)]
    audio_tokens: Option<u64>,
    #[serde(default)]
    image_tokens: Option<u64>,
}

#[derive(Deserialize, Clone, Copy, Default)]
struct OutputDetails {
    #[serde(default)]
    reasoning_tokens: Option<u64>,
    #[serde(default)]
    audio_tokens: Option<u64>,
}

impl From<WireUsage> for Reported {
    fn from(wire: WireUsage) -> Self {
        let input = wire.input_tokens_details.unwrap_or_default();
        let output = wire.output_tokens_details.unwrap_or_default();
        Self {
            input: Some(wire.input_tokens),
            cached: input.cached_tokens,
            written: input.cache_write_tokens,
            audio_input: input.audio_tokens,
            image_input: input.image_tokens,
            output: Some(wire.output_tokens),
            reasoning: output.reasoning_tokens,
            audio_output: output.audio_tokens,
            ..Self::default()
        }
    }
}

pub(super) fn hear(json: &str) -> Option<Heard> {
    let document: Document<'_> = serde_json::from_str(json).ok()?;
    let (output, usage, service) = match document.response {
        Some(response) => (response.output, response.usage, response.service_tier),
        None => (document.output, document.usage, document.service_tier),
    };
    let service = service.as_deref().and_then(Service::named);
    let usage = usage.map(|usage| Reported {
        service,
        ..Reported::from(usage)
    });
    let is_event = !document.r#type.is_empty();
    let whole: u64 = output.iter().flatten().map(Item::tokens).sum();
    let piece = document.delta.as_deref().map_or(0, tokens::of_text);
    let done = matches!(
        &*document.r#type,
        "response.completed" | "response.incomplete"
    );
    Some(Heard {
        usage,
        // A stream's last event repeats all that was said.
        tokens: if is_event { piece } else { whole },
        finished: u128::from(done),
        done,
        error: document.error.is_some() || matches!(&*document.r#type, "error" | "response.failed"),
        answers: output.is_some(),
        only_usage: false,
        blocked: false,
    })
}

impl Item<'_> {
    fn tokens(&self) -> u64 {
        let texts = self.content.iter().flatten();
        let texts = texts.filter_map(|part| part.text.as_deref());
        texts
            .chain(self.arguments.as_deref())
            .map(tokens::of_text)
            .sum()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use waypost_policies::cost::{Manner, Usage};

    #[test]
    fn the_last_event_has_the_usage_and_says_nothing_twice() {
        let json = r#"{"type":"response.completed","response":{"output":[{"type":"message","content":[{"type":"output_text","text":"hello"}]}],
            "usage":{"input_tokens":9,"input_tokens_details":{"cached_tokens":4},"output_tokens":2,"total_tokens":11}}}"#;
        let heard = hear(json).unwrap();
        assert_eq!((heard.tokens, heard.done), (0, true));
        assert_eq!(
            heard.usage.unwrap().usage(50, Manner::default()),
            Usage {
                input: 9,
                cached: 4,
                output: 2,
                service: Some(Service::Standard),
                ..Usage::default()
            }
        );
    }

    #[test]
    fn a_whole_response_is_counted_by_its_text() {
        let json = r#"{"object":"response","error":null,"output":[{"type":"reasoning"},{"type":"function_call","arguments":"{\"a\":1}"}]}"#;
        let heard = hear(json).unwrap();
        assert!(heard.tokens > 0 && heard.answers && !heard.error && heard.usage.is_none());
    }

    #[test]
    fn a_failure_is_an_error() {
        let json = r#"{"type":"response.failed","response":{"status":"failed","error":{"code":"server_error"}}}"#;
        assert!(hear(json).unwrap().error);
    }
}

//! What Anthropic's answers and events tell of usage.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use waypost_policies::cost::Service;
use waypost_policies::tokens;

use super::{Heard, Reported, Said};

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow, default)]
    r#type: Cow<'a, str>,
    #[serde(borrow, default)]
    usage: Option<WireUsage<'a>>,
    #[serde(borrow, default)]
    message: Option<Started<'a>>,
    #[serde(borrow, default)]
    content: Option<Vec<Block<'a>>>,
    #[serde(borrow, default)]
    delta: Option<Delta<'a>>,
    #[serde(default)]
    error: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Started<'a> {
    #[serde(borrow, default)]
    usage: Option<WireUsage<'a>>,
}

/// `input_tokens` are those that were neither read from the cache nor written to it.
#[derive(Deserialize)]
struct WireUsage<'a> {
    #[serde(default)]
    input_tokens: Option<u64>,
    #[serde(default)]
    cache_read_input_tokens: Option<u64>,
    #[serde(default)]
    cache_creation_input_tokens: Option<u64>,
    #[serde(default)]
    cache_creation: Option<CacheCreation>,
    #[serde(default)]
    output_tokens: Option<u64>,
    #[serde(default)]
    output_tokens_details: Option<OutputDetails>,
    #[serde(borrow, default)]
    service_tier: Option<Cow<'a, str>>,
}

/// What was written to the cache, by how long it is kept.
#[derive(Deserialize, Clone, Copy)]
struct CacheCreation {
    #[serde(default)]
    ephemeral_5m_input_tokens: Option<u64>,
    #[serde(default)]
    ephemeral_1h_input_tokens: Option<u64>,
}

#[derive(Deserialize, Clone, Copy)]
struct OutputDetails {
    #[serde(default)]
    thinking_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Block<'a> {
    #[serde(borrow, default)]
    text: Option<Said<'a>>,
    #[serde(borrow, default)]
    thinking: Option<Said<'a>>,
    #[serde(borrow, default)]
    name: Option<Said<'a>>,
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow, default)]
    text: Option<Said<'a>>,
    #[serde(borrow, default)]
    thinking: Option<Said<'a>>,
    #[serde(borrow, default)]
    partial_json: Option<Said<'a>>,
    #[serde(default)]
    stop_reason: Option<IgnoredAny>,
}

impl WireUsage<'_> {
    fn reported(self, begun: bool) -> Reported {
        let kept = self.cache_creation;
        let hour = kept.and_then(|kept| kept.ephemeral_1h_input_tokens);
        let usual = kept.and_then(|kept| kept.ephemeral_5m_input_tokens);
        let parts = [hour, usual];
        let parts = parts.into_iter().flatten().reduce(u64::saturating_add);
        // Both ways of saying it should agree; the larger is believed.
        let written = self.cache_creation_input_tokens.max(parts);
        let beside = [self.cache_read_input_tokens, written];
        let input = self.input_tokens.map(|input| {
            beside
                .into_iter()
                .flatten()
                .fold(input, u64::saturating_add)
        });
        Reported {
            input,
            // Said without the prompt's tokens, it would count against nothing.
            cached: self.cache_read_input_tokens.filter(|_| input.is_some()),
            written: written.filter(|_| input.is_some()),
            written_hour: hour.filter(|_| input.is_some()),
            output: self.output_tokens,
            reasoning: self
                .output_tokens_details
                .and_then(|details| details.thinking_tokens),
            service: self.service_tier.as_deref().and_then(Service::named),
            begun,
            ..Reported::default()
        }
    }
}

pub(super) fn estimate<'t>(texts: impl IntoIterator<Item = Option<&'t str>>) -> u64 {
    let said = texts.into_iter().flatten().filter(|text| !text.is_empty());
    said.map(|text| tokens::of_text(text).max(1)).sum()
}

pub(super) fn hear(json: &str) -> Option<Heard> {
    let document: Document<'_> = serde_json::from_str(json).ok()?;
    let started = document.message.and_then(|message| message.usage);
    let usage = match (started, document.usage) {
        (Some(usage), _) => Some(usage.reported(true)),
        (None, usage) => usage.map(|usage| usage.reported(false)),
    };
    let blocks = document.content.iter().flatten();
    let whole = blocks.flat_map(|block| {
        [
            block.text.as_deref(),
            block.thinking.as_deref(),
            block.name.as_deref(),
            block.input.map(RawValue::get),
        ]
    });
    let pieces = document.delta.iter().flat_map(|delta| {
        [
            delta.text.as_deref(),
            delta.thinking.as_deref(),
            delta.partial_json.as_deref(),
        ]
    });
    let stopped = document
        .delta
        .as_ref()
        .is_some_and(|delta| delta.stop_reason.is_some());
    Some(Heard {
        usage,
        tokens: estimate(whole.chain(pieces)),
        finished: u128::from(stopped),
        done: document.r#type == "message_stop",
        error: document.error.is_some() || document.r#type == "error",
        answers: document.content.is_some(),
        only_usage: false,
        blocked: false,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use waypost_policies::cost::{Manner, Usage};

    #[test]
    fn cached_tokens_stand_beside_the_prompts() {
        let json = r#"{"type":"message","content":[{"type":"text","text":"hello"}],"usage":{"input_tokens":10,
            "cache_read_input_tokens":70,"cache_creation_input_tokens":20,"output_tokens":5}}"#;
        let heard = hear(json).unwrap();
        assert_eq!(
            heard.usage.unwrap().usage(0, Manner::default()),
            Usage {
                input: 100,
                cached: 70,
                cache_write: 20,
                output: 5,
                service: Some(Service::Standard),
                ..Usage::default()
            }
        );
        assert!(heard.tokens >= 1 && heard.answers && !heard.error);
    }

    #[test]
    fn a_stream_says_it_in_two_events() {
        let start = r#"{"type":"message_start","message":{"usage":{"input_tokens":10,"cache_read_input_tokens":30,"output_tokens":1}}}"#;
        let delta = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":12}}"#;
        let first = hear(start).unwrap().usage.unwrap();
        // Cut off here, what was seen counts.
        assert_eq!(first.usage(7, Manner::default()).output, 7);
        let heard = hear(delta).unwrap();
        assert_eq!(heard.finished, 1);
        assert_eq!(
            first
                .updated(heard.usage.unwrap())
                .usage(99, Manner::default()),
            Usage {
                input: 40,
                cached: 30,
                output: 12,
                service: Some(Service::Standard),
                ..Usage::default()
            }
        );
    }

    #[test]
    fn an_error_is_heard() {
        let json = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
        let heard = hear(json).unwrap();
        assert!(heard.error && !heard.answers && heard.usage.is_none());
    }
}

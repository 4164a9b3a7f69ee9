//! What Bedrock's answers and events tell of usage; events as JSON that says their type.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::messages::estimate;
use super::{Heard, Reported, Said};
use waypost_policies::cost::Service;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    #[serde(borrow, default)]
    output: Option<Output<'a>>,
    #[serde(borrow, default)]
    usage: Option<WireUsage<'a>>,
    #[serde(borrow, default)]
    service_tier: Option<Tier<'a>>,
    #[serde(borrow, default)]
    content_block_start: Option<Start<'a>>,
    #[serde(borrow, default)]
    content_block_delta: Option<Change<'a>>,
    #[serde(default)]
    message_stop: Option<IgnoredAny>,
    #[serde(borrow, default)]
    metadata: Option<Metadata<'a>>,
}

#[derive(Deserialize)]
struct Output<'a> {
    #[serde(borrow, default)]
    message: Option<Message<'a>>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    content: Vec<Block<'a>>,
}

#[derive(Deserialize)]
struct Start<'a> {
    #[serde(borrow, default)]
    start: Option<Block<'a>>,
}

#[derive(Deserialize)]
struct Change<'a> {
    #[serde(borrow, default)]
    delta: Option<Block<'a>>,
}

/// A block, or what comes of one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Block<'a> {
    #[serde(borrow, default)]
    text: Option<Said<'a>>,
    #[serde(borrow, default)]
    tool_use: Option<ToolUse<'a>>,
    #[serde(borrow, default)]
    reasoning_content: Option<Reasoning<'a>>,
}

#[derive(Deserialize)]
struct ToolUse<'a> {
    #[serde(borrow, default)]
    name: Option<Said<'a>>,
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reasoning<'a> {
    #[serde(borrow, default)]
    text: Option<Said<'a>>,
    #[serde(borrow, default)]
    reasoning_text: Option<Thought<'a>>,
}

#[derive(Deserialize)]
struct Thought<'a> {
    #[serde(borrow, default)]
    text: Option<Said<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    #[serde(borrow, default)]
    usage: Option<WireUsage<'a>>,
    #[serde(borrow, default)]
    service_tier: Option<Tier<'a>>,
}

/// `inputTokens` are those that were neither read from the cache nor written to it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireUsage<'a> {
    #[serde(default)]
    input_tokens: Option<u64>,
    #[serde(default)]
    output_tokens: Option<u64>,
    #[serde(default)]
    cache_read_input_tokens: Option<u64>,
    #[serde(default)]
    cache_write_input_tokens: Option<u64>,
    #[serde(borrow, default)]
    cache_details: Option<Vec<CacheDetail<'a>>>,
}

/// What was written to the cache, by how long it is kept.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CacheDetail<'a> {
    #[serde(borrow, default)]
    ttl: Cow<'a, str>,
    #[serde(default)]
    input_tokens: u64,
}

/// How it was served.
#[derive(Deserialize)]
struct Tier<'a> {
    #[serde(borrow, default)]
    r#type: Cow<'a, str>,
}

impl WireUsage<'_> {
    fn reported(self, tier: Option<Tier<'_>>) -> Reported {
        let hour = self.cache_details.map(|details| {
            let mine = details.iter().filter(|detail| detail.ttl == "1h");
            mine.fold(0, |sum: u64, detail| {
                sum.saturating_add(detail.input_tokens)
            })
        });
        let beside = [self.cache_read_input_tokens, self.cache_write_input_tokens];
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
            written: self.cache_write_input_tokens.filter(|_| input.is_some()),
            written_hour: hour,
            output: self.output_tokens,
            service: tier.and_then(|tier| Service::named(&tier.r#type)),
            ..Reported::default()
        }
    }
}

impl Block<'_> {
    fn pieces(&self) -> [Option<&str>; 5] {
        let call = self.tool_use.as_ref();
        let thought = self.reasoning_content.as_ref();
        [
            self.text.as_deref(),
            call.and_then(|call| call.name.as_deref()),
            call.and_then(|call| call.input).map(RawValue::get),
            thought.and_then(|thought| thought.text.as_deref()),
            thought
                .and_then(|thought| thought.reasoning_text.as_ref())
                .and_then(|thought| thought.text.as_deref()),
        ]
    }
}

pub(super) fn hear(json: &str) -> Option<Heard> {
    let document: Document<'_> = serde_json::from_str(json).ok()?;
    let message = document.output.and_then(|output| output.message);
    let answers = message.is_some();
    let whole = message.into_iter().flat_map(|message| message.content);
    let start = document.content_block_start.and_then(|start| start.start);
    let delta = document.content_block_delta.and_then(|change| change.delta);
    let blocks: Vec<Block<'_>> = whole.chain(start).chain(delta).collect();
    let metadata = document.metadata;
    let done = metadata.is_some();
    let (usage, tier) = match metadata {
        Some(metadata) => (metadata.usage, metadata.service_tier),
        None => (document.usage, document.service_tier),
    };
    Some(Heard {
        usage: usage.map(|usage| usage.reported(tier)),
        tokens: estimate(blocks.iter().flat_map(Block::pieces)),
        finished: u128::from(document.message_stop.is_some()),
        done,
        error: is_exception(json),
        answers,
        only_usage: false,
        blocked: false,
    })
}

/// Errors within a stream are called `throttlingException` and the like.
fn is_exception(json: &str) -> bool {
    let members = crate::json::members(json);
    members
        .iter()
        .any(|member| member.key.ends_with("Exception") || member.key == "error")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use waypost_policies::cost::{Manner, Usage};

    #[test]
    fn cached_tokens_stand_beside_the_prompts() {
        let json = r#"{"output":{"message":{"role":"assistant","content":[{"text":"four"}]}},"stopReason":"end_turn",
            "usage":{"inputTokens":10,"outputTokens":5,"totalTokens":105,"cacheReadInputTokens":70,"cacheWriteInputTokens":20}}"#;
        let heard = hear(json).unwrap();
        let expected = Usage {
            input: 100,
            cached: 70,
            cache_write: 20,
            output: 5,
            service: Some(Service::Standard),
            ..Usage::default()
        };
        assert_eq!(heard.usage.unwrap().usage(0, Manner::default()), expected);
        assert!(heard.answers && !heard.error && heard.tokens >= 1);
    }

    #[test]
    fn a_stream_ends_with_its_usage() {
        let stop = hear(r#"{"messageStop":{"stopReason":"end_turn"}}"#).unwrap();
        assert!(stop.finished == 1 && !stop.done);
        let end = hear(r#"{"metadata":{"usage":{"inputTokens":3,"outputTokens":4}}}"#).unwrap();
        assert!(end.done && end.usage.is_some());
        assert!(
            hear(r#"{"throttlingException":{"message":"slow down"}}"#)
                .unwrap()
                .error
        );
    }
}

//! What Gemini's answers and events tell of usage. Each event says all that was used up to it.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::messages::estimate;
use super::{Heard, Reported, Said};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    #[serde(borrow, default)]
    candidates: Option<Vec<Candidate<'a>>>,
    #[serde(borrow, default)]
    usage_metadata: Option<WireUsage<'a>>,
    #[serde(default)]
    prompt_feedback: Option<Feedback>,
    #[serde(default)]
    error: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate<'a> {
    #[serde(borrow, default)]
    content: Option<Content<'a>>,
    #[serde(borrow, default)]
    finish_reason: Option<Said<'a>>,
}

#[derive(Deserialize)]
struct Content<'a> {
    #[serde(borrow, default)]
    parts: Vec<Part<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part<'a> {
    #[serde(borrow, default)]
    text: Option<Said<'a>>,
    #[serde(borrow, default)]
    function_call: Option<Call<'a>>,
}

#[derive(Deserialize)]
struct Call<'a> {
    #[serde(borrow, default)]
    name: Option<Said<'a>>,
    #[serde(borrow, default)]
    args: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feedback {
    #[serde(default)]
    block_reason: Option<IgnoredAny>,
}

/// Cached tokens are part of the prompt's; thoughts stand beside the answer's.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireUsage<'a> {
    #[serde(default)]
    prompt_token_count: Option<u64>,
    #[serde(default)]
    tool_use_prompt_token_count: Option<u64>,
    #[serde(default)]
    cached_content_token_count: Option<u64>,
    #[serde(default)]
    candidates_token_count: Option<u64>,
    #[serde(default)]
    thoughts_token_count: Option<u64>,
    #[serde(default)]
    total_token_count: Option<u64>,
    #[serde(borrow, default)]
    prompt_tokens_details: Option<Vec<OfModality<'a>>>,
    #[serde(borrow, default)]
    tool_use_prompt_tokens_details: Option<Vec<OfModality<'a>>>,
    #[serde(borrow, default)]
    cache_tokens_details: Option<Vec<OfModality<'a>>>,
    #[serde(borrow, default)]
    candidates_tokens_details: Option<Vec<OfModality<'a>>>,
}

/// How many of the tokens are of one kind.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfModality<'a> {
    #[serde(borrow, default)]
    modality: Cow<'a, str>,
    #[serde(default)]
    token_count: u64,
}

/// The tokens of one kind, in lists that may both be said.
fn of(modality: &str, lists: [&Option<Vec<OfModality<'_>>>; 2]) -> Option<u64> {
    let all = lists.into_iter().flatten().flatten();
    let mine = all.filter(|one| one.modality == modality);
    mine.map(|one| one.token_count).reduce(u64::saturating_add)
}

impl WireUsage<'_> {
    fn reported(self, begun: bool) -> Reported {
        let sum =
            |parts: [Option<u64>; 2]| parts.iter().flatten().copied().reduce(u64::saturating_add);
        let input = sum([self.prompt_token_count, self.tool_use_prompt_token_count]);
        let output = sum([self.candidates_token_count, self.thoughts_token_count]);
        let total = self.total_token_count.unwrap_or(0);
        let sent = [
            &self.prompt_tokens_details,
            &self.tool_use_prompt_tokens_details,
        ];
        let beyond = total.saturating_sub(input.unwrap_or(total));
        Reported {
            input,
            // Said without the prompt's tokens, it would count against nothing.
            cached: self.cached_content_token_count.filter(|_| input.is_some()),
            output: match output {
                None => Some(beyond).filter(|beyond| *beyond > 0),
                Some(output) => Some(output.max(beyond)),
            },
            audio_input: of("AUDIO", sent),
            audio_cached: of("AUDIO", [&self.cache_tokens_details, &None]),
            image_input: of("IMAGE", sent),
            reasoning: self.thoughts_token_count,
            audio_output: of("AUDIO", [&self.candidates_tokens_details, &None]),
            begun,
            ..Reported::default()
        }
    }
}

/// What a candidate ends with that has nothing to say and no word for it in a chat.
fn failed(reason: &str) -> bool {
    matches!(
        reason,
        "MALFORMED_FUNCTION_CALL" | "UNEXPECTED_TOOL_CALL" | "MALFORMED_RESPONSE" | "OTHER"
    )
}

pub(super) fn hear(json: &str) -> Option<Heard> {
    let document: Document<'_> = serde_json::from_str(json).ok()?;
    let candidates = || document.candidates.iter().flatten();
    let reason = candidates().find_map(|candidate| candidate.finish_reason.as_deref());
    let parts = candidates()
        .filter_map(|candidate| candidate.content.as_ref())
        .flat_map(|content| &content.parts);
    let said = parts.flat_map(|part| {
        let call = part.function_call.as_ref();
        [
            part.text.as_deref(),
            call.and_then(|call| call.name.as_deref()),
            call.and_then(|call| call.args).map(RawValue::get),
        ]
    });
    let tokens = estimate(said);
    let blocked = document
        .prompt_feedback
        .is_some_and(|feedback| feedback.block_reason.is_some());
    let broken = tokens == 0 && reason.is_some_and(failed);
    Some(Heard {
        usage: document
            .usage_metadata
            .map(|usage| usage.reported(reason.is_none())),
        tokens,
        finished: u128::from(reason.is_some()),
        done: false,
        error: document.error.is_some() || broken,
        answers: document.candidates.is_some() && !broken,
        only_usage: false,
        blocked,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use waypost_policies::cost::{Manner, Service, Usage};

    fn usage(json: &str) -> Usage {
        hear(json)
            .unwrap()
            .usage
            .unwrap()
            .usage(0, Manner::default())
    }

    #[test]
    fn thoughts_stand_beside_the_answer_and_cached_tokens_are_the_prompts() {
        let json = r#"{"candidates":[{"content":{"parts":[{"text":"four"}]},"finishReason":"STOP"}],"usageMetadata":
            {"promptTokenCount":100,"cachedContentTokenCount":70,"candidatesTokenCount":5,"thoughtsTokenCount":20,"totalTokenCount":125}}"#;
        let expected = Usage {
            input: 100,
            cached: 70,
            output: 25,
            reasoning: 20,
            service: Some(Service::Standard),
            ..Usage::default()
        };
        assert_eq!(usage(json), expected);
        let heard = hear(json).unwrap();
        assert!(heard.finished == 1 && heard.answers && !heard.error && heard.tokens >= 1);
    }

    #[test]
    fn what_only_the_total_counts_is_charged() {
        let json = r#"{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":10,"totalTokenCount":50}}"#;
        assert_eq!(usage(json).output, 40);
    }

    #[test]
    fn a_stream_that_goes_on_has_used_what_was_seen() {
        let json = r#"{"candidates":[{"content":{"parts":[{"text":"a"}]}}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":1}}"#;
        let reported = hear(json).unwrap().usage.unwrap();
        assert_eq!(reported.usage(7, Manner::default()).output, 7);
    }

    #[test]
    fn a_call_that_the_model_got_wrong_and_a_refused_prompt_are_no_answers() {
        let wrong = hear(r#"{"candidates":[{"finishReason":"MALFORMED_FUNCTION_CALL"}]}"#).unwrap();
        assert!(wrong.error && !wrong.answers);
        let refused = hear(r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#).unwrap();
        assert!(refused.blocked && !refused.answers);
    }
}

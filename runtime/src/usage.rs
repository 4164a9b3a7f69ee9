//! What an upstream says a call used, or what can be told from the text that it sent.

use serde::Deserialize;
use serde::de::IgnoredAny;
use std::borrow::Cow;
use waypost_policies::cost::Usage;
use waypost_policies::tokens;

/// `usage` as OpenAI's API has it.
#[derive(Debug, Clone, Copy, Deserialize, PartialEq, Eq)]
pub(crate) struct WireUsage {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: Option<u64>,
    #[serde(default)]
    total_tokens: Option<u64>,
    #[serde(default)]
    prompt_tokens_details: Option<PromptDetails>,
}

#[derive(Debug, Clone, Copy, Deserialize, PartialEq, Eq)]
struct PromptDetails {
    #[serde(default)]
    cached_tokens: Option<u64>,
}

impl From<WireUsage> for Usage {
    fn from(wire: WireUsage) -> Self {
        // Some providers leave reasoning out of `completion_tokens`, but none leaves it out of the total.
        let beyond = wire
            .total_tokens
            .unwrap_or(0)
            .saturating_sub(wire.prompt_tokens);
        Self {
            input: wire.prompt_tokens,
            cached: wire
                .prompt_tokens_details
                .and_then(|details| details.cached_tokens)
                .unwrap_or(0),
            output: wire.completion_tokens.unwrap_or(0).max(beyond),
        }
    }
}

/// An answer, or an event of a streamed one, as far as it tells of usage.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Answer<'a> {
    #[serde(default, borrow)]
    choices: Option<Vec<Choice<'a>>>,
    #[serde(default)]
    pub(crate) usage: Option<WireUsage>,
    #[serde(default)]
    pub(crate) error: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct Choice<'a> {
    #[serde(default, borrow, alias = "message")]
    delta: Option<Text<'a>>,
    #[serde(default, borrow)]
    text: Option<Cow<'a, str>>,
    #[serde(default)]
    finish_reason: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct Text<'a> {
    #[serde(default, borrow)]
    content: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    refusal: Option<Cow<'a, str>>,
    #[serde(default, borrow, alias = "reasoning")]
    reasoning_content: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    tool_calls: Option<Vec<ToolCall<'a>>>,
}

#[derive(Debug, Deserialize)]
struct ToolCall<'a> {
    #[serde(default, borrow)]
    function: Option<Function<'a>>,
}

#[derive(Debug, Deserialize)]
struct Function<'a> {
    #[serde(default, borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    arguments: Option<Cow<'a, str>>,
}

impl<'a> Answer<'a> {
    pub(crate) fn parse(json: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    /// Whether it carries nothing but usage.
    pub(crate) fn is_only_usage(&self) -> bool {
        self.usage.is_some() && self.choices.as_ref().is_none_or(Vec::is_empty)
    }

    /// Whether a choice says that it is complete.
    pub(crate) fn is_finished(&self) -> bool {
        self.choices
            .iter()
            .flatten()
            .any(|choice| choice.finish_reason.is_some())
    }

    /// The tokens of its text, estimated: at least one for each piece, since providers send tokens one by one.
    pub(crate) fn tokens(&self) -> u64 {
        self.choices
            .iter()
            .flatten()
            .flat_map(Choice::pieces)
            .map(|piece| tokens::of_text(piece).max(1))
            .sum()
    }
}

impl Choice<'_> {
    fn pieces(&self) -> impl Iterator<Item = &str> {
        let delta = self.delta.iter().flat_map(|delta| {
            let texts = [&delta.content, &delta.refusal, &delta.reasoning_content];
            let functions = delta
                .tool_calls
                .iter()
                .flatten()
                .filter_map(|call| call.function.as_ref());
            let called = functions.flat_map(|function| [&function.name, &function.arguments]);
            texts.into_iter().chain(called)
        });
        delta
            .chain([&self.text])
            .filter_map(|piece| piece.as_deref())
            .filter(|piece| !piece.is_empty())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn usage(json: &str) -> Usage {
        Answer::parse(json.as_bytes())
            .unwrap()
            .usage
            .unwrap()
            .into()
    }

    #[test]
    fn cached_tokens_are_part_of_the_prompt() {
        let json = r#"{"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":8}}}"#;
        assert_eq!(
            usage(json),
            Usage {
                input: 10,
                cached: 8,
                output: 5
            }
        );
    }

    #[test]
    fn reasoning_that_only_the_total_counts_is_charged() {
        let json = r#"{"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":115}}"#;
        assert_eq!(usage(json).output, 105);
    }

    #[test]
    fn embeddings_have_no_answer() {
        assert_eq!(
            usage(r#"{"data":[],"usage":{"prompt_tokens":7,"total_tokens":7}}"#),
            Usage {
                input: 7,
                cached: 0,
                output: 0
            }
        );
    }

    #[test]
    fn text_tool_calls_and_reasoning_count() {
        let json = r#"{"choices":[{"message":{"content":"","tool_calls":[{"function":{"name":"write_file","arguments":"{\"a\":1}"}}],"reasoning_content":"hm"},"finish_reason":"tool_calls"}]}"#;
        let answer = Answer::parse(json.as_bytes()).unwrap();
        assert!(answer.is_finished());
        assert!(answer.tokens() >= 3, "{}", answer.tokens());
    }
}

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
///
/// A field that servers send under two names is read under each: some send both, and a field that stands twice is an
/// error to serde.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Answer<'a> {
    #[serde(default, borrow)]
    choices: Option<Vec<Choice<'a>>>,
    #[serde(default)]
    pub(crate) usage: Option<WireUsage>,
    #[serde(default)]
    pub(crate) error: Option<IgnoredAny>,
}

/// What is read of an answer whose choices have a shape that is not known here.
#[derive(Deserialize)]
struct OnlyUsage {
    usage: Option<WireUsage>,
}

#[derive(Debug, Deserialize)]
struct Choice<'a> {
    #[serde(default, borrow)]
    delta: Option<Text<'a>>,
    #[serde(default, borrow)]
    message: Option<Text<'a>>,
    #[serde(default, borrow)]
    text: Option<Cow<'a, str>>,
    #[serde(default)]
    index: Option<u32>,
    #[serde(default)]
    finish_reason: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct Text<'a> {
    #[serde(default, borrow)]
    content: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    refusal: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    reasoning_content: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    reasoning: Option<Cow<'a, str>>,
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
        serde_json::from_slice(json).ok().or_else(|| {
            let told: OnlyUsage = serde_json::from_slice(json).ok()?;
            told.usage.map(|usage| Self {
                usage: Some(usage),
                ..Self::default()
            })
        })
    }

    /// Whether it is an error in place of an answer.
    pub(crate) const fn is_error(&self) -> bool {
        self.error.is_some() && self.choices.is_none()
    }

    /// Whether it carries nothing but usage.
    pub(crate) fn is_only_usage(&self) -> bool {
        self.usage.is_some() && self.choices.as_ref().is_none_or(Vec::is_empty)
    }

    /// Which choices say that they are complete: a bit for each index.
    pub(crate) fn finished(&self) -> u128 {
        let choices = self.choices.iter().flatten();
        choices
            .filter(|choice| choice.finish_reason.is_some())
            .map(|choice| 1_u128.checked_shl(choice.index.unwrap_or(0)).unwrap_or(0))
            .fold(0, |all, one| all | one)
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
        let said = self.delta.as_ref().or(self.message.as_ref());
        let said = said.into_iter().flat_map(|said| {
            let reasoning = match &said.reasoning_content {
                None => &said.reasoning,
                some => some,
            };
            let texts = [&said.content, &said.refusal, reasoning];
            let functions = said
                .tool_calls
                .iter()
                .flatten()
                .filter_map(|call| call.function.as_ref());
            let called = functions.flat_map(|function| [&function.name, &function.arguments]);
            texts.into_iter().chain(called)
        });
        said.chain([&self.text])
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
    fn what_is_sent_under_two_names_counts_once_and_hides_no_usage() {
        let json = r#"{"choices":[{"delta":{"reasoning":"hm","reasoning_content":"hm"},"message":{"content":"hm"}}],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#;
        let answer = Answer::parse(json.as_bytes()).unwrap();
        assert_eq!(answer.tokens(), tokens::of_text("hm"));
        assert_eq!(usage(json).output, 2);
    }

    #[test]
    fn content_of_an_unknown_shape_hides_no_usage() {
        let json = r#"{"choices":[{"message":{"content":[{"type":"thinking"}]}}],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#;
        assert_eq!(usage(json).output, 2);
    }

    #[test]
    fn text_tool_calls_and_reasoning_count() {
        let json = r#"{"choices":[{"message":{"content":"","tool_calls":[{"function":{"name":"write_file","arguments":"{\"a\":1}"}}],"reasoning_content":"hm"},"finish_reason":"tool_calls"}]}"#;
        let answer = Answer::parse(json.as_bytes()).unwrap();
        assert_eq!(answer.finished(), 1);
        assert!(answer.tokens() >= 3, "{}", answer.tokens());
    }
}

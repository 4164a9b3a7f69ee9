//! What an upstream says a call used, or what can be told from the text that it sent.

mod converse;
mod gemini;
mod messages;
mod responses;

use serde::Deserialize;
use serde::de::IgnoredAny;
use std::borrow::Cow;
use std::ops::Deref;
use waypost_policies::cost::Usage;
use waypost_policies::facts::Surface;
use waypost_policies::tokens;

use crate::dialect::Dialect;

/// What an answer, or an event of a streamed one, tells.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) usage: Option<Reported>,
    /// The tokens of its text: as it says itself, or estimated.
    pub(crate) tokens: u64,
    /// Which choices say that they are complete: a bit for each index.
    pub(crate) finished: u128,
    /// Whether it says that the stream is over.
    pub(crate) done: bool,
    /// Whether it is an error, or holds one.
    pub(crate) error: bool,
    /// Whether there is an answer beside the error.
    pub(crate) answers: bool,
    /// Whether it carries nothing but usage.
    pub(crate) only_usage: bool,
    /// Whether a filter of the provider's refuses the prompt.
    pub(crate) blocked: bool,
}

/// Usage as far as it is said: a stream may say it piece by piece, and what comes later counts.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reported {
    /// Tokens of the prompt, cached ones included.
    pub(crate) input: Option<u64>,
    pub(crate) cached: Option<u64>,
    pub(crate) output: Option<u64>,
    /// Whether the answer may still grow.
    pub(crate) begun: bool,
}

impl Reported {
    /// What is known now; what `later` does not say stays.
    pub(crate) fn updated(self, later: Self) -> Self {
        Self {
            input: later.input.or(self.input),
            cached: later.cached.or(self.cached),
            output: later.output.or(self.output),
            begun: later.begun,
        }
    }

    /// The usage, where this many tokens were seen.
    pub(crate) fn usage(self, seen: u64) -> Usage {
        let output = self.output.unwrap_or(0);
        Usage {
            input: self.input.unwrap_or(0),
            cached: self.cached.unwrap_or(0),
            output: if self.begun { output.max(seen) } else { output },
        }
    }
}

impl From<Usage> for Reported {
    fn from(usage: Usage) -> Self {
        Self {
            input: Some(usage.input),
            cached: Some(usage.cached),
            output: Some(usage.output),
            begun: false,
        }
    }
}

/// A text of an answer, borrowed from it where it stands there without escapes: what serde makes of an optional `Cow`
/// is always a copy.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct Said<'a>(#[serde(borrow)] Cow<'a, str>);

impl Deref for Said<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// What JSON in a dialect tells; `None` where it cannot be read.
pub(crate) fn hear(dialect: Dialect, json: &[u8]) -> Option<Heard> {
    // All of it at once: a parser of bytes would look at each string by itself.
    let json = std::str::from_utf8(json).ok()?;
    match dialect {
        Dialect::Gemini => gemini::hear(json),
        Dialect::Converse => converse::hear(json),
        Dialect::Of(Surface::Messages | Surface::CountTokens) => messages::hear(json),
        Dialect::Of(Surface::Responses) => responses::hear(json),
        Dialect::Of(Surface::Chat | Surface::Completions | Surface::Embeddings) => {
            let answer = Answer::parse(json)?;
            let usage = answer.usage.map(Usage::from);
            let said = usage.map_or(0, |usage| usage.output);
            Some(Heard {
                usage: usage.map(Reported::from),
                // What is said need not be estimated, where as much can have come.
                tokens: match said {
                    0 => answer.tokens(),
                    said => said.min(json.len() as u64),
                },
                finished: answer.finished(),
                done: false,
                error: answer.error.is_some(),
                answers: answer.choices.is_some(),
                only_usage: answer.is_only_usage(),
                blocked: false,
            })
        }
    }
}

/// What a whole answer tells, as [`hear`] says it, but for which choices are complete. Where it says itself how long it is, its
/// text is passed over.
pub(crate) fn hear_whole(dialect: Dialect, json: &[u8]) -> Option<Heard> {
    let told = match dialect {
        Dialect::Of(Surface::Chat | Surface::Completions | Surface::Embeddings) => {
            let text = std::str::from_utf8(json).ok()?;
            serde_json::from_str::<Told>(text).ok()
        }
        _ => None,
    };
    let usage = told.as_ref().and_then(|told| told.usage.map(Usage::from));
    match (told, usage) {
        (Some(told), Some(usage)) if usage.output > 0 => Some(Heard {
            usage: Some(usage.into()),
            tokens: usage.output.min(json.len() as u64),
            error: told.error.is_some(),
            answers: told.choices.is_some(),
            ..Heard::default()
        }),
        _ => hear(dialect, json),
    }
}

/// An answer of which only usage is read.
#[derive(Deserialize)]
struct Told {
    #[serde(default)]
    choices: Option<IgnoredAny>,
    #[serde(default)]
    usage: Option<WireUsage>,
    #[serde(default)]
    error: Option<IgnoredAny>,
}

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

#[derive(Debug, Deserialize)]
struct Choice<'a> {
    #[serde(default, borrow)]
    delta: Option<Text<'a>>,
    #[serde(default, borrow)]
    message: Option<Text<'a>>,
    #[serde(default, borrow)]
    text: Option<Said<'a>>,
    #[serde(default)]
    index: Option<u32>,
    #[serde(default)]
    finish_reason: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct Text<'a> {
    #[serde(default, borrow)]
    content: Option<Said<'a>>,
    #[serde(default, borrow)]
    refusal: Option<Said<'a>>,
    #[serde(default, borrow)]
    reasoning_content: Option<Said<'a>>,
    #[serde(default, borrow)]
    reasoning: Option<Said<'a>>,
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
    name: Option<Said<'a>>,
    #[serde(default, borrow)]
    arguments: Option<Said<'a>>,
}

impl<'a> Answer<'a> {
    pub(crate) fn parse(json: &'a str) -> Option<Self> {
        serde_json::from_str(json).ok().or_else(|| {
            // Its choices have a shape that is not known here.
            let told: Told = serde_json::from_str(json).ok()?;
            told.usage.map(|usage| Self {
                usage: Some(usage),
                ..Self::default()
            })
        })
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
        Answer::parse(json).unwrap().usage.unwrap().into()
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
        let answer = Answer::parse(json).unwrap();
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
        let answer = Answer::parse(json).unwrap();
        assert_eq!(answer.finished(), 1);
        assert!(answer.tokens() >= 3, "{}", answer.tokens());
    }
}

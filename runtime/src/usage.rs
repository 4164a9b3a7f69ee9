//! What an upstream says a call used, or what can be told from the text that it sent.

mod converse;
mod gemini;
mod messages;
mod responses;
#[cfg(test)]
mod tests;

use serde::Deserialize;
use serde::de::IgnoredAny;
use std::borrow::Cow;
use std::ops::Deref;
use waypost_policies::cost::{Manner, Service, Usage};
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
///
/// What each provider includes in which count is read in one module for each API, and comes out the same: parts are part
/// of their whole. `docs/operations.md` has the table, with the pages that it is from.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reported {
    /// Tokens of the prompt: cached ones, written ones, sound and images included.
    pub(crate) input: Option<u64>,
    pub(crate) cached: Option<u64>,
    /// Written to a cache, for whatever time.
    pub(crate) written: Option<u64>,
    /// Of these, for an hour.
    pub(crate) written_hour: Option<u64>,
    pub(crate) audio_input: Option<u64>,
    /// Of the sound, cached; counted in `cached` too.
    pub(crate) audio_cached: Option<u64>,
    pub(crate) image_input: Option<u64>,
    /// Tokens of the answer: reasoning and sound included.
    pub(crate) output: Option<u64>,
    pub(crate) reasoning: Option<u64>,
    pub(crate) audio_output: Option<u64>,
    /// How it was served.
    pub(crate) service: Option<Service>,
    /// Whether the answer may still grow.
    pub(crate) begun: bool,
}

impl Reported {
    /// What is known now; what `later` does not say stays.
    pub(crate) fn updated(self, later: Self) -> Self {
        Self {
            input: later.input.or(self.input),
            cached: later.cached.or(self.cached),
            written: later.written.or(self.written),
            written_hour: later.written_hour.or(self.written_hour),
            audio_input: later.audio_input.or(self.audio_input),
            audio_cached: later.audio_cached.or(self.audio_cached),
            image_input: later.image_input.or(self.image_input),
            output: later.output.or(self.output),
            reasoning: later.reasoning.or(self.reasoning),
            audio_output: later.audio_output.or(self.audio_output),
            service: later.service.or(self.service),
            begun: later.begun,
        }
    }

    /// The usage of a call that was asked in this manner, where this many tokens were seen. What the provider leaves open
    /// is taken for the dearest that was asked for.
    pub(crate) fn usage(self, seen: u64, manner: Manner) -> Usage {
        let output = self.output.unwrap_or(0);
        let written = self.written.unwrap_or(0);
        let hour = match self.written_hour {
            Some(hour) => hour.min(written),
            None if manner.caches_for_an_hour => written,
            None => 0,
        };
        Usage {
            input: self.input.unwrap_or(0),
            cached: self.cached.unwrap_or(0),
            cache_write: written - hour,
            cache_write_hour: hour,
            audio_input: self.audio_input.unwrap_or(0),
            audio_cached: self.audio_cached.unwrap_or(0),
            image_input: self.image_input.unwrap_or(0),
            output: if self.begun { output.max(seen) } else { output },
            reasoning: self.reasoning.unwrap_or(0),
            audio_output: self.audio_output.unwrap_or(0),
            service: Some(self.service.unwrap_or(manner.service)),
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
            let usage = answer.reported();
            let said = usage.and_then(|usage| usage.output).unwrap_or(0);
            Some(Heard {
                usage,
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
            serde_json::from_str::<Told<'_>>(text).ok()
        }
        _ => None,
    };
    let usage = told
        .as_ref()
        .and_then(|told| reported(told.usage, told.service_tier.as_deref()));
    match (told, usage.and_then(|usage| usage.output)) {
        (Some(told), Some(said @ 1..)) => Some(Heard {
            usage,
            tokens: said.min(json.len() as u64),
            error: told.error.is_some(),
            answers: told.choices.is_some(),
            ..Heard::default()
        }),
        _ => hear(dialect, json),
    }
}

fn reported(usage: Option<WireUsage>, service: Option<&str>) -> Option<Reported> {
    let service = service.and_then(Service::named);
    let usage = usage.map(Reported::from);
    let said = usage.or(service.map(|_| Reported::default()))?;
    Some(Reported { service, ..said })
}

/// An answer of which only usage is read.
#[derive(Deserialize)]
struct Told<'a> {
    #[serde(default)]
    choices: Option<IgnoredAny>,
    #[serde(default)]
    usage: Option<WireUsage>,
    #[serde(borrow, default)]
    service_tier: Option<Said<'a>>,
    #[serde(default)]
    error: Option<IgnoredAny>,
}

/// What is read of an answer whose other parts have a shape that is not known here.
#[derive(Deserialize)]
struct OnlyUsage {
    usage: Option<WireUsage>,
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
    #[serde(default)]
    completion_tokens_details: Option<AnswerDetails>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize, PartialEq, Eq)]
struct PromptDetails {
    #[serde(default)]
    cached_tokens: Option<u64>,
    #[serde(default)]
    cache_write_tokens: Option<u64>,
    #[serde(default)]
    audio_tokens: Option<u64>,
    #[serde(default)]
    image_tokens: Option<u64>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize, PartialEq, Eq)]
struct AnswerDetails {
    #[serde(default)]
    reasoning_tokens: Option<u64>,
    #[serde(default)]
    audio_tokens: Option<u64>,
}

impl From<WireUsage> for Reported {
    fn from(wire: WireUsage) -> Self {
        // Some providers leave reasoning out of `completion_tokens`, but none leaves it out of the total.
        let beyond = wire
            .total_tokens
            .unwrap_or(0)
            .saturating_sub(wire.prompt_tokens);
        let prompt = wire.prompt_tokens_details.unwrap_or_default();
        let answer = wire.completion_tokens_details.unwrap_or_default();
        Self {
            input: Some(wire.prompt_tokens),
            cached: prompt.cached_tokens,
            written: prompt.cache_write_tokens,
            audio_input: prompt.audio_tokens,
            image_input: prompt.image_tokens,
            output: Some(wire.completion_tokens.unwrap_or(0).max(beyond)),
            reasoning: answer.reasoning_tokens,
            audio_output: answer.audio_tokens,
            ..Self::default()
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
    #[serde(borrow, default)]
    service_tier: Option<Cow<'a, str>>,
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
            let told: OnlyUsage = serde_json::from_str(json).ok()?;
            told.usage.map(|usage| Self {
                usage: Some(usage),
                ..Self::default()
            })
        })
    }

    /// What it says was used, and how it was served: a stream says that with each event.
    fn reported(&self) -> Option<Reported> {
        reported(self.usage, self.service_tier.as_deref())
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

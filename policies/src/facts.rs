//! What a decision is made on: the request, the caller, the clock. All borrowed, nothing looked up by name.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::cost::Manner;
use crate::plan::draft::ModelIndex;

/// Everything that a decision may read.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// The call.
    pub request: &'a Request<'a>,
    /// Who makes it.
    pub caller: Caller<'a>,
    /// Where it came from.
    pub source_ip: IpAddr,
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    pub now: i64,
    /// Instead of the difficulty model's figure: set by tests, never by traffic.
    pub difficulty: Option<f64>,
}

/// Who makes a call; "" where not known.
#[derive(Debug, Clone, Default)]
pub struct Caller<'a> {
    /// The identity of the key, never the key itself.
    pub key: Cow<'a, str>,
    /// The team.
    pub team: Cow<'a, str>,
    /// The agent.
    pub agent: Cow<'a, str>,
    /// The plan it pays for.
    pub plan: Cow<'a, str>,
    /// A name for people.
    pub name: Cow<'a, str>,
    /// The only models that may answer it; `None` for all of them.
    pub models: Option<Cow<'a, [ModelIndex]>>,
    /// The claims of its token that the plan reads, by [`crate::plan::Needs::claims`] slot.
    pub claims: Vec<Option<Claim<'a>>>,
}

impl Caller<'_> {
    /// Whether this model may answer it.
    #[must_use]
    pub fn may_use(&self, model: ModelIndex) -> bool {
        self.models
            .as_ref()
            .is_none_or(|models| models.contains(&model))
    }
}

/// The value of a claim.
#[derive(Debug, Clone, PartialEq)]
pub enum Claim<'a> {
    /// A string.
    String(Cow<'a, str>),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Double(f64),
    /// True or false.
    Bool(bool),
    /// Several strings.
    Strings(Vec<Cow<'a, str>>),
}

/// Which API a call speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Surface {
    /// `/v1/chat/completions`
    #[default]
    Chat,
    /// `/v1/completions`
    Completions,
    /// `/v1/embeddings`
    Embeddings,
    /// `/v1/messages`, as Anthropic has it
    Messages,
    /// `/v1/messages/count_tokens`: the same body, and no answer of a model
    CountTokens,
    /// `/v1/responses`
    Responses,
}

impl Surface {
    /// Every one.
    pub const ALL: [Self; 6] = [
        Self::Chat,
        Self::Completions,
        Self::Embeddings,
        Self::Messages,
        Self::CountTokens,
        Self::Responses,
    ];

    /// What is sent to this path, if anything is.
    #[must_use]
    pub fn of_path(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|surface| surface.path() == path)
    }

    /// Where it is.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Chat => "/v1/chat/completions",
            Self::Completions => "/v1/completions",
            Self::Embeddings => "/v1/embeddings",
            Self::Messages => "/v1/messages",
            Self::CountTokens => "/v1/messages/count_tokens",
            Self::Responses => "/v1/responses",
        }
    }

    /// In one word, for metrics and messages.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Completions => "completions",
            Self::Embeddings => "embeddings",
            Self::Messages => "messages",
            Self::CountTokens => "count-tokens",
            Self::Responses => "responses",
        }
    }

    /// Whether a conversation is sent: what a model that serves chat can answer.
    #[must_use]
    pub const fn is_conversation(self) -> bool {
        matches!(
            self,
            Self::Chat | Self::Messages | Self::CountTokens | Self::Responses
        )
    }
}

/// A call, read once from its body. What the plan does not need is left empty.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Which API it speaks.
    pub surface: Surface,
    /// The path it was sent to.
    pub path: Cow<'a, str>,
    /// The model it asks for.
    pub model: Cow<'a, str>,
    /// The text of the last user turn.
    pub prompt: Cow<'a, str>,
    /// The text of the system and developer messages.
    pub system: Cow<'a, str>,
    /// All messages.
    pub messages: Vec<Message<'a>>,
    /// The tools it offers.
    pub tools: Vec<Tool<'a>>,
    /// Whether it offers any, read or not.
    pub offers_tools: bool,
    /// The prompt's size in tokens, estimated.
    pub tokens: u64,
    /// The largest of its prompts, in tokens: what must fit a context. All of `tokens` but for batches.
    pub largest_prompt: u64,
    /// The longest answer it allows; `None` when it does not say.
    pub max_tokens: Option<u64>,
    /// How many answers it asks for: `n` for each prompt, and none for embeddings. Each may be `max_tokens` long.
    pub answers: u64,
    /// Which call of the model this is in its conversation: assistant messages so far, plus one.
    pub turns: u64,
    /// Image parts.
    pub images: u64,
    /// What of it decides at which prices it may be charged.
    pub manner: Manner,
    /// Whether it wants a stream.
    pub stream: bool,
    /// Whether it asked for `stream_options.include_usage`.
    pub include_usage: bool,
    /// `temperature`
    pub temperature: Option<f64>,
    /// `response_format.type`, "" when absent.
    pub response_format: Cow<'a, str>,
    /// What tells it from other calls: the same for one whose body is the same, byte for byte.
    pub fingerprint: u128,
    /// Values by [`crate::plan::Needs::headers`] slot.
    pub headers: Vec<Option<Cow<'a, str>>>,
    /// Values by [`crate::plan::Needs::metadata`] slot.
    pub metadata: Vec<Option<Cow<'a, str>>>,
}

/// A message.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Message<'a> {
    /// `system`, `user`, `assistant`, `tool`, …
    pub role: Cow<'a, str>,
    /// Its text; parts are joined by newlines, images left out.
    pub content: Cow<'a, str>,
    /// `name`, "" when absent.
    pub name: Cow<'a, str>,
    /// `tool_call_id`, "" when absent.
    pub tool_call_id: Cow<'a, str>,
    /// The tools it calls.
    pub tool_calls: Vec<ToolCall<'a>>,
}

/// A call of a tool by the model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ToolCall<'a> {
    /// Which.
    pub name: Cow<'a, str>,
    /// JSON text.
    pub arguments: Cow<'a, str>,
}

/// A tool offered to the model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tool<'a> {
    /// Its name.
    pub name: Cow<'a, str>,
    /// What it is for.
    pub description: Cow<'a, str>,
}

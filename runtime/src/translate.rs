//! Says in one dialect what was said in another: requests, answers, streams and errors.
//!
//! Invariants: nothing here does IO or reads a clock; what is not known of a body is left out and named, never guessed;
//! what has no counterpart and cannot be left out is an error, so that another model may take the call. Text, tool
//! calls, their ids and their order come through as they are: JSON within a body is carried as text.
//!
//! OpenAI's chat is in the middle: each other dialect is translated to it and from it, and pairs without it are two steps.

mod answer;
mod chat;
mod json;
mod messages;
mod request;
mod responses;
mod stream;
#[cfg(test)]
mod tests;
mod thoughts;

pub(crate) use request::{Sent, Translated};
pub(crate) use stream::{Translation, error_event};
pub(crate) use thoughts::without_unsigned_thoughts;

use waypost_policies::facts::Surface;

/// Why a body cannot be said in another dialect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Untranslatable(pub(crate) String);

impl Untranslatable {
    /// The other dialect has no word for `what`.
    fn no_counterpart(what: impl std::fmt::Display) -> Self {
        Self(format!("{what} has no counterpart in its API"))
    }
}

impl From<serde_json::Error> for Untranslatable {
    fn from(error: serde_json::Error) -> Self {
        let text = error.to_string();
        let cause = text
            .rsplit_once(" at line ")
            .map_or(&*text, |(cause, _)| cause);
        Self(format!("the body has a shape that is not known: {cause}"))
    }
}

/// What an answer is made of beside the upstream's words.
#[derive(Debug, Clone, Default)]
pub(crate) struct Context {
    /// The model's name, for answers that do not say it.
    pub(crate) model: String,
    /// Seconds since 1970.
    pub(crate) created: u64,
    /// Tells this answer from others.
    pub(crate) id: String,
    /// The prompt's tokens, estimated: what a stream begins with, before the upstream says.
    pub(crate) prompt_tokens: u64,
    /// Whether a chat's stream ends with its usage.
    pub(crate) include_usage: bool,
    /// Whether the client wants to see the model think.
    pub(crate) thinking: bool,
    /// Members of a Responses request that its answer repeats, as JSON.
    pub(crate) echo: String,
}

/// Which dialects lie between a client and its upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pair {
    /// A chat client, an Anthropic upstream.
    ChatMessages,
    /// An Anthropic client, a chat upstream.
    MessagesChat,
    /// A Responses client, a chat upstream.
    ResponsesChat,
    /// A Responses client, an Anthropic upstream.
    ResponsesMessages,
}

impl Pair {
    /// The pair of a client's surface and its upstream's; `None` where both speak the same.
    pub(crate) const fn of(client: Surface, upstream: Surface) -> Option<Self> {
        match (client, upstream) {
            (Surface::Chat, Surface::Messages) => Some(Self::ChatMessages),
            (Surface::Messages, Surface::Chat) => Some(Self::MessagesChat),
            (Surface::Responses, Surface::Chat) => Some(Self::ResponsesChat),
            (Surface::Responses, Surface::Messages) => Some(Self::ResponsesMessages),
            _ => None,
        }
    }

    /// The client's request in the upstream's dialect; `longest` is the longest answer where the client does not say.
    pub(crate) fn request(self, body: &str, longest: u64) -> Result<Translated, Untranslatable> {
        match self {
            Self::ChatMessages => request::chat_to_messages(body, longest),
            Self::MessagesChat => request::messages_to_chat(body),
            Self::ResponsesChat => request::responses_to_chat(body),
            Self::ResponsesMessages => {
                let chat = request::responses_to_chat(body)?;
                let mut messages = request::chat_to_messages(&chat.body, longest)?;
                messages.dropped.extend(chat.dropped);
                messages.sent = chat.sent;
                Ok(messages)
            }
        }
    }

    /// The upstream's answer in the client's dialect.
    pub(crate) fn answer(self, body: &str, context: &Context) -> Result<String, Untranslatable> {
        match self {
            Self::ChatMessages => answer::messages_to_chat(body, context),
            Self::MessagesChat => answer::chat_to_messages(body, context),
            Self::ResponsesChat => answer::chat_to_responses(body, context),
            Self::ResponsesMessages => {
                let chat = answer::messages_to_chat(body, context)?;
                answer::chat_to_responses(&chat, context)
            }
        }
    }
}

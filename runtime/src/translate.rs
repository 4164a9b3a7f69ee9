//! Says in one dialect what was said in another: requests, answers, streams and errors.
//!
//! Invariants: nothing here does IO or reads a clock; what is not known of a body is left out and named, never guessed;
//! what has no counterpart and cannot be left out is an error, so that another model may take the call. Text, tool
//! calls, their ids and their order come through as they are: JSON within a body is carried as text.
//!
//! OpenAI's chat is in the middle: each other dialect is translated to it and from it, and pairs without it are two steps.

mod answer;
mod chat;
mod converse;
mod gemini;
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

use crate::dialect::Dialect;

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

/// The dialects of a client and its upstream, where they are not the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pair {
    client: Client,
    upstream: Upstream,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Client {
    Chat,
    Messages,
    Responses,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Upstream {
    Chat,
    Messages,
    Gemini,
    Converse,
}

/// What a chat does not say of itself, and another dialect wants to know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// The longest answer, where the client does not say.
    pub(crate) longest: u64,
    /// Whether the client wants to see the model think.
    pub(crate) thinking: bool,
}

impl Pair {
    /// The pair of a client's surface and its upstream's dialect; `None` where both speak the same.
    pub(crate) fn of(client: Surface, upstream: Dialect) -> Option<Self> {
        let client = match client {
            _ if upstream.is(client) => return None,
            Surface::Chat => Client::Chat,
            Surface::Messages => Client::Messages,
            Surface::Responses => Client::Responses,
            Surface::Completions | Surface::Embeddings | Surface::CountTokens => return None,
        };
        let upstream = match upstream {
            Dialect::CHAT => Upstream::Chat,
            Dialect::Of(Surface::Messages) => Upstream::Messages,
            Dialect::Gemini => Upstream::Gemini,
            Dialect::Converse => Upstream::Converse,
            Dialect::Of(_) => return None,
        };
        Some(Self { client, upstream })
    }

    /// The client's request as a chat.
    pub(crate) fn to_chat(self, body: &str) -> Result<Translated, Untranslatable> {
        match self.client {
            Client::Chat => Ok(Translated {
                body: body.to_owned(),
                dropped: Vec::new(),
                sent: Sent::default(),
            }),
            // What only Anthropic's models read is said to chats that become another dialect's in turn.
            Client::Messages => request::messages_to_chat(body, self.upstream != Upstream::Chat),
            Client::Responses => request::responses_to_chat(body, self.upstream != Upstream::Chat),
        }
    }

    /// A chat in the upstream's dialect; what it says of the model is the model's name there.
    pub(crate) fn of_chat(
        self,
        body: String,
        wanted: Wanted,
    ) -> Result<Translated, Untranslatable> {
        match self.upstream {
            Upstream::Chat => Ok(Translated {
                body,
                dropped: Vec::new(),
                sent: Sent::default(),
            }),
            Upstream::Messages => request::chat_to_messages(&body, wanted.longest),
            Upstream::Gemini => request::chat_to_gemini(&body, wanted),
            Upstream::Converse => request::chat_to_converse(&body, wanted),
        }
    }

    /// The upstream's answer in the client's dialect.
    pub(crate) fn answer(self, body: &str, context: &Context) -> Result<String, Untranslatable> {
        let chat = match self.upstream {
            Upstream::Chat => None,
            Upstream::Messages => Some(answer::messages_to_chat(body, context)?),
            Upstream::Gemini => Some(answer::gemini_to_chat(body, context)?),
            Upstream::Converse => Some(answer::converse_to_chat(body, context)?),
        };
        match (self.client, chat) {
            (Client::Chat, chat) => Ok(chat.unwrap_or_else(|| body.to_owned())),
            (Client::Messages, chat) => {
                answer::chat_to_messages(chat.as_deref().unwrap_or(body), context)
            }
            (Client::Responses, chat) => {
                answer::chat_to_responses(chat.as_deref().unwrap_or(body), context)
            }
        }
    }
}

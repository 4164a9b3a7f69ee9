//! Streamed answers: machines from events to events, one file for each pair and direction.
//!
//! Invariants: however a stream is cut into chunks, the same events come out; what is held is bounded by the longest
//! event and, where calls of tools interleave, by the answer; nothing is said after the last event.

mod chat_to_messages;
mod chat_to_responses;
mod converse_to_chat;
mod events;
mod gemini_to_chat;
mod messages_to_chat;

use bytes::Bytes;
use serde_json::json;
use waypost_policies::facts::Surface;

use super::{Client, Context, Pair, Upstream};
use chat_to_messages::ChatToMessages;
use chat_to_responses::ChatToResponses;
use converse_to_chat::ConverseToChat;
use events::Reader;
use gemini_to_chat::GeminiToChat;
use messages_to_chat::MessagesToChat;

/// An event to send: its name where the dialect names events, and its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    name: Option<&'static str>,
    data: String,
}

impl Event {
    fn unnamed(data: String) -> Self {
        Self { name: None, data }
    }

    fn named(name: &'static str, data: String) -> Self {
        Self {
            name: Some(name),
            data,
        }
    }

    fn write(&self, output: &mut String) {
        if let Some(name) = self.name {
            output.push_str("event: ");
            output.push_str(name);
            output.push('\n');
        }
        output.push_str("data: ");
        output.push_str(&self.data);
        output.push_str("\n\n");
    }
}

/// The end of a chat's stream.
const DONE: &str = "[DONE]";

/// What makes a chat's events of an upstream's.
#[derive(Debug)]
enum ToChat {
    Messages(MessagesToChat),
    Gemini(GeminiToChat),
    Converse(ConverseToChat),
}

impl ToChat {
    fn take(&mut self, data: &str, output: &mut Vec<Event>) {
        match self {
            Self::Messages(machine) => machine.take(data, output),
            Self::Gemini(machine) => machine.take(data, output),
            Self::Converse(machine) => machine.take(data, output),
        }
    }

    fn finish(&mut self, output: &mut Vec<Event>) {
        match self {
            Self::Messages(machine) => machine.finish(output),
            Self::Gemini(machine) => machine.finish(output),
            Self::Converse(machine) => machine.finish(output),
        }
    }
}

/// What makes a client's events of a chat's.
#[derive(Debug)]
enum FromChat {
    Messages(ChatToMessages),
    Responses(ChatToResponses),
}

impl FromChat {
    fn take(&mut self, data: &str, output: &mut Vec<Event>) {
        match self {
            Self::Messages(machine) => machine.take(data, output),
            Self::Responses(machine) => machine.take(data, output),
        }
    }

    fn finish(&mut self, output: &mut Vec<Event>) {
        match self {
            Self::Messages(machine) => machine.finish(output),
            Self::Responses(machine) => machine.finish(output),
        }
    }
}

/// The one or two machines between an upstream and its client.
#[derive(Debug)]
struct Machine {
    first: Option<ToChat>,
    second: Option<FromChat>,
}

impl Machine {
    fn new(pair: Pair, context: Context) -> Self {
        let second = match pair.client {
            Client::Chat => None,
            Client::Messages => Some(FromChat::Messages(ChatToMessages::new(context.clone()))),
            Client::Responses => Some(FromChat::Responses(ChatToResponses::new(context.clone()))),
        };
        let context = Context {
            // The second machine says it in its own way.
            include_usage: context.include_usage || second.is_some(),
            ..context
        };
        let first = match pair.upstream {
            Upstream::Chat => None,
            Upstream::Messages => Some(ToChat::Messages(MessagesToChat::new(context))),
            Upstream::Gemini => Some(ToChat::Gemini(GeminiToChat::new(context))),
            Upstream::Converse => Some(ToChat::Converse(ConverseToChat::new(context))),
        };
        Self { first, second }
    }

    /// Takes the data of an event.
    fn take(&mut self, data: &str, output: &mut Vec<Event>) {
        match (&mut self.first, &mut self.second) {
            (Some(first), Some(second)) => {
                let mut between = Vec::new();
                first.take(data, &mut between);
                for event in between {
                    second.take(&event.data, output);
                }
            }
            (Some(first), None) => first.take(data, output),
            (None, Some(second)) => second.take(data, output),
            (None, None) => output.push(Event::unnamed(data.to_owned())),
        }
    }

    /// The upstream has ended, and said all that there was to say.
    fn finish(&mut self, output: &mut Vec<Event>) {
        let mut between = Vec::new();
        if let Some(first) = &mut self.first {
            first.finish(&mut between);
        }
        let Some(second) = &mut self.second else {
            output.append(&mut between);
            return;
        };
        for event in between {
            second.take(&event.data, output);
        }
        second.finish(output);
    }
}

/// A stream on its way from one dialect to another.
#[derive(Debug)]
pub(crate) struct Translation {
    reader: Reader,
    machine: Machine,
}

impl Translation {
    pub(crate) fn new(pair: Pair, context: Context) -> Self {
        Self {
            reader: Reader::default(),
            machine: Machine::new(pair, context),
        }
    }

    /// What is sent on once this has come.
    pub(crate) fn pass(&mut self, chunk: &[u8]) -> Bytes {
        let machine = &mut self.machine;
        let mut events = Vec::new();
        self.reader
            .read(chunk, |data| machine.take(data, &mut events));
        write(&events)
    }

    /// What is still to be said once the upstream has ended well.
    pub(crate) fn finish(&mut self) -> Bytes {
        let machine = &mut self.machine;
        let mut events = Vec::new();
        self.reader.end(|data| machine.take(data, &mut events));
        machine.finish(&mut events);
        write(&events)
    }
}

fn write(events: &[Event]) -> Bytes {
    let mut output = String::new();
    events.iter().for_each(|event| event.write(&mut output));
    Bytes::from(output)
}

/// The event that ends a broken stream, as the clients of a surface expect it.
pub(crate) fn error_event(surface: Surface, message: &str, code: &str, hint: &str) -> String {
    let event = match surface {
        Surface::Messages => messages_error("api_error", message, Some(code)),
        Surface::Responses => responses_error(message, code),
        _ => Event::unnamed(
            json!({"error": {
                "message": message, "type": "upstream_error", "param": null, "code": code, "hint": hint,
            }})
            .to_string(),
        ),
    };
    let mut output = String::new();
    event.write(&mut output);
    output
}

fn messages_error(kind: &str, message: &str, code: Option<&str>) -> Event {
    let mut error = json!({"type": kind, "message": message});
    if let (Some(code), Some(members)) = (code, error.as_object_mut()) {
        members.insert("code".to_owned(), code.into());
    }
    Event::named(
        "error",
        json!({"type": "error", "error": error}).to_string(),
    )
}

/// OpenAI's clients look for `error` in an event of this name, others for its message beside.
fn responses_error(message: &str, code: &str) -> Event {
    Event::named(
        "error",
        json!({
            "type": "error", "code": code, "message": message, "param": null,
            "error": {"type": "upstream_error", "code": code, "message": message, "param": null},
        })
        .to_string(),
    )
}

fn chat_error(kind: &str, message: &str) -> Event {
    Event::unnamed(
        json!({"error": {"message": message, "type": kind, "param": null, "code": kind}})
            .to_string(),
    )
}

//! Streamed answers: machines from events to events, one file for each pair and direction.
//!
//! Invariants: however a stream is cut into chunks, the same events come out; what is held is bounded by the longest
//! event and, where calls of tools interleave, by the answer; nothing is said after the last event.

mod chat_to_messages;
mod chat_to_responses;
mod events;
mod messages_to_chat;

use bytes::Bytes;
use serde_json::json;
use waypost_policies::facts::Surface;

use super::{Context, Pair};
use chat_to_messages::ChatToMessages;
use chat_to_responses::ChatToResponses;
use events::Reader;
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

#[derive(Debug)]
enum Machine {
    MessagesToChat(MessagesToChat),
    ChatToMessages(ChatToMessages),
    ChatToResponses(ChatToResponses),
    MessagesToResponses(Box<(MessagesToChat, ChatToResponses)>),
}

impl Machine {
    /// Takes the data of an event.
    fn take(&mut self, data: &str, output: &mut Vec<Event>) {
        match self {
            Self::MessagesToChat(machine) => machine.take(data, output),
            Self::ChatToMessages(machine) => machine.take(data, output),
            Self::ChatToResponses(machine) => machine.take(data, output),
            Self::MessagesToResponses(both) => {
                let (first, second) = &mut **both;
                let mut between = Vec::new();
                first.take(data, &mut between);
                for event in between {
                    second.take(&event.data, output);
                }
            }
        }
    }

    /// The upstream has ended, and said all that there was to say.
    fn finish(&mut self, output: &mut Vec<Event>) {
        match self {
            Self::MessagesToChat(machine) => machine.finish(output),
            Self::ChatToMessages(machine) => machine.finish(output),
            Self::ChatToResponses(machine) => machine.finish(output),
            Self::MessagesToResponses(both) => {
                let (first, second) = &mut **both;
                let mut between = Vec::new();
                first.finish(&mut between);
                for event in between {
                    second.take(&event.data, output);
                }
                second.finish(output);
            }
        }
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
        let machine = match pair {
            Pair::ChatMessages => Machine::MessagesToChat(MessagesToChat::new(context)),
            Pair::MessagesChat => Machine::ChatToMessages(ChatToMessages::new(context)),
            Pair::ResponsesChat => Machine::ChatToResponses(ChatToResponses::new(context)),
            Pair::ResponsesMessages => {
                let first = MessagesToChat::new(Context {
                    include_usage: true,
                    ..context.clone()
                });
                Machine::MessagesToResponses(Box::new((first, ChatToResponses::new(context))))
            }
        };
        Self {
            reader: Reader::default(),
            machine,
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

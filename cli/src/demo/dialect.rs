//! Which API a call is of, and how an answer is said in it.

use bytes::Bytes;
use serde_json::Value;

use super::chat::{Call, Reply, Shape};
use super::{converse, gemini, messages, responses};

/// A streamed answer, as it goes out.
#[derive(Debug)]
pub(super) struct Spoken {
    /// What is sent before the first piece.
    pub(super) opening: Vec<Bytes>,
    /// One for each token.
    pub(super) pieces: Vec<Bytes>,
    /// What says why it ended, and what it used.
    pub(super) closing: Vec<Bytes>,
    pub(super) media_type: &'static str,
}

/// The API that a path is of.
pub(super) fn of_path(path: &str) -> Option<Shape> {
    let (_, last) = path.rsplit_once('/')?;
    if path.ends_with("/chat/completions") {
        return Some(Shape::Chat);
    }
    match last {
        "completions" => Some(Shape::Completion),
        "messages" => Some(Shape::Messages),
        "responses" => Some(Shape::Responses),
        "converse" | "converse-stream" => Some(Shape::Converse),
        _ if last.ends_with(":generateContent") || last.ends_with(":streamGenerateContent") => {
            Some(Shape::Gemini)
        }
        _ => None,
    }
}

/// The model that a path names.
pub(super) fn model_of_path(path: &str) -> Option<String> {
    let between = |before: &str, after: char| {
        let (_, rest) = path.split_once(before)?;
        rest.split_once(after).map(|(name, _)| name.to_owned())
    };
    between("/deployments/", '/')
        .or_else(|| between("/model/", '/').map(|name| decoded(&name)))
        .or_else(|| between("/models/", ':'))
}

/// With `%3A` and the like as what they stand for.
fn decoded(text: &str) -> String {
    let mut pieces = text.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let code = piece.get(..2).map(|code| u8::from_str_radix(code, 16));
        match (code, piece.get(2..)) {
            (Some(Ok(byte)), Some(rest)) => {
                bytes.push(byte);
                bytes.extend_from_slice(rest.as_bytes());
            }
            _ => bytes.extend_from_slice(format!("%{piece}").as_bytes()),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads a body as the chat that says the same; the error is for the caller.
pub(super) fn read(shape: Shape, path: &str, body: &[u8]) -> Result<Call, String> {
    let is_stream = path.ends_with("-stream") || path.ends_with(":streamGenerateContent");
    let chat = match shape {
        Shape::Chat | Shape::Completion => return Call::read(body),
        Shape::Messages => messages::as_chat(body)?,
        Shape::Responses => responses::as_chat(body)?,
        Shape::Gemini => gemini::as_chat(body, is_stream)?,
        Shape::Converse => converse::as_chat(body, is_stream)?,
    };
    Call::read(&chat)
}

/// The whole answer at once.
pub(super) fn whole(reply: &Reply) -> Value {
    match reply.shape {
        Shape::Chat | Shape::Completion => reply.whole(),
        Shape::Messages => messages::whole(reply),
        Shape::Responses => responses::whole(reply),
        Shape::Gemini => gemini::whole(reply),
        Shape::Converse => converse::whole(reply),
    }
}

/// The answer in pieces.
pub(super) fn spoken(reply: &Reply, include_usage: bool) -> Spoken {
    match reply.shape {
        Shape::Chat | Shape::Completion => {
            let usage = include_usage.then(|| event(&reply.usage_event()));
            let done = Bytes::from_static(b"data: [DONE]\n\n");
            Spoken {
                opening: reply.opening().iter().map(event).collect(),
                pieces: reply.pieces().map(|piece| event(&piece)).collect(),
                closing: [Some(event(&reply.closing())), usage, Some(done)]
                    .into_iter()
                    .flatten()
                    .collect(),
                media_type: "text/event-stream",
            }
        }
        Shape::Messages => events([
            messages::opening(reply),
            messages::pieces(reply),
            messages::closing(reply),
        ]),
        Shape::Responses => events(responses::spoken(reply)),
        Shape::Gemini => events(gemini::spoken(reply)),
        Shape::Converse => {
            let [opening, pieces, closing] = converse::spoken(reply);
            Spoken {
                opening,
                pieces,
                closing,
                media_type: "application/vnd.amazon.eventstream",
            }
        }
    }
}

fn events(all: [Vec<Value>; 3]) -> Spoken {
    let [opening, pieces, closing] = all.map(|documents| documents.iter().map(event).collect());
    Spoken {
        opening,
        pieces,
        closing,
        media_type: "text/event-stream",
    }
}

/// An event; those that have a type are called by it.
fn event(document: &Value) -> Bytes {
    let name = document.get("type").and_then(Value::as_str);
    let name = name.map(|name| format!("event: {name}\n"));
    Bytes::from(format!("{}data: {document}\n\n", name.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::{Shape, model_of_path, of_path};

    #[test]
    fn paths_say_which_api_and_which_model() {
        let check = |path: &str, shape, model: Option<&str>| {
            assert_eq!(of_path(path), shape, "{path}");
            assert_eq!(model_of_path(path).as_deref(), model, "{path}");
        };
        check("/v1/chat/completions", Some(Shape::Chat), None);
        check("/v1/completions", Some(Shape::Completion), None);
        check("/v1/responses", Some(Shape::Responses), None);
        check(
            "/openai/deployments/gpt/chat/completions",
            Some(Shape::Chat),
            Some("gpt"),
        );
        let gemini = "/v1beta/models/gemini-2.5-pro:streamGenerateContent";
        check(gemini, Some(Shape::Gemini), Some("gemini-2.5-pro"));
        let amazon = "/model/eu.anthropic.claude-v1%3A0/converse-stream";
        check(
            amazon,
            Some(Shape::Converse),
            Some("eu.anthropic.claude-v1:0"),
        );
        check("/v1/other", None, None);
    }
}

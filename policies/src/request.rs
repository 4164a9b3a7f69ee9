//! Reads a call from its body: once, and only what the plan needs of it.
//!
//! Invariants: a body is refused with one cause and one next step, or read whole; tokens, turns, images and the
//! answer's bounds are always known, whatever the plan needs; strings without escapes are borrowed from the body;
//! a field that the decision reads stands once, so that no server behind can take another value than was decided on.

mod blocks;
mod body;
mod content;
mod depth;
mod error;
mod items;
mod message;
mod node;
mod prompts;
mod surface;
#[cfg(test)]
mod tests;
mod tools;

use std::borrow::Cow;
use std::hash::Hasher as _;

use serde::de::DeserializeSeed as _;
use siphasher::sip128::{Hasher128 as _, SipHasher13};

pub use error::RequestError;

use crate::cost::{Manner, Service};
use crate::facts::{Request, Surface};
use crate::plan::Needs;
use crate::tokens;
use body::Body;
use depth::{DEEPEST, is_too_deep};
use node::{Count, Filling};

/// The most answers that one call may ask for, as OpenAI has it.
pub const MOST_ANSWERS: u64 = 128;
/// The most tokens that an answer may be allowed.
pub const MOST_TOKENS: u64 = u32::MAX as u64;

impl<'a> Request<'a> {
    /// Reads a call. `header` finds a header's value by its name in lower case.
    ///
    /// # Errors
    ///
    /// Why the body is not such a request, and what to send.
    pub fn read(
        needs: &Needs,
        surface: Surface,
        path: &'a str,
        header: &dyn Fn(&str) -> Option<&'a str>,
        body: &'a [u8],
    ) -> Result<Self, RequestError> {
        match std::str::from_utf8(body) {
            Ok(text) => Self::read_text(needs, surface, path, header, text),
            // The parser says where it stops to be text.
            Err(_) => {
                let parser = serde_json::Deserializer::from_slice(body);
                Self::parse(needs, surface, path, header, body, parser)
            }
        }
    }

    /// As [`Request::read`], of a body that is known to be text.
    ///
    /// # Errors
    ///
    /// Why the body is not such a request, and what to send.
    pub fn read_text(
        needs: &Needs,
        surface: Surface,
        path: &'a str,
        header: &dyn Fn(&str) -> Option<&'a str>,
        body: &'a str,
    ) -> Result<Self, RequestError> {
        let parser = serde_json::Deserializer::from_str(body);
        Self::parse(needs, surface, path, header, body.as_bytes(), parser)
    }

    fn parse<R: serde_json::de::Read<'a>>(
        needs: &Needs,
        surface: Surface,
        path: &'a str,
        header: &dyn Fn(&str) -> Option<&'a str>,
        body: &'a [u8],
        mut parser: serde_json::Deserializer<R>,
    ) -> Result<Self, RequestError> {
        if body.trim_ascii().is_empty() {
            return Err(RequestError::Empty {
                needed: required(surface).0,
            });
        }
        if is_too_deep(body) {
            return Err(RequestError::TooDeep { deepest: DEEPEST });
        }
        let mut read = Body::new(needs, surface);
        Filling::new(&mut read)
            .deserialize(&mut parser)
            .and_then(|()| parser.end())
            .map_err(|error| locate(needs, surface, body, &error))?;
        let mut request = accept(surface, read)?;
        request.path = Cow::Borrowed(path);
        if needs.fingerprint {
            request.fingerprint = fingerprint(surface, body);
        }
        request.headers = needs
            .headers
            .iter()
            .map(|name| header(name).map(Cow::Borrowed))
            .collect();
        Ok(request)
    }
}

/// A chat that says nothing, asks for one answer and is its conversation's first.
impl Default for Request<'_> {
    fn default() -> Self {
        Self {
            surface: Surface::Chat,
            path: Cow::default(),
            model: Cow::default(),
            prompt: Cow::default(),
            system: Cow::default(),
            messages: Vec::new(),
            tools: Vec::new(),
            offers_tools: false,
            tokens: 0,
            largest_prompt: 0,
            max_tokens: None,
            answers: 1,
            turns: 1,
            images: 0,
            manner: Manner::default(),
            stream: false,
            include_usage: false,
            temperature: None,
            response_format: Cow::default(),
            fingerprint: 0,
            headers: Vec::new(),
            metadata: Vec::new(),
        }
    }
}

/// What a call is recognised by. Its key is no secret: who finds two calls that share one only stands in their own way.
fn fingerprint(surface: Surface, body: &[u8]) -> u128 {
    let mut hasher = SipHasher13::new();
    hasher.write(surface.path().as_bytes());
    hasher.write(body);
    hasher.finish128().as_u128()
}

/// The field that a request is about, and what to send in it.
fn required(surface: Surface) -> (&'static str, &'static str) {
    match surface {
        Surface::Chat | Surface::Messages | Surface::CountTokens => (
            "messages",
            "send at least one, such as {\"role\": \"user\", \"content\": \"…\"}",
        ),
        Surface::Responses => ("input", "send a string, or an array of items"),
        Surface::Completions => (
            "prompt",
            "send a string, or an array of strings or token ids",
        ),
        Surface::Embeddings => (
            "input",
            "send a string, or an array of strings or token ids",
        ),
    }
}

/// Requires of a body what its API does.
fn accept<'a>(surface: Surface, body: Body<'_, 'a>) -> Result<Request<'a>, RequestError> {
    let Body {
        mut messages,
        prompts,
        tools,
        ..
    } = body;
    if body.model.0.is_empty() {
        return Err(RequestError::MissingModel);
    }
    let count = if surface.is_conversation() {
        messages.count
    } else {
        prompts.count
    };
    if count == 0 {
        let (field, hint) = required(surface);
        return Err(RequestError::Missing { field, hint });
    }
    if surface == Surface::Messages && body.max_tokens.0.is_none() {
        return Err(RequestError::Missing {
            field: "max_tokens",
            hint: "send the longest answer that you want, in tokens",
        });
    }
    messages.open_with(body.preamble);
    let max_tokens = in_range("max_tokens", &body.max_tokens, 0, MOST_TOKENS)?;
    let max_output_tokens = in_range("max_output_tokens", &body.max_output_tokens, 0, MOST_TOKENS)?;
    let max_completion_tokens = in_range(
        "max_completion_tokens",
        &body.max_completion_tokens,
        0,
        MOST_TOKENS,
    )?;
    let each = in_range("n", &body.n, 1, MOST_ANSWERS)?.unwrap_or(1);
    let tried = in_range("best_of", &body.best_of, 1, MOST_ANSWERS)?.unwrap_or(1);
    let beside = tools
        .tokens
        .saturating_add(body.response_format.tokens)
        .saturating_add(tokens::of_text(&body.suffix.0));
    let (tokens, largest, answers) = match surface {
        Surface::Chat | Surface::Messages | Surface::Responses => {
            (messages.tokens, messages.tokens, each)
        }
        Surface::CountTokens => (messages.tokens, messages.tokens, 0),
        Surface::Completions => (
            prompts.tokens,
            prompts.largest,
            each.max(tried).saturating_mul(count),
        ),
        Surface::Embeddings => (prompts.tokens, prompts.largest, 0),
    };
    let manner = Manner {
        service: Service::asked(&body.service_tier.0),
        images: messages.images > 0,
        ..messages.manner.and(body.manner).and(tools.manner)
    };
    Ok(Request {
        surface,
        path: Cow::default(),
        model: body.model.0,
        prompt: if surface.is_conversation() {
            messages.prompt
        } else {
            prompts.text
        },
        system: messages.system,
        messages: messages.all,
        tools: tools.all,
        offers_tools: tools.any,
        tokens: tokens.saturating_add(beside),
        largest_prompt: largest.saturating_add(beside),
        // Whichever of the two a server goes by, the answer is not longer.
        max_tokens: max_tokens.max(max_completion_tokens).max(max_output_tokens),
        answers,
        turns: messages.assistant + 1,
        images: messages.images,
        manner,
        stream: body.stream.0,
        include_usage: body.include_usage.0,
        temperature: body.temperature.0,
        response_format: body.response_format.kind.0,
        fingerprint: 0,
        headers: Vec::new(),
        metadata: body.metadata.values,
    })
}

fn in_range(
    field: &'static str,
    count: &Count,
    least: u64,
    most: u64,
) -> Result<Option<u64>, RequestError> {
    match count.0 {
        Some(found) if found < least || found > most => Err(RequestError::OutOfRange {
            field,
            least,
            most,
            found,
        }),
        count => Ok(count),
    }
}

/// Reads a body that is known to be wrong again, to say where: good ones do not pay for keeping track of the place.
fn locate(needs: &Needs, surface: Surface, body: &[u8], error: &serde_json::Error) -> RequestError {
    let mut track = serde_path_to_error::Track::new();
    let mut parser = serde_json::Deserializer::from_slice(body);
    let tracked = serde_path_to_error::Deserializer::new(&mut parser, &mut track);
    let again = Filling::new(&mut Body::new(needs, surface)).deserialize(tracked);
    match again {
        Err(again) => RequestError::from_json(&track.path().to_string(), &again),
        Ok(()) => RequestError::from_json("", error),
    }
}

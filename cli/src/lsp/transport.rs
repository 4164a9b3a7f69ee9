//! The protocol's frames: a header with a length, and that many bytes of JSON.
//!
//! Invariants: a frame that cannot be read costs that frame and no more, so that one bad message never ends the server;
//! nothing is read into memory beyond [`MAXIMUM`] bytes.

use std::io::{self, BufRead, Read as _, Write};

use lsp_server::Message;
use serde_json::{Value, json};

/// A message longer than this is skipped.
const MAXIMUM: u64 = 64 << 20;
/// A line of a header longer than this is no header.
const LONGEST_HEADER: u64 = 8 << 10;

/// What was read.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A message.
    Message(Message),
    /// A frame that holds none; what the sender is told, by the protocol's number and words.
    Malformed(i32, String),
}

/// JSON that is none.
const PARSE_ERROR: i32 = -32700;
/// JSON that is no message.
const INVALID_REQUEST: i32 = -32600;

/// The next frame; nothing at the end of the input.
pub(crate) fn read(input: &mut dyn BufRead) -> io::Result<Option<Incoming>> {
    let Some(length) = content_length(input)? else {
        return Ok(None);
    };
    let mut body = Vec::new();
    let read = input.take(length.min(MAXIMUM)).read_to_end(&mut body)?;
    if length > MAXIMUM {
        io::copy(&mut input.take(length - MAXIMUM), &mut io::sink())?;
        let message = format!("a message of {length} bytes is more than {MAXIMUM}");
        return Ok(Some(Incoming::Malformed(INVALID_REQUEST, message)));
    }
    if (read as u64) < length {
        return Ok(None);
    }
    Ok(Some(decode(&body)))
}

/// Reads headers until one with a length is complete. What is no header is skipped, line by line.
fn content_length(input: &mut dyn BufRead) -> io::Result<Option<u64>> {
    let mut length = None;
    loop {
        let mut line = Vec::new();
        let read = input.take(LONGEST_HEADER).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end();
        if line.is_empty() {
            match length {
                Some(length) => return Ok(Some(length)),
                None => continue,
            }
        }
        if let Some((name, value)) = line.split_once(':')
            && name.trim().eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok();
        }
    }
}

fn decode(body: &[u8]) -> Incoming {
    let value: Value = match serde_json::from_slice(body) {
        Ok(value) => value,
        Err(error) => return Incoming::Malformed(PARSE_ERROR, format!("not JSON: {error}")),
    };
    // The crate takes every object for a message of some kind; a method is what makes one of ours.
    let known = value.get("method").is_some_and(Value::is_string)
        || (value.get("id").is_some()
            && (value.get("result").is_some() || value.get("error").is_some()));
    match serde_json::from_value(value) {
        Ok(message) if known => Incoming::Message(message),
        _ => Incoming::Malformed(
            INVALID_REQUEST,
            "neither a request, a response nor a notification".to_owned(),
        ),
    }
}

/// Writes one message.
pub(crate) fn write(output: &mut dyn Write, message: &Message) -> io::Result<()> {
    let mut value = serde_json::to_value(message)?;
    if let Value::Object(fields) = &mut value {
        fields.insert("jsonrpc".to_owned(), "2.0".into());
        // A result that is null is still a result.
        if let Message::Response(response) = message
            && response.error.is_none()
        {
            fields.entry("result").or_insert(Value::Null);
        }
    }
    frame(output, &value)
}

/// Says that a frame could not be read; nobody knows which request it was.
pub(crate) fn refuse(output: &mut dyn Write, code: i32, message: &str) -> io::Result<()> {
    let error = json!({ "code": code, "message": message });
    frame(
        output,
        &json!({ "jsonrpc": "2.0", "id": null, "error": error }),
    )
}

fn frame(output: &mut dyn Write, value: &Value) -> io::Result<()> {
    let body = serde_json::to_vec(value)?;
    write!(output, "Content-Length: {}\r\n\r\n", body.len())?;
    output.write_all(&body)?;
    output.flush()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::{Incoming, read};

    #[test]
    fn a_bad_frame_costs_itself_only() {
        let good = r#"{"jsonrpc":"2.0","method":"exit"}"#;
        let text = format!(
            "noise\r\nContent-Length: 5\r\n\r\n{{bad}}Content-Length: 2\r\n\r\n[]Content-Length: {}\r\n\r\n{good}",
            good.len()
        );
        let mut input = text.as_bytes();
        let mut kinds = Vec::new();
        while let Some(incoming) = read(&mut input).unwrap() {
            kinds.push(match incoming {
                Incoming::Message(_) => 0,
                Incoming::Malformed(code, _) => code,
            });
        }
        assert_eq!(kinds, [-32700, -32600, 0]);
    }
}

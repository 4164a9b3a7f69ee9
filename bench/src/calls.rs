//! What is sent: chats of callers with keys of their own.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::json;

/// The header by which the upstream is told how to answer.
pub(crate) const ANSWER: &str = "x-bench-answer";
/// How many callers there are.
pub(crate) const CALLERS: usize = 100;

/// How the upstream answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Answer {
    /// At once, in one piece.
    Whole,
    /// In a hundred events.
    Streamed,
    /// With one event, and then nothing.
    Held,
}

impl Answer {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Streamed => "streamed",
            Self::Held => "held",
        }
    }

    pub(crate) fn named(word: &str) -> Option<Self> {
        let all = [Self::Whole, Self::Streamed, Self::Held];
        all.into_iter().find(|answer| answer.word() == word)
    }
}

/// A request of one caller, with a body of `size` bytes, as it goes over the wire.
pub(crate) fn request(caller: usize, size: usize, answer: Answer) -> Vec<u8> {
    let body = body(caller, size, answer);
    let mut request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: bench\r\nuser-agent: OpenAI/Python 2.8.1\r\naccept: application/json\r\n\
         authorization: Bearer {}\r\ncontent-type: application/json\r\nx-stainless-lang: python\r\nx-stainless-retry-count: 0\r\n\
         x-session-id: session-{caller}\r\n{ANSWER}: {}\r\ncontent-length: {}\r\n\r\n",
        key(caller),
        answer.word(),
        body.len(),
    );
    request.push_str(&body);
    request.into_bytes()
}

/// A chat as agents send them: instructions, a question, a tool, and turns of conversation up to the size.
fn body(caller: usize, size: usize, answer: Answer) -> String {
    let mut body = format!(
        r#"{{"model":"auto","stream":{},"max_tokens":256,"temperature":0.2,"tools":[{{"type":"function","function":{{"name":"read_file","description":"Reads a file","parameters":{{"type":"object","properties":{{"path":{{"type":"string"}}}}}}}}}}],"messages":[{{"role":"system","content":"You are agent {caller}. Be brief."}}"#,
        answer != Answer::Whole
    );
    let question = r#",{"role":"user","content":"What is 2+2?"}]}"#;
    let mut turn = 0;
    while body.len() + question.len() < size {
        let left = size - body.len() - question.len();
        // Writing to a string does not fail.
        let _ = write!(
            body,
            r#",{{"role":"{}","content":""#,
            ["user", "assistant"].get(turn % 2).unwrap_or(&"user")
        );
        let words =
            "Look at the parser once more, line 40 has \\\"a comma\\\", and say what is left. ";
        let mut length = left.clamp(60, 2000) - 40;
        while length >= words.len() {
            body.push_str(words);
            length -= words.len();
        }
        body.push_str(&"x".repeat(length));
        body.push_str("\"}");
        turn += 1;
    }
    body.push_str(question);
    body
}

/// The key of a caller.
fn key(caller: usize) -> String {
    format!("bench-key-of-caller-{caller:04}")
}

/// The callers, as a key file.
pub(crate) fn key_file() -> String {
    let key = |caller: usize| {
        json!({
            "key": key(caller), "id": format!("caller-{caller}"), "team": format!("team-{}", caller % 10),
            "agent": format!("agent-{}", caller % 30), "plan": "pro", "name": format!("Caller {caller}"),
        })
    };
    json!({"keys": (0..CALLERS).map(key).collect::<Vec<_>>()}).to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn bodies_are_json_of_about_their_size() {
        for size in [1 << 10, 64 << 10] {
            let body = body(7, size, Answer::Whole);
            assert!(body.len().abs_diff(size) < 64, "{}", body.len());
            let chat: serde_json::Value = serde_json::from_str(&body).unwrap();
            let messages = chat.get("messages").unwrap().as_array().unwrap();
            assert!(messages.len() >= 3);
        }
    }
}

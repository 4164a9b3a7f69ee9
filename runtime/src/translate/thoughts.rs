//! Thoughts that nobody signed.
//!
//! Anthropic refuses a conversation with a thought whose signature is not its own. Other models' thoughts reach its
//! clients without one, and come back when the next call of the session goes to Anthropic: they are left out then.

use std::borrow::Cow;

use memchr::memmem;
use serde_json::Value;

use crate::json::{self, Change};

/// A body of messages without such thoughts; the same text where there are none.
pub(crate) fn without_unsigned_thoughts(text: &str) -> Cow<'_, str> {
    let unsigned = [&br#""signature":"""#[..], br#""signature": """#];
    let any = |mark: &[u8]| memmem::find(text.as_bytes(), mark).is_some();
    if !unsigned.into_iter().any(any) {
        return Cow::Borrowed(text);
    }
    let change = |member: &json::Member<'_>| match &*member.key {
        "messages" => signed(member.value).map_or(Change::Keep, Change::Value),
        _ => Change::Keep,
    };
    json::rewrite(text, change, &[])
}

fn signed(messages: &str) -> Option<String> {
    let mut messages: Vec<Value> = serde_json::from_str(messages).ok()?;
    messages.retain_mut(|message| {
        let blocks = message.get_mut("content").and_then(Value::as_array_mut);
        let Some(blocks) = blocks else {
            return true;
        };
        let before = blocks.len();
        blocks.retain(|block| !is_unsigned(block));
        before == blocks.len() || !blocks.is_empty()
    });
    serde_json::to_string(&messages).ok()
}

fn is_unsigned(block: &Value) -> bool {
    let has = |name: &str, text: &str| block.get(name).is_some_and(|value| value == text);
    has("type", "thinking") && has("signature", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unsigned_thoughts_are_left_out() {
        let body = r#"{"messages": [{"role":"assistant","content":[{"type":"thinking","thinking":"a","signature":""},{"type":"text","text":"b"}]},
                {"role":"assistant","content":[{"type":"thinking","thinking":"a","signature":""}]},
                {"role":"assistant","content":[{"type":"thinking","thinking":"c","signature":"s"}]}], "x": 1.50}"#;
        let expected = concat!(
            r#"{"messages": [{"content":[{"text":"b","type":"text"}],"role":"assistant"},"#,
            r#"{"content":[{"signature":"s","thinking":"c","type":"thinking"}],"role":"assistant"}], "x": 1.50}"#
        );
        assert_eq!(without_unsigned_thoughts(body), expected);
    }

    #[test]
    fn other_bodies_are_not_copied() {
        let body = r#"{"messages":[{"content":"a \"signature\":\"\" of mine"}]}"#;
        assert_eq!(without_unsigned_thoughts(body).as_ptr(), body.as_ptr());
    }
}

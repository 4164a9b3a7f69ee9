//! Bedrock's Converse as a simulated server reads and answers it: read as the chat that says the same.

use bytes::Bytes;
use serde_json::{Value, json};

use super::answer::Content;
use super::chat::{Reply, json_schema};

/// The chat that a body of Converse is.
pub(super) fn as_chat(body: &[u8], stream: bool) -> Result<Vec<u8>, String> {
    let body: Value =
        serde_json::from_slice(body).map_err(|error| format!("the body is not JSON: {error}"))?;
    let mut messages = Vec::new();
    if let Some(system) = body.get("system") {
        messages.push(json!({"role": "system", "content": system}));
    }
    let turns = body.get("messages").and_then(Value::as_array);
    messages.extend(turns.into_iter().flatten().flat_map(split));
    let offered = body.pointer("/toolConfig/tools").and_then(Value::as_array);
    let specs = offered.into_iter().flatten();
    let specs = specs.filter_map(|tool| tool.get("toolSpec"));
    let tools: Vec<Value> = specs.map(tool).collect();
    // The schema is text there.
    let schema = body.pointer("/outputConfig/textFormat/structure/jsonSchema/schema");
    let schema: Option<Value> = schema
        .and_then(Value::as_str)
        .and_then(|text| serde_json::from_str(text).ok());
    let chat = json!({
        "messages": messages, "tools": tools, "stream": stream,
        "tool_choice": body.pointer("/toolConfig/toolChoice").map(tool_choice),
        "max_tokens": body.pointer("/inferenceConfig/maxTokens"),
        "response_format": json_schema(schema.as_ref()),
    });
    Ok(chat.to_string().into_bytes())
}

/// A message, and the results of tools in it as messages of their own.
fn split(message: &Value) -> Vec<Value> {
    let blocks = message.get("content").and_then(Value::as_array);
    let blocks = || blocks.into_iter().flatten();
    let results = blocks().filter_map(|block| block.pointer("/toolResult/content"));
    let mut turns: Vec<Value> = results
        .map(|content| json!({"role": "tool", "content": content}))
        .collect();
    let said: Vec<_> = blocks()
        .filter(|block| block.get("text").is_some())
        .collect();
    if turns.is_empty() || !said.is_empty() {
        turns.push(json!({"role": message.get("role"), "content": said}));
    }
    turns
}

fn tool(spec: &Value) -> Value {
    json!({"type": "function", "function": {
        "name": spec.get("name"), "description": spec.get("description"),
        "parameters": spec.pointer("/inputSchema/json"),
    }})
}

fn tool_choice(choice: &Value) -> Value {
    match choice.pointer("/tool/name") {
        Some(name) => json!({"type": "function", "function": {"name": name}}),
        None if choice.get("any").is_some() => json!("required"),
        None => json!("auto"),
    }
}

fn stop_reason(reply: &Reply) -> &'static str {
    match reply.answer.finish_reason() {
        "length" => "max_tokens",
        "tool_calls" => "tool_use",
        _ => "end_turn",
    }
}

fn usage(reply: &Reply) -> Value {
    let output = reply.answer.tokens();
    json!({
        "inputTokens": reply.prompt_tokens - reply.cached_tokens, "outputTokens": output,
        "totalTokens": reply.prompt_tokens + output,
        "cacheReadInputTokens": reply.cached_tokens, "cacheWriteInputTokens": 0,
    })
}

/// The whole answer at once.
pub(super) fn whole(reply: &Reply) -> Value {
    let block = match &reply.answer.content {
        Content::Text(pieces) => json!({"text": pieces.concat()}),
        Content::ToolCall { name, arguments } => {
            let input = serde_json::from_str(&arguments.concat()).unwrap_or_else(|_| json!({}));
            json!({"toolUse": {"toolUseId": reply.tool_call_id(), "name": name, "input": input}})
        }
    };
    json!({
        "output": {"message": {"role": "assistant", "content": [block]}},
        "stopReason": stop_reason(reply), "usage": usage(reply), "metrics": {"latencyMs": 30},
    })
}

/// What opens the answer, its pieces, and what closes it, in Amazon's frames.
pub(super) fn spoken(reply: &Reply) -> [Vec<Bytes>; 3] {
    let mut opening = vec![frame("messageStart", &json!({"role": "assistant"}))];
    let (pieces, is_tool) = match &reply.answer.content {
        Content::Text(pieces) => (pieces, false),
        Content::ToolCall { name, arguments } => {
            let start = json!({"toolUse": {"toolUseId": reply.tool_call_id(), "name": name}});
            let start = json!({"start": start, "contentBlockIndex": 0});
            opening.push(frame("contentBlockStart", &start));
            (arguments, true)
        }
    };
    let pieces = pieces.iter().map(|piece| {
        let delta = match is_tool {
            true => json!({"toolUse": {"input": piece}}),
            false => json!({"text": piece}),
        };
        let delta = json!({"delta": delta, "contentBlockIndex": 0});
        frame("contentBlockDelta", &delta)
    });
    let metadata = json!({"usage": usage(reply), "metrics": {"latencyMs": 30}});
    let closing = vec![
        frame("contentBlockStop", &json!({"contentBlockIndex": 0})),
        frame("messageStop", &json!({"stopReason": stop_reason(reply)})),
        frame("metadata", &metadata),
    ];
    [opening, pieces.collect(), closing]
}

/// An event in its frame: lengths, a checksum of them, headers, the event, a checksum of it all.
fn frame(kind: &str, event: &Value) -> Bytes {
    let mut headers = Vec::new();
    for (name, value) in [
        (":event-type", kind),
        (":content-type", "application/json"),
        (":message-type", "event"),
    ] {
        headers.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
        headers.extend_from_slice(name.as_bytes());
        // 7 is a string.
        headers.push(7);
        let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
        headers.extend_from_slice(&length.to_be_bytes());
        headers.extend_from_slice(value.as_bytes());
    }
    let event = event.to_string();
    let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes();
    let mut frame = Vec::new();
    frame.extend_from_slice(&length(headers.len() + event.len() + 16));
    frame.extend_from_slice(&length(headers.len()));
    frame.extend_from_slice(&crc32fast::hash(&frame).to_be_bytes());
    frame.extend_from_slice(&headers);
    frame.extend_from_slice(event.as_bytes());
    frame.extend_from_slice(&crc32fast::hash(&frame).to_be_bytes());
    frame.into()
}

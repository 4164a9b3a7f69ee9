//! Anthropic's messages as a simulated server reads and answers them: read as the chat that says the same.

use serde_json::{Value, json};

use super::answer::Content;
use super::chat::{Reply, json_schema};

/// The chat that a body of messages is.
pub(super) fn as_chat(body: &[u8]) -> Result<Vec<u8>, String> {
    let body: Value =
        serde_json::from_slice(body).map_err(|error| format!("the body is not JSON: {error}"))?;
    let mut messages = Vec::new();
    if let Some(system) = body.get("system") {
        messages.push(json!({"role": "system", "content": system}));
    }
    for message in body
        .get("messages")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        messages.extend(turns(message));
    }
    let tools = body.get("tools").and_then(Value::as_array);
    let tools: Vec<Value> = tools.into_iter().flatten().map(tool).collect();
    let chat = json!({
        "model": body.get("model"), "messages": messages, "tools": tools, "stream": body.get("stream"),
        "tool_choice": body.get("tool_choice").map(tool_choice), "max_tokens": body.get("max_tokens"),
        "response_format": json_schema(body.pointer("/output_config/format/schema")),
    });
    Ok(chat.to_string().into_bytes())
}

/// A message, and the results of tools in it as messages of their own.
fn turns(message: &Value) -> Vec<Value> {
    let role = message.get("role").cloned().unwrap_or_default();
    let Some(blocks) = message.get("content").and_then(Value::as_array) else {
        return vec![message.clone()];
    };
    let kind = |block: &&Value, kind: &str| block.get("type").is_some_and(|this| this == kind);
    let results = blocks.iter().filter(|block| kind(block, "tool_result"));
    let mut turns: Vec<Value> = results
        .map(|result| json!({"role": "tool", "content": result.get("content")}))
        .collect();
    let calls: Vec<_> = blocks
        .iter()
        .filter(|block| kind(block, "tool_use"))
        .collect();
    let said: Vec<_> = blocks.iter().filter(|block| kind(block, "text")).collect();
    if turns.is_empty() || !said.is_empty() {
        let mut turn = json!({"role": role, "content": said});
        if let (Some(turn), false) = (turn.as_object_mut(), calls.is_empty()) {
            turn.insert("tool_calls".to_owned(), json!(calls));
        }
        turns.push(turn);
    }
    turns
}

fn tool(tool: &Value) -> Value {
    json!({"type": "function", "function": {
        "name": tool.get("name"), "description": tool.get("description"), "parameters": tool.get("input_schema"),
    }})
}

fn tool_choice(choice: &Value) -> Value {
    match choice.get("type").and_then(Value::as_str) {
        Some("any") => json!("required"),
        Some("none") => json!("none"),
        Some("tool") => json!({"type": "function", "function": {"name": choice.get("name")}}),
        _ => json!("auto"),
    }
}

fn stop_reason(reply: &Reply) -> &'static str {
    match reply.answer.finish_reason() {
        "length" => "max_tokens",
        "tool_calls" => "tool_use",
        _ => "end_turn",
    }
}

fn usage(reply: &Reply, output: u64) -> Value {
    json!({
        "input_tokens": reply.prompt_tokens - reply.cached_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": reply.cached_tokens,
        "output_tokens": output,
    })
}

fn message(reply: &Reply, content: &[Value], stop_reason: Option<&str>, output: u64) -> Value {
    json!({
        "id": reply.id, "type": "message", "role": "assistant", "model": reply.model, "content": content,
        "stop_reason": stop_reason, "stop_sequence": null, "usage": usage(reply, output),
    })
}

fn tool_use(reply: &Reply, name: &str, input: &Value) -> Value {
    let id = reply.id.replace("chatcmpl", "toolu");
    json!({"type": "tool_use", "id": id, "name": name, "input": input})
}

/// The whole answer at once.
pub(super) fn whole(reply: &Reply) -> Value {
    let block = match &reply.answer.content {
        Content::Text(pieces) => json!({"type": "text", "text": pieces.concat()}),
        Content::ToolCall { name, arguments } => {
            let input = serde_json::from_str(&arguments.concat()).unwrap_or_else(|_| json!({}));
            tool_use(reply, name, &input)
        }
    };
    message(
        reply,
        &[block],
        Some(stop_reason(reply)),
        reply.answer.tokens(),
    )
}

/// What is sent before the first piece.
pub(super) fn opening(reply: &Reply) -> Vec<Value> {
    let block = match &reply.answer.content {
        Content::Text(_) => json!({"type": "text", "text": ""}),
        Content::ToolCall { name, .. } => tool_use(reply, name, &json!({})),
    };
    vec![
        json!({"type": "message_start", "message": message(reply, &[], None, 1)}),
        json!({"type": "content_block_start", "index": 0, "content_block": block}),
        json!({"type": "ping"}),
    ]
}

/// One event for each piece.
pub(super) fn pieces(reply: &Reply) -> Vec<Value> {
    let (pieces, kind, member) = match &reply.answer.content {
        Content::Text(pieces) => (pieces, "text_delta", "text"),
        Content::ToolCall { arguments, .. } => (arguments, "input_json_delta", "partial_json"),
    };
    let event = |piece: &String| {
        let delta = json!({"type": kind, member: piece});
        json!({"type": "content_block_delta", "index": 0, "delta": delta})
    };
    pieces.iter().map(event).collect()
}

/// What says why it ended, and what it used.
pub(super) fn closing(reply: &Reply) -> Vec<Value> {
    let output = reply.answer.tokens();
    vec![
        json!({"type": "content_block_stop", "index": 0}),
        json!({
            "type": "message_delta", "delta": {"stop_reason": stop_reason(reply), "stop_sequence": null},
            "usage": {"output_tokens": output},
        }),
        json!({"type": "message_stop"}),
    ]
}

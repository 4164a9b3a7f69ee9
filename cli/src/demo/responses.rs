//! OpenAI's Responses as a simulated server reads and answers them: read as the chat that says the same.

use serde_json::{Value, json};

use super::answer::Content;
use super::chat::{Reply, json_schema};

/// The chat that a body of a response is.
pub(super) fn as_chat(body: &[u8]) -> Result<Vec<u8>, String> {
    let body: Value =
        serde_json::from_slice(body).map_err(|error| format!("the body is not JSON: {error}"))?;
    let mut messages = Vec::new();
    if let Some(system) = body.get("instructions") {
        messages.push(json!({"role": "system", "content": system}));
    }
    match body.get("input") {
        Some(Value::Array(items)) => messages.extend(items.iter().filter_map(message)),
        Some(text) => messages.push(json!({"role": "user", "content": text})),
        None => {}
    }
    let tools = body.get("tools").and_then(Value::as_array);
    let tools: Vec<Value> = tools.into_iter().flatten().map(tool).collect();
    let format = body.pointer("/text/format/type");
    let chat = json!({
        "model": body.get("model"), "messages": messages, "tools": tools, "stream": body.get("stream"),
        "tool_choice": body.get("tool_choice").map(tool_choice), "max_tokens": body.get("max_output_tokens"),
        "response_format": json_schema(body.pointer("/text/format/schema"))
            .or_else(|| format.map(|kind| json!({"type": kind}))),
    });
    Ok(chat.to_string().into_bytes())
}

fn message(item: &Value) -> Option<Value> {
    match item.get("type").and_then(Value::as_str) {
        Some("function_call_output") => {
            Some(json!({"role": "tool", "content": item.get("output")}))
        }
        Some("function_call") => {
            Some(json!({"role": "assistant", "content": "", "tool_calls": [item]}))
        }
        Some("message") | None => {
            Some(json!({"role": item.get("role"), "content": item.get("content")}))
        }
        Some(_) => None,
    }
}

fn tool(tool: &Value) -> Value {
    json!({"type": "function", "function": {
        "name": tool.get("name"), "description": tool.get("description"), "parameters": tool.get("parameters"),
    }})
}

fn tool_choice(choice: &Value) -> Value {
    match choice.get("name") {
        Some(name) => json!({"type": "function", "function": {"name": name}}),
        None => choice.clone(),
    }
}

/// The one item of an answer, whole or as it begins.
fn item(reply: &Reply, is_whole: bool) -> Value {
    let status = if is_whole { "completed" } else { "in_progress" };
    match &reply.answer.content {
        Content::Text(pieces) => {
            let part = json!({"type": "output_text", "text": pieces.concat(), "annotations": [], "logprobs": []});
            let content: Vec<Value> = is_whole.then_some(part).into_iter().collect();
            json!({
                "type": "message", "id": reply.id.replace("chatcmpl", "msg"), "status": status,
                "role": "assistant", "content": content,
            })
        }
        Content::ToolCall { name, arguments } => json!({
            "type": "function_call", "id": reply.id.replace("chatcmpl", "fc"), "status": status,
            "call_id": reply.tool_call_id(), "name": name,
            "arguments": if is_whole { arguments.concat() } else { String::new() },
        }),
    }
}

fn response(reply: &Reply, is_whole: bool) -> Value {
    let is_cut = reply.answer.finish_reason() == "length";
    let status = match (is_whole, is_cut) {
        (false, _) => "in_progress",
        (true, true) => "incomplete",
        (true, false) => "completed",
    };
    let output: Vec<Value> = is_whole.then(|| item(reply, true)).into_iter().collect();
    let usage = is_whole.then(|| {
        json!({
            "input_tokens": reply.prompt_tokens,
            "input_tokens_details": {"cached_tokens": reply.cached_tokens},
            "output_tokens": reply.answer.tokens(), "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": reply.prompt_tokens + reply.answer.tokens(),
        })
    });
    json!({
        "id": reply.id.replace("chatcmpl", "resp"), "object": "response", "created_at": reply.created,
        "status": status, "error": null, "model": reply.model, "output": output, "usage": usage,
        "incomplete_details": (is_whole && is_cut).then(|| json!({"reason": "max_output_tokens"})),
        "instructions": null, "metadata": {}, "parallel_tool_calls": true, "tool_choice": "auto", "tools": [],
        "previous_response_id": null, "store": false,
    })
}

/// The whole answer at once.
pub(super) fn whole(reply: &Reply) -> Value {
    response(reply, true)
}

/// What opens the answer, its pieces, and what closes it; each event with its number.
pub(super) fn spoken(reply: &Reply) -> [Vec<Value>; 3] {
    let id = item(reply, true).get("id").cloned().unwrap_or_default();
    let place = |mut event: Value| {
        if let Some(members) = event.as_object_mut() {
            members.insert("item_id".to_owned(), id.clone());
            members.insert("output_index".to_owned(), json!(0));
        }
        event
    };
    let mut opening = vec![
        json!({"type": "response.created", "response": response(reply, false)}),
        json!({"type": "response.in_progress", "response": response(reply, false)}),
        json!({"type": "response.output_item.added", "output_index": 0, "item": item(reply, false)}),
    ];
    let mut closing = Vec::new();
    let empty = json!({"type": "output_text", "text": "", "annotations": [], "logprobs": []});
    let pieces: Vec<Value> = match &reply.answer.content {
        Content::Text(pieces) => {
            let part = |kind: &str, part: &Value| {
                place(json!({"type": kind, "content_index": 0, "part": part}))
            };
            opening.push(part("response.content_part.added", &empty));
            let text = pieces.concat();
            closing.push(place(json!({
                "type": "response.output_text.done", "content_index": 0, "text": text, "logprobs": [],
            })));
            let whole =
                json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []});
            closing.push(part("response.content_part.done", &whole));
            let delta = |piece| {
                json!({
                    "type": "response.output_text.delta", "content_index": 0, "delta": piece, "logprobs": [],
                })
            };
            pieces.iter().map(|piece| place(delta(piece))).collect()
        }
        Content::ToolCall { name, arguments } => {
            closing.push(place(json!({
                "type": "response.function_call_arguments.done", "name": name, "arguments": arguments.concat(),
            })));
            let delta =
                |piece| json!({"type": "response.function_call_arguments.delta", "delta": piece});
            arguments.iter().map(|piece| place(delta(piece))).collect()
        }
    };
    closing.push(
        json!({"type": "response.output_item.done", "output_index": 0, "item": item(reply, true)}),
    );
    let end = match reply.answer.finish_reason() {
        "length" => "response.incomplete",
        _ => "response.completed",
    };
    closing.push(json!({"type": end, "response": response(reply, true)}));
    numbered([opening, pieces, closing])
}

fn numbered(mut all: [Vec<Value>; 3]) -> [Vec<Value>; 3] {
    let events = all.iter_mut().flatten().filter_map(Value::as_object_mut);
    for (number, event) in (0_u64..).zip(events) {
        event.insert("sequence_number".to_owned(), json!(number));
    }
    all
}

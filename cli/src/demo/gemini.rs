//! Gemini's contents as a simulated server reads and answers them: read as the chat that says the same.

use serde_json::{Value, json};

use super::answer::Content;
use super::chat::{Reply, json_schema};

/// The chat that a body of contents is.
pub(super) fn as_chat(body: &[u8], stream: bool) -> Result<Vec<u8>, String> {
    let body: Value =
        serde_json::from_slice(body).map_err(|error| format!("the body is not JSON: {error}"))?;
    let mut messages = Vec::new();
    if let Some(system) = body.pointer("/systemInstruction/parts") {
        messages.push(json!({"role": "system", "content": system}));
    }
    let contents = body.get("contents").and_then(Value::as_array);
    messages.extend(contents.into_iter().flatten().map(turn));
    let declared = body.pointer("/tools/0/functionDeclarations");
    let declared = declared.and_then(Value::as_array);
    let tools: Vec<Value> = declared.into_iter().flatten().map(tool).collect();
    let setting = |name: &str| body.pointer(&format!("/generationConfig/{name}"));
    let json_wanted = setting("responseMimeType").is_some_and(|kind| kind == "application/json");
    let chat = json!({
        "messages": messages, "tools": tools, "stream": stream,
        "tool_choice": body.pointer("/toolConfig/functionCallingConfig").map(tool_choice),
        "max_tokens": setting("maxOutputTokens"),
        "response_format": json_schema(setting("responseJsonSchema"))
            .or_else(|| json_wanted.then(|| json!({"type": "json_object"}))),
    });
    Ok(chat.to_string().into_bytes())
}

/// A turn; one that holds a function's result is a tool's.
fn turn(content: &Value) -> Value {
    let parts = content.get("parts").and_then(Value::as_array);
    let result = parts
        .into_iter()
        .flatten()
        .find_map(|part| part.pointer("/functionResponse/response"));
    if let Some(result) = result {
        return json!({"role": "tool", "content": result.to_string()});
    }
    let role = match content.get("role").and_then(Value::as_str) {
        Some("model") => "assistant",
        _ => "user",
    };
    json!({"role": role, "content": content.get("parts")})
}

fn tool(declared: &Value) -> Value {
    json!({"type": "function", "function": {
        "name": declared.get("name"), "description": declared.get("description"),
        "parameters": declared.get("parametersJsonSchema"),
    }})
}

fn tool_choice(config: &Value) -> Value {
    let named = config.pointer("/allowedFunctionNames/0");
    match (config.get("mode").and_then(Value::as_str), named) {
        (Some("ANY"), Some(name)) => json!({"type": "function", "function": {"name": name}}),
        (Some("ANY"), None) => json!("required"),
        (Some("NONE"), _) => json!("none"),
        _ => json!("auto"),
    }
}

fn document(reply: &Reply, parts: &[Value], finish: Option<&str>, output: u64) -> Value {
    let mut candidate = json!({"index": 0, "content": {"role": "model", "parts": parts}});
    if let (Some(finish), Some(members)) = (finish, candidate.as_object_mut()) {
        members.insert("finishReason".to_owned(), json!(finish));
    }
    json!({
        "candidates": [candidate], "modelVersion": reply.model, "responseId": reply.id,
        "usageMetadata": {
            "promptTokenCount": reply.prompt_tokens, "cachedContentTokenCount": reply.cached_tokens,
            "candidatesTokenCount": output, "totalTokenCount": reply.prompt_tokens + output,
        },
    })
}

fn finish(reply: &Reply) -> &'static str {
    match reply.answer.finish_reason() {
        "length" => "MAX_TOKENS",
        _ => "STOP",
    }
}

fn call(name: &str, arguments: &[String]) -> Value {
    let args: Value = serde_json::from_str(&arguments.concat()).unwrap_or_else(|_| json!({}));
    json!({"functionCall": {"name": name, "args": args}})
}

/// The whole answer at once.
pub(super) fn whole(reply: &Reply) -> Value {
    let part = match &reply.answer.content {
        Content::Text(pieces) => json!({"text": pieces.concat()}),
        Content::ToolCall { name, arguments } => call(name, arguments),
    };
    document(reply, &[part], Some(finish(reply)), reply.answer.tokens())
}

/// What opens the answer, its pieces, and what closes it; a call comes whole.
pub(super) fn spoken(reply: &Reply) -> [Vec<Value>; 3] {
    let pieces = match &reply.answer.content {
        Content::Text(pieces) => (1..)
            .zip(pieces)
            .map(|(number, piece)| document(reply, &[json!({"text": piece})], None, number))
            .collect(),
        Content::ToolCall { name, arguments } => {
            vec![document(reply, &[call(name, arguments)], None, 1)]
        }
    };
    let closing = document(reply, &[], Some(finish(reply)), reply.answer.tokens());
    [Vec::new(), pieces, vec![closing]]
}

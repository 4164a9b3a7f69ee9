//! OpenAI's chat, completion and embedding calls as a simulated server reads and answers them.
//!
//! Invariants: what is streamed and what is not say the same words; usage is sent on a stream only when asked for.

use serde_json::{Map, Value, json};

use super::answer::{Answer, Content, impossible_demand};
use super::prefix::Prompt;

/// A call, as far as the simulation reads it.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// All that the model reads, in the order it reads it: tools, then messages.
    pub(super) prompt: Prompt,
    /// The last user turn.
    pub(super) question: String,
    /// Who spoke last.
    pub(super) last_role: String,
    /// What was said last.
    pub(super) last_content: String,
    /// Tools offered.
    pub(super) tools: Vec<Value>,
    /// `tool_choice`
    pub(super) choice: Choice,
    /// The longest answer.
    pub(super) max_tokens: Option<u64>,
    /// Whether it is streamed.
    pub(super) stream: bool,
    /// `stream_options.include_usage`
    pub(super) include_usage: bool,
    /// Whether JSON is asked for.
    pub(super) wants_json: bool,
    /// The schema that it has to satisfy.
    pub(super) schema: Option<Value>,
}

impl Call {
    /// Reads a body; the error is for the caller.
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        let body: Value = serde_json::from_slice(body)
            .map_err(|error| format!("the body is not JSON: {error}"))?;
        let messages = messages(&body);
        if messages.is_empty() {
            return Err("`messages`, `prompt` or `input` is missing".to_owned());
        }
        let tools = body.get("tools").and_then(Value::as_array);
        let tools = tools.cloned().unwrap_or_default();
        let mut read: String = tools.iter().map(Value::to_string).collect();
        for (role, content) in &messages {
            read.push_str(&format!("<|{role}|>{content}"));
        }
        let question = messages.iter().rev().find(|(role, _)| role == "user");
        let question = question.map(|(_, content)| content.clone());
        let (last_role, last_content) = messages.last().cloned().unwrap_or_default();
        let number = |key: &str| body.get(key).and_then(Value::as_u64);
        let format = body.pointer("/response_format/type");
        let schema = body.pointer("/response_format/json_schema/schema");
        let call = Self {
            prompt: Prompt::new(&read),
            question: question.unwrap_or_default(),
            last_role,
            last_content,
            tools,
            choice: body.get("tool_choice").map_or(Choice::Auto, Choice::read),
            max_tokens: number("max_completion_tokens").or_else(|| number("max_tokens")),
            stream: body.get("stream") == Some(&Value::Bool(true)),
            include_usage: body.pointer("/stream_options/include_usage")
                == Some(&Value::Bool(true)),
            wants_json: format.and_then(Value::as_str).unwrap_or("text") != "text",
            schema: schema.filter(|schema| schema.is_object()).cloned(),
        };
        impossible_demand(&call).map_or(Ok(call), Err)
    }
}

/// Whether tools may or must be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Choice {
    /// The model decides.
    Auto,
    /// No tool.
    None,
    /// One of these, or of all that are offered.
    Required(Option<Vec<String>>),
    /// This one.
    Named(String),
}

impl Choice {
    fn read(choice: &Value) -> Self {
        let name = |tool: &Value| Some(tool.pointer("/function/name")?.as_str()?.to_owned());
        if let Some(name) = name(choice) {
            return Self::Named(name);
        }
        let allowed = choice.pointer("/allowed_tools/tools");
        let allowed = allowed
            .and_then(Value::as_array)
            .map(|tools| tools.iter().filter_map(name).collect());
        let mode = choice.pointer("/allowed_tools/mode").unwrap_or(choice);
        match mode.as_str() {
            Some("required") => Self::Required(allowed),
            Some("none") => Self::None,
            _ => Self::Auto,
        }
    }

    pub(super) const fn demands(&self) -> bool {
        matches!(self, Self::Required(_) | Self::Named(_))
    }
}

/// Role and text of each message; `prompt` and `input` are user turns.
fn messages(body: &Value) -> Vec<(String, String)> {
    if let Some(messages) = body.get("messages").and_then(Value::as_array) {
        let role = |message: &Value| {
            message
                .get("role")
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        return messages
            .iter()
            .map(|message| {
                let mut content = text(message.get("content").unwrap_or(&Value::Null));
                if let Some(calls) = message.get("tool_calls") {
                    content.push_str(&calls.to_string());
                }
                (role(message).unwrap_or_default(), content)
            })
            .collect();
    }
    ["prompt", "input"]
        .iter()
        .filter_map(|key| body.get(key))
        .map(|value| ("user".to_owned(), text(value)))
        .collect()
}

/// The text of a string, or of all parts of a list.
fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let part = |part: &Value| match part.get("text") {
                Some(text) => text.as_str().unwrap_or_default().to_owned(),
                None => part.as_str().unwrap_or_default().to_owned(),
            };
            parts.iter().map(part).collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}

/// `response_format` with a schema, which other APIs have under other names.
pub(super) fn json_schema(schema: Option<&Value>) -> Option<Value> {
    let schema = schema?;
    Some(json!({"type": "json_schema", "json_schema": {"schema": schema}}))
}

/// Which API an answer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// `/chat/completions`
    Chat,
    /// `/completions`
    Completion,
    /// `/messages`, as Anthropic has it
    Messages,
    /// `/responses`
    Responses,
    /// `/models/NAME:generateContent`, as Google has it
    Gemini,
    /// `/model/NAME/converse`, as Amazon has it
    Converse,
}

impl Shape {
    const fn object(self, stream: bool) -> &'static str {
        match (self, stream) {
            (Self::Completion, _) => "text_completion",
            (_, false) => "chat.completion",
            (_, true) => "chat.completion.chunk",
        }
    }
}

/// Everything that an answer is written from.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) shape: Shape,
    pub(super) id: String,
    pub(super) created: u64,
    pub(super) model: String,
    pub(super) answer: Answer,
    pub(super) prompt_tokens: u64,
    pub(super) cached_tokens: u64,
}

impl Reply {
    /// The whole answer at once.
    pub(super) fn whole(&self) -> Value {
        let finish = self.answer.finish_reason();
        let choice = match (self.shape, &self.answer.content) {
            (Shape::Completion, Content::Text(pieces)) => {
                json!({"index": 0, "text": pieces.concat(), "finish_reason": finish})
            }
            (_, Content::Text(pieces)) => json!({
                "index": 0, "finish_reason": finish, "logprobs": null,
                "message": {"role": "assistant", "content": pieces.concat(), "refusal": null},
            }),
            (_, Content::ToolCall { name, arguments }) => json!({
                "index": 0, "finish_reason": finish, "logprobs": null,
                "message": {"role": "assistant", "content": null, "refusal": null, "tool_calls": [{
                    "id": self.tool_call_id(), "type": "function",
                    "function": {"name": name, "arguments": arguments.concat()},
                }]},
            }),
        };
        self.document(false, json!([choice]), Some(self.usage()))
    }

    /// What is sent before the first piece.
    pub(super) fn opening(&self) -> Option<Value> {
        let delta = match (self.shape, &self.answer.content) {
            (Shape::Completion, _) => return None,
            (_, Content::Text(_)) => {
                json!({"role": "assistant", "content": ""})
            }
            (_, Content::ToolCall { name, .. }) => json!({
                "role": "assistant", "content": null, "tool_calls": [{
                    "index": 0, "id": self.tool_call_id(), "type": "function",
                    "function": {"name": name, "arguments": ""},
                }],
            }),
        };
        Some(self.chunk(json!({"index": 0, "delta": delta, "finish_reason": null})))
    }

    /// One event for each piece.
    pub(super) fn pieces(&self) -> impl Iterator<Item = Value> + '_ {
        let (pieces, tool) = match &self.answer.content {
            Content::Text(pieces) => (pieces, false),
            Content::ToolCall { arguments, .. } => (arguments, true),
        };
        pieces.iter().map(move |piece| {
            let choice = match (self.shape, tool) {
                (Shape::Completion, _) => {
                    json!({"index": 0, "text": piece, "finish_reason": null})
                }
                (_, false) => {
                    json!({"index": 0, "delta": {"content": piece}, "finish_reason": null})
                }
                (_, true) => json!({
                    "index": 0, "finish_reason": null,
                    "delta": {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]},
                }),
            };
            self.chunk(choice)
        })
    }

    /// What says why it ended.
    pub(super) fn closing(&self) -> Value {
        let finish = self.answer.finish_reason();
        self.chunk(match self.shape {
            Shape::Completion => json!({"index": 0, "text": "", "finish_reason": finish}),
            _ => json!({"index": 0, "delta": {}, "finish_reason": finish}),
        })
    }

    /// The last event, for those who asked for usage.
    pub(super) fn usage_event(&self) -> Value {
        self.document(true, json!([]), Some(self.usage()))
    }

    fn chunk(&self, choice: Value) -> Value {
        self.document(true, json!([choice]), None)
    }

    fn document(&self, stream: bool, choices: Value, usage: Option<Value>) -> Value {
        let mut document = Map::new();
        document.insert("id".to_owned(), json!(self.id));
        document.insert("object".to_owned(), json!(self.shape.object(stream)));
        document.insert("created".to_owned(), json!(self.created));
        document.insert("model".to_owned(), json!(self.model));
        document.insert("choices".to_owned(), choices);
        document.extend(usage.map(|usage| ("usage".to_owned(), usage)));
        Value::Object(document)
    }

    fn usage(&self) -> Value {
        let completion = self.answer.tokens();
        json!({
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": completion,
            "total_tokens": self.prompt_tokens + completion,
            "prompt_tokens_details": {"cached_tokens": self.cached_tokens},
        })
    }

    /// The id of the one tool that it calls.
    pub(super) fn tool_call_id(&self) -> String {
        self.id.replace("chatcmpl", "call")
    }
}

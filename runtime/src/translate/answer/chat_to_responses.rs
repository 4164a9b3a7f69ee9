//! A chat's answer as one of OpenAI's Responses.

use serde::Serialize;
use serde_json::{Value, json};

use super::super::chat;
use super::super::json::{Content, Json, Text};
use super::super::{Context, Untranslatable};

pub(in super::super) fn translate(body: &str, context: &Context) -> Result<String, Untranslatable> {
    let answer: chat::Answer<'_> = serde_json::from_str(body)?;
    let Some(choice) = answer.choices.into_iter().next() else {
        return Err(Untranslatable("the answer has no choice".to_owned()));
    };
    let mut output = Vec::new();
    if let Some(message) = choice.message {
        let thought = message
            .reasoning_content
            .or_else(|| message.reasoning?.string().map(Text::from))
            .filter(|text| context.thinking && !text.is_empty());
        output.extend(thought.map(|text| reasoning_item(&reasoning_id(context), Some(&text))));
        let text = match message.content {
            Some(Content::Text(text)) => text.to_string(),
            Some(Content::Parts(parts)) => {
                let texts = parts.into_iter().filter_map(|part| part.text);
                texts.map(|text| text.to_string()).collect()
            }
            None => String::new(),
        };
        let refusal = message.refusal.as_deref().unwrap_or_default();
        let parts: Vec<_> = [said(&text), refused(refusal)]
            .into_iter()
            .flatten()
            .collect();
        if !parts.is_empty() {
            output.push(message_item(
                &message_id(context),
                "completed",
                json!(parts),
            ));
        }
        for (index, call) in (0..).zip(message.tool_calls.into_iter().flatten()) {
            output.push(call_item(
                &call_id(context, index),
                "completed",
                call.id.as_deref().unwrap_or_default(),
                call.function.name.as_deref().unwrap_or_default(),
                call.function
                    .arguments
                    .as_deref()
                    .filter(|arguments| !arguments.is_empty())
                    .unwrap_or("{}"),
            ));
        }
    }
    let model = match answer.model.is_empty() {
        true => &*context.model,
        false => &*answer.model,
    };
    let response = Response {
        context,
        model,
        incomplete: Incomplete::of(choice.finish_reason.as_deref()),
        status: None,
        output: &output,
        usage: answer.usage.map(responses_usage),
        service_tier: answer.service_tier.as_deref(),
    };
    Ok(response.json())
}

/// The id of the message of an answer.
pub(in super::super) fn message_id(context: &Context) -> String {
    format!("msg_{}", context.id)
}

/// The id of a call of an answer.
pub(in super::super) fn call_id(context: &Context, index: u32) -> String {
    format!("fc_{}_{index}", context.id)
}

/// The id of what was thought for an answer.
pub(in super::super) fn reasoning_id(context: &Context) -> String {
    format!("rs_{}", context.id)
}

/// What the model thought, as far as that is known.
pub(in super::super) fn reasoning_item(id: &str, text: Option<&str>) -> Value {
    let summary: Vec<_> = text.into_iter().map(summary_part).collect();
    json!({"type": "reasoning", "id": id, "summary": summary})
}

pub(in super::super) fn summary_part(text: &str) -> Value {
    json!({"type": "summary_text", "text": text})
}

fn said(text: &str) -> Option<Value> {
    (!text.is_empty())
        .then(|| json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []}))
}

fn refused(text: &str) -> Option<Value> {
    (!text.is_empty()).then(|| json!({"type": "refusal", "refusal": text}))
}

/// What the model said.
pub(in super::super) fn message_item(id: &str, status: &str, content: Value) -> Value {
    json!({"type": "message", "id": id, "status": status, "role": "assistant", "content": content})
}

/// A tool that the model calls.
pub(in super::super) fn call_item(
    id: &str,
    status: &str,
    call_id: &str,
    name: &str,
    arguments: &str,
) -> Value {
    json!({
        "type": "function_call", "id": id, "status": status,
        "call_id": call_id, "name": name, "arguments": arguments,
    })
}

/// Why an answer is not all that the model had to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Incomplete {
    Length,
    Filter,
}

impl Incomplete {
    pub(in super::super) fn of(finish_reason: Option<&str>) -> Option<Self> {
        match finish_reason {
            Some("length") => Some(Self::Length),
            Some("content_filter") => Some(Self::Filter),
            _ => None,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Length => "max_output_tokens",
            Self::Filter => "content_filter",
        }
    }
}

/// A response, whole or as far as it has come.
pub(in super::super) struct Response<'a> {
    pub(in super::super) context: &'a Context,
    pub(in super::super) model: &'a str,
    pub(in super::super) incomplete: Option<Incomplete>,
    /// Where it is neither complete nor incomplete yet.
    pub(in super::super) status: Option<&'static str>,
    pub(in super::super) output: &'a [Value],
    pub(in super::super) usage: Option<Value>,
    pub(in super::super) service_tier: Option<&'a str>,
}

#[derive(Serialize)]
struct Written<'a> {
    id: String,
    object: &'static str,
    created_at: u64,
    status: &'static str,
    error: Option<()>,
    incomplete_details: Option<Value>,
    model: &'a str,
    output: &'a [Value],
    store: bool,
    previous_response_id: Option<()>,
    usage: &'a Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'a str>,
}

/// What a response says of a request that did not say it.
const USUAL: [(&str, &str); 6] = [
    ("instructions", "null"),
    ("metadata", "{}"),
    ("parallel_tool_calls", "true"),
    ("text", r#"{"format":{"type":"text"}}"#),
    ("tool_choice", "\"auto\""),
    ("tools", "[]"),
];

impl Response<'_> {
    pub(in super::super) fn json(&self) -> String {
        let context = self.context;
        let whole = match self.incomplete {
            None => "completed",
            Some(_) => "incomplete",
        };
        let written = Written {
            id: format!("resp_{}", context.id),
            object: "response",
            created_at: context.created,
            status: self.status.unwrap_or(whole),
            error: None,
            incomplete_details: self
                .incomplete
                .map(|incomplete| json!({"reason": incomplete.word()})),
            model: self.model,
            output: self.output,
            store: false,
            previous_response_id: None,
            usage: &self.usage,
            service_tier: self.service_tier,
        };
        let mut text = super::super::json::write(&written);
        text.pop();
        let echoed = format!("{{{}}}", context.echo);
        let has = |name: &str| {
            let members = crate::json::members(&echoed);
            members.iter().any(|member| member.key == name)
        };
        let usual = USUAL.iter().filter(|(name, _)| !has(name));
        let usual = usual.map(|(name, value)| format!("\"{name}\":{value}"));
        let echo = Some(context.echo.clone()).filter(|echo| !echo.is_empty());
        for member in echo.into_iter().chain(usual) {
            text.push(',');
            text.push_str(&member);
        }
        text.push('}');
        text
    }

    /// The same, to stand within an event.
    pub(in super::super) fn value(&self) -> Option<Json<'static>> {
        Json::from_text(self.json())
    }
}

/// Both count cached tokens among the prompt's, and reasoning among the answer's.
pub(in super::super) fn responses_usage(usage: chat::Usage) -> Value {
    let reasoning = usage.reasoning().unwrap_or(0);
    let output = usage.output();
    json!({
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached(), "cache_write_tokens": usage.written()},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": usage.prompt_tokens.saturating_add(output),
    })
}

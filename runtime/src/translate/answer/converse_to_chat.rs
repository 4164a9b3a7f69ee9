//! Bedrock's answer as a chat's.

use serde_json::json;

use super::super::chat::{self, Called, Choice, Message, ToolCall};
use super::super::converse::{Answer, Block, Reasoning, Usage, Written};
use super::super::json::{Content, Json, Text, write};
use super::super::{Context, Untranslatable};

pub(in super::super) fn translate(body: &str, context: &Context) -> Result<String, Untranslatable> {
    let answer: Answer<'_> = serde_json::from_str(body)?;
    let Some(said) = answer.output.message else {
        return Err(Untranslatable("the answer has no message".to_owned()));
    };
    let answer = chat::Answer {
        id: (&*context.id).into(),
        object: "chat.completion".into(),
        created: context.created,
        model: (&*context.model).into(),
        choices: vec![Choice {
            index: 0,
            message: Some(message(said.content)),
            delta: None,
            finish_reason: Some(finish_reason(&answer.stop_reason).into()),
        }],
        usage: Some(chat_usage(answer.usage)),
        service_tier: answer.service_tier.r#type,
        error: None,
    };
    Ok(write(&answer))
}

fn message(blocks: Vec<Block<'_>>) -> Message<'_> {
    let mut text: Option<String> = None;
    let mut thinking = String::new();
    let mut thoughts = Vec::new();
    let mut calls = Vec::new();
    for block in blocks {
        if let Some(said) = block.text {
            text.get_or_insert_default().push_str(&said);
        }
        if let Some(reasoning) = block.reasoning_content {
            if let Some(thought) = &reasoning.reasoning_text {
                thinking.push_str(&thought.text);
            }
            thoughts.extend(thought(&reasoning));
        }
        if let Some(call) = block.tool_use {
            let arguments = call
                .input
                .map_or_else(|| "{}".to_owned(), |input| input.get().to_owned());
            calls.push(ToolCall {
                id: Some(call.tool_use_id),
                r#type: Some("function".into()),
                function: Called {
                    name: Some(call.name),
                    arguments: Some(arguments.into()),
                },
                ..ToolCall::default()
            });
        }
    }
    Message {
        role: "assistant".into(),
        content: text.map(|text| Content::Text(text.into())),
        tool_calls: (!calls.is_empty()).then_some(calls),
        reasoning_content: (!thinking.is_empty()).then(|| Text::from(thinking)),
        thinking_blocks: (!thoughts.is_empty()).then_some(thoughts),
        ..Message::default()
    }
}

/// A thought as the block that may come back, in the shape that Anthropic's have.
pub(in super::super) fn thought(reasoning: &Reasoning<'_>) -> Option<Json<'static>> {
    match (&reasoning.reasoning_text, &reasoning.redacted_content) {
        (Some(thought), _) => Json::of(&json!({
            "type": "thinking", "thinking": &*thought.text,
            "signature": thought.signature.as_deref().unwrap_or_default(),
        })),
        (None, Some(data)) => Json::of(&json!({"type": "redacted_thinking", "data": &**data})),
        (None, None) => None,
    }
}

/// Why it ended, in a chat's words.
pub(in super::super) fn finish_reason(stop_reason: &str) -> &'static str {
    match stop_reason {
        "max_tokens" | "model_context_window_exceeded" => "length",
        "tool_use" => "tool_calls",
        "guardrail_intervened" | "content_filtered" | "refusal" => "content_filter",
        _ => "stop",
    }
}

/// Bedrock counts cached tokens beside the prompt's, a chat among them.
pub(in super::super) fn chat_usage(usage: Usage) -> chat::Usage {
    let (cached, written) = (
        usage.cache_read_input_tokens,
        usage.cache_write_input_tokens,
    );
    let prompt = usage
        .input_tokens
        .saturating_add(cached)
        .saturating_add(written);
    chat::Usage {
        prompt_tokens: prompt,
        completion_tokens: usage.output_tokens,
        total_tokens: prompt.saturating_add(usage.output_tokens),
        prompt_tokens_details: Some(chat::PromptDetails {
            cached_tokens: Some(cached),
            cache_write_tokens: Some(written).filter(|written| *written > 0),
            cache_creation_token_details: Some(usage.cache_details)
                .filter(|details| *details != Written::default())
                .map(|details| chat::CacheCreation {
                    ephemeral_5m_input_tokens: details.usual,
                    ephemeral_1h_input_tokens: details.hour,
                }),
            ..chat::PromptDetails::default()
        }),
        completion_tokens_details: None,
    }
}

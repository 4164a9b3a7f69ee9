//! Anthropic's answer as a chat's.

use super::super::chat::{self, Answer, Called, Choice, Message, ToolCall};
use super::super::json::{Content, Json, Text, write};
use super::super::messages::{self, Usage};
use super::super::{Context, Untranslatable};

pub(in super::super) fn translate(body: &str, context: &Context) -> Result<String, Untranslatable> {
    let answer: messages::Answer<'_> = serde_json::from_str(body)?;
    let model = match answer.model.is_empty() {
        true => (&*context.model).into(),
        false => answer.model,
    };
    let finish_reason = answer.stop_reason.as_deref().map(finish_reason);
    let message = message(answer.content);
    let answer = Answer {
        id: answer.id,
        object: "chat.completion".into(),
        created: context.created,
        model,
        choices: vec![Choice {
            index: 0,
            message: Some(message),
            delta: None,
            finish_reason: Some(finish_reason.unwrap_or("stop").into()),
        }],
        usage: Some(chat_usage(answer.usage)),
        service_tier: service_tier(answer.usage),
        error: None,
    };
    Ok(write(&answer))
}

fn message(blocks: Vec<messages::Block<'_>>) -> Message<'_> {
    let mut text: Option<String> = None;
    let mut thinking = String::new();
    let mut thoughts = Vec::new();
    let mut calls = Vec::new();
    for block in blocks {
        match &*block.r#type {
            "text" => text
                .get_or_insert_default()
                .push_str(&block.text.unwrap_or_default()),
            "thinking" | "redacted_thinking" => {
                thinking.push_str(block.thinking.as_deref().unwrap_or_default());
                thoughts.extend(Json::of(&block));
            }
            "tool_use" => calls.push(ToolCall {
                index: None,
                id: block.id,
                r#type: Some("function".into()),
                function: Called {
                    name: block.name,
                    arguments: Some(
                        block
                            .input
                            .map_or_else(|| "{}".to_owned(), |input| input.get().to_owned())
                            .into(),
                    ),
                },
                extra_content: None,
            }),
            // What its own tools found is in the text as well.
            _ => {}
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

/// Why it ended, in a chat's words.
pub(in super::super) fn finish_reason(stop_reason: &str) -> &'static str {
    match stop_reason {
        "max_tokens" | "model_context_window_exceeded" => "length",
        "tool_use" => "tool_calls",
        "refusal" => "content_filter",
        _ => "stop",
    }
}

/// How it was served, in a chat's words.
pub(in super::super) fn service_tier(usage: Usage) -> Option<Text<'static>> {
    usage.service_tier?.chat().map(Text::from)
}

/// Anthropic counts cached tokens beside the prompt's, a chat among them.
pub(in super::super) fn chat_usage(usage: Usage) -> chat::Usage {
    let cached = usage.cache_read_input_tokens.unwrap_or(0);
    let written = usage.cache_creation_input_tokens.unwrap_or(0);
    let prompt = usage
        .input_tokens
        .unwrap_or(0)
        .saturating_add(cached)
        .saturating_add(written);
    let answer = usage.output_tokens.unwrap_or(0);
    chat::Usage {
        prompt_tokens: prompt,
        completion_tokens: answer,
        total_tokens: prompt.saturating_add(answer),
        prompt_tokens_details: Some(chat::PromptDetails {
            cached_tokens: Some(cached),
            cache_write_tokens: Some(written).filter(|written| *written > 0),
            cache_creation_token_details: usage.cache_creation.filter(|_| written > 0),
            ..chat::PromptDetails::default()
        }),
        completion_tokens_details: usage
            .output_tokens_details
            .map(|details| chat::AnswerDetails {
                reasoning_tokens: details.thinking_tokens,
                audio_tokens: None,
            }),
    }
}

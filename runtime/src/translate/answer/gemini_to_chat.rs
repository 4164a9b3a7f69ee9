//! Gemini's answer as a chat's.

use super::super::chat::{self, Called, Choice, Message, ToolCall};
use super::super::gemini::{Answer, FunctionCall, Part, Usage};
use super::super::json::{Content, Json, Text, write};
use super::super::{Context, Untranslatable};

pub(in super::super) fn translate(body: &str, context: &Context) -> Result<String, Untranslatable> {
    let answer: Answer<'_> = serde_json::from_str(body)?;
    let Some(candidate) = answer.candidates.into_iter().next() else {
        return Err(Untranslatable("the answer has no candidate".to_owned()));
    };
    let message = message(candidate.content.unwrap_or_default().parts, context);
    let called = message.tool_calls.is_some();
    let reason = candidate.finish_reason.as_deref().unwrap_or("STOP");
    let answer = chat::Answer {
        id: or(answer.response_id, &context.id),
        object: "chat.completion".into(),
        created: context.created,
        model: or(answer.model_version, &context.model),
        choices: vec![Choice {
            index: 0,
            message: Some(message),
            delta: None,
            finish_reason: Some(finish_reason(reason, called).into()),
        }],
        usage: Some(chat_usage(answer.usage_metadata.unwrap_or_default())),
        service_tier: None,
        error: None,
    };
    Ok(write(&answer))
}

fn or<'a>(text: Text<'a>, otherwise: &'a str) -> Text<'a> {
    match text.is_empty() {
        true => otherwise.into(),
        false => text,
    }
}

fn message<'a>(parts: Vec<Part<'a>>, context: &Context) -> Message<'a> {
    let mut said: Option<String> = None;
    let mut thought = String::new();
    let mut calls = Vec::new();
    for part in parts {
        if let Some(text) = part.text {
            match part.thought {
                Some(true) => thought.push_str(&text),
                _ => said.get_or_insert_default().push_str(&text),
            }
        }
        if let Some(call) = part.function_call {
            let number = calls.len();
            calls.push(tool_call(call, part.thought_signature, number, context));
        }
    }
    Message {
        role: "assistant".into(),
        content: said.map(|text| Content::Text(text.into())),
        tool_calls: (!calls.is_empty()).then_some(calls),
        reasoning_content: (!thought.is_empty()).then(|| Text::from(thought)),
        ..Message::default()
    }
}

/// A call with what Google wants back beside it; the `number`th of its answer.
pub(in super::super) fn tool_call<'a>(
    call: FunctionCall<'a>,
    signature: Option<Text<'a>>,
    number: usize,
    context: &Context,
) -> ToolCall<'a> {
    let id = call.id.filter(|id| !id.is_empty());
    let arguments = call
        .args
        .map_or_else(|| "{}".to_owned(), |args| args.get().to_owned());
    let extra_content = signature.and_then(|signature| {
        Json::of(&serde_json::json!({"google": {"thought_signature": &*signature}}))
    });
    ToolCall {
        index: None,
        id: Some(id.unwrap_or_else(|| format!("call_{}_{number}", context.id).into())),
        r#type: Some("function".into()),
        function: Called {
            name: Some(call.name),
            arguments: Some(arguments.into()),
        },
        extra_content,
    }
}

/// Why it ended, in a chat's words. Google says `STOP` after calls of functions too.
pub(in super::super) fn finish_reason(reason: &str, called: bool) -> &'static str {
    match reason {
        "MAX_TOKENS" => "length",
        "SAFETY"
        | "RECITATION"
        | "LANGUAGE"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION" => "content_filter",
        _ if called => "tool_calls",
        _ => "stop",
    }
}

/// Thoughts are part of a chat's answer, and stand beside Google's.
pub(in super::super) fn chat_usage(usage: Usage) -> chat::Usage {
    let prompt = usage
        .prompt_token_count
        .saturating_add(usage.tool_use_prompt_token_count);
    let answer = usage
        .candidates_token_count
        .saturating_add(usage.thoughts_token_count);
    let beyond = usage.total_token_count.saturating_sub(prompt);
    let answer = answer.max(beyond);
    chat::Usage {
        prompt_tokens: prompt,
        completion_tokens: answer,
        total_tokens: prompt.saturating_add(answer),
        prompt_tokens_details: Some(chat::PromptDetails {
            cached_tokens: Some(usage.cached_content_token_count),
            audio_tokens: usage.prompt_tokens_details.audio,
            image_tokens: usage.prompt_tokens_details.image,
            ..chat::PromptDetails::default()
        }),
        completion_tokens_details: Some(chat::AnswerDetails {
            reasoning_tokens: Some(usage.thoughts_token_count),
            audio_tokens: usage.candidates_tokens_details.audio,
        }),
    }
}

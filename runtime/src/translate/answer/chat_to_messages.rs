//! A chat's answer as Anthropic's.

use super::super::chat;
use super::super::json::{Content, Json, Text, write};
use super::super::messages::{Answer, Block, OutputDetails, ServiceTier, Usage};
use super::super::{Context, Untranslatable};

pub(in super::super) fn translate(body: &str, context: &Context) -> Result<String, Untranslatable> {
    let answer: chat::Answer<'_> = serde_json::from_str(body)?;
    let mut choices = answer.choices.into_iter();
    let Some(choice) = choices.next() else {
        return Err(Untranslatable("the answer has no choice".to_owned()));
    };
    let mut content = Vec::new();
    let mut called = false;
    if let Some(message) = choice.message {
        if context.thinking {
            let thought = message
                .reasoning_content
                .or_else(|| message.reasoning?.string().map(Text::from));
            content.extend(thoughts(thought, message.thinking_blocks));
        }
        content.extend(text(message.content).map(Block::text));
        let refusal = message.refusal.filter(|text| !text.is_empty());
        content.extend(refusal.map(Block::text));
        for call in message.tool_calls.into_iter().flatten() {
            called = true;
            content.push(Block::tool_use(
                call.id.unwrap_or_default(),
                call.function.name.unwrap_or_default(),
                input(call.function.arguments),
            ));
        }
    }
    let reason = choice.finish_reason.as_deref().unwrap_or("stop");
    let answer = Answer {
        id: answer.id,
        r#type: "message".into(),
        role: "assistant".into(),
        model: match answer.model.is_empty() {
            true => (&*context.model).into(),
            false => answer.model,
        },
        content,
        stop_reason: Some(stop_reason(reason, called).into()),
        stop_sequence: None,
        usage: Usage {
            service_tier: answer
                .service_tier
                .as_deref()
                .and_then(ServiceTier::of_chat),
            ..messages_usage(answer.usage.unwrap_or_default())
        },
    };
    Ok(write(&answer))
}

/// Blocks that were Anthropic's go back as they were, so that their signatures stay; what others thought has none.
fn thoughts<'a>(thought: Option<Text<'a>>, signed: Option<Vec<Json<'a>>>) -> Vec<Block<'a>> {
    let signed: Vec<Block<'a>> = signed
        .into_iter()
        .flatten()
        .filter_map(|block| Block::thought(&block).ok())
        .collect();
    if !signed.is_empty() {
        return signed;
    }
    let thought = thought.filter(|text| !text.is_empty());
    let unsigned = thought.map(|thinking| Block {
        r#type: "thinking".into(),
        thinking: Some(thinking),
        signature: Some("".into()),
        ..Block::default()
    });
    unsigned.into_iter().collect()
}

fn text<'a>(content: Option<Content<'a, chat::Part<'a>>>) -> Option<Text<'a>> {
    let text = match content? {
        Content::Text(text) => text,
        Content::Parts(parts) => {
            let texts = parts.into_iter().filter_map(|part| part.text);
            let texts: Vec<_> = texts.map(|text| text.to_string()).collect();
            texts.concat().into()
        }
    };
    Some(text).filter(|text| !text.is_empty())
}

/// Arguments that are no JSON are not lost: the caller sees them as they are.
fn input(arguments: Option<Text<'_>>) -> Json<'static> {
    let text = arguments.unwrap_or_default();
    let text = match text.trim() {
        "" => "{}".to_owned(),
        text => text.to_owned(),
    };
    let kept = serde_json::json!({ "arguments": &text });
    Json::from_text(text)
        .filter(|json| json.get().starts_with('{'))
        .or_else(|| Json::of(&kept))
        .or_else(|| Json::from_text("{}".to_owned()))
        .unwrap_or_else(Json::null)
}

/// Why it ended, in Anthropic's words. Some engines say `stop` after tool calls.
pub(in super::super) fn stop_reason(finish_reason: &str, called: bool) -> &'static str {
    match finish_reason {
        "length" => "max_tokens",
        "content_filter" => "refusal",
        "tool_calls" | "function_call" => "tool_use",
        _ if called => "tool_use",
        _ => "end_turn",
    }
}

/// A chat counts cached tokens among the prompt's, Anthropic beside them.
pub(in super::super) fn messages_usage(usage: chat::Usage) -> Usage {
    let (cached, written) = (usage.cached(), usage.written());
    Usage {
        input_tokens: Some(
            usage
                .prompt_tokens
                .saturating_sub(cached)
                .saturating_sub(written),
        ),
        cache_creation_input_tokens: Some(written),
        cache_read_input_tokens: Some(cached),
        cache_creation: usage.creation(),
        output_tokens: Some(usage.output()),
        output_tokens_details: usage.reasoning().map(|thinking| OutputDetails {
            thinking_tokens: Some(thinking),
        }),
        service_tier: None,
    }
}

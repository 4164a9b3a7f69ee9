//! Anthropic's messages as an OpenAI chat.
//!
//! `system` becomes the first message. Results of tools become messages of their own, before what else the user says
//! in the same turn. What the model thought is not sent on, since no two models mean the same by it, and neither is what
//! only Claudes read (how they think, what they cache); but for a chat that is itself on the way to where one may be.

use super::super::chat::{
    self, Called, Function, ImageUrl, JsonSchema, Part, Request, ResponseFormat, ToolCall,
};
use super::super::json::{Content, Json, Text, write};
use super::super::messages::{self, Block, Blocks, Thinking};
use super::super::{Untranslatable, request::Sent, request::Translated};

/// Whether what only Claudes read is said too.
type Keeps = bool;

const CARRIED: [&str; 14] = [
    "model",
    "max_tokens",
    "system",
    "messages",
    "tools",
    "tool_choice",
    "stop_sequences",
    "temperature",
    "top_p",
    "stream",
    "output_config",
    "metadata",
    "thinking",
    "cache_control",
];

pub(in super::super) fn translate(body: &str, keeps: Keeps) -> Result<Translated, Untranslatable> {
    let asked: messages::Request<'_> = serde_json::from_str(body)?;
    let thought = asked.thinking.as_ref().map(Thinking::read);
    let thinking = thought.as_ref().is_some_and(Thinking::is_on);
    let mut dropped = super::dropped(body, &CARRIED);
    if !keeps && thinking && thought.is_some_and(|thought| thought.budget().is_some()) {
        dropped.push("thinking".to_owned());
    }
    let mut said = Vec::new();
    if let Some(system) = asked.system {
        said.extend(system_message(system, keeps)?);
    }
    for message in asked.messages {
        let blocks = match message.content.0 {
            Content::Text(text) => vec![Block::text(text)],
            Content::Parts(blocks) => blocks,
        };
        match &*message.role {
            "assistant" => said.extend(assistant(blocks, keeps)?),
            // Newer models take instructions in between.
            "system" => said.extend(system_message(Content::Parts(blocks), keeps)?),
            _ => user(blocks, keeps, &mut said)?,
        }
    }
    let tools = asked
        .tools
        .filter(|tools| !tools.is_empty())
        .map(|tools| {
            let tools = tools.into_iter().map(|offered| tool(offered, keeps));
            tools.collect::<Result<Vec<_>, _>>()
        })
        .transpose()?;
    let choice = asked.tool_choice.filter(|_| tools.is_some());
    let parallel = choice
        .as_ref()
        .and_then(|choice| choice.disable_parallel_tool_use)
        .map(|disabled| !disabled);
    let (effort, format) = match asked.output_config {
        Some(config) => (config.effort, config.format),
        None => (None, None),
    };
    let request = Request {
        model: asked.model,
        messages: said,
        tool_choice: choice.as_ref().and_then(tool_choice),
        tools,
        parallel_tool_calls: parallel,
        max_tokens: Some(asked.max_tokens),
        temperature: asked.temperature,
        top_p: asked.top_p,
        stop: asked.stop_sequences.map(Content::Parts),
        stream: asked.stream,
        response_format: format.map(response_format),
        reasoning_effort: effort.map(|effort| match &*effort {
            "max" => "xhigh".into(),
            _ => effort,
        }),
        user: asked.metadata.and_then(|metadata| metadata.user_id),
        thinking: asked.thinking.filter(|_| keeps),
        cache_control: asked.cache_control.filter(|_| keeps),
        ..Request::default()
    };
    Ok(Translated {
        body: write(&request),
        dropped,
        sent: Sent {
            thinking,
            echo: String::new(),
        },
    })
}

fn message<'a>(role: &'static str, content: Option<Content<'a, Part<'a>>>) -> chat::Message<'a> {
    chat::Message {
        role: role.into(),
        content,
        ..chat::Message::default()
    }
}

fn system_message<'a>(
    system: Content<'a, Block<'a>>,
    keeps: Keeps,
) -> Result<Option<chat::Message<'a>>, Untranslatable> {
    let blocks = match system {
        Content::Text(text) => vec![Block::text(text)],
        Content::Parts(blocks) => blocks,
    };
    let parts = parts(blocks, keeps)?;
    Ok((!parts.is_empty()).then(|| message("system", Some(content(parts)))))
}

/// One text is a string.
fn content(mut parts: Vec<Part<'_>>) -> Content<'_, Part<'_>> {
    match parts.as_mut_slice() {
        [only] if &*only.r#type == "text" && only.cache_control.is_none() => {
            Content::Text(only.text.take().unwrap_or_default())
        }
        _ => Content::Parts(parts),
    }
}

fn parts(blocks: Vec<Block<'_>>, keeps: Keeps) -> Result<Vec<Part<'_>>, Untranslatable> {
    let mut parts = Vec::with_capacity(blocks.len());
    for mut block in blocks {
        let cache_control = block.cache_control.take().filter(|_| keeps);
        parts.push(Part {
            cache_control,
            ..part(block)?
        });
    }
    Ok(parts)
}

fn text_part(text: Text<'_>) -> Part<'_> {
    Part {
        r#type: "text".into(),
        text: Some(text),
        ..Part::default()
    }
}

fn part(block: Block<'_>) -> Result<Part<'_>, Untranslatable> {
    let kind = block.r#type;
    match (&*kind, block.text, block.source) {
        ("text", Some(text), _) => Ok(text_part(text)),
        ("image", _, Some(source)) => Ok(Part {
            r#type: "image_url".into(),
            image_url: Some(ImageUrl {
                url: address(source, "image")?,
                detail: None,
            }),
            ..Part::default()
        }),
        ("document", _, Some(source)) => match (&*source.r#type, source.data) {
            ("text", Some(text)) => Ok(text_part(text)),
            ("base64", Some(data)) => Ok(Part {
                r#type: "file".into(),
                file: Some(chat::File {
                    filename: Some(block.title.unwrap_or_else(|| "document.pdf".into())),
                    file_data: Some(data_url(
                        source.media_type.as_deref().unwrap_or("application/pdf"),
                        &data,
                    )),
                }),
                ..Part::default()
            }),
            _ => Err(Untranslatable::no_counterpart(
                "a document that is not sent along",
            )),
        },
        _ => Err(Untranslatable::no_counterpart(format!(
            "a block of type `{}`",
            &*kind
        ))),
    }
}

fn address<'a>(
    source: messages::Source<'a>,
    what: &'static str,
) -> Result<Text<'a>, Untranslatable> {
    match (source.data, source.url, source.media_type) {
        (Some(data), _, Some(media_type)) => Ok(data_url(&media_type, &data)),
        (_, Some(url), _) => Ok(url),
        _ => Err(Untranslatable::no_counterpart(format!(
            "{what} from `{}`",
            &*source.r#type
        ))),
    }
}

fn data_url(media_type: &str, data: &str) -> Text<'static> {
    format!("data:{media_type};base64,{data}").into()
}

fn assistant(
    blocks: Vec<Block<'_>>,
    keeps: Keeps,
) -> Result<Option<chat::Message<'_>>, Untranslatable> {
    let mut texts = Vec::new();
    let mut calls = Vec::new();
    let mut thoughts = Vec::new();
    let mut cache_control = None;
    for mut block in blocks {
        let cached = block.cache_control.take().filter(|_| keeps);
        match &*block.r#type {
            "text" => texts.push(Part {
                cache_control: cached,
                ..text_part(block.text.unwrap_or_default())
            }),
            "tool_use" => {
                cache_control = cached.or(cache_control);
                calls.push(tool_call(block));
            }
            "thinking" | "redacted_thinking" if keeps => thoughts.extend(Json::of(&block)),
            "thinking" | "redacted_thinking" => {}
            kind => {
                return Err(Untranslatable::no_counterpart(format!(
                    "a block of type `{kind}`"
                )));
            }
        }
    }
    if texts.is_empty() && calls.is_empty() {
        return Ok(None);
    }
    Ok(Some(chat::Message {
        tool_calls: (!calls.is_empty()).then_some(calls),
        thinking_blocks: (!thoughts.is_empty()).then_some(thoughts),
        cache_control,
        ..message("assistant", said(texts))
    }))
}

/// What the assistant said, in one text where nothing in it is marked.
fn said(texts: Vec<Part<'_>>) -> Option<Content<'_, Part<'_>>> {
    if texts.is_empty() || texts.iter().any(|part| part.cache_control.is_some()) {
        return (!texts.is_empty()).then_some(Content::Parts(texts));
    }
    let mut texts = texts.into_iter().filter_map(|part| part.text);
    let first = texts.next().unwrap_or_default();
    let whole = texts.fold(first, |before, more| {
        format!("{}{}", &*before, &*more).into()
    });
    Some(Content::Text(whole))
}

fn tool_call(block: Block<'_>) -> ToolCall<'_> {
    let input = block.input;
    let arguments = input.map_or_else(|| "{}".to_owned(), |input| input.get().to_owned());
    ToolCall {
        id: block.id,
        r#type: Some("function".into()),
        function: Called {
            name: block.name,
            arguments: Some(arguments.into()),
        },
        ..ToolCall::default()
    }
}

fn user<'a>(
    blocks: Vec<Block<'a>>,
    keeps: Keeps,
    said: &mut Vec<chat::Message<'a>>,
) -> Result<(), Untranslatable> {
    let (results, others): (Vec<_>, Vec<_>) = blocks
        .into_iter()
        .partition(|block| &*block.r#type == "tool_result");
    let mut rest = Vec::new();
    for block in results {
        let (mut said_by_tool, mut shown) = result(block.content)?;
        if keeps && !shown.is_empty() {
            let text = std::mem::take(&mut said_by_tool);
            let text = (!text.is_empty()).then(|| text_part(text.into()));
            shown.splice(0..0, text);
            said.push(answer(block.tool_use_id, Content::Parts(shown)));
        } else {
            rest.extend(shown);
            said.push(answer(
                block.tool_use_id,
                Content::Text(said_by_tool.into()),
            ));
        }
        if let Some(answer) = said.last_mut().filter(|_| keeps) {
            answer.is_error = block.is_error;
            answer.cache_control = block.cache_control;
        }
    }
    rest.extend(parts(others, keeps)?);
    if !rest.is_empty() {
        said.push(message("user", Some(content(rest))));
    }
    Ok(())
}

fn answer<'a>(id: Option<Text<'a>>, content: Content<'a, Part<'a>>) -> chat::Message<'a> {
    chat::Message {
        tool_call_id: id,
        ..message("tool", Some(content))
    }
}

/// The text of a tool's result; a chat's tools answer with nothing else, so images follow as the user's.
fn result<'a>(content: Option<Json<'a>>) -> Result<(String, Vec<Part<'static>>), Untranslatable> {
    let Some(content) = content.filter(|content| content.get() != "null") else {
        return Ok((String::new(), Vec::new()));
    };
    let Blocks(content) = serde_json::from_str(content.get())?;
    let blocks = match content {
        Content::Text(text) => return Ok((text.to_string(), Vec::new())),
        Content::Parts(blocks) => blocks,
    };
    let mut texts = Vec::new();
    let mut others = Vec::new();
    for part in parts(blocks, false)? {
        match part.text {
            Some(text) => texts.push(text.to_string()),
            None => others.push(owned(part)),
        }
    }
    Ok((texts.join("\n"), others))
}

/// An image or a file that does not depend on where it was read.
fn owned(part: Part<'_>) -> Part<'static> {
    let keep = |text: Text<'_>| Text::from(text.to_string());
    Part {
        r#type: keep(part.r#type),
        image_url: part.image_url.map(|image| ImageUrl {
            url: keep(image.url),
            detail: None,
        }),
        file: part.file.map(|file| chat::File {
            filename: file.filename.map(keep),
            file_data: file.file_data.map(keep),
        }),
        ..Part::default()
    }
}

fn tool(tool: messages::Tool<'_>, keeps: Keeps) -> Result<chat::Tool<'_>, Untranslatable> {
    match tool.r#type.as_deref() {
        None | Some("custom") => Ok(chat::Tool {
            r#type: "function".into(),
            function: Some(Function {
                name: tool.name,
                description: tool.description,
                parameters: tool.input_schema,
                strict: None,
            }),
            cache_control: tool.cache_control.filter(|_| keeps),
        }),
        Some(kind) => Err(Untranslatable::no_counterpart(format!(
            "a tool of type `{kind}`"
        ))),
    }
}

fn tool_choice(choice: &messages::ToolChoice<'_>) -> Option<Json<'static>> {
    let named = |name: &str| serde_json::json!({"type": "function", "function": {"name": name}});
    match (&*choice.r#type, &choice.name) {
        ("auto", _) => Json::of(&"auto"),
        ("any", _) => Json::of(&"required"),
        ("none", _) => Json::of(&"none"),
        ("tool", Some(name)) => Json::of(&named(name)),
        _ => None,
    }
}

fn response_format(format: messages::Format<'_>) -> ResponseFormat<'_> {
    ResponseFormat {
        r#type: "json_schema".into(),
        json_schema: Some(JsonSchema {
            name: "answer".into(),
            schema: format.schema,
            strict: Some(true),
        }),
    }
}

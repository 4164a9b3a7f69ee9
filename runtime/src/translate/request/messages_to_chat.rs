//! Anthropic's messages as an OpenAI chat.
//!
//! `system` becomes the first message. Results of tools become messages of their own, before what else the user says
//! in the same turn. What the model thought is not sent on: no two models mean the same by it.

use super::super::chat::{
    self, Called, Function, ImageUrl, JsonSchema, Part, Request, ResponseFormat, ToolCall,
};
use super::super::json::{Content, Json, Text, write};
use super::super::messages::{self, Block, Blocks};
use super::super::{Untranslatable, request::Sent, request::Translated};

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

pub(in super::super) fn translate(body: &str) -> Result<Translated, Untranslatable> {
    let asked: messages::Request<'_> = serde_json::from_str(body)?;
    let mut said = Vec::new();
    if let Some(system) = asked.system {
        said.extend(system_message(system)?);
    }
    for message in asked.messages {
        let blocks = match message.content.0 {
            Content::Text(text) => vec![Block::text(text)],
            Content::Parts(blocks) => blocks,
        };
        match &*message.role {
            "assistant" => said.extend(assistant(blocks)?),
            // Newer models take instructions in between.
            "system" => said.extend(system_message(Content::Parts(blocks))?),
            _ => user(blocks, &mut said)?,
        }
    }
    let tools = asked
        .tools
        .filter(|tools| !tools.is_empty())
        .map(|tools| tools.into_iter().map(tool).collect::<Result<Vec<_>, _>>())
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
        ..Request::default()
    };
    let thinking = asked
        .thinking
        .is_some_and(|thinking| &*thinking.r#type != "disabled");
    Ok(Translated {
        body: write(&request),
        dropped: super::dropped(body, &CARRIED),
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
) -> Result<Option<chat::Message<'a>>, Untranslatable> {
    let blocks = match system {
        Content::Text(text) => vec![Block::text(text)],
        Content::Parts(blocks) => blocks,
    };
    let parts = parts(blocks)?;
    Ok((!parts.is_empty()).then(|| message("system", Some(content(parts)))))
}

/// One text is a string.
fn content(mut parts: Vec<Part<'_>>) -> Content<'_, Part<'_>> {
    match parts.as_mut_slice() {
        [only] if &*only.r#type == "text" => Content::Text(only.text.take().unwrap_or_default()),
        _ => Content::Parts(parts),
    }
}

fn parts(blocks: Vec<Block<'_>>) -> Result<Vec<Part<'_>>, Untranslatable> {
    blocks.into_iter().map(part).collect()
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

fn assistant(blocks: Vec<Block<'_>>) -> Result<Option<chat::Message<'_>>, Untranslatable> {
    let mut text: Option<Text<'_>> = None;
    let mut calls = Vec::new();
    for block in blocks {
        match &*block.r#type {
            "text" => {
                let more = block.text.unwrap_or_default();
                text = Some(match text {
                    None => more,
                    Some(before) => format!("{}{}", &*before, &*more).into(),
                });
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
            "thinking" | "redacted_thinking" => {}
            kind => {
                return Err(Untranslatable::no_counterpart(format!(
                    "a block of type `{kind}`"
                )));
            }
        }
    }
    if text.is_none() && calls.is_empty() {
        return Ok(None);
    }
    Ok(Some(chat::Message {
        tool_calls: (!calls.is_empty()).then_some(calls),
        ..message("assistant", text.map(Content::Text))
    }))
}

fn user<'a>(
    blocks: Vec<Block<'a>>,
    said: &mut Vec<chat::Message<'a>>,
) -> Result<(), Untranslatable> {
    let mut rest = Vec::new();
    for block in blocks {
        if &*block.r#type != "tool_result" {
            rest.push(part(block)?);
            continue;
        }
        let (text, others) = result(block.content)?;
        rest.extend(others);
        said.push(chat::Message {
            tool_call_id: block.tool_use_id,
            ..message("tool", Some(Content::Text(text.into())))
        });
    }
    if !rest.is_empty() {
        said.push(message("user", Some(content(rest))));
    }
    Ok(())
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
    for part in parts(blocks)? {
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

fn tool(tool: messages::Tool<'_>) -> Result<chat::Tool<'_>, Untranslatable> {
    match tool.r#type.as_deref() {
        None | Some("custom") => Ok(chat::Tool {
            r#type: "function".into(),
            function: Some(Function {
                name: tool.name,
                description: tool.description,
                parameters: tool.input_schema,
                strict: None,
            }),
            cache_control: None,
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

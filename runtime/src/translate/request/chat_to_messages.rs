//! An OpenAI chat as Anthropic's messages.
//!
//! System and developer messages go to `system`, in their order. Results of tools that were called together stand in
//! one user message, as Anthropic requires.

use super::super::chat::{self, Part};
use super::super::json::{Content, Json, Text, write};
use super::super::messages::{
    Block, Blocks, Format, Message, Metadata, OutputConfig, Request, Source, Tool, ToolChoice,
};
use super::super::{Untranslatable, request::Sent, request::Translated};
use super::BEGAN_BEFORE;
use super::tool_ids::ToolIds;

/// Members that are said in the other dialect, or that say what it does anyway.
const CARRIED: [&str; 20] = [
    "model",
    "messages",
    "tools",
    "functions",
    "tool_choice",
    "parallel_tool_calls",
    "max_tokens",
    "max_completion_tokens",
    "temperature",
    "top_p",
    "stop",
    "n",
    "stream",
    "stream_options",
    "response_format",
    "reasoning_effort",
    "safety_identifier",
    "user",
    "thinking",
    "cache_control",
];
/// No id is longer there.
const LONGEST_ID: usize = 128;
/// A schema that takes any object.
pub(super) const ANY_OBJECT: &str = r#"{"type":"object","properties":{}}"#;

pub(in super::super) fn translate(body: &str, longest: u64) -> Result<Translated, Untranslatable> {
    let chat: chat::Request<'_> = serde_json::from_str(body)?;
    if chat.n.is_some_and(|n| n > 1) {
        return Err(Untranslatable::no_counterpart("`n` above 1"));
    }
    let mut dropped = super::dropped(body, &CARRIED);
    let (system, messages) = conversation(chat.messages)?;
    let (tools, tool_choice) = tools(
        chat.tools,
        chat.functions,
        chat.tool_choice.as_ref(),
        chat.parallel_tool_calls,
    )?;
    let user_id = chat.safety_identifier.or(chat.user);
    let request = Request {
        model: chat.model,
        max_tokens: chat
            .max_completion_tokens
            .or(chat.max_tokens)
            .unwrap_or(longest),
        system,
        messages,
        tools,
        tool_choice,
        stop_sequences: stop_sequences(chat.stop, &mut dropped),
        temperature: chat.temperature.and_then(within_one),
        top_p: chat.top_p.filter(|value| value.get() != "null"),
        stream: chat.stream,
        output_config: output_config(
            chat.response_format,
            chat.reasoning_effort.as_deref(),
            &mut dropped,
        ),
        thinking: chat.thinking,
        cache_control: chat.cache_control,
        metadata: user_id.map(|user_id| Metadata {
            user_id: Some(user_id),
        }),
    };
    Ok(Translated {
        body: write(&request),
        dropped,
        sent: Sent::default(),
    })
}

/// The messages that have another role than the system's, and what the system says.
type Conversation<'a> = (Option<Content<'a, Block<'a>>>, Vec<Message<'a>>);

fn conversation(messages: Vec<chat::Message<'_>>) -> Result<Conversation<'_>, Untranslatable> {
    let mut system = Vec::new();
    let mut said: Vec<Message<'_>> = Vec::new();
    // Whether the last message holds nothing but results of tools.
    let mut answers_tools = false;
    let mut ids = ToolIds::new(LONGEST_ID);
    for mut message in messages {
        let cache_control = message.cache_control.take();
        let is_result = matches!(&*message.role, "tool" | "function");
        let (role, blocks) = match &*message.role {
            "system" | "developer" => {
                system.extend(marked(texts(message.content)?, cache_control));
                continue;
            }
            "assistant" => ("assistant", assistant(message, &mut ids)?),
            "tool" | "function" => ("user", vec![result(message, &ids)?]),
            _ => ("user", parts(message.content)?),
        };
        let blocks = marked(blocks, cache_control);
        if blocks.is_empty() {
            continue;
        }
        match said.last_mut() {
            Some(Message {
                content: Blocks(Content::Parts(before)),
                ..
            }) if answers_tools && is_result => before.extend(blocks),
            _ => said.push(Message {
                role: role.into(),
                content: Blocks(content(blocks)),
            }),
        }
        answers_tools = is_result;
    }
    if said.is_empty() && !system.is_empty() {
        // There is no conversation without a user.
        let content = Blocks(content(std::mem::take(&mut system)));
        said.push(Message {
            role: "user".into(),
            content,
        });
    }
    if said.first().is_some_and(|first| &*first.role != "user") {
        let before = Message {
            role: "user".into(),
            content: Blocks(Content::Text(BEGAN_BEFORE.into())),
        };
        said.insert(0, before);
    }
    if let Some(last) = said.last_mut().filter(|last| &*last.role == "assistant") {
        trim_end(&mut last.content.0);
    }
    let system = (!system.is_empty()).then(|| content(system));
    Ok((system, said))
}

/// What is said of a whole message, said of its last block.
fn marked<'a>(mut blocks: Vec<Block<'a>>, cache_control: Option<Json<'a>>) -> Vec<Block<'a>> {
    if let Some(last) = blocks.last_mut() {
        last.cache_control = cache_control.or(last.cache_control.take());
    }
    blocks
}

/// One text is a string.
fn content(mut blocks: Vec<Block<'_>>) -> Content<'_, Block<'_>> {
    match blocks.as_mut_slice() {
        [only] if &*only.r#type == "text" && only.cache_control.is_none() => {
            Content::Text(only.text.take().unwrap_or_default())
        }
        _ => Content::Parts(blocks),
    }
}

/// What the assistant is to go on from must not end in spaces.
fn trim_end<'a>(content: &mut Content<'a, Block<'a>>) {
    let text = match content {
        Content::Text(text) => Some(text),
        Content::Parts(blocks) => blocks.last_mut().and_then(|block| block.text.as_mut()),
    };
    if let Some(text) = text {
        let trimmed = text.trim_end();
        if trimmed.len() < text.len() {
            *text = trimmed.to_owned().into();
        }
    }
}

/// The texts of a content; blank ones are refused there and say nothing.
fn texts<'a>(content: Option<Content<'a, Part<'a>>>) -> Result<Vec<Block<'a>>, Untranslatable> {
    let blocks = parts(content)?;
    match blocks.iter().find(|block| &*block.r#type != "text") {
        Some(_) => Err(Untranslatable::no_counterpart(
            "a system message that is not text",
        )),
        None => Ok(blocks),
    }
}

fn parts<'a>(content: Option<Content<'a, Part<'a>>>) -> Result<Vec<Block<'a>>, Untranslatable> {
    let parts = match content {
        None => return Ok(Vec::new()),
        Some(Content::Text(text)) if text.trim().is_empty() => return Ok(Vec::new()),
        Some(Content::Text(text)) => return Ok(vec![Block::text(text)]),
        Some(Content::Parts(parts)) => parts,
    };
    let mut blocks = Vec::with_capacity(parts.len());
    for part in parts {
        blocks.extend(block(part)?);
    }
    Ok(blocks)
}

fn block(part: Part<'_>) -> Result<Option<Block<'_>>, Untranslatable> {
    let Part {
        r#type,
        text,
        refusal,
        image_url,
        file,
        cache_control,
    } = part;
    let block = match (&*r#type, text.or(refusal), image_url, file) {
        ("text" | "refusal" | "input_text", text, ..) => {
            match text.filter(|text| !text.trim().is_empty()) {
                Some(text) => Block::text(text),
                None => return Ok(None),
            }
        }
        ("image_url", _, Some(image), _) => sourced("image", source(image.url)),
        (
            "file",
            _,
            _,
            Some(chat::File {
                file_data: Some(data),
                filename,
            }),
        ) => Block {
            title: filename,
            ..sourced("document", source(data))
        },
        _ => {
            return Err(Untranslatable::no_counterpart(format!(
                "content of type `{}`",
                &*r#type
            )));
        }
    };
    Ok(Some(Block {
        cache_control,
        ..block
    }))
}

fn sourced<'a>(kind: &'static str, source: Source<'a>) -> Block<'a> {
    Block {
        r#type: kind.into(),
        source: Some(source),
        ..Block::default()
    }
}

/// `data:image/png;base64,…` is sent along; anything else is fetched there.
fn source(url: Text<'_>) -> Source<'_> {
    let data = url
        .strip_prefix("data:")
        .and_then(|rest| rest.split_once(";base64,"))
        .map(|(media_type, data)| (media_type.to_owned(), data.to_owned()));
    match data {
        Some((media_type, data)) => Source {
            r#type: "base64".into(),
            media_type: Some(media_type.into()),
            data: Some(data.into()),
            url: None,
        },
        None => Source {
            r#type: "url".into(),
            url: Some(url),
            ..Source::default()
        },
    }
}

fn assistant<'a>(
    message: chat::Message<'a>,
    ids: &mut ToolIds,
) -> Result<Vec<Block<'a>>, Untranslatable> {
    let mut blocks = Vec::new();
    for thought in message.thinking_blocks.into_iter().flatten() {
        // These came from there, so they have its shape; one that nobody signed is refused.
        let thought = Block::thought(&thought)?;
        let is_signed = thought
            .signature
            .as_ref()
            .is_some_and(|text| !text.is_empty());
        if is_signed || thought.data.is_some() {
            blocks.push(thought);
        }
    }
    blocks.extend(parts(message.content)?);
    blocks.extend(
        message
            .refusal
            .filter(|text| !text.trim().is_empty())
            .map(Block::text),
    );
    for call in message.tool_calls.into_iter().flatten() {
        blocks.push(tool_use(ids.of_call(call.id), call.function)?);
    }
    if let Some(call) = message.function_call {
        blocks.push(tool_use(ids.of_call(None), call)?);
    }
    Ok(blocks)
}

fn tool_use<'a>(id: Text<'a>, call: chat::Called<'a>) -> Result<Block<'a>, Untranslatable> {
    let input = input(call.arguments)?;
    Ok(Block::tool_use(id, call.name.unwrap_or_default(), input))
}

/// The arguments of a call as the object that they are.
pub(super) fn input(arguments: Option<Text<'_>>) -> Result<Json<'static>, Untranslatable> {
    let arguments = arguments.unwrap_or_default();
    let text = match arguments.trim() {
        "" => "{}".to_owned(),
        text => text.to_owned(),
    };
    Json::from_text(text)
        .filter(|json| json.get().starts_with('{'))
        .ok_or_else(|| {
            Untranslatable::no_counterpart("a tool call whose arguments are no JSON object")
        })
}

fn result<'a>(message: chat::Message<'a>, ids: &ToolIds) -> Result<Block<'a>, Untranslatable> {
    let id = ids.of_result(message.tool_call_id);
    let is_error = message.is_error;
    let blocks = parts(message.content)?;
    let content = match blocks.is_empty() {
        true => None,
        false => Json::of(&content(blocks)),
    };
    Ok(Block {
        r#type: "tool_result".into(),
        tool_use_id: Some(id),
        content,
        is_error,
        ..Block::default()
    })
}

type Offered<'a> = (Option<Vec<Tool<'a>>>, Option<ToolChoice<'a>>);

fn tools<'a>(
    tools: Option<Vec<chat::Tool<'a>>>,
    functions: Option<Vec<chat::Function<'a>>>,
    choice: Option<&Json<'_>>,
    parallel: Option<bool>,
) -> Result<Offered<'a>, Untranslatable> {
    let mut offered = Vec::new();
    for chat::Tool {
        r#type,
        function,
        cache_control,
    } in tools.into_iter().flatten()
    {
        let Some(function) = function else {
            return Err(Untranslatable::no_counterpart(format!(
                "a tool of type `{}`",
                &*r#type
            )));
        };
        offered.push(Tool {
            cache_control,
            ..tool(function)
        });
    }
    offered.extend(functions.into_iter().flatten().map(tool));
    if offered.is_empty() {
        return Ok((None, None));
    }
    let mut chosen = choice
        .map(|choice| choose(choice, &mut offered))
        .transpose()?
        .flatten();
    if parallel == Some(false) {
        let chosen = chosen.get_or_insert_with(|| named("auto", None));
        if &*chosen.r#type != "none" {
            chosen.disable_parallel_tool_use = Some(true);
        }
    }
    Ok((Some(offered), chosen))
}

fn tool(function: chat::Function<'_>) -> Tool<'_> {
    let schema = function
        .parameters
        .filter(|schema| schema.get().starts_with('{'))
        .or_else(|| Json::from_text(ANY_OBJECT.to_owned()));
    Tool {
        name: function.name,
        description: function.description,
        input_schema: schema,
        ..Tool::default()
    }
}

fn named(kind: &'static str, name: Option<String>) -> ToolChoice<'static> {
    ToolChoice {
        r#type: kind.into(),
        name: name.map(Text::from),
        disable_parallel_tool_use: None,
    }
}

fn choose(
    choice: &Json<'_>,
    offered: &mut Vec<Tool<'_>>,
) -> Result<Option<ToolChoice<'static>>, Untranslatable> {
    let mode = |mode: &str| match mode {
        "required" => Some(named("any", None)),
        "none" => Some(named("none", None)),
        "auto" => Some(named("auto", None)),
        _ => None,
    };
    if let Some(word) = choice.string() {
        return Ok(mode(&word));
    }
    if !choice.get().starts_with('{') {
        return Ok(None);
    }
    let choosing: chat::Choosing<'_> = serde_json::from_str(choice.get())?;
    if let Some(function) = choosing.function {
        return Ok(Some(named("tool", Some(function.name.to_string()))));
    }
    let Some(allowed) = choosing.allowed_tools else {
        return Err(Untranslatable::no_counterpart("this `tool_choice`"));
    };
    offered.retain(|tool| {
        let mut names = allowed
            .tools
            .iter()
            .filter_map(|tool| tool.function.as_ref());
        names.any(|function| *function.name == *tool.name)
    });
    Ok(mode(&allowed.mode))
}

/// Anthropic refuses sequences of nothing but spaces.
pub(super) fn stop_sequences<'a>(
    stop: Option<Content<'a, Text<'a>>>,
    dropped: &mut Vec<String>,
) -> Option<Vec<Text<'a>>> {
    let sequences = match stop? {
        Content::Text(text) => vec![text],
        Content::Parts(all) => all,
    };
    let before = sequences.len();
    let kept: Vec<_> = sequences
        .into_iter()
        .filter(|sequence| !sequence.trim().is_empty())
        .collect();
    if kept.len() < before {
        dropped.push("stop".to_owned());
    }
    (!kept.is_empty()).then_some(kept)
}

/// OpenAI's goes to 2, Anthropic's to 1.
pub(super) fn within_one(temperature: Json<'_>) -> Option<Json<'_>> {
    let value: f64 = temperature.get().parse().ok()?;
    if value > 1.0 {
        return Json::from_text("1".to_owned());
    }
    Some(temperature)
}

fn output_config<'a>(
    format: Option<chat::ResponseFormat<'a>>,
    effort: Option<&str>,
    dropped: &mut Vec<String>,
) -> Option<OutputConfig<'a>> {
    let effort = match effort {
        Some("minimal" | "low") => Some("low"),
        Some("medium") => Some("medium"),
        Some("high") => Some("high"),
        Some("xhigh") => Some("xhigh"),
        Some("max") => Some("max"),
        Some(_) => {
            dropped.push("reasoning_effort".to_owned());
            None
        }
        None => None,
    };
    let schema = match format {
        None => None,
        Some(format) if &*format.r#type == "text" => None,
        Some(format) => {
            let schema = format.json_schema.and_then(|json| json.schema);
            if schema.is_none() {
                dropped.push("response_format".to_owned());
            }
            schema
        }
    };
    if effort.is_none() && schema.is_none() {
        return None;
    }
    Some(OutputConfig {
        effort: effort.map(Text::from),
        format: schema.map(|schema| Format {
            r#type: "json_schema".into(),
            schema: Some(schema),
        }),
    })
}

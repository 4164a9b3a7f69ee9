//! An OpenAI chat as Bedrock's Converse.
//!
//! System and developer messages go to `system`. User and assistant take turns there, so what one of them says in
//! several messages stands in one; results of tools are the user's.

use serde_json::{Value, json};

use super::super::chat::{self, Choosing};
use super::super::converse::{
    Block, CachePoint, InferenceConfig, Message, Reasoning, Request, Schema, Thought, Tool,
    ToolConfig, ToolResult, ToolSpec, ToolUse,
};
use super::super::json::{Content, Json, Text, write};
use super::super::messages;
use super::super::{Untranslatable, Wanted, request::Sent, request::Translated};
use super::BEGAN_BEFORE;
use super::chat_to_messages::{ANY_OBJECT, input, stop_sequences, within_one};
use super::converse_blocks::{block, settle_documents, text, trim_end};
use super::converse_settings::{self as settings, Maker, additional, cache_point, output_config};
use super::tool_ids::ToolIds;

const CARRIED: [&str; 19] = [
    "model",
    "service_tier",
    "messages",
    "tools",
    "functions",
    "tool_choice",
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
    "parallel_tool_calls",
    "thinking",
    "cache_control",
];
/// No id is longer there.
const LONGEST_ID: usize = 64;

pub(in super::super) fn translate(
    body: &str,
    _wanted: Wanted,
) -> Result<Translated, Untranslatable> {
    let chat: chat::Request<'_> = serde_json::from_str(body)?;
    if chat.n.is_some_and(|n| n > 1) {
        return Err(Untranslatable::no_counterpart("`n` above 1"));
    }
    let mut dropped = super::dropped(body, &CARRIED);
    if chat.parallel_tool_calls == Some(false) {
        dropped.push("parallel_tool_calls".to_owned());
    }
    let maker = Maker::of(&chat.model);
    let (mut system, mut messages) = conversation(chat.messages, maker)?;
    if let Some(last) = messages.last_mut() {
        mark(&mut last.content, cache_point(chat.cache_control));
    }
    let contents = messages.iter_mut().map(|message| &mut message.content);
    for blocks in contents.chain([&mut system]) {
        blocks.retain(|block| block.cache_point.is_none() || maker.caches());
        for cache_point in blocks
            .iter_mut()
            .filter_map(|block| block.cache_point.as_mut())
        {
            cache_point.ttl = cache_point.ttl.take().filter(|_| maker.caches_longer());
        }
    }
    let mut offered = offered(chat.tools, chat.functions)?;
    offered.retain(|tool| tool.cache_point.is_none() || maker.caches_tools());
    let tool_config = tool_config(offered, chat.tool_choice.as_ref(), &messages)?;
    let max_tokens = chat.max_completion_tokens.or(chat.max_tokens);
    let thought = settings::Thought {
        effort: chat.reasoning_effort.as_deref(),
        thinking: chat.thinking.as_ref(),
        longest: max_tokens,
    };
    let additional = additional(maker, thought, &mut dropped);
    let request = Request {
        messages,
        system,
        inference_config: InferenceConfig {
            max_tokens,
            temperature: chat.temperature.and_then(within_one),
            top_p: chat.top_p.filter(|value| value.get() != "null"),
            stop_sequences: stop_sequences(chat.stop, &mut dropped),
        },
        service_tier: service_tier(chat.service_tier.as_deref(), &mut dropped),
        tool_config,
        output_config: output_config(chat.response_format, &mut dropped),
        additional_model_request_fields: additional,
    };
    Ok(Translated {
        body: write(&request),
        dropped,
        sent: Sent::default(),
    })
}

/// Bedrock has the same services, and no word for letting it choose.
fn service_tier(asked: Option<&str>, dropped: &mut Vec<String>) -> Option<serde_json::Value> {
    let asked = asked.filter(|asked| *asked != "auto")?;
    if !matches!(asked, "default" | "flex" | "priority") {
        dropped.push("service_tier".to_owned());
        return None;
    }
    Some(serde_json::json!({ "type": asked }))
}

type Conversation<'a> = (Vec<Block<'a>>, Vec<Message<'a>>);

fn conversation(
    messages: Vec<chat::Message<'_>>,
    maker: Maker,
) -> Result<Conversation<'_>, Untranslatable> {
    let mut system = Vec::new();
    let mut turns: Vec<Message<'_>> = Vec::new();
    let mut ids = ToolIds::new(LONGEST_ID);
    for mut message in messages {
        let marked = cache_point(message.cache_control.take());
        if !maker.takes_thoughts() {
            message.thinking_blocks = None;
        }
        let (role, mut blocks) = match &*message.role {
            "system" | "developer" => {
                system.extend(blocks(message.content)?);
                mark(&mut system, marked);
                continue;
            }
            "assistant" => ("assistant", assistant(message, &mut ids)?),
            "tool" | "function" => ("user", result(message, &ids)?),
            _ => ("user", blocks(message.content)?),
        };
        mark(&mut blocks, marked);
        if blocks.is_empty() {
            continue;
        }
        match turns.last_mut() {
            Some(turn) if &*turn.role == role => turn.content.extend(blocks),
            _ => turns.push(Message {
                role: role.into(),
                content: blocks,
            }),
        }
    }
    if turns.is_empty() && !system.is_empty() {
        // There is no conversation without a user.
        turns.push(Message {
            role: "user".into(),
            content: std::mem::take(&mut system),
        });
    }
    if turns.first().is_some_and(|first| &*first.role != "user") {
        let before = Message {
            role: "user".into(),
            content: text(BEGAN_BEFORE.into()).into_iter().collect(),
        };
        turns.insert(0, before);
    }
    if let Some(last) = turns.last_mut().filter(|last| &*last.role == "assistant") {
        trim_end(&mut last.content);
    }
    settle_documents(&mut turns);
    Ok((system, turns))
}

/// What Anthropic is told with a block stands behind it here; nothing is kept of nothing, and nothing twice.
fn mark<'a>(blocks: &mut Vec<Block<'a>>, cache_point: Option<CachePoint<'a>>) {
    let last = blocks.last();
    let has_room = last.is_some_and(|block| block.cache_point.is_none());
    if cache_point.is_some() && has_room {
        blocks.push(Block {
            cache_point,
            ..Block::default()
        });
    }
}

fn blocks<'a>(
    content: Option<Content<'a, chat::Part<'a>>>,
) -> Result<Vec<Block<'a>>, Untranslatable> {
    let parts = match content {
        None => return Ok(Vec::new()),
        Some(Content::Text(words)) => return Ok(text(words).into_iter().collect()),
        Some(Content::Parts(parts)) => parts,
    };
    let mut blocks = Vec::with_capacity(parts.len());
    for mut part in parts {
        let marked = cache_point(part.cache_control.take());
        blocks.extend(block(part)?);
        mark(&mut blocks, marked);
    }
    Ok(blocks)
}

fn assistant<'a>(
    message: chat::Message<'a>,
    ids: &mut ToolIds,
) -> Result<Vec<Block<'a>>, Untranslatable> {
    let mut said = Vec::new();
    for thought in message.thinking_blocks.into_iter().flatten() {
        said.extend(reasoning(&thought)?);
    }
    said.extend(blocks(message.content)?);
    said.extend(message.refusal.and_then(text));
    for call in message.tool_calls.into_iter().flatten() {
        said.push(tool_use(ids.of_call(call.id), call.function)?);
    }
    if let Some(call) = message.function_call {
        said.push(tool_use(ids.of_call(None), call)?);
    }
    Ok(said)
}

/// A thought that came from a Claude goes back as it came; one that nobody signed does not.
fn reasoning(thought: &Json<'_>) -> Result<Option<Block<'static>>, Untranslatable> {
    let thought: messages::Block<'_> = serde_json::from_str(thought.get())?;
    let keep = |text: &Text<'_>| Text::from(text.to_string());
    let signature = thought.signature.as_ref().filter(|text| !text.is_empty());
    let reasoning = match (&thought.thinking, signature, &thought.data) {
        (Some(text), Some(signature), _) => Reasoning {
            reasoning_text: Some(Thought {
                text: keep(text),
                signature: Some(keep(signature)),
            }),
            redacted_content: None,
        },
        (_, _, Some(data)) => Reasoning {
            reasoning_text: None,
            redacted_content: Some(keep(data)),
        },
        _ => return Ok(None),
    };
    Ok(Some(Block {
        reasoning_content: Some(reasoning),
        ..Block::default()
    }))
}

fn tool_use<'a>(id: Text<'a>, call: chat::Called<'a>) -> Result<Block<'a>, Untranslatable> {
    Ok(Block {
        tool_use: Some(ToolUse {
            tool_use_id: id,
            name: call.name.unwrap_or_default(),
            input: Some(input(call.arguments)?),
        }),
        ..Block::default()
    })
}

/// A result, and the mark that what came so far is kept.
fn result<'a>(message: chat::Message<'a>, ids: &ToolIds) -> Result<Vec<Block<'a>>, Untranslatable> {
    let id = ids.of_result(message.tool_call_id);
    let status = (message.is_error == Some(true)).then(|| "error".into());
    let mut content = blocks(message.content)?;
    let mut marked = None;
    content.retain_mut(|block| match block.cache_point.take() {
        None => true,
        found => {
            marked = found;
            false
        }
    });
    if content.is_empty() {
        // A result has something in it there.
        content.push(Block {
            text: Some("(nothing)".into()),
            ..Block::default()
        });
    }
    let mut blocks = vec![Block {
        tool_result: Some(ToolResult {
            tool_use_id: id,
            content,
            status,
        }),
        ..Block::default()
    }];
    mark(&mut blocks, marked);
    Ok(blocks)
}

fn offered<'a>(
    tools: Option<Vec<chat::Tool<'a>>>,
    functions: Option<Vec<chat::Function<'a>>>,
) -> Result<Vec<Tool<'a>>, Untranslatable> {
    let mut offered = Vec::new();
    for tool in tools.into_iter().flatten() {
        let Some(function) = tool.function else {
            return Err(Untranslatable::no_counterpart(format!(
                "a tool of type `{}`",
                &*tool.r#type
            )));
        };
        offered.push(spec(function));
        let cache_point = cache_point(tool.cache_control);
        offered.extend(cache_point.map(|cache_point| Tool {
            tool_spec: None,
            cache_point: Some(cache_point),
        }));
    }
    offered.extend(functions.into_iter().flatten().map(spec));
    Ok(offered)
}

fn spec(function: chat::Function<'_>) -> Tool<'_> {
    let schema = function
        .parameters
        .filter(|schema| schema.get().starts_with('{'))
        .or_else(|| Json::from_text(ANY_OBJECT.to_owned()));
    Tool {
        tool_spec: Some(ToolSpec {
            name: function.name,
            // An empty one is refused.
            description: function.description.filter(|text| !text.is_empty()),
            input_schema: Schema {
                json: schema.unwrap_or_else(Json::null),
            },
        }),
        cache_point: None,
    }
}

/// The tools of a call. A conversation in which tools were used must name some there.
fn tool_config<'a>(
    mut offered: Vec<Tool<'a>>,
    choice: Option<&Json<'_>>,
    messages: &[Message<'_>],
) -> Result<Option<ToolConfig<'a>>, Untranslatable> {
    let used: Vec<&ToolUse<'_>> = messages
        .iter()
        .flat_map(|message| &message.content)
        .filter_map(|block| block.tool_use.as_ref())
        .collect();
    let chosen = choice
        .map(|choice| choose(choice, &mut offered))
        .transpose()?
        .unwrap_or_default();
    let tool_choice = match chosen {
        Chosen::Nothing if used.is_empty() => return Ok(None),
        Chosen::Nothing => {
            return Err(Untranslatable::no_counterpart(
                "`tool_choice` `none` after tools were used",
            ));
        }
        Chosen::Usual => None,
        Chosen::As(choice) => Some(choice),
    };
    if offered.is_empty() {
        // Those of before: an agent without tools may go on where one with tools ended.
        let mut names: Vec<&str> = used.iter().map(|call| &*call.name).collect();
        names.sort_unstable();
        names.dedup();
        offered.extend(names.into_iter().map(|name| {
            spec(chat::Function {
                name: name.to_owned().into(),
                ..chat::Function::default()
            })
        }));
    }
    Ok((!offered.is_empty()).then_some(ToolConfig {
        tools: offered,
        tool_choice,
    }))
}

#[derive(Debug, Default)]
enum Chosen {
    /// The model may call any of them.
    #[default]
    Usual,
    /// It may call none, which has no word there.
    Nothing,
    As(Value),
}

impl Chosen {
    fn mode(word: &str) -> Self {
        match word {
            "none" => Self::Nothing,
            "required" => Self::As(json!({"any": {}})),
            _ => Self::Usual,
        }
    }
}

fn choose(choice: &Json<'_>, offered: &mut Vec<Tool<'_>>) -> Result<Chosen, Untranslatable> {
    if let Some(word) = choice.string() {
        return Ok(Chosen::mode(&word));
    }
    if !choice.get().starts_with('{') {
        return Ok(Chosen::Usual);
    }
    let choosing: Choosing<'_> = serde_json::from_str(choice.get())?;
    if let Some(function) = choosing.function {
        return Ok(Chosen::As(json!({"tool": {"name": &*function.name}})));
    }
    let Some(allowed) = choosing.allowed_tools else {
        return Err(Untranslatable::no_counterpart("this `tool_choice`"));
    };
    offered.retain(|tool| {
        let mut names = allowed
            .tools
            .iter()
            .filter_map(|tool| tool.function.as_ref());
        let spec = tool.tool_spec.as_ref();
        names.any(|function| spec.is_some_and(|spec| *spec.name == *function.name))
    });
    Ok(Chosen::mode(&allowed.mode))
}

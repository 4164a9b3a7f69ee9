//! An OpenAI chat as Gemini's contents.
//!
//! System and developer messages go to `systemInstruction`. A tool's result names its function there, so the calls
//! before it are remembered by id; results of calls that were made together stand in one turn, as Gemini requires.

use std::collections::HashMap;

use serde::Deserialize;

use super::super::chat::{self, ToolCall};
use super::super::gemini::{
    Blob, Content, FileData, FunctionCall, FunctionResponse, GenerationConfig, Part, Request,
};
use super::super::json::{self, Json, Text, write};
use super::super::messages::Thinking;
use super::super::{Untranslatable, Wanted, request::Sent, request::Translated};
use super::BEGAN_BEFORE;
use super::chat_to_messages::input;
use super::gemini_settings::{Generation, Thought, format, thinking, tools};

const CARRIED: [&str; 20] = [
    "model",
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
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "parallel_tool_calls",
    "thinking",
];
/// What Google takes for the signature of a call that another model made, or whose signature was lost.
const NO_SIGNATURE: &str = "skip_thought_signature_validator";

pub(in super::super) fn translate(
    body: &str,
    wanted: Wanted,
) -> Result<Translated, Untranslatable> {
    let chat: chat::Request<'_> = serde_json::from_str(body)?;
    if chat.n.is_some_and(|n| n > 1) {
        return Err(Untranslatable::no_counterpart("`n` above 1"));
    }
    let mut dropped = super::dropped(body, &CARRIED);
    if chat.parallel_tool_calls == Some(false) {
        dropped.push("parallel_tool_calls".to_owned());
    }
    let generation = Generation::of(&chat.model);
    let (system_instruction, contents) = conversation(chat.messages, generation)?;
    let (tools, tool_config) = tools(chat.tools, chat.functions, chat.tool_choice.as_ref())?;
    let (response_mime_type, response_json_schema) = format(chat.response_format);
    let effort = chat.reasoning_effort.as_deref();
    let said_of_thinking = chat.thinking.as_ref().map(Thinking::read);
    let budget = said_of_thinking.as_ref().and_then(Thinking::budget);
    let thought = match effort {
        Some(effort) => Some(Thought::Effort(effort)),
        None => budget.map(Thought::Budget),
    };
    let thinking_config = thinking(thought, wanted.thinking, generation, &mut dropped);
    let stop_sequences = chat.stop.map(|stop| match stop {
        json::Content::Text(text) => vec![text],
        json::Content::Parts(all) => all,
    });
    let request = Request {
        system_instruction,
        contents,
        tools,
        tool_config,
        generation_config: GenerationConfig {
            max_output_tokens: chat.max_completion_tokens.or(chat.max_tokens),
            temperature: said(chat.temperature),
            top_p: said(chat.top_p),
            seed: said(chat.seed),
            presence_penalty: said(chat.presence_penalty),
            frequency_penalty: said(chat.frequency_penalty),
            stop_sequences,
            response_mime_type,
            response_json_schema,
            thinking_config,
        },
    };
    Ok(Translated {
        body: write(&request),
        dropped,
        sent: Sent::default(),
    })
}

fn said(value: Option<Json<'_>>) -> Option<Json<'_>> {
    value.filter(|value| value.get() != "null")
}

/// What the system says, and the turns of user and model.
type Conversation<'a> = (Option<Content<'a>>, Vec<Content<'a>>);

fn conversation(
    messages: Vec<chat::Message<'_>>,
    generation: Generation,
) -> Result<Conversation<'_>, Untranslatable> {
    let mut system = Vec::new();
    let mut turns: Vec<Content<'_>> = Vec::new();
    let mut names = HashMap::new();
    // Whether the last turn holds results of tools.
    let mut answers_tools = false;
    for message in messages {
        let is_result = matches!(&*message.role, "tool" | "function");
        let (role, parts) = match &*message.role {
            "system" | "developer" => {
                system.extend(parts(message.content)?);
                continue;
            }
            "assistant" => ("model", said_by_model(message, &mut names, generation)?),
            "tool" | "function" => ("user", result(message, &names)?),
            _ => ("user", parts(message.content)?),
        };
        if parts.is_empty() {
            continue;
        }
        match turns.last_mut() {
            Some(turn) if answers_tools && is_result => turn.parts.extend(parts),
            // A call of a function is refused behind a turn of the model's own.
            Some(turn) if role == "model" && turn.role.as_deref() == Some(role) => {
                turn.parts.extend(parts);
            }
            _ => turns.push(Content {
                role: Some(role.into()),
                parts,
            }),
        }
        answers_tools = is_result;
    }
    if turns.is_empty() && !system.is_empty() {
        // There is no conversation without a user.
        turns.push(Content {
            role: Some("user".into()),
            parts: std::mem::take(&mut system),
        });
    }
    if turns
        .first()
        .is_some_and(|first| first.role.as_deref() == Some("model"))
    {
        let before = Content {
            role: Some("user".into()),
            parts: text(BEGAN_BEFORE.into()).into_iter().collect(),
        };
        turns.insert(0, before);
    }
    let system = (!system.is_empty()).then_some(Content {
        role: None,
        parts: system,
    });
    Ok((system, turns))
}

fn text(text: Text<'_>) -> Option<Part<'_>> {
    (!text.is_empty()).then(|| Part {
        text: Some(text),
        ..Part::default()
    })
}

fn parts<'a>(
    content: Option<json::Content<'a, chat::Part<'a>>>,
) -> Result<Vec<Part<'a>>, Untranslatable> {
    match content {
        None => Ok(Vec::new()),
        Some(json::Content::Text(words)) => Ok(text(words).into_iter().collect()),
        Some(json::Content::Parts(all)) => {
            let parts = all.into_iter().map(part);
            let parts: Result<Vec<_>, _> = parts.collect();
            Ok(parts?.into_iter().flatten().collect())
        }
    }
}

fn part(part: chat::Part<'_>) -> Result<Option<Part<'_>>, Untranslatable> {
    let words = part.text.or(part.refusal);
    match (&*part.r#type, words, part.image_url, part.file) {
        ("text" | "refusal" | "input_text", words, ..) => Ok(words.and_then(text)),
        ("image_url", _, Some(image), _) => Ok(Some(media(image.url))),
        (
            "file",
            _,
            _,
            Some(chat::File {
                file_data: Some(data),
                ..
            }),
        ) => Ok(Some(media(data))),
        (kind, ..) => Err(Untranslatable::no_counterpart(format!(
            "content of type `{kind}`"
        ))),
    }
}

/// `data:image/png;base64,…` is sent along; anything else is fetched there.
fn media(url: Text<'_>) -> Part<'_> {
    let data = url
        .strip_prefix("data:")
        .and_then(|rest| rest.split_once(";base64,"))
        .map(|(kind, data)| (kind.to_owned(), data.to_owned()));
    match data {
        Some((kind, data)) => Part {
            inline_data: Some(Blob {
                mime_type: kind.into(),
                data: data.into(),
            }),
            ..Part::default()
        },
        None => Part {
            file_data: Some(FileData {
                mime_type: media_type(&url).map(Text::from),
                file_uri: url,
            }),
            ..Part::default()
        },
    }
}

/// What an address ends in.
fn media_type(url: &str) -> Option<&'static str> {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let (_, ending) = path.rsplit_once('.')?;
    match ending.to_ascii_lowercase().as_str() {
        "png" => Some("image/png"),
        "jpg" | "jpeg" => Some("image/jpeg"),
        "webp" => Some("image/webp"),
        "gif" => Some("image/gif"),
        "pdf" => Some("application/pdf"),
        _ => None,
    }
}

fn said_by_model<'a>(
    message: chat::Message<'a>,
    names: &mut HashMap<String, Text<'a>>,
    generation: Generation,
) -> Result<Vec<Part<'a>>, Untranslatable> {
    let mut parts = parts(message.content)?;
    parts.extend(message.refusal.and_then(text));
    let mut calls = message.tool_calls.unwrap_or_default();
    calls.extend(message.function_call.map(|function| ToolCall {
        function,
        ..ToolCall::default()
    }));
    for (number, call) in calls.into_iter().enumerate() {
        let id = call.id.filter(|id| !id.is_empty());
        let name = call.function.name.unwrap_or_default();
        names.insert(
            id.as_deref().unwrap_or(&name).to_owned(),
            name.to_string().into(),
        );
        // Of calls that were made together, only the first is signed.
        let lost = (generation.signs() && number == 0).then(|| NO_SIGNATURE.into());
        parts.push(Part {
            function_call: Some(FunctionCall {
                id,
                name,
                args: Some(input(call.function.arguments)?),
            }),
            thought_signature: call
                .extra_content
                .as_ref()
                .and_then(signature)
                .map(Text::from)
                .or(lost),
            ..Part::default()
        });
    }
    Ok(parts)
}

/// What Google sent with a call, and wants back with it.
fn signature(extra: &Json<'_>) -> Option<String> {
    #[derive(Deserialize)]
    struct Extra {
        google: Google,
    }
    #[derive(Deserialize)]
    struct Google {
        thought_signature: String,
    }
    let extra: Extra = serde_json::from_str(extra.get()).ok()?;
    Some(extra.google.thought_signature)
}

fn result<'a>(
    message: chat::Message<'a>,
    names: &HashMap<String, Text<'a>>,
) -> Result<Vec<Part<'a>>, Untranslatable> {
    let id = message.tool_call_id.filter(|id| !id.is_empty());
    let known = id
        .as_deref()
        .and_then(|id| names.get(id))
        .map(|name| Text::from(name.to_string()));
    let Some(name) = known.or(message.name) else {
        return Err(Untranslatable::no_counterpart(
            "a tool's result without the call that it answers",
        ));
    };
    let mut words = String::new();
    let mut others = Vec::new();
    for part in parts(message.content)? {
        match part.text {
            Some(text) => words.push_str(&text),
            None => others.push(part),
        }
    }
    let response = Json::from_text(words.clone())
        .filter(|json| json.get().starts_with('{'))
        .or_else(|| Json::of(&serde_json::json!({ "output": words })));
    let answer = Part {
        function_response: Some(FunctionResponse { id, name, response }),
        ..Part::default()
    };
    Ok(std::iter::once(answer).chain(others).collect())
}

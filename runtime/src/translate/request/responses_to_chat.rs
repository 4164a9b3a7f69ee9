//! An OpenAI Responses request as a chat.
//!
//! What refers to something that OpenAI keeps (`previous_response_id`, `conversation`, `prompt`) and its own tools
//! cannot be said in a chat. Calls that the model made together become one message.

use super::super::chat::{
    self, Called, Function, ImageUrl, JsonSchema, Message, Request, ResponseFormat, ToolCall,
};
use super::super::json::{Content, Json, write};
use super::super::responses::{self, Item, Part};
use super::super::{Untranslatable, request::Sent, request::Translated};
use crate::json;

const CARRIED: [&str; 21] = [
    "model",
    "input",
    "instructions",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "max_output_tokens",
    "temperature",
    "top_p",
    "text",
    "reasoning",
    "stream",
    "stream_options",
    "service_tier",
    "user",
    "safety_identifier",
    "previous_response_id",
    "conversation",
    "prompt",
    "background",
    // It is repeated in the answer, which is all that it is for.
    "metadata",
];
/// Members that the answer repeats.
const REPEATED: [&str; 10] = [
    "instructions",
    "max_output_tokens",
    "metadata",
    "parallel_tool_calls",
    "reasoning",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_p",
];

/// `shows`: whether what tools answer may hold more than text, which a chat's may not.
pub(in super::super) fn translate(body: &str, shows: bool) -> Result<Translated, Untranslatable> {
    let asked: responses::Request<'_> = serde_json::from_str(body)?;
    refuse_state(&asked)?;
    let mut said = Vec::new();
    if let Some(text) = asked.instructions.filter(|text| !text.is_empty()) {
        said.push(message("system", Some(Content::Text(text))));
    }
    match asked.input {
        None => {}
        Some(Content::Text(text)) => said.push(message("user", Some(Content::Text(text)))),
        Some(Content::Parts(items)) => {
            // What tools show waits until all that were called together have answered.
            let mut shown = Vec::new();
            for item in items {
                if item.r#type.as_deref() == Some("function_call_output") {
                    let (answer, rest) = result(item, shows)?;
                    said.push(answer);
                    shown.extend(rest);
                    continue;
                }
                show(&mut shown, &mut said);
                take(item, &mut said)?;
            }
            show(&mut shown, &mut said);
        }
    }
    let tools = asked
        .tools
        .filter(|tools| !tools.is_empty())
        .map(|tools| tools.into_iter().map(tool).collect::<Result<Vec<_>, _>>())
        .transpose()?;
    let tool_choice = match &asked.tool_choice {
        Some(choice) if tools.is_some() => tool_choice(choice)?,
        _ => None,
    };
    let (effort, summary) = match asked.reasoning {
        Some(reasoning) => (reasoning.effort, reasoning.summary),
        None => (None, None),
    };
    let request = Request {
        model: asked.model,
        messages: said,
        parallel_tool_calls: asked.parallel_tool_calls.filter(|_| tools.is_some()),
        tools,
        tool_choice,
        max_tokens: asked.max_output_tokens,
        temperature: asked.temperature,
        top_p: asked.top_p,
        stream: asked.stream,
        response_format: asked
            .text
            .and_then(|text| text.format)
            .and_then(response_format),
        reasoning_effort: effort,
        service_tier: asked.service_tier,
        user: asked.user,
        safety_identifier: asked.safety_identifier,
        ..Request::default()
    };
    Ok(Translated {
        body: write(&request),
        dropped: super::dropped(body, &CARRIED),
        sent: Sent {
            thinking: summary.is_some(),
            echo: echo(body),
        },
    })
}

fn refuse_state(asked: &responses::Request<'_>) -> Result<(), Untranslatable> {
    let is_said = |json: &Option<Json<'_>>| json.as_ref().is_some_and(|json| json.get() != "null");
    let what = if asked.previous_response_id.is_some() {
        "`previous_response_id`"
    } else if is_said(&asked.conversation) {
        "`conversation`"
    } else if is_said(&asked.prompt) {
        "`prompt`"
    } else if asked.background == Some(true) {
        "`background`"
    } else {
        return Ok(());
    };
    Err(Untranslatable::no_counterpart(what))
}

fn echo(body: &str) -> String {
    let members = json::members(body).into_iter();
    let repeated: Vec<_> = members
        .filter(|member| REPEATED.contains(&&*member.key))
        .map(|member| format!("{}:{}", json::quote(&member.key), member.value))
        .collect();
    repeated.join(",")
}

fn message<'a>(role: &'static str, content: Option<Content<'a, chat::Part<'a>>>) -> Message<'a> {
    Message {
        role: role.into(),
        content,
        ..Message::default()
    }
}

fn take<'a>(item: Item<'a>, said: &mut Vec<Message<'a>>) -> Result<(), Untranslatable> {
    match item.r#type.as_deref().unwrap_or("message") {
        "message" => {
            let role = match item.role.as_deref().unwrap_or_default() {
                "assistant" => "assistant",
                "system" | "developer" => "system",
                _ => "user",
            };
            let content = item.content.map(content).transpose()?;
            match said.last_mut() {
                // Text that stands behind its calls: nothing may come between them and their results.
                Some(last) if role == "assistant" && last.tool_calls.is_some() => {
                    last.content = joined(last.content.take(), content);
                }
                _ => said.push(message(role, content)),
            }
        }
        "function_call" => {
            let call = ToolCall {
                index: None,
                id: item.call_id,
                r#type: Some("function".into()),
                function: Called {
                    name: item.name,
                    // Engines read it as JSON, which nothing is not.
                    arguments: item.arguments.map(|arguments| match &*arguments {
                        "" => "{}".into(),
                        _ => arguments,
                    }),
                },
                extra_content: None,
            };
            match said.last_mut() {
                // A result in between would have come as a message of its own.
                Some(last) if &*last.role == "assistant" => {
                    last.tool_calls.get_or_insert_default().push(call);
                }
                _ => said.push(Message {
                    tool_calls: Some(vec![call]),
                    ..message("assistant", None)
                }),
            }
        }
        // What it thought is the other model's own.
        "reasoning" => {}
        kind => {
            return Err(Untranslatable::no_counterpart(format!(
                "an item of type `{kind}`"
            )));
        }
    }
    Ok(())
}

/// What a tool answered, and what of it the user has to show.
fn result(
    item: Item<'_>,
    shows: bool,
) -> Result<(Message<'_>, Vec<chat::Part<'_>>), Untranslatable> {
    let mut output = item.output.map(content).transpose()?;
    let mut rest = Vec::new();
    if let Some(Content::Parts(parts)) = &mut output
        && !shows
    {
        rest = parts
            .extract_if(.., |part| &*part.r#type != "text")
            .collect();
        if parts.is_empty() {
            output = Some(Content::Text("".into()));
        }
    }
    let answer = Message {
        tool_call_id: item.call_id,
        ..message("tool", output)
    };
    Ok((answer, rest))
}

fn show<'a>(shown: &mut Vec<chat::Part<'a>>, said: &mut Vec<Message<'a>>) {
    if !shown.is_empty() {
        let parts = std::mem::take(shown);
        said.push(message("user", Some(Content::Parts(parts))));
    }
}

fn joined<'a>(
    before: Option<Content<'a, chat::Part<'a>>>,
    after: Option<Content<'a, chat::Part<'a>>>,
) -> Option<Content<'a, chat::Part<'a>>> {
    let parts = |content| match content {
        None => Vec::new(),
        Some(Content::Parts(parts)) => parts,
        Some(Content::Text(text)) => vec![chat::Part {
            r#type: "text".into(),
            text: Some(text),
            ..chat::Part::default()
        }],
    };
    let mut all = parts(before);
    all.extend(parts(after));
    (!all.is_empty()).then_some(Content::Parts(all))
}

fn content<'a>(
    content: Content<'a, Part<'a>>,
) -> Result<Content<'a, chat::Part<'a>>, Untranslatable> {
    let parts = match content {
        Content::Text(text) => return Ok(Content::Text(text)),
        Content::Parts(parts) => parts,
    };
    let mut parts: Vec<_> = parts.into_iter().map(part).collect::<Result<_, _>>()?;
    Ok(match parts.as_mut_slice() {
        [only] if &*only.r#type == "text" => Content::Text(only.text.take().unwrap_or_default()),
        _ => Content::Parts(parts),
    })
}

fn part(part: Part<'_>) -> Result<chat::Part<'_>, Untranslatable> {
    match &*part.r#type {
        "input_text" | "output_text" | "text" | "summary_text" | "refusal" => Ok(chat::Part {
            r#type: "text".into(),
            text: part.text.or(part.refusal),
            ..chat::Part::default()
        }),
        "input_image" if part.image_url.is_some() => Ok(chat::Part {
            r#type: "image_url".into(),
            image_url: Some(ImageUrl {
                url: part.image_url.unwrap_or_default(),
                detail: part.detail,
            }),
            ..chat::Part::default()
        }),
        "input_file" if part.file_data.is_some() => Ok(chat::Part {
            r#type: "file".into(),
            file: Some(chat::File {
                filename: part.filename,
                file_data: part.file_data,
            }),
            ..chat::Part::default()
        }),
        kind => Err(Untranslatable::no_counterpart(format!(
            "content of type `{kind}`, as it is sent here,"
        ))),
    }
}

fn tool(tool: responses::Tool<'_>) -> Result<chat::Tool<'_>, Untranslatable> {
    match (&*tool.r#type, tool.name) {
        ("function", Some(name)) => Ok(chat::Tool {
            r#type: "function".into(),
            function: Some(Function {
                name,
                description: tool.description,
                parameters: tool.parameters,
                strict: tool.strict,
            }),
            cache_control: None,
        }),
        (kind, _) => Err(Untranslatable::no_counterpart(format!(
            "a tool of type `{kind}`"
        ))),
    }
}

fn tool_choice(choice: &Json<'_>) -> Result<Option<Json<'static>>, Untranslatable> {
    if let Some(word) = choice.string() {
        return Ok(Json::of(&word));
    }
    if !choice.get().starts_with('{') {
        return Ok(None);
    }
    let choosing: responses::Choosing<'_> = serde_json::from_str(choice.get())?;
    match (&*choosing.r#type, choosing.name) {
        ("function", Some(name)) => {
            let named = serde_json::json!({"type": "function", "function": {"name": &*name}});
            Ok(Json::of(&named))
        }
        _ => Err(Untranslatable::no_counterpart("this `tool_choice`")),
    }
}

fn response_format(format: responses::Format<'_>) -> Option<ResponseFormat<'_>> {
    match &*format.r#type {
        "text" => None,
        "json_schema" => Some(ResponseFormat {
            r#type: "json_schema".into(),
            json_schema: Some(JsonSchema {
                name: format.name.unwrap_or_else(|| "answer".into()),
                schema: format.schema,
                strict: format.strict,
            }),
        }),
        _ => Some(ResponseFormat {
            r#type: format.r#type,
            json_schema: None,
        }),
    }
}

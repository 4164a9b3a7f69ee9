//! What a chat says of thinking, caching and formats, in Converse's words; who made a model says what it knows of them.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::chat;
use super::super::converse::CachePoint;
use super::super::json::{Json, Text};
use super::super::messages::Thinking;

/// Anthropic takes no smaller budget for thoughts.
const LEAST_BUDGET: u64 = 1024;

/// Who made a model, by its id there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Maker {
    Anthropic,
    Amazon,
    OpenAi,
    /// A profile of the operator's own, whose name says nothing of its model.
    Unsaid,
    Another,
}

impl Maker {
    pub(super) fn of(model: &str) -> Self {
        match model {
            _ if model.contains("anthropic.") => Self::Anthropic,
            _ if model.contains("amazon.") => Self::Amazon,
            _ if model.contains("openai.") => Self::OpenAi,
            _ if model.contains("application-inference-profile/") => Self::Unsaid,
            _ => Self::Another,
        }
    }

    /// Whether it may be told what of a prompt to keep; others refuse such a call.
    pub(super) fn caches(self) -> bool {
        matches!(self, Self::Anthropic | Self::Amazon | Self::Unsaid)
    }

    /// The same of its tools.
    pub(super) fn caches_tools(self) -> bool {
        matches!(self, Self::Anthropic | Self::Unsaid)
    }

    /// Whether it may be told for how long.
    pub(super) fn caches_longer(self) -> bool {
        matches!(self, Self::Anthropic | Self::Unsaid)
    }

    /// Whether a Claude's signed thoughts may go back to it.
    pub(super) fn takes_thoughts(self) -> bool {
        matches!(self, Self::Anthropic | Self::Unsaid)
    }
}

/// What stands behind a block that is to be kept, for as long as the client says.
pub(super) fn cache_point(control: Option<Json<'_>>) -> Option<CachePoint<'static>> {
    #[derive(Deserialize)]
    struct Control {
        ttl: Option<String>,
    }
    let control = control.filter(|control| control.get().starts_with('{'))?;
    let control: Control = serde_json::from_str(control.get()).ok()?;
    Some(CachePoint {
        r#type: "default".into(),
        // Five minutes are what it means without one.
        ttl: control.ttl.filter(|ttl| ttl != "5m").map(Text::from),
    })
}

/// How a model is to think.
#[derive(Debug, Clone, Copy)]
pub(super) struct Thought<'a> {
    pub(super) effort: Option<&'a str>,
    /// In Anthropic's words.
    pub(super) thinking: Option<&'a Json<'a>>,
    /// The longest answer, thoughts included.
    pub(super) longest: Option<u64>,
}

/// The fields in which each maker's models are told how hard to think.
pub(super) fn additional(
    maker: Maker,
    thought: Thought<'_>,
    dropped: &mut Vec<String>,
) -> Option<Value> {
    let mut fields = Map::new();
    let effort = match thought.effort {
        Some("minimal" | "low") => Some("low"),
        Some("medium") => Some("medium"),
        Some("high" | "xhigh" | "max") => Some("high"),
        _ => None,
    };
    match (maker, effort) {
        (Maker::Anthropic, Some(effort)) => {
            fields.insert("output_config".to_owned(), json!({ "effort": effort }));
        }
        (Maker::OpenAi, Some(effort)) => {
            fields.insert("reasoning_effort".to_owned(), effort.into());
        }
        _ if thought.effort.is_some() => dropped.push("reasoning_effort".to_owned()),
        _ => {}
    }
    if let Some(thinking) = thought.thinking.filter(|said| Thinking::read(said).is_on()) {
        match budgeted(thinking, thought.longest).filter(|_| maker.takes_thoughts()) {
            Some(thinking) => {
                fields.insert("thinking".to_owned(), thinking);
            }
            None => dropped.push("thinking".to_owned()),
        }
    }
    (!fields.is_empty()).then_some(Value::Object(fields))
}

/// A budget has to be smaller than the longest answer, which may have become shorter here than the client said.
fn budgeted(thinking: &Json<'_>, longest: Option<u64>) -> Option<Value> {
    let mut thinking: Value = serde_json::from_str(thinking.get()).ok()?;
    let budget = thinking.get("budget_tokens").and_then(Value::as_u64);
    if let (Some(budget), Some(longest)) = (budget, longest)
        && budget >= longest
    {
        let most = longest
            .checked_sub(1)
            .filter(|most| *most >= LEAST_BUDGET)?;
        thinking
            .as_object_mut()?
            .insert("budget_tokens".to_owned(), most.into());
    }
    Some(thinking)
}

pub(super) fn output_config(
    format: Option<chat::ResponseFormat<'_>>,
    dropped: &mut Vec<String>,
) -> Option<Value> {
    let format = format.filter(|format| &*format.r#type != "text")?;
    let described = format.json_schema.unwrap_or_default();
    let Some(schema) = described.schema else {
        dropped.push("response_format".to_owned());
        return None;
    };
    // The schema is text there.
    let mut definition = json!({"schema": schema.get()});
    if let (false, Some(members)) = (described.name.is_empty(), definition.as_object_mut()) {
        members.insert("name".to_owned(), json!(&*described.name));
    }
    Some(json!({"textFormat": {"type": "json_schema", "structure": {"jsonSchema": definition}}}))
}

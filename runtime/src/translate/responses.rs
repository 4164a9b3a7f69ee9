//! OpenAI's Responses, as far as a chat has words for them.

use serde::Deserialize;

use super::json::{Content, Json, Text};

#[derive(Debug, Default, Deserialize)]
pub(super) struct Request<'a> {
    #[serde(borrow, default)]
    pub(super) model: Text<'a>,
    #[serde(borrow, default)]
    pub(super) input: Option<Content<'a, Item<'a>>>,
    #[serde(borrow, default)]
    pub(super) instructions: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) tools: Option<Vec<Tool<'a>>>,
    #[serde(borrow, default)]
    pub(super) tool_choice: Option<Json<'a>>,
    #[serde(default)]
    pub(super) parallel_tool_calls: Option<bool>,
    #[serde(default)]
    pub(super) max_output_tokens: Option<u64>,
    #[serde(borrow, default)]
    pub(super) temperature: Option<Json<'a>>,
    #[serde(borrow, default)]
    pub(super) top_p: Option<Json<'a>>,
    #[serde(borrow, default)]
    pub(super) text: Option<TextConfig<'a>>,
    #[serde(borrow, default)]
    pub(super) reasoning: Option<Reasoning<'a>>,
    #[serde(default)]
    pub(super) stream: Option<bool>,
    #[serde(borrow, default)]
    pub(super) service_tier: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) user: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) safety_identifier: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) previous_response_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) conversation: Option<Json<'a>>,
    #[serde(borrow, default)]
    pub(super) prompt: Option<Json<'a>>,
    #[serde(default)]
    pub(super) background: Option<bool>,
}

/// What was said or done before, of any type.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Item<'a> {
    #[serde(borrow, default)]
    pub(super) r#type: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) role: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) content: Option<Content<'a, Part<'a>>>,
    #[serde(borrow, default)]
    pub(super) call_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) name: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) arguments: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) output: Option<Content<'a, Part<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Part<'a> {
    #[serde(borrow, default)]
    pub(super) r#type: Text<'a>,
    #[serde(borrow, default)]
    pub(super) text: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) refusal: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) image_url: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) detail: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) filename: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) file_data: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Tool<'a> {
    #[serde(borrow, default)]
    pub(super) r#type: Text<'a>,
    #[serde(borrow, default)]
    pub(super) name: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) description: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) parameters: Option<Json<'a>>,
    #[serde(default)]
    pub(super) strict: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct TextConfig<'a> {
    #[serde(borrow, default)]
    pub(super) format: Option<Format<'a>>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Format<'a> {
    #[serde(borrow, default)]
    pub(super) r#type: Text<'a>,
    #[serde(borrow, default)]
    pub(super) name: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) schema: Option<Json<'a>>,
    #[serde(default)]
    pub(super) strict: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Reasoning<'a> {
    #[serde(borrow, default)]
    pub(super) effort: Option<Text<'a>>,
    /// How much of what it thinks the client wants to see.
    #[serde(borrow, default)]
    pub(super) summary: Option<Text<'a>>,
}

/// `tool_choice` where it is an object.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Choosing<'a> {
    #[serde(borrow, default)]
    pub(super) r#type: Text<'a>,
    #[serde(borrow, default)]
    pub(super) name: Option<Text<'a>>,
}

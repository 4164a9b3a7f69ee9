//! Anthropic's messages, as far as other dialects have words for them.

use serde::{Deserialize, Serialize};

use super::chat::CacheCreation;
use super::json::{Content, Json, Text};

#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Request<'a> {
    #[serde(borrow, default)]
    pub(super) model: Text<'a>,
    #[serde(default)]
    pub(super) max_tokens: u64,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) system: Option<Content<'a, Block<'a>>>,
    #[serde(borrow, default)]
    pub(super) messages: Vec<Message<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) tools: Option<Vec<Tool<'a>>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) tool_choice: Option<ToolChoice<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) stop_sequences: Option<Vec<Text<'a>>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) temperature: Option<Json<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) top_p: Option<Json<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stream: Option<bool>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) output_config: Option<OutputConfig<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) thinking: Option<Json<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) cache_control: Option<Json<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) metadata: Option<Metadata<'a>>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Message<'a> {
    #[serde(borrow, default)]
    pub(super) role: Text<'a>,
    #[serde(borrow)]
    pub(super) content: Blocks<'a>,
}

/// A message's content.
#[derive(Debug, Deserialize, Serialize)]
#[serde(transparent)]
pub(super) struct Blocks<'a>(#[serde(borrow)] pub(super) Content<'a, Block<'a>>);

impl Default for Blocks<'_> {
    fn default() -> Self {
        Self(Content::Parts(Vec::new()))
    }
}

/// A block of any type.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Block<'a> {
    #[serde(borrow, default)]
    pub(super) r#type: Text<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<Source<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) input: Option<Json<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) tool_use_id: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) content: Option<Json<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) thinking: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) signature: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<Text<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) is_error: Option<bool>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) cache_control: Option<Json<'a>>,
}

impl<'a> Block<'a> {
    pub(super) fn text(text: Text<'a>) -> Self {
        Self {
            r#type: "text".into(),
            text: Some(text),
            ..Self::default()
        }
    }

    /// A thought as it was sent, whose signature counts only with it.
    pub(super) fn thought(json: &Json<'_>) -> serde_json::Result<Block<'static>> {
        let thought: Block<'_> = serde_json::from_str(json.get())?;
        let keep = |text: &Option<Text<'_>>| text.as_ref().map(|text| Text::from(text.to_string()));
        Ok(Block {
            r#type: thought.r#type.to_string().into(),
            thinking: keep(&thought.thinking),
            signature: keep(&thought.signature),
            data: keep(&thought.data),
            ..Block::default()
        })
    }

    pub(super) fn tool_use(id: Text<'a>, name: Text<'a>, input: Json<'a>) -> Self {
        Self {
            r#type: "tool_use".into(),
            id: Some(id),
            name: Some(name),
            input: Some(input),
            ..Self::default()
        }
    }
}

/// Where an image or a document comes from.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Source<'a> {
    #[serde(borrow, default)]
    pub(super) r#type: Text<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) media_type: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) url: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Tool<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) r#type: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) name: Text<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) input_schema: Option<Json<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) cache_control: Option<Json<'a>>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct ToolChoice<'a> {
    #[serde(borrow, default)]
    pub(super) r#type: Text<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<Text<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) disable_parallel_tool_use: Option<bool>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct OutputConfig<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) effort: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) format: Option<Format<'a>>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Format<'a> {
    #[serde(borrow, default)]
    pub(super) r#type: Text<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) schema: Option<Json<'a>>,
}

/// How a model is to think, as far as other dialects have words for it.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Thinking {
    #[serde(default)]
    r#type: String,
    #[serde(default)]
    budget_tokens: Option<u64>,
}

impl Thinking {
    /// One that cannot be read says nothing.
    pub(super) fn read(thinking: &Json<'_>) -> Self {
        serde_json::from_str(thinking.get()).unwrap_or_default()
    }

    pub(super) fn is_on(&self) -> bool {
        !matches!(&*self.r#type, "" | "disabled")
    }

    /// For how many tokens, where it says so.
    pub(super) fn budget(&self) -> Option<u64> {
        self.budget_tokens.filter(|_| self.is_on())
    }
}

#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Metadata<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) user_id: Option<Text<'a>>,
}

/// A whole answer.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Answer<'a> {
    #[serde(borrow, default)]
    pub(super) id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) r#type: Text<'a>,
    #[serde(borrow, default)]
    pub(super) role: Text<'a>,
    #[serde(borrow, default)]
    pub(super) model: Text<'a>,
    #[serde(borrow, default)]
    pub(super) content: Vec<Block<'a>>,
    #[serde(borrow, default)]
    pub(super) stop_reason: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) stop_sequence: Option<Text<'a>>,
    #[serde(default)]
    pub(super) usage: Usage,
}

/// The prompt's tokens are these three together: cached ones are not part of `input_tokens`.
#[derive(Debug, Default, Clone, Copy, Deserialize, Serialize, PartialEq, Eq)]
pub(super) struct Usage {
    #[serde(default)]
    pub(super) input_tokens: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cache_creation_input_tokens: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cache_read_input_tokens: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cache_creation: Option<CacheCreation>,
    #[serde(default)]
    pub(super) output_tokens: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) output_tokens_details: Option<OutputDetails>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) service_tier: Option<ServiceTier>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize, Serialize, PartialEq, Eq)]
pub(super) struct OutputDetails {
    #[serde(default)]
    pub(super) thinking_tokens: Option<u64>,
}

/// How a call was served.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum ServiceTier {
    Standard,
    Priority,
    Batch,
    /// Another, which no other dialect has a word for.
    #[serde(other)]
    Unknown,
}

impl ServiceTier {
    /// What a chat calls it.
    pub(super) const fn chat(self) -> Option<&'static str> {
        match self {
            Self::Standard => Some("default"),
            Self::Priority => Some("priority"),
            Self::Batch => Some("batch"),
            Self::Unknown => None,
        }
    }

    /// What a chat calls so: Anthropic has no `flex`.
    pub(super) fn of_chat(word: &str) -> Option<Self> {
        match word {
            "default" => Some(Self::Standard),
            "priority" => Some(Self::Priority),
            "batch" => Some(Self::Batch),
            _ => None,
        }
    }
}

impl Usage {
    /// What a later event says counts instead of what was said before; what it does not say stays.
    pub(super) fn update(&mut self, later: Self) {
        self.input_tokens = later.input_tokens.or(self.input_tokens);
        self.cache_creation_input_tokens = later
            .cache_creation_input_tokens
            .or(self.cache_creation_input_tokens);
        self.cache_read_input_tokens = later
            .cache_read_input_tokens
            .or(self.cache_read_input_tokens);
        self.cache_creation = later.cache_creation.or(self.cache_creation);
        self.output_tokens = later.output_tokens.or(self.output_tokens);
        self.output_tokens_details = later.output_tokens_details.or(self.output_tokens_details);
        self.service_tier = later.service_tier.or(self.service_tier);
    }
}

/// An event of a streamed answer.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Event<'a> {
    #[serde(borrow, default)]
    pub(super) r#type: Text<'a>,
    #[serde(borrow, default)]
    pub(super) message: Option<Answer<'a>>,
    #[serde(borrow, default)]
    pub(super) content_block: Option<Block<'a>>,
    #[serde(borrow, default)]
    pub(super) delta: Option<Delta<'a>>,
    #[serde(default)]
    pub(super) usage: Option<Usage>,
    #[serde(borrow, default)]
    pub(super) error: Option<Error<'a>>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Delta<'a> {
    #[serde(borrow, default)]
    pub(super) text: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) partial_json: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) thinking: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) signature: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) stop_reason: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Error<'a> {
    #[serde(borrow, default)]
    pub(super) r#type: Text<'a>,
    #[serde(borrow, default)]
    pub(super) message: Text<'a>,
}

//! Bedrock's `Converse`, as far as other dialects have words for it.
//!
//! A value of several kinds is an object with one member, called by its kind; here it is a struct of which one is there.

use serde::{Deserialize, Serialize};

use super::json::{Json, Text};

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request<'a> {
    pub(super) messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) system: Vec<Block<'a>>,
    pub(super) inference_config: InferenceConfig<'a>,
    /// `{"type": "priority"}`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) service_tier: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_config: Option<ToolConfig<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) output_config: Option<serde_json::Value>,
    /// What only some models know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) additional_model_request_fields: Option<serde_json::Value>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Message<'a> {
    #[serde(borrow, default)]
    pub(super) role: Text<'a>,
    #[serde(borrow, default)]
    pub(super) content: Vec<Block<'a>>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Block<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) image: Option<Media<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) document: Option<Media<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) tool_use: Option<ToolUse<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) tool_result: Option<ToolResult<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_content: Option<Reasoning<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) cache_point: Option<CachePoint<'a>>,
}

/// An image, or a document with its name.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Media<'a> {
    #[serde(borrow, default)]
    pub(super) format: Text<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) source: Source<'a>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Source<'a> {
    /// In base64.
    #[serde(borrow, default)]
    pub(super) bytes: Text<'a>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolUse<'a> {
    #[serde(borrow, default)]
    pub(super) tool_use_id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) name: Text<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) input: Option<Json<'a>>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolResult<'a> {
    #[serde(borrow, default)]
    pub(super) tool_use_id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) content: Vec<Block<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reasoning<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_text: Option<Thought<'a>>,
    /// What is not shown, in base64.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) redacted_content: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Thought<'a> {
    #[serde(borrow, default)]
    pub(super) text: Text<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) signature: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct CachePoint<'a> {
    #[serde(borrow, default)]
    pub(super) r#type: Text<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) ttl: Option<Text<'a>>,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InferenceConfig<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) temperature: Option<Json<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) top_p: Option<Json<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stop_sequences: Option<Vec<Text<'a>>>,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolConfig<'a> {
    pub(super) tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_choice: Option<serde_json::Value>,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tool<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_spec: Option<ToolSpec<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cache_point: Option<CachePoint<'a>>,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolSpec<'a> {
    pub(super) name: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<Text<'a>>,
    pub(super) input_schema: Schema<'a>,
}

#[derive(Debug, Serialize)]
pub(super) struct Schema<'a> {
    pub(super) json: Json<'a>,
}

impl Default for Schema<'_> {
    fn default() -> Self {
        Self { json: Json::null() }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer<'a> {
    #[serde(borrow, default)]
    pub(super) output: Output<'a>,
    #[serde(borrow, default)]
    pub(super) stop_reason: Text<'a>,
    #[serde(default)]
    pub(super) usage: Usage,
    #[serde(borrow, default)]
    pub(super) service_tier: Tier<'a>,
}

/// How a call was served.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Tier<'a> {
    #[serde(borrow, default)]
    pub(super) r#type: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Output<'a> {
    #[serde(borrow, default)]
    pub(super) message: Option<Message<'a>>,
}

/// An event of a streamed answer: one of these.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event<'a> {
    #[serde(borrow, default)]
    pub(super) content_block_start: Option<BlockStart<'a>>,
    #[serde(borrow, default)]
    pub(super) content_block_delta: Option<BlockDelta<'a>>,
    #[serde(default)]
    pub(super) content_block_stop: Option<serde::de::IgnoredAny>,
    #[serde(borrow, default)]
    pub(super) message_stop: Option<MessageStop<'a>>,
    #[serde(borrow, default)]
    pub(super) metadata: Option<Metadata<'a>>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct BlockStart<'a> {
    #[serde(borrow, default)]
    pub(super) start: Block<'a>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct BlockDelta<'a> {
    #[serde(borrow, default)]
    pub(super) delta: Delta<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Delta<'a> {
    #[serde(borrow, default)]
    pub(super) text: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) tool_use: Option<InputDelta<'a>>,
    #[serde(borrow, default)]
    pub(super) reasoning_content: Option<ReasoningDelta<'a>>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct InputDelta<'a> {
    #[serde(borrow, default)]
    pub(super) input: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReasoningDelta<'a> {
    #[serde(borrow, default)]
    pub(super) text: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) signature: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) redacted_content: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MessageStop<'a> {
    #[serde(borrow, default)]
    pub(super) stop_reason: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata<'a> {
    #[serde(default)]
    pub(super) usage: Usage,
    #[serde(borrow, default)]
    pub(super) service_tier: Tier<'a>,
}

/// Cached tokens stand beside the prompt's.
#[derive(Debug, Default, Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(super) struct Usage {
    #[serde(default)]
    pub(super) input_tokens: u64,
    #[serde(default)]
    pub(super) output_tokens: u64,
    #[serde(default)]
    pub(super) cache_read_input_tokens: u64,
    #[serde(default)]
    pub(super) cache_write_input_tokens: u64,
    #[serde(default)]
    pub(super) cache_details: Written,
}

/// What was written to the cache, by how long it is kept.
#[derive(Debug, Default, Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(from = "Vec<CacheDetail>")]
pub(super) struct Written {
    pub(super) usual: u64,
    pub(super) hour: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CacheDetail {
    #[serde(default)]
    ttl: String,
    #[serde(default)]
    input_tokens: u64,
}

impl From<Vec<CacheDetail>> for Written {
    fn from(details: Vec<CacheDetail>) -> Self {
        let mut written = Self::default();
        for detail in details {
            let sum = match &*detail.ttl {
                "1h" => &mut written.hour,
                _ => &mut written.usual,
            };
            *sum = sum.saturating_add(detail.input_tokens);
        }
        written
    }
}

//! OpenAI's chat, as far as other dialects have words for it.

use serde::{Deserialize, Serialize};

use super::json::{Content, Json, Text};

#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Request<'a> {
    #[serde(borrow, default)]
    pub(super) model: Text<'a>,
    #[serde(borrow, default)]
    pub(super) messages: Vec<Message<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) tools: Option<Vec<Tool<'a>>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) functions: Option<Vec<Function<'a>>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) tool_choice: Option<Json<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) parallel_tool_calls: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) max_tokens: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) max_completion_tokens: Option<u64>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) temperature: Option<Json<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) top_p: Option<Json<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) stop: Option<Content<'a, Text<'a>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) n: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stream: Option<bool>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) response_format: Option<ResponseFormat<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_effort: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) seed: Option<Json<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) presence_penalty: Option<Json<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) frequency_penalty: Option<Json<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) safety_identifier: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) service_tier: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<Text<'a>>,
    /// How a Claude thinks, as clients say it who know that one is behind.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) thinking: Option<Json<'a>>,
    /// That all of it is kept for the next call, in Anthropic's words.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) cache_control: Option<Json<'a>>,
}

/// A message of a request, or of an answer.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Message<'a> {
    #[serde(borrow, default)]
    pub(super) role: Text<'a>,
    #[serde(borrow, default)]
    pub(super) content: Option<Content<'a, Part<'a>>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) tool_calls: Option<Vec<ToolCall<'a>>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) tool_call_id: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) function_call: Option<Called<'a>>,
    /// What the model thought, as DeepSeek, vLLM and others call it.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_content: Option<Text<'a>>,
    /// The same as vLLM and OpenRouter call it.
    #[serde(borrow, default, skip_serializing)]
    pub(super) reasoning: Option<Json<'a>>,
    /// Anthropic's own blocks, signatures included, so that they can go back as they came.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) thinking_blocks: Option<Vec<Json<'a>>>,
    /// That a tool failed, as Anthropic says it; a chat says it in its words alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) is_error: Option<bool>,
    /// The same as on a part, after all of the message.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) cache_control: Option<Json<'a>>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Part<'a> {
    #[serde(borrow, default)]
    pub(super) r#type: Text<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) image_url: Option<ImageUrl<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) file: Option<File<'a>>,
    /// As clients send it who know that Anthropic is behind.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) cache_control: Option<Json<'a>>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct ImageUrl<'a> {
    #[serde(borrow, default)]
    pub(super) url: Text<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct File<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) filename: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) file_data: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct ToolCall<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) index: Option<u32>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) r#type: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) function: Called<'a>,
    /// What a provider wants back with the call, as Google's own chat API sends it.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) extra_content: Option<Json<'a>>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Called<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) arguments: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Tool<'a> {
    #[serde(borrow, default)]
    pub(super) r#type: Text<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) function: Option<Function<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) cache_control: Option<Json<'a>>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Function<'a> {
    #[serde(borrow, default)]
    pub(super) name: Text<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) parameters: Option<Json<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) strict: Option<bool>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct ResponseFormat<'a> {
    #[serde(borrow, default)]
    pub(super) r#type: Text<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) json_schema: Option<JsonSchema<'a>>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct JsonSchema<'a> {
    #[serde(borrow, default)]
    pub(super) name: Text<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) schema: Option<Json<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) strict: Option<bool>,
}

/// `tool_choice` where it is an object.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Choosing<'a> {
    #[serde(borrow, default)]
    pub(super) function: Option<Function<'a>>,
    #[serde(borrow, default)]
    pub(super) allowed_tools: Option<Allowed<'a>>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Allowed<'a> {
    #[serde(borrow, default)]
    pub(super) mode: Text<'a>,
    #[serde(borrow, default)]
    pub(super) tools: Vec<Tool<'a>>,
}

/// A whole answer, or one event of a streamed one.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Answer<'a> {
    #[serde(borrow, default)]
    pub(super) id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) object: Text<'a>,
    #[serde(default)]
    pub(super) created: u64,
    #[serde(borrow, default)]
    pub(super) model: Text<'a>,
    #[serde(borrow, default)]
    pub(super) choices: Vec<Choice<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) usage: Option<Usage>,
    /// How it was served.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) service_tier: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing)]
    pub(super) error: Option<Json<'a>>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Choice<'a> {
    #[serde(default)]
    pub(super) index: u32,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<Message<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) delta: Option<Delta<'a>>,
    #[serde(borrow, default)]
    pub(super) finish_reason: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Delta<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) content: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_content: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing)]
    pub(super) reasoning: Option<Json<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) thinking_blocks: Option<Vec<Json<'a>>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) tool_calls: Option<Vec<ToolCall<'a>>>,
}

/// Cached tokens are part of the prompt's, reasoning is part of the answer's.
#[derive(Debug, Default, Clone, Copy, Deserialize, Serialize, PartialEq, Eq)]
pub(super) struct Usage {
    #[serde(default)]
    pub(super) prompt_tokens: u64,
    #[serde(default)]
    pub(super) completion_tokens: u64,
    #[serde(default)]
    pub(super) total_tokens: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) prompt_tokens_details: Option<PromptDetails>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) completion_tokens_details: Option<AnswerDetails>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize, Serialize, PartialEq, Eq)]
pub(super) struct PromptDetails {
    #[serde(default)]
    pub(super) cached_tokens: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cache_write_tokens: Option<u64>,
    /// The same by how long it is kept, where it is known: as LiteLLM has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cache_creation_token_details: Option<CacheCreation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) audio_tokens: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) image_tokens: Option<u64>,
}

/// What was written to a cache, by how long it is kept, in Anthropic's words.
#[derive(Debug, Default, Clone, Copy, Deserialize, Serialize, PartialEq, Eq)]
pub(super) struct CacheCreation {
    #[serde(default)]
    pub(super) ephemeral_5m_input_tokens: u64,
    #[serde(default)]
    pub(super) ephemeral_1h_input_tokens: u64,
}

#[derive(Debug, Default, Clone, Copy, Deserialize, Serialize, PartialEq, Eq)]
pub(super) struct AnswerDetails {
    #[serde(default)]
    pub(super) reasoning_tokens: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) audio_tokens: Option<u64>,
}

impl Usage {
    pub(super) fn cached(&self) -> u64 {
        self.prompt_tokens_details
            .and_then(|details| details.cached_tokens)
            .unwrap_or(0)
    }

    pub(super) fn written(&self) -> u64 {
        self.prompt_tokens_details
            .and_then(|details| details.cache_write_tokens)
            .unwrap_or(0)
    }

    pub(super) fn creation(&self) -> Option<CacheCreation> {
        self.prompt_tokens_details?.cache_creation_token_details
    }

    pub(super) fn reasoning(&self) -> Option<u64> {
        self.completion_tokens_details?.reasoning_tokens
    }

    /// Some providers leave reasoning out of the answer's tokens, but none leaves it out of the total.
    pub(super) fn output(&self) -> u64 {
        let beyond = self.total_tokens.saturating_sub(self.prompt_tokens);
        self.completion_tokens.max(beyond)
    }
}

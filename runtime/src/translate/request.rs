//! Requests: one file for each pair and direction.

mod chat_to_converse;
mod chat_to_gemini;
mod chat_to_messages;
mod converse_blocks;
mod converse_settings;
mod gemini_settings;
mod messages_to_chat;
mod responses_to_chat;
mod tool_ids;

pub(super) use chat_to_converse::translate as chat_to_converse;
pub(super) use chat_to_gemini::translate as chat_to_gemini;
pub(super) use chat_to_messages::translate as chat_to_messages;
pub(super) use messages_to_chat::translate as messages_to_chat;
pub(super) use responses_to_chat::translate as responses_to_chat;

use crate::json;

/// What the user is made to have said where the assistant speaks first, which only a chat allows.
const BEGAN_BEFORE: &str = "(the conversation began before this)";

/// A request in another dialect, and what was left out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Translated {
    pub(crate) body: String,
    /// Fields that have no counterpart.
    pub(crate) dropped: Vec<String>,
    pub(crate) sent: Sent,
}

/// What of a request its answer depends on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Whether the client wants to see the model think.
    pub(crate) thinking: bool,
    /// Members that a Responses answer repeats, as JSON.
    pub(crate) echo: String,
}

/// Parameters that are counted under their own name when they are dropped. Others are counted together: names that
/// callers make up must not become labels of metrics.
const KNOWN: [&str; 41] = [
    "audio",
    "container",
    "context_management",
    "frequency_penalty",
    "function_call",
    "guided_json",
    "include",
    "inference_geo",
    "logit_bias",
    "logprobs",
    "max_tool_calls",
    "mcp_servers",
    "metadata",
    "min_p",
    "modalities",
    "moderation",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning",
    "reasoning_effort",
    "repetition_penalty",
    "response_format",
    "safety_identifier",
    "seed",
    "service_tier",
    "speed",
    "stop",
    "store",
    "stream_options",
    "thinking",
    "tool_choice",
    "top_k",
    "top_logprobs",
    "truncation",
    "user",
    "verbosity",
    "web_search_options",
];

/// The members that say something and that are not among those that are carried over.
fn dropped(body: &str, carried: &[&str]) -> Vec<String> {
    json::members(body)
        .into_iter()
        .filter(|member| !carried.contains(&&*member.key) && member.value != "null")
        .map(|member| match KNOWN.contains(&&*member.key) {
            true => member.key.into_owned(),
            false => "other".to_owned(),
        })
        .collect()
}

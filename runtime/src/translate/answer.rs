//! Whole answers: one file for each pair and direction.
//!
//! What usage includes, by the providers' own references:
//!
//! | dialect | prompt | of it, cached | of it, written to the cache | answer |
//! |---|---|---|---|---|
//! | chat | `prompt_tokens` | `prompt_tokens_details.cached_tokens` | `….cache_write_tokens` | `completion_tokens`, reasoning included |
//! | Responses | `input_tokens` | `input_tokens_details.cached_tokens` | `….cache_write_tokens` | `output_tokens`, reasoning included |
//! | messages | `input_tokens` + the next two | `cache_read_input_tokens` | `cache_creation_input_tokens` | `output_tokens`, thinking included |
//! | Gemini | `promptTokenCount` + `toolUsePromptTokenCount` | `cachedContentTokenCount` | is not said | `candidatesTokenCount` + `thoughtsTokenCount` |
//! | Converse | `inputTokens` + the next two | `cacheReadInputTokens` | `cacheWriteInputTokens` | `outputTokens` |

mod chat_to_messages;
mod chat_to_responses;
mod converse_to_chat;
mod gemini_to_chat;
mod messages_to_chat;

pub(super) use chat_to_messages::translate as chat_to_messages;
pub(super) use chat_to_responses::translate as chat_to_responses;
pub(super) use converse_to_chat::translate as converse_to_chat;
pub(super) use gemini_to_chat::translate as gemini_to_chat;
pub(super) use messages_to_chat::translate as messages_to_chat;

pub(super) use chat_to_messages::{messages_usage, stop_reason};
pub(super) use chat_to_responses::{
    Incomplete, Response, call_id, call_item, message_id, message_item, reasoning_id,
    reasoning_item, responses_usage, summary_part,
};
pub(super) use converse_to_chat::{
    chat_usage as converse_usage, finish_reason as converse_finish_reason, thought,
};
pub(super) use gemini_to_chat::{
    chat_usage as gemini_usage, finish_reason as gemini_finish_reason, tool_call,
};
pub(super) use messages_to_chat::{chat_usage, finish_reason, service_tier};

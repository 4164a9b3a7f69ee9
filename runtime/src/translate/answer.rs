//! Whole answers: one file for each pair and direction.
//!
//! What usage includes, by the providers' own references:
//!
//! | dialect | prompt | of it, cached | of it, written to the cache | answer |
//! |---|---|---|---|---|
//! | chat | `prompt_tokens` | `prompt_tokens_details.cached_tokens` | `….cache_write_tokens` | `completion_tokens`, reasoning included |
//! | Responses | `input_tokens` | `input_tokens_details.cached_tokens` | `….cache_write_tokens` | `output_tokens`, reasoning included |
//! | messages | `input_tokens` + the next two | `cache_read_input_tokens` | `cache_creation_input_tokens` | `output_tokens`, thinking included |

mod chat_to_messages;
mod chat_to_responses;
mod messages_to_chat;

pub(super) use chat_to_messages::translate as chat_to_messages;
pub(super) use chat_to_responses::translate as chat_to_responses;
pub(super) use messages_to_chat::translate as messages_to_chat;

pub(super) use chat_to_messages::{messages_usage, stop_reason};
pub(super) use chat_to_responses::{
    Incomplete, Response, call_id, call_item, message_id, message_item, responses_usage,
};
pub(super) use messages_to_chat::{chat_usage, finish_reason};

//! Streamed answers: watched, passed on as they come, never ended in silence.

mod body;
mod events;

pub(crate) use body::{AnswerStream, Onward};
pub(crate) use events::Watcher;

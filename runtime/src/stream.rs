//! Streamed answers: watched, passed on as they come, never ended in silence.

mod body;
mod events;

pub(crate) use body::AnswerStream;
pub(crate) use events::Watcher;

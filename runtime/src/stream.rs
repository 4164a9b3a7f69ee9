//! Streamed answers: watched, passed on as they come, never ended in silence.

mod body;
mod events;
mod frames;
mod source;

pub(crate) use body::{AnswerStream, Onward};
pub(crate) use events::Watcher;
pub(crate) use frames::MEDIA_TYPE as FRAMED;
pub(crate) use source::Source;

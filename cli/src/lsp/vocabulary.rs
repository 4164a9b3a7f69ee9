//! What the words of the language mean, in a sentence each: for hover and completion.

mod facts;
mod fields;
mod functions;
mod items;
mod words;

pub(crate) use facts::{fact, group, member};
pub(crate) use fields::field;
pub(crate) use functions::{Function, On, functions};
pub(crate) use items::item_field;
pub(crate) use words::{HEADERS, PARAMETERS, words};

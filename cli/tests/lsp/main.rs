//! The language server, driven as an editor drives it: a scripted client over the standard streams of the real binary, and
//! random edits against its core.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

mod client;
mod completion;
mod edits;
mod encoding;
mod project;
mod properties;
mod protocol;
mod questions;
mod text;

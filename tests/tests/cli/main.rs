//! Every command of `waypost` in this process: exit codes, what goes to which stream, the documented shapes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

mod agreement;
mod build;
mod check;
mod ci;
mod demo;
mod diff;
mod explain;
mod fmt;
mod harness;
mod key;
mod lint;
mod spend;
mod test;
mod usage;
mod why;

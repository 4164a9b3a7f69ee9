//! The proxy over real sockets, in front of small upstreams that do what each test says.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

mod admin;
mod answers;
mod callers;
mod client;
mod dialects;
mod errors;
mod fallback;
mod faults;
mod limits;
mod plan;
mod pools;
mod reload;
mod resilience;
mod shutdown;
mod streams;
mod upstream;
mod waiting;
mod world;

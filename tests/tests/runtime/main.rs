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
mod audit;
mod authority;
mod callers;
mod client;
mod connections;
mod dialects;
mod errors;
mod fallback;
mod faults;
mod hedging;
mod http2;
mod limits;
mod plan;
mod pools;
mod prices;
mod providers;
mod reload;
mod resilience;
mod shutdown;
mod slow;
mod smuggling;
mod streams;
mod tls;
mod tokens;
mod unix;
mod upstream;
mod waiting;
mod wire;
mod world;

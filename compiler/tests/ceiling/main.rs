//! What a file can spend at worst: figures worked out by hand, and an adversary who never gets beyond them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "tests"
)]

mod adversary;
mod figures;
mod property;

//! What must hold of every input, and inputs to hold it against: shared by the tests beside it, which mutate files that
//! people wrote, and by the targets of `fuzz/`, which search for others.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "it is part of the tests"
)]

pub mod corpus;
pub mod holds;
pub mod mutation;

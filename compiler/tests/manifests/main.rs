//! The manifests of the language's §2: none of the traps of the stack they replace, taken by the real CRDs,
//! consistent among themselves, the same bytes each time.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]
#![allow(missing_docs, unreachable_pub, reason = "tests")]

mod cluster;
mod definitions;
mod fixture;
mod invariants;
mod shapes;
mod traps;

//! Checks a `.route` file, lowers it to a plan and emits its manifests.

pub mod manifests;
pub mod program;

pub use program::Program;

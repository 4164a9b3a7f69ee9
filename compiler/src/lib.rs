//! Checks a `.route` file, lowers it to a plan and emits its manifests.
//!
//! Invariants: nothing here reads a file, a clock or the environment: imports come through a [`Loader`], what
//! comes out is data. A [`Program`] exists only for sources without errors. Same sources, same output.

pub mod ceiling;
mod check;
mod checks;
pub mod demands;
pub mod diff;
mod edits;
mod findings;
mod fix;
mod fold;
mod imports;
pub mod index;
mod lints;
mod load;
pub mod lower;
pub mod manifests;
pub mod program;
pub mod proofs;
mod resolve;
pub mod standard;
mod suppressions;
pub mod testing;
mod unread;

pub use ceiling::{Ceilings, ceiling};
pub use check::{Checked, check};
pub use checks::shape_needs::shape_needs;
pub use fix::{Fixed, fix};
pub use fold::Folder;
pub use imports::{Import, Imports};
pub use lints::{Date, lint};
pub use load::{Loader, join as import_path};
pub use lower::{lower, lower_expression};
pub use program::Program;

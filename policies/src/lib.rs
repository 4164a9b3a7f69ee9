//! The decision core of Waypost: the plan and its VM, limits, cost, difficulty, placement.
//!
//! Invariants: this crate does no IO (no files, sockets, clocks, environment): the time and every fact come
//! in as arguments, effects go out as data. There is one implementation of a decision, [`decide()`], and
//! everything that decides calls it. Money is integer nano-dollars, tokens are integers.

pub mod cost;
pub mod decide;
pub mod decision;
pub mod difficulty;
#[doc(hidden)]
pub mod example;
pub mod explain;
pub mod facts;
pub mod limits;
pub mod money;
pub mod place;
pub mod plan;
pub mod request;
pub mod tokens;
pub mod vm;

pub use decide::{decide, fall_back};
pub use decision::{Decision, Outcome};
pub use explain::{Explanation, explain};
pub use facts::{Caller, Facts, Request};
pub use money::NanoDollars;
pub use plan::{Plan, PlanError};
pub use vm::Evaluation;

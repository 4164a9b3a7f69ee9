//! Runs the code of a plan's expressions.
//!
//! A stack machine over values that borrow from the facts, the plan and an arena that is reused: in steady state it
//! allocates nothing. Work is bounded: loops are macros over lists, and a budget of steps ends what would take
//! too long. What fails gives a failed value, never a panic; the rule that asked then acts closed.

mod arithmetic;
mod assemble;
mod call;
mod compare;
mod comprehension;
mod condition;
mod convert;
mod datum;
mod encoding;
mod evaluation;
mod format;
mod inputs;
mod instruction;
mod kind;
mod list;
mod machine;
mod map;
mod memory;
mod moment;
mod network;
mod print;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
mod tests;
mod text;
mod time;
mod value;
mod verify;
mod vocabulary;

pub use assemble::{Assembler, Pool};
pub(crate) use condition::{Condition, Term};
pub use datum::Datum;
pub use evaluation::{Conditions, Evaluation, admits, apply, evaluate, holds};
pub(crate) use evaluation::{Session, Verdict, stable_hash};
pub(crate) use inputs::Context;
pub use inputs::Endpoint;
pub use instruction::{Instruction, Macro};
pub(crate) use kind::Kind;
pub(crate) use map::Key;
pub use value::Failure;
pub(crate) use value::Value;
pub use verify::CodeFlaw;
pub(crate) use verify::{Bounds, Summary, verify};
pub use vocabulary::{Comprehension, Field, Function, Map, Member, TypeName};

use jiff::tz::{Offset, TimeZone};

/// A time zone by IANA name, or by its offset: `+02:00`. The compiler asks it too, so that what compiles loads.
#[must_use]
pub fn zone(name: &str) -> Option<TimeZone> {
    let (sign, rest) = match name.strip_prefix(['+', '-']) {
        Some(rest) => (if name.starts_with('-') { -1 } else { 1 }, rest),
        None if name.as_bytes().first()?.is_ascii_digit() => (1, name),
        None => return TimeZone::get(name).ok(),
    };
    let (hours, minutes) = rest.split_once(':')?;
    if !rest
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b':')
    {
        return None;
    }
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    if !(0..24).contains(&hours) || !(0..60).contains(&minutes) {
        return None;
    }
    let seconds = sign * (hours * 3600 + minutes * 60);
    Offset::from_seconds(seconds).ok().map(TimeZone::fixed)
}

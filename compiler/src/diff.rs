//! What changes in behaviour from one file to another: rules, settings and ceilings, each with a request that shows it.
//!
//! Invariants: files that decide alike have no difference, whatever their labels, lines, order and comments; a witness was really
//! decided through both plans and came out differently; the work is bounded, and where it ends without a witness the
//! change says so instead of being left out. Pure, and the same for the same files.

mod before;
mod ceilings;
mod decided;
mod equivalence;
mod facts;
mod moments;
mod prompts;
mod redactions;
mod request;
mod rules;
mod search;
mod slots;
#[cfg(test)]
mod tests;

use serde_json::Value;
use waypost_lang::SourceMap;
use waypost_policies::Plan;

use crate::Program;

pub use decided::{Decided, decide_request};
pub use request::NOON;

/// One of the two files, compiled.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// What it means.
    pub program: &'a Program,
    /// Its plan.
    pub plan: &'a Plan,
    /// Its texts.
    pub sources: &'a SourceMap,
}

/// What became of a rule or setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// Only the new file has it.
    Added,
    /// Only the old file has it.
    Removed,
    /// Both have it, and it means something else.
    Changed,
}

impl ChangeKind {
    /// `added`, `removed`, `changed`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

/// A place in one of the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file's name.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}

/// One change of behaviour.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// What became of it.
    pub kind: ChangeKind,
    /// ``escalate `long context` ``, ``model `gpt-5.1` ``.
    pub subject: String,
    /// What is different, a line each: `price of input: $1.25 -> $1.10`.
    pub details: Vec<String>,
    /// Where the old file says it.
    pub old: Option<Place>,
    /// Where the new file says it.
    pub new: Option<Place>,
    /// Whether it is a rule: those are shown with a witness, or with the word that none was found.
    pub is_rule: bool,
    /// A request that decides differently.
    pub witness: Option<Witness>,
}

/// A request that the two files decide differently.
#[derive(Debug, Clone, PartialEq)]
pub struct Witness {
    /// As `why --request` reads it.
    pub request: Value,
    /// What must have happened before; absent for a first call.
    pub after: Option<String>,
    /// What the old file decides.
    pub old: Decided,
    /// What the new file decides.
    pub new: Decided,
    /// What becomes of its prompt, where that is the difference.
    pub prompt: Option<Redacted>,
}

/// A prompt that one of the files shows and the other hides, or hides otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted {
    /// Where it is read: `sent upstream`, `in logs`, `in the answer`.
    pub place: &'static str,
    /// As the old file shows it.
    pub old: String,
    /// As the new file shows it.
    pub new: String,
}

/// Every change of behaviour from `old` to `new`: rules first, then settings, then ceilings.
#[must_use]
pub fn diff(old: Side<'_>, new: Side<'_>) -> Vec<Change> {
    let mut search = search::Search::new(old, new);
    let mut changes = rules::compare(old, new, &mut search);
    changes.extend(facts::compare(old, new, &mut search));
    changes.extend(ceilings::compare(old.program, new.program));
    changes
}

/// Where a span is, as its author would say.
fn place(side: Side<'_>, span: waypost_lang::Span) -> Place {
    let (file, line, _) = side.sources.position(span);
    Place {
        file: file.to_owned(),
        line,
    }
}

//! The language above expressions, as its users see it: what parses, what is said of what does not, and
//! what the formatter makes of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

mod files;
mod formatting;
mod generator;
mod messages;
mod properties;

use waypost_lang::source::FileId;
use waypost_lang::syntax::{Parsed, parse};

/// The specification's own example.
const AGENTS: &str = include_str!("inputs/agents.route");
/// Every other form.
const FORMS: &str = include_str!("inputs/forms.route");

fn parsed(text: &str) -> Parsed {
    parse(FileId::default(), text)
}

/// The text parses without a finding.
fn clean(text: &str) -> Parsed {
    let parsed = parsed(text);
    assert_eq!(
        messages::render(text, &parsed.diagnostics),
        "",
        "in:\n{text}"
    );
    parsed
}

/// A tree as text, without its spans.
fn without_spans(parsed: &Parsed) -> String {
    let written = format!("{:?}", parsed.file);
    let mut parts = written.split("Span { file: ");
    let mut kept = parts.next().unwrap().to_owned();
    for part in parts {
        kept.push_str(part.split_once('}').unwrap().1);
    }
    kept
}

//! Diagnostics as text: for people, for one line each, and for machines.
//!
//! A document (`json`, `sarif`, `junit`) holds the findings of many files, so those renderers take [`Found`], one for each
//! file that was checked. Every other format is lines, which add up by themselves.
//!
//! Invariants: a renderer returns text and prints nothing; it reads no terminal and no environment, so the same
//! diagnostics give the same bytes everywhere. Lines and columns count from 1 and are the same in every format. A span
//! that is not of the map, or not on character boundaries, is moved to the nearest that is: rendering never fails.

mod concise;
mod github;
mod human;
mod json;
pub mod junit;
mod place;
mod sarif;
#[cfg(test)]
mod tests;

pub use concise::concise;
pub use github::github;
pub use human::human;
pub use json::json;
pub use sarif::sarif;

use crate::diagnostic::{Diagnostic, Severity};
use crate::source::SourceMap;

/// Whether text carries ANSI colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Color {
    /// Plain text.
    #[default]
    Never,
    /// With colours.
    Always,
}

/// What was found in one file and in what it imports.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// Its texts, the file itself first.
    pub sources: &'a SourceMap,
    /// What was found in them.
    pub diagnostics: &'a [Diagnostic],
}

impl<'a> Found<'a> {
    /// The name of the file that was checked.
    fn name(&self) -> &'a str {
        let mut files = self.sources.files();
        files.next().map_or("", |(_, file)| file.name())
    }
}

/// One line for the end, of all that was checked: `2 errors, 1 warning in agents.route`; `None` where nothing was found.
#[must_use]
pub fn summary(checked: &[(&SourceMap, &[Diagnostic])]) -> Option<String> {
    let found = || {
        let found = checked.iter();
        found.flat_map(|(sources, diagnostics)| diagnostics.iter().map(move |one| (sources, one)))
    };
    let count = |severity| found().filter(|(_, one)| one.severity == severity).count();
    let counts: Vec<String> = [
        (count(Severity::Error), "error"),
        (count(Severity::Warning), "warning"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, noun)| plural(count, noun))
    .collect();
    if counts.is_empty() {
        return None;
    }
    let mut files: Vec<&str> = found()
        .map(|(sources, one)| sources.position(one.primary.span).0)
        .collect();
    files.sort_unstable();
    files.dedup();
    let place = match files.as_slice() {
        [name] => (*name).to_owned(),
        names => plural(names.len(), "file"),
    };
    Some(format!("{} in {place}", counts.join(", ")))
}

/// The longest message or help that people are shown.
const LONGEST: usize = 600;

/// A text that quotes a file, so that a terminal shows it and does nothing else, and not too much of it.
fn harmless(text: &str) -> String {
    let shown = text.chars().take(LONGEST).map(|character| match character {
        '\n' | '\t' => ' ',
        _ if is_harmful(character) => '?',
        _ => character,
    });
    let mut shown: String = shown.collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

/// Whether a terminal would act on it, or write what follows in another direction.
fn is_harmful(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `1 error`, `2 errors`.
fn plural(count: usize, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

/// The next step: what the diagnostic says, else what its fix does.
fn next_step(diagnostic: &Diagnostic) -> Option<&str> {
    let fix = diagnostic.fix.as_ref().map(|fix| fix.title.as_str());
    diagnostic.help.as_deref().or(fix)
}

/// `error` or `warning`, as every format writes it.
const fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

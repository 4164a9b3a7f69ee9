//! One line a diagnostic, as editors and `grep` read it.

use std::fmt::Write as _;

use super::place::Place;
use super::{harmless, severity_name};
use crate::diagnostic::Diagnostic;
use crate::source::SourceMap;

/// `agents.route:39:45: error[WP0203] message`, one line each.
#[must_use]
pub fn concise(sources: &SourceMap, diagnostics: &[Diagnostic]) -> String {
    let mut text = String::new();
    for diagnostic in diagnostics {
        let Place {
            file,
            start: (line, column),
            ..
        } = Place::of(sources, diagnostic.primary.span);
        let severity = severity_name(diagnostic.severity);
        let message = harmless(&diagnostic.message);
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{file}:{line}:{column}: {severity}[{}] {message}",
            diagnostic.code.number
        );
    }
    text
}

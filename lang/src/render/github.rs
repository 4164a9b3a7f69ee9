//! One workflow command a diagnostic, which GitHub Actions turns into an annotation of the changed file.

use std::fmt::Write as _;

use super::place::Place;
use super::{harmless, next_step, severity_name};
use crate::diagnostic::Diagnostic;
use crate::source::SourceMap;

/// `::error file=agents.route,line=39,col=45,endLine=39,endColumn=74,title=WP0203 missing-key::message`, one line each.
#[must_use]
pub fn github(sources: &SourceMap, diagnostics: &[Diagnostic]) -> String {
    let mut text = String::new();
    for diagnostic in diagnostics {
        let place = Place::of(sources, diagnostic.primary.span);
        let severity = severity_name(diagnostic.severity);
        let ((line, column), (end_line, end_column)) = (place.start, place.end);
        let file = property(place.file);
        let title = property(&format!(
            "{} {}",
            diagnostic.code.number, diagnostic.code.name
        ));
        let message = data(&message(diagnostic));
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "::{severity} file={file},line={line},col={column},endLine={end_line},endColumn={end_column},title={title}::{message}"
        );
    }
    text
}

fn message(diagnostic: &Diagnostic) -> String {
    let message = harmless(&diagnostic.message);
    match next_step(diagnostic) {
        Some(help) => format!("{message}\nhelp: {}", harmless(help)),
        None => message,
    }
}

/// What stands after the `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// What stands after a `=`.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

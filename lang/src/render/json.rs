//! Diagnostics for machines. The shape is stable: fields may be added, none changes its meaning.

use serde_json::{Value, json};

use super::place::Place;
use super::{Found, severity_name};
use crate::diagnostic::{Diagnostic, Edit, Fix, Label};
use crate::source::{SourceMap, Span};

/// The whole document as one line of JSON: `{"version":1,"diagnostics":[…]}`.
///
/// A range is `{"start":{"byte":…,"line":…,"column":…},"end":{…}}`: bytes from 0, end exclusive; lines and columns
/// from 1, columns in characters.
#[must_use]
pub fn json(found: &[Found<'_>]) -> String {
    let entries = |one: &Found<'_>| -> Vec<Value> {
        let diagnostics = one.diagnostics.iter();
        diagnostics
            .map(|diagnostic| entry(one.sources, diagnostic))
            .collect()
    };
    let diagnostics: Vec<Value> = found.iter().flat_map(entries).collect();
    let document = json!({ "version": 1, "diagnostics": diagnostics });
    format!("{document}\n")
}

fn entry(sources: &SourceMap, diagnostic: &Diagnostic) -> Value {
    let labels: Vec<Value> = diagnostic
        .secondary
        .iter()
        .map(|label| secondary(sources, label))
        .collect();
    json!({
        "code": diagnostic.code.number,
        "name": diagnostic.code.name,
        "severity": severity_name(diagnostic.severity),
        "message": diagnostic.message,
        "file": Place::of(sources, diagnostic.primary.span).file,
        "range": range(sources, diagnostic.primary.span),
        "label": diagnostic.primary.message,
        "labels": labels,
        "help": diagnostic.help,
        "fix": diagnostic.fix.as_ref().map(|suggestion| fix(sources, suggestion)),
    })
}

fn secondary(sources: &SourceMap, label: &Label) -> Value {
    json!({
        "file": Place::of(sources, label.span).file,
        "range": range(sources, label.span),
        "message": label.message,
    })
}

fn fix(sources: &SourceMap, suggestion: &Fix) -> Value {
    let edits: Vec<Value> = suggestion
        .edits
        .iter()
        .map(|edit| replacement(sources, edit))
        .collect();
    json!({ "title": suggestion.title, "edits": edits })
}

fn replacement(sources: &SourceMap, edit: &Edit) -> Value {
    json!({
        "file": Place::of(sources, edit.span).file,
        "range": range(sources, edit.span),
        "text": edit.text,
    })
}

fn range(sources: &SourceMap, span: Span) -> Value {
    let place = Place::of(sources, span);
    let point =
        |byte: usize, (line, column)| json!({ "byte": byte, "line": line, "column": column });
    json!({
        "start": point(place.bytes.start, place.start),
        "end": point(place.bytes.end, place.end),
    })
}

//! SARIF 2.1.0, as code scanning and IDEs read it: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>.
//!
//! One run with the rules that were broken, each with its explanation, and a result for each diagnostic. Columns count
//! characters, and the run says so (`columnKind`). A file is called as the user called it: relative to where the command
//! ran, which code scanning takes for the repository's root.

use serde_json::{Value, json};

use super::place::Place;
use super::{Found, harmless, next_step, severity_name};
use crate::diagnostic::{Code, Diagnostic, Edit, Fix, Label};
use crate::source::SourceMap;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The whole log as one line of JSON.
#[must_use]
pub fn sarif(found: &[Found<'_>]) -> String {
    let codes = broken(found);
    let rules: Vec<Value> = codes.iter().map(|code| rule(*code)).collect();
    let results = |one: &Found<'_>| -> Vec<Value> {
        let diagnostics = one.diagnostics.iter();
        diagnostics
            .map(|diagnostic| result(one.sources, diagnostic, &codes))
            .collect()
    };
    let results: Vec<Value> = found.iter().flat_map(results).collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "waypost",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules,
            }},
            "invocations": [{ "executionSuccessful": true }],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{log}\n")
}

/// The codes of what was found, by number, each once.
fn broken(found: &[Found<'_>]) -> Vec<Code> {
    let mut codes: Vec<Code> = found
        .iter()
        .flat_map(|one| one.diagnostics)
        .map(|diagnostic| diagnostic.code)
        .collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

fn rule(code: Code) -> Value {
    let what = section(code.explanation, "What it does");
    let sentence = what.split_inclusive(". ").next().unwrap_or(&what).trim();
    json!({
        "id": code.number,
        "name": code.name,
        "shortDescription": { "text": if sentence.is_empty() { code.name } else { sentence } },
        "fullDescription": { "text": if what.is_empty() { code.name } else { &*what } },
        "help": { "text": plain(code.explanation), "markdown": code.explanation },
    })
}

/// The paragraphs below a heading, each on one line.
fn section(explanation: &str, title: &str) -> String {
    let after = explanation
        .split("\n## ")
        .find_map(|part| part.strip_prefix(title));
    let lines = after.unwrap_or_default().lines().map(str::trim);
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    lines.join(" ")
}

/// Markdown without its marks.
fn plain(markdown: &str) -> String {
    let lines = markdown.lines().filter(|line| !line.starts_with("```"));
    let lines: Vec<&str> = lines
        .map(|line| match line.trim_start_matches('#') {
            heading if heading.len() < line.len() => heading.trim(),
            line => line,
        })
        .collect();
    lines.join("\n").trim().to_owned()
}

fn result(sources: &SourceMap, diagnostic: &Diagnostic, codes: &[Code]) -> Value {
    let message = harmless(&diagnostic.message);
    let text = match next_step(diagnostic) {
        Some(help) => format!("{message}\nhelp: {}", harmless(help)),
        None => message,
    };
    let related: Vec<Value> = (1..)
        .zip(&diagnostic.secondary)
        .map(|(id, label)| location(sources, label, Some(id)))
        .collect();
    let fix = diagnostic.fix.as_ref().map(|fix| change(sources, fix));
    object([
        ("ruleId", Some(json!(diagnostic.code.number))),
        (
            "ruleIndex",
            codes.binary_search(&diagnostic.code).ok().map(Value::from),
        ),
        ("level", Some(severity_name(diagnostic.severity).into())),
        ("message", Some(json!({ "text": text }))),
        (
            "locations",
            Some(json!([location(sources, &diagnostic.primary, None)])),
        ),
        (
            "relatedLocations",
            Some(related).filter(|all| !all.is_empty()).map(Value::from),
        ),
        ("fixes", fix.map(|fix| json!([fix]))),
    ])
}

/// An object of those fields that there are.
fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let present = fields
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(present.collect())
}

fn location(sources: &SourceMap, label: &Label, id: Option<u32>) -> Value {
    let place = Place::of(sources, label.span);
    let message = Some(&label.message).filter(|message| !message.is_empty());
    object([
        ("id", id.map(Value::from)),
        (
            "physicalLocation",
            Some(json!({
                "artifactLocation": artifact(place.file),
                "region": region(&place),
            })),
        ),
        (
            "message",
            message.map(|message| json!({ "text": harmless(message) })),
        ),
    ])
}

/// A fix: the edits of each file together, as a file is changed at once.
fn change(sources: &SourceMap, fix: &Fix) -> Value {
    let mut changes: Vec<(&str, Vec<Value>)> = Vec::new();
    for edit in &fix.edits {
        let file = Place::of(sources, edit.span).file;
        let replacement = replacement(sources, edit);
        match changes.iter_mut().find(|(name, _)| *name == file) {
            Some((_, replacements)) => replacements.push(replacement),
            None => changes.push((file, vec![replacement])),
        }
    }
    let changes: Vec<Value> = changes
        .into_iter()
        .map(|(file, replacements)| {
            json!({ "artifactLocation": artifact(file), "replacements": replacements })
        })
        .collect();
    json!({ "description": { "text": fix.title }, "artifactChanges": changes })
}

fn replacement(sources: &SourceMap, edit: &Edit) -> Value {
    json!({
        "deletedRegion": region(&Place::of(sources, edit.span)),
        "insertedContent": { "text": edit.text },
    })
}

/// Lines and columns from 1, the end just after the last character, as SARIF has them.
fn region(place: &Place<'_>) -> Value {
    let ((start_line, start_column), (end_line, end_column)) = (place.start, place.end);
    json!({
        "startLine": start_line, "startColumn": start_column,
        "endLine": end_line, "endColumn": end_column,
    })
}

fn artifact(file: &str) -> Value {
    json!({ "uri": uri(file) })
}

/// A file's name as a URI reference: `file:///…` of a path from the root, else relative.
fn uri(name: &str) -> String {
    let name = if cfg!(windows) {
        name.replace('\\', "/")
    } else {
        name.to_owned()
    };
    let is_drive = |name: &str| name.as_bytes().get(1) == Some(&b':') && cfg!(windows);
    let prefix = match &*name {
        path if path.starts_with('/') => "file://",
        path if is_drive(path) => "file:///",
        _ => "",
    };
    let name = name.strip_prefix("./").unwrap_or(&name);
    let mut uri = prefix.to_owned();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

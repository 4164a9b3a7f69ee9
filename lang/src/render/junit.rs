//! JUnit's XML, as Jenkins, GitLab and GitHub's reporters read it: suites of cases, each passed or failed.
//!
//! Invariants: the text is well-formed whatever the names and messages hold: what XML has no character for is left out.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::place::Place;
use super::{Found, next_step, severity_name};
use crate::diagnostic::Diagnostic;
use crate::source::SourceMap;

/// The cases of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suite {
    /// The file's name.
    pub name: String,
    /// What was tried.
    pub cases: Vec<Case>,
}

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// What it is called.
    pub name: String,
    /// The file it stands in.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// Why it failed; absent where it passed.
    pub failure: Option<Failure>,
}

/// Why a case failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its kind, for those who count them.
    pub kind: String,
    /// One sentence.
    pub message: String,
    /// All there is to say.
    pub text: String,
}

/// The document: `testsuites`, a `testsuite` for each.
#[must_use]
pub fn document(suites: &[Suite]) -> String {
    let all = suites.iter().map(|suite| suite.cases.len()).sum::<usize>();
    let failed: usize = suites.iter().map(failures).sum();
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"waypost\" tests=\"{all}\" failures=\"{failed}\" errors=\"0\">\n"
    );
    for suite in suites {
        write_suite(suite, &mut text);
    }
    text.push_str("</testsuites>\n");
    text
}

/// Findings as failures, a suite for each file that they are in; a file without any is a case that passed.
#[must_use]
pub fn findings(found: &[Found<'_>]) -> String {
    let mut suites: Vec<Suite> = Vec::new();
    for one in found {
        if one.diagnostics.is_empty() {
            add(&mut suites, sound(one.name()));
        }
        for diagnostic in one.diagnostics {
            add(&mut suites, case(one.sources, diagnostic));
        }
    }
    document(&suites)
}

/// To the suite of the case's file, begun if it is not there.
fn add(suites: &mut Vec<Suite>, case: Case) {
    match suites.iter_mut().find(|suite| suite.name == case.file) {
        Some(suite) => suite.cases.push(case),
        None => suites.push(Suite {
            name: case.file.clone(),
            cases: vec![case],
        }),
    }
}

fn sound(file: &str) -> Case {
    Case {
        name: "no findings".to_owned(),
        file: file.to_owned(),
        line: 1,
        failure: None,
    }
}

fn case(sources: &SourceMap, diagnostic: &Diagnostic) -> Case {
    let place = Place::of(sources, diagnostic.primary.span);
    let (code, (line, column)) = (diagnostic.code, place.start);
    let severity = severity_name(diagnostic.severity);
    let mut text = format!(
        "{}:{line}:{column}: {severity}[{}] {}\n",
        place.file, code.number, diagnostic.message
    );
    if let Some(help) = next_step(diagnostic) {
        let _ = writeln!(text, "help: {help}");
    }
    Case {
        name: format!("{} {} at {line}:{column}", code.number, code.name),
        file: place.file.to_owned(),
        line,
        failure: Some(Failure {
            kind: code.number.to_owned(),
            message: diagnostic.message.clone(),
            text,
        }),
    }
}

fn failures(suite: &Suite) -> usize {
    let failed = suite.cases.iter().filter(|case| case.failure.is_some());
    failed.count()
}

fn write_suite(suite: &Suite, text: &mut String) {
    let (name, tests, failed) = (escape(&suite.name), suite.cases.len(), failures(suite));
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failed}\" errors=\"0\" skipped=\"0\">"
    );
    for case in &suite.cases {
        write_case(case, text);
    }
    text.push_str("  </testsuite>\n");
}

fn write_case(case: &Case, text: &mut String) {
    let (name, file, line) = (escape(&case.name), escape(&case.file), case.line);
    let head = format!(
        "    <testcase name=\"{name}\" classname=\"{file}\" file=\"{file}\" line=\"{line}\""
    );
    let _ = match &case.failure {
        None => writeln!(text, "{head}/>"),
        Some(failure) => writeln!(
            text,
            "{head}>\n      <failure type=\"{}\" message=\"{}\">{}</failure>\n    </testcase>",
            escape(&failure.kind),
            escape(&failure.message),
            escape(&failure.text)
        ),
    };
}

/// Text that stands between quotes or tags as what it is.
fn escape(text: &str) -> String {
    let escaped = text.chars().map(|character| match character {
        '&' => Cow::Borrowed("&amp;"),
        '<' => "&lt;".into(),
        '>' => "&gt;".into(),
        '"' => "&quot;".into(),
        '\'' => "&apos;".into(),
        // As they are, an attribute would turn them into spaces.
        '\n' => "&#10;".into(),
        '\t' => "&#9;".into(),
        '\r' | '\u{fffe}' | '\u{ffff}' => "".into(),
        _ if character.is_control() => "".into(),
        _ => character.to_string().into(),
    });
    escaped.collect()
}

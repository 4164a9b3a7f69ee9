//! `redact email, "INT-[0-9]{6}" in request, logs`

use waypost_lang::codes;
use waypost_lang::source::Span;
use waypost_lang::syntax::tree::{self, Name, Text};
use waypost_policies::plan::pattern;

use super::values::{missing, word};
use crate::checks::this_version;
use crate::findings::Findings;
use crate::program::Redaction;

/// What each kind looks for. They prefer to find too much: what is hidden can be asked for again.
const KINDS: &[(&str, &str)] = &[
    (
        "email",
        r"(?i)\b[a-z0-9._%+-]+@(?:[a-z0-9-]+\.)+[a-z]{2,}\b",
    ),
    ("credit-card", r"\b(?:\d[ -]?){12,18}\d\b"),
    (
        "phone",
        r"(?:\+\d{1,3}[ .-]?)?(?:\(\d{2,4}\)[ .-]?|\b\d{2,4}[ .-])\d{3,4}[ .-]\d{3,4}\b",
    ),
    ("ssn", r"\b\d{3}-\d{2}-\d{4}\b"),
    (
        "ip-address",
        r"(?i)\b(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b|\b(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}\b",
    ),
    (
        "api-key",
        r"\b(?:sk|pk|rk)-[A-Za-z0-9_-]{16,}|\bAKIA[0-9A-Z]{16}\b|\bgh[opsu]_[A-Za-z0-9]{36,}\b|\bxox[abprs]-[A-Za-z0-9-]{10,}",
    ),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Request,
    Logs,
    Response,
}

const PLACES: &[(&str, Place)] = &[
    ("request", Place::Request),
    ("logs", Place::Logs),
    ("response", Place::Response),
];

pub(crate) fn resolve(
    span: Span,
    patterns: &[tree::Redaction],
    places: &[Name],
    findings: &mut Findings,
) -> Vec<Redaction> {
    if places.is_empty() {
        let example = "redact email in request, logs";
        missing(span, "`redact`", "in", "where?", example, findings);
    }
    let named = places.iter().filter_map(|name| {
        let place = word("place to redact", name, PLACES, findings)?;
        if place == Place::Response {
            findings.push(this_version::redact_response(name));
        }
        Some(place)
    });
    let places: Vec<Place> = named.collect();
    let mut redactions = Vec::new();
    for written in patterns {
        let found = match written {
            tree::Redaction::Kind(name) => word("kind of redaction", name, KINDS, findings)
                .map(|pattern| (pattern.to_owned(), format!("[{}]", name.value))),
            tree::Redaction::Pattern(text) => {
                compiles(text, findings).then(|| (text.value.clone(), "[redacted]".to_owned()))
            }
        };
        redactions.extend(found.map(|(pattern, replacement)| Redaction {
            span,
            pattern,
            replacement,
            request: places.contains(&Place::Request),
            logs: places.contains(&Place::Logs),
            response: places.contains(&Place::Response),
        }));
    }
    redactions
}

/// Whether the pattern is a regular expression that finds something.
fn compiles(text: &Text, findings: &mut Findings) -> bool {
    let (label, help) = match pattern(&text.value) {
        Ok(regex) if !regex.is_match("") => return true,
        Ok(_) => (
            "matches the empty text, so it would be found everywhere".to_owned(),
            "let it match at least one character, such as `\"INT-[0-9]{6}\"`",
        ),
        Err(error) => (
            reason(&error),
            "write a regular expression without look-around and back-references; `\\` is written `\\\\`",
        ),
    };
    findings.push(
        codes::BAD_VALUE
            .error(
                text.span,
                format!("`{}` is no pattern to redact", text.value),
            )
            .label(label)
            .help(help),
    );
    false
}

/// The last line of the regex crate's message, which is the cause.
pub(super) fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or("not a regular expression");
    last.trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::KINDS;
    use regex::Regex;

    fn finds(kind: &str, text: &str) -> bool {
        let (_, pattern) = KINDS.iter().find(|(name, _)| *name == kind).unwrap();
        Regex::new(pattern).unwrap().is_match(text)
    }

    #[test]
    fn kinds_find_what_they_say_and_leave_the_neighbour() {
        assert!(finds("email", "write to ada.l@mail.acme.dev today"));
        assert!(!finds("email", "a @ b"));
        assert!(finds("credit-card", "4111 1111 1111 1111"));
        assert!(!finds("credit-card", "order 41111111"));
        assert!(finds("phone", "call +49 30 1234 5678"));
        assert!(!finds("phone", "in 2026 we had 12 of them"));
        assert!(finds("ssn", "078-05-1120"));
        assert!(!finds("ssn", "078-051120"));
        assert!(finds("ip-address", "from 10.0.0.12"));
        assert!(!finds("ip-address", "version 1.2.3"));
        assert!(finds("api-key", "sk-abcdefghijklmnop0123"));
        assert!(!finds("api-key", "sk-short"));
    }
}

//! YAML that every reader takes for the same thing.
//!
//! Invariant: a string is read back as a string by YAML 1.2 and by YAML 1.1. `serde_yaml` writes the former;
//! `kubectl` and the API server read the latter, where a plain `on` is true, `1_000` a number and `2024-10-21` a day.

use serde::Serialize;

/// `value` as one YAML document.
pub(crate) fn to_string<Value: Serialize>(value: &Value) -> Result<String, serde_yaml::Error> {
    serde_yaml::to_string(value).map(|text| quoted(&text))
}

/// `text`, as `serde_yaml` writes it, with quotes around what YAML 1.1 would take for something else.
fn quoted(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut literal: Option<usize> = None;
    for line in text.lines() {
        let content = line.trim_start_matches(' ');
        let indent = line.len() - content.len();
        if literal.is_some_and(|parent| indent > parent || content.is_empty()) {
            written.push_str(line);
        } else {
            literal = literal_parent(content, indent);
            written.push_str(line.get(..indent).unwrap_or(""));
            push_item(content, &mut written);
        }
        written.push('\n');
    }
    written
}

/// How far in the owner of a text is, where the lines below are one: they are further in.
fn literal_parent(content: &str, indent: usize) -> Option<usize> {
    if let Some(rest) = content
        .strip_prefix("- ")
        .filter(|rest| !opens_literal(rest))
    {
        return literal_parent(rest, indent + 2);
    }
    let (_, last) = content.rsplit_once(' ')?;
    opens_literal(last).then_some(indent)
}

/// `|`, with or without how it ends and how far in it is.
fn opens_literal(scalar: &str) -> bool {
    scalar.starts_with('|') && scalar.len() <= 3
}

/// One entry of a list, of a map, or a scalar by itself.
fn push_item(content: &str, written: &mut String) {
    if let Some(rest) = content.strip_prefix("- ") {
        written.push_str("- ");
        push_item(rest, written);
    } else if let Some((key, value)) = content.split_once(": ") {
        push_scalar(key, written);
        written.push_str(": ");
        push_scalar(value, written);
    } else if let Some(key) = content.strip_suffix(':') {
        push_scalar(key, written);
        written.push(':');
    } else {
        push_scalar(content, written);
    }
}

fn push_scalar(scalar: &str, written: &mut String) {
    if is_ambiguous(scalar) {
        written.extend(["'", scalar, "'"]);
    } else {
        written.push_str(scalar);
    }
}

/// Whether a plain scalar that YAML 1.2 reads as a string is something else in YAML 1.1.
fn is_ambiguous(plain: &str) -> bool {
    const WORDS: [&str; 6] = ["y", "n", "yes", "no", "on", "off"];
    WORDS.iter().any(|word| plain.eq_ignore_ascii_case(word)) || is_number(plain) || is_day(plain)
}

/// Digits with underscores, or in sixties: `1_000`, `0x1_0`, `12:30`. Numbers without are as in YAML 1.2.
fn is_number(plain: &str) -> bool {
    let digits = plain.trim_start_matches(['+', '-', '.']);
    let starts = digits.starts_with(|first: char| first.is_ascii_digit());
    let all = |more: &str| {
        let of = |letter: char| letter.is_ascii_hexdigit() || more.contains(letter);
        digits.chars().all(of)
    };
    starts && (plain.contains('_') && all("_xob.+-") || plain.contains(':') && all(":_"))
}

/// `2024-10-21`, alone or before a time of the day.
fn is_day(plain: &str) -> bool {
    let mut parts = plain.splitn(3, '-');
    let (year, month, rest) = (parts.next(), parts.next(), parts.next());
    let number = |part: Option<&str>, lengths: [usize; 2]| {
        part.is_some_and(|part| {
            lengths.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    let day = rest.and_then(|rest| rest.split(['T', 't', ' ']).next());
    number(year, [4, 4]) && number(month, [1, 2]) && number(day, [1, 2])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::collections::BTreeMap;

    use super::{is_ambiguous, quoted, to_string};

    #[test]
    fn what_yaml_1_1_takes_for_something_else_is_ambiguous() {
        for plain in [
            "on",
            "No",
            "y",
            "1_000",
            "0x1_0",
            "12:30",
            "-1:30",
            "2024-10-21",
            "2024-1-2T10:00:00Z",
        ] {
            assert!(is_ambiguous(plain), "{plain}");
        }
        for plain in [
            "once",
            "true",
            "5000",
            "60s",
            "0.0.0.0:8080",
            "10.0.0.0/8",
            "gpt_5",
            "phi",
            "2024-10",
            "'on'",
            "registry:5000/a_b",
            "::/0",
        ] {
            assert!(!is_ambiguous(plain), "{plain}");
        }
    }

    #[test]
    fn keys_values_and_entries_are_quoted_and_texts_are_left() {
        let text = "on: off\nlist:\n- no\n- - y\n- text: |-\n    on: off\n    no\n\n    y\n  b: yes\n- |\n  on: off\n  - no\n- n\nwhole: true\n";
        let expected = "'on': 'off'\nlist:\n- 'no'\n- - 'y'\n- text: |-\n    on: off\n    no\n\n    y\n  b: 'yes'\n- |\n  on: off\n  - no\n- 'n'\nwhole: true\n";
        assert_eq!(quoted(text), expected);
    }

    #[test]
    fn everything_is_read_back_as_it_was() {
        let value: BTreeMap<&str, &str> = BTreeMap::from([
            ("on", "2024-10-21"),
            ("a", "one\n  no: on\ny\n"),
            ("b", "it's: on"),
            ("c: d", "off"),
            ("e", "\n on\n"),
            ("f", ""),
        ]);
        let text = to_string(&value).unwrap();
        let back: BTreeMap<String, String> = serde_yaml::from_str(&text).unwrap();
        let same = back
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()));
        assert!(same.eq(value), "{text}");
    }
}

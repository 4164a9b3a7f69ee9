//! The file of keys: who may call with a key, what they are, and until when.
//!
//! Invariants: what is not known is refused, so that no slip of the pen widens what a caller may do; a message says
//! where and never quotes the file, which may hold keys; nothing here can be printed.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// The fields of an entry.
const FIELDS: [&str; 12] = [
    "key", "sha256", "id", "begins", "team", "agent", "plan", "name", "models", "created",
    "expires", "revoked",
];

/// A file of keys.
#[derive(Default, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFile {
    /// One entry a key.
    pub keys: Vec<KeyEntry>,
}

/// A key and whom it stands for.
#[derive(Default, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeyEntry {
    /// What rules see as `caller.key`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The key itself: read, and warned of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The SHA-256 of the key, in hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The first characters of the key, for people who look for one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub begins: String,
    /// `caller.team`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub team: String,
    /// `caller.agent`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub agent: String,
    /// `caller.plan`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub plan: String,
    /// `caller.name`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The only models that it may use; a `*` at the end stands for the rest of a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub models: Option<Vec<String>>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// From when on it is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// When it was revoked; it is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked: Option<String>,
}

/// Why a key file is refused.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum KeysError {
    /// It is no such JSON. The parser's own words are not shown: they quote what stands there, which may be a key.
    #[error(
        "caller keys: line {line}, column {column}: expected {{\"keys\": [{{\"sha256\": …}}, …]}} with `sha256` or `key`, \
         `id`, `begins`, `team`, `agent`, `plan`, `name`, `created`, `expires` and `revoked`, each a string, and `models`, a list of strings"
    )]
    Syntax {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// A field is not known, and nearly is.
    #[error(
        "caller keys: line {line}, column {column}: no field is called so: did you mean `{meant}`?"
    )]
    Field {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// The field that it nearly is.
        meant: &'static str,
    },
    /// An entry says both or neither.
    #[error("caller keys: entry {0} needs either `key` or `sha256`")]
    OneOf(usize),
    /// A digest is none.
    #[error("caller keys: `sha256` of entry {0} is not 64 hexadecimal digits")]
    NotDigest(usize),
    /// A key is empty.
    #[error("caller keys: `key` of entry {0} is empty")]
    Empty(usize),
    /// A key stands twice.
    #[error("caller keys: entry {0} has the key of an earlier one")]
    Twice(usize),
    /// A moment is none.
    #[error(
        "caller keys: `{field}` of entry {entry} is no moment: write `2027-01-31` or `2027-01-31T12:00:00Z`"
    )]
    NotMoment {
        /// From 1.
        entry: usize,
        /// Which.
        field: &'static str,
    },
}

impl KeyFile {
    /// Reads a file of keys.
    ///
    /// # Errors
    ///
    /// What is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, KeysError> {
        let file: Self = serde_json::from_str(text).map_err(|error| refused(&error))?;
        for (entry, key) in (1..).zip(&file.keys) {
            key.expires(entry)?;
            for (field, moment) in [("created", &key.created), ("revoked", &key.revoked)] {
                parsed(entry, field, moment.as_deref())?;
            }
        }
        Ok(file)
    }

    /// As JSON, one field a line.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Strings only: nothing here fails to serialise.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

impl KeyEntry {
    /// From when on it is refused; `entry` is for the message.
    pub(super) fn expires(&self, entry: usize) -> Result<Option<Timestamp>, KeysError> {
        parsed(entry, "expires", self.expires.as_deref())
    }

    /// Whether it is refused at this moment, and in one word why.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> &'static str {
        if self.revoked.is_some() {
            return "revoked";
        }
        match self.expires.as_deref().map(moment) {
            Some(Some(until)) if now < until => "active",
            None => "active",
            _ => "expired",
        }
    }
}

/// A moment: a timestamp, or a day, whose beginning in UTC is meant.
#[must_use]
pub fn moment(text: &str) -> Option<Timestamp> {
    let of_day = || {
        let day: Date = text.parse().ok()?;
        Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    text.parse().ok().or_else(of_day)
}

fn parsed(
    entry: usize,
    field: &'static str,
    text: Option<&str>,
) -> Result<Option<Timestamp>, KeysError> {
    text.map(|text| moment(text).ok_or(KeysError::NotMoment { entry, field }))
        .transpose()
}

fn refused(error: &serde_json::Error) -> KeysError {
    let (line, column) = (error.line(), error.column());
    let words = error.to_string();
    let unknown = words
        .strip_prefix("unknown field `")
        .and_then(|rest| rest.split_once('`'))
        .and_then(|(name, _)| nearest(name));
    match unknown {
        Some(meant) => KeysError::Field {
            line,
            column,
            meant,
        },
        None => KeysError::Syntax { line, column },
    }
}

/// The field whose name differs the least, where it is not another word.
fn nearest(name: &str) -> Option<&'static str> {
    let distances = FIELDS.iter().map(|field| (distance(name, field), *field));
    let (distance, field) = distances.min()?;
    (distance <= 2 && distance * 2 <= field.len()).then_some(field)
}

/// How many characters have to be changed, added or left out.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (place, letter) in from.chars().enumerate() {
        let (mut diagonal, mut left) = (place, place + 1);
        let mut next = vec![left];
        for (other, above) in to.iter().zip(row.iter().skip(1)) {
            let changed = diagonal + usize::from(letter != *other);
            left = changed.min(left + 1).min(above + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn refusal(text: &str) -> String {
        KeyFile::parse(text).err().unwrap().to_string()
    }

    #[test]
    fn a_bad_file_is_not_quoted() {
        for file in [
            r#"{"keys":["wp-secret"]}"#,
            r#"{"keys":[{"wp-secret":"payments"}]}"#,
            r#"{"keys":"wp-secret"}"#,
            r#"["wp-secret"]"#,
            r#"{"keys":[{"models":"wp-secret"}]}"#,
            r#"{"keys":[{"expires":"wp-secret"}]}"#,
        ] {
            let words = refusal(file);
            assert!(!words.contains("wp-secret"), "{words}");
        }
    }

    #[test]
    fn a_slip_is_told_by_place_and_nearest_name() {
        let near = [
            ("tema", "team"),
            ("sha265", "sha256"),
            ("model", "models"),
            ("expire", "expires"),
        ];
        for (slip, meant) in near {
            assert!(
                refusal(&format!(r#"{{"keys":[{{"{slip}":"x"}}]}}"#))
                    .ends_with(&format!("did you mean `{meant}`?")),
                "{slip}"
            );
        }
        assert!(
            refusal(r#"{"keys":[{"key":"a","budget":"x"}]}"#)
                .starts_with("caller keys: line 1, column 28: expected ")
        );
        assert_eq!(
            refusal(r#"{"keys":[{"key":"a","expires":"soon"}]}"#),
            "caller keys: `expires` of entry 1 is no moment: write `2027-01-31` or `2027-01-31T12:00:00Z`"
        );
    }

    #[test]
    fn a_day_ends_with_its_beginning() {
        let entry = KeyEntry {
            expires: Some("2027-01-31".to_owned()),
            ..KeyEntry::default()
        };
        assert_eq!(
            entry.state("2027-01-30T23:59:59Z".parse().unwrap()),
            "active"
        );
        assert_eq!(
            entry.state("2027-01-31T00:00:00Z".parse().unwrap()),
            "expired"
        );
    }
}

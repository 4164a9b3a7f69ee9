//! Who calls: keys against the plan's key file, compared by digest.
//!
//! Invariants: a key is never kept, logged or shown, only its SHA-256; a caller that is not known is let in
//! only where the plan says so.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use ring::digest::{SHA256, digest};
use serde::Deserialize;
use waypost_policies::Caller;

type Digest = [u8; 32];

/// The caller key that demonstrations accept.
const DEMO_KEY: &str = "demo";

/// The callers that are known.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    known: HashMap<Digest, Arc<Identity>>,
    has_keys: bool,
    anonymous: bool,
}

/// Who a key stands for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    /// What names the key, never the key.
    pub(crate) id: String,
    pub(crate) team: String,
    agent: String,
    plan: String,
    name: String,
}

impl Identity {
    /// As a decision sees it; no claims come from a key.
    pub(crate) fn caller(&self, claims: usize) -> Caller<'_> {
        Caller {
            key: Cow::Borrowed(&self.id),
            team: Cow::Borrowed(&self.team),
            agent: Cow::Borrowed(&self.agent),
            plan: Cow::Borrowed(&self.plan),
            name: Cow::Borrowed(&self.name),
            claims: vec![None; claims],
        }
    }
}

/// Why a key file is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeysError {
    /// It is no such JSON. The parser's own words are not shown: they quote what stands there, which may be a key.
    #[error(
        "caller keys: line {line}, column {column}: expected {{\"keys\": [{{\"key\": …}}, …]}} with `key` or `sha256`, \
         `id`, `team`, `agent`, `plan` and `name`, each a string"
    )]
    Syntax {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
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
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    keys: Vec<KeyEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyEntry {
    key: Option<String>,
    sha256: Option<String>,
    id: Option<String>,
    #[serde(default)]
    team: String,
    #[serde(default)]
    agent: String,
    #[serde(default)]
    plan: String,
    #[serde(default)]
    name: String,
}

/// Why a call has no caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// It sent no key.
    NoKey,
    /// The key that it sent is not known.
    WrongKey,
    /// `Authorization` is not `Bearer KEY`.
    NotBearer,
    /// One header stands twice: who calls would depend on which of them is read.
    Twice,
}

impl Directory {
    /// The callers of a key file, and anonymous ones where the plan lets them in.
    pub(crate) fn read(file: Option<&str>, anonymous: bool) -> Result<Self, KeysError> {
        let mut directory = Self {
            known: HashMap::new(),
            has_keys: file.is_some(),
            anonymous,
        };
        let Some(file) = file else {
            return Ok(directory);
        };
        let file: KeyFile = serde_json::from_str(file).map_err(|error| KeysError::Syntax {
            line: error.line(),
            column: error.column(),
        })?;
        for (number, entry) in (1..).zip(file.keys) {
            directory.add(number, entry)?;
        }
        Ok(directory)
    }

    /// With the key `demo`.
    pub(crate) fn with_demo_key(mut self) -> Self {
        let identity = Identity {
            id: DEMO_KEY.to_owned(),
            team: DEMO_KEY.to_owned(),
            name: DEMO_KEY.to_owned(),
            ..Identity::default()
        };
        self.has_keys = true;
        self.known.insert(sha256(DEMO_KEY), Arc::new(identity));
        self
    }

    fn add(&mut self, number: usize, entry: KeyEntry) -> Result<(), KeysError> {
        let digest = match (&entry.key, &entry.sha256) {
            (Some(key), None) if key.is_empty() => return Err(KeysError::Empty(number)),
            (Some(key), None) => sha256(key),
            (None, Some(hex)) => from_hex(hex).ok_or(KeysError::NotDigest(number))?,
            _ => return Err(KeysError::OneOf(number)),
        };
        let Entry::Vacant(place) = self.known.entry(digest) else {
            return Err(KeysError::Twice(number));
        };
        place.insert(Arc::new(Identity {
            id: entry.id.unwrap_or_else(|| short_hex(&digest)),
            team: entry.team,
            agent: entry.agent,
            plan: entry.plan,
            name: entry.name,
        }));
        Ok(())
    }

    /// Who sent these headers.
    pub(crate) fn identify(&self, headers: &HeaderMap) -> Result<Arc<Identity>, Unknown> {
        let key = match sent_key(headers) {
            Err(_) | Ok(Some(_)) if !self.has_keys && self.anonymous => None,
            sent => sent?,
        };
        match key {
            Some(key) => self
                .known
                .get(&sha256(key))
                .cloned()
                .ok_or(Unknown::WrongKey),
            None if self.anonymous => Ok(Arc::default()),
            None => Err(Unknown::NoKey),
        }
    }
}

/// The key in `Authorization: Bearer`, `api-key` (as Azure's clients send it) or `x-api-key`.
fn sent_key(headers: &HeaderMap) -> Result<Option<&str>, Unknown> {
    let names = ["authorization", "api-key", "x-api-key"];
    if names.map(|name| headers.get_all(name).iter().nth(1)) != [None; 3] {
        return Err(Unknown::Twice);
    }
    if let Some(value) = headers.get(AUTHORIZATION) {
        let (scheme, key) = value
            .to_str()
            .ok()
            .and_then(|value| value.trim().split_once(' '))
            .ok_or(Unknown::NotBearer)?;
        return if scheme.eq_ignore_ascii_case("bearer") {
            Ok(Some(key.trim()))
        } else {
            Err(Unknown::NotBearer)
        };
    }
    let value = headers.get("api-key").or_else(|| headers.get("x-api-key"));
    value
        .map(|value| value.to_str().map_err(|_| Unknown::WrongKey))
        .transpose()
}

fn sha256(text: &str) -> Digest {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    bytes
}

/// The first twelve hexadecimal digits.
fn short_hex(digest: &Digest) -> String {
    digest
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn from_hex(text: &str) -> Option<Digest> {
    let mut digits = text.chars().map(|digit| digit.to_digit(16));
    let mut bytes = [0; 32];
    for byte in &mut bytes {
        let value = digits.next()?? * 16 + digits.next()??;
        *byte = u8::try_from(value).ok()?;
    }
    digits.next().is_none().then_some(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    const FILE: &str = r#"{"keys":[
        {"key":"alpha-key","id":"alpha","team":"payments","plan":"pro"},
        {"sha256":"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"}
    ]}"#;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        headers
    }

    #[test]
    fn a_key_is_found_in_each_header() {
        let directory = Directory::read(Some(FILE), false).unwrap();
        for headers in [
            headers("authorization", "Bearer alpha-key"),
            headers("authorization", "bearer alpha-key"),
            headers("api-key", "alpha-key"),
            headers("x-api-key", "alpha-key"),
        ] {
            let identity = directory.identify(&headers).unwrap();
            assert_eq!((&*identity.id, &*identity.team), ("alpha", "payments"));
        }
    }

    #[test]
    fn a_key_may_be_given_by_its_digest_and_is_named_by_it() {
        let directory = Directory::read(Some(FILE), false).unwrap();
        let identity = directory.identify(&headers("api-key", "hello")).unwrap();
        assert_eq!(identity.id, "2cf24dba5fb0");
    }

    #[test]
    fn no_key_and_a_wrong_key_are_told_apart() {
        let directory = Directory::read(Some(FILE), false).unwrap();
        let identify = |headers| directory.identify(&headers).unwrap_err();
        assert_eq!(identify(HeaderMap::new()), Unknown::NoKey);
        assert_eq!(identify(headers("api-key", "beta")), Unknown::WrongKey);
        assert_eq!(
            identify(headers("authorization", "Basic abc")),
            Unknown::NotBearer
        );
        assert_eq!(
            identify(headers("authorization", "alpha-key")),
            Unknown::NotBearer
        );
    }

    #[test]
    fn a_header_that_stands_twice_says_nothing() {
        let directory = Directory::read(Some(FILE), true).unwrap();
        for name in ["authorization", "api-key", "x-api-key"] {
            let mut twice = headers(name, "Bearer alpha-key");
            twice.append(name, "Bearer beta".parse().unwrap());
            assert_eq!(directory.identify(&twice).unwrap_err(), Unknown::Twice);
        }
    }

    #[test]
    fn anonymous_lets_in_calls_without_a_key_but_not_wrong_ones() {
        let directory = Directory::read(Some(FILE), true).unwrap();
        assert_eq!(directory.identify(&HeaderMap::new()).unwrap().id, "");
        assert_eq!(
            directory.identify(&headers("api-key", "beta")).unwrap_err(),
            Unknown::WrongKey
        );
        // Where there are no keys at all, a client's obligatory key says nothing.
        let open = Directory::read(None, true).unwrap();
        assert!(open.identify(&headers("api-key", "unused")).is_ok());
    }

    #[test]
    fn a_bad_file_is_not_quoted() {
        for file in [
            r#"{"keys":["wp-secret"]}"#,
            r#"{"keys":[{"wp-secret":"payments"}]}"#,
            r#"{"keys":"wp-secret"}"#,
            r#"["wp-secret"]"#,
        ] {
            let error = Directory::read(Some(file), false).unwrap_err();
            assert!(!error.to_string().contains("wp-secret"), "{error}");
        }
    }

    #[test]
    fn a_bad_file_says_which_entry() {
        let read = |text| Directory::read(Some(text), false).unwrap_err().to_string();
        assert!(
            read(r#"{"keys":[{"key":"a","tema":"x"}]}"#)
                .starts_with("caller keys: line 1, column 26: ")
        );
        assert_eq!(
            read(r#"{"keys":[{"id":"a"}]}"#),
            "caller keys: entry 1 needs either `key` or `sha256`"
        );
        assert_eq!(
            read(r#"{"keys":[{"key":"a"},{"key":"a"}]}"#),
            "caller keys: entry 2 has the key of an earlier one"
        );
        assert_eq!(
            read(r#"{"keys":[{"sha256":"zz"}]}"#),
            "caller keys: `sha256` of entry 1 is not 64 hexadecimal digits"
        );
    }
}

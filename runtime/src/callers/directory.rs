//! The callers that have a key.
//!
//! Invariants: no key is kept, only a keyed hash of its digest. Finding one is a lookup in a table, so its time says
//! nothing about how many keys there are; and as the hash is keyed with what only this process knows, nobody can
//! choose a key whose hash begins as another's, so that how far a comparison gets tells nothing either.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use ring::hmac;
use waypost_policies::Plan;

use super::key::{Digest, from_hex, hex, is_damaged, sha256};
use super::key_file::{KeyEntry, KeyFile, KeysError};
use super::{Identity, Unknown};
use crate::clock;
use crate::gateway::StartError;

/// The caller key that demonstrations accept.
const DEMO_KEY: &str = "demo";

/// The callers that have a key.
#[derive(Debug)]
pub(super) struct Directory {
    hash: hmac::Key,
    known: HashMap<Digest, Arc<Identity>>,
    /// What is not wrong and should not stay so.
    warnings: Vec<String>,
}

impl Directory {
    /// Nobody.
    pub(super) fn empty() -> Result<Self, StartError> {
        let random = ring::rand::SystemRandom::new();
        let hash =
            hmac::Key::generate(hmac::HMAC_SHA256, &random).map_err(|_| StartError::Random)?;
        Ok(Self {
            hash,
            known: HashMap::new(),
            warnings: Vec::new(),
        })
    }

    /// The callers of a file instead.
    pub(super) fn read(&self, file: &str, plan: &Plan) -> Result<Self, KeysError> {
        let file = KeyFile::parse(file)?;
        let mut directory = Self {
            hash: self.hash.clone(),
            known: HashMap::with_capacity(file.keys.len()),
            warnings: Vec::new(),
        };
        let plain = file.keys.iter().filter(|entry| entry.key.is_some()).count();
        if plain > 0 {
            directory.warnings.push(format!(
                "caller keys: {plain} of {} stand in the file as they are: whoever reads it can call; write their `sha256`",
                file.keys.len()
            ));
        }
        for (number, entry) in (1..).zip(file.keys) {
            directory.add(number, entry, plan)?;
        }
        Ok(directory)
    }

    /// With the key `demo`.
    pub(super) fn with_demo_key(mut self) -> Self {
        let identity = Identity {
            id: DEMO_KEY.into(),
            team: DEMO_KEY.into(),
            name: DEMO_KEY.into(),
            ..Identity::default()
        };
        self.known
            .insert(self.hashed(&sha256(DEMO_KEY)), Arc::new(identity));
        self
    }

    fn add(&mut self, number: usize, entry: KeyEntry, plan: &Plan) -> Result<(), KeysError> {
        let expires = entry.expires(number)?;
        let digest = match (&entry.key, &entry.sha256) {
            (Some(key), None) if key.is_empty() => return Err(KeysError::Empty(number)),
            (Some(key), None) => sha256(key),
            (None, Some(hex)) => from_hex(hex).ok_or(KeysError::NotDigest(number))?,
            _ => return Err(KeysError::OneOf(number)),
        };
        for name in entry.models.iter().flatten() {
            if plan.models_named(std::slice::from_ref(name)).is_empty() {
                self.warnings.push(format!(
                    "caller keys: no model is called `{name}`, which entry {number} may use"
                ));
            }
        }
        let hashed = self.hashed(&digest);
        let Entry::Vacant(place) = self.known.entry(hashed) else {
            return Err(KeysError::Twice(number));
        };
        place.insert(Arc::new(Identity {
            id: entry
                .id
                .unwrap_or_else(|| hex(digest.get(..6).unwrap_or_default()))
                .into(),
            team: entry.team.into(),
            agent: entry.agent.into(),
            plan: entry.plan.into(),
            name: entry.name.into(),
            models: entry
                .models
                .as_deref()
                .map(|names| plan.models_named(names)),
            allowed: entry.models,
            claims: Vec::new(),
            expires: expires.map(|at| i64::try_from(at.as_nanosecond()).unwrap_or(i64::MAX)),
            revoked: entry.revoked.is_some(),
        }));
        Ok(())
    }

    /// Whose key this is.
    pub(super) fn find(&self, key: &str) -> Result<Arc<Identity>, Unknown> {
        let Some(identity) = self.known.get(&self.hashed(&sha256(key))) else {
            return Err(match is_damaged(key) {
                true => Unknown::Damaged,
                false => Unknown::WrongKey,
            });
        };
        if identity.revoked {
            return Err(Unknown::Revoked);
        }
        match identity.expires {
            Some(until) if until <= clock::now() => Err(Unknown::Expired),
            _ => Ok(Arc::clone(identity)),
        }
    }

    /// How many keys are known.
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    pub(super) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    fn hashed(&self, digest: &Digest) -> Digest {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(hmac::sign(&self.hash, digest).as_ref());
        bytes
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use waypost_policies::{example, plan};

    const FILE: &str = r#"{"keys":[
        {"key":"alpha-key","id":"alpha","team":"payments","plan":"pro","models":["gpt*"]},
        {"sha256":"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"},
        {"key":"old","expires":"2020-01-01"},
        {"key":"gone","expires":"2999-01-01","revoked":"2026-01-01T00:00:00Z"},
        {"key":"later","expires":"2999-01-01"}
    ]}"#;

    fn read(file: &str) -> Result<Directory, KeysError> {
        let plan = Plan::load(plan::encode(&example::draft())).unwrap();
        Directory::empty().unwrap().read(file, &plan)
    }

    #[test]
    fn a_key_is_found_by_itself_or_by_its_digest() {
        let directory = read(FILE).unwrap();
        let alpha = directory.find("alpha-key").unwrap();
        assert_eq!((&*alpha.id, &*alpha.team), ("alpha", "payments"));
        assert_eq!(alpha.models.as_deref(), Some(&[1][..]));
        assert_eq!(&*directory.find("hello").unwrap().id, "2cf24dba5fb0");
        assert!(directory.find("later").is_ok());
    }

    #[test]
    fn what_is_wrong_with_a_key_is_told_apart() {
        let directory = read(FILE).unwrap();
        let find = |key| directory.find(key).unwrap_err();
        assert_eq!(find("beta"), Unknown::WrongKey);
        assert_eq!(find("old"), Unknown::Expired);
        assert_eq!(find("gone"), Unknown::Revoked);
        assert_eq!(find("wpk_cut"), Unknown::Damaged);
    }

    #[test]
    fn a_bad_file_says_which_entry() {
        let refused = |text| read(text).unwrap_err().to_string();
        assert_eq!(
            refused(r#"{"keys":[{"id":"a"}]}"#),
            "caller keys: entry 1 needs either `key` or `sha256`"
        );
        assert_eq!(
            refused(
                r#"{"keys":[{"key":"hello"},{"sha256":"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"}]}"#
            ),
            "caller keys: entry 2 has the key of an earlier one"
        );
        assert_eq!(
            refused(r#"{"keys":[{"sha256":"zz"}]}"#),
            "caller keys: `sha256` of entry 1 is not 64 hexadecimal digits"
        );
    }

    #[test]
    fn plain_keys_and_unknown_models_are_warned_of() {
        let directory = read(r#"{"keys":[{"key":"a","models":["gpt-5.1","gtp-5"]}]}"#).unwrap();
        assert_eq!(directory.warnings().len(), 2);
        assert!(directory.warnings()[1].contains("`gtp-5`"));
        assert!(!format!("{directory:?}").contains("\"a\""));
    }
}

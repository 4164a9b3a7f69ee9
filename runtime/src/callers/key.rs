//! The keys that callers get: `wpk_`, 32 random characters, and 6 that check the others.
//!
//! Invariant: a key holds 190 random bits, so that a plain digest of it can be published and a slow hash protects
//! nothing more; the checksum lets a scanner tell a leaked key from a word that looks like one.

use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::gateway::StartError;

/// What every key begins with.
const PREFIX: &str = "wpk_";
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const RANDOM: usize = 32;
const CHECKSUM: usize = 6;
/// How much of a key is shown, to tell one from another: the prefix and six characters.
const SHOWN: usize = PREFIX.len() + 6;

pub(crate) type Digest = [u8; 32];

/// A new key.
///
/// # Errors
///
/// The system gives no random numbers.
pub fn new_key() -> Result<String, StartError> {
    let random = SystemRandom::new();
    let mut key = PREFIX.to_owned();
    while key.len() < PREFIX.len() + RANDOM {
        let mut byte = [0];
        random.fill(&mut byte).map_err(|_| StartError::Random)?;
        // The highest bytes would make the first digits likelier than the others.
        let fair = byte
            .first()
            .filter(|byte| usize::from(**byte) < 256 / DIGITS.len() * DIGITS.len());
        key.extend(fair.map(|byte| digit(u32::from(*byte))));
    }
    let checksum = checksum(&key);
    key.push_str(&checksum);
    Ok(key)
}

/// What of a key may be shown: too little to guess the rest.
#[must_use]
pub fn beginning(key: &str) -> &str {
    key.get(..SHOWN).unwrap_or_default()
}

/// Whether it begins as a key of ours and its checksum is wrong: cut off or mistyped.
pub(crate) fn is_damaged(key: &str) -> bool {
    let Some(rest) = key.strip_prefix(PREFIX) else {
        return false;
    };
    let whole = rest.len() == RANDOM + CHECKSUM;
    let parts = key.split_at_checked(PREFIX.len() + RANDOM);
    !(whole && parts.is_some_and(|(key, check)| checksum(key) == check))
}

/// What stands for a key in a file of keys.
#[must_use]
pub fn key_digest(key: &str) -> String {
    hex(&sha256(key))
}

pub(crate) fn sha256(text: &str) -> Digest {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    bytes
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn from_hex(text: &str) -> Option<Digest> {
    let mut digits = text.chars().map(|digit| digit.to_digit(16));
    let mut bytes = [0; 32];
    for byte in &mut bytes {
        let value = digits.next()?? * 16 + digits.next()??;
        *byte = u8::try_from(value).ok()?;
    }
    digits.next().is_none().then_some(bytes)
}

fn checksum(key: &str) -> String {
    let mut rest = crc32fast::hash(key.as_bytes());
    let mut digits: Vec<char> = (0..CHECKSUM)
        .map(|_| {
            let last = digit(rest);
            rest /= DIGITS.len() as u32;
            last
        })
        .collect();
    digits.reverse();
    digits.into_iter().collect()
}

fn digit(number: u32) -> char {
    let place = number as usize % DIGITS.len();
    char::from(DIGITS.get(place).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::string_slice, reason = "tests")]
    use super::*;

    #[test]
    fn a_key_holds_its_checksum_and_no_damaged_one_does() {
        let key = new_key().unwrap();
        assert_eq!(key.len(), 42);
        assert!(key.starts_with("wpk_") && !is_damaged(&key), "{key}");
        assert!(is_damaged(&key[..41]));
        assert!(is_damaged(&format!("{key}0")));
        for (place, sent) in key.char_indices().skip(PREFIX.len()) {
            let other = if sent == 'x' { 'y' } else { 'x' };
            let mut damaged = key.clone();
            damaged.replace_range(place..=place, &other.to_string());
            assert!(is_damaged(&damaged), "{damaged}");
        }
        assert_ne!(key, new_key().unwrap());
    }

    #[test]
    fn keys_of_others_are_never_called_damaged() {
        assert!(!is_damaged("sk-abc") && !is_damaged("alpha-key") && !is_damaged(""));
        assert_eq!(beginning("short"), "");
    }
}

//! Which replica has seen the beginning of a prompt, and so may have it in its cache.
//!
//! A prompt's text is cut into blocks, and each block's hash is chained to the one before it: an equal hash means an
//! equal beginning. For each endpoint the hashes it was sent last are kept, within a bound. A block is never younger
//! than the ones before it, so what is kept of a prompt is always its beginning, and the longest match is found by
//! halving.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use siphasher::sip::SipHasher13;

/// Bytes of text in a block: some 64 tokens, four blocks of an engine.
pub const BLOCK: usize = 256;
/// More blocks than this are not looked at: half a megabyte of text.
pub const MOST_BLOCKS: usize = 2048;

/// The chained hashes of a prompt's whole blocks. The pieces are taken as one text, in their order.
///
/// Hashes are of one model: another model's cache holds other things.
#[must_use]
pub fn chain(model: &str, pieces: &[&str]) -> Vec<u64> {
    let length: usize = pieces.iter().map(|piece| piece.len()).sum();
    let mut hashes = Vec::with_capacity((length / BLOCK).min(MOST_BLOCKS));
    let mut before = link(0);
    before.write(model.as_bytes());
    let mut block = link(before.finish());
    let mut room = BLOCK;
    for piece in pieces {
        let mut rest = piece.as_bytes();
        while !rest.is_empty() && hashes.len() < MOST_BLOCKS {
            let (part, after) = rest.split_at(room.min(rest.len()));
            block.write(part);
            (rest, room) = (after, room - part.len());
            if room == 0 {
                let hash = block.finish();
                hashes.push(hash);
                (block, room) = (link(hash), BLOCK);
            }
        }
    }
    hashes
}

fn link(before: u64) -> SipHasher13 {
    SipHasher13::new_with_keys(before, 0x7761_7970_6f73_7400)
}

/// What each endpoint was sent last.
#[derive(Debug)]
pub struct PrefixIndex {
    endpoints: HashMap<u64, Seen>,
    /// Blocks of a generation.
    generation: usize,
}

impl PrefixIndex {
    /// An index that keeps at most this many blocks of each endpoint.
    #[must_use]
    pub fn new(blocks: usize) -> Self {
        Self {
            endpoints: HashMap::new(),
            generation: (blocks / 2).max(1),
        }
    }

    /// How many of a prompt's first blocks an endpoint has seen.
    #[must_use]
    pub fn warm(&self, endpoint: u64, chain: &[u64]) -> usize {
        self.endpoints
            .get(&endpoint)
            .map_or(0, |seen| chain.partition_point(|hash| seen.contains(*hash)))
    }

    /// An endpoint is sent a prompt.
    pub fn insert(&mut self, endpoint: u64, chain: &[u64]) {
        let seen = self.endpoints.entry(endpoint).or_default();
        // The last block first: so a block is never younger than the ones before it.
        for hash in chain.iter().take(self.generation).rev() {
            seen.insert(*hash, self.generation);
        }
    }

    /// An endpoint's cache holds nothing any more: it was restarted.
    pub fn forget(&mut self, endpoint: u64) {
        self.endpoints.remove(&endpoint);
    }

    /// Forgets the endpoints that are gone.
    pub fn retain(&mut self, is_there: impl Fn(u64) -> bool) {
        self.endpoints.retain(|endpoint, _| is_there(*endpoint));
    }
}

/// The blocks of one endpoint in two generations: the older one is forgotten as a whole when the younger is full.
#[derive(Debug, Default)]
struct Seen {
    young: HashSet<u64, BuildHasherDefault<Already>>,
    old: HashSet<u64, BuildHasherDefault<Already>>,
}

impl Seen {
    fn contains(&self, hash: u64) -> bool {
        self.young.contains(&hash) || self.old.contains(&hash)
    }

    fn insert(&mut self, hash: u64, most: usize) {
        if self.young.len() >= most && !self.young.contains(&hash) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(hash);
    }
}

/// What is a hash already needs no other.
#[derive(Debug, Default, Clone, Copy)]
struct Already(u64);

impl Hasher for Already {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

//! The KV cache of a simulated replica: which prefixes are warm.
//!
//! Prompts are cut into blocks as vLLM does; a block is known by the hash of itself and all before it. The least
//! recently used block goes first. Pure: no clock, no lock.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// Tokens of one block.
pub(super) const BLOCK_TOKENS: u64 = 16;
/// Bytes that count as one token.
pub(super) const TOKEN_BYTES: usize = 4;

/// A prompt as the cache sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prompt {
    /// Its length.
    pub(super) tokens: u64,
    /// Its complete blocks, each by the hash of everything up to its end.
    pub(super) blocks: Vec<u64>,
}

impl Prompt {
    /// Cuts `text` into blocks.
    pub(super) fn new(text: &str) -> Self {
        let block_bytes = TOKEN_BYTES * usize::try_from(BLOCK_TOKENS).unwrap_or(usize::MAX);
        let mut hasher = DefaultHasher::new();
        let blocks = text
            .as_bytes()
            .chunks_exact(block_bytes)
            .map(|block| {
                block.hash(&mut hasher);
                hasher.finish()
            })
            .collect();
        Self {
            tokens: text.len().div_ceil(TOKEN_BYTES).max(1) as u64,
            blocks,
        }
    }
}

/// A least-recently-used set of blocks.
#[derive(Debug)]
pub(super) struct PrefixCache {
    capacity: usize,
    clock: u64,
    used: HashMap<u64, u64>,
    oldest: BTreeMap<u64, u64>,
}

impl PrefixCache {
    /// Room for `capacity` blocks.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            clock: 0,
            used: HashMap::new(),
            oldest: BTreeMap::new(),
        }
    }

    /// How many tokens of the prompt's start are warm; at least its last token never is.
    pub(super) fn warm_tokens(&mut self, prompt: &Prompt) -> u64 {
        let mut warm = 0;
        for block in &prompt.blocks {
            if !self.used.contains_key(block) || warm + BLOCK_TOKENS >= prompt.tokens {
                break;
            }
            self.touch(*block);
            warm += BLOCK_TOKENS;
        }
        warm
    }

    /// Remembers the prompt's blocks.
    pub(super) fn remember(&mut self, prompt: &Prompt) {
        // Last block first: the start of a prompt, which most others share, is the youngest and stays longest.
        for block in prompt.blocks.iter().rev() {
            self.touch(*block);
        }
        while self.used.len() > self.capacity {
            let Some((_, block)) = self.oldest.pop_first() else {
                break;
            };
            self.used.remove(&block);
        }
    }

    fn touch(&mut self, block: u64) {
        self.clock += 1;
        if let Some(before) = self.used.insert(block, self.clock) {
            self.oldest.remove(&before);
        }
        self.oldest.insert(self.clock, block);
    }
}

#[cfg(test)]
mod tests {
    use super::{PrefixCache, Prompt};

    fn text(blocks: usize, letter: char) -> String {
        letter.to_string().repeat(blocks * 64)
    }

    #[test]
    fn a_shared_prefix_is_warm_and_the_rest_is_not() {
        let mut cache = PrefixCache::new(100);
        let first = Prompt::new(&(text(4, 'a') + &text(2, 'b')));
        assert_eq!(cache.warm_tokens(&first), 0);
        cache.remember(&first);
        let second = Prompt::new(&(text(4, 'a') + &text(2, 'c')));
        assert_eq!(cache.warm_tokens(&second), 64);
    }

    #[test]
    fn the_last_token_is_always_computed() {
        let mut cache = PrefixCache::new(100);
        let prompt = Prompt::new(&text(3, 'a'));
        cache.remember(&prompt);
        assert_eq!(prompt.tokens, 48);
        assert_eq!(cache.warm_tokens(&prompt), 32);
    }

    #[test]
    fn the_same_block_after_another_start_is_another_block() {
        let mut cache = PrefixCache::new(100);
        cache.remember(&Prompt::new(&(text(1, 'a') + &text(1, 'b'))));
        assert_eq!(cache.warm_tokens(&Prompt::new(&text(2, 'b'))), 0);
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let mut cache = PrefixCache::new(4);
        let old = Prompt::new(&text(2, 'a'));
        let young = Prompt::new(&text(2, 'b'));
        cache.remember(&old);
        cache.remember(&young);
        assert_eq!(cache.warm_tokens(&Prompt::new(&text(3, 'a'))), 32);
        cache.remember(&Prompt::new(&text(2, 'c')));
        assert_eq!(cache.warm_tokens(&Prompt::new(&text(3, 'b'))), 0);
        assert_eq!(cache.warm_tokens(&Prompt::new(&text(3, 'a'))), 32);
    }
}

//! Finds the group of a word by its hash, without allocating.

/// The hash of nothing.
pub(super) const EMPTY: u64 = 0xcbf2_9ce4_8422_2325;

/// Adds a letter, in lower case, to a word's hash.
pub(super) const fn hash(before: u64, byte: u8) -> u64 {
    (before ^ byte.to_ascii_lowercase() as u64).wrapping_mul(0x0100_0000_01b3)
}

/// Whether it is what a scan takes for one word.
pub(super) fn is_word(word: &str) -> bool {
    !word.is_empty()
        && word
            .bytes()
            .all(|byte| is_letter(byte) && !byte.is_ascii_uppercase())
}

/// Whether a byte belongs to a word.
pub(super) const fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte >= 0x80
}

/// Words and their groups: a table with a place for each hash, four times as large as need be.
#[derive(Debug, Clone)]
pub(super) struct Words {
    places: Vec<Option<(u64, u8)>>,
}

impl Words {
    pub(super) fn new<'w>(words: impl Iterator<Item = (&'w str, u8)>) -> Self {
        let all: Vec<(u64, u8)> = words
            .map(|(word, group)| (word.bytes().fold(EMPTY, hash), group))
            .collect();
        let mut table = Self {
            places: vec![None; (all.len() * 4).next_power_of_two()],
        };
        for (hash, group) in all {
            let free = table
                .probe(hash)
                .find(|index| matches!(table.places.get(*index), Some(None)));
            if let Some(place) = free.and_then(|index| table.places.get_mut(index)) {
                *place = Some((hash, group));
            }
        }
        table
    }

    /// The group of the word with this hash.
    pub(super) fn group(&self, hash: u64) -> Option<usize> {
        self.probe(hash)
            .map_while(|index| self.places.get(index).copied().flatten())
            .find(|(found, _)| *found == hash)
            .map(|(_, group)| usize::from(group))
    }

    fn probe(&self, hash: u64) -> impl Iterator<Item = usize> + use<> {
        let mask = self.places.len() - 1;
        let start = (hash ^ (hash >> 32)) as usize;
        (0..=mask).map(move |step| start.wrapping_add(step) & mask)
    }
}

//! What a model sees in a prompt: its structure, and which words it has.

use super::words::{EMPTY, Words, hash, is_letter};
use super::{MOST_GROUPS, MOST_HITS};

/// The names of the features of structure, in the order of [`Features::structure`].
pub const STRUCTURE: [&str; 14] = [
    "length",
    "brevity",
    "sentences",
    "lines",
    "long_words",
    "word_length",
    "numbers",
    "digits",
    "operators",
    "latex",
    "code_marks",
    "commas",
    "questions",
    "names",
];

/// A letter from which on a word is long.
const LONG: u32 = 9;
/// A prompt of this many words is not brief any more.
const BRIEF: f64 = 16.0;

/// What a model sees in a prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    /// By [`STRUCTURE`], each from 0 to 1.
    pub structure: [f64; STRUCTURE.len()],
    /// How often words of each group come.
    pub groups: [u8; MOST_GROUPS],
}

/// Counts in one pass.
pub(super) struct Scan<'w> {
    words: &'w Words,
    groups: [u8; MOST_GROUPS],
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    bytes: u32,
    words: u32,
    letters: u32,
    long_words: u32,
    /// Words with a capital that do not begin a sentence.
    names: u32,
    numbers: u32,
    digits: u32,
    operators: u32,
    latex: u32,
    code_marks: u32,
    commas: u32,
    questions: u32,
    sentences: u32,
    lines: u32,
}

/// The run of letters or digits that a scan is in.
#[derive(Clone, Copy, PartialEq)]
enum Run {
    None,
    Number,
    Word {
        hash: u64,
        letters: u32,
        capital: bool,
    },
}

impl<'w> Scan<'w> {
    pub(super) fn new(words: &'w Words) -> Self {
        Self {
            words,
            groups: [0; MOST_GROUPS],
            counts: Counts::default(),
        }
    }

    /// Reads a part of the prompt; words do not go on from one part to the next.
    pub(super) fn read(&mut self, bytes: &[u8]) {
        let (mut run, mut begins) = (Run::None, true);
        for &byte in bytes {
            run = match (run, byte) {
                (
                    Run::Word {
                        hash: before,
                        letters,
                        capital,
                    },
                    _,
                ) if is_letter(byte) => Run::Word {
                    hash: hash(before, byte),
                    letters: letters + 1,
                    capital,
                },
                (_, _) if is_letter(byte) => {
                    let capital = byte.is_ascii_uppercase() && !begins;
                    begins = false;
                    Run::Word {
                        hash: hash(EMPTY, byte),
                        letters: 1,
                        capital,
                    }
                }
                (Run::Number, b'0'..=b'9') => {
                    self.counts.digits += 1;
                    Run::Number
                }
                (before, b'0'..=b'9') => {
                    self.word(before);
                    self.counts.numbers += 1;
                    self.counts.digits += 1;
                    begins = false;
                    Run::Number
                }
                (before, _) => {
                    self.word(before);
                    begins = self.mark(byte) || begins && byte.is_ascii_whitespace();
                    Run::None
                }
            };
        }
        self.word(run);
        self.counts.bytes = self
            .counts
            .bytes
            .saturating_add(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    }

    /// A word is over.
    fn word(&mut self, run: Run) {
        let Run::Word {
            hash,
            letters,
            capital,
        } = run
        else {
            return;
        };
        self.counts.words += 1;
        self.counts.letters += letters;
        self.counts.long_words += u32::from(letters >= LONG);
        self.counts.names += u32::from(capital);
        if let Some(hits) = self
            .words
            .group(hash)
            .and_then(|group| self.groups.get_mut(group))
        {
            *hits = hits.saturating_add(1).min(MOST_HITS);
        }
    }

    /// Counts a byte that is neither letter nor digit; says whether a sentence or line begins after it.
    fn mark(&mut self, byte: u8) -> bool {
        let counts = &mut self.counts;
        match byte {
            b'+' | b'*' | b'/' | b'=' | b'^' | b'<' | b'>' | b'|' => counts.operators += 1,
            b'\\' | b'$' => counts.latex += 1,
            b'{' | b'}' | b'[' | b']' | b'(' | b')' | b';' | b'_' | b'`' | b'#' => {
                counts.code_marks += 1
            }
            b',' => counts.commas += 1,
            b'?' => counts.questions += 1,
            b'.' | b'!' | b':' => counts.sentences += 1,
            b'\n' => counts.lines += 1,
            _ => {}
        }
        matches!(byte, b'.' | b'!' | b'?' | b':' | b'\n')
    }

    pub(super) fn finish(self) -> Features {
        let counts = self.counts;
        let words = f64::from(counts.words.max(1));
        let bytes = f64::from(counts.bytes.max(1));
        let structure = [
            logarithm(counts.words, 1000.0),
            (1.0 - f64::from(counts.words) / BRIEF).max(0.0),
            logarithm(counts.sentences + counts.questions, 50.0),
            logarithm(counts.lines, 100.0),
            f64::from(counts.long_words) / words,
            (f64::from(counts.letters) / words / 10.0).min(1.0),
            logarithm(counts.numbers, 50.0),
            f64::from(counts.digits) / bytes,
            logarithm(counts.operators, 50.0),
            logarithm(counts.latex, 50.0),
            logarithm(counts.code_marks, 100.0),
            (f64::from(counts.commas) / words * 4.0).min(1.0),
            logarithm(counts.questions, 10.0),
            (f64::from(counts.names) / words).min(1.0),
        ];
        Features {
            structure,
            groups: self.groups,
        }
    }
}

/// From 0 for none to 1 for `most`, in steps that get smaller.
fn logarithm(count: u32, most: f64) -> f64 {
    (f64::from(count).ln_1p() / most.ln_1p()).min(1.0)
}

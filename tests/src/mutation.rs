//! Damage as editors, networks, merges and slips of the pen do it, the same in every run.

use waypost_lang::syntax::{TokenKind, tokens};

/// What no author means to write, and what breaks readers of text.
const PIECES: &[&str] = &[
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "\"",
    "'",
    "\"\"\"",
    "'''",
    "//",
    "///",
    "/*",
    "\\",
    "\\u",
    "\\x",
    "$",
    "%",
    "&&",
    "||",
    "?",
    "[?",
    ":",
    "::",
    ",",
    ",,",
    ";",
    "=",
    "==",
    "!",
    "<",
    "..",
    ".",
    "-",
    "--",
    "@",
    "#",
    "`",
    "r\"",
    "b'",
    "\n",
    "\r",
    "\r\n",
    "\t",
    "\u{0}",
    "\u{1}",
    "\u{b}",
    "\u{c}",
    "\u{1b}[31m",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "\u{feff}",
    "\u{202e}",
    "é",
    "🦀",
    "e\u{301}",
    "“",
    "”",
    "9223372036854775807",
    "99999999999999999999999999",
    "-0",
    "1e999",
    "0x7fffffffffffffff",
    "0.000000000000000001",
    "$99999999999999999",
    "18446744073709551615u",
    "k",
    "M",
    "%%",
    "when ",
    " when true",
    "tier ",
    "model ",
    "extend ",
    "import ",
    "require ",
    "catalog ",
    "let A = A\n",
    "} }",
    "{ {",
    "// allow(WP0401): so\n",
    "waypost 1\n",
    "waypost 2\n",
    "request.",
    "caller.claims[",
    ".orValue(",
    "null",
    "true",
    "in",
    "has(",
];

/// A source of mutations; the same seed gives the same ones.
#[derive(Debug, Clone)]
pub struct Mutator(u64);

impl Mutator {
    /// One that begins at `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `count`; 0 where there is none.
    pub fn below(&mut self, count: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % (count.max(1) as u64)).unwrap_or(0)
    }

    /// One of these.
    ///
    /// # Panics
    /// When there is none.
    pub fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// `base` with one to four changes, one of which may put in a part of `other`.
    #[must_use]
    pub fn text(&mut self, base: &str, other: &str) -> String {
        let mut text = base.to_owned();
        for _ in 0..=self.below(4) {
            text = self.change(text, other);
        }
        text
    }

    fn change(&mut self, text: String, other: &str) -> String {
        match self.below(15) {
            0 => self.bytes_of_text(&text),
            1 | 2 => self.insert(text),
            3..=7 => self.tokens(&text, other),
            8 => self.lines(&text),
            9 => text[..self.boundary(&text)].to_owned(),
            10 => self.ends_of_lines(&text),
            11 => self.splice(&text, other),
            12 => self.nest(text),
            13 => self.number(&text),
            _ => self.repeat(&text),
        }
    }

    /// An offset that is a boundary of characters.
    fn boundary(&mut self, text: &str) -> usize {
        let at = self.below(text.len() + 1);
        (0..=at)
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(0)
    }

    /// Single bytes changed; what is no UTF-8 then reads as the replacement character.
    fn bytes_of_text(&mut self, text: &str) -> String {
        let bytes = self.bytes(text.as_bytes());
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The bytes with a few of them changed, put in, taken out, or cut off.
    #[must_use]
    pub fn bytes(&mut self, base: &[u8]) -> Vec<u8> {
        let mut bytes = base.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            let byte = u8::try_from(self.below(256)).unwrap_or(0);
            match self.below(6) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, byte),
                2 if !bytes.is_empty() => drop(bytes.remove(at)),
                _ => {
                    if let Some(place) = bytes.get_mut(at) {
                        *place ^= byte;
                    }
                }
            }
        }
        bytes
    }

    fn insert(&mut self, mut text: String) -> String {
        let at = self.boundary(&text);
        text.insert_str(at, self.of(PIECES));
        text
    }

    /// A token taken out, doubled, replaced by one of `other`, or swapped with another.
    fn tokens(&mut self, text: &str, other: &str) -> String {
        let spans = spans(text);
        if spans.is_empty() {
            return text.to_owned();
        }
        let (start, end) = self.of(&spans);
        let written = &text[start..end];
        let replaced = |by: &str| format!("{}{by}{}", &text[..start], &text[end..]);
        match self.below(5) {
            0 => replaced(""),
            1 => replaced(&format!("{written} {written}")),
            2 => replaced(self.of(PIECES)),
            3 => {
                let others = spans_or_text(other);
                let (start, end) = self.of(&others);
                replaced(&other[start..end])
            }
            _ => {
                let (from, to) = self.of(&spans);
                if from < end {
                    return replaced(written.trim_end_matches(char::is_alphanumeric));
                }
                let (between, after) = (&text[end..from], &text[to..]);
                format!(
                    "{}{}{between}{written}{after}",
                    &text[..start],
                    &text[from..to]
                )
            }
        }
    }

    /// A line taken out, doubled, or swapped with another.
    fn lines(&mut self, text: &str) -> String {
        let mut lines: Vec<&str> = text.split('\n').collect();
        let (one, other) = (self.below(lines.len()), self.below(lines.len()));
        match self.below(4) {
            0 => drop(lines.remove(one)),
            1 => lines.insert(one, lines[other]),
            2 => lines.swap(one, other),
            _ => return text.replacen('\n', " ", self.below(lines.len()) + 1),
        }
        lines.join("\n")
    }

    fn ends_of_lines(&mut self, text: &str) -> String {
        match self.below(5) {
            0 => text.replace('\n', "\r\n"),
            1 => text.replace('\n', "\r"),
            2 => format!("\u{feff}{text}"),
            3 => text.replacen('\n', "\r\n", 3),
            _ => text.replace("  ", "\t"),
        }
    }

    /// The beginning of one, and the end of the other.
    fn splice(&mut self, text: &str, other: &str) -> String {
        let (end, start) = (self.boundary(text), self.boundary(other));
        format!("{}{}", &text[..end], &other[start..])
    }

    /// More brackets than anyone nests.
    fn nest(&mut self, mut text: String) -> String {
        let brackets = [
            "{", "(", "[", "!", "-", "a.", "[?", "{a:", "a ? ", "tier a {", "f(",
        ];
        let deep = [2, 30, 300][self.below(3)];
        let at = self.boundary(&text);
        let bracket = self.of(&brackets);
        text.insert_str(at, &bracket.repeat(deep));
        text
    }

    /// A number that is another.
    fn number(&mut self, text: &str) -> String {
        let places: Vec<usize> = text
            .char_indices()
            .filter(|(_, c)| c.is_ascii_digit())
            .map(|(at, _)| at)
            .collect();
        if places.is_empty() {
            return text.to_owned();
        }
        let at = self.of(&places);
        let digits = ["0", "9", "99999", "-1", "1.5", "", "000", "1e9"];
        format!("{}{}{}", &text[..at], self.of(&digits), &text[at + 1..])
    }

    /// A part many times over, which makes long lines too.
    fn repeat(&mut self, text: &str) -> String {
        let (one, other) = (self.boundary(text), self.boundary(text));
        let (start, end) = (one.min(other), one.max(other));
        let end = (start..=end.min(start + 60))
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(start);
        let part = text[start..end].repeat([2, 20, 200][self.below(3)]);
        format!("{}{part}{}", &text[..end], &text[end..])
    }
}

/// Where the tokens stand.
fn spans(text: &str) -> Vec<(usize, usize)> {
    let kept = tokens(text).filter(|token| token.kind != TokenKind::End);
    kept.map(|token| (token.start as usize, token.end as usize))
        .collect()
}

fn spans_or_text(text: &str) -> Vec<(usize, usize)> {
    let mut spans = spans(text);
    if spans.is_empty() {
        spans.push((0, text.len()));
    }
    spans
}

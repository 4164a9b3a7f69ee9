//! Estimates how many tokens a text is, without a tokeniser: one pass over its bytes, no allocation.
//!
//! What a tokeniser makes of a text depends on its runs: a word is about one token, digits go in threes, marks stick
//! together. The weights below were fitted against the o200k vocabulary. How far the sum is from what it counts is
//! tested for twenty kinds of text (`tests/estimate`): within 9% for prose in Latin letters but German, code, JSON and
//! logs, 15% for other scripts and YAML, a quarter below for random strings. Older vocabularies count up to as much again
//! for scripts other than Latin. The same text always has the same estimate.
//!
//! No tokeniser counts on the way of a call: o200k takes 190 ms and 67 MB to load and 2 ms and more for 64 KiB, where this
//! takes less than a tenth of that, and what a provider charges is settled by its own count in any case.

/// What a message costs beside its text: its role and the marks around it.
pub const MESSAGE: u64 = 4;
/// What opens the answer.
pub const ANSWER_PRIMER: u64 = 3;
/// What a tool, or a call of one, costs beside its JSON.
pub const TOOL: u64 = 8;
/// An image at `detail: low`.
pub const IMAGE_LOW: u64 = 85;
/// Any other image: one of 1024 by 1024, as OpenAI counts it.
pub const IMAGE: u64 = 765;

// Weights in 64ths of a token.
const WORD: u64 = 65;
/// From the third on: no name of a program, but an encoded string.
const RANDOM_CAPITAL: u64 = 150;
/// Letters of a word from the eighth on.
const LONG_LETTER: u64 = 5;
/// From the seventeenth: no word any more, but an encoded or random string.
const RANDOM_LETTER: u64 = 18;
/// A capital after a small letter: `camelCase`.
const INNER_CAPITAL: u64 = 50;
const THREE_DIGITS: u64 = 74;
const SPACES: u64 = 83;
/// Spaces that no single token holds: about eighty fit in one.
const MANY_SPACES: u64 = 1;
const LINE_BREAK: u64 = 40;
const MARKS: u64 = 57;
const FURTHER_MARK: u64 = 9;
/// Latin letters with accents, Cyrillic, Greek, Arabic, Hebrew.
const TWO_BYTES: u64 = 22;
/// Indic scripts, Thai.
const INDIC: u64 = 24;
/// Chinese, Japanese, Korean.
const THREE_BYTES: u64 = 50;
/// Emoji and rare characters.
const FOUR_BYTES: u64 = 160;

/// The tokens of a text, estimated.
#[must_use]
pub fn of_text(text: &str) -> u64 {
    let (mut weight, mut rest) = (0_u64, text.as_bytes());
    while let Some(first) = rest.first() {
        let (length, run) = match first {
            b'a'..=b'z' | b'A'..=b'Z' => letters(rest),
            b'0'..=b'9' => {
                let length = run(rest, |byte| byte.is_ascii_digit());
                (length, length.div_ceil(3) as u64 * THREE_DIGITS)
            }
            // What indents a line belongs to its break.
            b'\r' | b'\n' => {
                let length = run(rest, |byte| matches!(byte, b'\r' | b'\n' | b' ' | b'\t'));
                (length, LINE_BREAK + (length as u64 - 1) * MANY_SPACES)
            }
            b' ' | b'\t' => spaces(rest),
            0x80.. => {
                let length = run(rest, |byte| !byte.is_ascii());
                let run = rest.iter().take(length);
                (length, run.map(|byte| wide(*byte)).sum())
            }
            _ => {
                let length = run(rest, is_mark);
                (length, MARKS + (length as u64 - 1) * FURTHER_MARK)
            }
        };
        weight += run;
        rest = rest.get(length..).unwrap_or_default();
    }
    (weight.saturating_add(32) / 64).max(u64::from(!text.is_empty()))
}

/// How many of the first bytes are of one kind; the first one is.
fn run(bytes: &[u8], is_of_kind: impl Fn(u8) -> bool) -> usize {
    let end = bytes.iter().position(|byte| !is_of_kind(*byte));
    end.unwrap_or(bytes.len()).max(1)
}

/// A word, and what it weighs.
fn letters(bytes: &[u8]) -> (usize, u64) {
    let (mut length, mut capitals, mut before) = (0, 0_u64, 0);
    for byte in bytes {
        if !byte.is_ascii_alphabetic() {
            break;
        }
        length += 1;
        // Small letters have a bit that capitals have not.
        capitals += u64::from((before & !byte) & 0x20 != 0);
        before = *byte;
    }
    let count = length as u64;
    let long = count.min(16).saturating_sub(7) * LONG_LETTER;
    let random = count.saturating_sub(16) * RANDOM_LETTER;
    let capitals = capitals.min(2) * INNER_CAPITAL + capitals.saturating_sub(2) * RANDOM_CAPITAL;
    (length, WORD + long + random + capitals)
}

/// Spaces within a line. One alone belongs to the word after it.
fn spaces(bytes: &[u8]) -> (usize, u64) {
    let length = run(bytes, |byte| matches!(byte, b' ' | b'\t'));
    let weight = match length as u64 {
        0 | 1 => 0,
        length => SPACES + (length - 2) * MANY_SPACES,
    };
    (length, weight)
}

const fn is_mark(byte: u8) -> bool {
    byte.is_ascii()
        && !byte.is_ascii_alphanumeric()
        && !matches!(byte, b'\r' | b'\n' | b' ' | b'\t')
}

/// By the first byte of a character; the others weigh nothing.
fn wide(byte: u8) -> u64 {
    match byte {
        0xf0.. => FOUR_BYTES,
        0xe1.. => THREE_BYTES,
        0xe0 => INDIC,
        0xc0.. => TWO_BYTES,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Checks an estimate against o200k's count, within this many percent.
    fn check(text: &str, tokens: u64, percent: u64) {
        let estimate = of_text(text);
        assert!(
            estimate.abs_diff(tokens) * 100 <= tokens * percent,
            "{estimate} is not within {percent}% of {tokens}: {text}"
        );
    }

    #[test]
    fn english() {
        check(
            "The quick brown fox jumps over the lazy dog, and nobody in the whole village thought that anything of note had happened that day.",
            26,
            15,
        );
    }

    #[test]
    fn code() {
        check(
            "fn main() {\n    let total: u64 = items.iter().map(|item| item.price * item.count).sum();\n    println!(\"{total}\");\n}\n",
            32,
            20,
        );
    }

    #[test]
    fn json() {
        check(
            "{\"name\":\"get_weather\",\"parameters\":{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\",\"description\":\"the city\"}}}}",
            26,
            25,
        );
    }

    #[test]
    fn digits() {
        check(
            "3.14159265358979 and 2718281828 and 1,024 and 2026-11-24",
            26,
            35,
        );
    }

    #[test]
    fn chinese() {
        check(
            "请把下面的段落翻译成英文，并解释其中的成语和典故。今天天气很好，我们去公园散步吧。",
            32,
            30,
        );
    }

    #[test]
    fn japanese() {
        check(
            "次の文章を英語に翻訳してください。今日は天気がいいので、公園へ散歩に行きましょう。",
            28,
            30,
        );
    }

    #[test]
    fn russian() {
        check(
            "Переведите следующий абзац на английский язык и объясните пословицы.",
            19,
            40,
        );
    }

    #[test]
    fn german() {
        check(
            "Übersetze den folgenden Absatz ins Englische und erkläre die Redewendungen darin, bitte möglichst genau.",
            23,
            35,
        );
    }

    #[test]
    fn arabic() {
        check("ترجم الفقرة التالية إلى اللغة الإنجليزية من فضلك", 11, 45);
    }

    #[test]
    fn korean() {
        check(
            "다음 문단을 영어로 번역하고 관용구를 설명해 주세요.",
            18,
            60,
        );
    }

    #[test]
    fn nothing_is_nothing() {
        assert_eq!(of_text(""), 0);
        assert_eq!(of_text("a"), 1);
    }

    #[test]
    fn random_strings_are_not_words() {
        // 64 characters of base64 are some 45 tokens.
        assert!(of_text("dGhpcyBpcyBub3QgYSB3b3JkIGJ1dCBhbiBlbmNvZGVkIHN0cmluZyBvZiBieXRl") > 16);
    }

    /// The same, byte by byte: what each byte weighs by what stands before it.
    fn byte_by_byte(text: &str) -> u64 {
        let (mut weight, mut class, mut length, mut small) = (0_u64, ' ', 0_u64, false);
        let mut capitals = 0;
        for byte in text.bytes() {
            let next = match byte {
                b'a'..=b'z' | b'A'..=b'Z' => 'l',
                b'0'..=b'9' => 'd',
                b'\r' | b'\n' => 'b',
                b' ' | b'\t' if class == 'b' => 'b',
                b' ' | b'\t' => 's',
                0x80.. => 'w',
                _ => 'm',
            };
            length = if next == class { length + 1 } else { 1 };
            if length == 1 {
                capitals = 0;
            }
            weight += match (next, length) {
                ('l', 1) => WORD,
                ('l', 8..=16) => LONG_LETTER,
                ('l', 17..) => RANDOM_LETTER,
                ('d', length) if length % 3 == 1 => THREE_DIGITS,
                ('s', 2) => SPACES,
                ('s', 3..) | ('b', 2..) => MANY_SPACES,
                ('b', 1) => LINE_BREAK,
                ('m', 1) => MARKS,
                ('m', _) => FURTHER_MARK,
                ('w', _) => wide(byte),
                _ => 0,
            };
            if next == 'l' && length > 1 && small && byte.is_ascii_uppercase() {
                capitals += 1;
                weight += if capitals > 2 {
                    RANDOM_CAPITAL
                } else {
                    INNER_CAPITAL
                };
            }
            small = byte.is_ascii_lowercase();
            class = next;
        }
        (weight + 32) / 64
    }

    proptest! {
        #[test]
        fn runs_weigh_what_their_bytes_do(text in "([a-zA-Z]{0,20}|[0-9]{0,8}|[ \t]{0,5}|[\r\n \t]{0,6}|[-.,;{}()]{0,5}|[é文क🙂\u{7f}\u{0}]{0,3}|\\PC){0,12}") {
            prop_assert_eq!(of_text(&text), byte_by_byte(&text).max(u64::from(!text.is_empty())));
        }

        #[test]
        fn more_text_is_not_fewer_tokens(text in ".{0,200}", more in ".{0,50}") {
            let longer = text.clone() + &more;
            prop_assert!(of_text(&longer) >= of_text(&text));
        }

        #[test]
        fn an_estimate_is_in_proportion(text in "\\PC{1,300}") {
            prop_assert!(of_text(&text) >= 1);
            prop_assert!(of_text(&text) <= text.len() as u64 * 2);
        }
    }
}

//! Estimates how many tokens a text is, without a tokeniser: one pass over its bytes, no allocation.
//!
//! What a tokeniser makes of a text depends on its runs: a word is about one token, digits go in threes, marks stick
//! together. The weights below were fitted on 1,600 texts (prompts, Markdown, Rust, Python, JSON) against the
//! o200k vocabulary. On them the sum is within 4% for each kind of text, and nine texts of ten are within 16%.
//! Other vocabularies of 100,000 and more differ from that one by about as much; smaller ones need up to a
//! third more. The same text always has the same estimate.

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
/// Letters of a word from the eighth on.
const LONG_LETTER: u64 = 5;
/// From the seventeenth: no word any more, but an encoded or random string.
const RANDOM_LETTER: u64 = 18;
/// A capital after a small letter: `camelCase`.
const INNER_CAPITAL: u64 = 50;
const THREE_DIGITS: u64 = 96;
const SPACES: u64 = 83;
/// Spaces that no single token holds: about eighty fit in one.
const MANY_SPACES: u64 = 1;
const LINE_BREAK: u64 = 40;
const MARKS: u64 = 57;
const FURTHER_MARK: u64 = 9;
/// Latin letters with accents, Cyrillic, Greek, Arabic, Hebrew.
const TWO_BYTES: u64 = 22;
/// Chinese, Japanese, Korean, Indic scripts.
const THREE_BYTES: u64 = 50;
/// Emoji and rare characters.
const FOUR_BYTES: u64 = 160;

/// What a run of bytes consists of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Start,
    Letter,
    Digit,
    Space,
    Break,
    Mark,
    Wide,
}

/// The tokens of a text, estimated.
#[must_use]
pub fn of_text(text: &str) -> u64 {
    let (mut weight, mut class, mut length, mut small) = (0_u64, Class::Start, 0_u64, false);
    for byte in text.bytes() {
        let next = classify(byte, class);
        length = if next == class { length + 1 } else { 1 };
        weight += match next {
            Class::Letter => letter(length, byte, small),
            Class::Digit if length % 3 == 1 => THREE_DIGITS,
            // The space before a word belongs to the word.
            Class::Space if length == 2 => SPACES,
            Class::Space if length > 2 => MANY_SPACES,
            Class::Break if length == 1 => LINE_BREAK,
            Class::Break => MANY_SPACES,
            Class::Mark if length == 1 => MARKS,
            Class::Mark => FURTHER_MARK,
            Class::Wide => wide(byte),
            Class::Digit | Class::Space | Class::Start => 0,
        };
        small = byte.is_ascii_lowercase();
        class = next;
    }
    (weight.saturating_add(32) / 64).max(u64::from(!text.is_empty()))
}

fn classify(byte: u8, before: Class) -> Class {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' => Class::Letter,
        b'0'..=b'9' => Class::Digit,
        b'\r' | b'\n' => Class::Break,
        // What indents a line belongs to its break.
        b' ' | b'\t' if before == Class::Break => Class::Break,
        b' ' | b'\t' => Class::Space,
        0x80.. => Class::Wide,
        _ => Class::Mark,
    }
}

fn letter(length: u64, byte: u8, after_small: bool) -> u64 {
    let place = match length {
        1 => WORD,
        2..=7 => 0,
        8..=16 => LONG_LETTER,
        _ => RANDOM_LETTER,
    };
    let capital = length > 1 && after_small && byte.is_ascii_uppercase();
    place + if capital { INNER_CAPITAL } else { 0 }
}

/// By the first byte of a character; the others weigh nothing.
fn wide(byte: u8) -> u64 {
    match byte {
        0xf0.. => FOUR_BYTES,
        0xe0.. => THREE_BYTES,
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

    proptest! {
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

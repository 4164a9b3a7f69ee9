//! Tokens outside expressions, one at a time from any byte of the text.
//!
//! Invariants: scanning never fails and never stops early: what is no token is [`TokenKind::Unknown`], a
//! string that is not closed ends with its line, and every token lies on character boundaries. Comments are
//! tokens, so that the formatter sees the same text as the parser. The first byte tells what a token is; only numbers and
//! what other languages write are left to parsers.

use std::cell::Cell;

use nom::branch::alt;
use nom::bytes::complete::{tag, take_till, take_until, take_while1};
use nom::combinator::{recognize, verify};
use nom::sequence::delimited;
use nom::{IResult, Parser as _};

use super::{literal, text};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A bare word: a keyword, a name, or what may be meant as one.
    Word,
    /// A number with its sign of money or its unit: `400k`, `$1.25`, `80%`.
    Number,
    /// A string as CEL writes it.
    Text,
    /// A string between typographic quotes, which other editors put in.
    CurlyText,
    /// A string that its line, or the text, does not close.
    UnclosedText,
    /// `{`
    OpenBrace,
    /// `}`
    CloseBrace,
    /// `(`
    OpenParen,
    /// `)`
    CloseParen,
    /// `,`
    Comma,
    /// `:`
    Colon,
    /// `=`
    Equal,
    /// `<`
    Less,
    /// `/`
    Slash,
    /// `-`
    Minus,
    /// `..`
    DotDot,
    /// What only expressions use: `&&`, `[`, `?`, …
    Operator,
    /// `//` or `///` to the end of the line.
    Comment,
    /// What the language has no use for.
    Unknown,
    /// The end of the text.
    End,
}

/// A token: its kind, its bytes, and whether it is the first on its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Its first byte.
    pub start: u32,
    /// One past its last byte.
    pub end: u32,
    /// Whether it is the first on its line.
    pub first_on_line: bool,
}

impl Token {
    /// Its bytes of `text`.
    #[must_use]
    pub fn text<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.start as usize..self.end as usize)
            .unwrap_or("")
    }
}

/// The token at or after the byte `from`.
pub(crate) fn scan(text: &str, from: u32) -> Token {
    let rest = text.get(from as usize..).unwrap_or("");
    let marked = if from == 0 {
        rest.strip_prefix('\u{feff}')
    } else {
        None
    };
    let body = trim_start(marked.unwrap_or(rest));
    let skipped = rest.len() - body.len();
    let gap = rest.as_bytes().get(..skipped).unwrap_or(&[]);
    let (kind, length) = token(body);
    let start = from as usize + skipped;
    Token {
        kind,
        start: offset(start),
        end: offset(start + length),
        first_on_line: from == 0 || gap.contains(&b'\n'),
    }
}

/// [`str::trim_start`], quicker: nearly all that stands between tokens is spaces, or nothing.
fn trim_start(text: &str) -> &str {
    let spaces = text.bytes().take_while(|byte| *byte == b' ').count();
    let rest = text.get(spaces..).unwrap_or(text);
    match rest.as_bytes().first() {
        Some(b'!'..=b'~') => rest,
        _ => rest.trim_start(),
    }
}

/// Every token of the text, comments and the end included.
pub fn scan_all(text: &str) -> impl Iterator<Item = Token> {
    let mut from = Some(0);
    std::iter::from_fn(move || {
        let token = scan(text, from?);
        from = (token.kind != TokenKind::End).then_some(token.end);
        Some(token)
    })
}

/// An unclosed string without the closing braces at the end of its line, as many as `open_on_line`: they
/// were meant to close what the line had opened.
pub(crate) fn without_closing_braces(token: Token, text: &str, open_on_line: usize) -> Token {
    let mut written = token.text(text);
    if written.contains('\n') {
        return token;
    }
    for _ in 0..open_on_line {
        let Some(shorter) = written.trim_end().strip_suffix('}') else {
            break;
        };
        written = shorter;
    }
    let length = written.trim_end().len().max(1);
    Token {
        end: token.start + offset(length),
        ..token
    }
}

/// How many spaces and tabs begin the line of the byte `at`.
pub(crate) fn indent(text: &str, at: u32) -> u32 {
    let before = text.get(..at as usize).unwrap_or("");
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = text.get(start..).unwrap_or("");
    let blank = line.chars().take_while(|c| matches!(c, ' ' | '\t'));
    offset(blank.count())
}

/// A byte offset as spans keep it.
pub(crate) fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn token(body: &str) -> (TokenKind, usize) {
    let Some(first) = body.bytes().next() else {
        return (TokenKind::End, 0);
    };
    match first {
        b'"' | b'\'' | b'r' | b'R' | b'b' | b'B' => quoted(body).unwrap_or_else(|| word(body)),
        b'a'..=b'z' | b'A'..=b'Z' | b'_' => word(body),
        b'0'..=b'9' | b'$' => parsed(number, TokenKind::Number, body),
        b'/' if body.starts_with("//") => {
            let line = body.find('\n').and_then(|end| body.get(..end));
            (TokenKind::Comment, line.unwrap_or(body).trim_end().len())
        }
        b'/' if body.starts_with("/*") => parsed(foreign_comment, TokenKind::Unknown, body),
        b'#' => parsed(foreign_comment, TokenKind::Unknown, body),
        b'`' => parsed(curly_text, TokenKind::CurlyText, body),
        0x80.. if body.starts_with(is_word_character) => word(body),
        0x80.. => parsed(curly_text, TokenKind::CurlyText, body),
        _ => punctuation(body),
    }
}

/// What `parser` reads at the front, as a token of this kind; else what the first character is by itself.
fn parsed(
    parser: fn(&str) -> IResult<&str, &str>,
    kind: TokenKind,
    body: &str,
) -> (TokenKind, usize) {
    match parser(body) {
        Ok((_, written)) => (kind, written.len()),
        Err(_) => punctuation(body),
    }
}

fn quoted(body: &str) -> Option<(TokenKind, usize)> {
    let extent = text::extent(body)?;
    let kind = match extent.closed {
        true => TokenKind::Text,
        false => TokenKind::UnclosedText,
    };
    Some((kind, extent.length))
}

/// `[a-z][a-z0-9]*([._-][a-z0-9]+)*`, wider: capitals, `_` and other letters too, so that what was meant as a
/// name is one token and one mistake.
fn word(body: &str) -> (TokenKind, usize) {
    let mut length = word_characters(body);
    while let Some(rest) = body.get(length..)
        && rest.starts_with(['.', '-'])
    {
        match rest.get(1..).map_or(0, word_characters) {
            0 => break,
            more => length += 1 + more,
        }
    }
    (TokenKind::Word, length)
}

/// How many bytes at the front are of words.
fn word_characters(text: &str) -> usize {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let plain = text.bytes().position(|byte| !is_plain(&byte));
    match plain.map(|at| (at, text.as_bytes().get(at))) {
        None => text.len(),
        Some((at, Some(byte))) if byte.is_ascii() => at,
        Some(_) => text.find(|c| !is_word_character(c)).unwrap_or(text.len()),
    }
}

fn is_word_character(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn number(input: &str) -> IResult<&str, &str> {
    recognize(literal::number).parse(input)
}

fn curly_text(input: &str) -> IResult<&str, &str> {
    let quotes = "“”„«»‘’`";
    let quote = move |c: char| quotes.contains(c);
    recognize(delimited(
        verify(take_while1(quote), |q: &str| q.chars().count() == 1),
        take_till(move |c| c == '\n' || quote(c)),
        verify(take_while1(quote), |q: &str| q.chars().count() == 1),
    ))
    .parse(input)
}

/// Comments as other languages write them: one mistake, not one for each word.
fn foreign_comment(input: &str) -> IResult<&str, &str> {
    let hash = recognize((tag("#"), take_till(|c| c == '\n'))).map(str::trim_end);
    let closed = recognize((tag("/*"), take_until("*/"), tag("*/")));
    let unclosed = recognize((tag("/*"), take_till(|c| c == '\n'))).map(str::trim_end);
    alt((hash, closed, unclosed)).parse(input)
}

fn punctuation(body: &str) -> (TokenKind, usize) {
    let mut bytes = body.bytes();
    let pair = (bytes.next().unwrap_or(0), bytes.next().unwrap_or(0));
    let single = match pair {
        (b'.', b'.') => return (TokenKind::DotDot, 2),
        (b'=' | b'<' | b'>' | b'!', b'=') | (b'&', b'&') | (b'|', b'|') => {
            return (TokenKind::Operator, 2);
        }
        (b'{', _) => TokenKind::OpenBrace,
        (b'}', _) => TokenKind::CloseBrace,
        (b'(', _) => TokenKind::OpenParen,
        (b')', _) => TokenKind::CloseParen,
        (b',', _) => TokenKind::Comma,
        (b':', _) => TokenKind::Colon,
        (b'=', _) => TokenKind::Equal,
        (b'<', _) => TokenKind::Less,
        (b'/', _) => TokenKind::Slash,
        (b'-', _) => TokenKind::Minus,
        (b'>' | b'[' | b']' | b'.' | b'!' | b'?' | b'+' | b'*' | b'%', _) => TokenKind::Operator,
        _ => return (TokenKind::Unknown, unknown(body)),
    };
    (single, 1)
}

/// The length of a run of characters that begin no token; at least one character.
fn unknown(body: &str) -> usize {
    let strange = |c: char| {
        !is_word_character(c)
            && !c.is_whitespace()
            && !"{}()[],:=</->.!?+*%&|\"'$#“”„«»‘’".contains(c)
    };
    let run = body.find(|c| !strange(c)).unwrap_or(body.len());
    run.max(body.chars().next().map_or(0, char::len_utf8))
}

/// The tokens of a text, each scanned once, to be asked for by where they stand.
#[derive(Debug)]
pub(crate) struct Tokens<'t> {
    text: &'t str,
    all: Vec<Token>,
    /// The place of the token that was asked for last: the next one is mostly near.
    last: Cell<usize>,
}

impl<'t> Tokens<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self {
            text,
            all: scan_all(text).collect(),
            last: Cell::new(0),
        }
    }

    /// All of them, comments and the end included.
    pub(crate) fn all(&self) -> &[Token] {
        &self.all
    }

    /// The token at or after the byte `from`, as [`scan`] finds it.
    pub(crate) fn at(&self, from: u32) -> Token {
        let place = self.place(from);
        self.last.set(place);
        match self.all.get(place) {
            Some(token) if from <= token.start => Token {
                first_on_line: self.begins_line(place, *token, from),
                ..*token
            },
            // Inside a token, where what was skipped was read in another way.
            _ => scan(self.text, from),
        }
    }

    /// The place of the first token that ends after `from`.
    fn place(&self, from: u32) -> usize {
        let ends_after = |place: usize| self.all.get(place).is_none_or(|one| one.end > from);
        let last = self.last.get();
        let near = (last..last + 3).find(|place| ends_after(*place));
        match near {
            Some(place) if place == 0 || !ends_after(place - 1) => place,
            _ => self.all.partition_point(|one| one.end <= from),
        }
    }

    fn begins_line(&self, place: usize, token: Token, from: u32) -> bool {
        let before = place.checked_sub(1).and_then(|one| self.all.get(one));
        if before.map_or(0, |before| before.end) == from {
            return token.first_on_line;
        }
        let gap = self.text.get(from as usize..token.start as usize);
        gap.is_some_and(|gap| gap.contains('\n'))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::{ProptestConfig, any, proptest};

    use super::{TokenKind, Tokens, offset, scan, scan_all};

    fn check(text: &str, expected: &[(TokenKind, &str)]) {
        let tokens: Vec<_> = scan_all(text)
            .filter(|token| token.kind != TokenKind::End)
            .map(|token| (token.kind, token.text(text)))
            .collect();
        assert_eq!(tokens, expected);
    }

    #[test]
    fn names_keep_their_dots_and_dashes() {
        check(
            "gpt-5.1 caller.team weak<strong",
            &[
                (TokenKind::Word, "gpt-5.1"),
                (TokenKind::Word, "caller.team"),
                (TokenKind::Word, "weak"),
                (TokenKind::Less, "<"),
                (TokenKind::Word, "strong"),
            ],
        );
    }

    #[test]
    fn numbers_keep_their_units_and_ranges_their_dots() {
        check(
            "2..8 30%..35% $1.25 400k 250ms 0.42",
            &[
                (TokenKind::Number, "2"),
                (TokenKind::DotDot, ".."),
                (TokenKind::Number, "8"),
                (TokenKind::Number, "30%"),
                (TokenKind::DotDot, ".."),
                (TokenKind::Number, "35%"),
                (TokenKind::Number, "$1.25"),
                (TokenKind::Number, "400k"),
                (TokenKind::Number, "250ms"),
                (TokenKind::Number, "0.42"),
            ],
        );
    }

    #[test]
    fn a_number_may_end_the_text() {
        for number in ["$3", "$3.5", "$3k", "3", "3.5", "30%", "3k", "$"] {
            check(number, &[(TokenKind::Number, number)]);
        }
    }

    #[test]
    fn strings_end_where_cel_ends_them() {
        check(
            r#""a // b" 'c"' r"\" """d "e"
f""" "open"#,
            &[
                (TokenKind::Text, r#""a // b""#),
                (TokenKind::Text, r#"'c"'"#),
                (TokenKind::Text, r#"r"\""#),
                (TokenKind::Text, "\"\"\"d \"e\"\nf\"\"\""),
                (TokenKind::UnclosedText, "\"open"),
            ],
        );
    }

    #[test]
    fn what_is_no_token_is_one_run() {
        check(
            "a ~`^ b “c” # d\n/* e\n */ f ;\u{200b}",
            &[
                (TokenKind::Word, "a"),
                (TokenKind::Unknown, "~`^"),
                (TokenKind::Word, "b"),
                (TokenKind::CurlyText, "“c”"),
                (TokenKind::Unknown, "# d"),
                (TokenKind::Unknown, "/* e\n */"),
                (TokenKind::Word, "f"),
                (TokenKind::Unknown, ";\u{200b}"),
            ],
        );
    }

    const PIECES: &[&str] = &[
        "name", "n-1.b", " ", "\n", "\t", "\u{feff}", "\u{a0}", "\"t\"", "r'x'", "\"\"\"", "\"",
        "\\", "“", "”", "`", "//", "/*", "*/", "#", "$1.25", "400k", "..", "é", "²", "{", "}",
        "==", "=", "&", "|", ";", "€", "-", ".", "b", "/",
    ];

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// What was scanned before is what is found by scanning again, wherever and in whatever order.
        #[test]
        fn tokens_kept_are_tokens_scanned(
            pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..24),
            places in proptest::collection::vec(any::<proptest::sample::Index>(), 0..24),
        ) {
            let text: String = pieces.concat();
            let starts: Vec<usize> = (0..=text.len()).filter(|at| text.is_char_boundary(*at)).collect();
            let tokens = Tokens::new(&text);
            let mut end = 0;
            for token in scan_all(&text) {
                proptest::prop_assert!(end <= token.start && text.is_char_boundary(token.end as usize));
                end = token.end;
            }
            for at in starts.iter().copied().chain(places.iter().map(|place| *place.get(&starts))) {
                proptest::prop_assert_eq!(tokens.at(offset(at)), scan(&text, offset(at)));
            }
        }
    }
}

//! Tokens outside expressions, one at a time from any byte of the text.
//!
//! Invariants: scanning never fails and never stops early: what is no token is [`TokenKind::Unknown`], a
//! string that is not closed ends with its line, and every token lies on character boundaries. Comments are
//! tokens, so that the formatter sees the same text as the parser.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_till, take_until, take_while, take_while1};
use nom::combinator::{recognize, verify};
use nom::multi::many0_count;
use nom::sequence::{delimited, preceded};
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
    let mark = if from == 0 { "\u{feff}" } else { "" };
    let body = rest.strip_prefix(mark).unwrap_or(rest).trim_start();
    let skipped = rest.len() - body.len();
    let gap = rest.get(..skipped).unwrap_or("");
    let (kind, length) = token(body);
    let start = from as usize + skipped;
    Token {
        kind,
        start: offset(start),
        end: offset(start + length),
        first_on_line: from == 0 || gap.contains('\n'),
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
    if body.is_empty() {
        return (TokenKind::End, 0);
    }
    if let Some(extent) = text::extent(body) {
        let kind = if extent.closed {
            TokenKind::Text
        } else {
            TokenKind::UnclosedText
        };
        return (kind, extent.length);
    }
    let kinds = alt((
        comment.map(|written| (TokenKind::Comment, written.len())),
        word.map(|written| (TokenKind::Word, written.len())),
        number.map(|written| (TokenKind::Number, written.len())),
        curly_text.map(|written| (TokenKind::CurlyText, written.len())),
        foreign_comment.map(|written| (TokenKind::Unknown, written.len())),
    ))
    .parse(body);
    kinds.map_or_else(|_| punctuation(body), |(_, token)| token)
}

fn comment(input: &str) -> IResult<&str, &str> {
    recognize(preceded(tag("//"), take_till(|c| c == '\n')))
        .map(str::trim_end)
        .parse(input)
}

/// `[a-z][a-z0-9]*([._-][a-z0-9]+)*`, wider: capitals, `_` and other letters too, so that what was meant as a
/// name is one token and one mistake.
fn word(input: &str) -> IResult<&str, &str> {
    recognize((
        verify(take_while1(is_word_character), |first: &str| {
            !first.starts_with(|c: char| c.is_ascii_digit())
        }),
        many0_count((alt((tag("."), tag("-"))), take_while1(is_word_character))),
    ))
    .parse(input)
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
    const MARKS: [(&str, TokenKind); 24] = [
        ("{", TokenKind::OpenBrace),
        ("}", TokenKind::CloseBrace),
        ("(", TokenKind::OpenParen),
        (")", TokenKind::CloseParen),
        (",", TokenKind::Comma),
        (":", TokenKind::Colon),
        ("..", TokenKind::DotDot),
        ("==", TokenKind::Operator),
        ("<=", TokenKind::Operator),
        (">=", TokenKind::Operator),
        ("!=", TokenKind::Operator),
        ("&&", TokenKind::Operator),
        ("||", TokenKind::Operator),
        ("=", TokenKind::Equal),
        ("<", TokenKind::Less),
        ("/", TokenKind::Slash),
        ("-", TokenKind::Minus),
        (">", TokenKind::Operator),
        ("[", TokenKind::Operator),
        ("]", TokenKind::Operator),
        (".", TokenKind::Operator),
        ("!", TokenKind::Operator),
        ("?", TokenKind::Operator),
        ("+", TokenKind::Operator),
    ];
    let known = MARKS.iter().find(|(mark, _)| body.starts_with(mark));
    match known {
        Some((mark, kind)) => (*kind, mark.len()),
        None if body.starts_with(['*', '%']) => (TokenKind::Operator, 1),
        None => (TokenKind::Unknown, unknown(body)),
    }
}

/// The length of a run of characters that begin no token; at least one character.
fn unknown(body: &str) -> usize {
    let strange = |c: char| {
        !is_word_character(c)
            && !c.is_whitespace()
            && !"{}()[],:=</->.!?+*%&|\"'$#“”„«»‘’".contains(c)
    };
    let run: IResult<&str, &str> = take_while(strange).parse(body);
    let run = run.map_or(0, |(_, run)| run.len());
    run.max(body.chars().next().map_or(0, char::len_utf8))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::{TokenKind, scan_all};

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
}

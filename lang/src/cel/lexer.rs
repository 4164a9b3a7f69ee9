//! The tokens of CEL, one at a time.
//!
//! Lazy on purpose: an expression stands in a `.route` file, and what follows it need not be CEL. A literal
//! that cannot be read is a token like any other; it is reported only if the parser takes it.

use super::expression::Literal;
use super::literal::{self, Malformed, Value};
use crate::source::{FileId, Span};

/// One token.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token<'a> {
    /// What it is.
    pub(super) kind: TokenKind<'a>,
    /// Where it was written.
    pub(super) span: Span,
    /// Whether a line ended between the token before and this one.
    pub(super) on_new_line: bool,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind<'a> {
    /// A name or a word such as `in`, `true`, `for`.
    Word(&'a str),
    /// A name between backticks.
    Quoted(&'a str),
    /// An integer without its sign.
    Integer(u64),
    /// Another literal.
    Literal(Literal),
    /// A literal that cannot be read.
    Malformed(Malformed),
    /// An operator or a bracket.
    Symbol(&'static str),
    /// A character that starts no token.
    Unknown(char),
    /// The end of the text.
    End,
}

impl TokenKind<'_> {
    /// Whether it is this operator or bracket.
    #[inline]
    pub(super) fn is(&self, symbol: &str) -> bool {
        matches!(self, Self::Symbol(found) if *found == symbol)
    }

    /// Whether it is this word.
    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(self, Self::Word(found) if *found == word)
    }
}

/// Operators and brackets that begin with this byte, a longer one before each of its beginnings. `=`, `===`, `<>`, `&` and
/// the like mean nothing in CEL; they are here so that the parser can say what was meant.
const fn symbols(first: u8) -> &'static [&'static str] {
    match first {
        b'=' => &["===", "==", "=>", "=~", "="],
        b'!' => &["!==", "!=", "!"],
        b'<' => &["<>", "<=", "<"],
        b'>' => &[">=", ">"],
        b'&' => &["&&", "&"],
        b'|' => &["||", "|"],
        b'+' => &["+"],
        b'-' => &["-"],
        b'*' => &["*"],
        b'/' => &["/"],
        b'%' => &["%"],
        b'?' => &["?"],
        b':' => &[":"],
        b'.' => &["."],
        b',' => &[","],
        b'(' => &["("],
        b')' => &[")"],
        b'[' => &["["],
        b']' => &["]"],
        b'{' => &["{"],
        b'}' => &["}"],
        _ => &[],
    }
}

/// Reads tokens from a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lexer<'a> {
    file: FileId,
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    /// Reads `text` from byte `start`.
    pub(super) fn new(file: FileId, text: &'a str, start: u32) -> Self {
        Self {
            file,
            text,
            at: start as usize,
        }
    }

    /// The next token.
    pub(super) fn next(&mut self) -> Token<'a> {
        let on_new_line = self.skip_blank();
        let (kind, length) = token(self.rest());
        let span = Span::new(self.file, offset(self.at), offset(self.at + length));
        self.at += length;
        Token {
            kind,
            span,
            on_new_line,
        }
    }

    /// The text up to byte `end`.
    pub(super) fn before(&self, end: u32) -> &'a str {
        self.text.get(..end as usize).unwrap_or("")
    }

    /// The text from byte `start` to byte `end`.
    pub(super) fn between(&self, start: usize, end: u32) -> &'a str {
        self.text.get(start..end as usize).unwrap_or("")
    }

    /// The text after the last token.
    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    /// Skips white space and comments; returns whether a line ended.
    fn skip_blank(&mut self) -> bool {
        let before = self.rest();
        let mut rest = before;
        loop {
            rest = rest.trim_start_matches([' ', '\t', '\n', '\r', '\x0c']);
            if !rest.starts_with("//") {
                break;
            }
            let comment = rest.find('\n').unwrap_or(rest.len());
            rest = rest.get(comment..).unwrap_or("");
        }
        let blank = before.len() - rest.len();
        self.at += blank;
        before
            .get(..blank)
            .is_some_and(|blank| blank.contains('\n'))
    }
}

fn token(rest: &str) -> (TokenKind<'_>, usize) {
    let Some(first) = rest.bytes().next() else {
        return (TokenKind::End, 0);
    };
    let literal = match first {
        b'"' | b'\'' | b'r' | b'R' | b'b' | b'B' => literal::string(rest),
        b'0'..=b'9' | b'.' => literal::number(rest),
        _ => None,
    };
    if let Some((reading, length)) = literal {
        let kind = match reading {
            Ok(Value::Integer(magnitude)) => TokenKind::Integer(magnitude),
            Ok(Value::Literal(literal)) => TokenKind::Literal(literal),
            Err(malformed) => TokenKind::Malformed(malformed),
        };
        return (kind, length);
    }
    if let Some(word) = literal::identifier(rest) {
        return (TokenKind::Word(word), word.len());
    }
    if let Some(name) = quoted(rest) {
        return (TokenKind::Quoted(name), name.len() + 2);
    }
    let symbol = symbols(first).iter().find(|one| rest.starts_with(**one));
    match (symbol, rest.chars().next()) {
        (Some(symbol), _) => (TokenKind::Symbol(symbol), symbol.len()),
        (None, Some(c)) => (TokenKind::Unknown(c), c.len_utf8()),
        (None, None) => (TokenKind::End, 0),
    }
}

/// A name between backticks; it may hold letters, digits and `_ . - / ` and space.
fn quoted(rest: &str) -> Option<&str> {
    let (name, _) = rest.strip_prefix('`')?.split_once('`')?;
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "_.-/ ".contains(c);
    (!name.is_empty() && name.chars().all(is_allowed)).then_some(name)
}

/// A byte offset as spans hold it.
pub(super) fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

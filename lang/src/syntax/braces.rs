//! Which `{` are never closed, and where they should have been.
//!
//! Only a text with more `{` than `}` is judged, so indentation never changes what a correct file means. In
//! such a text a brace is taken as forgotten where the indentation falls back to that of its own line.

use super::lexer::{Token, TokenKind, indent, offset, without_closing_braces};
use super::parser::fields::ITEMS;

/// A `{` without its `}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unclosed {
    /// The byte of the `{`.
    pub(crate) open: u32,
    /// The byte at which what it opened is taken to have ended.
    pub(crate) until: u32,
}

/// An open brace while matching.
struct Open {
    at: u32,
    indent: u32,
    /// Where the indentation first fell back to `indent`, and how far.
    dedent: Option<(u32, u32)>,
}

/// What is wrong with the braces of a text as a whole.
#[derive(Debug, Default)]
pub(crate) struct Balance {
    /// Every `{` without its `}`, in the order written.
    pub(crate) unclosed: Vec<Unclosed>,
    /// How many `}` more than `{` there are.
    pub(crate) surplus: usize,
}

/// Weighs the braces of `text`, which has these tokens.
pub(crate) fn balance(text: &str, all: &[Token]) -> Balance {
    let count = |kind| all.iter().filter(|token| token.kind == kind).count();
    let is_balanced = count(TokenKind::OpenBrace) == count(TokenKind::CloseBrace);
    if is_balanced && count(TokenKind::UnclosedText) == 0 {
        return Balance::default();
    }
    let tokens = tokens(text, all);
    let count = |kind| tokens.iter().filter(|token| token.kind == kind).count();
    let (open, close) = (count(TokenKind::OpenBrace), count(TokenKind::CloseBrace));
    let unclosed = match open.checked_sub(close) {
        None | Some(0) => Vec::new(),
        Some(missing) => unclosed(text, &tokens, missing),
    };
    Balance {
        unclosed,
        surplus: close.saturating_sub(open),
    }
}

fn unclosed(text: &str, tokens: &[Token], missing: usize) -> Vec<Unclosed> {
    let mut matcher = Matcher {
        text,
        missing,
        indent: 0,
        open: Vec::new(),
        found: Vec::new(),
    };
    for (at, token) in tokens.iter().enumerate() {
        let following = tokens.get(at + 1..).unwrap_or(&[]);
        matcher.step(*token, following);
    }
    matcher.finish()
}

fn tokens(text: &str, all: &[Token]) -> Vec<Token> {
    let mut open_on_line = 0;
    let mut tokens = Vec::new();
    let mut cut = None;
    for token in all
        .iter()
        .copied()
        .filter(|token| token.kind != TokenKind::Comment)
    {
        if token.first_on_line {
            open_on_line = 0;
        }
        match token.kind {
            TokenKind::OpenBrace => open_on_line += 1,
            TokenKind::CloseBrace => open_on_line = usize::saturating_sub(open_on_line, 1),
            TokenKind::UnclosedText => {
                cut = Some(without_closing_braces(token, text, open_on_line))
            }
            _ => {}
        }
        tokens.push(cut.unwrap_or(token));
        if let Some(short) = cut.take() {
            let closing = text.get(short.end as usize..token.end as usize);
            let closing = closing
                .unwrap_or("")
                .char_indices()
                .filter(|(_, c)| *c == '}');
            tokens.extend(closing.map(|(at, _)| Token {
                kind: TokenKind::CloseBrace,
                start: short.end + offset(at),
                end: short.end + offset(at) + 1,
                first_on_line: false,
            }));
        }
    }
    tokens
}

struct Matcher<'t> {
    text: &'t str,
    missing: usize,
    /// Of the line of the last token.
    indent: u32,
    open: Vec<Open>,
    found: Vec<Unclosed>,
}

impl Matcher<'_> {
    fn step(&mut self, token: Token, following: &[Token]) {
        if token.first_on_line {
            self.indent = indent(self.text, token.start);
        }
        let indent = self.indent;
        if token.first_on_line {
            self.note_dedent(token.start, indent);
            if self.begins_item(token, following) {
                self.give_up(token.start, |open| indent <= open.indent);
            }
        }
        match token.kind {
            TokenKind::OpenBrace => self.open.push(Open {
                at: token.start,
                indent,
                dedent: None,
            }),
            TokenKind::CloseBrace => {
                if token.first_on_line && self.open.len() > 1 {
                    self.give_up(token.start, |open| indent < open.indent);
                }
                self.open.pop();
            }
            _ => {}
        }
    }

    fn note_dedent(&mut self, at: u32, indent: u32) {
        if let Some(open) = self.open.last_mut()
            && open.dedent.is_none()
            && indent <= open.indent
        {
            open.dedent = Some((at, indent));
        }
    }

    /// Takes the innermost braces as forgotten while `forgotten` says so.
    fn give_up(&mut self, here: u32, forgotten: impl Fn(&Open) -> bool) {
        while self.missing > 0 && self.open.last().is_some_and(&forgotten) {
            let Some(open) = self.open.pop() else { return };
            self.missing -= 1;
            let until = open.dedent.map_or(here, |(at, _)| at);
            self.found.push(Unclosed {
                open: open.at,
                until,
            });
            if let Some((at, indent)) = open.dedent {
                self.note_dedent(at, indent);
            }
        }
    }

    /// A line that begins a top-level statement and cannot be a field (`tier weak` can, `tier weak {` not).
    fn begins_item(&self, token: Token, following: &[Token]) -> bool {
        let word = token.text(self.text);
        let ambiguous = matches!(word, "tier" | "model");
        let kinds = following.iter().map(|next| next.kind).take(2);
        token.kind == TokenKind::Word
            && ITEMS.field(word).is_some()
            && (!ambiguous || kinds.eq([TokenKind::Word, TokenKind::OpenBrace]))
    }

    fn finish(mut self) -> Vec<Unclosed> {
        let end = offset(self.text.len());
        self.found.extend(self.open.iter().map(|open| Unclosed {
            open: open.at,
            until: end,
        }));
        self.found.sort_unstable_by_key(|found| found.open);
        self.found
    }
}

//! A text as lines of pieces: tokens, and the verbatim parts of expressions.

use crate::syntax::lexer::{Token, TokenKind, scan_all};
use crate::syntax::parser::{Layout, MarkKind};

use super::gap;

/// One line of the result.
pub(super) struct Line<'t> {
    /// Whether one empty line stands before it.
    pub(super) blank_before: bool,
    /// How deep in blocks and brackets it begins.
    pub(super) depth: usize,
    /// Whether it goes on with the statement of the line before.
    pub(super) continues: bool,
    /// Whether it does so outside of brackets, which would indent it already.
    pub(super) hangs: bool,
    /// What stands in it, without its comment.
    pub(super) pieces: Vec<Piece<'t>>,
    /// `// …` at its end, or alone in it.
    pub(super) comment: Option<&'t str>,
    /// The spaces before the comment, if it is not alone.
    pub(super) comment_gap: usize,
    /// Whether every bracket opened in it is closed in it, and none else.
    pub(super) balanced: bool,
}

/// A token, or what a line has of an expression.
pub(super) struct Piece<'t> {
    pub(super) text: &'t str,
    pub(super) kind: TokenKind,
    /// Whether it is of an expression.
    pub(super) verbatim: bool,
    pub(super) mark: Option<MarkKind>,
    /// The spaces before it.
    pub(super) gap: usize,
}

impl Line<'_> {
    /// Whether it has nothing but a comment.
    pub(super) fn is_comment(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The columns of it before its comment, if it is one line.
    pub(super) fn width(&self) -> usize {
        self.column(self.pieces.len())
    }

    /// The columns before the piece `index`, without the gap before it.
    pub(super) fn column(&self, index: usize) -> usize {
        let pieces = self.pieces.iter().take(index);
        let columns = pieces.map(|piece| piece.gap + piece.text.chars().count());
        2 * self.depth + columns.sum::<usize>()
    }

    /// Whether a text in it has several lines.
    pub(super) fn is_long(&self) -> bool {
        self.pieces.iter().any(|piece| piece.text.contains('\n'))
    }

    pub(super) fn write(&self, text: &mut String) {
        let depth = self.depth + usize::from(self.hangs);
        text.extend(std::iter::repeat_n(' ', 2 * depth));
        for piece in &self.pieces {
            text.extend(std::iter::repeat_n(' ', piece.gap));
            text.push_str(piece.text);
        }
        if let Some(comment) = self.comment {
            if !self.is_comment() {
                text.extend(std::iter::repeat_n(' ', self.comment_gap));
            }
            text.push_str(comment.trim_end());
        }
    }
}

/// The lines of a text that parses.
pub(super) fn lines<'t>(text: &'t str, layout: &Layout) -> Vec<Line<'t>> {
    let mut builder = Builder::new(text, layout);
    for token in scan_all(text) {
        builder.take(token);
    }
    builder.lines
}

struct Builder<'t> {
    text: &'t str,
    /// Sorted by place.
    marks: Vec<(u32, MarkKind)>,
    /// Sorted by place.
    expressions: Vec<(u32, u32)>,
    lines: Vec<Line<'t>>,
    /// The bytes of the last piece, if an expression may continue it.
    last: (u32, u32),
    end: u32,
    depth: usize,
    /// The depth at which the statement began.
    statement_depth: usize,
}

impl<'t> Builder<'t> {
    fn new(text: &'t str, layout: &Layout) -> Self {
        let mut marks: Vec<_> = layout
            .marks
            .iter()
            .map(|mark| (mark.at, mark.kind))
            .collect();
        // Of several marks at one place, the last made says most.
        marks.reverse();
        marks.sort_by_key(|(at, _)| *at);
        let mut expressions = layout.expressions.clone();
        expressions.sort_unstable();
        Self {
            text,
            marks,
            expressions,
            lines: Vec::new(),
            last: (0, 0),
            end: 0,
            depth: 0,
            statement_depth: 0,
        }
    }

    fn take(&mut self, token: Token) {
        let between = self.text.get(self.end as usize..token.start as usize);
        let newlines = between.unwrap_or("").matches('\n').count();
        self.end = token.end;
        if token.kind == TokenKind::End {
            return;
        }
        if newlines > 0 || self.lines.is_empty() {
            self.begin_line(token, newlines > 1);
        }
        match token.kind {
            TokenKind::Comment => {
                if let Some(line) = self.lines.last_mut() {
                    line.comment = Some(token.text(self.text));
                }
            }
            _ => self.piece(token),
        }
    }

    fn begin_line(&mut self, token: Token, blank: bool) {
        let closes = is_closing(token, self.text);
        let depth = self.depth.saturating_sub(usize::from(closes));
        let after_open = self.lines.last().is_some_and(|line| {
            line.pieces
                .last()
                .is_some_and(|piece| piece.kind == TokenKind::OpenBrace)
        });
        let blank_before =
            blank && !self.lines.is_empty() && !after_open && token.kind != TokenKind::CloseBrace;
        let continues = self.continues(token, closes);
        self.lines.push(Line {
            blank_before,
            depth,
            continues,
            hangs: continues && !closes && depth == self.statement_depth,
            pieces: Vec::new(),
            comment: None,
            comment_gap: 2,
            balanced: true,
        });
    }

    /// Whether a line that begins with `token` goes on with a statement.
    fn continues(&self, token: Token, closes: bool) -> bool {
        if self
            .expression_at(token.start)
            .is_some_and(|(start, _)| start < token.start)
        {
            return true;
        }
        let statement = self.mark(token.start) == Some(MarkKind::Statement);
        token.kind != TokenKind::Comment && !statement && !closes
    }

    fn piece(&mut self, token: Token) {
        let mark = self.mark(token.start);
        if mark == Some(MarkKind::Statement) {
            self.statement_depth = self.depth;
        }
        let expression = self.expression_at(token.start);
        let opens = is_opening(token, self.text);
        let closes = is_closing(token, self.text);
        self.depth = (self.depth + usize::from(opens)).saturating_sub(usize::from(closes));
        let (last_start, last_end) = self.last;
        let Some(line) = self.lines.last_mut() else {
            return;
        };
        if opens || closes {
            let begins_closing = line.pieces.first().map_or(closes, |first| {
                matches!(first.kind, TokenKind::CloseBrace | TokenKind::CloseParen)
                    || first.text == "]"
            });
            line.balanced = self.depth == line.depth && !begins_closing;
        }
        let joined =
            expression.is_some_and(|(start, _)| start <= last_start && last_end <= token.start);
        if joined
            && let Some(piece) = line.pieces.last_mut()
            && let Some(whole) = self.text.get(last_start as usize..token.end as usize)
        {
            piece.text = whole;
            self.last = (last_start, token.end);
            return;
        }
        let mut piece = Piece {
            text: token.text(self.text),
            kind: token.kind,
            verbatim: expression.is_some(),
            mark,
            gap: 0,
        };
        piece.gap = gap::before(&piece, line.pieces.last());
        line.pieces.push(piece);
        self.last = (token.start, token.end);
    }

    /// What is marked at a byte; a more telling mark before a statement's.
    fn mark(&self, at: u32) -> Option<MarkKind> {
        let first = self.marks.partition_point(|(start, _)| *start < at);
        self.marks
            .get(first)
            .filter(|(start, _)| *start == at)
            .map(|(_, kind)| *kind)
    }

    /// The expression that the byte is of.
    fn expression_at(&self, at: u32) -> Option<(u32, u32)> {
        let after = self.expressions.partition_point(|(start, _)| *start <= at);
        let found = self.expressions.get(after.checked_sub(1)?)?;
        (at < found.1).then_some(*found)
    }
}

fn is_opening(token: Token, text: &str) -> bool {
    matches!(token.kind, TokenKind::OpenBrace | TokenKind::OpenParen) || token.text(text) == "["
}

fn is_closing(token: Token, text: &str) -> bool {
    matches!(token.kind, TokenKind::CloseBrace | TokenKind::CloseParen) || token.text(text) == "]"
}

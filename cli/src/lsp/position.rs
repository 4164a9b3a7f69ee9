//! Between the bytes of spans and the lines and columns of editors.
//!
//! Invariants: every offset that comes out lies on a character boundary; every position that comes out lies inside the
//! text; a column past the end of a line means its end, a line past the last means the end of the text.

use lsp_types::{Position, PositionEncodingKind, Range};
use waypost_lang::source::Span;

/// What a column counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Bytes.
    Utf8,
    /// Units of UTF-16: what every client speaks.
    Utf16,
}

impl Encoding {
    /// The cheapest that the client offers.
    pub(crate) fn negotiate(offered: Option<&[PositionEncodingKind]>) -> Self {
        let utf8 = offered.is_some_and(|kinds| kinds.contains(&PositionEncodingKind::UTF8));
        if utf8 { Self::Utf8 } else { Self::Utf16 }
    }

    /// As the protocol calls it.
    pub(crate) fn kind(self) -> PositionEncodingKind {
        match self {
            Self::Utf8 => PositionEncodingKind::UTF8,
            Self::Utf16 => PositionEncodingKind::UTF16,
        }
    }

    /// How many columns `text` takes.
    pub(crate) fn width(self, text: &str) -> u32 {
        match self {
            Self::Utf8 => number(text.len()),
            Self::Utf16 => number(text.encode_utf16().count()),
        }
    }
}

/// Where the lines of a text begin. Lines end with `\n`, `\r\n` or `\r`, as the protocol says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lines {
    starts: Vec<u32>,
}

impl Lines {
    /// Of no text.
    pub(crate) const NONE: Self = Self { starts: Vec::new() };

    pub(crate) fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let ends = bytes.iter().enumerate().filter(|(at, byte)| {
            **byte == b'\n' || (**byte == b'\r' && bytes.get(at + 1) != Some(&b'\n'))
        });
        Self {
            starts: std::iter::once(0)
                .chain(ends.map(|(at, _)| number(at + 1)))
                .collect(),
        }
    }

    /// The number of the line that holds the byte `offset`.
    pub(crate) fn line(&self, offset: u32) -> u32 {
        let after = self.starts.partition_point(|start| *start <= offset);
        number(after.saturating_sub(1))
    }

    /// The bytes of a line, without its end.
    pub(crate) fn bytes(&self, text: &str, line: u32) -> (u32, u32) {
        let end_of_text = number(text.len());
        let start = self.starts.get(line as usize).copied();
        let start = start.unwrap_or(end_of_text);
        let next = self.starts.get(line as usize + 1).copied();
        let next = next.unwrap_or(end_of_text);
        let written = text.get(start as usize..next as usize).unwrap_or("");
        let kept = written.trim_end_matches(['\r', '\n']);
        (start, start + number(kept.len()))
    }

    /// The byte at a position.
    pub(crate) fn offset(&self, text: &str, at: Position, encoding: Encoding) -> u32 {
        let (start, end) = self.bytes(text, at.line);
        let line = text.get(start as usize..end as usize).unwrap_or("");
        let mut column = 0;
        for (index, character) in line.char_indices() {
            let next = column + width(character, encoding);
            if next > at.character {
                return start + number(index);
            }
            column = next;
        }
        end
    }

    /// The position of a byte; inside a character, its beginning.
    pub(crate) fn position(&self, text: &str, offset: u32, encoding: Encoding) -> Position {
        let mut offset = (offset as usize).min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.line(number(offset));
        let (start, end) = self.bytes(text, line);
        let until = number(offset).min(end);
        let before = text.get(start as usize..until as usize).unwrap_or("");
        Position::new(line, encoding.width(before))
    }

    /// The range of a span.
    pub(crate) fn range(&self, text: &str, span: Span, encoding: Encoding) -> Range {
        Range::new(
            self.position(text, span.start, encoding),
            self.position(text, span.end, encoding),
        )
    }
}

fn width(character: char, encoding: Encoding) -> u32 {
    number(match encoding {
        Encoding::Utf8 => character.len_utf8(),
        Encoding::Utf16 => character.len_utf16(),
    })
}

/// A length as spans hold it.
pub(crate) fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Encoding, Lines};
    use lsp_types::Position;

    const TEXT: &str = "a\r\n\"é🙂x\" y\nend";

    #[test]
    fn columns_count_units_of_utf16_past_emoji_and_windows_lines() {
        let lines = Lines::new(TEXT);
        let x = u32::try_from(TEXT.find('x').unwrap_or(0)).unwrap_or(0);
        let at = lines.position(TEXT, x, Encoding::Utf16);
        assert_eq!(at, Position::new(1, 4), "a quote, é and two halves of 🙂");
        assert_eq!(lines.offset(TEXT, at, Encoding::Utf16), x);
        assert_eq!(lines.position(TEXT, x, Encoding::Utf8), Position::new(1, 7));
    }

    #[test]
    fn what_lies_outside_is_brought_inside() {
        let lines = Lines::new(TEXT);
        assert_eq!(lines.offset(TEXT, Position::new(0, 99), Encoding::Utf16), 1);
        let end = u32::try_from(TEXT.len()).unwrap_or(0);
        assert_eq!(
            lines.offset(TEXT, Position::new(99, 0), Encoding::Utf16),
            end
        );
        let half = lines.offset(TEXT, Position::new(1, 3), Encoding::Utf16);
        assert!(TEXT.is_char_boundary(half as usize), "never inside 🙂");
    }
}

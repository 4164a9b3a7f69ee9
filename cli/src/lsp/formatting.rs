//! The one style: what `waypost fmt` writes.

use lsp_types::{Range, TextEdit};
use waypost_lang::source::Span;
use waypost_lang::syntax;

use super::position::number;
use super::view::View;

/// The edit that brings the whole document into the one style; nothing if it is, or if it does not parse.
pub(crate) fn document(view: &View<'_>) -> Vec<TextEdit> {
    edit(view).map(|(_, edit)| edit).into_iter().collect()
}

/// The same, for the lines of `range` only, where the style changes no others around them.
pub(crate) fn range(view: &View<'_>, range: Range) -> Vec<TextEdit> {
    let text = view.text();
    let Ok(formatted) = syntax::format(text) else {
        return Vec::new();
    };
    let before: Vec<&str> = text.split_inclusive('\n').collect();
    let after: Vec<&str> = formatted.split_inclusive('\n').collect();
    // Only a style that keeps the number of lines says which line became which.
    if before.len() != after.len() {
        return document(view);
    }
    let first = range.start.line as usize;
    let last = range.end.line as usize;
    let mut edits = Vec::new();
    let mut start = 0;
    for (line, (old, new)) in before.iter().zip(&after).enumerate() {
        let end = start + number(old.len());
        if (first..=last).contains(&line) && old != new {
            let span = Span::new(view.file, start, end);
            edits.push(TextEdit::new(view.range(span), (*new).to_owned()));
        }
        start = end;
    }
    edits
}

/// The smallest replacement: what the two texts share at their ends stays, and so do cursors in it.
fn edit(view: &View<'_>) -> Option<(Span, TextEdit)> {
    let text = view.text();
    let formatted = syntax::format(text).ok().filter(|new| new != text)?;
    let head = shared(text.chars(), formatted.chars());
    let old = text.get(head..)?;
    let new = formatted.get(head..)?;
    let tail = shared(old.chars().rev(), new.chars().rev());
    let old_end = number(text.len() - tail);
    let new = new.get(..new.len() - tail)?;
    let span = Span::new(view.file, number(head), old_end);
    // A replacement must not begin or end within `\r\n`, where clients see one end of a line.
    let bytes = text.as_bytes();
    let splits =
        |at: usize| at > 0 && bytes.get(at - 1) == Some(&b'\r') && bytes.get(at) == Some(&b'\n');
    if splits(head) || splits(text.len() - tail) {
        let whole = Span::new(view.file, 0, number(text.len()));
        return Some((whole, TextEdit::new(view.range(whole), formatted)));
    }
    Some((span, TextEdit::new(view.range(span), new.to_owned())))
}

/// How many bytes two texts share at their beginning.
fn shared(left: impl Iterator<Item = char>, right: impl Iterator<Item = char>) -> usize {
    let pairs = left.zip(right).take_while(|(left, right)| left == right);
    pairs.map(|(one, _)| one.len_utf8()).sum()
}

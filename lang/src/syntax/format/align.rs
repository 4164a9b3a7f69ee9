//! What stands below one another: values, conditions, blocks and comments of adjacent lines.

use crate::syntax::parser::MarkKind;

use super::line::Line;

/// What is aligned, in the order in which it stands in a line.
const COLUMNS: [MarkKind; 6] = [
    MarkKind::Equal,
    MarkKind::Value,
    MarkKind::Per,
    MarkKind::On,
    MarkKind::Brace,
    MarkKind::When,
];

/// Aligns each group of adjacent lines.
pub(super) fn align(lines: &mut [Line<'_>]) {
    let mut start = 0;
    while start < lines.len() {
        let end = start + group(lines.get(start..).unwrap_or(&[]));
        if let Some(group) = lines.get_mut(start..end) {
            for column in COLUMNS {
                align_column(group, column);
            }
            align_comments(group);
        }
        start = end;
    }
}

/// How many lines from the first are one group: whole statements of one depth without an empty line
/// between them, comments between them included. At least one.
fn group(lines: &[Line<'_>]) -> usize {
    let Some(first) = lines.first() else { return 0 };
    let mut length = 0;
    for (at, line) in lines.iter().enumerate() {
        let next_continues = lines.get(at + 1).is_some_and(|next| next.continues);
        let whole = line.is_comment()
            || (line.balanced && !line.continues && !next_continues && !line.is_long());
        if !whole || line.depth != first.depth || (at > 0 && line.blank_before) {
            break;
        }
        length = at + 1;
    }
    length.max(1)
}

/// Moves the pieces with this mark, one a line, to the column of the rightmost.
fn align_column(lines: &mut [Line<'_>], column: MarkKind) {
    let places: Vec<Option<usize>> = lines.iter().map(|line| place(line, column)).collect();
    let columns = lines.iter().zip(&places).filter_map(|(line, place)| {
        let index = (*place)?;
        Some(line.column(index) + line.pieces.get(index)?.gap)
    });
    let Some(rightmost) = columns.max() else {
        return;
    };
    for (line, place) in lines.iter_mut().zip(&places) {
        let Some(index) = *place else { continue };
        // `cap at weak`: two words and their value stand together, others stand below the value.
        if column == MarkKind::Value && index > 1 {
            continue;
        }
        let before = line.column(index);
        if let Some(piece) = line.pieces.get_mut(index) {
            piece.gap = rightmost.saturating_sub(before);
        }
    }
}

/// The piece of the line's first statement that has this mark.
fn place(line: &Line<'_>, column: MarkKind) -> Option<usize> {
    for (index, piece) in line.pieces.iter().enumerate().skip(1) {
        match piece.mark {
            Some(mark) if mark == column => return Some(index),
            Some(MarkKind::Statement) => return None,
            _ => {}
        }
    }
    None
}

/// Aligns the comments at the ends of lines, those with more than one line without between them apart: what is
/// far away is not read together.
fn align_comments(lines: &mut [Line<'_>]) {
    let has_comment = |line: &Line<'_>| line.comment.is_some() && !line.is_comment();
    let mut rest = lines;
    while !rest.is_empty() {
        let apart = rest
            .windows(2)
            .position(|pair| !pair.iter().any(has_comment));
        let (run, after) = rest.split_at_mut(apart.map_or(rest.len(), |at| at + 1));
        align_run(run);
        rest = after;
    }
}

fn align_run(lines: &mut [Line<'_>]) {
    let commented = |line: &&mut Line<'_>| line.comment.is_some() && !line.is_comment();
    let widths = lines.iter_mut().filter(commented).map(|line| line.width());
    let Some(rightmost) = widths.max() else {
        return;
    };
    for line in lines.iter_mut().filter(commented) {
        line.comment_gap = rightmost - line.width() + 2;
    }
}

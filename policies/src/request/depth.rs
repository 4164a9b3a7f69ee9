//! How deep a body is nested. What is read of it bounds its own depth; this bounds what is passed on unread as well, since
//! whoever reads it next may do so by recursion.

/// The deepest nesting that a body may have: more than any schema of a tool, and as much as many parsers take.
pub(super) const DEEPEST: usize = 128;

/// Brackets are counted in pieces of this many bytes, so that a byte holds each count.
const PIECE: usize = 128;

/// Whether a body is nested deeper than that, if it is JSON.
pub(super) fn is_too_deep(body: &[u8]) -> bool {
    // Most bodies have fewer brackets in all, and counting them is quick.
    if openings(body) <= DEEPEST {
        return false;
    }
    let mut depth = 0_usize;
    let mut left = body;
    let is_mark = |byte: &u8| matches!(byte, b'"' | b'{' | b'[' | b'}' | b']');
    while let Some(at) = left.iter().position(is_mark) {
        let mark = left.get(at).copied().unwrap_or_default();
        left = left.get(at + 1..).unwrap_or_default();
        match mark {
            b'"' => left = behind_string(left),
            b'{' | b'[' => {
                depth += 1;
                if depth > DEEPEST {
                    return true;
                }
            }
            _ => depth = depth.saturating_sub(1),
        }
    }
    false
}

fn openings(body: &[u8]) -> usize {
    let is_opening = |byte: &u8| u8::from(matches!(byte, b'{' | b'['));
    let pieces = body.chunks(PIECE);
    pieces
        .map(|piece| usize::from(piece.iter().map(is_opening).sum::<u8>()))
        .sum()
}

/// What follows a string whose first quote stands before.
fn behind_string(mut left: &[u8]) -> &[u8] {
    while let Some(at) = left.iter().position(|byte| matches!(byte, b'"' | b'\\')) {
        let is_end = left.get(at) == Some(&b'"');
        left = left
            .get(at + 1 + usize::from(!is_end)..)
            .unwrap_or_default();
        if is_end {
            return left;
        }
    }
    &[]
}

#[cfg(test)]
mod tests {
    use super::{DEEPEST, is_too_deep};

    fn nested(levels: usize) -> String {
        format!("{}{}", "[".repeat(levels), "]".repeat(levels))
    }

    #[test]
    fn the_bound_is_a_level() {
        assert!(!is_too_deep(nested(DEEPEST).as_bytes()));
        assert!(is_too_deep(nested(DEEPEST + 1).as_bytes()));
        assert!(is_too_deep("{\"a\":".repeat(200_000).as_bytes()));
    }

    #[test]
    fn brackets_side_by_side_and_in_strings_are_no_depth() {
        let wide = format!("[{}]", "[{}],".repeat(10_000));
        assert!(!is_too_deep(wide.as_bytes()));
        let text = format!(r#"{{"a\"\\":"{}\"["}}"#, "[".repeat(10_000));
        assert!(!is_too_deep(text.as_bytes()));
        let behind = format!(r#"{{"a\\":"x\"","b":{}}}"#, nested(DEEPEST));
        assert!(is_too_deep(behind.as_bytes()));
    }

    #[test]
    fn what_is_no_json_ends_too() {
        assert!(!is_too_deep(&[b'"', b'\\'].repeat(1_000)));
        assert!(!is_too_deep("]".repeat(1_000).as_bytes()));
    }
}

//! Edits that fixes are made of.

use waypost_lang::diagnostic::Edit;
use waypost_lang::{SourceMap, Span};

/// Takes `span` out with the spaces before it, and with its line if nothing else stands there.
pub(crate) fn removal(span: Span, sources: &SourceMap) -> Edit {
    let text = sources.file(span.file).map_or("", |file| file.text());
    let before = text.get(..span.start as usize).unwrap_or_default();
    let kept = before.trim_end_matches([' ', '\t']);
    let alone = kept.is_empty() || kept.ends_with('\n');
    let after = text.get(span.end as usize..).unwrap_or_default();
    let end = match after
        .strip_prefix("\r\n")
        .or_else(|| after.strip_prefix('\n'))
    {
        Some(rest) if alone => text.len() - rest.len(),
        _ => span.end as usize,
    };
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Edit {
        span: Span::new(span.file, offset(kept.len()), offset(end)),
        text: String::new(),
    }
}

/// Writes `text` just after `span`.
pub(crate) fn insertion(span: Span, text: impl Into<String>) -> Edit {
    Edit {
        span: span.after(),
        text: text.into(),
    }
}

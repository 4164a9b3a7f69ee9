//! What must hold of every text: it is read, nothing of it is passed over in silence, and it has one form.

use waypost_lang::syntax::{Parsed, TokenKind, format, parse, tokens};
use waypost_lang::{Diagnostic, FileId, Span};

/// Any text parses: tokens cover all of it but spaces, every token up to the first mistake is part of the tree or is
/// spoken of, and every span lies within it, between characters.
///
/// # Panics
/// When that does not hold.
pub fn parsed(text: &str) -> Parsed {
    covered_by_tokens(text);
    let parsed = parse(FileId::default(), text);
    for found in &parsed.diagnostics {
        findings_lie_within(found, &|span| within(text, span));
    }
    for span in parsed.comments.iter().chain(&parsed.unread) {
        assert!(within(text, *span), "{span:?}");
    }
    for span in spans_of_tree(&parsed) {
        assert!(within(text, span), "{span:?}");
    }
    nothing_passed_over(text, &parsed);
    parsed
}

/// What parses without an error is written in one form: to the same tree with the same tokens, and once is enough.
///
/// # Panics
/// When that does not hold.
pub fn formatted(text: &str) {
    let before = parse(FileId::default(), text);
    let is_sound = !before.diagnostics.iter().any(Diagnostic::is_error);
    let once = format(text);
    assert_eq!(is_sound, once.is_ok(), "only what is sound has a form");
    let Ok(once) = once else { return };
    let after = parse(FileId::default(), &once);
    assert_eq!(without_spans(&before), without_spans(&after), "{once}");
    assert_eq!(words(text), words(&once), "{once}");
    assert_eq!(format(&once).as_deref(), Ok(once.as_str()));
}

/// All spans of a finding, edits included.
pub(super) fn findings_lie_within(found: &Diagnostic, within: &dyn Fn(Span) -> bool) {
    assert!(within(found.primary.span), "{found:?}");
    for label in &found.secondary {
        assert!(within(label.span), "{found:?}");
    }
    for edit in found.fix.iter().flat_map(|fix| &fix.edits) {
        assert!(within(edit.span), "{found:?}");
    }
}

fn within(text: &str, span: Span) -> bool {
    text.get(span.start as usize..span.end as usize).is_some()
}

fn covered_by_tokens(text: &str) {
    let mut at = 0;
    for token in tokens(text) {
        let (start, end) = (token.start as usize, token.end as usize);
        let gap = &text[at..start];
        let gap = if at == 0 {
            gap.trim_start_matches('\u{feff}')
        } else {
            gap
        };
        assert!(gap.trim().is_empty(), "{gap:?} is in no token");
        assert!(
            end > start || token.kind == TokenKind::End,
            "{token:?} is empty"
        );
        assert!(text.get(start..end).is_some(), "{token:?}");
        at = end;
    }
    assert_eq!(at, text.len());
}

/// Every token lies in a statement, a comment, the first line, what is said not to have been read, or on the line
/// of an error or behind it.
fn nothing_passed_over(text: &str, parsed: &Parsed) {
    let header = parsed
        .file
        .edition
        .as_ref()
        .map(|edition| Span::new(edition.span.file, 0, edition.span.end));
    let items = parsed.file.items.iter().map(|item| item.span);
    let spoken_of = parsed.diagnostics.iter().map(|found| {
        let span = found.primary.span;
        if !found.is_error() {
            return span;
        }
        let line = text[..span.start as usize]
            .rfind('\n')
            .map_or(0, |at| at + 1);
        Span::new(span.file, u32::try_from(line).unwrap(), u32::MAX)
    });
    let mut known: Vec<(u32, u32)> = items
        .chain(header)
        .chain(spoken_of)
        .chain(parsed.comments.iter().copied())
        .chain(parsed.unread.iter().copied())
        .map(|span| (span.start, span.end))
        .collect();
    known.sort_unstable();
    let (mut next, mut reach) = (0, 0);
    for token in tokens(text).filter(|token| token.kind != TokenKind::End) {
        while let Some((start, end)) = known.get(next).filter(|span| span.0 <= token.start) {
            reach = reach.max(*end);
            next += usize::from(start <= end);
        }
        assert!(
            reach > token.start,
            "`{}` at {} was passed over in silence",
            token.text(text),
            token.start
        );
    }
}

/// Every span of the tree, read from its printed form.
fn spans_of_tree(parsed: &Parsed) -> Vec<Span> {
    let written = format!("{:?}", parsed.file);
    let number = |text: &str, name: &str| -> u32 {
        let digits = text.split_once(name).unwrap().1;
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap();
        digits[..end].parse().unwrap()
    };
    // What an author writes may look like a span: it stands between quotes, which are escaped.
    written
        .split("Span { file: FileId(")
        .skip(1)
        .filter(|part| part.starts_with("0), start: "))
        .map(|part| {
            Span::new(
                FileId::default(),
                number(part, "start: "),
                number(part, "end: "),
            )
        })
        .collect()
}

/// A tree as text, without its spans.
fn without_spans(parsed: &Parsed) -> String {
    let written = format!("{:?}", parsed.file);
    let mut parts = written.split("Span { file: FileId(");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        kept.push_str(part.split_once('}').map_or(part, |(_, rest)| rest));
    }
    kept
}

/// The tokens as written, comments and strings without the spaces at the ends of their lines.
fn words(text: &str) -> Vec<String> {
    let kept = tokens(text).filter(|token| token.kind != TokenKind::End);
    kept.map(|token| {
        let lines: Vec<&str> = token.text(text).lines().map(str::trim_end).collect();
        lines.join("\n")
    })
    .collect()
}

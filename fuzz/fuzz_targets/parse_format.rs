//! Any text parses; what parses without an error is formatted to the same tree, and once is enough.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waypost_lang::source::SourceMap;
use waypost_lang::syntax::{Parsed, format, parse};

fn parsed(text: &str) -> Parsed {
    let id = SourceMap::default().add("a.route", text);
    parse(id, text)
}

fn within(text: &str, start: u32, end: u32) -> bool {
    text.get(start as usize..end as usize).is_some()
}

fuzz_target!(|text: &str| {
    let before = parsed(text);
    for found in &before.diagnostics {
        let span = found.primary.span;
        assert!(within(text, span.start, span.end), "{found:?}");
        for edit in found.fix.iter().flat_map(|fix| &fix.edits) {
            assert!(within(text, edit.span.start, edit.span.end), "{found:?}");
        }
    }
    if before.diagnostics.iter().any(|found| found.is_error()) {
        return;
    }
    let Ok(once) = format(text) else { return };
    let after = parsed(&once);
    assert!(after.diagnostics.is_empty(), "{once}");
    assert_eq!(before.file.items.len(), after.file.items.len(), "{once}");
    assert_eq!(before.comments.len(), after.comments.len(), "{once}");
    assert_eq!(format(&once).as_deref().ok(), Some(once.as_str()));
});

//! What the tests of CEL share: diagnostics as text, with carets under the source.

use std::fmt::Write as _;

use waypost_lang::diagnostic::Fix;
use waypost_lang::{Diagnostic, Span};

/// The diagnostics, each with its source line, carets, help, and the source after its fix.
pub(crate) fn render(source: &str, diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        writeln!(
            out,
            "error[{}]: {}",
            diagnostic.code.number, diagnostic.message
        )
        .unwrap();
        underline(
            &mut out,
            source,
            diagnostic.primary.span,
            '^',
            &diagnostic.primary.message,
        );
        for label in &diagnostic.secondary {
            underline(&mut out, source, label.span, '-', &label.message);
        }
        if let Some(help) = &diagnostic.help {
            writeln!(out, "  help: {help}").unwrap();
        }
        if let Some(fix) = &diagnostic.fix {
            let fixed = apply(source, fix);
            writeln!(out, "  fix: {}: {fixed}", fix.title).unwrap();
        }
    }
    out
}

/// The source after a fix, whose edits stand in the order of the text.
pub(crate) fn apply(source: &str, fix: &Fix) -> String {
    let mut fixed = source.to_owned();
    for edit in fix.edits.iter().rev() {
        fixed.replace_range(edit.span.start as usize..edit.span.end as usize, &edit.text);
    }
    fixed
}

fn underline(out: &mut String, source: &str, span: Span, mark: char, message: &str) {
    let start = span.start as usize;
    let line_start = source[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = source[start..]
        .find('\n')
        .map_or(source.len(), |at| start + at);
    let end = (span.end as usize).min(line_end);
    let before = source[line_start..start].chars().count();
    let width = source[start..end].chars().count().max(1);
    let marks: String = std::iter::repeat_n(mark, width).collect();
    writeln!(out, "  {}", &source[line_start..line_end]).unwrap();
    writeln!(out, "  {}{marks} {message}", " ".repeat(before)).unwrap();
}

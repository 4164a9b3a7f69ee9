//! A test's outcome for people: what did not come and why, and, of several expectations, what came beside them.

use waypost_compiler::testing::Outcome;
use waypost_lang::SourceMap;
use waypost_lang::render::Color;

/// The outcome of one test.
pub(super) fn render(sources: &SourceMap, outcome: &Outcome, color: Color) -> String {
    let (mark, style) = match outcome.passed() {
        true => ("ok", "32"),
        false => ("FAILED", "1;31"),
    };
    let mark = paint(mark, style, color);
    let (file, line, _) = sources.position(outcome.span);
    let mut text = format!("{mark} {} ({file}:{line})\n", outcome.name);
    text.push_str(&reasons(sources, outcome));
    for (sign, line) in difference(outcome) {
        let style = match sign {
            '-' => "31",
            '+' => "32",
            _ => "2",
        };
        let line = paint(&format!("{sign} {line}"), style, color);
        text.push_str(&format!("     {line}\n"));
    }
    text
}

/// What did not come, without colours.
pub(super) fn failures(sources: &SourceMap, outcome: &Outcome) -> String {
    let mut text = reasons(sources, outcome);
    for (sign, line) in difference(outcome) {
        text.push_str(&format!("     {sign} {line}\n"));
    }
    text
}

fn reasons(sources: &SourceMap, outcome: &Outcome) -> String {
    let mismatches = outcome.mismatches.iter();
    mismatches
        .map(|mismatch| {
            let (file, line, _) = sources.position(mismatch.span);
            format!("   {file}:{line}: {}\n", mismatch.message)
        })
        .collect()
}

/// Of a failed test with several expectations: those that came, and those that did not with what came instead. Where
/// the one expectation failed, the reason says it all.
fn difference(outcome: &Outcome) -> Vec<(char, &str)> {
    if outcome.passed() || outcome.compared.len() < 2 {
        return Vec::new();
    }
    let mut all = Vec::new();
    for one in &outcome.compared {
        match &one.came {
            None => all.push((' ', &*one.expected)),
            Some(came) => all.extend([('-', &*one.expected), ('+', &**came)]),
        }
    }
    all
}

fn paint(text: &str, style: &str, color: Color) -> String {
    match color {
        Color::Always => format!("\u{1b}[{style}m{text}\u{1b}[0m"),
        Color::Never => text.to_owned(),
    }
}

//! WP0517: a priority whose sign says the opposite of its words.

use waypost_lang::{Diagnostic, Span, codes};

use super::Subject;

/// Words of those who should be served first.
const FIRST: &[&str] = &[
    "paying",
    "premium",
    "important",
    "vip",
    "urgent",
    "critical",
    "gold",
    "enterprise",
    "interactive",
    "first",
];
/// Words of those who can wait.
const LAST: &[&str] = &[
    "batch",
    "background",
    "bulk",
    "free",
    "offline",
    "nightly",
    "sheddable",
    "best effort",
    "best-effort",
];
/// What people write who have it the wrong way round.
const WRONG: &[&str] = &[
    "lower = higher",
    "lower is higher",
    "lower = first",
    "lower is first",
    "lower means higher",
];

/// Finds negative priorities for those who should be first, positive ones for those who can wait, and comments that
/// have it the wrong way round.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for priority in &subject.program.policy.priorities {
        let words = if priority.label.written {
            priority.label.text.to_lowercase()
        } else {
            String::new()
        };
        let has = |list: &[&str]| list.iter().any(|word| words.contains(word));
        let comment = comment(subject, priority.span).to_lowercase();
        let (message, label) = if priority.value < 0 && has(FIRST) {
            (
                "these callers are shed first",
                "below zero: refused as soon as the pool is full",
            )
        } else if priority.value > 0 && has(LAST) && !has(FIRST) {
            (
                "these callers are served before all others",
                "above zero: before those without a priority",
            )
        } else if WRONG.iter().any(|words| comment.contains(words)) {
            (
                "the comment has it the wrong way round",
                "higher is served first; below zero is shed",
            )
        } else {
            continue;
        };
        found.push(
            codes::PRIORITY_UPSIDE_DOWN
                .warning(priority.label.span, message)
                .label(label)
                .help("turn the sign: higher is served first, 0 is everybody else, below zero is shed"),
        );
    }
}

/// The comments on the lines of a statement and just above it.
fn comment(subject: &Subject<'_>, span: Span) -> String {
    let text = subject
        .sources
        .file(span.file)
        .map_or("", |file| file.text());
    let before = text.get(..span.start as usize).unwrap_or_default();
    let above = before
        .lines()
        .rev()
        .skip(1)
        .take_while(|line| line.trim_start().starts_with("//"));
    let above: Vec<&str> = above.collect();
    let after = text.get(span.end as usize..).unwrap_or_default();
    let rest = after.lines().next().unwrap_or_default();
    format!("{} {rest}", above.join(" "))
}

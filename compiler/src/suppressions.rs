//! `// allow(WP0412): reason`: takes back one kind of finding at one statement.
//!
//! Invariants: a suppression above a statement covers that statement with all its lines; one at the end of a line
//! covers what begins on that line. Errors are never suppressed. A suppression that has no effect, no reason or an
//! unknown code is a finding of its own, and those cannot be suppressed.

use waypost_lang::diagnostic::{Edit, nearest};
use waypost_lang::syntax::tree::{File, ItemKind};
use waypost_lang::{Code, Diagnostic, SourceMap, Span, codes};

/// The codes that speak about suppressions.
const OWN: &[Code] = &[
    codes::UNUSED_SUPPRESSION,
    codes::SUPPRESSION_WITHOUT_REASON,
    codes::UNKNOWN_SUPPRESSED_CODE,
];

/// One `allow(…)`.
struct Suppression<'a> {
    /// The comment.
    comment: Span,
    /// What it covers.
    covered: Span,
    /// What stands between its brackets: each entry with its place.
    entries: Vec<(&'a str, Span)>,
    /// Whether anything is said after the colon.
    reasoned: bool,
}

/// Drops what is suppressed, and adds what is wrong with the suppressions themselves. What is suppressed by nothing
/// is only known when all lints have run: `complete`.
pub(crate) fn apply(
    found: &mut Vec<Diagnostic>,
    files: &[File],
    comments: &[Span],
    sources: &SourceMap,
    complete: bool,
) {
    let mut complaints = Vec::new();
    for comment in comments {
        let Some(suppression) = read(*comment, files, sources) else {
            continue;
        };
        if !suppression.reasoned {
            complaints.push(without_reason(&suppression));
        }
        for entry in &suppression.entries {
            match codes::find(entry.0) {
                None => complaints.push(unknown(*entry)),
                Some(code) => {
                    let used = suppress(code, &suppression, found);
                    let refused = found
                        .iter()
                        .any(|one| one.is_error() && one.code == code && covers(&suppression, one));
                    if refused {
                        complaints.push(of_an_error(*entry, &suppression, sources));
                    } else if !used && complete {
                        complaints.push(unused(*entry, &suppression, sources));
                    }
                }
            }
        }
    }
    found.append(&mut complaints);
}

/// The suppression that a comment holds, if it is one.
fn read<'a>(comment: Span, files: &[File], sources: &'a SourceMap) -> Option<Suppression<'a>> {
    let text = sources.text(comment);
    let words = text.strip_prefix("//")?.trim_start();
    let list = words
        .strip_prefix("allow")?
        .trim_start()
        .strip_prefix('(')?;
    let (list, after) = list.split_once(')')?;
    let reason = after.trim_start().strip_prefix(':').unwrap_or_default();
    let place = |part: &str| {
        // Both are slices of one text, so the distance between their starts is where the part stands.
        let offset = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
        let start = comment.start + u32::try_from(offset).unwrap_or(0);
        let length = u32::try_from(part.len()).unwrap_or(0);
        Span::new(comment.file, start, start + length)
    };
    let parts = list.split(',').map(str::trim);
    let entries = parts.map(|part| (part, place(part))).collect();
    Some(Suppression {
        comment,
        covered: covered(comment, files, sources)?,
        entries,
        reasoned: !reason.trim().is_empty(),
    })
}

/// What a comment at this place covers: the statement that follows, or the rest of its own line.
fn covered(comment: Span, files: &[File], sources: &SourceMap) -> Option<Span> {
    let text = sources.file(comment.file)?.text();
    let (before, after) = text.split_at_checked(comment.start as usize)?;
    let line = before.rfind('\n').map_or(0, |at| at + 1);
    if !before.get(line..)?.trim().is_empty() {
        let start = u32::try_from(line).ok()?;
        return Some(Span::new(comment.file, start, comment.start));
    }
    let start = comment.start + u32::try_from(skipped(after)).ok()?;
    let statement = statements(files, comment.file)
        .into_iter()
        .filter(|span| span.start == start)
        .max_by_key(|span| span.end);
    let end_of_line = || {
        let rest = text.get(start as usize..).unwrap_or_default();
        let length = rest.find('\n').unwrap_or(rest.len());
        Span::new(
            comment.file,
            start,
            start + u32::try_from(length).unwrap_or(0),
        )
    };
    Some(statement.unwrap_or_else(end_of_line))
}

/// How many bytes of comments and blank lines stand before the next statement.
fn skipped(text: &str) -> usize {
    let mut length = 0;
    for line in text.split_inclusive('\n') {
        let words = line.trim_start();
        if words.is_empty() || words.starts_with("//") {
            length += line.len();
        } else {
            return length + (line.len() - words.len());
        }
    }
    length
}

/// Every statement of a file, those inside sections included.
fn statements(files: &[File], id: waypost_lang::FileId) -> Vec<Span> {
    let mut spans = Vec::new();
    for item in files
        .get(usize::from(id.0))
        .iter()
        .flat_map(|file| &file.items)
    {
        spans.push(item.span);
        match &item.kind {
            ItemKind::Content(content) => spans.extend(content.items.iter().map(|one| one.span)),
            ItemKind::Policy(policy) => spans.extend(policy.items.iter().map(|one| one.span)),
            _ => {}
        }
    }
    spans
}

fn covers(suppression: &Suppression<'_>, one: &Diagnostic) -> bool {
    let (covered, span) = (suppression.covered, one.primary.span);
    covered.file == span.file && covered.start <= span.start && span.start < covered.end
}

/// Drops the warnings of this code that it covers; says whether there were any.
fn suppress(code: Code, suppression: &Suppression<'_>, found: &mut Vec<Diagnostic>) -> bool {
    if OWN.contains(&code) {
        return false;
    }
    let before = found.len();
    found.retain(|one| one.is_error() || one.code != code || !covers(suppression, one));
    found.len() < before
}

fn without_reason(suppression: &Suppression<'_>) -> Diagnostic {
    codes::SUPPRESSION_WITHOUT_REASON
        .warning(suppression.comment, "this suppression gives no reason")
        .label("who reads it cannot tell whether it still holds")
        .help("say why after a colon: `// allow(WP0412): the free plan ends in March`")
}

fn unknown((entry, span): (&str, Span)) -> Diagnostic {
    let diagnostic = codes::UNKNOWN_SUPPRESSED_CODE
        .warning(span, format!("no finding is called `{entry}`"))
        .label("suppresses nothing");
    let upper = entry.to_ascii_uppercase();
    let names = codes::ALL.iter().map(|code| code.name);
    let numbers = codes::ALL.iter().map(|code| code.number);
    let near = nearest(entry, names).or_else(|| {
        let close = upper.starts_with("WP") && upper.len() == "WP0000".len();
        nearest(&upper, numbers).filter(|_| close)
    });
    match near {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic.help("`waypost explain` lists every code and its name"),
    }
}

fn of_an_error(
    (entry, span): (&str, Span),
    suppression: &Suppression<'_>,
    sources: &SourceMap,
) -> Diagnostic {
    codes::UNUSED_SUPPRESSION
        .warning(
            span,
            format!("`{entry}` is an error here, and errors cannot be suppressed"),
        )
        .label("suppresses nothing")
        .help("mend the statement, and delete this")
        .fix("delete it", [removal(span, suppression, sources)])
}

fn unused(
    (entry, span): (&str, Span),
    suppression: &Suppression<'_>,
    sources: &SourceMap,
) -> Diagnostic {
    codes::UNUSED_SUPPRESSION
        .warning(span, format!("`{entry}` is not found at this statement"))
        .label("suppresses nothing")
        .help("delete it")
        .fix("delete it", [removal(span, suppression, sources)])
}

/// Takes one entry out, or the whole comment where it is the only one: with its line, if nothing else stands there.
fn removal(entry: Span, suppression: &Suppression<'_>, sources: &SourceMap) -> Edit {
    if suppression.entries.len() > 1 {
        return Edit {
            span: with_comma(entry, sources),
            text: String::new(),
        };
    }
    crate::edits::removal(suppression.comment, sources)
}

/// The entry with the comma before it, or with the one after it if it is the first.
fn with_comma(entry: Span, sources: &SourceMap) -> Span {
    let text = sources.file(entry.file).map_or("", |file| file.text());
    let before = text.get(..entry.start as usize).unwrap_or_default();
    let trimmed = before.trim_end();
    let length = |text: &str| u32::try_from(text.len()).unwrap_or(0);
    if let Some(kept) = trimmed.strip_suffix(',') {
        return Span::new(entry.file, length(kept), entry.end);
    }
    let after = text.get(entry.end as usize..).unwrap_or_default();
    let rest = after.trim_start();
    let rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
    Span::new(entry.file, entry.start, length(text) - length(rest))
}

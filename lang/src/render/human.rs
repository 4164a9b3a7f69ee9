//! Diagnostics for people: the line, what is underlined in it, and the next step, drawn by miette.
//!
//! We write the first line and the help; miette draws the snippets, one frame for each file that a label is in.

use std::fmt;
use std::ops::Range;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, SourceCode};
use miette::{MietteSpanContents, SourceSpan, SpanContents};

use super::place::Place;
use super::{Color, harmless, is_harmful, next_step, severity_name};
use crate::diagnostic::{Diagnostic, Label, Severity};
use crate::source::{FileId, SourceFile, SourceMap};

const TAB_WIDTH: usize = 4;
/// How much of a line is shown before and after a span, in bytes; of a longer one, [`AROUND`] on that side.
const WIDEST: usize = 300;
const AROUND: usize = 60;

/// Every diagnostic with its snippets, an empty line after each.
#[must_use]
pub fn human(sources: &SourceMap, diagnostics: &[Diagnostic], color: Color) -> String {
    diagnostics
        .iter()
        .map(|diagnostic| report(sources, diagnostic, color))
        .collect()
}

fn report(sources: &SourceMap, diagnostic: &Diagnostic, color: Color) -> String {
    let mut text = headline(diagnostic, color);
    for frame in frames(sources, diagnostic) {
        draw(&frame, color, &mut text);
    }
    if let Some(help) = next_step(diagnostic) {
        text.push_str(&help_line(help, color));
    }
    text.push('\n');
    text
}

/// `error[WP0203]: message`
fn headline(diagnostic: &Diagnostic, color: Color) -> String {
    let kind = severity_name(diagnostic.severity);
    let (number, message) = (diagnostic.code.number, harmless(&diagnostic.message));
    match (color, diagnostic.severity) {
        (Color::Never, _) => format!("{kind}[{number}]: {message}\n"),
        (Color::Always, Severity::Error) => {
            format!("\u{1b}[1;31m{kind}[{number}]\u{1b}[0m\u{1b}[1m: {message}\u{1b}[0m\n")
        }
        (Color::Always, Severity::Warning) => {
            format!("\u{1b}[1;33m{kind}[{number}]\u{1b}[0m\u{1b}[1m: {message}\u{1b}[0m\n")
        }
    }
}

fn help_line(help: &str, color: Color) -> String {
    let lines: Vec<String> = help.lines().map(harmless).collect();
    let indented = lines.join("\n        ");
    match color {
        Color::Never => format!("  help: {indented}\n"),
        Color::Always => format!("  \u{1b}[36mhelp: \u{1b}[0m{indented}\n"),
    }
}

/// One snippet: labels of one file on neighbouring lines.
#[derive(Debug)]
struct Frame<'a> {
    source: Source<'a>,
    labels: Vec<LabeledSpan>,
}

/// Labels this many lines apart share a frame, with the line between them shown.
const NEAR: u32 = 2;

/// The frame of the primary label first, then the others by file and line.
fn frames<'a>(sources: &'a SourceMap, diagnostic: &Diagnostic) -> Vec<Frame<'a>> {
    let secondary = diagnostic.secondary.iter().map(|label| (label, false));
    let mut placed: Vec<Placed<'_>> = std::iter::once((&diagnostic.primary, true))
        .chain(secondary)
        .filter_map(|(label, primary)| Placed::new(sources, label, primary))
        .collect();
    placed.sort_by_key(|label| (label.file, label.start, !label.primary));
    let mut clusters: Vec<Vec<Placed<'_>>> = Vec::new();
    for label in placed {
        match clusters.last_mut() {
            Some(cluster) if cluster.iter().any(|other| other.is_near(&label)) => {
                cluster.push(label);
            }
            _ => clusters.push(vec![label]),
        }
    }
    clusters.sort_by_key(|cluster| !cluster.iter().any(|label| label.primary));
    clusters
        .into_iter()
        .filter_map(|cluster| {
            let file = sources.file(cluster.first()?.file)?;
            let start = cluster.iter().map(|label| label.start).min()?;
            let end = cluster
                .iter()
                .map(|label| label.start + label.length)
                .max()?;
            Some(Frame {
                source: Source::new(file, start..end),
                labels: cluster.iter().map(Placed::labeled).collect(),
            })
        })
        .collect()
}

/// A label and where its text is: line breaks at its end left out, so that its last line is the one it ends on.
#[derive(Debug)]
struct Placed<'a> {
    message: &'a str,
    primary: bool,
    file: FileId,
    start: usize,
    length: usize,
    first_line: u32,
    last_line: u32,
}

impl<'a> Placed<'a> {
    fn new(sources: &SourceMap, label: &'a Label, primary: bool) -> Option<Self> {
        let file = sources.file(label.span.file)?;
        let bytes = Place::of(sources, label.span).bytes;
        let text = file.text().get(bytes.clone())?;
        let length = text.trim_end_matches(['\r', '\n']).len();
        let line = |at: usize| file.line_column(u32::try_from(at).unwrap_or(u32::MAX)).0;
        Some(Self {
            message: &label.message,
            primary,
            file: label.span.file,
            start: bytes.start,
            length,
            first_line: line(bytes.start),
            last_line: line(bytes.start + length),
        })
    }

    /// Whether `later`, which does not start before this one, belongs into the same frame.
    fn is_near(&self, later: &Self) -> bool {
        self.file == later.file && later.first_line <= self.last_line + NEAR
    }

    fn labeled(&self) -> LabeledSpan {
        let message = Some(harmless(self.message)).filter(|message| !message.is_empty());
        let span = SourceSpan::from((self.start, self.length));
        if self.primary {
            LabeledSpan::new_primary_with_span(message, span)
        } else {
            LabeledSpan::new_with_span(message, span)
        }
    }
}

fn draw(frame: &Frame<'_>, color: Color, text: &mut String) {
    let theme = match color {
        Color::Never => GraphicalTheme::unicode_nocolor(),
        Color::Always => GraphicalTheme::unicode(),
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_context_lines(0)
        .with_wrap_lines(false)
        .with_links(false)
        .without_syntax_highlighting()
        .tab_width(TAB_WIDTH);
    let mut drawn = String::new();
    // The spans are inside the text and writing to a string cannot fail, so neither can this.
    if handler.render_report(&mut drawn, frame).is_ok() {
        // miette's own first line, with the message that the frame does not have.
        let snippets = drawn.split_once('\n').map_or("", |(_, rest)| rest);
        for line in snippets.lines() {
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
}

impl fmt::Display for Frame<'_> {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Frame<'_> {}

impl miette::Diagnostic for Frame<'_> {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

/// The lines of a file that a frame shows, as miette reads them: always whole, so that a snippet shows the line and not only
/// the span. Places are those of the file.
#[derive(Debug)]
struct Source<'a> {
    file: &'a SourceFile,
    /// Where the lines begin in the file.
    base: usize,
    /// Their text with control characters made harmless and a line break at its end, so that the place after the
    /// last byte has a line too. Byte for byte as long as the text.
    text: String,
}

impl<'a> Source<'a> {
    fn new(file: &'a SourceFile, shown: Range<usize>) -> Self {
        let whole = file.text();
        let before = whole.get(..shown.start).unwrap_or_default();
        let base = before.rfind('\n').map_or(0, |at| at + 1);
        let after = whole.get(shown.end..).unwrap_or_default();
        let end = shown.end + after.find('\n').unwrap_or(after.len());
        let lines = whole.get(base..end).unwrap_or_default();
        let mut text = String::with_capacity(lines.len() + 1);
        for character in lines.chars() {
            match is_harmful(character) && !matches!(character, '\n' | '\r' | '\t') {
                true => text.extend(std::iter::repeat_n('?', character.len_utf8())),
                false => text.push(character),
            }
        }
        text.push('\n');
        Self { file, base, text }
    }
}

impl Source<'_> {
    /// Of a line too long to be shown whole, what is near to the span.
    fn clip(&self, lines: Range<usize>, span: Range<usize>) -> (usize, usize) {
        let shown = |range: Range<usize>| self.text.get(range).map_or(0, str::len);
        let start = match shown(lines.start..span.start) > WIDEST {
            true => self.text.ceil_char_boundary(span.start - AROUND),
            false => lines.start,
        };
        let end = match shown(span.end..lines.end) > WIDEST {
            true => self.text.floor_char_boundary(span.end + AROUND),
            false => lines.end,
        };
        (start, end)
    }
}

impl SourceCode for Source<'_> {
    fn read_span<'b>(
        &'b self,
        span: &SourceSpan,
        _lines_before: usize,
        _lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'b> + 'b>, MietteError> {
        let first = span
            .offset()
            .checked_sub(self.base)
            .ok_or(MietteError::OutOfBounds)?;
        let before = self.text.get(..first).ok_or(MietteError::OutOfBounds)?;
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let last = first + span.len();
        let rest = self.text.get(last..).ok_or(MietteError::OutOfBounds)?;
        let end = last + rest.find('\n').map_or(rest.len(), |at| at + 1);
        let (start, end) = self.clip(start..end, first..last);
        let data = self.text.get(start..end).ok_or(MietteError::OutOfBounds)?;
        let position = u32::try_from(span.offset()).unwrap_or(u32::MAX);
        let (line, column) = self.file.line_column(position);
        Ok(Box::new(MietteSpanContents::new_named(
            self.file.name().to_owned(),
            data.as_bytes(),
            SourceSpan::from((self.base + start, data.len())),
            line as usize - 1,
            column as usize - 1,
            // miette joins snippets that touch; one line more makes it join across one line between.
            data.lines().count() + NEAR as usize - 1,
        )))
    }
}

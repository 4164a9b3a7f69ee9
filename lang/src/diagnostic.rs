//! One finding: what is wrong, where, why, and what to do. Renderers read it; nothing here prints.
//!
//! Messages are lower case, without a period, with the user's words in backticks. The label says what,
//! the help says what to do.

use crate::source::Span;

/// A stable identity of a kind of finding. Codes are never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code {
    /// `WP0203`.
    pub number: &'static str,
    /// `missing-key`.
    pub name: &'static str,
    /// The text of `waypost explain`, in Markdown: what it does, why it is bad, an example, the fix.
    pub explanation: &'static str,
}

impl Code {
    /// An error with this code at `span`.
    #[must_use]
    pub fn error(self, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self, Severity::Error, span, message.into())
    }

    /// A warning with this code at `span`.
    #[must_use]
    pub fn warning(self, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self, Severity::Warning, span, message.into())
    }
}

/// Whether a file with this finding may still be compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It may not.
    Error,
    /// It may.
    Warning,
}

/// A span and the few words written under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// What is underlined.
    pub span: Span,
    /// What is said under it; may be empty.
    pub message: String,
}

/// A replacement of a span by other text; the span may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced.
    pub span: Span,
    /// What it becomes.
    pub text: String,
}

/// A change that removes the finding without changing what the author meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What the change does, as an imperative: "write `strong`".
    pub title: String,
    /// The change.
    pub edits: Vec<Edit>,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its kind.
    pub code: Code,
    /// Whether it stops the compilation.
    pub severity: Severity,
    /// One sentence: the one cause.
    pub message: String,
    /// Where it is.
    pub primary: Label,
    /// What else it has to do with.
    pub secondary: Vec<Label>,
    /// The one next step.
    pub help: Option<String>,
    /// The same step as an edit, where it is safe.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    fn new(code: Code, severity: Severity, span: Span, message: String) -> Self {
        let primary = Label {
            span,
            message: String::new(),
        };
        Self {
            code,
            severity,
            message,
            primary,
            secondary: Vec::new(),
            help: None,
            fix: None,
        }
    }

    /// What is said under the primary span.
    #[must_use]
    pub fn label(mut self, message: impl Into<String>) -> Self {
        self.primary.message = message.into();
        self
    }

    /// Another place that explains this one.
    #[must_use]
    pub fn because(mut self, span: Span, message: impl Into<String>) -> Self {
        self.secondary.push(Label {
            span,
            message: message.into(),
        });
        self
    }

    /// The next step.
    #[must_use]
    pub fn help(mut self, message: impl Into<String>) -> Self {
        self.help = Some(message.into());
        self
    }

    /// A safe edit that removes the finding.
    #[must_use]
    pub fn fix(mut self, title: impl Into<String>, edits: impl IntoIterator<Item = Edit>) -> Self {
        self.fix = Some(Fix {
            title: title.into(),
            edits: edits.into_iter().collect(),
        });
        self
    }

    /// Whether it stops the compilation.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// The nearest of `candidates` to a misspelt `name`, if one is near enough to be meant.
///
/// Distance is Damerau's (an insertion, deletion, substitution or swap of neighbours each cost one); near
/// enough is a third of the longer name, at least one.
#[must_use]
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (edit_distance(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= (name.len().max(candidate.len()) / 3).max(1))
        .min_by_key(|(distance, candidate)| (*distance, *candidate))
        .map(|(_, candidate)| candidate)
}

fn edit_distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let width = right.len() + 1;
    let mut rows = vec![0; (left.len() + 1) * width];
    let at = |row: usize, column: usize| row * width + column;
    for row in 0..=left.len() {
        for column in 0..=right.len() {
            let cell =
                |rows: &[usize], row, column| rows.get(at(row, column)).copied().unwrap_or(0);
            let distance = if row == 0 || column == 0 {
                row + column
            } else {
                let same = left.get(row - 1) == right.get(column - 1);
                let replace = cell(&rows, row - 1, column - 1) + usize::from(!same);
                let swapped = row > 1
                    && column > 1
                    && left.get(row - 1) == right.get(column - 2)
                    && left.get(row - 2) == right.get(column - 1);
                let swap = if swapped {
                    cell(&rows, row - 2, column - 2) + 1
                } else {
                    usize::MAX
                };
                replace
                    .min(swap)
                    .min(cell(&rows, row - 1, column) + 1)
                    .min(cell(&rows, row, column - 1) + 1)
            };
            if let Some(slot) = rows.get_mut(at(row, column)) {
                *slot = distance;
            }
        }
    }
    rows.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn nearest_finds_swaps_and_slips() {
        assert_eq!(nearest("strogn", ["weak", "strong"]), Some("strong"));
        assert_eq!(
            nearest("tokns", ["tokens", "tools", "turns"]),
            Some("tokens")
        );
        assert_eq!(nearest("gpt-6", ["phi-4-mini", "claude"]), None);
    }
}

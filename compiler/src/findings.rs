//! Collects what was found.
//!
//! Invariant: one mistake gives one diagnostic. When a part of the text could not be read, nothing is said that
//! may only follow from its absence: a model lost to a syntax error is not also an unknown name.

use waypost_lang::codes;
use waypost_lang::diagnostic::Label;
use waypost_lang::{Code, Diagnostic, Span};

use crate::unread::Unread;

/// Everything found so far.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    diagnostics: Vec<Diagnostic>,
    unread: Unread,
}

/// The name of "there is no tier called `strogn`".
fn unknown_name(diagnostic: &Diagnostic) -> Option<&str> {
    let (message, name) = diagnostic.message.split_once(" called `")?;
    let unknown = diagnostic.code == codes::UNKNOWN_NAME && message.starts_with("there is no ");
    unknown.then(|| name.trim_end_matches('`'))
}

/// Adds another use of an unknown name to the first, and to its fix if that is the same.
fn merge(first: &mut Diagnostic, second: Diagnostic) {
    first.secondary.push(Label {
        span: second.primary.span,
        message: "used here too".to_owned(),
    });
    match (&mut first.fix, second.fix) {
        (Some(fix), Some(other)) if fix.title == other.title => fix.edits.extend(other.edits),
        (fix, _) => *fix = None,
    }
}

/// Codes whose finding may only follow from a statement that was not read.
const FROM_ABSENCE: &[Code] = &[
    codes::UNKNOWN_NAME,
    codes::MISSING_FIELD,
    codes::UNKNOWN_IDENTIFIER,
    codes::UNKNOWN_LITERAL,
    codes::TIER_NOT_IN_CHAIN,
    codes::TIER_WITHOUT_MODEL,
    codes::UNREACHABLE_MODEL,
    codes::BUDGET_WITHOUT_PRICE,
    codes::SHAPE_NEEDS,
];

impl Findings {
    /// From now on, holds back what may follow from these parts of the text.
    pub(crate) fn set_unread(&mut self, unread: Unread) {
        self.unread = unread;
    }

    /// Whether a finding may only follow from text that was not read.
    fn may_follow(&mut self, diagnostic: &Diagnostic) -> bool {
        let span = diagnostic.primary.span;
        if self.unread.is_empty() || !FROM_ABSENCE.contains(&diagnostic.code) {
            return false;
        }
        let field = diagnostic.message.contains(" has no field `");
        let mut words = diagnostic.message.split('`').skip(1).step_by(2);
        match diagnostic.code {
            codes::MISSING_FIELD | codes::TIER_WITHOUT_MODEL => self.unread.may_complete(span),
            codes::UNKNOWN_IDENTIFIER if field => false,
            codes::UNKNOWN_NAME
            | codes::UNKNOWN_IDENTIFIER
            | codes::UNKNOWN_LITERAL
            | codes::TIER_NOT_IN_CHAIN => {
                let unread = &mut self.unread;
                let kinds = &diagnostic.message;
                words
                    .next()
                    .is_none_or(|name| unread.may_declare(kinds, name))
            }
            _ => true,
        }
    }

    /// Whether it is said of text that is reported as written wrongly.
    fn is_misread(&self, diagnostic: &Diagnostic) -> bool {
        let syntax = |code: Code| code.number.starts_with("WP00");
        !syntax(diagnostic.code)
            && self
                .diagnostics
                .iter()
                .any(|one| syntax(one.code) && one.primary.span == diagnostic.primary.span)
    }

    /// Whether a part of the statement at `span` was not read.
    pub(crate) fn is_partial(&self, span: Span) -> bool {
        self.unread.is_partial(span)
    }

    /// Adds a finding, unless it may only follow from text that was not read.
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        if self.may_follow(&diagnostic) || self.is_misread(&diagnostic) {
            return;
        }
        match self.same_unknown_name(&diagnostic) {
            Some(first) => merge(first, diagnostic),
            None => self.diagnostics.push(diagnostic),
        }
    }

    /// An earlier use of the name that this finding does not know: a slip in a declaration is one mistake,
    /// however often the name is used.
    fn same_unknown_name(&mut self, diagnostic: &Diagnostic) -> Option<&mut Diagnostic> {
        let name = unknown_name(diagnostic)?;
        let mut known = self.diagnostics.iter_mut();
        known.find(|one| unknown_name(one) == Some(name))
    }

    /// Adds several.
    pub(crate) fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        for diagnostic in diagnostics {
            self.push(diagnostic);
        }
    }

    /// Whether an error is among them.
    pub(crate) fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// By file and position, each once.
    pub(crate) fn into_sorted(self) -> Vec<Diagnostic> {
        let mut diagnostics = self.diagnostics;
        diagnostics.sort_by(|left, right| {
            let key = |one: &Diagnostic| (one.primary.span, one.code.number);
            key(left)
                .cmp(&key(right))
                .then_with(|| left.message.cmp(&right.message))
        });
        diagnostics.dedup_by(|second, first| {
            second.code == first.code
                && second.primary.span == first.primary.span
                && second.message == first.message
        });
        diagnostics
    }
}

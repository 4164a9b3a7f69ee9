//! Edits that take a rule, or a part of its condition, out of a file.

use waypost_lang::Diagnostic;
use waypost_lang::diagnostic::Edit;
use waypost_lang::source::Span;
use waypost_lang::syntax::tree::{ExpectKind, ItemKind};

use super::Subject;
use crate::program::Label;
use crate::proofs::coverage::{Kind, Rule};
use crate::proofs::redundancy::Redundant;

impl Subject<'_> {
    /// The text of a span on one line, if it is short enough to be quoted.
    pub(super) fn quoted(&self, span: Span) -> Option<String> {
        let words: Vec<&str> = self.sources.text(span).split_whitespace().collect();
        let text = words.join(" ");
        (text.chars().count() <= 60).then_some(text)
    }

    /// Whether a test names a rule: then the rule cannot go without the test.
    pub(super) fn is_tested(&self, label: &Label) -> bool {
        let mut expectations = self.program.tests.iter().flat_map(|test| &test.expect);
        expectations.any(|expect| match &expect.kind {
            ExpectKind::EscalatedBy(text)
            | ExpectKind::CappedBy(text)
            | ExpectKind::LimitedBy(text)
            | ExpectKind::WarnedBy(text) => text.value == label.text,
            ExpectKind::Denied(text) => text.as_ref().is_some_and(|text| text.value == label.text),
            _ => false,
        })
    }

    /// The block that a rule stands in: its file, and the place of its section.
    pub(super) fn block(&self, span: Span) -> Option<Span> {
        let items = self.files.iter().flat_map(|file| &file.items);
        let sections =
            items.filter(|item| matches!(item.kind, ItemKind::Policy(_) | ItemKind::Content(_)));
        sections.map(|item| item.span).find(|block| {
            block.file == span.file && block.start <= span.start && span.end <= block.end
        })
    }

    /// Adds the deletion of a rule, where nothing else in the file names it.
    pub(super) fn deleting(&self, found: Diagnostic, rule: &Rule<'_>) -> Diagnostic {
        match self
            .deletion(rule.span)
            .filter(|_| !self.is_tested(rule.label))
        {
            Some(edit) => found.fix("delete the rule", [edit]),
            None => found,
        }
    }

    /// Takes a statement away with its line, where it has its lines for itself.
    pub(super) fn deletion(&self, span: Span) -> Option<Edit> {
        let text = self.sources.file(span.file)?.text();
        let (start, end) = (span.start as usize, span.end as usize);
        let line = text.get(..start)?.rfind('\n').map_or(0, |at| at + 1);
        let rest = text.get(end..)?;
        let length = rest.find('\n').map_or(rest.len(), |at| at + 1);
        let after = rest.get(..length)?.trim_start();
        let is_alone = text.get(line..start)?.trim().is_empty()
            && (after.is_empty() || after.starts_with("//"));
        let span = if is_alone {
            let (line, end) = (u32::try_from(line).ok()?, u32::try_from(end + length).ok()?);
            Span::new(span.file, line, end)
        } else {
            span
        };
        Some(Edit {
            span,
            text: String::new(),
        })
    }

    /// Takes a part of a chain of `&&` or `||` away with its operator.
    pub(super) fn part_deletion(&self, found: &Redundant<'_>) -> Option<Edit> {
        let operator = if found.conjunction { "&&" } else { "||" };
        let (node, part) = (found.node, found.part.span);
        let [left, right] = <[_; 2]>::try_from(node.children()).ok()?;
        let text = self.sources.file(node.span.file)?.text();
        let is_inside = |inner: Span| {
            inner.file == node.span.file
                && node.span.start <= inner.start
                && inner.end <= node.span.end
        };
        if !is_inside(left.span) || !is_inside(right.span) || left.span.end > right.span.start {
            return None;
        }
        let between = text.get(left.span.end as usize..right.span.start as usize)?;
        let at = between.find(operator)?;
        let plain =
            |text: &str, allowed: char| text.chars().all(|c| c.is_whitespace() || c == allowed);
        if !plain(between.get(..at)?, ')') || !plain(between.get(at + 2..)?, '(') {
            return None;
        }
        let place = left.span.end + u32::try_from(at).ok()?;
        let span = if part == right.span {
            let before = text.get(..place as usize)?.trim_end().len();
            Span::new(node.span.file, u32::try_from(before).ok()?, node.span.end)
        } else {
            let after = text.get(place as usize + 2..)?;
            let spaces = u32::try_from(after.len() - after.trim_start().len()).ok()?;
            Span::new(node.span.file, node.span.start, place + 2 + spaces)
        };
        Some(Edit {
            span,
            text: String::new(),
        })
    }
}

/// What a rule of this kind does to a call that it matches.
pub(super) const fn effect(kind: Kind) -> &'static str {
    match kind {
        Kind::Escalation => "raises",
        Kind::Denial => "refuses",
        Kind::Cap => "lowers",
        Kind::Priority => "serves",
    }
}

/// Where a rule is underlined: its label, or its condition.
pub(super) fn place(rule: &Rule<'_>) -> Span {
    match rule.when {
        Some(when) if !rule.label.written => when.span,
        _ if rule.label.written => rule.label.span,
        _ => rule.span,
    }
}

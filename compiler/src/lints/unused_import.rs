//! WP0474: an import that gives nothing.
//!
//! Sound, not complete: what acts by itself (rules, tiers, models, tests) always counts as given, and so does a name
//! that stands anywhere in a text of another file, be it in a comment.

use std::collections::BTreeSet;

use waypost_lang::diagnostic::Edit;
use waypost_lang::source::FileId;
use waypost_lang::syntax::tree::{ItemKind, Name};
use waypost_lang::{Diagnostic, codes};

use super::{Subject, unlisted_model};
use crate::imports::Import;

/// Finds imports that repeat another of the same file, and those of which no name is used.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let imports: Vec<Import> = subject.imports.iter().collect();
    for (at, import) in imports.iter().enumerate() {
        let before = imports.get(..at).unwrap_or_default();
        let same = |one: &&Import| (one.span.file, one.target) == (import.span.file, import.target);
        let finding = match before.iter().find(same) {
            Some(first) => codes::UNUSED_IMPORT
                .warning(import.span, "this file is imported twice")
                .label("gives nothing that the first does not")
                .because(first.span, "imported here"),
            None if gives(import.target, subject) => continue,
            None => codes::UNUSED_IMPORT
                .warning(import.span, "nothing of this import is used")
                .label("changes nothing"),
        };
        let finding = finding.help("delete it");
        found.push(match statement(import, subject) {
            Some(edit) => finding.fix("delete it", [edit]),
            None => finding,
        });
    }
}

/// The edit that deletes the statement.
fn statement(import: &Import, subject: &Subject<'_>) -> Option<Edit> {
    let file = subject.files.get(usize::from(import.span.file.0))?;
    let mut items = file.items.iter();
    let item = items
        .find(|item| matches!(&item.kind, ItemKind::Import(path) if path.span == import.span))?;
    Some(Edit {
        span: item.span,
        text: String::new(),
    })
}

/// Whether a file, with what it imports itself, gives anything to the others.
fn gives(target: FileId, subject: &Subject<'_>) -> bool {
    let within = subject.imports.closure(target);
    let mut items = subject
        .files
        .iter()
        .zip(subject.sources.files())
        .filter(|(_, (id, _))| within.contains(id))
        .flat_map(|(file, _)| &file.items);
    items.any(|item| match &item.kind {
        ItemKind::Import(_) => false,
        ItemKind::Secret(one) => mentioned(&one.name, &within, subject),
        ItemKind::Let(one) => mentioned(&one.name, &within, subject),
        ItemKind::Provider(one) => mentioned(&one.name, &within, subject),
        ItemKind::Pool(one) => mentioned(&one.name, &within, subject),
        ItemKind::Catalog(one) => listed(&one.model.name, subject),
        _ => true,
    })
}

fn listed(name: &Name, subject: &Subject<'_>) -> bool {
    let program = subject.program;
    // A model that misses its entry has a finding of its own.
    let mut taken = program
        .models
        .iter()
        .filter_map(|model| match model.listing {
            Some(index) => program.catalog.get(index),
            None => unlisted_model::meant(model, program),
        });
    taken.any(|listing| listing.name.span == name.span)
}

/// Whether a name stands in a text outside of `within`.
fn mentioned(name: &Name, within: &BTreeSet<FileId>, subject: &Subject<'_>) -> bool {
    let mut others = subject
        .sources
        .files()
        .filter(|(id, _)| !within.contains(id));
    others.any(|(_, file)| stands_in(&name.value, file.text()))
}

fn stands_in(name: &str, text: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text
            .get(at + name.len()..)
            .and_then(|after| after.chars().next());
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

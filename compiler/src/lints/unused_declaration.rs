//! WP0446: a secret, provider, pool or constant that nothing uses.

use waypost_lang::diagnostic::Edit;
use waypost_lang::source::Spanned;
use waypost_lang::syntax::tree::{Item, ItemKind};
use waypost_lang::{Diagnostic, FileId, SourceMap, codes};

use super::Subject;
use crate::edits::removal;
use crate::program::{Program, ProviderAuth, Via};

/// Finds them in the file that was asked for; what it imports declares for others too.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let Some(file) = subject.files.first() else {
        return;
    };
    // A file of declarations alone is there to be imported.
    if subject.program.contents.is_empty() {
        return;
    }
    for item in &file.items {
        let (what, name, used) = match &item.kind {
            ItemKind::Secret(one) => ("secret", &one.name, secret(subject.program, &one.name)),
            ItemKind::Provider(one) => {
                ("provider", &one.name, provider(subject.program, &one.name))
            }
            ItemKind::Pool(one) => ("pool", &one.name, pool(subject.program, &one.name)),
            ItemKind::Let(one) => ("constant", &one.name, constant(subject.sources, &one.name)),
            _ => continue,
        };
        if !used {
            let edits = edits(item, name, &file.items, subject.sources);
            found.push(
                codes::UNUSED_DECLARATION
                    .warning(
                        name.span,
                        format!("nothing uses the {what} `{}`", name.value),
                    )
                    .label("declared, and never named again")
                    .help("delete it")
                    .fix("delete it", edits),
            );
        }
    }
}

/// The declaration, and the `place` of a pool.
fn edits(item: &Item, name: &Spanned<String>, items: &[Item], sources: &SourceMap) -> Vec<Edit> {
    let is_pool = matches!(item.kind, ItemKind::Pool(_));
    let placed = items.iter().filter(|one| match &one.kind {
        ItemKind::Place(place) => is_pool && place.pool.value == name.value,
        _ => false,
    });
    let spans = std::iter::once(item).chain(placed).map(|one| one.span);
    spans.map(|span| removal(span, sources)).collect()
}

fn secret(program: &Program, name: &Spanned<String>) -> bool {
    let Some(index) = program
        .secrets
        .iter()
        .position(|one| one.name.value == name.value)
    else {
        return true;
    };
    let keys = program.policy.keys == Some(index);
    let redis = program
        .deploy
        .as_ref()
        .is_some_and(|one| one.redis.is_some_and(|redis| redis.secret == index));
    let mut providers = program.providers.iter();
    keys || redis || providers.any(|one| one.auth == ProviderAuth::Secret(index))
}

fn provider(program: &Program, name: &Spanned<String>) -> bool {
    let index = program
        .providers
        .iter()
        .position(|one| one.name.value == name.value);
    let mut models = program.models.iter();
    index.is_none_or(|index| models.any(|one| one.via == Via::Provider(index)))
}

fn pool(program: &Program, name: &Spanned<String>) -> bool {
    let index = program
        .pools
        .iter()
        .position(|one| one.name.value == name.value);
    let mut models = program.models.iter();
    index.is_none_or(|index| models.any(|one| one.via == Via::Pool(index)))
}

/// Whether the word stands anywhere else: a comment that names it counts as a use, which errs on the quiet side.
fn constant(sources: &SourceMap, name: &Spanned<String>) -> bool {
    let word = &name.value;
    sources.files().any(|(id, file)| {
        let text = file.text();
        text.match_indices(word.as_str()).any(|(at, _)| {
            let part = |one: char| one.is_alphanumeric() || one == '_';
            let before = text.get(..at).and_then(|text| text.chars().next_back());
            let after = text
                .get(at + word.len()..)
                .and_then(|text| text.chars().next());
            let itself = id == FileId(0) && at == name.span.start as usize;
            !itself && !before.is_some_and(part) && !after.is_some_and(part)
        })
    })
}

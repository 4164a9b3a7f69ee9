//! WP0441: a reasoning model that refuses parameters which clients send, and nothing drops them.

use waypost_lang::syntax::tree::{self, ItemKind};
use waypost_lang::{Diagnostic, codes};

use super::Subject;
use crate::edits::insertion;
use crate::program::{Model, Via};

/// What the reasoning models of OpenAI answer 400 to.
const REFUSED: &[&str] = &["presence_penalty", "frequency_penalty"];

/// Finds hosted reasoning models whose `rejects` does not name what they refuse.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for model in &subject.program.models {
        let refuses = is_reasoning(&model.name.value) || is_reasoning(&model.upstream_name);
        let missing: Vec<&str> = REFUSED
            .iter()
            .filter(|name| !model.rejects.iter().any(|one| one == *name))
            .copied()
            .collect();
        // What the catalog lists is held against it by a lint of its own.
        let listed = model.listing.is_some();
        if listed || !refuses || missing.is_empty() || !matches!(model.via, Via::Provider(_)) {
            continue;
        }
        let missing = missing.join(", ");
        let mut diagnostic = codes::REFUSED_PARAMETERS
            .warning(
                model.name.span,
                format!(
                    "`{}` refuses `{missing}`, and nothing drops them",
                    model.name.value
                ),
            )
            .label("a call that sends one is answered 400")
            .help(format!("write `rejects {missing}`"));
        if let Some(edit) = declared(subject, model).and_then(|tree| edit(tree, &missing)) {
            diagnostic = diagnostic.fix(format!("write `rejects {missing}`"), [edit]);
        }
        found.push(diagnostic);
    }
}

/// `gpt-5`, `gpt-5.1-mini`, `o3`, `o4-mini`; the models made for chat take the parameters.
fn is_reasoning(name: &str) -> bool {
    let name = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
    let numbered = name
        .strip_prefix('o')
        .is_some_and(|rest| rest.starts_with(|one: char| one.is_ascii_digit()));
    (numbered || name.starts_with("gpt-5")) && !name.contains("chat")
}

fn declared<'a>(subject: &Subject<'a>, model: &Model) -> Option<&'a tree::Model> {
    let items = subject.files.iter().flat_map(|file| &file.items);
    items
        .filter_map(|item| match &item.kind {
            ItemKind::Model(one) => Some(one),
            _ => None,
        })
        .find(|one| one.name.span == model.name.span)
}

fn edit(tree: &tree::Model, missing: &str) -> Option<waypost_lang::diagnostic::Edit> {
    match tree.rejects.last() {
        Some(last) => Some(insertion(last.span, format!(", {missing}"))),
        None => tree
            .via
            .as_ref()
            .map(|via| insertion(via.span, format!("  rejects {missing}"))),
    }
}

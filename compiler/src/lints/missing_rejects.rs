//! WP0476: a parameter that the list says a model refuses, and that would be sent to it all the same.

use waypost_lang::diagnostic::Edit;
use waypost_lang::syntax::tree::ItemKind;
use waypost_lang::{Diagnostic, codes};

use super::Subject;

/// Finds models whose own `rejects` leaves out what the catalog's has.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for model in &subject.program.models {
        let listing = model
            .listing
            .and_then(|index| subject.program.catalog.get(index));
        let Some(listing) = listing else { continue };
        let lacking: Vec<&str> = listing
            .rejects
            .iter()
            .filter(|one| !model.rejects.contains(one))
            .map(String::as_str)
            .collect();
        if lacking.is_empty() {
            continue;
        }
        let items = subject.files.iter().flat_map(|file| &file.items);
        let last = items.filter_map(|item| match &item.kind {
            ItemKind::Model(tree) if tree.name.span == model.name.span => tree.rejects.last(),
            _ => None,
        });
        let last = last.map(|one| one.span).next();
        let list = lacking.join(", ");
        let mut finding = codes::MISSING_REJECTS
            .warning(
                last.unwrap_or(model.name.span),
                format!("`{}` is sent what it refuses: {list}", model.name.value),
            )
            .label("its own list leaves them out")
            .because(listing.name.span, "the catalog has them")
            .help(format!(
                "add `{list}`, or delete `rejects` to take the catalog's"
            ));
        if let Some(span) = last {
            let edit = Edit {
                span: span.after(),
                text: format!(", {list}"),
            };
            finding = finding.fix(format!("add `{list}`"), [edit]);
        }
        found.push(finding);
    }
}

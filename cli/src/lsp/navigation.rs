//! Where a name is declared and used.

use lsp_types::{
    DocumentHighlight, DocumentHighlightKind, GotoDefinitionResponse, Location, Position,
};
use waypost_compiler::import_path;
use waypost_lang::syntax::tree::ItemKind;
use waypost_lang::{FileId, Span};

use super::view::View;

/// Where what stands here is declared: a name, or an imported file.
pub(crate) fn definition(view: &View<'_>, at: Position) -> Option<GotoDefinitionResponse> {
    let offset = view.offset(at);
    if let Some(file) = imported(view, offset) {
        let start = Span::new(file, 0, 0);
        return view.location(start).map(GotoDefinitionResponse::Scalar);
    }
    let (_, symbol) = view.symbol(offset)?;
    let places = symbol.definitions.iter();
    let places: Vec<Location> = places.filter_map(|span| view.location(*span)).collect();
    (!places.is_empty()).then_some(GotoDefinitionResponse::Array(places))
}

/// The file that an import at this byte brings in.
pub(crate) fn imported(view: &View<'_>, offset: u32) -> Option<FileId> {
    let items = &view.tree()?.items;
    let path = items.iter().find_map(|item| match &item.kind {
        ItemKind::Import(path) if path.span.touches(offset) => Some(&path.value),
        _ => None,
    })?;
    let name = match path.starts_with("std/") {
        true => path.clone(),
        false => import_path(view.name_of(view.file), path),
    };
    view.analysis.file(&name)
}

/// Everywhere the name is used, in every compilation that holds the document.
pub(crate) fn references(views: &[View<'_>], at: Position, declaration: bool) -> Vec<Location> {
    let mut found: Vec<Location> = Vec::new();
    for view in views {
        let Some((_, symbol)) = view.symbol(view.offset(at)) else {
            continue;
        };
        let declared = symbol.definitions.iter().filter(|_| declaration);
        for span in declared.chain(&symbol.references) {
            let place = view.location(*span).filter(|one| !found.contains(one));
            found.extend(place);
        }
    }
    found
}

/// Everywhere the name stands in the document.
pub(crate) fn highlights(view: &View<'_>, at: Position) -> Vec<DocumentHighlight> {
    let Some((here, _)) = view.symbol(view.offset(at)) else {
        return Vec::new();
    };
    let occurrences = view.analysis.index().in_file(view.file).iter();
    let same = occurrences.filter(|one| one.symbol == here.symbol);
    same.map(|one| DocumentHighlight {
        range: view.range(one.span),
        kind: Some(match one.definition {
            true => DocumentHighlightKind::WRITE,
            false => DocumentHighlightKind::READ,
        }),
    })
    .collect()
}

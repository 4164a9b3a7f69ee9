//! Another name for what stands here, everywhere it stands.
//!
//! Invariants: it changes all places or none; it never makes a name that the language would not read, that is taken, or
//! that means something else where it would stand.

use std::collections::{BTreeMap, BTreeSet};

use lsp_types::{Position, PrepareRenameResponse, TextEdit};
use waypost_compiler::index::{Form, Occurrence, Symbol, SymbolKind};
use waypost_lang::cel::typed::Field;
use waypost_lang::cel::{is_kept, quote};
use waypost_lang::syntax::tree::{Item, ItemKind};

use super::view::View;

/// Edits by the address of the file.
pub(crate) type Edits = BTreeMap<String, Vec<TextEdit>>;

/// Words that mean something in expressions, whoever declares them, beside those that CEL keeps.
const GROUPS: &[&str] = &[
    "request", "caller", "cost", "source", "endpoint", "math", "optional", "cel", "ip", "cidr",
];

/// What would be renamed, and its name now.
pub(crate) fn prepare(
    view: &View<'_>,
    at: Position,
) -> Result<Option<PrepareRenameResponse>, String> {
    let Some((occurrence, symbol)) = view.symbol(view.offset(at)) else {
        return Ok(None);
    };
    refuse(view, symbol)?;
    Ok(Some(PrepareRenameResponse::RangeWithPlaceholder {
        range: view.range(occurrence.span),
        placeholder: symbol.name.clone(),
    }))
}

/// The edits that give it the name `new`, in every compilation that holds the document; or why not.
pub(crate) fn rename(views: &[View<'_>], at: Position, new: &str) -> Result<Edits, String> {
    let mut edits: BTreeMap<String, BTreeSet<Change>> = BTreeMap::new();
    let mut found = false;
    for view in views {
        let Some((here, symbol)) = view.symbol(view.offset(at)) else {
            continue;
        };
        found = true;
        refuse(view, symbol)?;
        if symbol.name == new {
            continue;
        }
        check_name(view, symbol, new)?;
        for one in view.analysis.index().of_symbol(here.symbol) {
            let file = view.name_of(one.span.file);
            let change = Change::new(view, one, new);
            let changes = edits.entry(view.project.uri(file)).or_default();
            changes.insert(change);
        }
    }
    if !found {
        return Err("there is no name here".to_owned());
    }
    let edits = edits.into_iter();
    Ok(edits
        .map(|(uri, changes)| (uri, changes.into_iter().map(TextEdit::from).collect()))
        .collect())
}

/// One edit, in the order of places.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Change {
    start: Position,
    end: Position,
    text: String,
}

impl Change {
    fn new(view: &View<'_>, one: &Occurrence, new: &str) -> Self {
        let range = view.range(one.span);
        Self {
            start: range.start,
            end: range.end,
            text: match one.form {
                Form::Bare => new.to_owned(),
                Form::Literal => quote(new),
                Form::Quoted => unquoted(new),
            },
        }
    }
}

impl From<Change> for TextEdit {
    fn from(change: Change) -> Self {
        let range = lsp_types::Range::new(change.start, change.end);
        Self::new(range, change.text)
    }
}

/// The text as it stands between double quotes.
fn unquoted(text: &str) -> String {
    let quoted = quote(text);
    let inner = quoted
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or(text).to_owned()
}

/// Why this name cannot be changed at all, if it cannot.
fn refuse(view: &View<'_>, symbol: &Symbol) -> Result<(), String> {
    let noun = symbol.kind.noun();
    let name = &symbol.name;
    if symbol.definitions.is_empty() {
        return Err(format!("nothing declares the {noun} `{name}`"));
    }
    let definitions = symbol.definitions.iter();
    if definitions.clone().any(|span| view.is_pack(span.file)) {
        return Err(format!(
            "`{name}` is declared in the standard library, which cannot be changed"
        ));
    }
    if symbol.kind == SymbolKind::Model && takes_figures_from_its_name(view, name) {
        return Err(format!(
            "the model `{name}` takes its figures from the catalog by its name: write `listed as {name}`, then rename it"
        ));
    }
    let written = |span: &waypost_lang::Span| {
        let index = view.analysis.index();
        let at = index.at(span.file, span.start);
        at.is_some_and(|one| one.definition && one.span == *span)
    };
    if symbol.kind.is_label() && !definitions.clone().all(written) {
        return Err(format!(
            "this rule has no label and is called by its own text, `{name}`: write a label, then rename it"
        ));
    }
    Ok(())
}

/// Whether the catalog has an entry of the model's own name, and the model does not say which it means.
fn takes_figures_from_its_name(view: &View<'_>, name: &str) -> bool {
    let entry = view.analysis.index().find(SymbolKind::Catalog, name);
    let declared = |item: &Item| matches!(&item.kind, ItemKind::Model(model) if model.name.value == name && model.listed.is_none());
    entry.is_some_and(|entry| !entry.definitions.is_empty()) && view.items().any(declared)
}

fn check_name(view: &View<'_>, symbol: &Symbol, new: &str) -> Result<(), String> {
    let kind = symbol.kind;
    match kind {
        SymbolKind::Escalation | SymbolKind::Rule if new.trim().is_empty() => {
            return Err("a label cannot be empty".to_owned());
        }
        SymbolKind::Escalation | SymbolKind::Rule => {}
        SymbolKind::Constant if !is_identifier(new) => {
            return Err(format!(
                "`{new}` is not the name of a constant: write letters, digits and `_`, a letter first"
            ));
        }
        SymbolKind::Variable if !is_identifier(new) => {
            return Err(format!(
                "`{new}` is not the name of a variable: write letters, digits and `_`, a letter first"
            ));
        }
        SymbolKind::Constant | SymbolKind::Variable => expression_name(view, new)?,
        _ if !is_name(new) => {
            return Err(format!(
                "`{new}` is not a name: write small letters and digits, joined by `.`, `_` or `-`"
            ));
        }
        _ => {}
    }
    taken(view, kind, new)
}

/// Names in expressions must not mean something already.
fn expression_name(view: &View<'_>, new: &str) -> Result<(), String> {
    let known = is_kept(new) || GROUPS.contains(&new) || Field::find(new).is_some();
    let declared = |kind| view.analysis.index().find(kind, new).is_some();
    if known {
        return Err(format!("`{new}` already means something in expressions"));
    }
    if declared(SymbolKind::Constant) || declared(SymbolKind::Variable) {
        return Err(format!("`{new}` is already a constant or a variable"));
    }
    Ok(())
}

fn taken(view: &View<'_>, kind: SymbolKind, new: &str) -> Result<(), String> {
    // After `on` and `try` a name may mean either, so the two share their names.
    let kinds: &[SymbolKind] = match kind {
        SymbolKind::Tier | SymbolKind::Model => &[SymbolKind::Tier, SymbolKind::Model],
        SymbolKind::Variable => return Ok(()),
        _ => &[kind],
    };
    for kind in kinds {
        let other = view.analysis.index().find(*kind, new);
        if other.is_some_and(|other| !other.definitions.is_empty()) {
            return Err(format!("there is already a {} called `{new}`", kind.noun()));
        }
    }
    Ok(())
}

/// `[a-z][a-z0-9]*([._-][a-z0-9]+)*`
fn is_name(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    text.starts_with(|c: char| c.is_ascii_lowercase()) && text.split(['.', '_', '-']).all(part)
}

fn is_identifier(text: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic();
    text.starts_with(first) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

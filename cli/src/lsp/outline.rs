//! The parts of a document: its symbols, and what can be folded.

use lsp_types::{DocumentSymbol, FoldingRange, FoldingRangeKind, SymbolKind};
use waypost_lang::source::Span;
use waypost_lang::syntax::tree::{
    Content, ContentKind, Extension, Item, ItemKind, Name, Policy, PolicyKind, Text,
};
use waypost_lang::syntax::{Token, TokenKind, tokens};

use super::view::View;

/// The document's statements, and the rules in them.
pub(crate) fn symbols(view: &View<'_>) -> Vec<DocumentSymbol> {
    let items = view.tree().map(|tree| tree.items.as_slice());
    let items = items.unwrap_or_default().iter();
    items.filter_map(|item| symbol(view, item)).collect()
}

fn symbol(view: &View<'_>, item: &Item) -> Option<DocumentSymbol> {
    if let Some((kind, detail, name)) = declared(&item.kind) {
        return Some(entry(view, kind, &name.value, detail, item.span, name.span));
    }
    let whole = item.span;
    let (kind, name, detail, chosen) = match &item.kind {
        ItemKind::Content(content) => return Some(content_symbol(view, whole, content)),
        ItemKind::Extend(extension) => return Some(extension_symbol(view, whole, extension)),
        ItemKind::Policy(policy) => {
            let (kind, detail) = (SymbolKind::NAMESPACE, "may it, at what cost");
            let mut section = entry(view, kind, "policy", detail, whole, whole);
            section.children = Some(rules(view, policy));
            return Some(section);
        }
        ItemKind::Tiers(chain) => {
            let names: Vec<&str> = chain.iter().map(|name| name.value.as_str()).collect();
            (SymbolKind::ENUM, names.join(" < "), "tiers", whole)
        }
        ItemKind::Place(place) => {
            let name = format!("place {}", place.pool.value);
            let kind = SymbolKind::NAMESPACE;
            (kind, name, "which replica", place.pool.span)
        }
        ItemKind::Deploy(deploy) => {
            let kind = SymbolKind::PACKAGE;
            (kind, "deploy".to_owned(), "", deploy.target.span)
        }
        ItemKind::Test(test) => {
            let (name, kind) = (&test.name, SymbolKind::METHOD);
            (kind, name.value.clone(), "test", name.span)
        }
        ItemKind::Import(path) => {
            let kind = SymbolKind::FILE;
            (kind, path.value.clone(), "import", path.span)
        }
        ItemKind::Require(require) => {
            let (label, kind) = (&require.label, SymbolKind::EVENT);
            (kind, label.value.clone(), "require", label.span)
        }
        _ => return None,
    };
    Some(entry(view, kind, &name, detail, whole, chosen))
}

/// The statements that declare a name.
fn declared(kind: &ItemKind) -> Option<(SymbolKind, &'static str, &Name)> {
    Some(match kind {
        ItemKind::Secret(one) => (SymbolKind::KEY, "secret", &one.name),
        ItemKind::Let(one) => (SymbolKind::CONSTANT, "constant", &one.name),
        ItemKind::Provider(one) => (SymbolKind::INTERFACE, "provider", &one.name),
        ItemKind::Model(one) => (SymbolKind::CLASS, "model", &one.name),
        ItemKind::Catalog(one) => (SymbolKind::CLASS, "catalog", &one.model.name),
        ItemKind::Pool(one) => (SymbolKind::STRUCT, "pool", &one.name),
        ItemKind::Tier(one) => (SymbolKind::ENUM_MEMBER, "tier", &one.name),
        _ => return None,
    })
}

fn extension_symbol(view: &View<'_>, span: Span, extension: &Extension) -> DocumentSymbol {
    let (detail, kind, name) = match extension {
        Extension::Let(one) => ("extends a constant", SymbolKind::CONSTANT, &one.name),
        Extension::Provider(one) => ("extends a provider", SymbolKind::INTERFACE, &one.name),
        Extension::Model(one) => ("extends a model", SymbolKind::CLASS, &one.name),
        Extension::Pool(one) => ("extends a pool", SymbolKind::STRUCT, &one.name),
        Extension::Tier(one) => ("extends a tier", SymbolKind::ENUM_MEMBER, &one.name),
        Extension::Deploy(_) => {
            let kind = SymbolKind::PACKAGE;
            return entry(view, kind, "deploy", "extends the deployment", span, span);
        }
    };
    entry(view, kind, &name.value, detail, span, name.span)
}

fn content_symbol(view: &View<'_>, span: Span, content: &Content) -> DocumentSymbol {
    let name = content.name.as_ref();
    let title = name.map_or("content".to_owned(), |name| {
        format!("content {}", name.value)
    });
    let chosen = name.map_or(span, |name| name.span);
    let kind = SymbolKind::NAMESPACE;
    let mut whole = entry(view, kind, &title, "which tier answers", span, chosen);
    let rules = content.items.iter().filter_map(|item| match &item.kind {
        ContentKind::Escalate { tier, label, when } => {
            let detail = format!("escalate to {}", tier.value);
            Some(rule(view, label.as_ref(), &detail, item.span, when.span))
        }
        _ => None,
    });
    whole.children = Some(rules.collect());
    whole
}

fn rules(view: &View<'_>, policy: &Policy) -> Vec<DocumentSymbol> {
    let items = policy.items.iter();
    items
        .filter_map(|item| {
            let (label, detail, own) = match &item.kind {
                PolicyKind::Deny { label, when, .. } => (label, "deny".to_owned(), when.span),
                PolicyKind::Cap { tier, label, when } => {
                    (label, format!("cap at {}", tier.value), when.span)
                }
                PolicyKind::Quota(quota) => {
                    let detail = if quota.budget { "budget" } else { "limit" };
                    (&quota.label, detail.to_owned(), quota.rate_span)
                }
                PolicyKind::Priority { label, value, .. } => {
                    (label, format!("priority {}", value.value), item.span)
                }
                _ => return None,
            };
            Some(rule(view, label.as_ref(), &detail, item.span, own))
        })
        .collect()
}

fn rule(
    view: &View<'_>,
    label: Option<&Text>,
    detail: &str,
    whole: Span,
    own: Span,
) -> DocumentSymbol {
    let words: Vec<&str> = view.sources().text(own).split_whitespace().collect();
    let name = label.map_or_else(|| words.join(" "), |label| label.value.clone());
    let chosen = label.map_or(own, |label| label.span);
    entry(view, SymbolKind::EVENT, &name, detail, whole, chosen)
}

#[allow(deprecated, reason = "the protocol's type still has the field")]
fn entry(
    view: &View<'_>,
    kind: SymbolKind,
    name: &str,
    detail: &str,
    whole: Span,
    chosen: Span,
) -> DocumentSymbol {
    let name = if name.trim().is_empty() {
        "(no name)"
    } else {
        name
    };
    DocumentSymbol {
        name: name.to_owned(),
        detail: (!detail.is_empty()).then(|| detail.to_owned()),
        kind,
        tags: None,
        deprecated: None,
        range: view.range(whole),
        selection_range: view.range(chosen),
        children: None,
    }
}

/// Blocks, and comments of several lines.
pub(crate) fn folds(view: &View<'_>) -> Vec<FoldingRange> {
    let text = view.text();
    let mut folds = Vec::new();
    let mut open: Vec<u32> = Vec::new();
    let mut comment: Option<(u32, u32)> = None;
    for token in tokens(text) {
        let line = view.lines().line(token.start);
        if token.kind == TokenKind::Comment && token.first_on_line {
            comment = match comment {
                Some((first, last)) if last + 1 == line => Some((first, line)),
                before => {
                    folds.extend(before.and_then(comment_fold));
                    Some((line, line))
                }
            };
            continue;
        }
        folds.extend(comment.take().and_then(comment_fold));
        folds.extend(brace(&mut open, token, line));
    }
    folds
}

fn brace(open: &mut Vec<u32>, token: Token, line: u32) -> Option<FoldingRange> {
    match token.kind {
        TokenKind::OpenBrace => open.push(line),
        TokenKind::CloseBrace => {
            // The line of the brace stays to be seen.
            let (first, last) = (open.pop()?, line.saturating_sub(1));
            return (last > first).then(|| fold(first, last, None));
        }
        _ => {}
    }
    None
}

fn comment_fold((first, last): (u32, u32)) -> Option<FoldingRange> {
    (last > first).then(|| fold(first, last, Some(FoldingRangeKind::Comment)))
}

fn fold(start_line: u32, end_line: u32, kind: Option<FoldingRangeKind>) -> FoldingRange {
    FoldingRange {
        start_line,
        end_line,
        kind,
        ..FoldingRange::default()
    }
}

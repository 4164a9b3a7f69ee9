//! What the file does not say and the compiler knows: ceilings, prices, defaults.

use lsp_types::{InlayHint, InlayHintKind, InlayHintLabel, InlayHintTooltip, Range};
use waypost_lang::source::Span;
use waypost_lang::syntax::tree::{Item, ItemKind, Model, PolicyKind, Tier};
use waypost_lang::syntax::{TokenKind, tokens};
use waypost_policies::cost::Sort;

use super::ceiling;
use super::hover::dollars;
use super::view::View;

/// The hints of the lines of `range`; none while the file has errors.
pub(crate) fn hints(view: &View<'_>, range: Range) -> Vec<InlayHint> {
    let mut found = Vec::new();
    let items = view.tree().map(|tree| tree.items.as_slice());
    let (start, end) = (view.offset(range.start), view.offset(range.end));
    for item in items.unwrap_or_default() {
        if item.span.start <= end && start <= item.span.end {
            of_item(view, item, &mut found);
        }
    }
    found.retain(|hint| range.start <= hint.position && hint.position <= range.end);
    found
}

fn of_item(view: &View<'_>, item: &Item, found: &mut Vec<InlayHint>) {
    match &item.kind {
        ItemKind::Tier(tier) => found.extend(tier_hint(view, item, tier)),
        ItemKind::Model(model) => found.extend(price(view, item, model)),
        ItemKind::Policy(policy) => {
            for statement in &policy.items {
                match &statement.kind {
                    PolicyKind::Deny {
                        status: None,
                        label: Some(label),
                        ..
                    } => {
                        let why = "a denied call is answered with 403 unless a status is written";
                        found.push(hint(view, label.span.end, "status 403", why));
                    }
                    PolicyKind::Quota(quota) if quota.outcomes.is_empty() => {
                        let why = "without outcomes, a call over the quota is refused with 429";
                        let end = statement.span.end;
                        found.push(hint(view, end, "{ at 100% deny }", why));
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

/// The ceiling, after the brace that opens the tier.
fn tier_hint(view: &View<'_>, item: &Item, tier: &Tier) -> Option<InlayHint> {
    let program = view.analysis.checked.program.as_ref()?;
    let mut tiers = program.tiers.iter();
    let rank = tiers.position(|one| one.name == tier.name)?;
    let ceiling = ceiling::of_tier(&view.analysis, rank)?;
    let at = after_brace(view, item.span)?;
    let why = "what calls of this tier can cost at worst: `waypost spend` says which rule sets it";
    Some(hint(view, at, &ceiling, why))
}

/// The price that a catalog gives a model that states none.
fn price(view: &View<'_>, item: &Item, model: &Model) -> Option<InlayHint> {
    let program = view.analysis.checked.program.as_ref()?;
    let mut models = program.models.iter();
    let resolved = models.find(|one| one.name.value == model.name.value)?;
    let price = resolved.price.as_ref().filter(|_| model.price.is_none())?;
    let rates = price.base();
    let written = [Sort::Input, Sort::Cached, Sort::Output];
    let written = written.map(|sort| format!("{} {}", sort.word(), dollars(rates.of(sort).0)));
    let text = format!("price {}", written.join("  "));
    let at = after_brace(view, item.span)?;
    Some(hint(
        view,
        at,
        &text,
        "the price that an import gives this model",
    ))
}

/// The byte after the first `{` of a statement.
fn after_brace(view: &View<'_>, span: Span) -> Option<u32> {
    let text = view.sources().text(span);
    let brace = tokens(text).find(|token| token.kind == TokenKind::OpenBrace)?;
    Some(span.start + brace.end)
}

fn hint(view: &View<'_>, at: u32, label: &str, why: &str) -> InlayHint {
    InlayHint {
        position: view.position(at),
        label: InlayHintLabel::String(label.to_owned()),
        kind: Some(InlayHintKind::PARAMETER),
        text_edits: None,
        tooltip: Some(InlayHintTooltip::String(why.to_owned())),
        padding_left: Some(true),
        padding_right: Some(false),
        data: None,
    }
}

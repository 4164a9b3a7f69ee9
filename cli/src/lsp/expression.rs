//! The expressions of a document's tree, with the section that each stands in.

use waypost_lang::cel::typed::Section;
use waypost_lang::cel::{Expr, ExprKind};
use waypost_lang::syntax::tree::{ContentKind, Extension, File, Item, ItemKind, PolicyKind, Step};

/// Every expression of a file in the order written.
pub(crate) fn all(file: &File) -> Vec<(&Expr, Section)> {
    let mut found = Vec::new();
    for item in &file.items {
        of_item(item, &mut found);
    }
    found
}

fn of_item<'t>(item: &'t Item, found: &mut Vec<(&'t Expr, Section)>) {
    match &item.kind {
        ItemKind::Let(constant) => found.push((&constant.value, Section::Constant)),
        ItemKind::Extend(Extension::Let(constant)) => {
            found.push((&constant.value, Section::Constant));
        }
        ItemKind::Tier(tier) | ItemKind::Extend(Extension::Tier(tier)) => {
            let keys = tier.steps.iter().filter_map(|step| match step {
                Step::Split(split) => split.key.as_ref(),
                Step::Try(_) => None,
            });
            found.extend(keys.map(|key| (key, Section::Policy)));
        }
        ItemKind::Content(content) => {
            for statement in &content.items {
                match &statement.kind {
                    ContentKind::Escalate { when, .. } => found.push((when, Section::Content)),
                    ContentKind::Keep { session, .. } => found.push((session, Section::Content)),
                    _ => {}
                }
            }
        }
        ItemKind::Policy(policy) => {
            for statement in &policy.items {
                let parts = match &statement.kind {
                    PolicyKind::Deny { when, .. } | PolicyKind::Cap { when, .. } => {
                        [Some(when), None]
                    }
                    PolicyKind::Priority { when, .. } => [when.as_ref(), None],
                    PolicyKind::Quota(quota) => [quota.per.as_ref(), quota.when.as_ref()],
                    _ => [None, None],
                };
                let parts = parts.into_iter().flatten();
                found.extend(parts.map(|part| (part, Section::Policy)));
            }
        }
        ItemKind::Place(place) => {
            let only = place.only.iter();
            found.extend(only.map(|(_, when)| (when, Section::Place)));
        }
        _ => {}
    }
}

/// The parts directly inside.
pub(crate) fn children(expr: &Expr) -> Vec<&Expr> {
    match &expr.kind {
        ExprKind::Select { operand, .. } | ExprKind::Unary { operand, .. } => vec![operand],
        ExprKind::Index { operand, index, .. } => vec![operand, index],
        ExprKind::Call {
            receiver,
            arguments,
            ..
        } => receiver
            .iter()
            .map(AsRef::as_ref)
            .chain(arguments)
            .collect(),
        ExprKind::Binary { left, right, .. } => vec![left, right],
        ExprKind::Conditional {
            condition,
            then,
            otherwise,
        } => vec![condition, then, otherwise],
        ExprKind::List(elements) => elements.iter().map(|(_, element)| element).collect(),
        ExprKind::Map(entries) => entries
            .iter()
            .flat_map(|(_, key, value)| [key, value])
            .collect(),
        _ => Vec::new(),
    }
}

/// The smallest part at a byte.
pub(crate) fn at(expr: &Expr, offset: u32) -> Option<&Expr> {
    if !expr.span.touches(offset) {
        return None;
    }
    let inner = children(expr).into_iter().find_map(|part| at(part, offset));
    inner.or(Some(expr))
}

/// `request.tools` of `request.tools`: names joined by dots.
pub(crate) fn path(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Identifier(name) => Some(name.clone()),
        ExprKind::Select {
            operand,
            field,
            optional: false,
        } => Some(format!("{}.{}", path(operand)?, field.value)),
        _ => None,
    }
}

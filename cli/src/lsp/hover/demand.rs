//! In a `require`: what the items of the compiled model are and have.

use waypost_lang::cel::typed::{Section, Type};
use waypost_lang::cel::{Expr, ExprKind};
use waypost_lang::source::Span;
use waypost_lang::syntax::tree::ItemKind;

use crate::lsp::expression;
use crate::lsp::typing::{Surroundings, bindings};
use crate::lsp::view::View;
use crate::lsp::vocabulary;

/// The expression of a demand at a byte.
fn at(view: &View<'_>, offset: u32) -> Option<Expr> {
    let items = view.tree()?.items.iter();
    let mut expressions = items.flat_map(|item| match &item.kind {
        ItemKind::Require(require) => [require.when.as_ref(), require.that.as_ref()],
        _ => [None, None],
    });
    let found = expressions.find_map(|one| one.filter(|one| one.span.touches(offset)));
    found.cloned()
}

/// What is said of a part of a demand's expression, and how far the part reaches.
pub(super) fn in_demand(view: &View<'_>, offset: u32) -> Option<(String, Span)> {
    let whole = at(view, offset)?;
    let part = expression::at(&whole, offset)?;
    if let Some(known) = super::function(part, offset) {
        return Some(known);
    }
    let ty = type_of(view, &whole, part)?;
    let meaning = match &part.kind {
        ExprKind::Select { operand, field, .. } => match type_of(view, &whole, operand)? {
            Type::Struct(shape) => vocabulary::item_field(shape, &field.value),
            _ => None,
        },
        _ => None,
    };
    let has = match &ty {
        Type::Struct(shape) => {
            let names: Vec<String> = shape
                .fields
                .iter()
                .map(|(name, _)| format!("`{name}`"))
                .collect();
            format!("\n\nHas {}.", names.join(", "))
        }
        _ => String::new(),
    };
    let written = view.sources().text(part.span);
    let meaning = meaning.map_or_else(String::new, |text| format!("\n\n{text}"));
    Some((
        format!("```cel\n{written}: {ty}\n```{meaning}{has}"),
        part.span,
    ))
}

/// The type of a variable of a macro in a demand that ends at a byte.
pub(super) fn variable(view: &View<'_>, offset: u32, name: &str) -> Option<Type> {
    let whole = at(view, offset)?;
    let until = Span {
        end: offset,
        ..whole.span
    };
    let text = view.sources().text(until);
    let typed = Surroundings::of_demand(view);
    // Where it is declared it has no value yet: what follows it has.
    let declared = format!("{text}, ");
    typed
        .type_of(name, &bindings(text), Section::Constant)
        .or_else(|| typed.type_of(name, &bindings(&declared), Section::Constant))
}

fn type_of(view: &View<'_>, whole: &Expr, part: &Expr) -> Option<Type> {
    let until = Span {
        end: part.span.start,
        ..whole.span
    };
    let around = bindings(view.sources().text(until));
    let text = view.sources().text(part.span);
    Surroundings::of_demand(view).type_of(text, &around, Section::Constant)
}

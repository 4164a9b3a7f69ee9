//! What stands here: what it means, what it comes to, what was found about it.

mod card;
mod demand;
mod value;

use lsp_types::{Hover, HoverContents, MarkupContent, MarkupKind, Position};
use waypost_compiler::index::SymbolKind;
use waypost_lang::Diagnostic;
use waypost_lang::cel::typed::{Field, Section, Type};
use waypost_lang::cel::{Expr, ExprKind};
use waypost_lang::source::Span;
use waypost_lang::syntax::{TokenKind, tokens};

use super::context::{Context, Inside};
use super::expression;
use super::navigation;
use super::typing::{Surroundings, bindings};
use super::view::View;
use super::vocabulary::{self, functions};
use card::sections_of;
pub(crate) use value::dollars;

/// What is shown at a position.
pub(crate) fn hover(view: &View<'_>, at: Position) -> Option<Hover> {
    let offset = view.offset(at);
    let subject = subject(view, offset);
    let found = view.analysis.found().iter();
    let found = found.filter(|one| {
        let span = one.primary.span;
        span.file == view.file && span.touches(offset)
    });
    let mut parts: Vec<String> = subject.iter().map(|(text, _)| text.clone()).collect();
    parts.extend(found.map(finding));
    if parts.is_empty() {
        return None;
    }
    Some(Hover {
        contents: HoverContents::Markup(MarkupContent {
            kind: MarkupKind::Markdown,
            value: parts.join("\n\n---\n\n"),
        }),
        range: subject.map(|(_, span)| view.range(span)),
    })
}

/// What is said of what stands at a byte, and how far it reaches.
fn subject(view: &View<'_>, offset: u32) -> Option<(String, Span)> {
    if let Some((occurrence, symbol)) = view.symbol(offset) {
        let text = match symbol.kind {
            SymbolKind::Variable => variable(view, occurrence.span.end, &symbol.name),
            _ => card::card(view, symbol),
        };
        return Some((text, occurrence.span));
    }
    if let Some(pack) = navigation::imported(view, offset) {
        let lines = view.text_of(pack).lines();
        let head = lines.take_while(|line| line.starts_with("//"));
        let head = head.map(|line| line.trim_start_matches('/').trim());
        let text = format!(
            "`{}`\n\n{}",
            view.name_of(pack),
            head.collect::<Vec<_>>().join("\n")
        );
        return Some((text, Span::new(view.file, offset, offset)));
    }
    demand::in_demand(view, offset)
        .or_else(|| in_expression(view, offset))
        .or_else(|| keyword(view, offset))
}

/// A part of an expression: the fact it reads, the function it calls, its type.
fn in_expression(view: &View<'_>, offset: u32) -> Option<(String, Span)> {
    let expressions = expression::all(view.tree()?);
    let (whole, section) = expressions
        .into_iter()
        .find(|(expr, _)| expr.span.touches(offset))?;
    let path = path_at(whole, offset);
    if let Some((field, span)) = path {
        return Some((fact(field, section), span));
    }
    let part = expression::at(whole, offset)?;
    if let ExprKind::Identifier(name) = &part.kind
        && let Some(meaning) = vocabulary::group(name)
    {
        return Some((format!("`{name}`\n\n{meaning}"), part.span));
    }
    let ty = part_type(view, whole, part, section);
    if let Some(known) = function(part, offset) {
        return Some(known);
    }
    let ty = ty?;
    let written = view.sources().text(part.span);
    let meaning = member_meaning(view, whole, part, section);
    let meaning = meaning.map_or_else(String::new, |text| format!("\n\n{text}"));
    Some((format!("```cel\n{written}: {ty}\n```{meaning}"), part.span))
}

/// The function that a call names at a byte.
fn function(part: &Expr, offset: u32) -> Option<(String, Span)> {
    let ExprKind::Call { function, .. } = &part.kind else {
        return None;
    };
    if !function.span.touches(offset) {
        return None;
    }
    let mut known = functions().iter();
    let known = known.find(|one| one.name.rsplit('.').next() == Some(&function.value))?;
    let text = format!("```cel\n{}\n```\n\n{}", known.signature, known.meaning);
    Some((text, function.span))
}

/// The fact whose whole path the byte is in: on `tokens` of `request.tokens`, or on `request`.
fn path_at(whole: &Expr, offset: u32) -> Option<(Field, Span)> {
    if !whole.span.touches(offset) {
        return None;
    }
    let here = expression::path(whole).and_then(|path| Field::find(&path));
    if let Some(field) = here {
        return Some((field, whole.span));
    }
    let parts = expression::children(whole);
    parts.into_iter().find_map(|part| path_at(part, offset))
}

/// What a fact is, and who may read it.
pub(crate) fn fact(field: Field, section: Section) -> String {
    let path = field.path();
    let meaning = vocabulary::fact(path).unwrap_or("");
    let sections = sections_of(field);
    let mut text = format!(
        "```cel\n{path}: {}\n```\n\n{meaning}\n\nRead in {sections}.",
        field.ty()
    );
    if !field.sections().contains(&section) {
        text.push_str(&format!(" Not in `{}`.", section.keyword()));
    }
    text
}

/// The type of a part of an expression, which may be broken elsewhere.
fn part_type(view: &View<'_>, whole: &Expr, part: &Expr, section: Section) -> Option<Type> {
    let surroundings = Surroundings::of(view);
    let sources = view.sources();
    let until = Span {
        end: part.span.start,
        ..whole.span
    };
    let around = bindings(sources.text(until));
    surroundings.type_of(sources.text(part.span), &around, section)
}

/// What a field of a request's record means.
fn member_meaning(
    view: &View<'_>,
    whole: &Expr,
    part: &Expr,
    section: Section,
) -> Option<&'static str> {
    let ExprKind::Select { operand, field, .. } = &part.kind else {
        return None;
    };
    let ty = part_type(view, whole, operand, section)?;
    vocabulary::member(&ty.to_string(), &field.value)
}

fn variable(view: &View<'_>, offset: u32, name: &str) -> String {
    let ty = view.tree().and_then(|tree| {
        let (whole, section) = expression::all(tree)
            .into_iter()
            .find(|(expr, _)| expr.span.touches(offset))?;
        // Where it is declared it has no value yet: what follows it has.
        let until = Span {
            end: offset,
            ..whole.span
        };
        let text = view.sources().text(until);
        let typed = Surroundings::of(view);
        let around = bindings(text);
        let declared = format!("{text}, ");
        typed
            .type_of(name, &around, section)
            .or_else(|| typed.type_of(name, &bindings(&declared), section))
    });
    match ty.or_else(|| demand::variable(view, offset, name)) {
        Some(ty) => format!("```cel\n{name}: {ty}\n```\n\nA variable of this macro."),
        None => format!("`{name}`\n\nA variable of this macro."),
    }
}

/// A word of the language, by the block that it stands in.
fn keyword(view: &View<'_>, offset: u32) -> Option<(String, Span)> {
    let text = view.text();
    let touches = |token: &waypost_lang::syntax::Token| {
        token.kind == TokenKind::Word && token.start <= offset && offset <= token.end
    };
    let token = tokens(text)
        .take_while(|token| token.kind != TokenKind::End && token.start <= offset)
        .find(touches)?;
    let context = Context::of(text, token.start);
    if context.inside != Inside::Code {
        return None;
    }
    let word = token.text(text);
    let span = Span::new(view.file, token.start, token.end);
    let block = context.block();
    let of_statement = || {
        let words = context.words(text);
        let first = words.first().copied().unwrap_or("");
        let mut known = vocabulary::words(block, first).iter();
        let (_, meaning) = known.find(|(one, _)| *one == word)?;
        Some(format!("`{word}`: {meaning}"))
    };
    if let Some(said) = of_statement() {
        return Some((said, span));
    }
    let field = context.frames.last()?.block?.field(word)?;
    let (meaning, _) = vocabulary::field(block, field.name).unwrap_or_default();
    let said = format!("```route\n{}\n```\n\n{meaning}", field.form);
    Some((said, span))
}

/// A finding, and the first words of its explanation.
fn finding(found: &Diagnostic) -> String {
    let code = found.code;
    let what = code.explanation.split("## What it does").nth(1);
    let what = what.and_then(|rest| rest.split("\n## ").next());
    let what = what.unwrap_or("").trim();
    format!(
        "**{} {}**: {}\n\n{what}\n\n`waypost explain {}` tells the whole story.",
        code.number, code.name, found.message, code.number
    )
}

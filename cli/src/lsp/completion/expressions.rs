//! In expressions: facts of the section, constants, variables, functions; after a dot what the type has.

use lsp_types::CompletionItemKind;
use waypost_compiler::demands::Kind;
use waypost_compiler::index::SymbolKind;
use waypost_lang::cel::typed::{Field, Section, Type};
use waypost_lang::source::Span;

use super::{List, clauses};
use crate::lsp::hover;
use crate::lsp::typing::{Binding, Surroundings, bindings, receiver, trailing_word};
use crate::lsp::vocabulary::{self, On, functions};

/// What may stand in the expression that begins at `start`.
pub(super) fn expression(list: &mut List<'_>, start: u32) {
    let view = list.view;
    let span = Span::new(view.file, start, list.offset);
    let before = view.sources().text(span);
    let word = trailing_word(before);
    let head = before.get(..before.len() - word.len()).unwrap_or("");
    list.start = list.offset - u32::try_from(word.len()).unwrap_or(0);
    let section = section(list);
    let around = bindings(before);
    match head.strip_suffix('.').or_else(|| head.strip_suffix(".?")) {
        Some(called_on) => members(list, receiver(called_on), &around, section),
        None if ends_operand(head) => continuation(list, head, section),
        None => operands(list, &around, section),
    }
}

/// The section whose facts may be read.
fn section(list: &List<'_>) -> Section {
    let words = list.context.words(list.view.text());
    match (list.context.block(), words.first()) {
        (_, Some(&"let")) | ("require", _) => Section::Constant,
        ("content", _) => Section::Content,
        ("place", _) => Section::Place,
        _ => Section::Policy,
    }
}

/// Whether an operand has just ended, so that an operator or a clause comes next.
fn ends_operand(head: &str) -> bool {
    let Some(last) = head.trim_end().chars().next_back() else {
        return false;
    };
    let trimmed = head.trim_end();
    let keyword = trailing_word(trimmed) == "in";
    !keyword
        && head.ends_with(char::is_whitespace)
        && (last.is_alphanumeric() || "\"')]".contains(last))
}

fn continuation(list: &mut List<'_>, head: &str, section: Section) {
    let words = list.context.words(list.view.text());
    if matches!(words.first(), Some(&("limit" | "budget"))) {
        clauses::quota_clauses(list, &words);
    }
    if words.first() == Some(&"keep") {
        list.keywords(&["for"]);
    }
    if words.first() == Some(&"split") {
        list.keywords(&["then"]);
    }
    let operators = [
        ("&&", "both"),
        ("||", "either"),
        ("==", "equal"),
        ("!=", "not equal"),
        (">=", "at least"),
        ("<=", "at most"),
        (">", "greater"),
        ("<", "less"),
        ("in", "one of"),
    ];
    if section != Section::Constant && !head.trim().is_empty() {
        for (operator, meaning) in operators {
            list.word(operator, CompletionItemKind::OPERATOR, meaning);
        }
    }
}

/// What an operand may begin with.
fn operands(list: &mut List<'_>, around: &[Binding<'_>], section: Section) {
    for binding in around.iter().rev() {
        for variable in binding.variables() {
            list.word(variable, CompletionItemKind::VARIABLE, "variable");
        }
    }
    if list.context.block() == "require" {
        let before = list.view.text().get(..list.offset as usize).unwrap_or("");
        let each = before.rsplit("each ").next().unwrap_or("");
        let each = each.split(|one: char| !one.is_ascii_lowercase()).next();
        for (word, _) in Kind::items().filter(|(word, _)| *word == "file" || each == Some(*word)) {
            list.word(
                word,
                CompletionItemKind::VARIABLE,
                "what the demand is about",
            );
        }
    }
    for field in Field::all().filter(|field| field.sections().contains(&section)) {
        let path = field.path();
        let detail = field.ty().to_string();
        let kind = CompletionItemKind::FIELD;
        let documentation = hover::fact(field, section);
        list.insert(path, path, kind, &detail, &documentation);
    }
    list.names(SymbolKind::Constant);
    for function in functions().iter().filter(|one| one.on == On::Nothing) {
        let kind = CompletionItemKind::FUNCTION;
        list.insert(
            &function.name,
            &function.snippet,
            kind,
            &function.signature,
            &function.meaning,
        );
    }
    list.keywords(&["true", "false", "null"]);
}

/// What has a name after a dot.
fn members(list: &mut List<'_>, called_on: &str, around: &[Binding<'_>], section: Section) {
    let prefix = format!("{called_on}.");
    let variable = around
        .iter()
        .any(|binding| binding.variables().contains(&called_on));
    if !variable {
        let facts = Field::all().filter(|field| field.sections().contains(&section));
        for field in facts {
            if let Some(name) = field.path().strip_prefix(prefix.as_str()) {
                let detail = field.ty().to_string();
                let documentation = hover::fact(field, section);
                list.insert(
                    name,
                    name,
                    CompletionItemKind::FIELD,
                    &detail,
                    &documentation,
                );
            }
        }
        for function in functions() {
            if let Some(name) = function.name.strip_prefix(prefix.as_str()) {
                let snippet = function
                    .snippet
                    .strip_prefix(prefix.as_str())
                    .unwrap_or(name);
                let kind = CompletionItemKind::FUNCTION;
                list.insert(name, snippet, kind, &function.signature, &function.meaning);
            }
        }
    }
    if !list.items.is_empty() || called_on.is_empty() {
        return;
    }
    let surroundings = match list.context.block() {
        "require" => Surroundings::of_demand(list.view),
        _ => Surroundings::of(list.view),
    };
    if let Some(ty) = surroundings.type_of(called_on, around, section) {
        of_type(list, &ty);
    }
}

fn of_type(list: &mut List<'_>, ty: &Type) {
    if let Type::Struct(shape) = ty {
        for (name, ty) in shape.fields {
            let meaning = vocabulary::item_field(shape, name).unwrap_or("");
            let detail = ty().to_string();
            list.insert(name, name, CompletionItemKind::FIELD, &detail, meaning);
        }
    }
    if let Type::Record(record) = ty {
        for (name, member) in record.members() {
            let meaning = vocabulary::member(&ty.to_string(), name).unwrap_or("");
            let detail = member.ty().to_string();
            list.insert(name, name, CompletionItemKind::FIELD, &detail, meaning);
        }
    }
    // A list of texts is a list too.
    let lists = matches!(ty, Type::List(_)).then_some(On::List);
    let on: Vec<On> = On::of(ty).into_iter().chain(lists).collect();
    for function in functions().iter().filter(|one| on.contains(&one.on)) {
        let kind = CompletionItemKind::METHOD;
        list.insert(
            &function.name,
            &function.snippet,
            kind,
            &function.signature,
            &function.meaning,
        );
    }
}

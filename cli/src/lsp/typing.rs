//! The type of a part of an expression, in texts that do not check as a whole.
//!
//! A part is checked by itself, inside the macros that give it its variables; so what stands elsewhere in the
//! expression, broken or not yet written, does not matter.

use std::collections::BTreeMap;

use waypost_compiler::demands::Kind;
use waypost_compiler::index::SymbolKind;
use waypost_lang::cel::typed::{Constant, Section, Type, TypedKind};
use waypost_lang::cel::{Expected, Extent, Scope, Variable, check, parse};
use waypost_lang::source::Spanned;
use waypost_lang::syntax::tree::ItemKind;
use waypost_lang::{FileId, cel};

use super::view::View;

/// A macro around a place: `request.tools.exists(t, …)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binding<'t> {
    /// What it is called on: `request.tools`.
    pub(crate) range: &'t str,
    /// Its name: `exists`.
    pub(crate) function: &'t str,
    /// Its arguments before the place, the last one unfinished.
    pub(crate) arguments: Vec<&'t str>,
}

/// What expressions of a compilation find around them.
pub(crate) struct Surroundings {
    tiers: Vec<String>,
    models: Vec<String>,
    constants: BTreeMap<String, Constant>,
    /// What a demand reads: any item of the compiled model, whichever it is about.
    items: Vec<(&'static str, Type)>,
}

impl Surroundings {
    pub(crate) fn of(view: &View<'_>) -> Self {
        let names = |kind| {
            let symbols = view.analysis.index().symbols();
            let declared = symbols.filter(|one| one.kind == kind);
            declared.map(|one| one.name.clone()).collect()
        };
        let mut surroundings = Self {
            tiers: names(SymbolKind::Tier),
            models: names(SymbolKind::Model),
            constants: BTreeMap::new(),
            items: Vec::new(),
        };
        surroundings.resolve_constants(view);
        surroundings
    }

    /// The same for the expressions of a `require`.
    pub(crate) fn of_demand(view: &View<'_>) -> Self {
        Self {
            items: Kind::items().collect(),
            ..Self::of(view)
        }
    }

    /// Constants may be made of one another in any order.
    fn resolve_constants(&mut self, view: &View<'_>) {
        let mut pending: Vec<(&Spanned<String>, &cel::Expr)> = view
            .items()
            .filter_map(|item| match &item.kind {
                ItemKind::Let(constant) => Some((&constant.name, &constant.value)),
                _ => None,
            })
            .collect();
        loop {
            let before = pending.len();
            pending.retain(|(name, value)| {
                let typed = self.check(value, Section::Constant);
                match typed.map(|typed| typed.kind) {
                    Some(TypedKind::Constant(value)) => {
                        self.constants.insert(name.value.clone(), value);
                        false
                    }
                    _ => true,
                }
            });
            if pending.len() == before {
                return;
            }
        }
    }

    /// The value of a constant, where it has one.
    pub(crate) fn constant(&self, name: &str) -> Option<&Constant> {
        self.constants.get(name)
    }

    /// The type of `source`, an expression of `section` inside the macros `around`, the outermost first.
    pub(crate) fn type_of(
        &self,
        source: &str,
        around: &[Binding<'_>],
        section: Section,
    ) -> Option<Type> {
        let mut text = source.to_owned();
        let mut wraps = Vec::new();
        for binding in around.iter().rev() {
            let (wrapped, wrap) = binding.around(&text)?;
            text = wrapped;
            wraps.push(wrap);
        }
        let parsed = parse(FileId::default(), &text, 0, Extent::Shortest);
        if !parsed.diagnostics.is_empty() {
            return None;
        }
        let mut ty = self.check(&parsed.expr, section)?.ty;
        for wrap in wraps.iter().rev() {
            ty = match (wrap, ty) {
                (Wrap::List, Type::List(element)) => *element,
                (Wrap::Optional, Type::Optional(value)) => *value,
                (Wrap::Nothing, ty) => ty,
                _ => return None,
            };
        }
        Some(ty)
    }

    fn check(&self, expr: &cel::Expr, section: Section) -> Option<cel::typed::Typed> {
        let tiers: Vec<&str> = self.tiers.iter().map(String::as_str).collect();
        let models: Vec<&str> = self.models.iter().map(String::as_str).collect();
        let constant_names: Vec<&str> = self.constants.keys().map(String::as_str).collect();
        let items = self.items.iter();
        let variables: Vec<Variable<'_>> = items
            .map(|(name, ty)| Variable {
                name,
                ty: ty.clone(),
            })
            .collect();
        let scope = Scope {
            variables: &variables,
            tiers: &tiers,
            models: &models,
            constants: &|name| self.constants.get(name).cloned(),
            constant_names: &constant_names,
            evaluator: Some(&waypost_compiler::Folder),
            ..Scope::of(section)
        };
        check(expr, &scope, Expected::Any, &mut Vec::new())
    }
}

/// What a macro makes of the type of its last argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrap {
    List,
    Optional,
    Nothing,
}

impl<'t> Binding<'t> {
    /// The variables that it gives to its last argument so far.
    pub(crate) fn variables(&self) -> &[&'t str] {
        let count = match (self.function, self.arguments.len()) {
            ("bind", 3..) => 1,
            ("all" | "exists" | "exists_one" | "existsOne", 3) => 2,
            ("transformList" | "transformMap", 3..) => 2,
            (
                "all" | "exists" | "exists_one" | "existsOne" | "filter" | "map" | "optMap"
                | "optFlatMap",
                2..,
            ) => 1,
            _ => 0,
        };
        self.arguments.get(..count).unwrap_or_default()
    }

    /// An expression in which `body` has the variables of this macro, whatever its own form asks of it.
    fn around(&self, body: &str) -> Option<(String, Wrap)> {
        let range = self.range;
        match (self.function, self.variables()) {
            (_, []) => Some((body.to_owned(), Wrap::Nothing)),
            ("bind", [variable]) => {
                let value = self.arguments.get(1)?;
                Some((
                    format!("cel.bind({variable}, {value}, {body})"),
                    Wrap::Nothing,
                ))
            }
            ("optMap" | "optFlatMap", [variable]) => Some((
                format!("{range}.optMap({variable}, {body})"),
                Wrap::Optional,
            )),
            (_, [variable]) => Some((format!("{range}.map({variable}, {body})"), Wrap::List)),
            (_, [first, second]) => {
                let text = format!("{range}.transformList({first}, {second}, {body})");
                Some((text, Wrap::List))
            }
            _ => None,
        }
    }
}

/// The macros around the end of `before`, an expression up to a place, the outermost first.
pub(crate) fn bindings(before: &str) -> Vec<Binding<'_>> {
    let mut open: Vec<(usize, Vec<usize>)> = Vec::new();
    let mut found = Vec::new();
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in before.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(opening) if c == opening => quote = None,
            Some(_) => {}
            None if matches!(c, '"' | '\'') => quote = Some(c),
            None if matches!(c, '(' | '[' | '{') => open.push((at, Vec::new())),
            None if matches!(c, ')' | ']' | '}') => drop(open.pop()),
            None if c == ',' => {
                if let Some((_, commas)) = open.last_mut() {
                    commas.push(at);
                }
            }
            None => {}
        }
    }
    for (at, commas) in open {
        found.extend(binding(before, at, &commas));
    }
    found
}

fn binding<'t>(before: &'t str, open: usize, commas: &[usize]) -> Option<Binding<'t>> {
    if !before.get(open..)?.starts_with('(') {
        return None;
    }
    let head = before.get(..open)?;
    let name_start = head.len() - trailing_word(head).len();
    let function = head.get(name_start..)?;
    let called_on = head.get(..name_start)?.strip_suffix('.')?;
    let mut arguments = Vec::new();
    let mut start = open + 1;
    for comma in commas {
        arguments.push(before.get(start..*comma)?.trim());
        start = comma + 1;
    }
    arguments.push(before.get(start..)?.trim());
    Some(Binding {
        range: receiver(called_on),
        function,
        arguments,
    })
}

/// The letters, digits and underscores at the end of a text.
pub(crate) fn trailing_word(text: &str) -> &str {
    let kept = text.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
    text.get(kept.len()..).unwrap_or("")
}

/// The operand at the end of a text that `.name` would be called on: `request.tools`, `f(x).y`, `m[?"k"]`.
pub(crate) fn receiver(text: &str) -> &str {
    let mut rest = text;
    loop {
        let shorter =
            rest.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || "_.".contains(c));
        let shorter = match shorter.chars().next_back() {
            Some(')' | ']') => without_brackets(shorter),
            Some(quote @ ('"' | '\'')) if shorter.len() == rest.len() => {
                let inner = shorter.get(..shorter.len() - 1).unwrap_or("");
                inner.rfind(quote).and_then(|at| inner.get(..at))
            }
            _ => Some(shorter),
        };
        let Some(shorter) = shorter else {
            return "";
        };
        // Brackets after an operator are a list or a group, which is where an operand begins.
        if shorter.len() == rest.len() {
            return text.get(rest.len()..).unwrap_or("");
        }
        rest = shorter;
    }
}

/// A text without the bracketed part at its end.
fn without_brackets(text: &str) -> Option<&str> {
    let mut depth = 0_usize;
    let mut quote = None;
    for (at, c) in text.char_indices().rev() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, ')' | ']') => depth += 1,
            (None, '(' | '[') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return text.get(..at);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{bindings, receiver};

    #[test]
    fn the_operand_before_a_dot_is_found() {
        assert_eq!(receiver("a > 1 && request.tools"), "request.tools");
        assert_eq!(
            receiver("!request.headers[?\"x(y\"]"),
            "request.headers[?\"x(y\"]"
        );
        assert_eq!(receiver("f(a, (b))"), "f(a, (b))");
        assert_eq!(receiver("x == \"abc\""), "\"abc\"");
        assert_eq!(receiver(""), "");
    }

    #[test]
    fn the_macros_around_a_place_are_found() {
        let text = "request.messages.exists(m, m.role == \"a)\" && m.tool_calls.exists(c, c.";
        let found = bindings(text);
        let ranges: Vec<&str> = found.iter().map(|one| one.range).collect();
        assert_eq!(ranges, ["request.messages", "m.tool_calls"]);
        let variables: Vec<&[&str]> = found.iter().map(super::Binding::variables).collect();
        assert_eq!(variables, [["m"], ["c"]]);
    }
}

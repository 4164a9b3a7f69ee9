//! Lists and maps that are written out.

use std::collections::HashSet;

use super::mistake::article;
use super::{Checker, Constant, TYPE_MISMATCH, Type, Typed, TypedKind, constant_of, unknown};
use crate::cel::expression::Expr;
use crate::cel::typed::{Element, Entry};
use crate::codes::{CONSTANT_FAILS, PARTIAL_OPERATION};

impl Checker<'_> {
    pub(super) fn list(&mut self, expr: &Expr, elements: &[(bool, Expr)]) -> Typed {
        let mut found = Vec::new();
        let mut types = Vec::new();
        for (optional, element) in elements {
            let (optional, value, ty) = self.element(*optional, element);
            if ty == Type::Error {
                // Each element is checked, so that each mistake is said.
                self.failed = true;
            }
            types.push(ty);
            found.push(Element { optional, value });
        }
        if types.contains(&Type::Error) {
            return unknown(expr.span);
        }
        let ty = Type::List(Box::new(self.joined(types.iter())));
        let constants: Option<Vec<Constant>> = found
            .iter()
            .filter(|element| !is_absent(element.optional, &element.value))
            .map(|element| constant_value(element.optional, &element.value))
            .collect();
        let kind = match constants {
            Some(constants) => TypedKind::Constant(Constant::List(constants)),
            None if found.iter().any(|element| element.optional) => TypedKind::OptionalList(found),
            None => TypedKind::List(found.into_iter().map(|element| element.value).collect()),
        };
        Typed {
            span: expr.span,
            ty,
            kind,
        }
    }

    /// An element or a value of an entry: whether it is an optional still, and the type of what it gives.
    fn element(&mut self, optional: bool, expr: &Expr) -> (bool, Typed, Type) {
        let value = self.value(expr);
        if !optional {
            let ty = value.ty.clone();
            return (false, value, ty);
        }
        match &value.ty {
            Type::Optional(inner) => {
                let ty = inner.as_ref().clone();
                (true, value, ty)
            }
            Type::Error => (true, value, Type::Error),
            Type::Dyn | Type::Nothing if !self.is_total() => (true, value, Type::Dyn),
            ty => {
                let message = format!("`?` takes an optional, `{expr}` is {}", article(ty));
                let reported = self.report(
                    TYPE_MISMATCH
                        .error(expr.span, message)
                        .label(ty.to_string())
                        .help("leave the `?` out: it is always there"),
                );
                let ty = reported.ty.clone();
                (false, reported, ty)
            }
        }
    }

    pub(super) fn map(&mut self, expr: &Expr, entries: &[(bool, Expr, Expr)]) -> Typed {
        let mut found = Vec::new();
        let (mut keys, mut values) = (Vec::new(), Vec::new());
        for (optional, key_expr, value_expr) in entries {
            let key = self.key(key_expr);
            let (optional, value, ty) = self.element(*optional, value_expr);
            keys.push(key.ty.clone());
            values.push(ty);
            found.push(Entry {
                optional,
                key,
                value,
            });
        }
        if keys.contains(&Type::Error) || values.contains(&Type::Error) {
            return unknown(expr.span);
        }
        if self.is_total() && self.may_repeat(entries, &found) {
            return unknown(expr.span);
        }
        let ty = Type::Map(
            Box::new(self.joined(keys.iter())),
            Box::new(self.joined(values.iter())),
        );
        let kind = match constant_entries(&found) {
            Some(entries) => TypedKind::Constant(Constant::Map(entries)),
            None => TypedKind::Map(found),
        };
        Typed {
            span: expr.span,
            ty,
            kind,
        }
    }

    fn key(&mut self, expr: &Expr) -> Typed {
        let key = self.operand(expr);
        match &key.ty {
            Type::Bool | Type::Int | Type::Uint | Type::String | Type::Error => key,
            _ if !self.is_total() => key,
            ty => {
                let ty = ty.clone();
                self.wrong_operand("{…: …}", "a string, an int or a bool as key", expr, &ty)
            }
        }
    }

    /// Says so if two keys are the same, or could be.
    fn may_repeat(&mut self, written: &[(bool, Expr, Expr)], entries: &[Entry]) -> bool {
        let mut before = HashSet::new();
        for (entry, (_, key, _)) in entries.iter().zip(written) {
            let Some(constant) = constant_of(&entry.key) else {
                if entries.len() > 1 {
                    self.report(
                        PARTIAL_OPERATION
                            .error(
                                key.span,
                                format!("the key `{key}` may stand in this map twice"),
                            )
                            .label("only known at run time")
                            .help("write the keys as constants"),
                    );
                    return true;
                }
                continue;
            };
            if map_key(constant).is_some_and(|key| !before.insert(key)) {
                self.report(
                    CONSTANT_FAILS
                        .error(
                            key.span,
                            format!("the key `{key}` stands in this map twice"),
                        )
                        .label("again")
                        .help("leave one of the two out"),
                );
                return true;
            }
        }
        false
    }
}

/// A key of a map: an int and a uint of one value are one.
#[derive(PartialEq, Eq, Hash)]
enum Key<'c> {
    Bool(bool),
    Whole(i128),
    Text(&'c str),
}

fn map_key(constant: &Constant) -> Option<Key<'_>> {
    match constant {
        Constant::Bool(value) => Some(Key::Bool(*value)),
        Constant::Int(number) => Some(Key::Whole((*number).into())),
        Constant::Uint(number) => Some(Key::Whole((*number).into())),
        Constant::String(text) => Some(Key::Text(text)),
        _ => None,
    }
}

/// The entries, if all are known and a map can hold them.
fn constant_entries(entries: &[Entry]) -> Option<Vec<(Constant, Constant)>> {
    let mut constants = Vec::new();
    let mut before = HashSet::new();
    for entry in entries {
        let constant = constant_of(&entry.key)?;
        let key = map_key(constant)?;
        if before.contains(&key) {
            return None;
        }
        if !is_absent(entry.optional, &entry.value) {
            let value = constant_value(entry.optional, &entry.value)?;
            constants.push((constant.clone(), value));
            before.insert(key);
        }
    }
    Some(constants)
}

fn is_absent(optional: bool, typed: &Typed) -> bool {
    optional && constant_of(typed) == Some(&Constant::Absent)
}

fn constant_value(optional: bool, typed: &Typed) -> Option<Constant> {
    match (optional, constant_of(typed)?) {
        (true, Constant::Present(value)) => Some(value.as_ref().clone()),
        (true, _) => None,
        (false, constant) => Some(constant.clone()),
    }
}

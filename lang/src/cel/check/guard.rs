//! What a condition proves about what is evaluated after it.

use super::Checker;
use crate::cel::typed::{Constant, Field, Function, Typed, TypedKind};

/// Something that holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Guard {
    /// The map has the key.
    Key(Field, String),
    /// The optional, written anywhere, has a value.
    Value(Typed),
}

/// What holds if `condition` was evaluated and is `truth`.
pub(super) fn implied(condition: &Typed, truth: bool) -> Vec<Guard> {
    match &condition.kind {
        TypedKind::HasKey(field, key) if truth => vec![Guard::Key(*field, key.clone())],
        TypedKind::Call(function, arguments) => implied_by_call(*function, arguments, truth),
        TypedKind::And(left, right) if truth => both(implied(left, true), implied(right, true)),
        TypedKind::Or(left, right) if !truth => both(implied(left, false), implied(right, false)),
        TypedKind::And(left, right) | TypedKind::Or(left, right) => {
            either(&implied(left, truth), &implied(right, truth))
        }
        TypedKind::Conditional(test, then, otherwise) => either(
            &both(implied(test, true), implied(then, truth)),
            &both(implied(test, false), implied(otherwise, truth)),
        ),
        _ => Vec::new(),
    }
}

fn implied_by_call(function: Function, arguments: &[Typed], truth: bool) -> Vec<Guard> {
    let is_absent = |typed: &Typed| matches!(typed.kind, TypedKind::Constant(Constant::Absent));
    match (function, arguments) {
        (Function::Not, [operand]) => implied(operand, !truth),
        (Function::HasValue, [optional]) if truth => vec![has_value(optional)],
        (Function::NotEqual, [optional, other]) | (Function::NotEqual, [other, optional])
            if truth && is_absent(other) =>
        {
            vec![has_value(optional)]
        }
        (Function::Equal, [optional, other]) | (Function::Equal, [other, optional])
            if !truth && is_absent(other) =>
        {
            vec![has_value(optional)]
        }
        _ => Vec::new(),
    }
}

fn has_value(optional: &Typed) -> Guard {
    match &optional.kind {
        TypedKind::Lookup(field, key) => Guard::Key(*field, key.clone()),
        _ => Guard::Value(optional.without_spans()),
    }
}

fn both(mut left: Vec<Guard>, right: Vec<Guard>) -> Vec<Guard> {
    left.extend(right);
    left
}

fn either(left: &[Guard], right: &[Guard]) -> Vec<Guard> {
    left.iter()
        .filter(|guard| right.contains(guard))
        .cloned()
        .collect()
}

impl Checker<'_> {
    /// Whether the map is known to have the key here.
    pub(super) fn has_key(&self, field: Field, key: &str) -> bool {
        self.guards
            .iter()
            .any(|guard| matches!(guard, Guard::Key(map, known) if *map == field && known == key))
    }

    /// Whether the optional is known to have a value here.
    pub(super) fn has_value(&self, optional: &Typed) -> bool {
        let always = match &optional.kind {
            TypedKind::Call(Function::OptionalOf, _) => true,
            TypedKind::Call(Function::Or, arguments) => {
                arguments.iter().any(|one| self.has_value(one))
            }
            _ => false,
        };
        always || self.guards.contains(&has_value(optional))
    }
}

//! What a condition proves about what is evaluated after it.

use super::{Checker, constant_of};
use crate::cel::typed::{Constant, Field, Function, Type, Typed, TypedKind};

/// Something that holds. Expressions in it are as [`Checker::plain`] gives them.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Guard {
    /// The map of the call has the key.
    Key(Field, String),
    /// The optional has a value.
    Value(Typed),
    /// The number is not 0.
    NotZero(Typed),
    /// The text, list or map has at least so many parts.
    Size(Typed, u64),
    /// `isIP`, `isInt` or another test of the text is true.
    Reads(Function, Typed),
    /// The value, of a type known at run time only, is of this one.
    Is(Typed, Type),
}

/// The largest expression that guards speak of.
const MAXIMUM_SIZE: usize = 500;

impl Checker<'_> {
    /// What holds if `condition` was evaluated and is `truth`.
    pub(super) fn implied(&self, condition: &Typed, truth: bool) -> Vec<Guard> {
        match &condition.kind {
            TypedKind::And(left, right) | TypedKind::Or(left, right) => {
                let (left, right) = (self.implied(left, truth), self.implied(right, truth));
                match (&condition.kind, truth) {
                    (TypedKind::And(..), true) | (TypedKind::Or(..), false) => both(left, right),
                    _ => either(&left, &right),
                }
            }
            TypedKind::Call(Function::Not, operands) => operands
                .iter()
                .flat_map(|operand| self.implied(operand, !truth))
                .collect(),
            _ if !may_prove(condition) => Vec::new(),
            _ => self
                .plain(condition)
                .map_or_else(Vec::new, |condition| implied(&condition, truth)),
        }
    }

    /// The same expression as if written nowhere, with what the names of `cel.bind` stand for written out: equal
    /// for two expressions that do the same. None if it is too large to be worth the comparison.
    fn plain(&self, typed: &Typed) -> Option<Typed> {
        let mut left = MAXIMUM_SIZE;
        let mut plain = typed.without_spans();
        self.write_out(&mut plain, &mut left).then_some(plain)
    }

    fn write_out(&self, typed: &mut Typed, left: &mut usize) -> bool {
        let Some(less) = left.checked_sub(1) else {
            return false;
        };
        *left = less;
        if let TypedKind::Local(number) = typed.kind
            && let Some((_, value)) = self.bound.iter().find(|(bound, _)| *bound == number)
        {
            typed.kind = value.without_spans().kind;
        }
        let mut fits = true;
        if let TypedKind::Bind { local, value, body } = &mut typed.kind {
            let (local, value) = (*local, value.as_ref().clone());
            fits = replace(body, local, &value, left);
            *typed = body.as_ref().clone();
            return fits && self.write_out(typed, left);
        }
        typed.each_child(&mut |child| fits = fits && self.write_out(child, left));
        skip_proved_value(typed);
        fits
    }

    /// Whether the map is known to have the key here.
    pub(super) fn has_key(&self, field: Field, key: &str) -> bool {
        self.guards
            .iter()
            .any(|guard| matches!(guard, Guard::Key(map, known) if *map == field && known == key))
    }

    /// Whether the optional is known to have a value here.
    pub(super) fn has_value(&self, optional: &Typed) -> bool {
        match &optional.kind {
            TypedKind::Call(Function::OptionalOf, _)
            | TypedKind::Constant(Constant::Present(_)) => return true,
            TypedKind::Call(Function::Or, arguments) => {
                return arguments.iter().any(|one| self.has_value(one));
            }
            _ => {}
        }
        if self.guards.is_empty() {
            return false;
        }
        let Some(optional) = self.plain(optional) else {
            return false;
        };
        let is_in_size = match &optional.kind {
            TypedKind::Call(Function::OptionalIndex, arguments) => match arguments.as_slice() {
                [list, index] if matches!(list.ty, Type::List(_)) => {
                    whole(index).is_some_and(|index| self.least_size(list) > index)
                }
                _ => false,
            },
            _ => false,
        };
        is_in_size || has_value(&optional).is_some_and(|guard| self.guards.contains(&guard))
    }

    pub(super) fn is_not_zero(&self, number: &Typed) -> bool {
        let is_positive = |one: &Typed| whole(one).is_some_and(|one| one > 0);
        if let TypedKind::Call(Function::Greatest, arguments) = &number.kind
            && arguments.iter().any(is_positive)
        {
            return true;
        }
        let Some(number) = self.plain(number) else {
            return false;
        };
        if let TypedKind::Call(Function::Size, arguments) = &number.kind
            && let [whole] = arguments.as_slice()
            && self.least_size_plain(whole) > 0
        {
            return true;
        }
        self.guards.contains(&Guard::NotZero(number))
    }

    /// How many parts the text, list or map is known to have here at least.
    pub(super) fn least_size(&self, of: &Typed) -> u64 {
        match constant_of(of) {
            Some(Constant::String(text)) => text.chars().count() as u64,
            Some(Constant::List(elements)) => elements.len() as u64,
            _ => self
                .plain(of)
                .map_or(0, |plain| self.least_size_plain(&plain)),
        }
    }

    fn least_size_plain(&self, plain: &Typed) -> u64 {
        let sizes = self.guards.iter().filter_map(|guard| match guard {
            Guard::Size(of, least) if of == plain => Some(*least),
            _ => None,
        });
        sizes.max().unwrap_or(0)
    }

    pub(super) fn is_readable(&self, function: Function, text: &Typed) -> bool {
        self.plain(text)
            .is_some_and(|text| self.guards.contains(&Guard::Reads(function, text)))
    }

    /// The type that a value of unknown type is known to have here.
    pub(super) fn known_type(&self, value: &Typed) -> Option<Type> {
        if !self
            .guards
            .iter()
            .any(|guard| matches!(guard, Guard::Is(..)))
        {
            return None;
        }
        let value = self.plain(value)?;
        self.guards.iter().find_map(|guard| match guard {
            Guard::Is(of, ty) if *of == value => Some(ty.clone()),
            _ => None,
        })
    }
}

/// Writes `value` in place of a local; false if that takes more than is `left`.
fn replace(within: &mut Typed, local: u16, value: &Typed, left: &mut usize) -> bool {
    if within.kind == TypedKind::Local(local) {
        value.visit(&mut |_| *left = left.saturating_sub(1));
        within.kind = value.kind.clone();
    } else if *left > 0 {
        within.each_child(&mut |child| {
            replace(child, local, value, left);
        });
    }
    *left > 0
}

/// `part` of the value of an optional is the part of the optional, which is absent if that is.
fn skip_proved_value(typed: &mut Typed) {
    let TypedKind::Call(Function::OptionalIndex | Function::Part, arguments) = &mut typed.kind
    else {
        return;
    };
    let Some(container) = arguments.first_mut() else {
        return;
    };
    if let TypedKind::Call(Function::Value, inner) = &mut container.kind
        && let Some(optional) = inner.pop()
    {
        *container = optional;
    }
}

/// Whether a condition that is no `&&`, `||` or `!` proves anything.
fn may_prove(condition: &Typed) -> bool {
    match &condition.kind {
        TypedKind::HasKey(..)
        | TypedKind::Local(_)
        | TypedKind::Bind { .. }
        | TypedKind::Conditional(..) => true,
        TypedKind::Call(Function::In, arguments) => arguments
            .get(1)
            .is_some_and(|map| matches!(map.ty, Type::Map(..))),
        TypedKind::Call(function, arguments) => {
            *function == Function::HasValue
                || function.tests_text()
                || Relation::of(*function).is_some()
                    && arguments.iter().any(|one| constant_of(one).is_some())
        }
        _ => false,
    }
}

fn implied(condition: &Typed, truth: bool) -> Vec<Guard> {
    match &condition.kind {
        TypedKind::HasKey(field, key) if truth => vec![Guard::Key(*field, key.clone())],
        TypedKind::Call(function, arguments) => implied_by_call(*function, arguments, truth),
        TypedKind::And(left, right) if truth => both(implied(left, true), implied(right, true)),
        TypedKind::Or(left, right) if !truth => both(implied(left, false), implied(right, false)),
        TypedKind::And(left, right) | TypedKind::Or(left, right) => {
            either(&implied(left, truth), &implied(right, truth))
        }
        TypedKind::Bind { body, .. } => implied(body, truth),
        TypedKind::Conditional(test, then, otherwise) => {
            let is_constant = |typed: &Typed| matches!(constant_of(typed), Some(Constant::Bool(value)) if *value != truth);
            let if_true = || both(implied(test, true), implied(then, truth));
            let if_false = || both(implied(test, false), implied(otherwise, truth));
            match (is_constant(then), is_constant(otherwise)) {
                (true, _) => if_false(),
                (_, true) => if_true(),
                _ => either(&if_true(), &if_false()),
            }
        }
        _ => Vec::new(),
    }
}

fn implied_by_call(function: Function, arguments: &[Typed], truth: bool) -> Vec<Guard> {
    match (function, arguments) {
        (Function::Not, [operand]) => implied(operand, !truth),
        (Function::HasValue, [optional]) if truth => optional_has_value(optional),
        (test, [text]) if truth && test.tests_text() => {
            vec![Guard::Reads(function, text.clone())]
        }
        (Function::In, [key, map]) if truth && matches!(map.ty, Type::Map(..)) => {
            let Type::Map(_, value) = &map.ty else {
                return Vec::new();
            };
            let kind = TypedKind::Call(Function::OptionalIndex, vec![map.clone(), key.clone()]);
            let ty = Type::Optional(value.clone());
            vec![Guard::Value(Typed {
                kind,
                ty,
                ..key.clone()
            })]
        }
        (_, [left, right]) => {
            let Some(relation) = Relation::of(function) else {
                return Vec::new();
            };
            let relation = if truth { relation } else { relation.negated() };
            if constant_of(left).is_some() {
                related(right, relation.flipped(), left)
            } else {
                related(left, relation, right)
            }
        }
        _ => Vec::new(),
    }
}

/// What holds of `typed` if it stands in a relation to a constant.
fn related(typed: &Typed, relation: Relation, to: &Typed) -> Vec<Guard> {
    let Some(constant) = constant_of(to) else {
        return Vec::new();
    };
    let is_equal = relation == Relation::Equal;
    match (constant, relation) {
        (Constant::Absent, Relation::NotEqual) => optional_has_value(typed),
        (Constant::Present(_), Relation::Equal) => optional_has_value(typed),
        (Constant::Bool(value), Relation::Equal | Relation::NotEqual) => {
            implied(typed, *value == is_equal)
        }
        (Constant::String(text), Relation::NotEqual) if text.is_empty() => {
            vec![Guard::Size(typed.clone(), 1)]
        }
        (Constant::String(text), Relation::Equal) => {
            vec![Guard::Size(typed.clone(), text.chars().count() as u64)]
        }
        (Constant::List(elements), Relation::NotEqual) if elements.is_empty() => {
            vec![Guard::Size(typed.clone(), 1)]
        }
        (Constant::Type(name), Relation::Equal) => match (&typed.kind, scalar_type(name)) {
            (TypedKind::Call(Function::TypeOf, arguments), Some(ty)) => arguments
                .first()
                .map(|value| Guard::Is(value.clone(), ty))
                .into_iter()
                .collect(),
            _ => Vec::new(),
        },
        (Constant::Int(bound), _) => bounded(typed, relation, i128::from(*bound)),
        (Constant::Uint(bound), _) => bounded(typed, relation, i128::from(*bound)),
        (Constant::Double(bound), Relation::NotEqual) if *bound == 0.0 => {
            vec![Guard::NotZero(typed.clone())]
        }
        _ => Vec::new(),
    }
}

fn bounded(typed: &Typed, relation: Relation, bound: i128) -> Vec<Guard> {
    let excludes_zero = match relation {
        Relation::Equal => bound != 0,
        Relation::NotEqual => bound == 0,
        Relation::Less => bound <= 0,
        Relation::LessOrEqual => bound < 0,
        Relation::Greater => bound >= 0,
        Relation::GreaterOrEqual => bound > 0,
    };
    let mut guards = Vec::new();
    if excludes_zero {
        guards.push(Guard::NotZero(typed.clone()));
    }
    if let TypedKind::Call(Function::Size, arguments) = &typed.kind
        && let [whole] = arguments.as_slice()
    {
        let least = match relation {
            Relation::Equal | Relation::GreaterOrEqual => bound,
            Relation::Greater => bound + 1,
            Relation::NotEqual if bound == 0 => 1,
            _ => 0,
        };
        if let Ok(least @ 1..) = u64::try_from(least) {
            guards.push(Guard::Size(whole.clone(), least));
        }
    }
    guards
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Relation {
    const fn of(function: Function) -> Option<Self> {
        Some(match function {
            Function::Equal => Self::Equal,
            Function::NotEqual => Self::NotEqual,
            Function::Less => Self::Less,
            Function::LessOrEqual => Self::LessOrEqual,
            Function::Greater => Self::Greater,
            Function::GreaterOrEqual => Self::GreaterOrEqual,
            _ => return None,
        })
    }

    const fn negated(self) -> Self {
        match self {
            Self::Equal => Self::NotEqual,
            Self::NotEqual => Self::Equal,
            Self::Less => Self::GreaterOrEqual,
            Self::LessOrEqual => Self::Greater,
            Self::Greater => Self::LessOrEqual,
            Self::GreaterOrEqual => Self::Less,
        }
    }

    const fn flipped(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            same => same,
        }
    }
}

fn scalar_type(name: &str) -> Option<Type> {
    Some(match name {
        "bool" => Type::Bool,
        "int" => Type::Int,
        "uint" => Type::Uint,
        "double" => Type::Double,
        "string" => Type::String,
        _ => return None,
    })
}

/// The number, if it is a constant from 0.
pub(super) fn whole(typed: &Typed) -> Option<u64> {
    match constant_of(typed)? {
        Constant::Int(number) => u64::try_from(*number).ok(),
        Constant::Uint(number) => Some(*number),
        _ => None,
    }
}

/// That the optional has a value, and so every optional that it is a part of.
fn optional_has_value(optional: &Typed) -> Vec<Guard> {
    let mut guards: Vec<Guard> = has_value(optional).into_iter().collect();
    if let TypedKind::Call(
        Function::OptionalIndex | Function::OptionalSelect | Function::Part,
        arguments,
    ) = &optional.kind
        && let Some(container) = arguments.first()
        && matches!(container.ty, Type::Optional(_))
    {
        guards.extend(optional_has_value(container));
    }
    guards
}

fn has_value(optional: &Typed) -> Option<Guard> {
    Some(match &optional.kind {
        TypedKind::Lookup(field, key) => Guard::Key(*field, key.clone()),
        TypedKind::Constant(_) => return None,
        _ => Guard::Value(optional.clone()),
    })
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

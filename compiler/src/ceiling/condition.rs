//! What a condition says once the tier and the model are known: true, false, or that it depends; and what a denial
//! leaves of a call's size.

use waypost_lang::cel::typed::{Constant, Field, Function, Typed, TypedKind};

use super::call::Size;

/// Where a condition is read: the tier and the model that rules see.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting<'a> {
    pub(super) tier: &'a str,
    pub(super) model: &'a str,
}

impl Setting<'_> {
    /// Whether the condition holds for every call (`true`), for none (`false`), or for some.
    pub(super) fn truth(&self, when: &Typed) -> Option<bool> {
        match &when.kind {
            TypedKind::Constant(Constant::Bool(value)) => Some(*value),
            TypedKind::And(left, right) => match (self.truth(left), self.truth(right)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            TypedKind::Or(left, right) => match (self.truth(left), self.truth(right)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            TypedKind::Conditional(condition, then, otherwise) => match self.truth(condition)? {
                true => self.truth(then),
                false => self.truth(otherwise),
            },
            TypedKind::Call(function, arguments) => self.call(*function, arguments),
            _ => None,
        }
    }

    fn call(&self, function: Function, arguments: &[Typed]) -> Option<bool> {
        match (function, arguments) {
            (Function::Not, [inner]) => self.truth(inner).map(|value| !value),
            (Function::Equal, [left, right]) => Some(self.text(left)? == self.text(right)?),
            (Function::NotEqual, [left, right]) => Some(self.text(left)? != self.text(right)?),
            (Function::In, [element, list]) => {
                let element = self.text(element)?;
                let TypedKind::Constant(Constant::List(list)) = &list.kind else {
                    return None;
                };
                let is_it =
                    |one: &Constant| matches!(one, Constant::String(text) if text == element);
                Some(list.iter().any(is_it))
            }
            _ => None,
        }
    }

    fn text<'t>(&'t self, typed: &'t Typed) -> Option<&'t str> {
        match &typed.kind {
            TypedKind::Field(Field::Tier) => Some(self.tier),
            TypedKind::Field(Field::Model) => Some(self.model),
            TypedKind::Constant(Constant::String(text)) => Some(text),
            _ => None,
        }
    }

    /// Narrows a call's size by a denial: what passes it is at most as large as the denial lets through.
    pub(super) fn narrow(&self, when: &Typed, size: &mut Size) {
        match &when.kind {
            TypedKind::Or(left, right) => {
                self.narrow(left, size);
                self.narrow(right, size);
            }
            TypedKind::And(left, right) if self.truth(left) == Some(true) => {
                self.narrow(right, size);
            }
            TypedKind::And(left, right) if self.truth(right) == Some(true) => {
                self.narrow(left, size);
            }
            TypedKind::Call(function, arguments) => {
                if let [left, right] = arguments.as_slice() {
                    narrow_by(*function, left, right, size);
                }
            }
            _ => {}
        }
    }
}

/// `field > most` refuses what is larger; so does `most < field`.
fn narrow_by(function: Function, left: &Typed, right: &Typed, size: &mut Size) {
    let (field, most) = match function {
        Function::Greater | Function::GreaterOrEqual => (left, right),
        Function::Less | Function::LessOrEqual => (right, left),
        _ => return,
    };
    let (TypedKind::Field(field), TypedKind::Constant(most)) = (&field.kind, &most.kind) else {
        return;
    };
    let (slot, most) = match field {
        Field::RequestTokens => (&mut size.tokens, whole(most)),
        Field::RequestMaxTokens => (&mut size.max_tokens, whole(most)),
        Field::CostCeiling => (&mut size.ceiling, nano_dollars(most)),
        _ => return,
    };
    if let Some(most) = most {
        *slot = Some(slot.map_or(most, |before| before.min(most)));
    }
}

/// The largest whole number that is not above it.
fn whole(constant: &Constant) -> Option<u128> {
    match constant {
        Constant::Int(number) => Some(u128::try_from(*number).unwrap_or(0)),
        Constant::Uint(number) => Some(u128::from(*number)),
        Constant::Double(number) if !number.is_nan() => Some(number.floor().max(0.0) as u128),
        _ => None,
    }
}

/// The most nano-dollars that, as a double of dollars, are not above it.
fn nano_dollars(constant: &Constant) -> Option<u128> {
    /// Up to here each whole number is a double of its own.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let dollars = match constant {
        Constant::Int(number) => *number as f64,
        Constant::Uint(number) => *number as f64,
        Constant::Double(number) if !number.is_nan() => *number,
        _ => return None,
    };
    let near = (dollars * 1e9).floor().max(0.0);
    if near >= EXACT {
        return Some((near * (1.0 + 4.0 * f64::EPSILON)) as u128);
    }
    let within = |nanos: &f64| nanos / 1e9 <= dollars;
    let most = [near + 1.0, near].into_iter().find(within);
    Some(most.unwrap_or(near - 1.0).max(0.0) as u128)
}

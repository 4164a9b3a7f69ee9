//! How types relate.

use std::collections::BTreeMap;

use super::{Checker, Constant, Type, Typed};
use crate::cel::expression::BinaryOperator;
use crate::cel::scope::Mode;

/// The type that both are, if there is one.
pub(super) fn common(left: &Type, right: &Type) -> Option<Type> {
    let both = |left, right| Some(Box::new(common(left, right)?));
    match (left, right) {
        (Type::Error, other) | (other, Type::Error) => Some(other.clone()),
        (Type::Nothing, other) | (other, Type::Nothing) => Some(other.clone()),
        (Type::Dyn, _) | (_, Type::Dyn) => Some(Type::Dyn),
        (Type::List(left), Type::List(right)) => Some(Type::List(both(left, right)?)),
        (Type::Optional(left), Type::Optional(right)) => Some(Type::Optional(both(left, right)?)),
        (Type::Map(key, value), Type::Map(other_key, other_value)) => {
            Some(Type::Map(both(key, other_key)?, both(value, other_value)?))
        }
        (Type::Opaque(name, left), Type::Opaque(other, right)) if name == other => {
            let pairs = left.iter().zip(right);
            let parameters: Option<Vec<Type>> =
                pairs.map(|(left, right)| common(left, right)).collect();
            Some(Type::Opaque(name.clone(), parameters?))
        }
        _ => (left == right).then(|| left.clone()),
    }
}

/// The type of all of them; dyn if they have none in common.
pub(super) fn joined<'a>(types: impl Iterator<Item = &'a Type>, nullable: bool) -> Type {
    types.fold(Type::Nothing, |ty, next| match (&ty, next) {
        (Type::Null, other) | (other, Type::Null) if nullable && may_be_null(other) => {
            other.clone()
        }
        _ => common(&ty, next).unwrap_or(Type::Dyn),
    })
}

/// Types of which the standard's checker lets `null` be one.
fn may_be_null(ty: &Type) -> bool {
    matches!(
        ty,
        Type::Optional(_) | Type::Opaque(..) | Type::Timestamp | Type::Duration
    )
}

/// Gives both their common type, so that `[]` and `optional.none()` take the type of the other.
pub(super) fn unify(left: &mut Typed, right: &mut Typed) -> Option<Type> {
    let ty = common(&left.ty, &right.ty)?;
    if ty != Type::Dyn {
        left.ty = ty.clone();
        right.ty = ty.clone();
    }
    Some(ty)
}

pub(super) fn is_number(ty: &Type) -> bool {
    matches!(ty, Type::Int | Type::Uint | Type::Double)
}

/// Whether a value of this type may be of several at run time.
pub(super) fn is_open(ty: &Type) -> bool {
    matches!(ty, Type::Dyn | Type::Nothing)
}

/// Types whose values have an order.
pub(super) fn is_ordered(ty: &Type) -> bool {
    is_number(ty)
        || matches!(
            ty,
            Type::Bool
                | Type::String
                | Type::Bytes
                | Type::Timestamp
                | Type::Duration
                | Type::Nothing
        )
}

/// Whether values of these types may be equal. Records have no equality of their own.
pub(super) fn are_comparable(left: &Type, right: &Type) -> bool {
    match (left, right) {
        (Type::Record(_) | Type::Struct(_), _) | (_, Type::Record(_) | Type::Struct(_)) => false,
        (Type::Dyn | Type::Nothing, _) | (_, Type::Dyn | Type::Nothing) => true,
        (Type::List(left), Type::List(right)) | (Type::Optional(left), Type::Optional(right)) => {
            are_comparable(left, right)
        }
        (Type::Map(key, value), Type::Map(other_key, other_value)) => {
            are_comparable(key, other_key) && are_comparable(value, other_value)
        }
        _ => (is_number(left) && is_number(right)) || common(left, right).is_some(),
    }
}

/// The type of `left operator right`, if the operator takes them.
pub(super) fn sum_type(operator: BinaryOperator, left: &Type, right: &Type) -> Option<Type> {
    use BinaryOperator::{Add, Divide, Multiply, Remainder, Subtract};
    match (operator, left, right) {
        _ if is_open(left) || is_open(right) => Some(Type::Dyn),
        (Add | Subtract | Multiply | Divide | Remainder, Type::Int, Type::Int) => Some(Type::Int),
        (Add | Subtract | Multiply | Divide | Remainder, Type::Uint, Type::Uint) => {
            Some(Type::Uint)
        }
        (Add | Subtract | Multiply | Divide, Type::Double, Type::Double) => Some(Type::Double),
        (Add, Type::String, Type::String) => Some(Type::String),
        (Add, Type::Bytes, Type::Bytes) => Some(Type::Bytes),
        (Add, Type::List(left), Type::List(right)) => Some(Type::List(Box::new(
            common(left, right).unwrap_or(Type::Dyn),
        ))),
        (Add | Subtract, Type::Timestamp, Type::Duration) => Some(Type::Timestamp),
        (Add, Type::Duration, Type::Timestamp) => Some(Type::Timestamp),
        (Add | Subtract, Type::Duration, Type::Duration) => Some(Type::Duration),
        (Subtract, Type::Timestamp, Type::Timestamp) => Some(Type::Duration),
        _ => None,
    }
}

/// What the parameters of a signature stand for in one call.
pub(super) type Chosen = BTreeMap<String, Type>;

/// Whether an argument fits a parameter; chooses the types that the parameter leaves open. With `open`, a value
/// whose type is known at run time only fits everything.
pub(super) fn fits(parameter: &Type, argument: &Type, chosen: &mut Chosen, open: bool) -> bool {
    match (parameter, argument) {
        (_, Type::Error | Type::Nothing) | (Type::Dyn, _) => true,
        (Type::Parameter(name), _) => {
            let before = chosen.get(name).unwrap_or(&Type::Nothing);
            let Some(ty) = common(before, argument) else {
                return false;
            };
            chosen.insert(name.clone(), ty);
            true
        }
        (_, Type::Dyn) => open,
        (Type::List(parameter), Type::List(argument))
        | (Type::Optional(parameter), Type::Optional(argument)) => {
            fits(parameter, argument, chosen, open)
        }
        (Type::Map(key, value), Type::Map(other_key, other_value)) => {
            fits(key, other_key, chosen, open) && fits(value, other_value, chosen, open)
        }
        (Type::Opaque(name, parameters), Type::Opaque(other, arguments)) => {
            name == other
                && parameters.len() == arguments.len()
                && parameters
                    .iter()
                    .zip(arguments)
                    .all(|(parameter, argument)| fits(parameter, argument, chosen, open))
        }
        _ => parameter == argument,
    }
}

/// A type of a signature with what its parameters stand for.
pub(super) fn substituted(ty: &Type, chosen: &Chosen) -> Type {
    let inner = |ty: &Type| Box::new(substituted(ty, chosen));
    match ty {
        Type::Parameter(name) => chosen.get(name).cloned().unwrap_or(Type::Dyn),
        Type::List(element) => Type::List(inner(element)),
        Type::Optional(value) => Type::Optional(inner(value)),
        Type::Map(key, value) => Type::Map(inner(key), inner(value)),
        Type::Opaque(name, parameters) => {
            let parameters = parameters.iter().map(|one| substituted(one, chosen));
            Type::Opaque(name.clone(), parameters.collect())
        }
        other => other.clone(),
    }
}

impl Type {
    /// The same type with dyn for the elements of `[]` and the value of `optional.none()`.
    #[must_use]
    pub(super) fn settled(&self) -> Self {
        let inner = |ty: &Self| Box::new(ty.settled());
        match self {
            Self::Nothing => Self::Dyn,
            Self::List(element) => Self::List(inner(element)),
            Self::Optional(value) => Self::Optional(inner(value)),
            Self::Map(key, value) => Self::Map(inner(key), inner(value)),
            Self::Opaque(name, parameters) => {
                Self::Opaque(name.clone(), parameters.iter().map(Self::settled).collect())
            }
            other => other.clone(),
        }
    }
}

impl Checker<'_> {
    pub(super) fn is_total(&self) -> bool {
        self.scope.mode == Mode::Total
    }

    /// Whether an operand of a type that is known at run time only is refused.
    pub(super) fn refuses(&self, ty: &Type) -> bool {
        *ty == Type::Dyn && self.is_total()
    }

    pub(super) fn joined<'a>(&self, types: impl Iterator<Item = &'a Type>) -> Type {
        joined(types, !self.is_total())
    }
}

impl Constant {
    /// Its type.
    #[must_use]
    pub fn ty(&self) -> Type {
        let all = |constants: &mut dyn Iterator<Item = &Self>| {
            let types: Vec<Type> = constants.map(Self::ty).collect();
            Box::new(joined(types.iter(), false))
        };
        match self {
            Self::Null => Type::Null,
            Self::Bool(_) => Type::Bool,
            Self::Int(_) => Type::Int,
            Self::Uint(_) => Type::Uint,
            Self::Double(_) => Type::Double,
            Self::String(_) => Type::String,
            Self::Bytes(_) => Type::Bytes,
            Self::Timestamp(..) => Type::Timestamp,
            Self::Duration(_) => Type::Duration,
            Self::Ip(_) => Type::Ip,
            Self::Cidr(..) => Type::Cidr,
            Self::List(elements) => Type::List(all(&mut elements.iter())),
            Self::Map(entries) => Type::Map(
                all(&mut entries.iter().map(|(key, _)| key)),
                all(&mut entries.iter().map(|(_, value)| value)),
            ),
            Self::Type(_) => Type::Type,
            Self::Absent => Type::Optional(Box::new(Type::Nothing)),
            Self::Present(value) => Type::Optional(Box::new(value.ty())),
        }
    }
}

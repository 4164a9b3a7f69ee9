//! How types relate.

use super::{Constant, Type, Typed, TypedKind};
use crate::cel::expression::BinaryOperator;

/// The type that both are, if there is one.
pub(super) fn common(left: &Type, right: &Type) -> Option<Type> {
    match (left, right) {
        (Type::Error, other) | (other, Type::Error) => Some(other.clone()),
        (Type::Dyn, _) | (_, Type::Dyn) => Some(Type::Dyn),
        (Type::List(left), Type::List(right)) => Some(Type::List(Box::new(common(left, right)?))),
        (Type::Optional(left), Type::Optional(right)) => {
            Some(Type::Optional(Box::new(common(left, right)?)))
        }
        _ => (left == right).then(|| left.clone()),
    }
}

/// Whether it is `[]` or `optional.none()`.
pub(super) fn holds_nothing(typed: &Typed) -> bool {
    match &typed.kind {
        TypedKind::Constant(Constant::List(elements)) => elements.is_empty(),
        TypedKind::Constant(Constant::Absent) => true,
        _ => false,
    }
}

/// Gives both their common type. `[]` and `optional.none()` hold nothing, so they take the type of the other.
pub(super) fn unify(left: &mut Typed, right: &mut Typed) -> Option<Type> {
    let ty = common(&left.ty, &right.ty)?;
    if holds_nothing(left) && ty != Type::Dyn {
        left.ty = right.ty.clone();
    } else if holds_nothing(right) && ty != Type::Dyn {
        right.ty = left.ty.clone();
    }
    common(&left.ty, &right.ty)
}

pub(super) fn is_number(ty: &Type) -> bool {
    matches!(ty, Type::Int | Type::Uint | Type::Double)
}

/// Whether values of these types may be equal. Records have no equality of their own.
pub(super) fn are_comparable(left: &Type, right: &Type) -> bool {
    match (left, right) {
        (Type::Record(_), _) | (_, Type::Record(_)) => false,
        (Type::Dyn, _) | (_, Type::Dyn) => true,
        (Type::List(left), Type::List(right)) | (Type::Optional(left), Type::Optional(right)) => {
            are_comparable(left, right)
        }
        _ => (is_number(left) && is_number(right)) || common(left, right).is_some(),
    }
}

/// The type of `left operator right`, if the operator takes them.
pub(super) fn sum_type(operator: BinaryOperator, left: &Type, right: &Type) -> Option<Type> {
    use BinaryOperator::{Add, Divide, Multiply, Remainder, Subtract};
    match (operator, left, right) {
        (Add | Subtract | Multiply | Divide | Remainder, Type::Int, Type::Int) => Some(Type::Int),
        (Add | Subtract | Multiply | Divide | Remainder, Type::Uint, Type::Uint) => {
            Some(Type::Uint)
        }
        (Add | Subtract | Multiply | Divide, Type::Double, Type::Double) => Some(Type::Double),
        (Add, Type::String, Type::String) => Some(Type::String),
        (Add, Type::Bytes, Type::Bytes) => Some(Type::Bytes),
        (Add, Type::List(_), Type::List(_)) => common(left, right),
        (Add | Subtract, Type::Timestamp, Type::Duration) => Some(Type::Timestamp),
        (Add, Type::Duration, Type::Timestamp) => Some(Type::Timestamp),
        (Add | Subtract, Type::Duration, Type::Duration) => Some(Type::Duration),
        (Subtract, Type::Timestamp, Type::Timestamp) => Some(Type::Duration),
        _ => None,
    }
}

impl Constant {
    /// Its type.
    #[must_use]
    pub fn ty(&self) -> Type {
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
            Self::List(elements) => {
                let mut types = elements.iter().map(Self::ty);
                let first = types.next().unwrap_or(Type::Dyn);
                let element = types.fold(first, |ty, next| common(&ty, &next).unwrap_or(Type::Dyn));
                Type::List(Box::new(element))
            }
            Self::Map(entries) => {
                let joined = |types: &mut dyn Iterator<Item = Type>| {
                    let first = types.next().unwrap_or(Type::Nothing);
                    types.fold(first, |ty, next| common(&ty, &next).unwrap_or(Type::Dyn))
                };
                let key = joined(&mut entries.iter().map(|(key, _)| key.ty()));
                let value = joined(&mut entries.iter().map(|(_, value)| value.ty()));
                Type::Map(Box::new(key), Box::new(value))
            }
            Self::Type(_) => Type::Type,
            Self::Absent => Type::Optional(Box::new(Type::Dyn)),
            Self::Present(value) => Type::Optional(Box::new(value.ty())),
        }
    }
}

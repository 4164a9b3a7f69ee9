//! Numbers and times: arithmetic that says so when it leaves 64 bits.

use std::cmp::Ordering;

use super::value::{Failure, Value};
use super::vocabulary::Function;
use super::{compare, moment};

pub(super) fn apply<'a>(
    function: Function,
    first: Value<'a>,
    second: Value<'a>,
) -> Result<Value<'a>, Failure> {
    use Function as F;
    match function {
        F::Add | F::Subtract | F::Multiply | F::Divide | F::Remainder => {
            binary(function, first, second)
        }
        F::Greatest | F::Least => {
            let order = compare::numbers(first, second).ok_or(Failure::Type)?;
            let wanted = if function == F::Greatest {
                Ordering::Less
            } else {
                Ordering::Greater
            };
            Ok(if order == Some(wanted) { second } else { first })
        }
        F::BitAnd | F::BitOr | F::BitXor => bits(function, first, second),
        F::ShiftLeft | F::ShiftRight => shift(function, first, second),
        _ => unary(function, first),
    }
}

fn unary(function: Function, value: Value<'_>) -> Result<Value<'_>, Failure> {
    use Function as F;
    Ok(match (function, value) {
        (F::Negate, Value::Int(number)) => Value::Int(checked(number.checked_neg())?),
        (F::Negate, Value::Double(number)) => Value::Double(-number),
        (F::Negate, Value::Duration(number)) => Value::Duration(checked(number.checked_neg())?),
        (F::Absolute, Value::Int(number)) => Value::Int(checked(number.checked_abs())?),
        (F::Absolute, Value::Uint(number)) => Value::Uint(number),
        (F::Absolute, Value::Double(number)) => Value::Double(number.abs()),
        (F::Ceiling, Value::Double(number)) => Value::Double(number.ceil()),
        (F::Floor, Value::Double(number)) => Value::Double(number.floor()),
        (F::Round, Value::Double(number)) => Value::Double(number.round()),
        (F::Truncate, Value::Double(number)) => Value::Double(number.trunc()),
        (F::Sign, Value::Int(number)) => Value::Int(number.signum()),
        (F::Sign, Value::Uint(number)) => Value::Uint(number.min(1)),
        (F::Sign, Value::Double(number)) if number == 0.0 || number.is_nan() => value,
        (F::Sign, Value::Double(number)) => Value::Double(number.signum()),
        (F::SquareRoot, Value::Double(number)) => Value::Double(number.sqrt()),
        (F::SquareRoot, Value::Int(number)) => Value::Double((number as f64).sqrt()),
        (F::SquareRoot, Value::Uint(number)) => Value::Double((number as f64).sqrt()),
        (F::IsNan, Value::Double(number)) => Value::Bool(number.is_nan()),
        (F::IsInfinite, Value::Double(number)) => Value::Bool(number.is_infinite()),
        (F::IsFinite, Value::Double(number)) => Value::Bool(number.is_finite()),
        (F::BitNot, Value::Int(number)) => Value::Int(!number),
        (F::BitNot, Value::Uint(number)) => Value::Uint(!number),
        _ => return Err(Failure::Type),
    })
}

fn bits<'a>(function: Function, first: Value<'a>, second: Value<'a>) -> Result<Value<'a>, Failure> {
    let apply = |first: u64, second: u64| match function {
        Function::BitAnd => first & second,
        Function::BitOr => first | second,
        _ => first ^ second,
    };
    match (first, second) {
        (Value::Int(first), Value::Int(second)) => Ok(Value::Int(
            apply(first.cast_unsigned(), second.cast_unsigned()).cast_signed(),
        )),
        (Value::Uint(first), Value::Uint(second)) => Ok(Value::Uint(apply(first, second))),
        _ => Err(Failure::Type),
    }
}

/// Bits that leave either end are gone; to the right, zeros come in, whatever the sign.
fn shift<'a>(
    function: Function,
    first: Value<'a>,
    second: Value<'a>,
) -> Result<Value<'a>, Failure> {
    let Value::Int(by) = second else {
        return Err(Failure::Type);
    };
    let by = u32::try_from(by.min(64)).map_err(|_| Failure::Arithmetic)?;
    let apply = |number: u64| {
        let shifted = match function {
            Function::ShiftLeft => number.checked_shl(by),
            _ => number.checked_shr(by),
        };
        shifted.unwrap_or(0)
    };
    match first {
        Value::Int(number) => Ok(Value::Int(apply(number.cast_unsigned()).cast_signed())),
        Value::Uint(number) => Ok(Value::Uint(apply(number))),
        _ => Err(Failure::Type),
    }
}

fn binary<'a>(
    function: Function,
    first: Value<'a>,
    second: Value<'a>,
) -> Result<Value<'a>, Failure> {
    match (first, second) {
        (Value::Int(first), Value::Int(second)) => Ok(Value::Int(checked(match function {
            Function::Add => first.checked_add(second),
            Function::Subtract => first.checked_sub(second),
            Function::Multiply => first.checked_mul(second),
            Function::Divide => first.checked_div(second),
            _ => first.checked_rem(second),
        })?)),
        (Value::Uint(first), Value::Uint(second)) => Ok(Value::Uint(checked(match function {
            Function::Add => first.checked_add(second),
            Function::Subtract => first.checked_sub(second),
            Function::Multiply => first.checked_mul(second),
            Function::Divide => first.checked_div(second),
            _ => first.checked_rem(second),
        })?)),
        (Value::Double(first), Value::Double(second)) => Ok(Value::Double(match function {
            Function::Add => first + second,
            Function::Subtract => first - second,
            Function::Multiply => first * second,
            Function::Divide => first / second,
            _ => return Err(Failure::Type),
        })),
        _ => times(function, first, second),
    }
}

fn times<'a>(
    function: Function,
    first: Value<'a>,
    second: Value<'a>,
) -> Result<Value<'a>, Failure> {
    match (function, first, second) {
        (Function::Add, Value::Timestamp(..), Value::Duration(by)) => moved(first, by.into()),
        (Function::Add, Value::Duration(by), Value::Timestamp(..)) => moved(second, by.into()),
        (Function::Subtract, Value::Timestamp(..), Value::Duration(by)) => {
            moved(first, -i128::from(by))
        }
        (Function::Subtract, Value::Timestamp(..), Value::Timestamp(..)) => {
            let difference = nanoseconds(first)? - nanoseconds(second)?;
            Ok(Value::Duration(checked(i64::try_from(difference).ok())?))
        }
        (Function::Add, Value::Duration(first), Value::Duration(second)) => {
            Ok(Value::Duration(checked(first.checked_add(second))?))
        }
        (Function::Subtract, Value::Duration(first), Value::Duration(second)) => {
            Ok(Value::Duration(checked(first.checked_sub(second))?))
        }
        _ => Err(Failure::Type),
    }
}

fn nanoseconds(time: Value<'_>) -> Result<i128, Failure> {
    match time {
        Value::Timestamp(seconds, nanoseconds) => {
            Ok(i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds))
        }
        _ => Err(Failure::Type),
    }
}

/// A time moved by nanoseconds, within the years 1 to 9999.
fn moved(time: Value<'_>, by: i128) -> Result<Value<'_>, Failure> {
    let moved = nanoseconds(time)? + by;
    let seconds = checked(i64::try_from(moved.div_euclid(1_000_000_000)).ok())?;
    let nanoseconds = checked(u32::try_from(moved.rem_euclid(1_000_000_000)).ok())?;
    checked(moment::timestamp(seconds, nanoseconds))
        .map(|(seconds, rest)| Value::Timestamp(seconds, rest))
}

fn checked<T>(result: Option<T>) -> Result<T, Failure> {
    result.ok_or(Failure::Arithmetic)
}

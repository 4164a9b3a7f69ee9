//! Numbers and times: arithmetic that says so when it leaves 64 bits, and conversions.

use std::cmp::Ordering;

use super::compare;
use super::value::{Failure, Value};
use super::vocabulary::Function;

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
        _ => return Err(Failure::Type),
    })
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
    const FIRST: i64 = -62_135_596_800;
    const LAST: i64 = 253_402_300_799;
    let moved = nanoseconds(time)? + by;
    let seconds = checked(i64::try_from(moved.div_euclid(1_000_000_000)).ok())?;
    let nanoseconds = checked(u32::try_from(moved.rem_euclid(1_000_000_000)).ok())?;
    if (FIRST..=LAST).contains(&seconds) {
        Ok(Value::Timestamp(seconds, nanoseconds))
    } else {
        Err(Failure::Arithmetic)
    }
}

fn checked<T>(result: Option<T>) -> Result<T, Failure> {
    result.ok_or(Failure::Arithmetic)
}

/// `int(…)`, `uint(…)`, `double(…)` of anything but a string.
pub(super) fn convert(function: Function, value: Value<'_>) -> Result<Value<'_>, Failure> {
    Ok(match (function, value) {
        (_, Value::Failed(failure)) => return Err(failure),
        (Function::ToInt, Value::Int(_))
        | (Function::ToUint, Value::Uint(_))
        | (Function::ToDouble, Value::Double(_)) => value,
        (Function::ToInt, Value::Uint(number)) => Value::Int(checked(i64::try_from(number).ok())?),
        (Function::ToInt, Value::Double(number)) => {
            // Strictly within: the bounds themselves are not exact doubles.
            let fits =
                number > -9_223_372_036_854_775_808.0 && number < 9_223_372_036_854_775_808.0;
            Value::Int(checked(fits.then_some(number as i64))?)
        }
        (Function::ToInt, Value::Timestamp(seconds, _)) => Value::Int(seconds),
        (Function::ToUint, Value::Int(number)) => Value::Uint(checked(u64::try_from(number).ok())?),
        (Function::ToUint, Value::Double(number)) => {
            let fits = number > -1.0 && number < 18_446_744_073_709_551_616.0;
            Value::Uint(checked(fits.then_some(number as u64))?)
        }
        (Function::ToDouble, Value::Int(number)) => Value::Double(number as f64),
        (Function::ToDouble, Value::Uint(number)) => Value::Double(number as f64),
        _ => return Err(Failure::Type),
    })
}

/// `int(…)`, `uint(…)`, `double(…)` of a string.
pub(super) fn parse<'a>(function: Function, text: &str) -> Result<Value<'a>, Failure> {
    Ok(match function {
        Function::ToInt => Value::Int(checked(text.parse().ok())?),
        Function::ToUint => Value::Uint(checked(text.parse().ok())?),
        Function::ToDouble => Value::Double(checked(text.parse().ok())?),
        _ => return Err(Failure::Type),
    })
}

//! Equality and order, as CEL has them: numbers compare across types, values of different kinds are never equal.

use std::cmp::Ordering;

use super::machine::Machine;
use super::value::{Failure, MOST_NESTED, Value};
use super::vocabulary::Function;

pub(super) fn equal<'a>(
    machine: &Machine<'a>,
    left: Value<'a>,
    right: Value<'a>,
) -> Result<bool, Failure> {
    equal_within(machine, left, right, 0)
}

fn equal_within<'a>(
    machine: &Machine<'a>,
    left: Value<'a>,
    right: Value<'a>,
    depth: usize,
) -> Result<bool, Failure> {
    if let Some(order) = numbers(left, right) {
        return Ok(order == Some(Ordering::Equal));
    }
    if machine.is_text(left) && machine.is_text(right) {
        return Ok(machine.string(left)? == machine.string(right)?);
    }
    Ok(match (left, right) {
        (Value::Null, Value::Null) | (Value::Absent, Value::Absent) => true,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Timestamp(left, a), Value::Timestamp(right, b)) => (left, a) == (right, b),
        (Value::Duration(left), Value::Duration(right)) => left == right,
        (Value::Ip(left), Value::Ip(right)) => left == right,
        (Value::Cidr(left, a), Value::Cidr(right, b)) => (left, a) == (right, b),
        (Value::Message(left), Value::Message(right)) => left == right,
        (Value::Tool(left), Value::Tool(right)) => left == right,
        (Value::ToolCall(left), Value::ToolCall(right)) => left == right,
        (Value::Type(left), Value::Type(right)) => left == right,
        (Value::Failed(failure), _) | (_, Value::Failed(failure)) => return Err(failure),
        (Value::Present(_), Value::Present(_)) => {
            let (left, right) = (machine.inner(left), machine.inner(right));
            return deeper(machine, left, right, depth);
        }
        _ => return equal_parts(machine, left, right, depth),
    })
}

/// Octets, lists and maps; of nothing else are two equal.
fn equal_parts<'a>(
    machine: &Machine<'a>,
    left: Value<'a>,
    right: Value<'a>,
    depth: usize,
) -> Result<bool, Failure> {
    if let (Some(left), Some(right)) = (machine.octets(left), machine.octets(right)) {
        machine.charge(left.len() as u64 / 64)?;
        return Ok(left == right);
    }
    if let (Some(length), Some(other)) = (machine.length(left), machine.length(right)) {
        if length != other {
            return Ok(false);
        }
        for index in 0..length {
            machine.charge(1)?;
            let (left, right) = (machine.element(left, index), machine.element(right, index));
            if !deeper(machine, left, right, depth)? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    let (Some(entries), Some(others)) = (machine.entries(left), machine.entries(right)) else {
        return Ok(false);
    };
    if entries != others {
        return Ok(false);
    }
    for index in 0..entries {
        machine.charge(1)?;
        let (key, value) = machine.entry(left, index);
        match machine.find(right, key)? {
            Some(other) if deeper(machine, value, other, depth)? => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

fn deeper<'a>(
    machine: &Machine<'a>,
    left: Value<'a>,
    right: Value<'a>,
    depth: usize,
) -> Result<bool, Failure> {
    if depth > MOST_NESTED {
        return Err(Failure::Work);
    }
    equal_within(machine, left, right, depth + 1)
}

/// `<`, `<=`, `>` or `>=`. Nothing is in order with NaN.
pub(super) fn ordered<'a>(
    machine: &Machine<'a>,
    function: Function,
    left: Value<'a>,
    right: Value<'a>,
) -> Result<bool, Failure> {
    Ok(decide(function, order(machine, left, right)?))
}

/// What a comparison says of values in this order; of those in none, that they are unequal.
pub(super) const fn decide(function: Function, order: Option<Ordering>) -> bool {
    let Some(order) = order else {
        return matches!(function, Function::NotEqual);
    };
    match function {
        Function::Equal => order.is_eq(),
        Function::NotEqual => order.is_ne(),
        Function::Less => order.is_lt(),
        Function::LessOrEqual => order.is_le(),
        Function::Greater => order.is_gt(),
        _ => order.is_ge(),
    }
}

/// How two values of one ordered type stand to one another; `None` with NaN.
pub(super) fn order<'a>(
    machine: &Machine<'a>,
    left: Value<'a>,
    right: Value<'a>,
) -> Result<Option<Ordering>, Failure> {
    if let Some(order) = numbers(left, right) {
        return Ok(order);
    }
    if machine.is_text(left) && machine.is_text(right) {
        // UTF-8 sorts as its code points do.
        return Ok(Some(machine.string(left)?.cmp(machine.string(right)?)));
    }
    Ok(Some(match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => left.cmp(&right),
        (Value::Timestamp(left, a), Value::Timestamp(right, b)) => (left, a).cmp(&(right, b)),
        (Value::Duration(left), Value::Duration(right)) => left.cmp(&right),
        (Value::Failed(failure), _) | (_, Value::Failed(failure)) => return Err(failure),
        _ => match (machine.octets(left), machine.octets(right)) {
            (Some(left), Some(right)) => left.cmp(right),
            _ => return Err(Failure::Type),
        },
    }))
}

/// The order of two numbers (`Some(None)` with NaN); `None` where one is no number.
pub(super) fn numbers(left: Value<'_>, right: Value<'_>) -> Option<Option<Ordering>> {
    Some(match (left, right) {
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(&right)),
        (Value::Uint(left), Value::Uint(right)) => Some(left.cmp(&right)),
        (Value::Double(left), Value::Double(right)) => left.partial_cmp(&right),
        (Value::Int(left), Value::Uint(right)) => Some(whole(left, right)),
        (Value::Uint(left), Value::Int(right)) => Some(whole(right, left).reverse()),
        // The standard rounds a whole number to the nearest double.
        (Value::Int(left), Value::Double(right)) => (left as f64).partial_cmp(&right),
        (Value::Double(left), Value::Int(right)) => left.partial_cmp(&(right as f64)),
        (Value::Uint(left), Value::Double(right)) => (left as f64).partial_cmp(&right),
        (Value::Double(left), Value::Uint(right)) => left.partial_cmp(&(right as f64)),
        _ => return None,
    })
}

fn whole(left: i64, right: u64) -> Ordering {
    i128::from(left).cmp(&i128::from(right))
}

/// The order of two numbers that are not NaN, without rounding: unlike [`numbers`], one order for any three of them.
pub(super) fn exact(left: Value<'_>, right: Value<'_>) -> Option<Ordering> {
    if let (Value::Double(left), Value::Double(right)) = (left, right) {
        return left.partial_cmp(&right);
    }
    let (left_whole, left_rest) = parts(left)?;
    let (right_whole, right_rest) = parts(right)?;
    let rest = left_rest.partial_cmp(&right_rest);
    Some(
        left_whole
            .cmp(&right_whole)
            .then(rest.unwrap_or(Ordering::Equal)),
    )
}

/// The whole part, which saturates far beyond 64 bits, and what is left of it.
fn parts(number: Value<'_>) -> Option<(i128, f64)> {
    Some(match number {
        Value::Int(number) => (number.into(), 0.0),
        Value::Uint(number) => (number.into(), 0.0),
        Value::Double(number) if number.is_infinite() => (number as i128, 0.0),
        Value::Double(number) => (number.trunc() as i128, number - number.trunc()),
        _ => return None,
    })
}

/// `value in list`, `key in map`. What a token says is known only when it comes: a claim that is neither has nothing in it.
pub(super) fn contains<'a>(
    machine: &Machine<'a>,
    list: Value<'a>,
    value: Value<'a>,
) -> Result<bool, Failure> {
    let Some(length) = machine.length(list) else {
        return match machine.entries(list) {
            Some(_) => Ok(machine.find(list, value)?.is_some()),
            None => Ok(false),
        };
    };
    for index in 0..length {
        machine.charge(1)?;
        if equal(machine, machine.element(list, index), value)? {
            return Ok(true);
        }
    }
    Ok(false)
}

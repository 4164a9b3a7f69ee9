//! Functions of constants, computed now.

use std::cmp::Ordering;
use std::net::IpAddr;

use crate::cel::time;
use crate::cel::typed::{Constant, Function};

/// The value of `function` on `arguments`; none if it is left to run time; or why there is none.
pub(super) fn fold(
    function: Function,
    arguments: &[&Constant],
) -> Result<Option<Constant>, &'static str> {
    match arguments {
        [operand] => one(function, operand),
        [left, right] => two(function, left, right),
        [
            Constant::String(text),
            Constant::String(old),
            Constant::String(new),
        ] if function == Function::Replace => {
            Ok(Some(Constant::String(text.replace(old.as_str(), new))))
        }
        _ => Ok(None),
    }
}

const OVERFLOW: &str = "it does not fit in 64 bits";

fn one(function: Function, operand: &Constant) -> Result<Option<Constant>, &'static str> {
    let value = match (function, operand) {
        (Function::HasValue, Constant::Absent) => Constant::Bool(false),
        (Function::Not, Constant::Bool(value)) => Constant::Bool(!value),
        (Function::Negate, Constant::Int(value)) => {
            Constant::Int(value.checked_neg().ok_or(OVERFLOW)?)
        }
        (Function::Negate, Constant::Double(value)) => Constant::Double(-value),
        (Function::Size, Constant::String(text)) => Constant::Int(length(text.chars().count())),
        (Function::Size, Constant::Bytes(octets)) => Constant::Int(length(octets.len())),
        (Function::Size, Constant::List(elements)) => Constant::Int(length(elements.len())),
        (Function::LowerAscii, Constant::String(text)) => {
            Constant::String(text.to_ascii_lowercase())
        }
        (Function::UpperAscii, Constant::String(text)) => {
            Constant::String(text.to_ascii_uppercase())
        }
        (Function::Trim, Constant::String(text)) => Constant::String(text.trim().to_owned()),
        (Function::Reverse, Constant::String(text)) => {
            Constant::String(text.chars().rev().collect())
        }
        (Function::ToInt, _) => Constant::Int(to_int(operand)?),
        (Function::ToUint, _) => Constant::Uint(to_uint(operand)?),
        (Function::ToDouble, _) => Constant::Double(to_double(operand)?),
        (Function::ToString, Constant::String(text)) => Constant::String(text.clone()),
        (Function::ToString, Constant::Bool(value)) => Constant::String(value.to_string()),
        (Function::ToString, Constant::Int(value)) => Constant::String(value.to_string()),
        (Function::ToString, Constant::Uint(value)) => Constant::String(value.to_string()),
        (Function::ToString, Constant::Ip(address)) => Constant::String(address.to_string()),
        (Function::ToString, Constant::Bytes(octets)) => {
            let text = String::from_utf8(octets.clone()).map_err(|_| "the bytes are not UTF-8")?;
            Constant::String(text)
        }
        (Function::Family, Constant::Ip(address)) => {
            Constant::Int(if address.is_ipv4() { 4 } else { 6 })
        }
        (Function::IsLoopback, Constant::Ip(address)) => Constant::Bool(address.is_loopback()),
        (Function::Absolute, Constant::Int(value)) => {
            Constant::Int(value.checked_abs().ok_or(OVERFLOW)?)
        }
        (Function::Absolute, Constant::Uint(value)) => Constant::Uint(*value),
        (Function::Absolute, Constant::Double(value)) => Constant::Double(value.abs()),
        (Function::Ceiling, Constant::Double(value)) => Constant::Double(value.ceil()),
        (Function::Floor, Constant::Double(value)) => Constant::Double(value.floor()),
        (Function::Round, Constant::Double(value)) => Constant::Double(value.round()),
        _ => return parsed(function, operand),
    };
    Ok(Some(value))
}

fn parsed(function: Function, operand: &Constant) -> Result<Option<Constant>, &'static str> {
    let value = match (function, operand) {
        (Function::ToTimestamp, Constant::String(text)) => {
            let (seconds, rest) =
                time::parse_timestamp(text).ok_or("times look like \"2026-01-31T08:00:00Z\"")?;
            Constant::Timestamp(seconds, rest)
        }
        (Function::ToTimestamp, Constant::Int(seconds)) => {
            let (seconds, rest) =
                time::timestamp(*seconds, 0).ok_or("the time is not in the years 1 to 9999")?;
            Constant::Timestamp(seconds, rest)
        }
        (Function::ToDuration, Constant::String(text)) => {
            let nanoseconds = time::parse_duration(text)
                .ok_or("durations look like \"1h30m\" or \"250ms\", up to 292 years")?;
            Constant::Duration(nanoseconds)
        }
        (Function::ToIp, Constant::String(text)) => {
            let address = read_address(text).ok_or("the text is no IP address")?;
            Constant::Ip(address.to_canonical())
        }
        (Function::ToCidr, Constant::String(text)) => {
            parse_network(text).ok_or("networks look like \"10.0.0.0/8\"")?
        }
        _ => return Ok(None),
    };
    Ok(Some(value))
}

/// The address that a text is. The standard refuses a dotted part inside of IPv6.
fn read_address(text: &str) -> Option<IpAddr> {
    let is_mixed = text.contains(':') && text.contains('.');
    text.parse().ok().filter(|_| !is_mixed)
}

/// `10.0.0.0/8`
fn parse_network(text: &str) -> Option<Constant> {
    let (address, prefix) = text.split_once('/')?;
    let address = read_address(address)?;
    let bits = if address.is_ipv4() { 32 } else { 128 };
    let is_number = prefix.bytes().all(|byte| byte.is_ascii_digit());
    let prefix: u8 = prefix.parse().ok()?;
    (is_number && prefix <= bits).then_some(Constant::Cidr(address, prefix))
}

fn two(
    function: Function,
    left: &Constant,
    right: &Constant,
) -> Result<Option<Constant>, &'static str> {
    let value = match (function, left, right) {
        (Function::Equal, ..) => return Ok(equal(left, right).map(Constant::Bool)),
        (Function::NotEqual, ..) => {
            return Ok(equal(left, right).map(|equal| Constant::Bool(!equal)));
        }
        (
            Function::Less | Function::LessOrEqual | Function::Greater | Function::GreaterOrEqual,
            ..,
        ) => return Ok(ordered(function, left, right).map(Constant::Bool)),
        (Function::In, _, Constant::List(elements)) => {
            let equal: Option<Vec<bool>> = elements
                .iter()
                .map(|element| equal(left, element))
                .collect();
            return Ok(equal.map(|equal| Constant::Bool(equal.contains(&true))));
        }
        (Function::Contains, Constant::String(text), Constant::String(part)) => {
            Constant::Bool(text.contains(part.as_str()))
        }
        (Function::StartsWith, Constant::String(text), Constant::String(part)) => {
            Constant::Bool(text.starts_with(part.as_str()))
        }
        (Function::EndsWith, Constant::String(text), Constant::String(part)) => {
            Constant::Bool(text.ends_with(part.as_str()))
        }
        (Function::ContainsIp, Constant::Cidr(network, prefix), Constant::Ip(address)) => {
            Constant::Bool(contains(*network, *prefix, *address))
        }
        (Function::Greatest, ..) => return Ok(extreme(left, right, Ordering::Greater)),
        (Function::Least, ..) => return Ok(extreme(left, right, Ordering::Less)),
        (Function::Add, ..) => return add(left, right),
        (Function::Subtract | Function::Multiply | Function::Divide | Function::Remainder, ..) => {
            return calculate(function, left, right);
        }
        _ => return Ok(None),
    };
    Ok(Some(value))
}

fn length(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn to_int(operand: &Constant) -> Result<i64, &'static str> {
    match operand {
        Constant::Int(value) => Ok(*value),
        Constant::Uint(value) => i64::try_from(*value).map_err(|_| OVERFLOW),
        Constant::Double(value) => double_to_int(*value).ok_or(OVERFLOW),
        Constant::String(text) => text.parse().map_err(|_| "the text is no whole number"),
        Constant::Timestamp(seconds, _) => Ok(*seconds),
        _ => Err("there is no such conversion"),
    }
}

/// Cut off after the point. The limits of the standard: strictly between -2⁶³ and 2⁶³.
fn double_to_int(value: f64) -> Option<i64> {
    let limit = 9_223_372_036_854_775_808.0;
    (value > -limit && value < limit).then_some(value as i64)
}

fn to_uint(operand: &Constant) -> Result<u64, &'static str> {
    match operand {
        Constant::Uint(value) => Ok(*value),
        Constant::Int(value) => {
            u64::try_from(*value).map_err(|_| "an unsigned number is not negative")
        }
        Constant::Double(value) if *value > -1.0 && *value < 18_446_744_073_709_551_616.0 => {
            Ok(*value as u64)
        }
        Constant::Double(_) => Err(OVERFLOW),
        Constant::String(text) => text.parse().map_err(|_| "the text is no whole number"),
        _ => Err("there is no such conversion"),
    }
}

fn to_double(operand: &Constant) -> Result<f64, &'static str> {
    match operand {
        Constant::Double(value) => Ok(*value),
        Constant::Int(value) => Ok(*value as f64),
        Constant::Uint(value) => Ok(*value as f64),
        Constant::String(text) => text.parse().map_err(|_| "the text is no number"),
        _ => Err("there is no such conversion"),
    }
}

/// Whether two constants are equal; none if only run time can say, because one of them is absent or a list.
fn equal(left: &Constant, right: &Constant) -> Option<bool> {
    if let Some(order) = compare_numbers(left, right) {
        return Some(order == Some(Ordering::Equal));
    }
    match (left, right) {
        (Constant::List(left), Constant::List(right)) => {
            if left.len() != right.len() {
                return Some(false);
            }
            let pairs: Option<Vec<bool>> =
                left.iter().zip(right).map(|(a, b)| equal(a, b)).collect();
            pairs.map(|pairs| pairs.iter().all(|equal| *equal))
        }
        _ => Some(left == right),
    }
}

fn ordered(function: Function, left: &Constant, right: &Constant) -> Option<bool> {
    let order = match (left, right) {
        (Constant::String(left), Constant::String(right)) => left.cmp(right),
        (Constant::Bool(left), Constant::Bool(right)) => left.cmp(right),
        (Constant::Bytes(left), Constant::Bytes(right)) => left.cmp(right),
        (Constant::Timestamp(a, b), Constant::Timestamp(c, d)) => (a, b).cmp(&(c, d)),
        (Constant::Duration(left), Constant::Duration(right)) => left.cmp(right),
        // NaN has no order: every comparison is false.
        _ => match compare_numbers(left, right)? {
            Some(order) => order,
            None => return Some(false),
        },
    };
    Some(match function {
        Function::Less => order.is_lt(),
        Function::LessOrEqual => order.is_le(),
        Function::Greater => order.is_gt(),
        _ => order.is_ge(),
    })
}

/// The order of two numbers of any types, exactly; none if they are no numbers, `Some(None)` if one is NaN.
fn compare_numbers(left: &Constant, right: &Constant) -> Option<Option<Ordering>> {
    let whole = |constant: &Constant| match constant {
        Constant::Int(value) => Some(i128::from(*value)),
        Constant::Uint(value) => Some(i128::from(*value)),
        _ => None,
    };
    match (whole(left), left, whole(right), right) {
        (Some(left), _, Some(right), _) => Some(Some(left.cmp(&right))),
        (None, Constant::Double(left), None, Constant::Double(right)) => {
            Some(left.partial_cmp(right))
        }
        (Some(left), _, None, Constant::Double(right)) => Some(compare_whole(left, *right)),
        (None, Constant::Double(left), Some(right), _) => {
            Some(compare_whole(right, *left).map(Ordering::reverse))
        }
        _ => None,
    }
}

fn compare_whole(whole: i128, double: f64) -> Option<Ordering> {
    if double.is_nan() {
        return None;
    }
    // The cast saturates far outside of 64 bits, where the order is already decided.
    let order = whole.cmp(&(double.trunc() as i128));
    Some(order.then_with(|| {
        0.0_f64
            .partial_cmp(&double.fract())
            .unwrap_or(Ordering::Equal)
    }))
}

fn extreme(left: &Constant, right: &Constant, keep: Ordering) -> Option<Constant> {
    let order = compare_numbers(left, right)??;
    Some(
        if order == keep || order.is_eq() {
            left
        } else {
            right
        }
        .clone(),
    )
}

fn add(left: &Constant, right: &Constant) -> Result<Option<Constant>, &'static str> {
    let value = match (left, right) {
        (Constant::String(left), Constant::String(right)) => {
            Constant::String(format!("{left}{right}"))
        }
        (Constant::Bytes(left), Constant::Bytes(right)) => {
            Constant::Bytes([left.as_slice(), right].concat())
        }
        (Constant::List(left), Constant::List(right)) => {
            Constant::List([left.as_slice(), right].concat())
        }
        _ => return calculate(Function::Add, left, right),
    };
    Ok(Some(value))
}

fn calculate(
    function: Function,
    left: &Constant,
    right: &Constant,
) -> Result<Option<Constant>, &'static str> {
    let value = match (left, right) {
        (Constant::Int(left), Constant::Int(right)) => match function {
            Function::Add => left.checked_add(*right),
            Function::Subtract => left.checked_sub(*right),
            Function::Multiply => left.checked_mul(*right),
            Function::Divide => left.checked_div(*right),
            _ => left.checked_rem(*right),
        }
        .map(Constant::Int),
        (Constant::Uint(left), Constant::Uint(right)) => match function {
            Function::Add => left.checked_add(*right),
            Function::Subtract => left.checked_sub(*right),
            Function::Multiply => left.checked_mul(*right),
            Function::Divide => left.checked_div(*right),
            _ => left.checked_rem(*right),
        }
        .map(Constant::Uint),
        (Constant::Double(left), Constant::Double(right)) => {
            Some(Constant::Double(match function {
                Function::Add => left + right,
                Function::Subtract => left - right,
                Function::Multiply => left * right,
                _ => left / right,
            }))
        }
        _ => return calculate_time(function, left, right),
    };
    value.map(Some).ok_or(OVERFLOW)
}

fn calculate_time(
    function: Function,
    left: &Constant,
    right: &Constant,
) -> Result<Option<Constant>, &'static str> {
    let is_add = function == Function::Add;
    let nanoseconds = |constant: &Constant| match constant {
        Constant::Timestamp(seconds, rest) => {
            i128::from(*seconds) * 1_000_000_000 + i128::from(*rest)
        }
        Constant::Duration(nanoseconds) => i128::from(*nanoseconds),
        _ => 0,
    };
    let (a, b) = (nanoseconds(left), nanoseconds(right));
    let result = if is_add { a + b } else { a - b };
    let is_time = |constant: &Constant| matches!(constant, Constant::Timestamp(..));
    match (is_time(left), is_time(right)) {
        (true, false) | (false, true) => {
            let seconds = i64::try_from(result.div_euclid(1_000_000_000)).map_err(|_| OVERFLOW)?;
            let rest = u32::try_from(result.rem_euclid(1_000_000_000)).map_err(|_| OVERFLOW)?;
            let (seconds, rest) =
                time::timestamp(seconds, rest).ok_or("the time is not in the years 1 to 9999")?;
            Ok(Some(Constant::Timestamp(seconds, rest)))
        }
        _ => {
            let nanoseconds =
                i64::try_from(result).map_err(|_| "the duration is over 292 years")?;
            Ok(Some(Constant::Duration(nanoseconds)))
        }
    }
}

/// Whether the network holds the address.
fn contains(network: IpAddr, prefix: u8, address: IpAddr) -> bool {
    let (network, address, bits) = match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => (
            u128::from(network.to_bits()),
            u128::from(address.to_bits()),
            32,
        ),
        (IpAddr::V6(network), IpAddr::V6(address)) => (network.to_bits(), address.to_bits(), 128),
        _ => return false,
    };
    let host_bits = bits - u32::from(prefix).min(bits);
    network.checked_shr(host_bits).unwrap_or(0) == address.checked_shr(host_bits).unwrap_or(0)
}

//! Conversions: `int(…)`, `bytes(…)`, `timestamp(…)`, and what `type(…)` says of a value.

use super::machine::Machine;
use super::value::{Failure, Value};
use super::vocabulary::{Function, TypeName};
use super::{moment, network, print};

/// A conversion of one value.
pub(super) fn apply<'a>(
    machine: &mut Machine<'a>,
    function: Function,
    value: Value<'a>,
) -> Result<Value<'a>, Failure> {
    use Function as F;
    let is_text = machine.is_text(value);
    match function {
        F::ToInt | F::ToUint | F::ToDouble => match machine.string(value) {
            Ok(text) => number_in(function, text),
            Err(_) => number(function, value),
        },
        F::ToString if is_text => Ok(value),
        F::ToString => to_string(machine, value),
        F::ToBytes if is_text => machine.make_octets(|machine, out| {
            out.extend_from_slice(machine.string(value)?.as_bytes());
            Ok(())
        }),
        F::ToBytes => machine.octets(value).map(|_| value).ok_or(Failure::Type),
        F::ToBool => match value {
            Value::Bool(_) => Ok(value),
            value => bool_in(machine.string(value)?),
        },
        F::ToTimestamp | F::ToDuration => time(machine, function, value),
        F::ToIp | F::ToCidr => match (function, value) {
            (F::ToIp, Value::Ip(_)) | (F::ToCidr, Value::Cidr(..)) => Ok(value),
            (F::ToIp, value) => network::address(machine.string(value)?).ok_or(Failure::Conversion),
            (_, value) => network::network(machine.string(value)?).ok_or(Failure::Conversion),
        },
        _ => Ok(Value::Type(type_of(machine, value)?)),
    }
}

/// Whether the conversion of a text has a value: `isInt(s)` for `int(s)`.
pub(super) fn is_text_of<'a>(
    machine: &Machine<'a>,
    test: Function,
    value: Value<'a>,
) -> Result<Value<'a>, Failure> {
    use Function as F;
    let text = machine.string(value)?;
    Ok(Value::Bool(match test {
        F::IsInt => number_in(F::ToInt, text).is_ok(),
        F::IsUint => number_in(F::ToUint, text).is_ok(),
        F::IsDouble => number_in(F::ToDouble, text).is_ok(),
        F::IsBool => bool_in(text).is_ok(),
        F::IsTimestamp => moment::parse_timestamp(text).is_some(),
        _ => moment::parse_duration(text).is_some(),
    }))
}

fn time<'a>(
    machine: &Machine<'a>,
    function: Function,
    value: Value<'a>,
) -> Result<Value<'a>, Failure> {
    let converted = match (function, value) {
        (Function::ToTimestamp, Value::Timestamp(..))
        | (Function::ToDuration, Value::Duration(_)) => Some(value),
        (Function::ToTimestamp, Value::Int(seconds)) => {
            moment::timestamp(seconds, 0).map(|(seconds, rest)| Value::Timestamp(seconds, rest))
        }
        (_, Value::Int(seconds)) => seconds.checked_mul(1_000_000_000).map(Value::Duration),
        (Function::ToTimestamp, text) => moment::parse_timestamp(machine.string(text)?)
            .map(|(seconds, rest)| Value::Timestamp(seconds, rest)),
        (_, text) => moment::parse_duration(machine.string(text)?).map(Value::Duration),
    };
    converted.ok_or(Failure::Conversion)
}

fn to_string<'a>(machine: &mut Machine<'a>, value: Value<'a>) -> Result<Value<'a>, Failure> {
    machine.make(|machine, out| match machine.octets(value) {
        Some(bytes) => {
            machine.charge(bytes.len() as u64 / 64)?;
            out.push_str(std::str::from_utf8(bytes).map_err(|_| Failure::Conversion)?);
            Ok(())
        }
        None => print::scalar(value, out),
    })
}

/// `int(…)`, `uint(…)`, `double(…)` of anything but a string.
fn number(function: Function, value: Value<'_>) -> Result<Value<'_>, Failure> {
    use Function as F;
    Ok(match (function, value) {
        (_, Value::Failed(failure)) => return Err(failure),
        (F::ToInt, Value::Int(_))
        | (F::ToUint, Value::Uint(_))
        | (F::ToDouble, Value::Double(_)) => value,
        (F::ToInt, Value::Uint(number)) => Value::Int(fitting(i64::try_from(number).ok())?),
        (F::ToInt, Value::Double(number)) => {
            // Strictly within: the bounds themselves are not exact doubles.
            let fits =
                number > -9_223_372_036_854_775_808.0 && number < 9_223_372_036_854_775_808.0;
            Value::Int(fitting(fits.then_some(number as i64))?)
        }
        (F::ToInt, Value::Timestamp(seconds, _)) => Value::Int(seconds),
        (F::ToInt, Value::Duration(nanoseconds)) => Value::Int(nanoseconds / 1_000_000_000),
        (F::ToUint, Value::Int(number)) => Value::Uint(fitting(u64::try_from(number).ok())?),
        (F::ToUint, Value::Double(number)) => {
            let fits = number > -1.0 && number < 18_446_744_073_709_551_616.0;
            Value::Uint(fitting(fits.then_some(number as u64))?)
        }
        (F::ToDouble, Value::Int(number)) => Value::Double(number as f64),
        (F::ToDouble, Value::Uint(number)) => Value::Double(number as f64),
        _ => return Err(Failure::Type),
    })
}

fn number_in<'a>(function: Function, text: &str) -> Result<Value<'a>, Failure> {
    let number = match function {
        Function::ToInt => text.parse().ok().map(Value::Int),
        Function::ToUint => text.parse().ok().map(Value::Uint),
        _ => text.parse().ok().map(Value::Double),
    };
    number.ok_or(Failure::Conversion)
}

fn bool_in<'a>(text: &str) -> Result<Value<'a>, Failure> {
    match text {
        "1" | "t" | "true" | "TRUE" | "True" => Ok(Value::Bool(true)),
        "0" | "f" | "false" | "FALSE" | "False" => Ok(Value::Bool(false)),
        _ => Err(Failure::Conversion),
    }
}

fn fitting<T>(number: Option<T>) -> Result<T, Failure> {
    number.ok_or(Failure::Arithmetic)
}

fn type_of<'a>(machine: &Machine<'a>, value: Value<'a>) -> Result<TypeName, Failure> {
    Ok(match value {
        Value::Null => TypeName::Null,
        Value::Bool(_) => TypeName::Bool,
        Value::Int(_) => TypeName::Int,
        Value::Uint(_) => TypeName::Uint,
        Value::Double(_) => TypeName::Double,
        Value::Timestamp(..) => TypeName::Timestamp,
        Value::Duration(_) => TypeName::Duration,
        Value::Ip(_) => TypeName::Ip,
        Value::Cidr(..) => TypeName::Cidr,
        Value::Absent | Value::Present(_) => TypeName::Optional,
        Value::Type(_) => TypeName::Type,
        Value::Message(_) => TypeName::Message,
        Value::Tool(_) => TypeName::Tool,
        Value::ToolCall(_) => TypeName::ToolCall,
        Value::Failed(failure) => return Err(failure),
        value if machine.is_text(value) => TypeName::String,
        value if machine.octets(value).is_some() => TypeName::Bytes,
        value if machine.length(value).is_some() => TypeName::List,
        _ => TypeName::Map,
    })
}

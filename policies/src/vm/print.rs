//! Values written out: `string(…)`, and `%s` of `format`.

use std::fmt::Write as _;

use super::machine::Machine;
use super::memory::MOST_TEXT;
use super::moment;
use super::value::{Failure, MOST_NESTED, Value};

/// A value as `string(…)` writes it: one that holds no others and lies in no buffer of the machine.
pub(super) fn scalar(value: Value<'_>, out: &mut String) -> Result<(), Failure> {
    let written = match value {
        Value::Bool(value) => write!(out, "{value}"),
        Value::Int(number) => write!(out, "{number}"),
        Value::Uint(number) => write!(out, "{number}"),
        Value::Double(number) => write!(out, "{number}"),
        Value::Bytes(bytes) => {
            out.push_str(std::str::from_utf8(bytes).map_err(|_| Failure::Conversion)?);
            Ok(())
        }
        Value::Timestamp(seconds, nanoseconds) => {
            let (seconds, nanoseconds) =
                moment::timestamp(seconds, nanoseconds).ok_or(Failure::Arithmetic)?;
            timestamp(seconds, nanoseconds, out)
        }
        Value::Duration(nanoseconds) => duration(nanoseconds, out),
        Value::Ip(address) => write!(out, "{address}"),
        Value::Cidr(address, length) => write!(out, "{address}/{length}"),
        Value::Failed(failure) => return Err(failure),
        _ => return Err(Failure::Type),
    };
    written.map_err(|_| Failure::Work)
}

/// As RFC 3339 has it, with as many decimals as it needs.
fn timestamp(seconds: i64, nanoseconds: u32, out: &mut String) -> std::fmt::Result {
    let date = moment::civil(seconds);
    let second = date.second_of_day;
    write!(out, "{:04}-{:02}-{:02}", date.year, date.month, date.day)?;
    let (hours, minutes) = (second / 3_600, second / 60 % 60);
    write!(out, "T{hours:02}:{minutes:02}:{:02}", second % 60)?;
    fraction(nanoseconds.into(), out)?;
    out.push('Z');
    Ok(())
}

/// Seconds, with as many decimals as it needs: `90s`, `0.25s`.
fn duration(nanoseconds: i64, out: &mut String) -> std::fmt::Result {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let size = nanoseconds.unsigned_abs();
    write!(out, "{sign}{}", size / 1_000_000_000)?;
    fraction(size % 1_000_000_000, out)?;
    out.push('s');
    Ok(())
}

fn fraction(nanoseconds: u64, out: &mut String) -> std::fmt::Result {
    if nanoseconds != 0 {
        write!(out, ".{nanoseconds:09}")?;
        out.truncate(out.trim_end_matches('0').len());
    }
    Ok(())
}

/// A value as `%s` writes it: also lists, maps (sorted by what their keys write), types and `null`.
pub(super) fn any<'a>(
    machine: &Machine<'a>,
    value: Value<'a>,
    depth: usize,
    out: &mut String,
) -> Result<(), Failure> {
    machine.charge(1)?;
    if depth > MOST_NESTED || out.len() > MOST_TEXT {
        return Err(Failure::Work);
    }
    match value {
        Value::Null => out.push_str("null"),
        Value::Type(name) => out.push_str(name.name()),
        Value::Double(number) => double(number, out),
        value if machine.is_text(value) => out.push_str(machine.string(value)?),
        value => match (
            machine.octets(value),
            machine.length(value),
            machine.entries(value),
        ) {
            (Some(bytes), ..) => out.push_str(&String::from_utf8_lossy(bytes)),
            (_, Some(length), _) => list(machine, value, length, depth, out)?,
            (.., Some(entries)) => map(machine, value, entries, depth, out)?,
            _ => scalar(value, out)?,
        },
    }
    Ok(())
}

/// Numbers that are none by the names that the standard gives them.
fn double(number: f64, out: &mut String) {
    let written = match number {
        f64::INFINITY => "Infinity",
        f64::NEG_INFINITY => "-Infinity",
        number if number.is_nan() => "NaN",
        number => {
            out.push_str(&number.to_string());
            return;
        }
    };
    out.push_str(written);
}

fn list<'a>(
    machine: &Machine<'a>,
    list: Value<'a>,
    length: usize,
    depth: usize,
    out: &mut String,
) -> Result<(), Failure> {
    out.push('[');
    for index in 0..length {
        if index > 0 {
            out.push_str(", ");
        }
        any(machine, machine.element(list, index), depth + 1, out)?;
    }
    out.push(']');
    Ok(())
}

fn map<'a>(
    machine: &Machine<'a>,
    map: Value<'a>,
    entries: usize,
    depth: usize,
    out: &mut String,
) -> Result<(), Failure> {
    let written = |index: usize| {
        let (key, value) = machine.entry(map, index);
        let mut text = String::new();
        any(machine, key, depth + 1, &mut text)?;
        text.push_str(": ");
        any(machine, value, depth + 1, &mut text)?;
        Ok(text)
    };
    let mut written: Vec<String> = (0..entries).map(written).collect::<Result<_, Failure>>()?;
    written.sort();
    out.push('{');
    out.push_str(&written.join(", "));
    out.push('}');
    Ok(())
}

//! Strings, by code point.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::machine::Machine;
use super::value::{Failure, Value};
use super::vocabulary::Function;

/// Bytes of text that one call may make.
const MOST_MADE: usize = 1 << 24;

pub(super) fn apply<'a>(
    machine: &mut Machine<'a>,
    function: Function,
    first: Value<'a>,
    second: Value<'a>,
    third: Value<'a>,
) -> Result<Value<'a>, Failure> {
    use Function as F;
    match function {
        F::Contains | F::StartsWith | F::EndsWith | F::IndexOf | F::LastIndexOf => {
            search(function, machine.string(first)?, machine.string(second)?)
        }
        F::Trim => {
            let text = machine.string(first)?;
            let start = text.len() - text.trim_start().len();
            let length = text.trim().len();
            Ok(Machine::part(first, start..start + length))
        }
        F::LowerAscii | F::UpperAscii | F::Reverse => machine.make(|machine, out| {
            let text = machine.string(first)?;
            if function == F::Reverse {
                out.extend(text.chars().rev());
                return Ok(());
            }
            out.push_str(text);
            if function == F::LowerAscii {
                out.make_ascii_lowercase();
            } else {
                out.make_ascii_uppercase();
            }
            Ok(())
        }),
        F::Replace => machine.make(|machine, out| {
            let (text, old) = (machine.string(first)?, machine.string(second)?);
            replace(text, old, machine.string(third)?, out)
        }),
        F::Split => split(machine, first, second),
        F::Join => machine.make(|machine, out| join(machine, first, second, out)),
        F::ToString if machine.is_text(first) => Ok(first),
        F::ToString => machine.make(|_, out| print(first, out)),
        _ => Err(Failure::Type),
    }
}

/// `a + b` of strings and of lists.
pub(super) fn concatenate<'a>(
    machine: &mut Machine<'a>,
    first: Value<'a>,
    second: Value<'a>,
) -> Result<Value<'a>, Failure> {
    if !machine.is_text(first) {
        return machine.append(first, second);
    }
    machine.make(|machine, out| {
        out.push_str(machine.string(first)?);
        out.push_str(machine.string(second)?);
        Ok(())
    })
}

fn search<'a>(function: Function, text: &str, part: &str) -> Result<Value<'a>, Failure> {
    let position = |found: Option<usize>| {
        let before = found.and_then(|offset| text.get(..offset));
        before.map_or(Value::Int(-1), |before| {
            Value::count(before.chars().count())
        })
    };
    Ok(match function {
        Function::Contains => Value::Bool(text.contains(part)),
        Function::StartsWith => Value::Bool(text.starts_with(part)),
        Function::EndsWith => Value::Bool(text.ends_with(part)),
        Function::IndexOf => position(text.find(part)),
        _ => position(text.rfind(part)),
    })
}

fn replace(text: &str, old: &str, new: &str, out: &mut String) -> Result<(), Failure> {
    let mut end = 0;
    for (start, found) in text.match_indices(old) {
        out.push_str(text.get(end..start).unwrap_or_default());
        out.push_str(new);
        end = start + found.len();
        if out.len() > MOST_MADE {
            return Err(Failure::Work);
        }
    }
    out.push_str(text.get(end..).unwrap_or_default());
    Ok(())
}

/// `"".split(…)` is a list of one empty string; an empty separator separates characters.
fn split<'a>(
    machine: &mut Machine<'a>,
    text: Value<'a>,
    separator: Value<'a>,
) -> Result<Value<'a>, Failure> {
    let (mut position, mut done) = (0, false);
    let mut list = machine.empty_list();
    // Reading all of it is charged once, not again for each piece.
    machine.string(text)?;
    while !done {
        let whole = machine.peek(text)?;
        let by = machine.peek(separator)?;
        let rest = whole.get(position..).unwrap_or_default();
        let (length, skipped) = match (by.is_empty(), rest.chars().next(), rest.find(by)) {
            (true, None, _) => break,
            (true, Some(character), _) => (character.len_utf8(), 0),
            (false, _, Some(offset)) => (offset, by.len()),
            (false, _, None) => {
                done = true;
                (rest.len(), 0)
            }
        };
        let piece = Machine::part(text, position..position + length);
        position += length + skipped;
        machine.charge(1)?;
        list = machine.extend(list, piece)?;
    }
    Ok(list)
}

fn join<'a>(
    machine: &Machine<'a>,
    list: Value<'a>,
    separator: Value<'a>,
    out: &mut String,
) -> Result<(), Failure> {
    let separator = machine.string(separator)?;
    let length = machine.length(list).ok_or(Failure::Type)?;
    for index in 0..length {
        machine.charge(1)?;
        if index > 0 {
            out.push_str(separator);
        }
        out.push_str(machine.string(machine.element(list, index))?);
        if out.len() > MOST_MADE {
            return Err(Failure::Work);
        }
    }
    Ok(())
}

/// A value as `string(…)` writes it.
pub(super) fn print(value: Value<'_>, out: &mut String) -> Result<(), Failure> {
    let written = match value {
        Value::Bool(value) => write!(out, "{value}"),
        Value::Int(number) => write!(out, "{number}"),
        Value::Uint(number) => write!(out, "{number}"),
        Value::Double(number) => write!(out, "{number}"),
        Value::Bytes(bytes) => {
            out.push_str(std::str::from_utf8(bytes).map_err(|_| Failure::Type)?);
            Ok(())
        }
        Value::Timestamp(seconds, nanoseconds) => {
            let nanoseconds = i32::try_from(nanoseconds).map_err(|_| Failure::Arithmetic)?;
            let time = Timestamp::new(seconds, nanoseconds).map_err(|_| Failure::Arithmetic)?;
            write!(out, "{time}")
        }
        Value::Duration(nanoseconds) => print_duration(nanoseconds, out),
        Value::Ip(address) => write!(out, "{address}"),
        Value::Cidr(address, length) => write!(out, "{address}/{length}"),
        Value::Failed(failure) => return Err(failure),
        _ => return Err(Failure::Type),
    };
    written.map_err(|_| Failure::Work)
}

/// Seconds, with as many decimals as it needs: `90s`, `0.25s`.
fn print_duration(nanoseconds: i64, out: &mut String) -> std::fmt::Result {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let size = nanoseconds.unsigned_abs();
    write!(out, "{sign}{}", size / 1_000_000_000)?;
    let fraction = size % 1_000_000_000;
    if fraction != 0 {
        write!(out, ".{fraction:09}")?;
        out.truncate(out.trim_end_matches('0').len());
    }
    out.push('s');
    Ok(())
}

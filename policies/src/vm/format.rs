//! `"…%s…".format([…])`.

use std::fmt::Write as _;

use super::machine::Machine;
use super::memory::MOST_TEXT;
use super::print;
use super::value::{Failure, Value};

/// The most decimals that a clause may ask for.
const MOST_PRECISION: usize = 1_000;
/// The decimals of a clause that asks for none.
const PRECISION: usize = 6;

pub(super) fn format<'a>(
    machine: &mut Machine<'a>,
    template: Value<'a>,
    arguments: Value<'a>,
) -> Result<Value<'a>, Failure> {
    machine.make(|machine, out| {
        let mut rest = machine.string(template)?;
        let mut next = 0;
        while let Some((before, clause)) = rest.split_once('%') {
            out.push_str(before);
            if let Some(after) = clause.strip_prefix('%') {
                out.push('%');
                rest = after;
                continue;
            }
            let (precision, kind, after) = parse(clause).ok_or(Failure::Conversion)?;
            if next >= machine.length(arguments).ok_or(Failure::Type)? {
                return Err(Failure::Key);
            }
            write(
                machine,
                kind,
                precision,
                machine.element(arguments, next),
                out,
            )?;
            next += 1;
            rest = after;
            if out.len() > MOST_TEXT {
                return Err(Failure::Work);
            }
        }
        out.push_str(rest);
        Ok(())
    })
}

/// `.3f` and what follows it.
fn parse(clause: &str) -> Option<(Option<usize>, char, &str)> {
    let (precision, rest) = match clause.strip_prefix('.') {
        None => (None, clause),
        Some(digits) => {
            let end = digits.find(|character: char| !character.is_ascii_digit())?;
            let (digits, rest) = digits.split_at_checked(end)?;
            let precision = digits
                .parse()
                .ok()
                .filter(|digits| *digits <= MOST_PRECISION)?;
            (Some(precision), rest)
        }
    };
    let kind = rest.chars().next()?;
    Some((precision, kind, rest.get(kind.len_utf8()..)?))
}

fn write<'a>(
    machine: &Machine<'a>,
    kind: char,
    precision: Option<usize>,
    value: Value<'a>,
    out: &mut String,
) -> Result<(), Failure> {
    let written = match (kind, value) {
        (_, Value::Failed(failure)) => return Err(failure),
        ('s', value) => return print::any(machine, value, 0, out),
        ('d', Value::Int(_) | Value::Uint(_) | Value::Double(_)) => {
            return print::any(machine, value, 0, out);
        }
        ('f' | 'e', value) => {
            let number = match value {
                Value::Double(number) => number,
                Value::Int(number) => number as f64,
                Value::Uint(number) => number as f64,
                _ => return Err(Failure::Type),
            };
            if !number.is_finite() {
                return print::any(machine, Value::Double(number), 0, out);
            }
            let precision = precision.unwrap_or(PRECISION);
            if kind == 'f' {
                write!(out, "{number:.precision$}")
            } else {
                scientific(number, precision, out)
            }
        }
        ('b', Value::Bool(value)) => write!(out, "{}", u8::from(value)),
        ('b' | 'o' | 'x' | 'X', Value::Int(number)) => {
            if number < 0 {
                out.push('-');
            }
            whole(kind, number.unsigned_abs(), out)
        }
        ('b' | 'o' | 'x' | 'X', Value::Uint(number)) => whole(kind, number, out),
        ('x' | 'X', value) => {
            let bytes = match machine.octets(value) {
                Some(bytes) => bytes,
                None => machine.string(value)?.as_bytes(),
            };
            machine.charge(bytes.len() as u64 / 8)?;
            bytes.iter().try_for_each(|byte| match kind {
                'x' => write!(out, "{byte:02x}"),
                _ => write!(out, "{byte:02X}"),
            })
        }
        ('d' | 'b' | 'o', _) => return Err(Failure::Type),
        _ => return Err(Failure::Conversion),
    };
    written.map_err(|_| Failure::Work)
}

fn whole(kind: char, number: u64, out: &mut String) -> std::fmt::Result {
    match kind {
        'b' => write!(out, "{number:b}"),
        'o' => write!(out, "{number:o}"),
        'x' => write!(out, "{number:x}"),
        _ => write!(out, "{number:X}"),
    }
}

/// A sign and two digits at least in the exponent: `1.052033e+03`.
fn scientific(number: f64, precision: usize, out: &mut String) -> std::fmt::Result {
    let written = format!("{number:.precision$e}");
    let (digits, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    write!(out, "{digits}e{sign}{exponent:0>2}")
}

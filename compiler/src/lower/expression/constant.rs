//! Constants: into code and the plan's tables, and to and from the machine's own values.

use waypost_lang::cel::typed::Constant;
use waypost_policies::plan::draft::Scalar;
use waypost_policies::vm::{Assembler, Datum, Failure, Function, Instruction, TypeName};

/// Appends the code that pushes a constant.
pub(super) fn write(value: &Constant, to: &mut Assembler<'_>) {
    let instruction = match value {
        Constant::Null => Instruction::Null,
        Constant::Bool(value) => Instruction::Bool(*value),
        Constant::Int(value) => Instruction::Int(*value),
        Constant::Uint(value) => Instruction::Uint(*value),
        Constant::Double(value) => Instruction::Double(*value),
        Constant::Bytes(bytes) => Instruction::Bytes(bytes),
        Constant::Timestamp(seconds, nanoseconds) => Instruction::Timestamp(*seconds, *nanoseconds),
        Constant::Duration(nanoseconds) => Instruction::Duration(*nanoseconds),
        Constant::Ip(address) => Instruction::Ip(*address),
        Constant::Cidr(address, length) => Instruction::Cidr(*address, *length),
        Constant::Type(name) => {
            type_name(name).map_or(Instruction::Fail(Failure::Type), Instruction::Type)
        }
        Constant::Absent => Instruction::Absent,
        Constant::Present(value) => {
            write(value, to);
            to.call(Function::OptionalOf);
            return;
        }
        Constant::String(text) => {
            to.text(text);
            return;
        }
        Constant::List(elements) => return list(elements, to),
        Constant::Map(entries) => return map(entries, to),
    };
    to.push(instruction);
}

/// A list that holds an optional with a value is made each time: no constant of a plan is one.
fn list(elements: &[Constant], to: &mut Assembler<'_>) {
    if let Some(scalars) = scalars(elements, to) {
        to.list(scalars);
        return;
    }
    for element in elements {
        write(element, to);
    }
    let count = u16::try_from(elements.len()).unwrap_or(u16::MAX);
    to.push(Instruction::MakeList(count));
}

fn map(entries: &[(Constant, Constant)], to: &mut Assembler<'_>) {
    if let Some(entries) = sorted(entries, to) {
        to.map(entries);
        return;
    }
    for (key, value) in entries {
        write(key, to);
        write(value, to);
    }
    let count = u16::try_from(entries.len()).unwrap_or(u16::MAX);
    to.push(Instruction::MakeMap(count));
}

fn scalars(elements: &[Constant], to: &mut Assembler<'_>) -> Option<Vec<Scalar>> {
    elements.iter().map(|element| scalar(element, to)).collect()
}

/// Keys and values in turn, sorted by key as the plan's verifier asks.
fn sorted(entries: &[(Constant, Constant)], to: &mut Assembler<'_>) -> Option<Vec<Scalar>> {
    let mut entries: Vec<&(Constant, Constant)> = entries.iter().collect();
    entries.sort_by(|(left, _), (right, _)| order(left).cmp(&order(right)));
    let mut scalars = Vec::with_capacity(2 * entries.len());
    for (key, value) in entries {
        scalars.push(scalar(key, to)?);
        scalars.push(scalar(value, to)?);
    }
    Some(scalars)
}

/// Bools, then numbers whatever their types, then strings.
fn order(key: &Constant) -> (u8, i128, &str) {
    match key {
        Constant::Bool(value) => (0, i128::from(*value), ""),
        Constant::Int(number) => (1, i128::from(*number), ""),
        Constant::Uint(number) => (1, i128::from(*number), ""),
        Constant::String(text) => (2, 0, text),
        _ => (3, 0, ""),
    }
}

fn scalar(value: &Constant, to: &mut Assembler<'_>) -> Option<Scalar> {
    Some(match value {
        Constant::Null => Scalar::Null,
        Constant::Bool(value) => Scalar::Bool(*value),
        Constant::Int(value) => Scalar::Int(*value),
        Constant::Uint(value) => Scalar::Uint(*value),
        Constant::Double(value) => Scalar::Double(*value),
        Constant::String(text) => Scalar::String(text.clone()),
        Constant::Bytes(bytes) => Scalar::Bytes(bytes.clone()),
        Constant::Timestamp(seconds, nanoseconds) => Scalar::Timestamp(*seconds, *nanoseconds),
        Constant::Duration(nanoseconds) => Scalar::Duration(*nanoseconds),
        Constant::Ip(address) => Scalar::Ip(*address),
        Constant::Cidr(address, length) => Scalar::Cidr(*address, *length),
        Constant::Type(name) => Scalar::Type(type_name(name)?.number()),
        Constant::Absent => Scalar::Absent,
        Constant::List(elements) => {
            let scalars = scalars(elements, to)?;
            to.nested_list(scalars)
        }
        Constant::Map(entries) => {
            let entries = sorted(entries, to)?;
            to.nested_map(entries)
        }
        Constant::Present(_) => return None,
    })
}

fn type_name(name: &str) -> Option<TypeName> {
    TypeName::ALL
        .iter()
        .copied()
        .find(|known| known.name() == name)
}

/// A constant as the machine takes it.
pub(crate) fn to_datum(value: &Constant) -> Option<Datum> {
    Some(match value {
        Constant::Null => Datum::Null,
        Constant::Bool(value) => Datum::Bool(*value),
        Constant::Int(number) => Datum::Int(*number),
        Constant::Uint(number) => Datum::Uint(*number),
        Constant::Double(number) => Datum::Double(*number),
        Constant::String(text) => Datum::String(text.clone()),
        Constant::Bytes(bytes) => Datum::Bytes(bytes.clone()),
        Constant::Timestamp(seconds, nanoseconds) => Datum::Timestamp(*seconds, *nanoseconds),
        Constant::Duration(nanoseconds) => Datum::Duration(*nanoseconds),
        Constant::Ip(address) => Datum::Ip(*address),
        Constant::Cidr(address, length) => Datum::Cidr(*address, *length),
        Constant::Type(name) => Datum::Type(type_name(name)?),
        Constant::Absent => Datum::Optional(None),
        Constant::List(elements) => {
            Datum::List(elements.iter().map(to_datum).collect::<Option<_>>()?)
        }
        Constant::Map(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| to_datum(key).zip(to_datum(value)));
            Datum::Map(entries.collect::<Option<_>>()?)
        }
        Constant::Present(_) => return None,
    })
}

/// A value of the machine as a constant.
pub(crate) fn from_datum(value: Datum) -> Constant {
    match value {
        Datum::Null => Constant::Null,
        Datum::Bool(value) => Constant::Bool(value),
        Datum::Int(number) => Constant::Int(number),
        Datum::Uint(number) => Constant::Uint(number),
        Datum::Double(number) => Constant::Double(number),
        Datum::String(text) => Constant::String(text),
        Datum::Bytes(bytes) => Constant::Bytes(bytes),
        Datum::Timestamp(seconds, nanoseconds) => Constant::Timestamp(seconds, nanoseconds),
        Datum::Duration(nanoseconds) => Constant::Duration(nanoseconds),
        Datum::Ip(address) => Constant::Ip(address),
        Datum::Cidr(address, length) => Constant::Cidr(address, length),
        Datum::List(elements) => Constant::List(elements.into_iter().map(from_datum).collect()),
        Datum::Map(entries) => {
            let entries = entries
                .into_iter()
                .map(|(key, value)| (from_datum(key), from_datum(value)));
            Constant::Map(entries.collect())
        }
        Datum::Optional(None) => Constant::Absent,
        Datum::Optional(Some(value)) => Constant::Present(Box::new(from_datum(*value))),
        Datum::Type(name) => Constant::Type(name.name().to_owned()),
    }
}

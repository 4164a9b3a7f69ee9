//! From a checked expression to code: operands before what takes them.
//!
//! What the checker knows to be one of several forms gets the instruction made for it: a constant pattern, set or zone
//! is compiled once, when the plan is loaded.

mod constant;
mod vocabulary;

use waypost_lang::cel::typed::{self, Constant, Element, Entry, Type, Typed, TypedKind};
use waypost_policies::plan;
use waypost_policies::vm::{self, Assembler, Failure, Function, Instruction, Macro};

pub(crate) use constant::{from_datum, to_datum};
pub(crate) use vocabulary::function;

/// Appends the code of `typed`.
pub(crate) fn write(typed: &Typed, to: &mut Assembler<'_>) {
    match &typed.kind {
        TypedKind::Constant(value) => constant::write(value, to),
        TypedKind::Field(fact) => {
            if let Some(fact) = vocabulary::field(*fact) {
                to.field(fact);
            }
        }
        TypedKind::Variable(variable) => push(Instruction::Variable(*variable), to),
        TypedKind::Local(local) => push(Instruction::Local(*local), to),
        TypedKind::Member(record, name) => {
            write(record, to);
            to.member(vocabulary::member(*name));
        }
        TypedKind::Lookup(fact, key) => {
            if let Some(map) = vocabulary::map(*fact) {
                to.lookup(map, key);
            }
        }
        TypedKind::HasKey(fact, key) => {
            if let Some(map) = vocabulary::map(*fact) {
                to.has(map, key);
            }
        }
        TypedKind::Call(function, arguments) => call(*function, arguments, to),
        TypedKind::And(left, right) => {
            truth(left, to);
            to.and(|to| truth(right, to));
        }
        TypedKind::Or(left, right) => {
            truth(left, to);
            to.or(|to| truth(right, to));
        }
        TypedKind::Conditional(condition, then, otherwise) => {
            truth(condition, to);
            to.choose(|to| write(then, to), |to| write(otherwise, to));
        }
        TypedKind::List(elements) => {
            for element in elements {
                write(element, to);
            }
            push(Instruction::MakeList(count(elements.len())), to);
        }
        TypedKind::OptionalList(elements) => optional_list(elements, to),
        TypedKind::Map(entries) => map(entries, to),
        TypedKind::Bind { local, value, body } => {
            write(value, to);
            to.bind(*local);
            write(body, to);
        }
        TypedKind::Comprehension { .. } => comprehension(typed, to),
        TypedKind::Fail(_) => push(Instruction::Fail(Failure::Type), to),
    }
    forget(typed, to);
}

fn push(instruction: Instruction<'_>, to: &mut Assembler<'_>) {
    to.push(instruction);
}

/// The verifier knows the type of every literal; what `dyn(…)` made of one is to be looked at when it is used.
fn forget(typed: &Typed, to: &mut Assembler<'_>) {
    let is_told = matches!(
        typed.kind,
        TypedKind::Constant(_)
            | TypedKind::List(_)
            | TypedKind::OptionalList(_)
            | TypedKind::Map(_)
            | TypedKind::Call(..)
            | TypedKind::Comprehension { .. }
            | TypedKind::Field(_)
            | TypedKind::Member(..)
    );
    if typed.ty == Type::Dyn && is_told {
        to.call(Function::Dyn);
    }
}

/// Code for a condition. Without the checker it may be no bool, which then fails like any other failure.
fn truth(typed: &Typed, to: &mut Assembler<'_>) {
    write(typed, to);
    if !matches!(typed.ty, Type::Bool | Type::Dyn) {
        to.call(Function::Dyn);
    }
}

/// A list or map longer than its count can say is refused by the plan's verifier.
fn count(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

fn optional_list(elements: &[Element], to: &mut Assembler<'_>) {
    for element in elements {
        write(&element.value, to);
    }
    let flags: Vec<u8> = elements
        .iter()
        .map(|element| u8::from(element.optional))
        .collect();
    push(Instruction::MakeOptionalList(&flags), to);
}

fn map(entries: &[Entry], to: &mut Assembler<'_>) {
    for entry in entries {
        write(&entry.key, to);
        write(&entry.value, to);
    }
    if entries.iter().any(|entry| entry.optional) {
        let flags: Vec<u8> = entries
            .iter()
            .map(|entry| u8::from(entry.optional))
            .collect();
        push(Instruction::MakeOptionalMap(&flags), to);
    } else {
        push(Instruction::MakeMap(count(entries.len())), to);
    }
}

fn comprehension(typed: &Typed, to: &mut Assembler<'_>) {
    let TypedKind::Comprehension {
        kind,
        range,
        local,
        second,
        filter,
        body,
    } = &typed.kind
    else {
        return;
    };
    write(range, to);
    let of = Macro {
        kind: vocabulary::comprehension(*kind),
        local: *local,
        second: *second,
    };
    let filter = |to: &mut Assembler<'_>| {
        if let Some(filter) = filter {
            truth(filter, to);
        }
    };
    let makes = matches!(
        kind,
        typed::Comprehension::Map
            | typed::Comprehension::TransformList
            | typed::Comprehension::TransformMap
            | typed::Comprehension::TransformMapEntry
    );
    let body = |to: &mut Assembler<'_>| {
        if makes {
            write(body, to)
        } else {
            truth(body, to)
        }
    };
    to.comprehend_with(of, filter, body);
}

fn call(function: typed::Function, arguments: &[Typed], to: &mut Assembler<'_>) {
    match (function, arguments) {
        // A constant that the engine refuses is left to fail when it is evaluated: a plan would not load with it.
        (typed::Function::Matches, [text, pattern]) => match string(pattern) {
            Some(pattern) if plan::pattern(pattern).is_ok() => {
                write(text, to);
                to.matches(pattern);
            }
            _ => plain(function, arguments, to),
        },
        (typed::Function::In, [value, list]) => {
            write(value, to);
            match strings(list).filter(|_| value.ty == Type::String) {
                Some(members) => {
                    to.in_set(members);
                }
                None => {
                    write(list, to);
                    to.call(Function::In);
                }
            }
        }
        (typed::Function::Join, [list]) => {
            write(list, to);
            to.text("").call(Function::Join);
        }
        (typed::Function::Greatest | typed::Function::Least, [first, rest @ ..])
            if !rest.is_empty() =>
        {
            write(first, to);
            for argument in rest {
                write(argument, to);
                apply(function, 2, to);
            }
        }
        (_, [time, zone]) if vocabulary::zoned(function).is_some() => {
            write(time, to);
            let Some(part) = vocabulary::zoned(function) else {
                return;
            };
            if let Some(name) = string(zone).filter(|name| vm::zone(name).is_some()) {
                to.zoned(part, name);
            } else {
                write(zone, to);
                push(Instruction::ZonedBy(part), to);
            }
        }
        _ => plain(function, arguments, to),
    }
}

fn plain(function: typed::Function, arguments: &[Typed], to: &mut Assembler<'_>) {
    for argument in arguments {
        write(argument, to);
    }
    apply(function, arguments.len(), to);
}

fn apply(function: typed::Function, arguments: usize, to: &mut Assembler<'_>) {
    if let Some(function) = vocabulary::function(function, arguments) {
        to.call(function);
    }
}

fn string(typed: &Typed) -> Option<&str> {
    match &typed.kind {
        TypedKind::Constant(Constant::String(text)) => Some(text),
        _ => None,
    }
}

/// The elements of a constant list of strings.
fn strings(list: &Typed) -> Option<Vec<String>> {
    let TypedKind::Constant(Constant::List(elements)) = &list.kind else {
        return None;
    };
    let texts = elements.iter().map(|element| match element {
        Constant::String(text) => Some(text.clone()),
        _ => None,
    });
    texts.collect()
}

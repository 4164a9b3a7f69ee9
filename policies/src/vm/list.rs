//! Lists made of lists: slices, sorted, flattened, without repetition.

use std::cmp::Ordering;

use super::machine::Machine;
use super::memory::{MOST_VALUES, made_list};
use super::value::{Failure, Value};
use super::vocabulary::Function;
use super::{arithmetic, compare};

pub(super) fn apply<'a>(
    machine: &mut Machine<'a>,
    function: Function,
    arguments: [Value<'a>; 4],
) -> Result<Value<'a>, Failure> {
    use Function as F;
    let [list, second, third, _] = arguments;
    if function == F::Range {
        return range(machine, list);
    }
    if matches!(function, F::GreatestOf | F::LeastOf) && machine.length(list).is_none() {
        return arithmetic::apply(extreme(function), list, list);
    }
    let length = machine.length(list).ok_or(Failure::Type)?;
    machine.charge(length as u64)?;
    match function {
        F::First | F::Last if length == 0 => Ok(Value::Absent),
        F::First => machine.present(machine.element(list, 0)),
        F::Last => machine.present(machine.element(list, length - 1)),
        F::Slice => {
            let (start, end) = (place(second, length)?, place(third, length)?);
            if start > end {
                return Err(Failure::Key);
            }
            collect(machine, list, start..end)
        }
        F::Reverse => collect(machine, list, (0..length).rev()),
        F::Flatten => flatten(machine, list, 1),
        F::FlattenTo => match second {
            Value::Int(depth) => flatten(
                machine,
                list,
                u32::try_from(depth).map_err(|_| Failure::Key)?,
            ),
            _ => Err(Failure::Type),
        },
        F::Distinct => distinct(machine, list, length),
        F::Unwrap => unwrap(machine, list, length),
        F::GreatestOf | F::LeastOf => {
            let mut best = machine.element(list, 0);
            for index in 0..length {
                best = arithmetic::apply(extreme(function), best, machine.element(list, index))?;
            }
            if length == 0 {
                Err(Failure::Key)
            } else {
                Ok(best)
            }
        }
        F::SortBy => sort(machine, list, second, length),
        _ => sort(machine, list, list, length),
    }
}

const fn extreme(function: Function) -> Function {
    match function {
        Function::GreatestOf => Function::Greatest,
        _ => Function::Least,
    }
}

fn place(value: Value<'_>, length: usize) -> Result<usize, Failure> {
    let Value::Int(place) = value else {
        return Err(Failure::Type);
    };
    let place = usize::try_from(place).ok().filter(|place| *place <= length);
    place.ok_or(Failure::Key)
}

fn collect<'a>(
    machine: &mut Machine<'a>,
    list: Value<'a>,
    indices: impl Iterator<Item = usize>,
) -> Result<Value<'a>, Failure> {
    let mut made = machine.empty_list();
    for index in indices {
        made = machine.extend(made, machine.element(list, index))?;
    }
    Ok(made)
}

fn range<'a>(machine: &mut Machine<'a>, count: Value<'a>) -> Result<Value<'a>, Failure> {
    let Value::Int(count) = count else {
        return Err(Failure::Type);
    };
    let mut made = machine.empty_list();
    for number in 0..count {
        machine.charge(1)?;
        made = machine.extend(made, Value::Int(number))?;
    }
    Ok(made)
}

/// Lists in the list, so many levels of them, replaced by their elements.
fn flatten<'a>(
    machine: &mut Machine<'a>,
    list: Value<'a>,
    depth: u32,
) -> Result<Value<'a>, Failure> {
    let mut flat = list;
    for _ in 0..depth {
        let mut made = machine.empty_list();
        let mut found = false;
        for index in 0..machine.length(flat).unwrap_or(0) {
            machine.charge(1)?;
            let element = machine.element(flat, index);
            let Some(length) = machine.length(element) else {
                made = machine.extend(made, element)?;
                continue;
            };
            found = true;
            for inner in 0..length {
                machine.charge(1)?;
                made = machine.extend(made, machine.element(element, inner))?;
            }
        }
        flat = made;
        if !found {
            break;
        }
    }
    Ok(flat)
}

fn distinct<'a>(
    machine: &mut Machine<'a>,
    list: Value<'a>,
    length: usize,
) -> Result<Value<'a>, Failure> {
    let mut made = machine.empty_list();
    for index in 0..length {
        let element = machine.element(list, index);
        if !compare::contains(machine, made, element)? {
            made = machine.extend(made, element)?;
        }
    }
    Ok(made)
}

fn unwrap<'a>(
    machine: &mut Machine<'a>,
    list: Value<'a>,
    length: usize,
) -> Result<Value<'a>, Failure> {
    let mut made = machine.empty_list();
    for index in 0..length {
        match machine.element(list, index) {
            Value::Absent => {}
            value @ Value::Present(_) => made = machine.extend(made, machine.inner(value))?,
            value => return Err(value.failure().unwrap_or(Failure::Type)),
        }
    }
    Ok(made)
}

/// Elements in the order of their keys, which are all of one ordered type; equal keys keep theirs.
fn sort<'a>(
    machine: &mut Machine<'a>,
    list: Value<'a>,
    keys: Value<'a>,
    length: usize,
) -> Result<Value<'a>, Failure> {
    if machine.length(keys) != Some(length) {
        return Err(Failure::Type);
    }
    if machine.values.len() + length > MOST_VALUES {
        return Err(Failure::Work);
    }
    // A merge sort compares each so often at most.
    let rounds = u64::from(usize::BITS - length.leading_zeros());
    let first = machine.element(keys, 0);
    for index in 0..length {
        // Pairwise comparable and without NaN, all of them are in one order: then the sort below cannot fail.
        let key = machine.element(keys, index);
        compare::order(machine, first, key)?.ok_or(Failure::Type)?;
        let size = machine.peek(key).map_or(0, str::len) as u64 / 64;
        machine.charge(rounds * (1 + size))?;
    }
    let mut places: Vec<usize> = (0..length).collect();
    places.sort_by(|left, right| {
        in_order(
            machine,
            machine.element(keys, *left),
            machine.element(keys, *right),
        )
    });
    let start = machine.values.len();
    for place in places {
        let element = machine.element(list, place);
        machine.values.push(element);
    }
    Ok(made_list(start, machine.values.len()))
}

/// As [`compare::order`] has it, for keys that are known to be in order, and without a charge that could fail midway.
fn in_order<'a>(machine: &Machine<'a>, left: Value<'a>, right: Value<'a>) -> Ordering {
    if let Some(order) = compare::exact(left, right) {
        return order;
    }
    match (machine.peek(left), machine.peek(right)) {
        (Ok(left), Ok(right)) => left.cmp(right),
        _ => match compare::order(machine, left, right) {
            Ok(Some(order)) => order,
            _ => Ordering::Equal,
        },
    }
}

//! What must hold for a condition to be true, read off its code.
//!
//! Of thousands of rules most can be ruled out together: a hundred that ask for a hundred teams differ in one constant, and
//! one look at the team tells which of them may match. Invariant: a guard is implied by its condition. Where it is false
//! the condition is false too, whatever else the condition asks, as `false && x` is false in CEL even where `x` fails.

use std::ops::Range;

use super::view::Constants;
use crate::vm::{Comprehension, Field, Function, Instruction, Macro, Map, Member, Term};

/// A test of one term of a condition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Guard {
    /// What is tested.
    pub(crate) term: Term,
    /// What is asked of its value.
    pub(crate) test: Test,
    /// Whether the condition asks nothing else.
    pub(crate) is_whole: bool,
}

/// What is asked of a term's value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    /// It is one of these strings.
    Among(Vec<String>),
    /// It starts with this one.
    StartsWith(String),
    /// One of its elements has this text in this field.
    Has(Member, String),
    /// It is larger.
    Above(Bound),
    /// It is smaller.
    Below(Bound),
}

/// A number that a value is compared with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bound {
    /// The number.
    pub(crate) number: Number,
    /// Whether the number itself passes.
    pub(crate) inclusive: bool,
}

/// A number of one of the types that are compared with constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    /// An int.
    Int(i64),
    /// A double; never NaN.
    Double(f64),
}

/// The guard of a condition: of its conjuncts the one that leaves fewest rules, equality before order.
pub(crate) fn guard(code: &[u8], constants: &Constants<'_>) -> Option<Guard> {
    let mut best = None;
    let mut open = Vec::new();
    let mut next = Some(0..code.len());
    let mut steps = MOST_STEPS;
    while let Some(range) = next.take().or_else(|| open.pop()) {
        if let Some((left, right)) = conjuncts(code, &range, &mut steps) {
            open.extend([right, left]);
            continue;
        }
        let found = atom(code, &range, constants).map(|guard| Guard {
            is_whole: range == (0..code.len()),
            ..guard
        });
        best = match (best, found) {
            (Some(best), Some(found)) if cost(&best) <= cost(&found) => Some(best),
            (best, found) => found.or(best),
        };
    }
    best
}

/// How many rules a guard leaves, roughly.
const fn cost(guard: &Guard) -> u8 {
    match guard.test {
        Test::Among(_) => 0,
        Test::Has(..) => 1,
        Test::StartsWith(_) => 2,
        Test::Above(_) | Test::Below(_) => 3,
    }
}

/// How many instructions of one condition are looked at. It bounds the work for a plan that nests `&&` to no end; what is
/// found until then is still true.
const MOST_STEPS: usize = 1_000;

/// The two sides of code that is one `&&`: it ends in the connective of a block that begins after the left side.
fn conjuncts(
    code: &[u8],
    range: &Range<usize>,
    steps: &mut usize,
) -> Option<(Range<usize>, Range<usize>)> {
    let mut at = range.start;
    while at < range.end {
        *steps = steps.checked_sub(1)?;
        let (instruction, after) = decode(code, at)?;
        let block = match instruction {
            Instruction::SkipIfFalse(length) => {
                let end = after.checked_add(length as usize)?;
                let (connective, last) = decode(code, end)?;
                if connective == Instruction::And && last == range.end {
                    return Some((range.start..at, after..end));
                }
                length as usize
            }
            Instruction::SkipIfTrue(length)
            | Instruction::Choose(length)
            | Instruction::Jump(length) => length as usize,
            Instruction::Comprehend { filter, body, .. } => filter as usize + body as usize,
            _ => 0,
        };
        at = after.checked_add(block)?;
    }
    None
}

/// The instruction at `at`, and where the next one is.
fn decode(code: &[u8], at: usize) -> Option<(Instruction<'_>, usize)> {
    let (instruction, rest) = Instruction::decode(code.get(at..)?)?;
    Some((instruction, code.len() - rest.len()))
}

/// The most instructions of a condition that is a guard.
const LONGEST: usize = 8;

/// A comparison of a term with a constant.
fn atom(code: &[u8], range: &Range<usize>, constants: &Constants<'_>) -> Option<Guard> {
    let mut instructions = Vec::with_capacity(LONGEST);
    let mut at = range.start;
    while at < range.end {
        if instructions.len() == LONGEST {
            return None;
        }
        let (instruction, after) = decode(code, at)?;
        instructions.push(instruction);
        at = after;
    }
    let (term, test) = test(&instructions, constants)?;
    Some(Guard {
        term,
        test,
        is_whole: false,
    })
}

fn test(code: &[Instruction<'_>], constants: &Constants<'_>) -> Option<(Term, Test)> {
    if let Some(found) = membership(code, constants) {
        return Some(found);
    }
    let (last, operands) = code.split_last()?;
    if let Instruction::InSet(set) = last {
        let term = term(operands, constants)?;
        let members = constants.sets().get(*set as usize)?;
        return Some((term, Test::Among(members.map(str::to_owned).collect())));
    }
    let Instruction::Call(function) = last else {
        return None;
    };
    let (constant, left) = operands.split_last()?;
    if let Some(term) = term(left, constants) {
        return Some((term, compare(*function, constant, constants)?));
    }
    let (constant, right) = operands.split_first()?;
    let term = term(right, constants)?;
    Some((term, compare(mirrored(*function)?, constant, constants)?))
}

/// `list.exists(x, x.member == "text")`
fn membership(code: &[Instruction<'_>], constants: &Constants<'_>) -> Option<(Term, Test)> {
    let [
        Instruction::Field(list @ (Field::RequestTools | Field::RequestMessages)),
        Instruction::Comprehend {
            of:
                Macro {
                    kind: Comprehension::Exists,
                    local,
                    second: None,
                },
            filter: 0,
            ..
        },
        Instruction::Local(element),
        Instruction::Member(member),
        Instruction::Text(constant),
        Instruction::Call(Function::Equal),
    ] = code
    else {
        return None;
    };
    let text = constants.strings().get(*constant as usize)?;
    (local == element).then(|| (Term::Fact(*list), Test::Has(*member, text.to_owned())))
}

/// A fact, or a value of a map that stands for another where it is missing: its value borrows from the call.
fn term(code: &[Instruction<'_>], constants: &Constants<'_>) -> Option<Term> {
    match code {
        [Instruction::Field(field)] => Some(Term::Fact(*field)),
        [
            Instruction::Lookup(map, slot),
            Instruction::Text(otherwise),
            Instruction::Call(Function::OrValue),
        ] if *map != Map::Claims => {
            let otherwise = constants.strings().get(*otherwise as usize)?;
            Some(Term::Slot(*map, *slot, otherwise.into()))
        }
        _ => None,
    }
}

/// The function that says the same with its operands exchanged.
const fn mirrored(function: Function) -> Option<Function> {
    Some(match function {
        Function::Equal => Function::Equal,
        Function::Less => Function::Greater,
        Function::LessOrEqual => Function::GreaterOrEqual,
        Function::Greater => Function::Less,
        Function::GreaterOrEqual => Function::LessOrEqual,
        _ => return None,
    })
}

fn compare(
    function: Function,
    constant: &Instruction<'_>,
    constants: &Constants<'_>,
) -> Option<Test> {
    let number = match *constant {
        Instruction::Text(index) => {
            let text = constants.strings().get(index as usize)?.to_owned();
            return match function {
                Function::Equal => Some(Test::Among(vec![text])),
                Function::StartsWith => Some(Test::StartsWith(text)),
                _ => None,
            };
        }
        Instruction::Int(number) => Number::Int(number),
        Instruction::Double(number) if !number.is_nan() => Number::Double(number),
        _ => return None,
    };
    let bound = |inclusive| Bound { number, inclusive };
    Some(match function {
        Function::Greater => Test::Above(bound(false)),
        Function::GreaterOrEqual => Test::Above(bound(true)),
        Function::Less => Test::Below(bound(false)),
        Function::LessOrEqual => Test::Below(bound(true)),
        _ => return None,
    })
}

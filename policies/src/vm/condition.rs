//! Conditions in the form in which they are evaluated fastest: what most rules say, as a tree of tests.
//!
//! Made from code that the verifier passed, when a plan is loaded. A condition that asks anything else has no such form
//! and is run instruction by instruction; one that has it means the same in both.

use super::compare;
use super::instruction::{Instruction, Macro};
use super::machine::{Machine, member_of};
use super::value::{Failure, Value};
use super::vocabulary::{Comprehension, Field, Function, Map, Member};
use crate::plan::view::Constants;

/// How deep a tree may be: each level is a call within another.
const MOST_NESTED: usize = 64;
/// Up to here a set is searched one by one.
const FEW: usize = 4;

/// A condition.
#[derive(Debug)]
pub(crate) enum Condition {
    /// Several, joined: false decides `&&`, true decides `||`.
    Joined {
        decides: bool,
        parts: Vec<Condition>,
    },
    Not(Box<Condition>),
    /// The test, what holds where it is true, what where it is false.
    Choice(Box<[Condition; 3]>),
    Constant(bool),
    Fact(Field),
    HasTemperature,
    HasKey(Map, u16),
    Number {
        term: Number,
        function: Function,
        constant: Value<'static>,
    },
    Text {
        term: Term,
        test: TextTest,
    },
    Pattern {
        term: Term,
        pattern: u32,
    },
    /// `all` or `exists` over a list's texts.
    Members {
        all: bool,
        list: Field,
        member: Member,
        test: TextTest,
    },
}

/// Where a number comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Number {
    Fact(Field),
    Size(Field),
    Temperature,
}

/// Where a value comes from that borrows from the call.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Term {
    Fact(Field),
    /// A map's value, or this where it has none.
    Slot(Map, u16, Box<str>),
}

/// What is asked of a text.
#[derive(Debug)]
pub(crate) enum TextTest {
    Equal(Box<str>),
    NotEqual(Box<str>),
    StartsWith(Box<str>),
    EndsWith(Box<str>),
    Contains(Box<str>),
    /// Sorted.
    Among(Box<[Box<str>]>),
}

impl TextTest {
    fn of(function: Function, text: &str) -> Option<Self> {
        let text = text.into();
        Some(match function {
            Function::Equal => Self::Equal(text),
            Function::NotEqual => Self::NotEqual(text),
            Function::StartsWith => Self::StartsWith(text),
            Function::EndsWith => Self::EndsWith(text),
            Function::Contains => Self::Contains(text),
            _ => return None,
        })
    }

    #[inline]
    fn passes(&self, text: &str) -> bool {
        match self {
            Self::Equal(other) => text == &**other,
            Self::NotEqual(other) => text != &**other,
            Self::StartsWith(part) => text.starts_with(&**part),
            Self::EndsWith(part) => text.ends_with(&**part),
            Self::Contains(part) => text.contains(&**part),
            Self::Among(set) if set.len() <= FEW => set.iter().any(|member| text == &**member),
            Self::Among(set) => set.binary_search_by(|member| (**member).cmp(text)).is_ok(),
        }
    }
}

/// What lies on the stack while code is read.
enum Item {
    Condition(Condition, usize),
    Number(Number),
    Text(Term),
    ConstantNumber(Value<'static>),
    ConstantText(Box<str>),
    List(Field),
    Slot(Map, u16),
    Temperature,
}

struct Reader<'p> {
    constants: Constants<'p>,
    stack: Vec<Item>,
}

impl Condition {
    /// The form of an expression that is a condition, if it has one.
    pub(crate) fn of(code: &[u8], constants: Constants<'_>) -> Option<Self> {
        let mut reader = Reader {
            constants,
            stack: Vec::new(),
        };
        reader.block(code, 0).map(|(condition, _)| condition)
    }
}

impl Reader<'_> {
    fn block(&mut self, code: &[u8], depth: usize) -> Option<(Condition, usize)> {
        if depth > MOST_NESTED {
            return None;
        }
        let base = self.stack.len();
        let mut rest = code;
        while !rest.is_empty() {
            let (instruction, after) = Instruction::decode(rest)?;
            rest = self.instruction(instruction, after, depth)?;
        }
        let condition = self.condition()?;
        (self.stack.len() == base && condition.1 <= MOST_NESTED).then_some(condition)
    }

    fn condition(&mut self) -> Option<(Condition, usize)> {
        match self.stack.pop()? {
            Item::Condition(condition, depth) => Some((condition, depth)),
            _ => None,
        }
    }

    fn instruction<'c>(
        &mut self,
        instruction: Instruction<'c>,
        after: &'c [u8],
        depth: usize,
    ) -> Option<&'c [u8]> {
        let item = match instruction {
            Instruction::SkipIfFalse(length) => {
                return self.connective(false, length, after, depth);
            }
            Instruction::SkipIfTrue(length) => return self.connective(true, length, after, depth),
            Instruction::Choose(length) => return self.choice(length, after, depth),
            Instruction::Comprehend {
                of,
                filter: 0,
                body,
            } => {
                let (body, after) = after.split_at_checked(body as usize)?;
                let item = self.members(of, body)?;
                self.stack.push(item);
                return Some(after);
            }
            Instruction::Bool(value) => Item::Condition(Condition::Constant(value), 0),
            Instruction::Int(number) => Item::ConstantNumber(Value::Int(number)),
            Instruction::Double(number) => Item::ConstantNumber(Value::Double(number)),
            Instruction::Text(index) => Item::ConstantText(self.text(index)?),
            Instruction::Field(field) => fact(field)?,
            Instruction::Lookup(map, slot) if map != Map::Claims => Item::Slot(map, slot),
            Instruction::Has(map, slot) => Item::Condition(Condition::HasKey(map, slot), 0),
            Instruction::InSet(set) => {
                let set = self.constants.sets().get(set as usize)?;
                let test = TextTest::Among(set.map(Into::into).collect());
                self.tested(test)?
            }
            Instruction::Match(pattern) => match self.stack.pop()? {
                Item::Text(term) => Item::Condition(Condition::Pattern { term, pattern }, 0),
                _ => return None,
            },
            Instruction::Call(function) => self.call(function)?,
            _ => return None,
        };
        self.stack.push(item);
        Some(after)
    }

    fn text(&self, index: u32) -> Option<Box<str>> {
        self.constants.strings().get(index as usize).map(Into::into)
    }

    fn tested(&mut self, test: TextTest) -> Option<Item> {
        match self.stack.pop()? {
            Item::Text(term) => Some(Item::Condition(Condition::Text { term, test }, 0)),
            _ => None,
        }
    }

    /// Joins the condition before it and that of its block: into the former, where that is joined in the same way.
    fn connective<'c>(
        &mut self,
        decides: bool,
        length: u32,
        after: &'c [u8],
        depth: usize,
    ) -> Option<&'c [u8]> {
        let (left, left_depth) = self.condition()?;
        let (block, after) = after.split_at_checked(length as usize)?;
        let (right, right_depth) = self.block(block, depth + 1)?;
        let (_, after) = Instruction::decode(after)?;
        let item = match left {
            Condition::Joined {
                decides: joined,
                mut parts,
            } if joined == decides => {
                parts.push(right);
                Item::Condition(
                    Condition::Joined { decides, parts },
                    left_depth.max(right_depth + 1),
                )
            }
            left => {
                let parts = vec![left, right];
                Item::Condition(
                    Condition::Joined { decides, parts },
                    left_depth.max(right_depth) + 1,
                )
            }
        };
        self.stack.push(item);
        Some(after)
    }

    fn choice<'c>(&mut self, length: u32, after: &'c [u8], depth: usize) -> Option<&'c [u8]> {
        let (test, test_depth) = self.condition()?;
        let (block, after) = after.split_at_checked(length as usize)?;
        let (then, then_depth) = self.block(block, depth + 1)?;
        let Some((Instruction::Jump(length), after)) = Instruction::decode(after) else {
            return None;
        };
        let (block, after) = after.split_at_checked(length as usize)?;
        let (otherwise, other_depth) = self.block(block, depth + 1)?;
        let deepest = test_depth.max(then_depth).max(other_depth);
        let choice = Condition::Choice(Box::new([test, then, otherwise]));
        self.stack.push(Item::Condition(choice, deepest + 1));
        Some(after)
    }

    /// `list.exists(x, x.member == "text")`
    fn members(&mut self, of: Macro, body: &[u8]) -> Option<Item> {
        let Item::List(list) = self.stack.pop()? else {
            return None;
        };
        let all = match of {
            Macro {
                kind: Comprehension::All,
                second: None,
                ..
            } => true,
            Macro {
                kind: Comprehension::Exists,
                second: None,
                ..
            } => false,
            _ => return None,
        };
        let (local, body) = Instruction::decode(body)?;
        let (member, body) = Instruction::decode(body)?;
        let (text, body) = Instruction::decode(body)?;
        let test = match (Instruction::decode(body), text) {
            (Some((Instruction::Call(function), [])), Instruction::Text(text)) => {
                TextTest::of(function, &self.text(text)?)?
            }
            (None, Instruction::InSet(set)) => {
                let set = self.constants.sets().get(set as usize)?;
                TextTest::Among(set.map(Into::into).collect())
            }
            _ => return None,
        };
        match (local, member) {
            (Instruction::Local(local), Instruction::Member(member))
                if local == of.local && member != Member::MessageToolCalls =>
            {
                Some(Item::Condition(
                    Condition::Members {
                        all,
                        list,
                        member,
                        test,
                    },
                    0,
                ))
            }
            _ => None,
        }
    }

    fn call(&mut self, function: Function) -> Option<Item> {
        let last = self.stack.pop()?;
        Some(match (function, last) {
            (Function::Not, Item::Condition(Condition::Not(inner), depth)) => {
                Item::Condition(*inner, depth.saturating_sub(1))
            }
            (Function::Not, Item::Condition(condition, depth)) => {
                Item::Condition(Condition::Not(Box::new(condition)), depth + 1)
            }
            (Function::Size, Item::List(list)) => Item::Number(Number::Size(list)),
            (Function::HasValue, Item::Temperature) => {
                Item::Condition(Condition::HasTemperature, 0)
            }
            (Function::Value, Item::Temperature) => Item::Number(Number::Temperature),
            (Function::OrValue, Item::ConstantText(default)) => match self.stack.pop()? {
                Item::Slot(map, slot) => Item::Text(Term::Slot(map, slot, default)),
                _ => return None,
            },
            (function, Item::ConstantText(text)) => self.tested(TextTest::of(function, &text)?)?,
            (_, Item::ConstantNumber(constant)) => {
                match (self.stack.pop()?, is_comparison(function)) {
                    (Item::Number(term), true) => Item::Condition(
                        Condition::Number {
                            term,
                            function,
                            constant,
                        },
                        0,
                    ),
                    _ => return None,
                }
            }
            _ => return None,
        })
    }
}

const fn is_comparison(function: Function) -> bool {
    matches!(
        function,
        Function::Equal
            | Function::NotEqual
            | Function::Less
            | Function::LessOrEqual
            | Function::Greater
            | Function::GreaterOrEqual
    )
}

fn fact(field: Field) -> Option<Item> {
    use super::kind::{Kind, field_kind};
    Some(match field_kind(field) {
        Kind::Bool => Item::Condition(Condition::Fact(field), 0),
        Kind::Int | Kind::Double => Item::Number(Number::Fact(field)),
        Kind::Text => Item::Text(Term::Fact(field)),
        Kind::Messages | Kind::Tools => Item::List(field),
        Kind::OptionalDouble => Item::Temperature,
        _ => return None,
    })
}

impl<'a> Machine<'a> {
    /// Whether a condition holds.
    pub(super) fn test(&mut self, condition: &'a Condition) -> Result<bool, Failure> {
        Ok(match condition {
            Condition::Number {
                term,
                function,
                constant,
            } => {
                let order = match (term, constant) {
                    // The field that most rules of a content section compare.
                    (Number::Fact(Field::Difficulty), Value::Double(constant)) => {
                        let difficulty = self.difficulty().ok_or(Failure::Missing)?;
                        difficulty.partial_cmp(constant)
                    }
                    _ => compare::numbers(self.number(*term)?, *constant).ok_or(Failure::Type)?,
                };
                compare::decide(*function, order)
            }
            Condition::Text { term, test } => test.passes(self.term(term)?),
            Condition::Joined { decides, parts } => return self.joined(*decides, parts),
            Condition::Not(inner) => !self.test(inner)?,
            Condition::Choice(parts) => {
                let [test, then, otherwise] = &**parts;
                return if self.test(test)? {
                    self.test(then)
                } else {
                    self.test(otherwise)
                };
            }
            Condition::Members {
                all,
                list,
                member,
                test,
            } => {
                let list = self.field(*list);
                let length = self.length(list).ok_or(Failure::Missing)?;
                let mut texts =
                    (0..length).map(|index| member_of(self.element(list, index), *member));
                let passes = |value| matches!(value, Value::Text(text) if test.passes(text));
                if *all {
                    texts.all(passes)
                } else {
                    texts.any(passes)
                }
            }
            Condition::Pattern { term, pattern } => {
                let patterns = &self.inputs.plan.tables().patterns;
                let pattern = patterns.get(*pattern as usize).ok_or(Failure::Missing)?;
                pattern.is_match(self.term(term)?)
            }
            Condition::HasKey(map, slot) => self.inputs.slot(*map, *slot).is_some(),
            Condition::HasTemperature => self.temperature()?.is_some(),
            Condition::Fact(field) => match self.field(*field) {
                Value::Bool(value) => value,
                value => return Err(value.failure().unwrap_or(Failure::Type)),
            },
            Condition::Constant(value) => *value,
        })
    }

    /// As the connectives of code: a failure matters only where no other part decides.
    fn joined(&mut self, decides: bool, parts: &'a [Condition]) -> Result<bool, Failure> {
        let mut failure = None;
        for part in parts {
            match self.test(part) {
                Ok(value) if value == decides => return Ok(decides),
                Ok(_) => {}
                Err(reason) => failure = failure.or(Some(reason)),
            }
        }
        failure.map_or(Ok(!decides), Err)
    }

    fn number(&mut self, term: Number) -> Result<Value<'a>, Failure> {
        let value = match term {
            Number::Fact(field) => self.field(field),
            Number::Size(list) => {
                let list = self.field(list);
                Value::count(self.length(list).ok_or(Failure::Missing)?)
            }
            Number::Temperature => Value::Double(self.temperature()?.ok_or(Failure::Missing)?),
        };
        value.failure().map_or(Ok(value), Err)
    }

    fn temperature(&self) -> Result<Option<f64>, Failure> {
        let facts = self.inputs.facts.ok_or(Failure::Missing)?;
        Ok(facts.request.temperature)
    }

    #[inline]
    fn term(&mut self, term: &'a Term) -> Result<&'a str, Failure> {
        match self.value(term) {
            Value::Text(text) => Ok(text),
            value => Err(value.failure().unwrap_or(Failure::Type)),
        }
    }

    #[inline]
    pub(super) fn value(&mut self, term: &'a Term) -> Value<'a> {
        match term {
            Term::Slot(map, slot, default) => {
                Value::Text(self.inputs.slot_text(*map, *slot).unwrap_or(default))
            }
            Term::Fact(field) => self.field(*field),
        }
    }
}

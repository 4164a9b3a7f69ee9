//! The machine: one pass over an expression's code, forward only.
//!
//! Invariants: it never panics, whatever the code; a failed operand gives a failed result, except where `&&`, `||`,
//! `all` and `exists` can do without it, as CEL says; its budget of steps ends every evaluation; its buffers are reused.

use std::cell::Cell;

use super::instruction::Instruction;
use super::memory::{MOST_VALUES, made_list};
use super::value::{Failure, Value};
use super::verify::MAXIMUM_LOCALS;
use super::vocabulary::{Comprehension, Field, Function, Member};
use super::{arithmetic, compare, inputs::Inputs, network, text, time};
use crate::difficulty;

/// Steps that one evaluation may take: elements visited, and strings read in units of 64 bytes.
const BUDGET: u64 = 1 << 21;
/// Buffers without what was in them: kept from one decision to the next.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    stack: Vec<Value<'static>>,
    values: Vec<Value<'static>>,
    text: String,
    scratch: String,
}

/// The same memory for values of another lifetime. (Collecting in place keeps the allocation.)
fn recycle<'a>(mut values: Vec<Value<'_>>) -> Vec<Value<'a>> {
    values.clear();
    values.into_iter().map_while(|_| None).collect()
}

pub(crate) struct Machine<'a> {
    pub(crate) inputs: Inputs<'a>,
    pub(super) stack: Vec<Value<'a>>,
    pub(super) values: Vec<Value<'a>>,
    pub(super) text: String,
    pub(super) scratch: String,
    locals: [Value<'a>; MAXIMUM_LOCALS],
    pub(super) budget: Cell<u64>,
}

impl<'a> Machine<'a> {
    pub(crate) fn new(inputs: Inputs<'a>, buffers: Buffers) -> Self {
        Self {
            inputs,
            stack: recycle(buffers.stack),
            values: recycle(buffers.values),
            text: buffers.text,
            scratch: buffers.scratch,
            locals: [Value::Null; MAXIMUM_LOCALS],
            budget: Cell::new(BUDGET),
        }
    }

    /// Gives the buffers back.
    pub(crate) fn buffers(&mut self) -> Buffers {
        Buffers {
            stack: recycle(std::mem::take(&mut self.stack)),
            values: recycle(std::mem::take(&mut self.values)),
            text: std::mem::take(&mut self.text),
            scratch: std::mem::take(&mut self.scratch),
        }
    }

    /// Evaluates code that the verifier passed. The value is good until the next call.
    pub(crate) fn evaluate(&mut self, code: &'a [u8]) -> Value<'a> {
        self.stack.clear();
        self.values.clear();
        self.text.clear();
        self.budget.set(BUDGET);
        self.block(code)
    }

    fn block(&mut self, code: &'a [u8]) -> Value<'a> {
        let mut rest = code;
        while let Some((instruction, after)) = Instruction::decode(rest) {
            rest = self.step(instruction, after);
        }
        self.pop()
    }

    #[inline(always)]
    fn step(&mut self, instruction: Instruction<'a>, after: &'a [u8]) -> &'a [u8] {
        let value = match instruction {
            // The most frequent push what they make where it is made: a value copied once more costs as much again.
            Instruction::Field(field) => {
                let value = self.field(field);
                self.stack.push(value);
                return after;
            }
            Instruction::Call(function) => {
                let value = self.call(function);
                self.stack.push(value);
                return after;
            }
            Instruction::Text(index) => {
                let text = self.inputs.strings.get(index as usize).unwrap_or_default();
                self.stack.push(Value::Text(text));
                return after;
            }
            Instruction::Int(number) => {
                self.stack.push(Value::Int(number));
                return after;
            }
            Instruction::Lookup(map, slot) => Value::optional(self.inputs.slot(map, slot)),
            Instruction::Has(map, slot) => Value::Bool(self.inputs.slot(map, slot).is_some()),
            Instruction::Local(local) => {
                let value = self.locals.get(usize::from(local)).copied();
                value.unwrap_or(Value::Failed(Failure::Missing))
            }
            Instruction::Member(member) => member_of(self.pop(), member),
            Instruction::SkipIfFalse(length) => return self.skip_if(false, length, after),
            Instruction::SkipIfTrue(length) => return self.skip_if(true, length, after),
            Instruction::And => self.connect(false),
            Instruction::Or => self.connect(true),
            Instruction::Choose(length) => return self.choose(length, after),
            Instruction::Jump(length) => return skip(after, length),
            Instruction::Comprehend {
                kind,
                local,
                filter,
                body,
            } => {
                let (filter, after) = split(after, filter);
                let (body, after) = split(after, body);
                let value = self.comprehend(kind, local, filter, body);
                self.stack.push(value);
                return after;
            }
            Instruction::MakeList(count) => self.make_list(usize::from(count)),
            Instruction::Match(pattern) => self.matches(pattern),
            Instruction::InSet(set) => self.in_set(set),
            Instruction::Zoned(function, zone) => {
                let zone = self.inputs.plan.tables().zones.get(zone as usize);
                match (self.pop(), zone) {
                    (Value::Failed(failure), _) => Value::Failed(failure),
                    (time, Some(zone)) => Value::of(time::part(function, time, zone)),
                    (_, None) => Value::Failed(Failure::Missing),
                }
            }
            constant => literal(constant),
        };
        self.stack.push(value);
        after
    }

    fn pop(&mut self) -> Value<'a> {
        self.stack.pop().unwrap_or(Value::Failed(Failure::Type))
    }

    pub(crate) fn field(&mut self, field: Field) -> Value<'a> {
        if field != Field::Difficulty {
            return self.inputs.field(field);
        }
        match self.difficulty() {
            Some(difficulty) => Value::Double(difficulty),
            None => Value::Failed(Failure::Missing),
        }
    }

    /// Computed when a rule first asks, and once.
    pub(crate) fn difficulty(&mut self) -> Option<f64> {
        let facts = self.inputs.facts?;
        let inputs = &mut self.inputs;
        Some(*inputs.difficulty.get_or_insert_with(|| {
            let given = facts.difficulty;
            given.unwrap_or_else(|| difficulty::Model::default_model().score(&facts.request.prompt))
        }))
    }

    /// Leaves the value that decides and goes past the block and the connective after it; else goes on into the block.
    fn skip_if(&mut self, decides: bool, length: u32, after: &'a [u8]) -> &'a [u8] {
        match self.stack.last() {
            Some(Value::Bool(value)) if *value == decides => {
                let (_, connective) = split(after, length);
                skip(connective, 1)
            }
            _ => after,
        }
    }

    /// CEL's `&&` (false decides) and `||` (true decides): a failure matters only where the other side does not decide.
    fn connect(&mut self, decides: bool) -> Value<'a> {
        let right = self.pop();
        let left = self.pop();
        let truth = |value: Value<'_>| match value {
            Value::Bool(value) => Ok(value),
            Value::Failed(failure) => Err(failure),
            _ => Err(Failure::Type),
        };
        match (truth(left), truth(right)) {
            (Ok(value), _) | (_, Ok(value)) if value == decides => Value::Bool(decides),
            (Err(failure), _) | (_, Err(failure)) => Value::Failed(failure),
            _ => Value::Bool(!decides),
        }
    }

    fn choose(&mut self, length: u32, after: &'a [u8]) -> &'a [u8] {
        match self.pop() {
            Value::Bool(true) => after,
            Value::Bool(false) => {
                let (_, jump) = split(after, length);
                Instruction::decode(jump).map_or(&[], |(_, otherwise)| otherwise)
            }
            value => {
                let failure = value.failure().unwrap_or(Failure::Type);
                self.stack.push(Value::Failed(failure));
                let (_, jump) = split(after, length);
                match Instruction::decode(jump) {
                    Some((Instruction::Jump(length), otherwise)) => skip(otherwise, length),
                    _ => &[],
                }
            }
        }
    }

    fn comprehend(
        &mut self,
        kind: Comprehension,
        local: u16,
        filter: &'a [u8],
        body: &'a [u8],
    ) -> Value<'a> {
        let range = self.pop();
        if let Value::Failed(failure) = range {
            return Value::Failed(failure);
        }
        let Some(length) = self.length(range) else {
            return Value::Failed(Failure::Type);
        };
        let mut walk = Walk {
            base: self.stack.len(),
            found: 0,
            failure: None,
        };
        for index in 0..length {
            if let Err(failure) = self.charge(1) {
                return self.fail(walk.base, failure);
            }
            let element = self.element(range, index);
            if let Some(slot) = self.locals.get_mut(usize::from(local)) {
                *slot = element;
            }
            if !filter.is_empty() {
                match self.block(filter) {
                    Value::Bool(true) => {}
                    Value::Bool(false) => continue,
                    value => {
                        return self.fail(walk.base, value.failure().unwrap_or(Failure::Type));
                    }
                }
            }
            let value = self.block(body);
            if let Some(result) = self.visit(kind, element, value, &mut walk) {
                return result;
            }
        }
        self.conclude(kind, &walk)
    }

    /// Takes in the body's value for one element; a result when the rest cannot change it.
    fn visit(
        &mut self,
        kind: Comprehension,
        element: Value<'a>,
        value: Value<'a>,
        walk: &mut Walk,
    ) -> Option<Value<'a>> {
        let kept = match (kind, value) {
            (Comprehension::Map, Value::Failed(failure)) => {
                return Some(self.fail(walk.base, failure));
            }
            (Comprehension::Map, value) => {
                self.stack.push(value);
                return None;
            }
            (_, Value::Bool(kept)) => kept,
            (Comprehension::All | Comprehension::Exists, value) => {
                walk.failure = walk
                    .failure
                    .or(Some(value.failure().unwrap_or(Failure::Type)));
                return None;
            }
            (_, value) => {
                return Some(self.fail(walk.base, value.failure().unwrap_or(Failure::Type)));
            }
        };
        match (kind, kept) {
            (Comprehension::All, false) => Some(Value::Bool(false)),
            (Comprehension::Exists, true) => Some(Value::Bool(true)),
            (Comprehension::ExistsOne, true) => {
                walk.found += 1;
                None
            }
            (Comprehension::Filter, true) => {
                self.stack.push(element);
                None
            }
            _ => None,
        }
    }

    fn conclude(&mut self, kind: Comprehension, walk: &Walk) -> Value<'a> {
        if let Some(failure) = walk.failure {
            return Value::Failed(failure);
        }
        match kind {
            Comprehension::All => Value::Bool(true),
            Comprehension::Exists => Value::Bool(false),
            Comprehension::ExistsOne => Value::Bool(walk.found == 1),
            Comprehension::Map | Comprehension::Filter => {
                self.make_list(self.stack.len() - walk.base)
            }
        }
    }

    fn fail(&mut self, base: usize, failure: Failure) -> Value<'a> {
        self.stack.truncate(base);
        Value::Failed(failure)
    }

    /// The topmost values as a list.
    fn make_list(&mut self, count: usize) -> Value<'a> {
        let base = self.stack.len().saturating_sub(count);
        let start = self.values.len();
        let made = self.stack.get(base..).unwrap_or_default();
        let failed = made.iter().find_map(|value| value.failure());
        let result = match failed {
            Some(failure) => Value::Failed(failure),
            None if start + made.len() > MOST_VALUES => Value::Failed(Failure::Work),
            None => {
                self.values.extend_from_slice(made);
                made_list(start, self.values.len())
            }
        };
        self.stack.truncate(base);
        result
    }

    fn matches(&mut self, pattern: u32) -> Value<'a> {
        let value = self.pop();
        let pattern = self.inputs.plan.tables().patterns.get(pattern as usize);
        Value::of(self.string(value).and_then(|text| {
            let pattern = pattern.ok_or(Failure::Missing)?;
            Ok(Value::Bool(pattern.is_match(text)))
        }))
    }

    fn in_set(&mut self, set: u32) -> Value<'a> {
        let value = self.pop();
        if let Value::Failed(failure) = value {
            return Value::Failed(failure);
        }
        // What is no string is equal to none.
        let Ok(text) = self.string(value) else {
            return Value::Bool(false);
        };
        let sets = self.inputs.plan.root().constants().sets();
        let Some(set) = sets.get(set as usize) else {
            return Value::Failed(Failure::Missing);
        };
        let (mut low, mut high) = (0, set.len());
        while low < high {
            let middle = low.midpoint(high);
            match set.get(middle).unwrap_or_default().cmp(text) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Value::Bool(true),
            }
        }
        Value::Bool(false)
    }

    fn call(&mut self, function: Function) -> Value<'a> {
        let mut arguments = [Value::Null; 3];
        let mut failed = None;
        for argument in arguments.iter_mut().take(function.arity()).rev() {
            *argument = self.pop();
            failed = argument.failure().or(failed);
        }
        if let Some(failure) = failed {
            return Value::Failed(failure);
        }
        let [first, second, third] = arguments;
        Value::of(self.apply(function, first, second, third))
    }

    fn apply(
        &mut self,
        function: Function,
        first: Value<'a>,
        second: Value<'a>,
        third: Value<'a>,
    ) -> Result<Value<'a>, Failure> {
        use Function as F;
        match function {
            F::Equal => Ok(Value::Bool(compare::equal(self, first, second)?)),
            F::NotEqual => Ok(Value::Bool(!compare::equal(self, first, second)?)),
            F::Less | F::LessOrEqual | F::Greater | F::GreaterOrEqual => {
                compare::ordered(self, function, first, second).map(Value::Bool)
            }
            F::In => compare::contains(self, second, first).map(Value::Bool),
            F::Not => match first {
                Value::Bool(value) => Ok(Value::Bool(!value)),
                _ => Err(Failure::Type),
            },
            F::OptionalOf => Ok(match first {
                Value::Absent(depth) => Value::Absent(depth.saturating_add(1)),
                value => value,
            }),
            F::HasValue => Ok(Value::Bool(!matches!(first, Value::Absent(0)))),
            F::OrValue | F::Value => match first {
                Value::Absent(0) if function == F::Value => Err(Failure::Missing),
                Value::Absent(0) => Ok(second),
                Value::Absent(depth) => Ok(Value::Absent(depth - 1)),
                value => Ok(value),
            },
            F::Or => Ok(match first {
                Value::Absent(0) => second,
                value => value,
            }),
            F::ContainsIp | F::Family | F::IsLoopback => network::apply(function, first, second),
            F::Size => self.size(first),
            _ if function.is_zoned() => time::part(function, first, &jiff::tz::TimeZone::UTC),
            F::Add if self.is_text(first) || self.length(first).is_some() => {
                text::concatenate(self, first, second)
            }
            F::Add
            | F::Subtract
            | F::Multiply
            | F::Divide
            | F::Remainder
            | F::Negate
            | F::Absolute
            | F::Ceiling
            | F::Floor
            | F::Round
            | F::Greatest
            | F::Least => arithmetic::apply(function, first, second),
            F::ToInt | F::ToUint | F::ToDouble => self.convert(function, first),
            _ => text::apply(self, function, first, second, third),
        }
    }
}

/// A comprehension on its way over its range.
struct Walk {
    /// The stack's height before it.
    base: usize,
    found: usize,
    /// Of `all` and `exists`, which a later element can still decide.
    failure: Option<Failure>,
}

impl<'a> Machine<'a> {
    fn convert(&self, function: Function, value: Value<'a>) -> Result<Value<'a>, Failure> {
        match self.string(value) {
            Ok(text) => arithmetic::parse(function, text),
            Err(_) => arithmetic::convert(function, value),
        }
    }

    fn size(&self, value: Value<'a>) -> Result<Value<'a>, Failure> {
        if let Ok(text) = self.string(value) {
            return Ok(Value::count(text.chars().count()));
        }
        match value {
            Value::Bytes(bytes) => Ok(Value::count(bytes.len())),
            list => self.length(list).map(Value::count).ok_or(Failure::Type),
        }
    }
}

fn split(code: &[u8], length: u32) -> (&[u8], &[u8]) {
    code.split_at_checked(length as usize).unwrap_or((&[], &[]))
}

fn skip(code: &[u8], length: u32) -> &[u8] {
    split(code, length).1
}

const fn literal(instruction: Instruction<'_>) -> Value<'_> {
    match instruction {
        Instruction::Null => Value::Null,
        Instruction::Bool(value) => Value::Bool(value),
        Instruction::Int(number) => Value::Int(number),
        Instruction::Uint(number) => Value::Uint(number),
        Instruction::Double(number) => Value::Double(number),
        Instruction::Bytes(bytes) => Value::Bytes(bytes),
        Instruction::Timestamp(seconds, nanoseconds) => Value::Timestamp(seconds, nanoseconds),
        Instruction::Duration(nanoseconds) => Value::Duration(nanoseconds),
        Instruction::Ip(address) => Value::Ip(address),
        Instruction::Cidr(address, length) => Value::Cidr(address, length),
        Instruction::Absent => Value::Absent(0),
        Instruction::List(index) => Value::ConstantList(index),
        _ => Value::Failed(Failure::Type),
    }
}

pub(super) fn member_of(record: Value<'_>, member: Member) -> Value<'_> {
    match (record, member) {
        (Value::Message(message), Member::MessageRole) => Value::Text(&message.role),
        (Value::Message(message), Member::MessageContent) => Value::Text(&message.content),
        (Value::Message(message), Member::MessageName) => Value::Text(&message.name),
        (Value::Message(message), Member::MessageToolCallId) => Value::Text(&message.tool_call_id),
        (Value::Message(message), Member::MessageToolCalls) => {
            Value::ToolCalls(&message.tool_calls)
        }
        (Value::Tool(tool), Member::ToolName) => Value::Text(&tool.name),
        (Value::Tool(tool), Member::ToolDescription) => Value::Text(&tool.description),
        (Value::ToolCall(call), Member::ToolCallName) => Value::Text(&call.name),
        (Value::ToolCall(call), Member::ToolCallArguments) => Value::Text(&call.arguments),
        (Value::Failed(failure), _) => Value::Failed(failure),
        _ => Value::Failed(Failure::Type),
    }
}

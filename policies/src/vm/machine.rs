//! The machine: one pass over an expression's code, forward only.
//!
//! Invariants: it never panics, whatever the code; a failed operand gives a failed result, except where `&&`, `||`,
//! `all` and `exists` can do without it, as CEL says; its budget of steps ends every evaluation; its buffers are reused.

use std::cell::Cell;

use super::instruction::Instruction;
use super::memory::{MOST_VALUES, made_list};
use super::value::{Failure, Value};
use super::verify::MAXIMUM_LOCALS;
use super::vocabulary::{Field, Function, Member};
use super::{inputs::Inputs, time, zone};
use crate::difficulty;

/// Steps that one evaluation may take: elements visited, and strings read in units of 64 bytes.
const BUDGET: u64 = 1 << 21;
/// What finding a time zone by a name made at run time is charged, in steps.
const ZONE_STEPS: u64 = 256;

/// Buffers without what was in them: kept from one decision to the next.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    stack: Vec<Value<'static>>,
    values: Vec<Value<'static>>,
    locals: Vec<Value<'static>>,
    text: String,
    scratch: String,
    bytes: Vec<u8>,
    scratch_bytes: Vec<u8>,
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
    pub(super) bytes: Vec<u8>,
    pub(super) scratch_bytes: Vec<u8>,
    locals: Vec<Value<'a>>,
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
            bytes: buffers.bytes,
            scratch_bytes: buffers.scratch_bytes,
            locals: recycle(buffers.locals),
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
            bytes: std::mem::take(&mut self.bytes),
            scratch_bytes: std::mem::take(&mut self.scratch_bytes),
            locals: recycle(std::mem::take(&mut self.locals)),
        }
    }

    /// Evaluates code that the verifier passed. The value is good until the next call.
    pub(crate) fn evaluate(&mut self, code: &'a [u8]) -> Value<'a> {
        self.stack.clear();
        self.values.clear();
        self.text.clear();
        self.bytes.clear();
        self.budget.set(BUDGET);
        self.block(code)
    }

    pub(super) fn block(&mut self, code: &'a [u8]) -> Value<'a> {
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
            Instruction::Lookup(map, slot) => {
                let found = self.inputs.slot(map, slot);
                self.optional(found)
            }
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
            Instruction::Comprehend { of, filter, body } => {
                let (filter, after) = split(after, filter);
                let (body, after) = split(after, body);
                let value = self.comprehend(of, filter, body);
                self.stack.push(value);
                return after;
            }
            Instruction::Bind(local) => {
                let value = self.pop();
                self.bind(local, value);
                return after;
            }
            Instruction::MakeList(count) => self.make_list(usize::from(count), &[]),
            Instruction::MakeOptionalList(flags) => self.make_list(flags.len(), flags),
            Instruction::MakeMap(count) => self.make_map(usize::from(count), &[]),
            Instruction::MakeOptionalMap(flags) => self.make_map(flags.len(), flags),
            Instruction::Variable(variable) => {
                let value = self.inputs.variables.get(usize::from(variable));
                value.map_or(Value::Failed(Failure::Missing), Value::from)
            }
            Instruction::Match(pattern) => self.matches(pattern),
            Instruction::InSet(set) => self.in_set(set),
            Instruction::Zoned(function, zone) => {
                let zone = self.inputs.plan.tables().zones.get(zone as usize);
                match (self.pop(), zone) {
                    (Value::Failed(failure), _) => Value::Failed(failure),
                    (time, Some(zone)) => Value::of(time::part(function, time, Some(zone))),
                    (_, None) => Value::Failed(Failure::Missing),
                }
            }
            Instruction::ZonedBy(function) => {
                let (zone, time) = (self.pop(), self.pop());
                Value::of(self.zoned_by(function, time, zone))
            }
            constant => literal(constant),
        };
        self.stack.push(value);
        after
    }

    #[inline(always)]
    pub(super) fn pop(&mut self) -> Value<'a> {
        self.stack.pop().unwrap_or(Value::Failed(Failure::Type))
    }

    pub(crate) fn field(&mut self, field: Field) -> Value<'a> {
        match field {
            Field::Difficulty => match self.difficulty() {
                Some(difficulty) => Value::Double(difficulty),
                None => Value::Failed(Failure::Missing),
            },
            Field::RequestTemperature => match self.inputs.facts {
                Some(facts) => self.optional(facts.request.temperature.map(Value::Double)),
                None => Value::Failed(Failure::Missing),
            },
            field => self.inputs.field(field),
        }
    }

    /// Gives a local a value.
    pub(super) fn bind(&mut self, local: u16, value: Value<'a>) {
        let local = usize::from(local);
        if local >= self.locals.len() && local < MAXIMUM_LOCALS {
            self.locals.resize(local + 1, Value::Null);
        }
        if let Some(place) = self.locals.get_mut(local) {
            *place = value;
        }
    }

    fn zoned_by(
        &self,
        function: Function,
        time: Value<'a>,
        name: Value<'a>,
    ) -> Result<Value<'a>, Failure> {
        time.failure().map_or(Ok(()), Err)?;
        self.charge(ZONE_STEPS)?;
        let zone = zone(self.string(name)?).ok_or(Failure::Conversion)?;
        match time {
            Value::Timestamp(..) => time::part(function, time, Some(&zone)),
            _ => Err(Failure::Type),
        }
    }

    /// Computed when a rule first asks, and once.
    #[inline]
    pub(crate) fn difficulty(&mut self) -> Option<f64> {
        if self.inputs.difficulty.is_some() {
            return self.inputs.difficulty;
        }
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

    /// The topmost values as a list. With `flags`, the elements that are optional, and left out where absent.
    pub(super) fn make_list(&mut self, count: usize, flags: &[u8]) -> Value<'a> {
        let base = self.stack.len().saturating_sub(count);
        let start = self.values.len();
        let made = self.stack.get(base..).unwrap_or_default();
        let failed = made.iter().find_map(|value| value.failure());
        let result = match failed {
            Some(failure) => Value::Failed(failure),
            None if start + made.len() > MOST_VALUES => Value::Failed(Failure::Work),
            None if flags.contains(&1) => self.list_of_optionals(base, flags),
            None => {
                self.values.extend_from_slice(made);
                made_list(start, self.values.len())
            }
        };
        self.stack.truncate(base);
        result
    }

    fn list_of_optionals(&mut self, base: usize, flags: &[u8]) -> Value<'a> {
        let start = self.values.len();
        for (index, flag) in flags.iter().enumerate() {
            let value = self
                .stack
                .get(base + index)
                .copied()
                .unwrap_or(Value::Absent);
            let value = match (flag, value) {
                (1, Value::Absent) => continue,
                (1, Value::Present(_)) => self.inner(value),
                (1, _) => return Value::Failed(Failure::Type),
                (_, value) => value,
            };
            self.values.push(value);
        }
        made_list(start, self.values.len())
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
}

pub(super) fn split(code: &[u8], length: u32) -> (&[u8], &[u8]) {
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
        Instruction::Absent => Value::Absent,
        Instruction::List(index) => Value::ConstantList(index),
        Instruction::Map(index) => Value::ConstantMap(index),
        Instruction::Type(name) => Value::Type(name),
        Instruction::Fail(failure) => Value::Failed(failure),
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

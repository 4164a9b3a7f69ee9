//! Maps: what they hold, found by key, and how they are made.
//!
//! A map made on the way is a run of keys and values in the machine's values; a constant one is sorted by key and
//! searched by halves. Numbers are one key where they are equal, whatever their types.

use std::cmp::Ordering;
use std::ops::Range;

use super::compare;
use super::machine::Machine;
use super::memory::{MOST_VALUES, made};
use super::value::{Failure, Value};
use super::vocabulary::Member;
use crate::plan::view::{Rows, ScalarColumn};

const MESSAGE: &[(&str, Member)] = &[
    ("role", Member::MessageRole),
    ("content", Member::MessageContent),
    ("name", Member::MessageName),
    ("tool_call_id", Member::MessageToolCallId),
    ("tool_calls", Member::MessageToolCalls),
];
const TOOL: &[(&str, Member)] = &[
    ("name", Member::ToolName),
    ("description", Member::ToolDescription),
];
const TOOL_CALL: &[(&str, Member)] = &[
    ("name", Member::ToolCallName),
    ("arguments", Member::ToolCallArguments),
];

const fn members(record: Value<'_>) -> Option<&'static [(&'static str, Member)]> {
    match record {
        Value::Message(_) => Some(MESSAGE),
        Value::Tool(_) => Some(TOOL),
        Value::ToolCall(_) => Some(TOOL_CALL),
        _ => None,
    }
}

/// A key as constants sort it: bools, then numbers by value whatever their types, then strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key<'k> {
    Bool(bool),
    Number(i128),
    Text(&'k str),
}

impl<'a> Machine<'a> {
    /// How many entries a map has; `None` of what is none. Records read as maps of their fields.
    pub(super) fn entries(&self, map: Value<'a>) -> Option<usize> {
        match map {
            Value::MadeMap(_, entries) => Some(entries as usize),
            Value::ConstantMap(index) => Some(self.constant(index)?.len() / 2),
            Value::DatumMap(entries) => Some(entries.len()),
            record => members(record).map(<[_]>::len),
        }
    }

    pub(super) fn entry(&self, map: Value<'a>, index: usize) -> (Value<'a>, Value<'a>) {
        let failed = Value::Failed(Failure::Type);
        let entry = match map {
            Value::MadeMap(start, entries) => {
                let values = self.values.get(made_map(start, entries));
                let at = |place: usize| values.and_then(|values| values.get(place)).copied();
                at(2 * index).zip(at(2 * index + 1))
            }
            Value::ConstantMap(constant) => {
                let scalars = self.constant(constant);
                let at = |place| scalars.as_ref().and_then(|scalars| scalars.get(place));
                at(2 * index)
                    .zip(at(2 * index + 1))
                    .map(|(key, value)| (Value::from(key), Value::from(value)))
            }
            Value::DatumMap(entries) => entries
                .get(index)
                .map(|(key, value)| (Value::from(key), Value::from(value))),
            record => {
                members(record)
                    .and_then(|members| members.get(index))
                    .map(|(name, member)| {
                        (
                            Value::Text(name),
                            super::machine::member_of(record, *member),
                        )
                    })
            }
        };
        entry.unwrap_or((failed, failed))
    }

    /// A map's value at a key.
    pub(super) fn find(
        &self,
        map: Value<'a>,
        key: Value<'a>,
    ) -> Result<Option<Value<'a>>, Failure> {
        if let Value::ConstantMap(index) = map {
            return self.find_sorted(index, key);
        }
        for index in 0..self.entries(map).ok_or(Failure::Type)? {
            self.charge(1)?;
            let (found, value) = self.entry(map, index);
            if compare::equal(self, found, key)? {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    fn find_sorted(&self, constant: u32, key: Value<'a>) -> Result<Option<Value<'a>>, Failure> {
        let (Some(scalars), Some(key)) = (self.constant(constant), self.key(key)?) else {
            return Ok(None);
        };
        let (mut low, mut high) = (0, scalars.len() / 2);
        while low < high {
            let middle = low.midpoint(high);
            let found = scalars
                .get(2 * middle)
                .map(Value::from)
                .unwrap_or(Value::Null);
            let found = self.key(found)?.ok_or(Failure::Type)?;
            match found.cmp(&key) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return Ok(scalars.get(2 * middle + 1).map(Value::from)),
            }
        }
        Ok(None)
    }

    /// The key that a value is equal to, if it is equal to one.
    fn key(&self, value: Value<'a>) -> Result<Option<Key<'_>>, Failure> {
        Ok(match value {
            Value::Bool(value) => Some(Key::Bool(value)),
            Value::Int(number) => Some(Key::Number(number.into())),
            Value::Uint(number) => Some(Key::Number(number.into())),
            Value::Double(number) if number.trunc() == number => Some(Key::Number(number as i128)),
            value if self.is_text(value) => Some(Key::Text(self.string(value)?)),
            Value::Failed(failure) => return Err(failure),
            _ => None,
        })
    }

    /// The topmost keys and values as a map. With `flags`, the entries that are optional, and left out where absent.
    pub(super) fn make_map(&mut self, count: usize, flags: &[u8]) -> Value<'a> {
        let base = self.stack.len().saturating_sub(2 * count);
        let result = self.gather(base, count, flags);
        self.stack.truncate(base);
        Value::of(result)
    }

    /// The topmost keys and values as a map, where no key is there twice.
    pub(super) fn make_map_of_distinct(&mut self, count: usize) -> Value<'a> {
        let base = self.stack.len().saturating_sub(2 * count);
        let start = self.values.len();
        if start + 2 * count > MOST_VALUES {
            return Value::Failed(Failure::Work);
        }
        self.values.extend(self.stack.drain(base..));
        Value::of(self.finish_map(start))
    }

    fn gather(&mut self, base: usize, count: usize, flags: &[u8]) -> Result<Value<'a>, Failure> {
        let start = self.values.len();
        for index in 0..count {
            let at = |place: usize| self.stack.get(base + place).copied();
            let (key, value) = at(2 * index).zip(at(2 * index + 1)).ok_or(Failure::Type)?;
            let value = match (flags.get(index), value) {
                (Some(1), Value::Absent) => continue,
                (Some(1), Value::Present(_)) => self.inner(value),
                (Some(1), value) => return Err(value.failure().unwrap_or(Failure::Type)),
                (_, value) => value,
            };
            self.insert(start, key, value)?;
        }
        self.finish_map(start)
    }

    /// Appends an entry to the map that begins at `start` and reaches to the end of the values.
    fn insert(&mut self, start: usize, key: Value<'a>, value: Value<'a>) -> Result<(), Failure> {
        for value in [key, value] {
            value.failure().map_or(Ok(()), Err)?;
        }
        let is_key = matches!(key, Value::Bool(_) | Value::Int(_) | Value::Uint(_));
        if !is_key && !self.is_text(key) {
            return Err(Failure::Type);
        }
        let mut place = start;
        while let Some(other) = self.values.get(place) {
            self.charge(1)?;
            if compare::equal(self, *other, key)? {
                return Err(Failure::Key);
            }
            place += 2;
        }
        if self.values.len() + 2 > MOST_VALUES {
            return Err(Failure::Work);
        }
        self.values.extend([key, value]);
        Ok(())
    }

    /// The map that begins at `start` and reaches to the end of the values.
    fn finish_map(&self, start: usize) -> Result<Value<'a>, Failure> {
        let entries = (self.values.len() - start) / 2;
        match (u32::try_from(start), u32::try_from(entries)) {
            (Ok(start), Ok(entries)) => Ok(Value::MadeMap(start, entries)),
            _ => Err(Failure::Work),
        }
    }

    pub(super) fn constant(&self, index: u32) -> Option<Rows<'a, ScalarColumn>> {
        let plan = self.inputs.plan;
        plan.root().constants().lists().get(index as usize)
    }

    /// `a[b]`: of a list by number, of a map or record by key; of an optional, what it holds indexed, as an optional.
    pub(super) fn index(&mut self, from: Value<'a>, key: Value<'a>) -> Result<Value<'a>, Failure> {
        match from {
            Value::Absent => Ok(Value::Absent),
            Value::Present(_) => {
                let found = self.index(self.inner(from), key);
                match found {
                    Ok(value) => self.present(value),
                    Err(Failure::Key) => Ok(Value::Absent),
                    Err(failure) => Err(failure),
                }
            }
            _ => self.look_up(from, key)?.ok_or(Failure::Key),
        }
    }

    /// `a[?b]`: an optional.
    pub(super) fn index_optional(
        &mut self,
        from: Value<'a>,
        key: Value<'a>,
    ) -> Result<Value<'a>, Failure> {
        let from = match from {
            Value::Absent => return Ok(Value::Absent),
            Value::Present(_) => self.inner(from),
            from => from,
        };
        match self.look_up(from, key)? {
            Some(value) => self.present(value),
            None => Ok(Value::Absent),
        }
    }

    /// A part of what is known only at run time, or of an optional of it: absent where there is none.
    pub(super) fn part_of(
        &mut self,
        from: Value<'a>,
        key: Value<'a>,
    ) -> Result<Value<'a>, Failure> {
        match self.index_optional(from, key) {
            Err(Failure::Type) => Ok(Value::Absent),
            found => found,
        }
    }

    /// `has(a.b)`
    pub(super) fn has_key(
        &mut self,
        from: Value<'a>,
        key: Value<'a>,
    ) -> Result<Value<'a>, Failure> {
        let from = match from {
            Value::Absent => return Ok(Value::Bool(false)),
            Value::Present(_) => self.inner(from),
            from => from,
        };
        match self.length(from) {
            Some(_) => Err(Failure::Type),
            None => Ok(Value::Bool(self.find(from, key)?.is_some())),
        }
    }

    fn look_up(&self, from: Value<'a>, key: Value<'a>) -> Result<Option<Value<'a>>, Failure> {
        let Some(length) = self.length(from) else {
            return self.find(from, key);
        };
        let position = match key {
            Value::Int(number) => usize::try_from(number).ok(),
            Value::Uint(number) => usize::try_from(number).ok(),
            Value::Double(number) if number.trunc() == number && number.abs() < 9e15 => {
                usize::try_from(number as i64).ok()
            }
            Value::Failed(failure) => return Err(failure),
            _ => return Err(Failure::Type),
        };
        Ok(position
            .filter(|position| *position < length)
            .map(|position| self.element(from, position)))
    }
}

pub(super) fn made_map(start: u32, entries: u32) -> Range<usize> {
    made(start, entries.saturating_mul(2))
}

//! What the machine makes: strings, octets, lists and optionals in its buffers, by range, within its budget.

use std::ops::Range;

use super::machine::Machine;
use super::value::{Failure, Value};
/// Bytes of text, and as many octets, that one evaluation may make.
pub(super) const MOST_TEXT: usize = 1 << 24;
/// Elements of lists that one evaluation may make.
pub(super) const MOST_VALUES: usize = 1 << 20;

impl<'a> Machine<'a> {
    pub(super) const fn is_text(&self, value: Value<'_>) -> bool {
        matches!(value, Value::Text(_) | Value::MadeText(..))
    }

    /// A string's text; reading it is charged.
    pub(crate) fn string(&self, value: Value<'a>) -> Result<&str, Failure> {
        let text = self.peek(value)?;
        self.charge(text.len() as u64 / 64)?;
        Ok(text)
    }

    /// A string's text, for one that charges for what it reads of it.
    pub(super) fn peek(&self, value: Value<'a>) -> Result<&str, Failure> {
        match value {
            Value::Text(text) => Ok(text),
            Value::MadeText(start, length) => {
                self.text.get(made(start, length)).ok_or(Failure::Type)
            }
            Value::Failed(failure) => Err(failure),
            _ => Err(Failure::Type),
        }
    }

    /// Part of a string, by bytes of it.
    pub(super) fn part(value: Value<'a>, range: Range<usize>) -> Value<'a> {
        match value {
            Value::Text(text) => Value::Text(text.get(range).unwrap_or_default()),
            Value::MadeText(start, _) => {
                let offset = u32::try_from(range.start).unwrap_or(u32::MAX);
                let length = u32::try_from(range.len()).unwrap_or(0);
                Value::MadeText(start.saturating_add(offset), length)
            }
            value => value,
        }
    }

    /// Makes a string.
    pub(super) fn make(
        &mut self,
        write: impl FnOnce(&Self, &mut String) -> Result<(), Failure>,
    ) -> Result<Value<'a>, Failure> {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let written = write(self, &mut scratch);
        let start = self.text.len();
        if start + scratch.len() <= MOST_TEXT {
            self.text.push_str(&scratch);
        }
        let whole = self.text.len() == start + scratch.len();
        let length = u32::try_from(scratch.len()).unwrap_or(u32::MAX);
        self.scratch = scratch;
        written?;
        self.charge(u64::from(length) / 16)?;
        let start = u32::try_from(start).map_err(|_| Failure::Work)?;
        if whole {
            Ok(Value::MadeText(start, length))
        } else {
            Err(Failure::Work)
        }
    }

    /// Octets; `None` of what is none.
    pub(super) fn octets(&self, value: Value<'a>) -> Option<&[u8]> {
        match value {
            Value::Bytes(bytes) => Some(bytes),
            Value::MadeBytes(start, length) => self.bytes.get(made(start, length)),
            _ => None,
        }
    }

    /// Makes octets.
    pub(super) fn make_octets(
        &mut self,
        write: impl FnOnce(&Self, &mut Vec<u8>) -> Result<(), Failure>,
    ) -> Result<Value<'a>, Failure> {
        let mut bytes = std::mem::take(&mut self.scratch_bytes);
        bytes.clear();
        let written = write(self, &mut bytes);
        let start = self.bytes.len();
        if start + bytes.len() <= MOST_TEXT {
            self.bytes.extend_from_slice(&bytes);
        }
        let (whole, length) = (self.bytes.len() == start + bytes.len(), bytes.len());
        self.scratch_bytes = bytes;
        written?;
        self.charge(length as u64 / 16)?;
        match (whole, u32::try_from(start), u32::try_from(length)) {
            (true, Ok(start), Ok(length)) => Ok(Value::MadeBytes(start, length)),
            _ => Err(Failure::Work),
        }
    }

    /// An optional with this value.
    pub(super) fn present(&mut self, value: Value<'a>) -> Result<Value<'a>, Failure> {
        if let Value::Failed(failure) = value {
            return Err(failure);
        }
        let place = u32::try_from(self.values.len()).map_err(|_| Failure::Work)?;
        if self.values.len() >= MOST_VALUES {
            return Err(Failure::Work);
        }
        self.values.push(value);
        Ok(Value::Present(place))
    }

    /// What a fact that may be missing is: an optional.
    pub(super) fn optional(&mut self, value: Option<Value<'a>>) -> Value<'a> {
        value.map_or(Value::Absent, |value| Value::of(self.present(value)))
    }

    /// The value of an optional that has one; every other value stands for itself.
    pub(crate) fn inner(&self, value: Value<'a>) -> Value<'a> {
        match value {
            Value::Present(place) => {
                let value = self.values.get(place as usize).copied();
                value.unwrap_or(Value::Failed(Failure::Missing))
            }
            value => value,
        }
    }

    /// A list that was made last, with one more element.
    pub(super) fn extend(
        &mut self,
        list: Value<'a>,
        element: Value<'a>,
    ) -> Result<Value<'a>, Failure> {
        match list {
            Value::MadeList(start, length)
                if made(start, length).end == self.values.len()
                    && self.values.len() < MOST_VALUES =>
            {
                self.values.push(element);
                Ok(Value::MadeList(start, length + 1))
            }
            _ => Err(Failure::Work),
        }
    }

    /// A list without an element.
    pub(super) fn empty_list(&self) -> Value<'a> {
        made_list(self.values.len(), self.values.len())
    }

    /// Makes a list of the elements of two.
    pub(super) fn append(
        &mut self,
        first: Value<'a>,
        second: Value<'a>,
    ) -> Result<Value<'a>, Failure> {
        let mut both = self.empty_list();
        for list in [first, second] {
            let length = self.length(list).ok_or(Failure::Type)?;
            for index in 0..length {
                self.charge(1)?;
                both = self.extend(both, self.element(list, index))?;
            }
        }
        Ok(both)
    }

    /// How many elements a list has; `None` of what is none.
    pub(super) fn length(&self, list: Value<'a>) -> Option<usize> {
        Some(match list {
            Value::Messages(elements) => elements.len(),
            Value::Tools(elements) => elements.len(),
            Value::ToolCalls(elements) => elements.len(),
            Value::Strings(elements) => elements.len(),
            Value::MadeList(_, length) => length as usize,
            Value::ConstantList(index) => self.constant(index)?.len(),
            Value::DatumList(elements) => elements.len(),
            _ => return None,
        })
    }

    pub(super) fn element(&self, list: Value<'a>, index: usize) -> Value<'a> {
        let element = match list {
            Value::Messages(elements) => elements.get(index).map(Value::Message),
            Value::Tools(elements) => elements.get(index).map(Value::Tool),
            Value::ToolCalls(elements) => elements.get(index).map(Value::ToolCall),
            Value::Strings(elements) => elements.get(index).map(|text| Value::Text(text)),
            Value::MadeList(start, length) => {
                let elements = self.values.get(made(start, length));
                elements.and_then(|elements| elements.get(index)).copied()
            }
            Value::ConstantList(constant) => {
                let elements = self.constant(constant);
                elements
                    .and_then(|elements| elements.get(index))
                    .map(Value::from)
            }
            Value::DatumList(elements) => elements.get(index).map(Value::from),
            _ => None,
        };
        element.unwrap_or(Value::Failed(Failure::Type))
    }

    pub(super) fn charge(&self, steps: u64) -> Result<(), Failure> {
        match self.budget.get().checked_sub(steps) {
            Some(left) => {
                self.budget.set(left);
                Ok(())
            }
            None => {
                self.budget.set(0);
                Err(Failure::Work)
            }
        }
    }
}

pub(super) fn made(start: u32, length: u32) -> Range<usize> {
    let start = start as usize;
    start..start.saturating_add(length as usize)
}

pub(super) fn made_list<'a>(start: usize, end: usize) -> Value<'a> {
    match (u32::try_from(start), u32::try_from(end - start)) {
        (Ok(start), Ok(length)) => Value::MadeList(start, length),
        _ => Value::Failed(Failure::Work),
    }
}

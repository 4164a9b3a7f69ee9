//! Macros: over the elements of a list, the keys of a map, or both sides of either.

use super::instruction::Macro;
use super::machine::Machine;
use super::memory::MOST_VALUES;
use super::value::{Failure, Value};
use super::vocabulary::Comprehension;

/// A comprehension on its way over its range.
struct Walk {
    /// The stack's height before it.
    base: usize,
    found: usize,
    /// Of `all` and `exists`, which a later element can still decide.
    failure: Option<Failure>,
}

impl<'a> Machine<'a> {
    pub(super) fn comprehend(&mut self, of: Macro, filter: &'a [u8], body: &'a [u8]) -> Value<'a> {
        let range = self.pop();
        if let Value::Failed(failure) = range {
            return Value::Failed(failure);
        }
        let list = self.length(range);
        let Some(length) = list.or_else(|| self.entries(range)) else {
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
            let element = match (list, of.second) {
                (Some(_), None) => self.element(range, index),
                (Some(_), Some(second)) => {
                    let element = self.element(range, index);
                    self.bind(second, element);
                    Value::count(index)
                }
                (None, None) => self.entry(range, index).0,
                (None, Some(second)) => {
                    let (key, value) = self.entry(range, index);
                    self.bind(second, value);
                    key
                }
            };
            self.bind(of.local, element);
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
            if let Some(result) = self.visit(of.kind, element, value, &mut walk) {
                return result;
            }
        }
        self.conclude(of.kind, &walk)
    }

    /// Takes in the body's value for one element; a result when the rest cannot change it.
    fn visit(
        &mut self,
        kind: Comprehension,
        element: Value<'a>,
        value: Value<'a>,
        walk: &mut Walk,
    ) -> Option<Value<'a>> {
        use Comprehension as C;
        let kept = match (kind, value) {
            (C::Map | C::TransformMap | C::TransformEntries, Value::Failed(failure)) => {
                return Some(self.fail(walk.base, failure));
            }
            (C::Map, value) => {
                self.stack.push(value);
                return None;
            }
            (C::TransformMap, value) => {
                self.stack.extend([element, value]);
                return None;
            }
            (C::TransformEntries, map) => {
                return self
                    .take_entries(map)
                    .err()
                    .map(|failure| self.fail(walk.base, failure));
            }
            (_, Value::Bool(kept)) => kept,
            (C::All | C::Exists, value) => {
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
            (C::All, false) => Some(Value::Bool(false)),
            (C::Exists, true) => Some(Value::Bool(true)),
            (C::ExistsOne, true) => {
                walk.found += 1;
                None
            }
            (C::Filter, true) => {
                self.stack.push(element);
                None
            }
            _ => None,
        }
    }

    /// Puts the entries of a map on the stack.
    fn take_entries(&mut self, map: Value<'a>) -> Result<(), Failure> {
        for index in 0..self.entries(map).ok_or(Failure::Type)? {
            self.charge(1)?;
            if self.stack.len() > MOST_VALUES {
                return Err(Failure::Work);
            }
            let (key, value) = self.entry(map, index);
            self.stack.extend([key, value]);
        }
        Ok(())
    }

    fn conclude(&mut self, kind: Comprehension, walk: &Walk) -> Value<'a> {
        if let Some(failure) = walk.failure {
            return Value::Failed(failure);
        }
        let made = self.stack.len() - walk.base;
        match kind {
            Comprehension::All => Value::Bool(true),
            Comprehension::Exists => Value::Bool(false),
            Comprehension::ExistsOne => Value::Bool(walk.found == 1),
            Comprehension::Map | Comprehension::Filter => self.make_list(made, &[]),
            // The keys are those of the range.
            Comprehension::TransformMap => self.make_map_of_distinct(made / 2),
            Comprehension::TransformEntries => self.make_map(made / 2, &[]),
        }
    }

    fn fail(&mut self, base: usize, failure: Failure) -> Value<'a> {
        self.stack.truncate(base);
        Value::Failed(failure)
    }
}

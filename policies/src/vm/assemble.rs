//! Assembles code and collects what it refers to.
//!
//! A [`Pool`] grows with each expression: constants, slots of headers, metadata, claims and labels, and the expressions
//! themselves, each distinct one once. [`Pool::fill`] hands all of it to a draft.

use std::collections::HashMap;

use super::instruction::{Instruction, Macro};
use super::vocabulary::{Comprehension, Field, Function, Map, Member};
use crate::plan::draft::{Draft, Expression, ExpressionIndex, Origin, Scalar};
use crate::plan::{Code, draft};

/// Everything that the expressions of a plan share.
#[derive(Debug, Default)]
pub struct Pool {
    expressions: Vec<Expression>,
    by_code: HashMap<Code, ExpressionIndex>,
    strings: Interned<String>,
    patterns: Interned<String>,
    zones: Interned<String>,
    sets: Interned<Vec<String>>,
    lists: Vec<Vec<Scalar>>,
    maps: [Interned<String>; 4],
}

/// Distinct values by the order in which they came.
#[derive(Debug, Default)]
struct Interned<T> {
    values: Vec<T>,
    indices: HashMap<T, u32>,
}

impl<T: Clone + Eq + std::hash::Hash> Interned<T> {
    fn index(&mut self, value: T) -> u32 {
        if let Some(index) = self.indices.get(&value) {
            return *index;
        }
        let index = count(self.values.len());
        self.values.push(value.clone());
        self.indices.insert(value, index);
        index
    }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

impl Pool {
    /// Assembles one expression: `write` appends its instructions. Code that is already there is not added again.
    pub fn expression(
        &mut self,
        text: &str,
        origin: Origin,
        write: impl FnOnce(&mut Assembler<'_>),
    ) -> ExpressionIndex {
        let mut assembler = Assembler {
            pool: self,
            code: Vec::new(),
        };
        write(&mut assembler);
        let code = Code(assembler.code);
        if let Some(index) = self.by_code.get(&code) {
            return *index;
        }
        let index = count(self.expressions.len());
        self.by_code.insert(code.clone(), index);
        self.expressions.push(Expression {
            code,
            text: text.to_owned(),
            origin,
        });
        index
    }

    /// Hands the expressions, the constants and the slots to a draft.
    pub fn fill(self, draft: &mut Draft) {
        let [headers, metadata, claims, labels] = self.maps;
        draft.expressions = self.expressions;
        draft.headers = headers.values;
        draft.metadata = metadata.values;
        draft.claims = claims.values;
        draft.labels = labels.values;
        draft.constants = draft::Constants {
            strings: self.strings.values,
            patterns: self.patterns.values,
            zones: self.zones.values,
            lists: self.lists,
            sets: self.sets.values,
        };
    }

    fn list(&mut self, elements: Vec<Scalar>) -> u32 {
        let found = self.lists.iter().position(|list| *list == elements);
        let index = found.unwrap_or_else(|| {
            self.lists.push(elements);
            self.lists.len() - 1
        });
        count(index)
    }
}

/// Writes the code of one expression, in the order of evaluation: operands before what takes them.
#[derive(Debug)]
pub struct Assembler<'p> {
    pool: &'p mut Pool,
    code: Vec<u8>,
}

impl Assembler<'_> {
    /// An instruction that refers to nothing outside the code.
    pub fn push(&mut self, instruction: Instruction<'_>) -> &mut Self {
        instruction.encode(&mut self.code);
        self
    }

    /// A string constant.
    pub fn text(&mut self, text: &str) -> &mut Self {
        let index = self.pool.strings.index(text.to_owned());
        self.push(Instruction::Text(index))
    }

    /// A list constant.
    pub fn list(&mut self, elements: Vec<Scalar>) -> &mut Self {
        let index = self.pool.list(elements);
        self.push(Instruction::List(index))
    }

    /// A map constant: its keys and values in turn, sorted by key.
    pub fn map(&mut self, entries: Vec<Scalar>) -> &mut Self {
        let index = self.pool.list(entries);
        self.push(Instruction::Map(index))
    }

    /// A list to be an element of another constant.
    pub fn nested_list(&mut self, elements: Vec<Scalar>) -> Scalar {
        Scalar::List(self.pool.list(elements))
    }

    /// A map to be an element of another constant: its keys and values in turn, sorted by key.
    pub fn nested_map(&mut self, entries: Vec<Scalar>) -> Scalar {
        Scalar::Map(self.pool.list(entries))
    }

    /// Binds the value before it to a variable, up to the end of the block.
    pub fn bind(&mut self, local: u16) -> &mut Self {
        self.push(Instruction::Bind(local))
    }

    /// A fact.
    pub fn field(&mut self, field: Field) -> &mut Self {
        self.push(Instruction::Field(field))
    }

    /// A map's value, an optional.
    pub fn lookup(&mut self, map: Map, key: &str) -> &mut Self {
        let slot = self.slot(map, key);
        self.push(Instruction::Lookup(map, slot))
    }

    /// Whether a map has a key.
    pub fn has(&mut self, map: Map, key: &str) -> &mut Self {
        let slot = self.slot(map, key);
        self.push(Instruction::Has(map, slot))
    }

    /// A field of the record before it.
    pub fn member(&mut self, member: Member) -> &mut Self {
        self.push(Instruction::Member(member))
    }

    /// A call on the values before it.
    pub fn call(&mut self, function: Function) -> &mut Self {
        self.push(Instruction::Call(function))
    }

    /// Whether the string before it matches a pattern.
    pub fn matches(&mut self, pattern: &str) -> &mut Self {
        let index = self.pool.patterns.index(pattern.to_owned());
        self.push(Instruction::Match(index))
    }

    /// Whether the value before it is one of these strings.
    pub fn in_set(&mut self, mut members: Vec<String>) -> &mut Self {
        members.sort();
        members.dedup();
        let index = self.pool.sets.index(members);
        self.push(Instruction::InSet(index))
    }

    /// A part of the time before it, in a zone.
    pub fn zoned(&mut self, function: Function, zone: &str) -> &mut Self {
        let index = self.pool.zones.index(zone.to_owned());
        self.push(Instruction::Zoned(function, index))
    }

    /// The left side before it, and the right side that `write` appends: `&&`.
    pub fn and(&mut self, write: impl FnOnce(&mut Self)) -> &mut Self {
        let block = self.block(write);
        self.push(Instruction::SkipIfFalse(count(block.len())));
        self.code.extend_from_slice(&block);
        self.push(Instruction::And)
    }

    /// The left side before it, and the right side that `write` appends: `||`.
    pub fn or(&mut self, write: impl FnOnce(&mut Self)) -> &mut Self {
        let block = self.block(write);
        self.push(Instruction::SkipIfTrue(count(block.len())));
        self.code.extend_from_slice(&block);
        self.push(Instruction::Or)
    }

    /// The condition before it, and both branches.
    pub fn choose(
        &mut self,
        then: impl FnOnce(&mut Self),
        otherwise: impl FnOnce(&mut Self),
    ) -> &mut Self {
        let then = self.block(then);
        let otherwise = self.block(otherwise);
        self.push(Instruction::Choose(count(then.len())));
        self.code.extend_from_slice(&then);
        self.push(Instruction::Jump(count(otherwise.len())));
        self.code.extend_from_slice(&otherwise);
        self
    }

    /// A macro over the list before it.
    pub fn comprehend(
        &mut self,
        kind: Comprehension,
        local: u16,
        filter: impl FnOnce(&mut Self),
        body: impl FnOnce(&mut Self),
    ) -> &mut Self {
        let of = Macro {
            kind,
            local,
            second: None,
        };
        self.comprehend_with(of, filter, body)
    }

    /// A macro over the list or map before it, with one variable or two.
    pub fn comprehend_with(
        &mut self,
        of: Macro,
        filter: impl FnOnce(&mut Self),
        body: impl FnOnce(&mut Self),
    ) -> &mut Self {
        let filter = self.block(filter);
        let body = self.block(body);
        self.push(Instruction::Comprehend {
            of,
            filter: count(filter.len()),
            body: count(body.len()),
        });
        self.code.extend_from_slice(&filter);
        self.code.extend_from_slice(&body);
        self
    }

    fn block(&mut self, write: impl FnOnce(&mut Self)) -> Vec<u8> {
        let outer = std::mem::take(&mut self.code);
        write(self);
        std::mem::replace(&mut self.code, outer)
    }

    fn slot(&mut self, map: Map, key: &str) -> u16 {
        let interned = self.pool.maps.get_mut(usize::from(map.number()));
        let index = interned.map_or(u32::MAX, |interned| interned.index(key.to_owned()));
        u16::try_from(index).unwrap_or(u16::MAX)
    }
}

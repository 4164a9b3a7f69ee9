//! The verifier of code: opcodes, operands, blocks, stack depth and stack types.
//!
//! One pass over the bytes, following the tree that they lay out. A type that is known only at run time (a claim of
//! a token, an element of a nested list) agrees with everything here and is checked by the VM.

use super::instruction::{Instruction, Macro};
use super::kind::{Kind, field_kind, owner, signature};
use super::vocabulary::{Comprehension, Field, Function, Map, Member};

/// How deep blocks may nest: more than the front end's parser lets an expression nest.
const MAXIMUM_NESTING: usize = 400;
/// How many variables may be in scope, and one more than the highest number of one.
pub(crate) const MAXIMUM_LOCALS: usize = 256;
/// How deep macros may nest: each is a call of the machine within another.
const MAXIMUM_MACROS: usize = 32;
/// How many values may lie on the stack.
const MAXIMUM_STACK: usize = 4096;

/// What is wrong with code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeFlaw {
    /// An opcode or operand that does not exist, or that is cut short.
    #[error("an instruction does not exist")]
    Instruction,
    /// An operand beyond what the plan has.
    #[error("an operand is out of range")]
    Operand,
    /// A block that is not where its length says, or that does not leave one value.
    #[error("a block does not end where it says")]
    Block,
    /// Blocks nest too deep.
    #[error("blocks nest too deep")]
    Nesting,
    /// Too few values on the stack, or too many.
    #[error("the stack does not hold what is taken from it")]
    Stack,
    /// A value of the wrong type.
    #[error("a value has the wrong type")]
    Type,
    /// The variable of no enclosing macro.
    #[error("a variable belongs to no macro")]
    Local,
}

/// How many of each a plan has: what operands may refer to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bounds {
    pub(crate) strings: usize,
    /// Of each list constant, whether it is a map's keys and values.
    pub(crate) lists: Vec<bool>,
    pub(crate) sets: usize,
    pub(crate) patterns: usize,
    pub(crate) zones: usize,
    pub(crate) maps: [usize; 4],
}

/// What the verifier learns of code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Summary {
    /// The type of the result.
    pub(crate) result: Kind,
    /// The facts it reads: bit n is the field of number n.
    pub(crate) reads: u32,
}

impl Summary {
    pub(crate) const fn reads(self, field: Field) -> bool {
        self.reads & (1 << field.number()) != 0
    }

    /// Whether its value depends on the tier, the model or the money of the candidate.
    pub(crate) const fn is_contextual(self) -> bool {
        self.reads(Field::Tier)
            || self.reads(Field::Model)
            || self.reads(Field::CostEstimate)
            || self.reads(Field::CostCeiling)
    }
}

/// Passes code, or says what is wrong with it.
pub(crate) fn verify(code: &[u8], bounds: &Bounds) -> Result<Summary, CodeFlaw> {
    let mut verifier = Verifier {
        bounds,
        reads: 0,
        stack: Vec::new(),
        locals: Vec::new(),
        outer: 0,
        macros: 0,
    };
    let result = verifier.block(code, 0)?;
    Ok(Summary {
        result,
        reads: verifier.reads,
    })
}

struct Verifier<'b> {
    bounds: &'b Bounds,
    reads: u32,
    stack: Vec<Kind>,
    /// The variables in scope, the outermost first.
    locals: Vec<(u16, Kind)>,
    /// How many of them come from around the block.
    outer: usize,
    /// How many macros are around.
    macros: usize,
}

impl Verifier<'_> {
    /// A block leaves exactly one value, and takes none from below where it began.
    fn block(&mut self, code: &[u8], nesting: usize) -> Result<Kind, CodeFlaw> {
        if nesting > MAXIMUM_NESTING {
            return Err(CodeFlaw::Nesting);
        }
        let base = self.stack.len();
        let outer = std::mem::replace(&mut self.outer, self.locals.len());
        let mut rest = code;
        while !rest.is_empty() {
            let (instruction, after) = Instruction::decode(rest).ok_or(CodeFlaw::Instruction)?;
            rest = self.instruction(instruction, after, base, nesting)?;
            if self.stack.len() > MAXIMUM_STACK {
                return Err(CodeFlaw::Stack);
            }
        }
        self.locals.truncate(self.outer);
        self.outer = outer;
        let result = self.pop(base)?;
        if self.stack.len() != base {
            return Err(CodeFlaw::Block);
        }
        Ok(result)
    }

    fn instruction<'c>(
        &mut self,
        instruction: Instruction<'c>,
        after: &'c [u8],
        base: usize,
        nesting: usize,
    ) -> Result<&'c [u8], CodeFlaw> {
        match instruction {
            Instruction::SkipIfFalse(length) => {
                return self.connective(Instruction::And, length, after, base, nesting);
            }
            Instruction::SkipIfTrue(length) => {
                return self.connective(Instruction::Or, length, after, base, nesting);
            }
            Instruction::Choose(length) => return self.choose(length, after, base, nesting),
            Instruction::Comprehend { of, filter, body } => {
                let (filter, after) = split(after, filter)?;
                let (body, after) = split(after, body)?;
                self.comprehend(of, filter, body, base, nesting)?;
                return Ok(after);
            }
            // These stand only where the instructions above put them.
            Instruction::And | Instruction::Or | Instruction::Jump(_) => {
                return Err(CodeFlaw::Block);
            }
            Instruction::MakeList(count) => {
                let mut element = if count == 0 {
                    Kind::Any
                } else {
                    self.pop(base)?
                };
                for _ in 1..count {
                    element = element.join(self.pop(base)?);
                }
                self.stack.push(element.list_of());
            }
            Instruction::MakeOptionalList(flags) => {
                self.take_flagged(flags, 1, base)?;
                self.stack.push(Kind::List);
            }
            Instruction::MakeMap(count) => {
                for _ in 0..2 * usize::from(count) {
                    self.pop(base)?;
                }
                self.stack.push(Kind::Map);
            }
            Instruction::MakeOptionalMap(flags) => {
                self.take_flagged(flags, 2, base)?;
                self.stack.push(Kind::Map);
            }
            Instruction::Call(function) => self.call(function, base)?,
            Instruction::Bind(local) => {
                let value = self.pop(base)?;
                self.declare(local, value)?;
            }
            _ => self.simple(instruction, base)?,
        }
        Ok(after)
    }

    /// `SkipIf… block And|Or`
    fn connective<'c>(
        &mut self,
        ends_with: Instruction<'_>,
        length: u32,
        after: &'c [u8],
        base: usize,
        nesting: usize,
    ) -> Result<&'c [u8], CodeFlaw> {
        self.take(Kind::Bool, base)?;
        let (block, after) = split(after, length)?;
        let right = self.block(block, nesting + 1)?;
        if !right.agrees(Kind::Bool) {
            return Err(CodeFlaw::Type);
        }
        match Instruction::decode(after) {
            Some((instruction, after)) if instruction == ends_with => {
                self.stack.push(Kind::Bool);
                Ok(after)
            }
            _ => Err(CodeFlaw::Block),
        }
    }

    /// `Choose then Jump otherwise`
    fn choose<'c>(
        &mut self,
        length: u32,
        after: &'c [u8],
        base: usize,
        nesting: usize,
    ) -> Result<&'c [u8], CodeFlaw> {
        self.take(Kind::Bool, base)?;
        let (block, after) = split(after, length)?;
        let then = self.block(block, nesting + 1)?;
        let Some((Instruction::Jump(length), after)) = Instruction::decode(after) else {
            return Err(CodeFlaw::Block);
        };
        let (block, after) = split(after, length)?;
        let otherwise = self.block(block, nesting + 1)?;
        self.stack.push(then.join(otherwise));
        Ok(after)
    }

    /// Takes groups of values, the last of which may be an optional.
    fn take_flagged(&mut self, flags: &[u8], width: usize, base: usize) -> Result<(), CodeFlaw> {
        for flag in flags.iter().rev() {
            match flag {
                0 => drop(self.pop(base)?),
                1 => self.take(Kind::Optional, base)?,
                _ => return Err(CodeFlaw::Operand),
            }
            for _ in 1..width {
                self.pop(base)?;
            }
        }
        Ok(())
    }

    /// A variable from here on. One of the same block may give its number away; one from around it may not.
    fn declare(&mut self, local: u16, kind: Kind) -> Result<(), CodeFlaw> {
        match self.locals.iter().position(|(number, _)| *number == local) {
            Some(place) if place < self.outer => return Err(CodeFlaw::Local),
            Some(place) => drop(self.locals.remove(place)),
            None => {}
        }
        if self.locals.len() >= MAXIMUM_LOCALS || usize::from(local) >= MAXIMUM_LOCALS {
            return Err(CodeFlaw::Nesting);
        }
        self.locals.push((local, kind));
        Ok(())
    }

    fn comprehend(
        &mut self,
        of: Macro,
        filter: &[u8],
        body: &[u8],
        base: usize,
        nesting: usize,
    ) -> Result<(), CodeFlaw> {
        let range = self.pop(base)?;
        if !range.is_range() {
            return Err(CodeFlaw::Type);
        }
        if self.macros >= MAXIMUM_MACROS {
            return Err(CodeFlaw::Nesting);
        }
        let variables = match of.second {
            None => 1,
            Some(second) if second == of.local => return Err(CodeFlaw::Local),
            Some(_) => 2,
        };
        match of.second {
            None => self.declare(of.local, range.element())?,
            Some(second) => {
                let is_list = range.is_list() && range != Kind::Any;
                self.declare(of.local, if is_list { Kind::Int } else { Kind::Any })?;
                self.declare(second, range.element())?;
            }
        }
        self.macros += 1;
        if !filter.is_empty() {
            let filter = self.block(filter, nesting + 1)?;
            if !filters(of) || !filter.agrees(Kind::Bool) {
                return Err(CodeFlaw::Type);
            }
        }
        let body = self.block(body, nesting + 1)?;
        self.macros -= 1;
        self.locals.truncate(self.locals.len() - variables);
        self.stack.push(result(of, range, body)?);
        Ok(())
    }

    fn simple(&mut self, instruction: Instruction<'_>, base: usize) -> Result<(), CodeFlaw> {
        let pushed = match instruction {
            Instruction::Null => Kind::Null,
            Instruction::Bool(_) => Kind::Bool,
            Instruction::Int(_) => Kind::Int,
            Instruction::Uint(_) => Kind::Uint,
            Instruction::Double(_) => Kind::Double,
            Instruction::Text(index) => within(index, self.bounds.strings, Kind::Text)?,
            Instruction::Bytes(_) => Kind::Bytes,
            Instruction::Timestamp(_, nanoseconds) => {
                within(nanoseconds, 1_000_000_000, Kind::Timestamp)?
            }
            Instruction::Duration(_) => Kind::Duration,
            Instruction::Ip(_) => Kind::Ip,
            Instruction::Cidr(address, length) => {
                let longest = if address.is_ipv4() { 32 } else { 128 };
                within(length.into(), longest + 1, Kind::Cidr)?
            }
            Instruction::Absent => Kind::Optional,
            Instruction::List(index) => within(index, self.bounds.lists.len(), Kind::List)?,
            Instruction::Map(index) => match self.bounds.lists.get(index as usize) {
                Some(true) => Kind::Map,
                _ => return Err(CodeFlaw::Operand),
            },
            Instruction::Type(_) => Kind::Type,
            Instruction::Fail(_) | Instruction::Variable(_) => Kind::Any,
            Instruction::Field(field) => {
                self.reads |= 1 << field.number();
                field_kind(field)
            }
            Instruction::Lookup(Map::Claims, slot) => {
                self.slot(Map::Claims, slot, Kind::Optional)?
            }
            Instruction::Lookup(map, slot) => self.slot(map, slot, Kind::OptionalText)?,
            Instruction::Has(map, slot) => self.slot(map, slot, Kind::Bool)?,
            Instruction::Local(local) => {
                let found = self.locals.iter().find(|(number, _)| *number == local);
                found.ok_or(CodeFlaw::Local)?.1
            }
            Instruction::Member(member) => {
                self.take(owner(member), base)?;
                match member {
                    Member::MessageToolCalls => Kind::ToolCalls,
                    _ => Kind::Text,
                }
            }
            Instruction::Match(index) => {
                self.take(Kind::Text, base)?;
                within(index, self.bounds.patterns, Kind::Bool)?
            }
            Instruction::InSet(index) => {
                self.pop(base)?;
                within(index, self.bounds.sets, Kind::Bool)?
            }
            Instruction::Zoned(function, _) | Instruction::ZonedBy(function)
                if !function.is_zoned() =>
            {
                return Err(CodeFlaw::Operand);
            }
            Instruction::Zoned(_, zone) => {
                self.take(Kind::Timestamp, base)?;
                within(zone, self.bounds.zones, Kind::Int)?
            }
            Instruction::ZonedBy(_) => {
                self.take(Kind::Text, base)?;
                self.take(Kind::Timestamp, base)?;
                Kind::Int
            }
            _ => return Err(CodeFlaw::Instruction),
        };
        self.stack.push(pushed);
        Ok(())
    }

    fn slot(&self, map: Map, slot: u16, kind: Kind) -> Result<Kind, CodeFlaw> {
        let slots = self.bounds.maps.get(usize::from(map.number())).copied();
        within(slot.into(), slots.unwrap_or_default(), kind)
    }

    fn call(&mut self, function: Function, base: usize) -> Result<(), CodeFlaw> {
        let mut arguments = [Kind::Any; 4];
        for argument in arguments.iter_mut().take(function.arity()).rev() {
            *argument = self.pop(base)?;
        }
        let result = signature(function, arguments).ok_or(CodeFlaw::Type)?;
        self.stack.push(result);
        Ok(())
    }

    fn pop(&mut self, base: usize) -> Result<Kind, CodeFlaw> {
        if self.stack.len() <= base {
            return Err(CodeFlaw::Stack);
        }
        self.stack.pop().ok_or(CodeFlaw::Stack)
    }

    fn take(&mut self, kind: Kind, base: usize) -> Result<(), CodeFlaw> {
        if self.pop(base)?.agrees(kind) {
            Ok(())
        } else {
            Err(CodeFlaw::Type)
        }
    }
}

/// Whether a macro may have a filter.
const fn filters(of: Macro) -> bool {
    matches!(
        of.kind,
        Comprehension::Map | Comprehension::TransformMap | Comprehension::TransformEntries
    )
}

/// What a macro gives over such a range with such a body.
fn result(of: Macro, range: Kind, body: Kind) -> Result<Kind, CodeFlaw> {
    let two = of.second.is_some();
    Ok(match of.kind {
        Comprehension::Map => body.list_of(),
        Comprehension::TransformMap if two => Kind::Map,
        Comprehension::TransformEntries if two && body.agrees(Kind::Map) => Kind::Map,
        Comprehension::TransformMap | Comprehension::TransformEntries => {
            return Err(CodeFlaw::Type);
        }
        _ if !body.agrees(Kind::Bool) => return Err(CodeFlaw::Type),
        // It keeps elements, and has no name for them with two variables.
        Comprehension::Filter if two => return Err(CodeFlaw::Type),
        Comprehension::Filter => range.element().list_of(),
        _ => Kind::Bool,
    })
}

fn split(code: &[u8], length: u32) -> Result<(&[u8], &[u8]), CodeFlaw> {
    code.split_at_checked(length as usize)
        .ok_or(CodeFlaw::Block)
}

fn within(index: u32, count: usize, kind: Kind) -> Result<Kind, CodeFlaw> {
    if (index as usize) < count {
        Ok(kind)
    } else {
        Err(CodeFlaw::Operand)
    }
}

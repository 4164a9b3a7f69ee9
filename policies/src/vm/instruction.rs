//! The instructions: what they are, and how they lie in code.
//!
//! A one-byte opcode, then operands of fixed width. Code is a tree laid out flat: the right side of `&&`, the
//! branches of a conditional and the body of a macro are blocks whose length stands before them, so every
//! jump goes forward and the verifier follows the tree.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::value::Failure;
use super::vocabulary::{Comprehension, Field, Function, Map, Member, TypeName};

/// A macro and its variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Macro {
    /// Which.
    pub kind: Comprehension,
    /// The number of its variable: each element of a list, each key of a map; with a `second`, each index or key.
    pub local: u16,
    /// The number of the second: each element, or each value of a map.
    pub second: Option<u16>,
}

/// One instruction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Instruction<'c> {
    /// Pushes `null`.
    Null,
    /// Pushes a bool.
    Bool(bool),
    /// Pushes an int.
    Int(i64),
    /// Pushes a uint.
    Uint(u64),
    /// Pushes a double.
    Double(f64),
    /// Pushes a string constant.
    Text(u32),
    /// Pushes bytes.
    Bytes(&'c [u8]),
    /// Pushes a point in time: seconds and nanoseconds.
    Timestamp(i64, u32),
    /// Pushes a span of time: nanoseconds.
    Duration(i64),
    /// Pushes an address.
    Ip(IpAddr),
    /// Pushes a network.
    Cidr(IpAddr, u8),
    /// Pushes `optional.none()`.
    Absent,
    /// Pushes a list constant.
    List(u32),
    /// Pushes a map constant: a list constant that holds keys and values in turn.
    Map(u32),
    /// Pushes the name of a type.
    Type(TypeName),
    /// Pushes a failure.
    Fail(Failure),
    /// Pushes a variable that whoever evaluates gives.
    Variable(u16),
    /// Pushes a fact.
    Field(Field),
    /// Pushes an optional: a map's value by slot.
    Lookup(Map, u16),
    /// Pushes whether a map has the slot's key.
    Has(Map, u16),
    /// Pushes a macro's variable, or what was bound.
    Local(u16),
    /// Takes a value and binds it to a variable, up to the end of the block.
    Bind(u16),
    /// Replaces a record by its field.
    Member(Member),
    /// Replaces the arguments by the result.
    Call(Function),
    /// Replaces a string by whether a pattern matches it.
    Match(u32),
    /// Replaces a value by whether a set constant has it.
    InSet(u32),
    /// Replaces a time by a part of it, in a zone of the plan.
    Zoned(Function, u32),
    /// Replaces a time and the name of a zone by a part of the time in it.
    ZonedBy(Function),
    /// Looks at the top: false skips the block of this length and the `And` after it.
    SkipIfFalse(u32),
    /// Looks at the top: true skips the block of this length and the `Or` after it.
    SkipIfTrue(u32),
    /// Replaces two by their conjunction.
    And,
    /// Replaces two by their disjunction.
    Or,
    /// Takes a bool: false skips the block of this length and the `Jump` after it.
    Choose(u32),
    /// Skips the block of this length.
    Jump(u32),
    /// Replaces this many values by their list.
    MakeList(u16),
    /// Replaces as many values as flags by their list; one with a flag of 1 is an optional, left out where absent.
    MakeOptionalList(&'c [u8]),
    /// Replaces this many keys and values by their map.
    MakeMap(u16),
    /// Replaces as many keys and values as flags by their map; a value with a flag of 1 is an optional, its entry left
    /// out where absent.
    MakeOptionalMap(&'c [u8]),
    /// Replaces a list or map by a macro's result: the blocks of the filter (of length 0: none) and the body follow.
    Comprehend {
        /// Which macro.
        of: Macro,
        /// Length of the filter's block.
        filter: u32,
        /// Length of the body's block.
        body: u32,
    },
}

mod opcode {
    pub(super) const NULL: u8 = 1;
    pub(super) const FALSE: u8 = 2;
    pub(super) const TRUE: u8 = 3;
    pub(super) const INT: u8 = 4;
    pub(super) const UINT: u8 = 5;
    pub(super) const DOUBLE: u8 = 6;
    pub(super) const TEXT: u8 = 7;
    pub(super) const BYTES: u8 = 8;
    pub(super) const TIMESTAMP: u8 = 9;
    pub(super) const DURATION: u8 = 10;
    pub(super) const IPV4: u8 = 11;
    pub(super) const IPV6: u8 = 12;
    pub(super) const CIDR4: u8 = 13;
    pub(super) const CIDR6: u8 = 14;
    pub(super) const ABSENT: u8 = 15;
    pub(super) const LIST: u8 = 16;
    pub(super) const FIELD: u8 = 17;
    pub(super) const LOOKUP: u8 = 18;
    pub(super) const HAS: u8 = 19;
    pub(super) const LOCAL: u8 = 20;
    pub(super) const MEMBER: u8 = 21;
    pub(super) const CALL: u8 = 22;
    pub(super) const MATCH: u8 = 23;
    pub(super) const IN_SET: u8 = 24;
    pub(super) const ZONED: u8 = 25;
    pub(super) const SKIP_IF_FALSE: u8 = 26;
    pub(super) const SKIP_IF_TRUE: u8 = 27;
    pub(super) const AND: u8 = 28;
    pub(super) const OR: u8 = 29;
    pub(super) const CHOOSE: u8 = 30;
    pub(super) const JUMP: u8 = 31;
    pub(super) const MAKE_LIST: u8 = 32;
    pub(super) const COMPREHEND: u8 = 33;
    pub(super) const MAP: u8 = 34;
    pub(super) const TYPE: u8 = 35;
    pub(super) const FAIL: u8 = 36;
    pub(super) const VARIABLE: u8 = 37;
    pub(super) const BIND: u8 = 38;
    pub(super) const ZONED_BY: u8 = 39;
    pub(super) const MAKE_OPTIONAL_LIST: u8 = 40;
    pub(super) const MAKE_MAP: u8 = 41;
    pub(super) const MAKE_OPTIONAL_MAP: u8 = 42;
    pub(super) const COMPREHEND_PAIRS: u8 = 43;
}

/// Reads operands.
struct Operands<'c>(&'c [u8]);

impl<'c> Operands<'c> {
    #[inline(always)]
    fn take<const WIDTH: usize>(&mut self) -> Option<[u8; WIDTH]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn i64(&mut self) -> Option<i64> {
        self.take().map(i64::from_le_bytes)
    }

    fn ipv4(&mut self) -> Option<IpAddr> {
        self.take::<4>().map(|octets| Ipv4Addr::from(octets).into())
    }

    fn ipv6(&mut self) -> Option<IpAddr> {
        self.take::<16>()
            .map(|octets| Ipv6Addr::from(octets).into())
    }

    fn bytes(&mut self) -> Option<&'c [u8]> {
        let length = self.u32()? as usize;
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

impl<'c> Instruction<'c> {
    /// The first instruction of `code`, and the code after it; `None` when it is none.
    // Inlined into the machine's loop: there it becomes one jump by opcode.
    #[inline(always)]
    #[must_use]
    pub fn decode(code: &'c [u8]) -> Option<(Self, &'c [u8])> {
        let (number, rest) = code.split_first()?;
        let mut operands = Operands(rest);
        let instruction = Self::operands(*number, &mut operands)?;
        Some((instruction, operands.0))
    }

    #[inline(always)]
    fn operands(number: u8, from: &mut Operands<'c>) -> Option<Self> {
        Some(match number {
            opcode::NULL => Self::Null,
            opcode::FALSE => Self::Bool(false),
            opcode::TRUE => Self::Bool(true),
            opcode::INT => Self::Int(from.i64()?),
            opcode::UINT => Self::Uint(from.take().map(u64::from_le_bytes)?),
            opcode::DOUBLE => Self::Double(from.take().map(f64::from_le_bytes)?),
            opcode::TEXT => Self::Text(from.u32()?),
            opcode::BYTES => Self::Bytes(from.bytes()?),
            opcode::TIMESTAMP => Self::Timestamp(from.i64()?, from.u32()?),
            opcode::DURATION => Self::Duration(from.i64()?),
            opcode::IPV4 => Self::Ip(from.ipv4()?),
            opcode::IPV6 => Self::Ip(from.ipv6()?),
            opcode::CIDR4 => Self::Cidr(from.ipv4()?, from.u8()?),
            opcode::CIDR6 => Self::Cidr(from.ipv6()?, from.u8()?),
            opcode::ABSENT => Self::Absent,
            opcode::LIST => Self::List(from.u32()?),
            opcode::FIELD => Self::Field(Field::from_number(from.u8()?)?),
            opcode::LOOKUP => Self::Lookup(Map::from_number(from.u8()?)?, from.u16()?),
            opcode::HAS => Self::Has(Map::from_number(from.u8()?)?, from.u16()?),
            opcode::LOCAL => Self::Local(from.u16()?),
            opcode::MEMBER => Self::Member(Member::from_number(from.u8()?)?),
            opcode::CALL => Self::Call(Function::from_number(from.u8()?)?),
            opcode::MATCH => Self::Match(from.u32()?),
            opcode::IN_SET => Self::InSet(from.u32()?),
            opcode::ZONED => Self::Zoned(Function::from_number(from.u8()?)?, from.u32()?),
            opcode::SKIP_IF_FALSE => Self::SkipIfFalse(from.u32()?),
            opcode::SKIP_IF_TRUE => Self::SkipIfTrue(from.u32()?),
            opcode::AND => Self::And,
            opcode::OR => Self::Or,
            opcode::CHOOSE => Self::Choose(from.u32()?),
            opcode::JUMP => Self::Jump(from.u32()?),
            opcode::MAKE_LIST => Self::MakeList(from.u16()?),
            opcode::COMPREHEND | opcode::COMPREHEND_PAIRS => Self::Comprehend {
                of: Macro {
                    kind: Comprehension::from_number(from.u8()?)?,
                    local: from.u16()?,
                    second: match number {
                        opcode::COMPREHEND => None,
                        _ => Some(from.u16()?),
                    },
                },
                filter: from.u32()?,
                body: from.u32()?,
            },
            opcode::MAP => Self::Map(from.u32()?),
            opcode::TYPE => Self::Type(TypeName::from_number(from.u8()?)?),
            opcode::FAIL => Self::Fail(Failure::from_number(from.u8()?)?),
            opcode::VARIABLE => Self::Variable(from.u16()?),
            opcode::BIND => Self::Bind(from.u16()?),
            opcode::ZONED_BY => Self::ZonedBy(Function::from_number(from.u8()?)?),
            opcode::MAKE_OPTIONAL_LIST => Self::MakeOptionalList(from.bytes()?),
            opcode::MAKE_MAP => Self::MakeMap(from.u16()?),
            opcode::MAKE_OPTIONAL_MAP => Self::MakeOptionalMap(from.bytes()?),
            _ => return None,
        })
    }

    /// Appends it to `code`.
    pub fn encode(&self, code: &mut Vec<u8>) {
        match *self {
            Self::Null => code.push(opcode::NULL),
            Self::Bool(value) => code.push(if value { opcode::TRUE } else { opcode::FALSE }),
            Self::Int(value) => put(code, opcode::INT, &[&value.to_le_bytes()]),
            Self::Uint(value) => put(code, opcode::UINT, &[&value.to_le_bytes()]),
            Self::Double(value) => put(code, opcode::DOUBLE, &[&value.to_le_bytes()]),
            Self::Text(index) => put(code, opcode::TEXT, &[&index.to_le_bytes()]),
            Self::Bytes(bytes) => put_bytes(code, opcode::BYTES, bytes),
            Self::Timestamp(seconds, nanoseconds) => put(
                code,
                opcode::TIMESTAMP,
                &[&seconds.to_le_bytes(), &nanoseconds.to_le_bytes()],
            ),
            Self::Duration(value) => put(code, opcode::DURATION, &[&value.to_le_bytes()]),
            Self::Ip(IpAddr::V4(address)) => put(code, opcode::IPV4, &[&address.octets()]),
            Self::Ip(IpAddr::V6(address)) => put(code, opcode::IPV6, &[&address.octets()]),
            Self::Cidr(IpAddr::V4(address), length) => {
                put(code, opcode::CIDR4, &[&address.octets(), &[length]]);
            }
            Self::Cidr(IpAddr::V6(address), length) => {
                put(code, opcode::CIDR6, &[&address.octets(), &[length]]);
            }
            Self::Absent => code.push(opcode::ABSENT),
            Self::List(index) => put(code, opcode::LIST, &[&index.to_le_bytes()]),
            Self::Map(index) => put(code, opcode::MAP, &[&index.to_le_bytes()]),
            Self::Type(name) => put(code, opcode::TYPE, &[&[name.number()]]),
            Self::Fail(failure) => put(code, opcode::FAIL, &[&[failure.number()]]),
            _ => self.encode_operation(code),
        }
    }

    fn encode_operation(&self, code: &mut Vec<u8>) {
        match *self {
            Self::Field(field) => put(code, opcode::FIELD, &[&[field.number()]]),
            Self::Lookup(map, slot) => {
                put(
                    code,
                    opcode::LOOKUP,
                    &[&[map.number()], &slot.to_le_bytes()],
                );
            }
            Self::Has(map, slot) => {
                put(code, opcode::HAS, &[&[map.number()], &slot.to_le_bytes()]);
            }
            Self::Local(local) => put(code, opcode::LOCAL, &[&local.to_le_bytes()]),
            Self::Member(member) => put(code, opcode::MEMBER, &[&[member.number()]]),
            Self::Call(function) => put(code, opcode::CALL, &[&[function.number()]]),
            Self::Match(index) => put(code, opcode::MATCH, &[&index.to_le_bytes()]),
            Self::InSet(index) => put(code, opcode::IN_SET, &[&index.to_le_bytes()]),
            Self::Zoned(function, zone) => put(
                code,
                opcode::ZONED,
                &[&[function.number()], &zone.to_le_bytes()],
            ),
            Self::SkipIfFalse(length) => {
                put(code, opcode::SKIP_IF_FALSE, &[&length.to_le_bytes()]);
            }
            Self::SkipIfTrue(length) => put(code, opcode::SKIP_IF_TRUE, &[&length.to_le_bytes()]),
            Self::And => code.push(opcode::AND),
            Self::Or => code.push(opcode::OR),
            Self::Choose(length) => put(code, opcode::CHOOSE, &[&length.to_le_bytes()]),
            Self::Jump(length) => put(code, opcode::JUMP, &[&length.to_le_bytes()]),
            Self::MakeList(count) => put(code, opcode::MAKE_LIST, &[&count.to_le_bytes()]),
            Self::MakeOptionalList(flags) => put_bytes(code, opcode::MAKE_OPTIONAL_LIST, flags),
            Self::MakeMap(count) => put(code, opcode::MAKE_MAP, &[&count.to_le_bytes()]),
            Self::MakeOptionalMap(flags) => put_bytes(code, opcode::MAKE_OPTIONAL_MAP, flags),
            Self::Variable(variable) => put(code, opcode::VARIABLE, &[&variable.to_le_bytes()]),
            Self::Bind(local) => put(code, opcode::BIND, &[&local.to_le_bytes()]),
            Self::ZonedBy(function) => put(code, opcode::ZONED_BY, &[&[function.number()]]),
            Self::Comprehend { of, filter, body } => {
                let (kind, local) = ([of.kind.number()], of.local.to_le_bytes());
                let (filter, body) = (filter.to_le_bytes(), body.to_le_bytes());
                match of.second {
                    None => put(code, opcode::COMPREHEND, &[&kind, &local, &filter, &body]),
                    Some(second) => put(
                        code,
                        opcode::COMPREHEND_PAIRS,
                        &[&kind, &local, &second.to_le_bytes(), &filter, &body],
                    ),
                }
            }
            _ => {}
        }
    }
}

fn put(code: &mut Vec<u8>, number: u8, operands: &[&[u8]]) {
    code.push(number);
    for operand in operands {
        code.extend_from_slice(operand);
    }
}

fn put_bytes(code: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    put(code, number, &[&length.to_le_bytes(), bytes]);
}

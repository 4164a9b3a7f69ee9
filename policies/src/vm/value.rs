//! What the machine computes with.

use std::borrow::Cow;
use std::net::IpAddr;

use super::datum::Datum;
use super::vocabulary::TypeName;
use crate::facts::{Claim, Message, Tool, ToolCall};
use crate::plan::view::Scalar;

/// How deep lists, maps and optionals may hold one another where all of it is walked: deeper than code can write them.
pub(super) const MOST_NESTED: usize = 256;

/// A value: small, copied, borrowing from the facts and the plan. What is made on the way lies in the machine's
/// buffers, by range.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(&'a str),
    /// Start and length in the machine's text.
    MadeText(u32, u32),
    Bytes(&'a [u8]),
    /// Start and length in the machine's octets.
    MadeBytes(u32, u32),
    /// Seconds and nanoseconds since 1970.
    Timestamp(i64, u32),
    /// Nanoseconds.
    Duration(i64),
    Ip(IpAddr),
    Cidr(IpAddr, u8),
    Messages(&'a [Message<'a>]),
    Tools(&'a [Tool<'a>]),
    ToolCalls(&'a [ToolCall<'a>]),
    Strings(&'a [Cow<'a, str>]),
    /// Index of a list constant.
    ConstantList(u32),
    /// Start and length in the machine's values.
    MadeList(u32, u32),
    DatumList(&'a [Datum]),
    /// Index of a list constant that holds keys and values in turn.
    ConstantMap(u32),
    /// Start in the machine's values, where keys and values stand in turn, and the number of entries.
    MadeMap(u32, u32),
    DatumMap(&'a [(Datum, Datum)]),
    Message(&'a Message<'a>),
    Tool(&'a Tool<'a>),
    ToolCall(&'a ToolCall<'a>),
    /// An optional without a value.
    Absent,
    /// An optional with a value: its place in the machine's values.
    Present(u32),
    /// The name of a type.
    Type(TypeName),
    /// What could not be computed.
    Failed(Failure),
}

/// Why an expression has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Failure {
    /// Arithmetic beyond 64 bits, or a division by 0.
    Arithmetic,
    /// A value known only at run time has another type than its use asks.
    Type,
    /// A list has no such place, a map no such key, or one key twice.
    Key,
    /// A text does not say what it is read as, or a number does not fit the type it is converted to.
    Conversion,
    /// An optional without a value was read, or a fact that is not known here.
    Missing,
    /// It would take too long, or too much memory.
    Work,
}

impl Failure {
    /// All of them, in the order of their numbers in code.
    const ALL: &'static [Self] = &[
        Self::Arithmetic,
        Self::Type,
        Self::Key,
        Self::Conversion,
        Self::Missing,
        Self::Work,
    ];

    pub(super) const fn number(self) -> u8 {
        self as u8
    }

    pub(super) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

impl<'a> Value<'a> {
    pub(super) fn int(number: u64) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }

    pub(super) fn count(number: usize) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }

    pub(super) fn of(result: Result<Self, Failure>) -> Self {
        result.unwrap_or_else(Self::Failed)
    }

    /// As `string(…)` writes it, where it can.
    pub(crate) fn printed(self) -> Option<String> {
        let mut out = String::new();
        super::print::scalar(self, &mut out).ok()?;
        Some(out)
    }

    pub(super) const fn failure(self) -> Option<Failure> {
        match self {
            Self::Failed(failure) => Some(failure),
            _ => None,
        }
    }
}

impl<'a> From<&'a Claim<'_>> for Value<'a> {
    fn from(claim: &'a Claim<'_>) -> Self {
        match claim {
            Claim::String(text) => Self::Text(text),
            Claim::Int(number) => Self::Int(*number),
            Claim::Double(number) => Self::Double(*number),
            Claim::Bool(value) => Self::Bool(*value),
            Claim::Strings(texts) => Self::Strings(texts),
        }
    }
}

impl<'a> From<Scalar<'a>> for Value<'a> {
    fn from(scalar: Scalar<'a>) -> Self {
        match scalar {
            Scalar::Null => Self::Null,
            Scalar::Bool(value) => Self::Bool(value),
            Scalar::Int(number) => Self::Int(number),
            Scalar::Uint(number) => Self::Uint(number),
            Scalar::Double(number) => Self::Double(number),
            Scalar::String(text) => Self::Text(text),
            Scalar::Bytes(bytes) => Self::Bytes(bytes),
            Scalar::Timestamp(seconds, nanoseconds) => Self::Timestamp(seconds, nanoseconds),
            Scalar::Duration(nanoseconds) => Self::Duration(nanoseconds),
            Scalar::Ip(address) => Self::Ip(address),
            Scalar::Cidr(address, length) => Self::Cidr(address, length),
            Scalar::List(index) => Self::ConstantList(index),
            Scalar::Map(index) => Self::ConstantMap(index),
            Scalar::Absent => Self::Absent,
            Scalar::Type(number) => {
                TypeName::from_number(number).map_or(Self::Failed(Failure::Type), Self::Type)
            }
        }
    }
}

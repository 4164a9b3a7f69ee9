//! What the machine computes with.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::facts::{Claim, Message, Tool, ToolCall};
use crate::plan::view::Scalar;

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
    Message(&'a Message<'a>),
    Tool(&'a Tool<'a>),
    ToolCall(&'a ToolCall<'a>),
    /// An optional without a value; with n: n optionals around one. An optional with a value is the value.
    Absent(u8),
    /// What could not be computed.
    Failed(Failure),
}

/// Why an expression has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Failure {
    /// Arithmetic beyond 64 bits, or a division by 0.
    Arithmetic,
    /// A value known only at run time has another type than its use asks.
    Type,
    /// An optional without a value was read, or a fact that is not known here.
    Missing,
    /// It would take too long, or too much memory.
    Work,
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

    pub(super) fn optional(value: Option<Self>) -> Self {
        value.unwrap_or(Self::Absent(0))
    }

    /// As `string(…)` writes it, where it can.
    pub(crate) fn printed(self) -> Option<String> {
        let mut out = String::new();
        super::text::print(self, &mut out).ok()?;
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
        }
    }
}

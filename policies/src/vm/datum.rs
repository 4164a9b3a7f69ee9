//! Values that stand by themselves: what an expression is given instead of facts, and what it makes.

use std::net::IpAddr;

use super::machine::Machine;
use super::value::{Failure, MOST_NESTED, Value};
use super::vocabulary::TypeName;

/// A value of CEL, owned.
#[derive(Debug, Clone, PartialEq)]
pub enum Datum {
    /// `null`
    Null,
    /// true or false
    Bool(bool),
    /// 64 bits, signed
    Int(i64),
    /// 64 bits, unsigned
    Uint(u64),
    /// IEEE 754 binary64
    Double(f64),
    /// UTF-8
    String(String),
    /// Octets
    Bytes(Vec<u8>),
    /// Seconds and nanoseconds since 1970-01-01T00:00:00Z
    Timestamp(i64, u32),
    /// Nanoseconds
    Duration(i64),
    /// An address
    Ip(IpAddr),
    /// A network: its address and the length of its prefix
    Cidr(IpAddr, u8),
    /// A list
    List(Vec<Self>),
    /// Keys and values; no key stands twice.
    Map(Vec<(Self, Self)>),
    /// An optional. Given to an expression, one with a value reads as the value.
    Optional(Option<Box<Self>>),
    /// The name of a type
    Type(TypeName),
}

impl<'a> From<&'a Datum> for Value<'a> {
    fn from(datum: &'a Datum) -> Self {
        match datum {
            Datum::Null => Self::Null,
            Datum::Bool(value) => Self::Bool(*value),
            Datum::Int(number) => Self::Int(*number),
            Datum::Uint(number) => Self::Uint(*number),
            Datum::Double(number) => Self::Double(*number),
            Datum::String(text) => Self::Text(text),
            Datum::Bytes(bytes) => Self::Bytes(bytes),
            Datum::Timestamp(seconds, nanoseconds) => Self::Timestamp(*seconds, *nanoseconds),
            Datum::Duration(nanoseconds) => Self::Duration(*nanoseconds),
            Datum::Ip(address) => Self::Ip(*address),
            Datum::Cidr(address, length) => Self::Cidr(*address, *length),
            Datum::List(elements) => Self::DatumList(elements),
            Datum::Map(entries) => Self::DatumMap(entries),
            Datum::Optional(Some(value)) => Self::from(&**value),
            Datum::Optional(None) => Self::Absent,
            Datum::Type(name) => Self::Type(*name),
        }
    }
}

impl<'a> Machine<'a> {
    /// A value taken out of the machine; records become maps of their fields.
    pub(super) fn own(&self, value: Value<'a>, depth: usize) -> Result<Datum, Failure> {
        if depth > MOST_NESTED {
            return Err(Failure::Work);
        }
        self.charge(1)?;
        Ok(match value {
            Value::Null => Datum::Null,
            Value::Bool(value) => Datum::Bool(value),
            Value::Int(number) => Datum::Int(number),
            Value::Uint(number) => Datum::Uint(number),
            Value::Double(number) => Datum::Double(number),
            Value::Timestamp(seconds, nanoseconds) => Datum::Timestamp(seconds, nanoseconds),
            Value::Duration(nanoseconds) => Datum::Duration(nanoseconds),
            Value::Ip(address) => Datum::Ip(address),
            Value::Cidr(address, length) => Datum::Cidr(address, length),
            Value::Type(name) => Datum::Type(name),
            Value::Absent => Datum::Optional(None),
            Value::Present(_) => {
                let value = self.own(self.inner(value), depth + 1)?;
                Datum::Optional(Some(Box::new(value)))
            }
            Value::Failed(failure) => return Err(failure),
            value => self.own_parts(value, depth)?,
        })
    }

    fn own_parts(&self, value: Value<'a>, depth: usize) -> Result<Datum, Failure> {
        if self.is_text(value) {
            return Ok(Datum::String(self.string(value)?.to_owned()));
        }
        if let Some(bytes) = self.octets(value) {
            return Ok(Datum::Bytes(bytes.to_vec()));
        }
        if let Some(length) = self.length(value) {
            let elements = (0..length).map(|index| self.own(self.element(value, index), depth + 1));
            return Ok(Datum::List(elements.collect::<Result<_, _>>()?));
        }
        let entries = self.entries(value).ok_or(Failure::Type)?;
        let entries = (0..entries).map(|index| {
            let (key, value) = self.entry(value, index);
            Ok((self.own(key, depth + 1)?, self.own(value, depth + 1)?))
        });
        Ok(Datum::Map(entries.collect::<Result<_, Failure>>()?))
    }
}

//! Calls: the arguments from the stack, and which room each function is in.

use super::machine::Machine;
use super::value::{Failure, Value};
use super::vocabulary::Function;
use super::{arithmetic, compare, convert, encoding, format, list, network, text, time};

impl<'a> Machine<'a> {
    /// Calls a function on these values.
    pub(super) fn apply_to(
        &mut self,
        function: Function,
        arguments: impl Iterator<Item = Value<'a>>,
    ) -> Value<'a> {
        self.stack.extend(arguments);
        self.call(function)
    }

    #[inline]
    pub(super) fn call(&mut self, function: Function) -> Value<'a> {
        match function.arity() {
            1 => {
                let only = self.pop();
                if let Value::Failed(failure) = only {
                    return Value::Failed(failure);
                }
                self.unary(function, only)
            }
            2 => {
                let second = self.pop();
                let first = self.pop();
                match (first, second) {
                    (Value::Failed(failure), _) | (_, Value::Failed(failure)) => {
                        Value::Failed(failure)
                    }
                    _ => self.binary(function, first, second),
                }
            }
            _ => self.many(function),
        }
    }

    /// The most frequent first.
    fn unary(&mut self, function: Function, only: Value<'a>) -> Value<'a> {
        match (function, only) {
            (Function::Not, Value::Bool(value)) => Value::Bool(!value),
            (Function::Size, _) => Value::of(self.size(only)),
            _ => Value::of(self.apply(function, [only, Value::Null, Value::Null, Value::Null])),
        }
    }

    #[inline]
    pub(super) fn binary(
        &mut self,
        function: Function,
        first: Value<'a>,
        second: Value<'a>,
    ) -> Value<'a> {
        use Function as F;
        let truth = match function {
            F::Equal => compare::equal(self, first, second),
            F::NotEqual => compare::equal(self, first, second).map(|equal| !equal),
            F::Less | F::LessOrEqual | F::Greater | F::GreaterOrEqual => {
                compare::ordered(self, function, first, second)
            }
            F::In => compare::contains(self, second, first),
            _ => return Value::of(self.apply(function, [first, second, Value::Null, Value::Null])),
        };
        match truth {
            Ok(truth) => Value::Bool(truth),
            Err(failure) => Value::Failed(failure),
        }
    }

    fn many(&mut self, function: Function) -> Value<'a> {
        let mut arguments = [Value::Null; 4];
        let mut failed = None;
        for argument in arguments.iter_mut().take(function.arity()).rev() {
            *argument = self.pop();
            failed = argument.failure().or(failed);
        }
        match failed {
            Some(failure) => Value::Failed(failure),
            None => Value::of(self.apply(function, arguments)),
        }
    }

    fn apply(
        &mut self,
        function: Function,
        arguments: [Value<'a>; 4],
    ) -> Result<Value<'a>, Failure> {
        use Function as F;
        let [first, second, ..] = arguments;
        match function {
            F::Dyn => Ok(first),
            F::OptionalOf | F::OfNonZero | F::HasValue | F::OrValue | F::Value | F::Or => {
                self.optional_function(function, first, second)
            }
            F::Index => self.index(first, second),
            F::OptionalIndex => self.index_optional(first, second),
            F::Part => self.part_of(first, second),
            F::HasKey => self.has_key(first, second),
            F::Add | F::Subtract | F::Multiply | F::Divide | F::Remainder => {
                match (first, second) {
                    (Value::Int(_), _) | (Value::Double(_), _) => {
                        arithmetic::apply(function, first, second)
                    }
                    _ if function == F::Add && self.is_sequence(first) => {
                        text::concatenate(self, first, second)
                    }
                    _ => arithmetic::apply(function, first, second),
                }
            }
            F::ContainsIp
            | F::ContainsCidr
            | F::Address
            | F::Masked
            | F::PrefixLength
            | F::IsIp
            | F::IsCidr
            | F::IsCanonical
            | F::IsUnspecified
            | F::IsGlobalUnicast
            | F::IsLinkLocalUnicast
            | F::IsLinkLocalMulticast
            | F::Family
            | F::IsLoopback => network::apply(self, function, first, second),
            _ if function.is_zoned() => time::part(function, first, None),
            F::Negate
            | F::Absolute
            | F::Ceiling
            | F::Floor
            | F::Round
            | F::Greatest
            | F::Least
            | F::Truncate
            | F::Sign
            | F::SquareRoot
            | F::IsNan
            | F::IsInfinite
            | F::IsFinite
            | F::BitAnd
            | F::BitOr
            | F::BitXor
            | F::BitNot
            | F::ShiftLeft
            | F::ShiftRight => arithmetic::apply(function, first, second),
            F::IsInt | F::IsUint | F::IsDouble | F::IsBool | F::IsTimestamp | F::IsDuration => {
                convert::is_text_of(self, function, first)
            }
            F::ToInt
            | F::ToUint
            | F::ToDouble
            | F::ToString
            | F::ToBytes
            | F::ToBool
            | F::ToTimestamp
            | F::ToDuration
            | F::ToIp
            | F::ToCidr
            | F::TypeOf => convert::apply(self, function, first),
            F::Slice
            | F::Flatten
            | F::FlattenTo
            | F::Sort
            | F::SortBy
            | F::Distinct
            | F::Range
            | F::First
            | F::Last
            | F::Unwrap
            | F::GreatestOf
            | F::LeastOf => list::apply(self, function, arguments),
            F::Reverse if !self.is_text(first) => list::apply(self, function, arguments),
            F::Format => format::format(self, first, second),
            F::Base64Encode | F::Base64Decode => encoding::apply(self, function, first),
            _ => text::apply(self, function, arguments),
        }
    }

    fn is_sequence(&self, value: Value<'a>) -> bool {
        self.is_text(value) || self.octets(value).is_some() || self.length(value).is_some()
    }

    fn optional_function(
        &mut self,
        function: Function,
        first: Value<'a>,
        second: Value<'a>,
    ) -> Result<Value<'a>, Failure> {
        use Function as F;
        match (function, first) {
            (F::OptionalOf, value) => self.present(value),
            (F::OfNonZero, value) if self.is_zero(value) => Ok(Value::Absent),
            (F::OfNonZero, value) => self.present(value),
            (F::HasValue, Value::Absent) => Ok(Value::Bool(false)),
            (F::HasValue, Value::Present(_)) => Ok(Value::Bool(true)),
            (F::Value, Value::Absent) => Err(Failure::Missing),
            (F::OrValue | F::Or, Value::Absent) => Ok(second),
            (F::OrValue | F::Value, Value::Present(_)) => Ok(self.inner(first)),
            (F::Or, Value::Present(_)) => Ok(first),
            _ => Err(Failure::Type),
        }
    }

    /// Whether a value is the one that its type begins with: `0`, `""`, `[]`, `null`.
    fn is_zero(&self, value: Value<'a>) -> bool {
        match value {
            Value::Null
            | Value::Bool(false)
            | Value::Int(0)
            | Value::Uint(0)
            | Value::Duration(0)
            | Value::Timestamp(0, 0)
            | Value::Absent => true,
            Value::Double(number) => number == 0.0,
            value => {
                let text = self.peek(value).ok().map(str::len);
                let octets = self.octets(value).map(<[u8]>::len);
                let held = text
                    .or(octets)
                    .or_else(|| self.length(value))
                    .or_else(|| self.entries(value));
                held == Some(0)
            }
        }
    }

    fn size(&self, value: Value<'a>) -> Result<Value<'a>, Failure> {
        if let Some(length) = self.length(value).or_else(|| self.entries(value)) {
            return Ok(Value::count(length));
        }
        match self.octets(value) {
            Some(bytes) => Ok(Value::count(bytes.len())),
            None => Ok(Value::count(self.string(value)?.chars().count())),
        }
    }
}

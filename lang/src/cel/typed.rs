//! A checked expression: every name resolved, every overload chosen, and under [`Mode::Total`] nothing left
//! that a well-formed call could make fail except arithmetic beyond 64 bits.
//!
//! Values of type [`Type::Dyn`] carry their type at run time. Operators and functions on them are the same
//! [`Function`]s, which look at the values; one that takes none of them fails, and so `Total` does not let
//! it through.
//!
//! [`Mode::Total`]: super::Mode::Total

mod field;
mod function;
mod ty;

use crate::source::Span;
pub use field::{Field, Member, Record, Section};
pub use function::Function;
pub use ty::{FieldType, Shape, Type};

/// A checked expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Typed {
    /// Where it was written.
    pub span: Span,
    /// Its type.
    pub ty: Type,
    /// What it does.
    pub kind: TypedKind,
}

/// What a checked expression does.
#[derive(Debug, Clone, PartialEq)]
pub enum TypedKind {
    /// A constant, folded as far as it goes.
    Constant(Constant),
    /// A fact other than a map; maps are only ever read by key.
    Field(Field),
    /// A declared variable, by its place in the scope's `variables`.
    Variable(u16),
    /// A variable of an enclosing comprehension or [`TypedKind::Bind`], numbered from 0 by nesting: an inner one
    /// has a higher number than every one around it.
    Local(u16),
    /// A field of a record.
    Member(Box<Typed>, Member),
    /// `map[?"key"]`: an optional. Keys are constants, so the runtime reads exactly those.
    Lookup(Field, String),
    /// `"key" in map`, `has(map.key)`.
    HasKey(Field, String),
    /// A function or operator that evaluates all its arguments.
    Call(Function, Vec<Typed>),
    /// Both; the right is read only if the left is true.
    And(Box<Typed>, Box<Typed>),
    /// Either; the right is read only if the left is false.
    Or(Box<Typed>, Box<Typed>),
    /// `condition ? then : otherwise`
    Conditional(Box<Typed>, Box<Typed>, Box<Typed>),
    /// A list of expressions that are not all constant.
    List(Vec<Typed>),
    /// A list of which some elements are optionals: `[?a, b]`. An absent one leaves no gap.
    OptionalList(Vec<Element>),
    /// `{k: v, ?k: v}`: a map of expressions that are not all constant. Under `Total` its keys are distinct.
    Map(Vec<Entry>),
    /// `body` with the local `local` standing for `value`, which is evaluated once, before it.
    Bind {
        /// The number of the name, see [`TypedKind::Local`].
        local: u16,
        /// What the name stands for.
        value: Box<Typed>,
        /// Where it may be used.
        body: Box<Typed>,
    },
    /// A macro over a list or a map.
    Comprehension {
        /// Which macro.
        kind: Comprehension,
        /// The list or map (or dyn, which fails if it is neither).
        range: Box<Typed>,
        /// The number of its variable, see [`TypedKind::Local`]. Alone: each element, or each key of a map. With a
        /// `second`: each index of a list, or each key.
        local: u16,
        /// The number of the second variable: each element, or each value of a map.
        second: Option<u16>,
        /// The condition of `map` and the `transform…` macros.
        filter: Option<Box<Typed>>,
        /// The condition, the new element, or the new value; of `transformMapEntry` a map of one entry.
        body: Box<Typed>,
    },
    /// Fails whenever it is evaluated, with this reason. Never under `Total`: what an expression that is not
    /// checked holds where the checker found a mistake.
    Fail(String),
}

/// An element of a list literal.
#[derive(Debug, Clone, PartialEq)]
pub struct Element {
    /// Whether `value` is an optional, whose value is the element.
    pub optional: bool,
    /// The element.
    pub value: Typed,
}

/// An entry of a map literal.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Whether `value` is an optional, whose value is the entry's.
    pub optional: bool,
    /// The key.
    pub key: Typed,
    /// The value.
    pub value: Typed,
}

/// Which macro.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comprehension {
    /// `all`
    All,
    /// `exists`
    Exists,
    /// `exists_one`
    ExistsOne,
    /// `map`
    Map,
    /// `filter`
    Filter,
    /// `transformList`
    TransformList,
    /// `transformMap`: a map with the keys of the range; its keys are the indices if that is a list.
    TransformMap,
    /// `transformMapEntry`: one map of all the entries; a repeated key fails.
    TransformMapEntry,
}

/// A value known at compile time.
#[derive(Debug, Clone, PartialEq)]
pub enum Constant {
    /// `null`
    Null,
    /// A bool
    Bool(bool),
    /// An int
    Int(i64),
    /// A uint
    Uint(u64),
    /// A double
    Double(f64),
    /// A string
    String(String),
    /// Bytes
    Bytes(Vec<u8>),
    /// Seconds and nanoseconds since 1970-01-01T00:00:00Z
    Timestamp(i64, u32),
    /// Nanoseconds
    Duration(i64),
    /// An address
    Ip(std::net::IpAddr),
    /// A network: its address and the length of its prefix
    Cidr(std::net::IpAddr, u8),
    /// A list
    List(Vec<Constant>),
    /// A map, its keys distinct and in the order they were written
    Map(Vec<(Constant, Constant)>),
    /// A type, by its CEL name: `int`, `null_type`, `google.protobuf.Timestamp`, `net.IP`, `optional_type`
    Type(String),
    /// `optional.none()`
    Absent,
    /// `optional.of(…)`
    Present(Box<Constant>),
}

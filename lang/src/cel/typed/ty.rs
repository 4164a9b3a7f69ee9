//! Static types.

use std::fmt;

use super::Record;

/// A static type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// Of an expression that was already reported; agrees with everything.
    Error,
    /// Of the elements of `[]` and the value of `optional.none()`: agrees with every type, and no value has it.
    Nothing,
    /// Known only at run time: a claim of a token.
    Dyn,
    /// `null`
    Null,
    /// true or false
    Bool,
    /// 64 bits, signed
    Int,
    /// 64 bits, unsigned
    Uint,
    /// IEEE 754 binary64
    Double,
    /// UTF-8
    String,
    /// Octets
    Bytes,
    /// A point in time
    Timestamp,
    /// A span of time
    Duration,
    /// An IP address
    Ip,
    /// A network
    Cidr,
    /// Any number of one type
    List(Box<Type>),
    /// From a type to a type
    Map(Box<Type>, Box<Type>),
    /// One or none
    Optional(Box<Type>),
    /// One of the request's own shapes
    Record(Record),
    /// A declared shape: at run time a map from its fields' names
    Struct(&'static Shape),
    /// The type of a type, such as that of `int`
    Type,
    /// A type of a declared function's signature that each call chooses
    Parameter(String),
    /// A declared type that has no meaning here, with its parameters
    Opaque(String, Vec<Self>),
}

/// The type of a field, asked for when it is needed.
pub type FieldType = fn() -> Type;

/// Named fields with a type each: what a [`Type::Struct`] holds. A field that it does not name is an error of
/// the author, one that it names is always there.
pub struct Shape {
    /// What one is called in messages: `tier`.
    pub name: &'static str,
    /// Its fields. The types are functions so that shapes may hold each other.
    pub fields: &'static [(&'static str, FieldType)],
}

impl Shape {
    /// The type of a field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<Type> {
        let found = self.fields.iter().find(|(field, _)| *field == name);
        found.map(|(_, ty)| ty())
    }
}

/// A shape is its name: shapes may hold each other, so they are not compared field by field.
impl PartialEq for Shape {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Shape {}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error => f.write_str("an unknown type"),
            Self::Dyn | Self::Nothing => f.write_str("dyn"),
            Self::Null => f.write_str("null"),
            Self::Bool => f.write_str("bool"),
            Self::Int => f.write_str("int"),
            Self::Uint => f.write_str("uint"),
            Self::Double => f.write_str("double"),
            Self::String => f.write_str("string"),
            Self::Bytes => f.write_str("bytes"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Duration => f.write_str("duration"),
            Self::Ip => f.write_str("ip"),
            Self::Cidr => f.write_str("cidr"),
            Self::List(element) => write!(f, "list({element})"),
            Self::Map(key, value) => write!(f, "map({key}, {value})"),
            Self::Optional(value) => write!(f, "optional({value})"),
            Self::Record(Record::Message) => f.write_str("message"),
            Self::Record(Record::Tool) => f.write_str("tool"),
            Self::Record(Record::ToolCall) => f.write_str("tool call"),
            Self::Struct(shape) => f.write_str(shape.name),
            Self::Type => f.write_str("type"),
            Self::Parameter(name) => f.write_str(name),
            Self::Opaque(name, parameters) if parameters.is_empty() => f.write_str(name),
            Self::Opaque(name, parameters) => {
                let parameters: Vec<String> = parameters.iter().map(Self::to_string).collect();
                write!(f, "{name}({})", parameters.join(", "))
            }
        }
    }
}

//! The suite's JSON: tests, values and types.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::value::RawValue;
use waypost_lang::cel::typed::Type;
use waypost_policies::vm::{Datum, TypeName};

/// One file of the suite.
#[derive(Debug, Deserialize)]
struct File {
    tests: Vec<Box<RawValue>>,
}

/// One test.
#[derive(Debug, Deserialize)]
pub(crate) struct Test {
    #[serde(skip)]
    pub(crate) file: String,
    pub(crate) section: String,
    pub(crate) name: String,
    pub(crate) expr: String,
    #[serde(default)]
    pub(crate) container: String,
    #[serde(default)]
    pub(crate) disable_check: bool,
    #[serde(default)]
    pub(crate) check_only: bool,
    #[serde(default)]
    pub(crate) type_env: Vec<Declaration>,
    #[serde(default)]
    pub(crate) bindings: std::collections::BTreeMap<String, Value>,
    pub(crate) value: Option<Value>,
    pub(crate) eval_error: Option<Vec<String>>,
    pub(crate) deduced_type: Option<TypeText>,
}

impl Test {
    /// File, section and name.
    pub(crate) fn path(&self) -> String {
        format!("{}/{}/{}", self.file, self.section, self.name)
    }
}

/// A declared name.
#[derive(Debug, Deserialize)]
pub(crate) struct Declaration {
    pub(crate) name: String,
    pub(crate) ident: Option<Ident>,
    pub(crate) function: Option<Function>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Ident {
    #[serde(rename = "type")]
    pub(crate) ty: TypeText,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Function {
    pub(crate) overloads: Vec<Overload>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Overload {
    #[serde(default)]
    pub(crate) params: Vec<TypeText>,
    pub(crate) result_type: TypeText,
}

/// A type as the suite writes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum TypeText {
    Primitive(String),
    Dyn(serde::de::IgnoredAny),
    Null(serde::de::IgnoredAny),
    ListType {
        #[serde(rename = "elemType")]
        element: Box<TypeText>,
    },
    MapType {
        #[serde(rename = "keyType")]
        key: Box<TypeText>,
        #[serde(rename = "valueType")]
        value: Box<TypeText>,
    },
    AbstractType {
        name: String,
        #[serde(rename = "parameterTypes", default)]
        parameters: Vec<TypeText>,
    },
    TypeParam(String),
    Type(serde::de::IgnoredAny),
    WellKnown(String),
    MessageType(String),
}

impl TypeText {
    pub(crate) fn ty(&self) -> Type {
        match self {
            Self::Primitive(name) => match name.as_str() {
                "BOOL" => Type::Bool,
                "INT64" => Type::Int,
                "UINT64" => Type::Uint,
                "DOUBLE" => Type::Double,
                "STRING" => Type::String,
                "BYTES" => Type::Bytes,
                other => panic!("a primitive {other}"),
            },
            Self::Dyn(_) => Type::Dyn,
            Self::Null(_) => Type::Null,
            Self::ListType { element } => Type::List(Box::new(element.ty())),
            Self::MapType { key, value } => Type::Map(Box::new(key.ty()), Box::new(value.ty())),
            Self::AbstractType { name, parameters } if name == "optional_type" => {
                Type::Optional(Box::new(parameters[0].ty()))
            }
            Self::AbstractType { name, parameters } => {
                Type::Opaque(name.clone(), parameters.iter().map(Self::ty).collect())
            }
            Self::TypeParam(name) => Type::Parameter(name.clone()),
            Self::Type(_) => Type::Type,
            Self::WellKnown(name) | Self::MessageType(name) => panic!("a message {name}"),
        }
    }
}

/// A value as the suite writes it. A double is kept as text: what is compared must be read exactly.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Value {
    Null(()),
    Bool(bool),
    Int(String),
    Uint(String),
    Double(Box<RawValue>),
    String(String),
    Bytes(String),
    List(Vec<Value>),
    Map(Vec<(Value, Value)>),
    Type(String),
}

impl Value {
    pub(crate) fn datum(&self) -> Datum {
        match self {
            Self::Null(()) => Datum::Null,
            Self::Bool(value) => Datum::Bool(*value),
            Self::Int(number) => Datum::Int(number.parse().unwrap()),
            Self::Uint(number) => Datum::Uint(number.parse().unwrap()),
            Self::Double(number) => Datum::Double(number.get().trim_matches('"').parse().unwrap()),
            Self::String(text) => Datum::String(text.clone()),
            Self::Bytes(text) => Datum::Bytes(decoded(text)),
            Self::List(elements) => Datum::List(elements.iter().map(Self::datum).collect()),
            Self::Map(entries) => {
                let entries = entries
                    .iter()
                    .map(|(key, value)| (key.datum(), value.datum()));
                Datum::Map(entries.collect())
            }
            Self::Type(name) => {
                let found = TypeName::ALL.iter().find(|known| known.name() == name);
                Datum::Type(*found.unwrap_or_else(|| panic!("a type {name}")))
            }
        }
    }
}

fn decoded(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .unwrap()
}

/// What a test mentions that needs protobuf messages, enums or their well-known types.
const PROTOBUF: &[&str] = &[
    "TestAllTypes",
    "google.protobuf",
    "\"object\"",
    "messageType",
    "\"enum\"",
    "proto2",
    "proto3",
];

/// The tests that need no protobuf message, and how many others there are; none where the suite is not there.
pub(crate) fn read() -> Option<(Vec<Test>, usize)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/cel-conformance/json");
    let files = std::fs::read_dir(folder).ok()?;
    let mut paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    let (mut tests, mut left_out) = (Vec::new(), 0);
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let file: File = serde_json::from_str(&text).unwrap();
        for test in file.tests {
            if PROTOBUF.iter().any(|word| test.get().contains(word)) {
                left_out += 1;
                continue;
            }
            let mut test: Test = serde_json::from_str(test.get()).unwrap();
            test.file = path.file_stem().unwrap().to_string_lossy().into_owned();
            tests.push(test);
        }
    }
    Some((tests, left_out))
}

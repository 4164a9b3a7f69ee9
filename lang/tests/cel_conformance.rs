//! The front half of the conformance suite of CEL (google/cel-spec, `tests/simple`): every test that needs no
//! protobuf message parses and checks, and what the checker should deduce it does.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

use serde_json::Value;
use waypost_lang::FileId;
use waypost_lang::cel::typed::{Section, Type, Typed};
use waypost_lang::cel::{Expected, Extent, Mode, Scope, Signature, Variable, check, parse};

fn primitive(name: &str) -> Type {
    match name {
        "BOOL" => Type::Bool,
        "INT64" => Type::Int,
        "UINT64" => Type::Uint,
        "DOUBLE" => Type::Double,
        "STRING" => Type::String,
        "BYTES" => Type::Bytes,
        other => panic!("no primitive type: {other}"),
    }
}

/// The type that a test states.
fn ty(value: &Value) -> Type {
    let (kind, inner) = value.as_object().unwrap().iter().next().unwrap();
    let boxed = |name: &str| Box::new(inner.get(name).map_or(Type::Dyn, ty));
    match kind.as_str() {
        "primitive" => primitive(inner.as_str().unwrap()),
        "null" => Type::Null,
        "dyn" => Type::Dyn,
        "listType" => Type::List(boxed("elemType")),
        "mapType" => Type::Map(boxed("keyType"), boxed("valueType")),
        "typeParam" => Type::Parameter(inner.as_str().unwrap().to_owned()),
        "abstractType" => {
            let parameters = inner["parameterTypes"].as_array().unwrap();
            let mut parameters: Vec<Type> = parameters.iter().map(ty).collect();
            match inner["name"].as_str().unwrap() {
                "optional_type" => Type::Optional(Box::new(parameters.remove(0))),
                name => Type::Opaque(name.to_owned(), parameters),
            }
        }
        "wellKnown" => match inner.as_str().unwrap() {
            "TIMESTAMP" => Type::Timestamp,
            "DURATION" => Type::Duration,
            _ => Type::Dyn,
        },
        "messageType" => match inner.as_str().unwrap() {
            "google.protobuf.Timestamp" => Type::Timestamp,
            "google.protobuf.Duration" => Type::Duration,
            _ => Type::Dyn,
        },
        _ => Type::Dyn,
    }
}

/// Words of tests that need protobuf: its messages, their enums and its well-known types.
const PROTOBUF: &[&str] = &[
    "TestAllTypes",
    "google.protobuf",
    "\"object\"",
    "messageType",
    "\"enum\"",
    "proto2",
    "proto3",
];

/// Whether a test needs protobuf, of which Waypost has nothing.
fn needs_protobuf(test: &Value) -> bool {
    let text = test.to_string();
    PROTOBUF.iter().any(|word| text.contains(word))
}

fn checked(test: &Value) -> Result<Typed, String> {
    let source = format!("({}\n)", test["expr"].as_str().unwrap());
    let parsed = parse(FileId(0), &source, 0, Extent::Statement);
    if let Some(finding) = parsed.diagnostics.first() {
        return Err(format!("does not parse: {}", finding.message));
    }
    let empty = Vec::new();
    let declared = test["type_env"].as_array().unwrap_or(&empty);
    let mut variables: Vec<Variable<'_>> = Vec::new();
    let mut functions: Vec<Signature<'_>> = Vec::new();
    for one in declared {
        let name = one["name"].as_str().unwrap();
        if let Some(ident) = one.get("ident") {
            variables.push(Variable {
                name,
                ty: ty(&ident["type"]),
            });
        }
        for overload in one["function"]["overloads"].as_array().unwrap_or(&empty) {
            functions.push(Signature {
                name,
                parameters: overload["params"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(ty)
                    .collect(),
                result: ty(&overload["resultType"]),
            });
        }
    }
    if let Some(bindings) = test["bindings"].as_object() {
        for name in bindings.keys() {
            if !variables.iter().any(|one| one.name == name) {
                variables.push(Variable {
                    name,
                    ty: Type::Dyn,
                });
            }
        }
    }
    let unchecked = test["disable_check"] == true;
    let scope = Scope {
        variables: &variables,
        functions: &functions,
        container: test["container"].as_str().unwrap_or(""),
        mode: if unchecked {
            Mode::Unchecked
        } else {
            Mode::Fallible
        },
        ..Scope::of(Section::Constant)
    };
    let mut diagnostics = Vec::new();
    check(&parsed.expr, &scope, Expected::Any, &mut diagnostics).ok_or_else(|| {
        diagnostics
            .iter()
            .map(|one| one.message.as_str())
            .collect::<Vec<_>>()
            .join("; ")
    })
}

#[test]
fn the_conformance_suite_parses_and_checks() {
    let folder =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/cel-conformance/json");
    let Ok(files) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: there is no {}", folder.display());
        return;
    };
    let (mut passed, mut failures) = (0, Vec::new());
    for file in files {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let document: Value = serde_json::from_str(&text).unwrap();
        for test in document["tests"].as_array().unwrap() {
            if needs_protobuf(test) {
                continue;
            }
            let fails = test.get("eval_error").is_some();
            let outcome = match (checked(test), test.get("deduced_type")) {
                (Ok(typed), Some(expected)) if typed.ty != ty(expected) => {
                    Err(format!("{} is deduced, not {expected}", typed.ty))
                }
                (Err(why), _) if !fails => Err(why),
                _ => Ok(()),
            };
            match outcome {
                Ok(()) => passed += 1,
                Err(why) => failures.push(format!(
                    "{}/{}/{}: {}: {why}",
                    document["name"].as_str().unwrap(),
                    test["section"].as_str().unwrap(),
                    test["name"].as_str().unwrap(),
                    test["expr"].as_str().unwrap(),
                )),
            }
        }
    }
    println!("{passed} tests without messages parse and check");
    assert_eq!(passed + failures.len(), 1_737);
    assert!(
        failures.is_empty(),
        "{} fail:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

//! The conformance suite of CEL: parsed, checked, lowered, sealed, verified and run, folded and not.
//!
//! Every test counts that needs no protobuf: none of the words of `suite::PROTOBUF` stands in it. An error that is
//! expected may be the checker's, or a failed value; a value is compared with its type.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod suite;

use suite::Test;
use waypost_compiler::{Folder, lower_expression};
use waypost_lang::SourceMap;
use waypost_lang::cel::typed::{Section, Type};
use waypost_lang::cel::{
    Evaluate, Expected, Extent, Mode, Scope, Signature, Variable, check, parse,
};
use waypost_policies::Evaluation;
use waypost_policies::plan::{Plan, encode};
use waypost_policies::vm::{self, Datum};

/// Tests that do not pass, each with its reason.
const EXCEPTIONS: &[(&str, &str)] = &[];

/// Tests whose value the conversion to JSON garbled, with the value that the suite has: in the text format that it is
/// written in, `\?` in a string is a `?`, and the conversion left the backslash in two strings of octets.
const GARBLED: &[(&str, &[u8])] = &[
    (
        "parse/bytes_literals/triple_single_quoted_unescaped_punctuation",
        b" ? \" ' ` ",
    ),
    (
        "parse/bytes_literals/triple_double_quoted_unescaped_punctuation",
        b" ? \" ' ` ",
    ),
];

/// The figure of the suite without protobuf.
const ALL: usize = 1_737;
const LEFT_OUT: usize = 719;

/// What became of an expression.
enum Result {
    Refused(String),
    Type(Type),
    Failed(vm::Failure),
    Value(Datum, Type),
}

fn run(test: &Test, evaluator: Option<&dyn Evaluate>) -> Result {
    let mut sources = SourceMap::default();
    // In parentheses an expression may have several lines.
    let text = format!("({}\n)", test.expr);
    let file = sources.add("test", text.clone());
    let parsed = parse(file, &text, 0, Extent::Statement);
    if let Some(mistake) = parsed.diagnostics.first() {
        return Result::Refused(mistake.message.clone());
    }
    assert_eq!(
        parsed.end as usize,
        text.len(),
        "all of `{}` is read",
        test.expr
    );
    let (variables, values) = variables(test);
    let functions = functions(test);
    let scope = Scope {
        variables: &variables,
        functions: &functions,
        container: &test.container,
        mode: if test.disable_check {
            Mode::Unchecked
        } else {
            Mode::Fallible
        },
        evaluator,
        ..Scope::of(Section::Constant)
    };
    let mut diagnostics = Vec::new();
    let Some(typed) = check(&parsed.expr, &scope, Expected::Any, &mut diagnostics) else {
        return Result::Refused(
            diagnostics
                .first()
                .map_or_else(String::new, |one| one.message.clone()),
        );
    };
    if test.check_only {
        return Result::Type(typed.ty);
    }
    let plan = Plan::load(encode(&lower_expression(&typed)));
    let plan =
        plan.unwrap_or_else(|error| panic!("{}: `{}`: {error}\n{typed:#?}", test.name, test.expr));
    let ty = typed.ty;
    match vm::evaluate(&plan, 0, &values, &mut Evaluation::default()) {
        Ok(value) => Result::Value(value, ty),
        Err(failure) => Result::Failed(failure),
    }
}

/// The declared names, those with values first, and the values.
fn variables(test: &Test) -> (Vec<Variable<'_>>, Vec<Datum>) {
    let declared = |name: &str| {
        let found = test.type_env.iter().find(|one| one.name == name);
        found
            .and_then(|one| one.ident.as_ref())
            .map(|ident| ident.ty.ty())
    };
    let bound = test.bindings.keys().map(|name| Variable {
        name,
        ty: declared(name).unwrap_or(Type::Dyn),
    });
    let unbound = test
        .type_env
        .iter()
        .filter(|one| !test.bindings.contains_key(&one.name));
    let unbound = unbound.filter_map(|one| {
        let ty = one.ident.as_ref()?.ty.ty();
        Some(Variable {
            name: &one.name,
            ty,
        })
    });
    let values = test.bindings.values().map(suite::Value::datum);
    (bound.chain(unbound).collect(), values.collect())
}

fn functions(test: &Test) -> Vec<Signature<'_>> {
    let overloads = test.type_env.iter().flat_map(|declaration| {
        let overloads = declaration
            .function
            .iter()
            .flat_map(|function| &function.overloads);
        overloads.map(|overload| Signature {
            name: &declaration.name,
            parameters: overload.params.iter().map(suite::TypeText::ty).collect(),
            result: overload.result_type.ty(),
        })
    });
    overloads.collect()
}

/// What is wrong with a test's result; nothing where it is as the suite says.
fn complaint(test: &Test, result: &Result) -> Option<String> {
    let deduced = test.deduced_type.as_ref().map(suite::TypeText::ty);
    let ty = match result {
        Result::Type(ty) | Result::Value(_, ty) => Some(ty),
        _ => None,
    };
    if let (Some(deduced), Some(ty)) = (&deduced, ty)
        && deduced != ty
    {
        return Some(format!("the type is {ty}, not {deduced}"));
    }
    let expects_error = test.eval_error.is_some();
    match (result, expected(test)) {
        (Result::Refused(_) | Result::Failed(_), _) if expects_error => None,
        (Result::Type(_), None) if test.check_only => None,
        (Result::Value(value, _), Some(expected)) if same(value, &expected) => None,
        (Result::Value(value, _), expected) => Some(format!("it is {value:?}, not {expected:?}")),
        (Result::Failed(failure), _) => Some(format!("it failed: {failure:?}")),
        (Result::Refused(message), _) => Some(format!("it was refused: {message}")),
        (Result::Type(ty), _) => Some(format!("it was only checked: {ty}")),
    }
}

/// The value that the suite expects.
fn expected(test: &Test) -> Option<Datum> {
    let garbled = GARBLED.iter().find(|(name, _)| *name == test.path());
    match garbled {
        Some((_, bytes)) => Some(Datum::Bytes(bytes.to_vec())),
        None => test.value.as_ref().map(suite::Value::datum),
    }
}

/// Whether two values are the same, types and signs of zero included. Maps have no order; NaN is NaN.
fn same(left: &Datum, right: &Datum) -> bool {
    match (left, right) {
        (Datum::Double(left), Datum::Double(right)) => {
            left.to_bits() == right.to_bits() || left.is_nan() && right.is_nan()
        }
        (Datum::List(left), Datum::List(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right)
                    .all(|(left, right)| same(left, right))
        }
        (Datum::Map(left), Datum::Map(right)) => {
            let has = |entry: &(Datum, Datum)| {
                right
                    .iter()
                    .any(|(key, value)| same(key, &entry.0) && same(value, &entry.1))
            };
            left.len() == right.len() && left.iter().all(has)
        }
        _ => left == right,
    }
}

fn is_exception(test: &Test) -> bool {
    EXCEPTIONS
        .iter()
        .any(|(exception, _)| *exception == test.path())
}

/// How many pass; prints those that do not.
fn passing(tests: &[Test], evaluator: Option<&dyn Evaluate>) -> usize {
    let mut passing = 0;
    for test in tests {
        match complaint(test, &run(test, evaluator)) {
            None => passing += 1,
            Some(complaint) => {
                let known = if is_exception(test) {
                    "(an exception) "
                } else {
                    ""
                };
                println!("{known}{}: `{}`: {complaint}", test.path(), test.expr);
            }
        }
    }
    passing
}

#[test]
fn what_needs_no_protobuf_conforms() {
    let Some((tests, left_out)) = suite::read() else {
        println!("skipped: ../shared/cel-conformance is not there");
        return;
    };
    assert_eq!(
        (tests.len(), left_out),
        (ALL, LEFT_OUT),
        "the suite is another"
    );
    for (how, evaluator) in [
        ("unfolded", None),
        ("folded", Some(&Folder as &dyn Evaluate)),
    ] {
        let passing = passing(&tests, evaluator);
        println!(
            "cel conformance, {how}: {passing} of {ALL}; protobuf: {left_out} left out; exceptions: {}",
            EXCEPTIONS.len()
        );
        assert_eq!(passing, ALL - EXCEPTIONS.len(), "{how}");
    }
}

//! Functions of constants, computed by the machine that computes them at run time.

use waypost_lang::cel::Evaluate;
use waypost_lang::cel::typed::{Constant, Typed, TypedKind};
use waypost_policies::Evaluation;
use waypost_policies::plan::{Plan, encode};
use waypost_policies::vm::{self, Datum, Failure};

use crate::lower::expression::{from_datum, function as function_of, to_datum};
use crate::lower_expression;

/// Evaluates expressions of constants on the machine of the plan.
#[derive(Debug, Clone, Copy, Default)]
pub struct Folder;

impl Evaluate for Folder {
    fn evaluate(&self, expression: &Typed) -> Result<Constant, String> {
        let value = match call(expression) {
            Some(value) => value,
            None => whole(expression)?,
        };
        value
            .map(from_datum)
            .map_err(|failure| reason(failure).to_owned())
    }
}

/// A function of constants that no instruction is made for: called as it is, without a plan around it.
fn call(expression: &Typed) -> Option<Result<Datum, Failure>> {
    let TypedKind::Call(function, arguments) = &expression.kind else {
        return None;
    };
    let function = function_of(*function, arguments.len())?;
    if function.arity() != arguments.len() {
        return None;
    }
    let values = arguments.iter().map(|argument| match &argument.kind {
        TypedKind::Constant(value) => to_datum(value),
        _ => None,
    });
    let values: Vec<Datum> = values.collect::<Option<_>>()?;
    Some(vm::apply(function, &values))
}

/// Everything else: lowered, sealed, verified and run as an expression of a plan is.
fn whole(expression: &Typed) -> Result<Result<Datum, Failure>, String> {
    let plan =
        Plan::load(encode(&lower_expression(expression))).map_err(|error| error.to_string())?;
    Ok(vm::evaluate(&plan, 0, &[], &mut Evaluation::default()))
}

/// Why there is no value, to stand in a message.
const fn reason(failure: Failure) -> &'static str {
    match failure {
        Failure::Arithmetic => "it does not fit in 64 bits, or divides by 0",
        Failure::Type => "a value has the wrong type",
        Failure::Key => "there is no such place or key, or a key stands twice",
        Failure::Conversion => "the text does not say that",
        Failure::Missing => "there is no value",
        Failure::Work => "it is too much work",
    }
}

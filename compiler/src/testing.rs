//! Runs `test` blocks: what is given becomes a call, the compiled plan decides it, what is expected must have come of it.
//!
//! Pure: the clock of a test is what it says, else a fixed noon; nothing is sent and nothing is kept from one test
//! to the next. The call is read from a body as the runtime reads one, and decided by the same function.

mod call;
mod expectation;
mod reason;
#[cfg(test)]
mod tests;

use waypost_lang::Span;
use waypost_policies::limits::State;
use waypost_policies::{Evaluation, Plan, decide, explain};

use crate::Program;
use crate::program::Test;
use call::Call;
use expectation::Verdict;

/// What came of one test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What it is called.
    pub name: String,
    /// Where its name stands.
    pub span: Span,
    /// What was expected and did not come; none when the test passed.
    pub mismatches: Vec<Mismatch>,
}

impl Outcome {
    /// Whether everything expected came.
    #[must_use]
    pub const fn passed(&self) -> bool {
        self.mismatches.is_empty()
    }
}

/// Something expected that did not come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The expectation.
    pub span: Span,
    /// `expected tier weak, was strong: escalated by …`
    pub message: String,
}

/// Runs one test of `program` through its plan.
#[must_use]
pub fn run(test: &Test, program: &Program, plan: &Plan) -> Outcome {
    Outcome {
        name: test.name.value.clone(),
        span: test.name.span,
        mismatches: mismatches(test, program, plan),
    }
}

fn mismatches(test: &Test, program: &Program, plan: &Plan) -> Vec<Mismatch> {
    let call = Call::new(&test.given, plan);
    let request = match call.request(plan) {
        Ok(request) => request,
        Err(message) => {
            return vec![Mismatch {
                span: test.name.span,
                message,
            }];
        }
    };
    let facts = call.facts(&request, plan);
    // Only this process sees the state, so its keys need no secret.
    let state = State::new(plan, [0, 0]);
    let mut evaluation = Evaluation::default();
    call.spend(program, plan, &facts, &state, &mut evaluation);
    let verdict = Verdict {
        plan,
        decision: decide(plan, &facts, &state, &mut evaluation),
        explanation: explain(plan, &facts, &state, &mut evaluation),
    };
    test.expect
        .iter()
        .filter_map(|expect| {
            Some(Mismatch {
                span: expect.span,
                message: verdict.mismatch(&expect.kind)?,
            })
        })
        .collect()
}

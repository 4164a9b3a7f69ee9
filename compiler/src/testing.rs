//! Runs `test` blocks: what is given becomes a call, the compiled plan decides it, what is expected must have come of it.
//!
//! Pure: the clock of a test is what it says, else a fixed noon; nothing is sent and nothing is kept from one test
//! to the next. The call is read from a body as the runtime reads one, and decided by the same function.

mod call;
mod comparison;
mod coverage;
mod expectation;
mod reason;
#[cfg(test)]
mod tests;

use waypost_lang::Span;
use waypost_lang::syntax::tree::Expect;
use waypost_policies::limits::State;
use waypost_policies::{Evaluation, Plan, decide, explain};

use crate::Program;
use crate::program::Test;
use call::Call;
pub use comparison::Compared;
pub use coverage::{Coverage, Rule};
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
    /// Every expectation beside what came.
    pub compared: Vec<Compared>,
    /// The rules that the call reached.
    pub reached: Vec<Rule>,
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
    /// ``expected tier weak, was strong: escalated by `long context`, line 31: request.tokens = 30211 > 24000``
    pub message: String,
}

/// Runs one test of `program` through its plan.
#[must_use]
pub fn run(test: &Test, program: &Program, plan: &Plan) -> Outcome {
    let mut outcome = Outcome {
        name: test.name.value.clone(),
        span: test.name.span,
        mismatches: Vec::new(),
        compared: Vec::new(),
        reached: Vec::new(),
    };
    let call = Call::new(&test.given, plan);
    let request = match call.request(plan) {
        Ok(request) => request,
        Err(message) => {
            outcome.mismatches.push(Mismatch {
                span: test.name.span,
                message,
            });
            return outcome;
        }
    };
    let facts = call.facts(&request, plan);
    // Only this process sees the state, so its keys need no secret.
    let state = State::new(plan, [0, 0]);
    let mut evaluation = Evaluation::default();
    call.spend(program, plan, &facts, &state, &mut evaluation);
    let verdict = Verdict {
        plan,
        file: plan.file(test.name.span.file.0).unwrap_or_default(),
        tokens: request.tokens,
        decision: decide(plan, &facts, &state, &mut evaluation),
        explanation: explain(plan, &facts, &state, &mut evaluation),
    };
    outcome.mismatches = mismatches(test, &verdict);
    outcome.compared = comparison::compare(&test.expect, &verdict);
    let is_in_session = verdict.decision.session.is_some();
    outcome.reached = coverage::reached(&verdict.explanation, is_in_session);
    outcome
}

fn mismatches(test: &Test, verdict: &Verdict<'_>) -> Vec<Mismatch> {
    let mismatch = |expect: &Expect| {
        Some(Mismatch {
            span: expect.span,
            message: verdict.mismatch(&expect.kind)?,
        })
    };
    test.expect.iter().filter_map(mismatch).collect()
}

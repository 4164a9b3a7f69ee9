//! Evaluates a plan's expressions during one decision: each at most once, when a rule first asks.

use std::sync::LazyLock;

use super::condition::Term;
use super::datum::Datum;
use super::inputs::{Context, Endpoint, Inputs};
use super::machine::{Buffers, Machine, member_of};
use super::value::{Failure, Value};
use super::vocabulary::{Function, Member};
use crate::decision::Key;
use crate::facts::Facts;
use crate::limits::State;
use crate::plan::draft::ExpressionIndex;
use crate::plan::{Draft, Plan, encode};

/// What a worker keeps from one decision to the next: buffers and counters, nothing of the calls.
#[derive(Debug, Default)]
pub struct Evaluation {
    buffers: Buffers,
    memo: Vec<Memo>,
    /// Room for the rules that a call can match.
    ranks: Vec<u16>,
    stamp: u64,
    failures: u64,
}

impl Evaluation {
    /// Expressions that failed so far: each is a bug, and a rule that acted closed.
    #[must_use]
    pub const fn failures(&self) -> u64 {
        self.failures
    }
}

/// The outcome of an expression, good while `stamp` is.
#[derive(Debug, Clone, Copy)]
struct Memo {
    stamp: u64,
    verdict: Verdict,
}

/// What a rule needs of an expression's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Verdict {
    Bool(bool),
    Text { key: Key, empty: bool },
    Failed(Failure),
}

/// One decision's evaluations.
pub(crate) struct Session<'a, 'e> {
    machine: Machine<'a>,
    evaluation: &'e mut Evaluation,
    state: Option<&'a State>,
    stamp: u64,
    context_stamp: u64,
}

impl<'a, 'e> Session<'a, 'e> {
    pub(crate) fn new(
        plan: &'a Plan,
        facts: &'a Facts<'a>,
        state: &'a State,
        evaluation: &'e mut Evaluation,
    ) -> Self {
        let inputs = Inputs::new(plan, Some(facts), None);
        Self::with_inputs(inputs, Some(state), evaluation)
    }

    fn with_inputs(
        inputs: Inputs<'a>,
        state: Option<&'a State>,
        evaluation: &'e mut Evaluation,
    ) -> Self {
        let count = inputs.plan.expressions().len();
        evaluation.stamp += 2;
        let memo = Memo {
            stamp: 0,
            verdict: Verdict::Failed(Failure::Missing),
        };
        evaluation.memo.resize(count, memo);
        Self {
            machine: Machine::new(inputs, std::mem::take(&mut evaluation.buffers)),
            stamp: evaluation.stamp - 1,
            context_stamp: evaluation.stamp,
            evaluation,
            state,
        }
    }

    /// Room for a list of rules, until [`Self::put_back`].
    pub(crate) fn take_ranks(&mut self) -> Vec<u16> {
        std::mem::take(&mut self.evaluation.ranks)
    }

    pub(crate) fn put_back(&mut self, ranks: Vec<u16>) {
        self.evaluation.ranks = ranks;
    }

    /// What rules see as `tier`, `model` and `cost` from now on.
    pub(crate) fn set_context(&mut self, context: Context) {
        if self.machine.inputs.context != context {
            self.machine.inputs.context = context;
            self.evaluation.stamp += 1;
            self.context_stamp = self.evaluation.stamp;
        }
    }

    pub(crate) fn set_threshold(&mut self, threshold: Option<f64>) {
        self.machine.inputs.threshold = threshold;
    }

    /// The difficulty, if a rule asked for it or an earlier decision knew it.
    pub(crate) const fn difficulty(&self) -> Option<f64> {
        self.machine.inputs.difficulty
    }

    pub(crate) fn set_difficulty(&mut self, difficulty: Option<f64>) {
        self.machine.inputs.difficulty = difficulty;
    }

    /// Whether a rule matches. One that failed does: closed.
    pub(crate) fn matches(&mut self, when: ExpressionIndex) -> bool {
        self.condition(when).unwrap_or(true)
    }

    /// Whether a condition is true. One that failed is not.
    pub(crate) fn is_true(&mut self, when: ExpressionIndex) -> bool {
        self.condition(when).unwrap_or(false)
    }

    /// A condition's value. A string that only the call brought (a claim of its token) is none, and a failure.
    pub(crate) fn condition(&mut self, when: ExpressionIndex) -> Result<bool, Failure> {
        match self.verdict(when) {
            Verdict::Bool(value) => Ok(value),
            Verdict::Failed(failure) => Err(failure),
            Verdict::Text { .. } => {
                self.evaluation.failures += 1;
                Err(Failure::Type)
            }
        }
    }

    /// The bucket of a `per`; that of "" where it failed or none is written.
    pub(crate) fn key(&mut self, per: Option<ExpressionIndex>) -> Key {
        match per.map(|per| self.verdict(per)) {
            Some(Verdict::Text { key, .. }) => key,
            _ => self.hash(""),
        }
    }

    pub(crate) fn verdict(&mut self, index: ExpressionIndex) -> Verdict {
        let plan = self.machine.inputs.plan;
        let summary = plan.tables().expressions.get(index as usize);
        let stamp = if summary.is_some_and(|summary| summary.is_contextual()) {
            self.context_stamp
        } else {
            self.stamp
        };
        match self.evaluation.memo.get(index as usize) {
            Some(memo) if memo.stamp == stamp => return memo.verdict,
            _ => {}
        }
        let verdict = match self.test(index) {
            Some(Ok(value)) => Verdict::Bool(value),
            Some(Err(failure)) => Verdict::Failed(failure),
            None => {
                let value = self.value(index);
                self.judge(value)
            }
        };
        if matches!(verdict, Verdict::Failed(_)) {
            self.evaluation.failures += 1;
        }
        if let Some(memo) = self.evaluation.memo.get_mut(index as usize) {
            *memo = Memo { stamp, verdict };
        }
        verdict
    }

    /// Whether a condition holds that has a form for speed.
    fn test(&mut self, index: ExpressionIndex) -> Option<Result<bool, Failure>> {
        let conditions = &self.machine.inputs.plan.tables().conditions;
        let condition = conditions.get(index as usize)?.as_ref()?;
        Some(self.machine.test(condition))
    }

    fn value(&mut self, index: ExpressionIndex) -> Value<'a> {
        let code = self.machine.inputs.plan.code(index);
        self.machine.evaluate(code)
    }

    fn judge(&self, value: Value<'a>) -> Verdict {
        match value {
            Value::Bool(value) => Verdict::Bool(value),
            Value::Failed(failure) => Verdict::Failed(failure),
            value => match self.machine.string(value) {
                Ok(text) => Verdict::Text {
                    key: self.hash(text),
                    empty: text.is_empty(),
                },
                Err(failure) => Verdict::Failed(failure),
            },
        }
    }

    fn hash(&self, text: &str) -> Key {
        self.state.map_or(Key(0), |state| state.key(text))
    }

    /// What `read` makes of a string expression's value; of "" where it has none.
    pub(crate) fn text<T>(&mut self, index: ExpressionIndex, read: impl FnOnce(&str) -> T) -> T {
        let value = self.value(index);
        read(self.machine.string(value).unwrap_or_default())
    }

    /// The value of a term by itself.
    pub(crate) fn term(&mut self, term: &'a Term) -> Value<'a> {
        self.machine.value(term)
    }

    /// How many elements a list has.
    pub(crate) fn length(&self, list: Value<'a>) -> Option<usize> {
        self.machine.length(list)
    }

    /// The text in a field of an element.
    pub(crate) fn element_text(
        &self,
        list: Value<'a>,
        index: usize,
        member: Member,
    ) -> Option<&'a str> {
        match member_of(self.machine.element(list, index), member) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The machine, to look at the values that a rule read.
    pub(crate) fn machine(&mut self) -> &mut Machine<'a> {
        &mut self.machine
    }
}

impl Drop for Session<'_, '_> {
    fn drop(&mut self) {
        self.evaluation.buffers = self.machine.buffers();
    }
}

/// Whether one condition holds for a call, by itself: what benchmarks and the conformance tests ask. `threshold` has no
/// value here, and neither have `tier`, `model` and `cost`.
///
/// # Errors
///
/// Why it has no value, or that it is no condition.
pub fn holds(
    plan: &Plan,
    when: ExpressionIndex,
    facts: &Facts<'_>,
    state: &State,
    evaluation: &mut Evaluation,
) -> Result<bool, Failure> {
    Session::new(plan, facts, state, evaluation).condition(when)
}

/// One call's conditions by themselves, each evaluated as often as it is asked for. `tier` is the lowest one here,
/// `threshold` has no value.
pub struct Conditions<'a, 'e>(Session<'a, 'e>);

impl<'a, 'e> Conditions<'a, 'e> {
    /// On these facts.
    pub fn new(plan: &'a Plan, facts: &'a Facts<'a>, evaluation: &'e mut Evaluation) -> Self {
        Self(Session::with_inputs(
            Inputs::new(plan, Some(facts), None),
            None,
            evaluation,
        ))
    }

    /// Whether one holds.
    ///
    /// # Errors
    ///
    /// Why it has no value, or that it is no condition.
    pub fn holds(&mut self, when: ExpressionIndex) -> Result<bool, Failure> {
        match self.0.test(when) {
            Some(result) => result,
            None => self.holds_by_code(when),
        }
    }

    /// The same by its instructions alone, without the form that a loaded plan keeps for speed: what tests compare.
    ///
    /// # Errors
    ///
    /// As [`Self::holds`].
    pub fn holds_by_code(&mut self, when: ExpressionIndex) -> Result<bool, Failure> {
        match self.0.value(when) {
            Value::Bool(value) => Ok(value),
            value => Err(value.failure().unwrap_or(Failure::Type)),
        }
    }
}

/// The value of an expression that reads no fact, on variables by their numbers.
///
/// # Errors
///
/// Why it has no value.
pub fn evaluate(
    plan: &Plan,
    expression: ExpressionIndex,
    variables: &[Datum],
    evaluation: &mut Evaluation,
) -> Result<Datum, Failure> {
    let mut inputs = Inputs::new(plan, None, None);
    inputs.variables = variables;
    let mut session = Session::with_inputs(inputs, None, evaluation);
    let value = session.value(expression);
    session.machine.own(value, 0)
}

/// The value of a function on values, as the machine computes it.
///
/// # Errors
///
/// Why it has none.
pub fn apply(function: Function, arguments: &[Datum]) -> Result<Datum, Failure> {
    static NOTHING: LazyLock<Option<Plan>> =
        LazyLock::new(|| Plan::load(encode(&Draft::default())).ok());
    let plan = NOTHING.as_ref().ok_or(Failure::Missing)?;
    let mut machine = Machine::new(Inputs::new(plan, None, None), Buffers::default());
    if arguments.len() != function.arity() {
        return Err(Failure::Type);
    }
    let value = machine.apply_to(function, arguments.iter().map(Value::from));
    machine.own(value, 0)
}

/// A hash that is the same in every process and version: FNV-1a, then mixed so that its remainders are even.
pub(crate) fn stable_hash(bytes: &[u8]) -> u64 {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

/// Whether a pool's `only when` conditions let a call go to this replica. One that failed does not.
pub fn admits(
    plan: &Plan,
    pool: u16,
    endpoint: &Endpoint<'_>,
    evaluation: &mut Evaluation,
) -> bool {
    let Some(pool) = plan.pool(pool) else {
        return false;
    };
    let inputs = Inputs::new(plan, None, Some(*endpoint));
    let mut session = Session::with_inputs(inputs, None, evaluation);
    pool.placement().only().all(|only| session.is_true(only))
}

//! What a decision costs: time, and allocations beside it.
//!
//! `cargo bench -p waypost-policies`

use std::borrow::Cow;

use divan::{AllocProfiler, Bencher, black_box};
use waypost_policies::limits::State;
use waypost_policies::plan::{Plan, encode};
use waypost_policies::{Evaluation, decide, example, explain, vm};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// A prompt of 128 tokens.
const PROMPT: &str = "We run a payment reconciliation service in three regions. Each night it reads about two million \
    ledger entries, groups them by merchant and settlement date, and compares the sums with the bank's statement. Since \
    last Tuesday the comparison for one region ends with a difference of a few cents for some forty merchants, and only \
    when a refund was booked after midnight local time. Please explain which rounding and time zone effects could cause \
    this, how you would prove which of them it is from the data alone, and what query you would run first. Then write \
    the query for PostgreSQL, with comments, and say what result would refute your explanation.";

struct World {
    plan: Plan,
    state: State,
}

fn world() -> World {
    let plan = match Plan::load(encode(&example::draft())) {
        Ok(plan) => plan,
        Err(error) => unreachable!("the example is a plan: {error}"),
    };
    let state = State::new(&plan, [1, 2]);
    World { plan, state }
}

fn bench_decide(bencher: Bencher<'_, '_>, plan_name: &'static str, difficulty: Option<f64>) {
    let world = world();
    let mut request = example::request(PROMPT);
    request.tools = vec![example::tool("read_ledger"), example::tool("run_query")];
    request.headers = vec![Some(Cow::Borrowed("session-1"))];
    let mut facts = example::facts(&request);
    facts.caller.plan = Cow::Borrowed(plan_name);
    facts.difficulty = difficulty;
    let mut evaluation = Evaluation::default();
    bencher.bench_local(|| {
        decide(
            &world.plan,
            black_box(&facts),
            &world.state,
            &mut evaluation,
        )
    });
}

/// A weak call, the difficulty given.
#[divan::bench]
fn decide_without_difficulty(bencher: Bencher<'_, '_>) {
    bench_decide(bencher, "", Some(0.1));
}

/// A strong call, through every quota.
#[divan::bench]
fn decide_strong_without_difficulty(bencher: Bencher<'_, '_>) {
    bench_decide(bencher, "", Some(0.9));
}

/// A strong call that a cap lowers.
#[divan::bench]
fn decide_capped_without_difficulty(bencher: Bencher<'_, '_>) {
    bench_decide(bencher, "free", Some(0.9));
}

/// The difficulty of 128 tokens computed.
#[divan::bench]
fn decide_with_difficulty(bencher: Bencher<'_, '_>) {
    bench_decide(bencher, "", None);
}

/// The decision and every rule, as the admin port shows it.
#[divan::bench]
fn explain_without_difficulty(bencher: Bencher<'_, '_>) {
    let world = world();
    let request = example::request(PROMPT);
    let mut facts = example::facts(&request);
    facts.difficulty = Some(0.1);
    let mut evaluation = Evaluation::default();
    bencher.bench_local(|| {
        explain(
            &world.plan,
            black_box(&facts),
            &world.state,
            &mut evaluation,
        )
    });
}

/// One rule, by its text.
#[divan::bench(args = [
    "request.tokens > 24000",
    "caller.plan == \"free\"",
    "caller.team == \"sandbox\" && tier == \"strong\"",
    "request.headers[?\"x-session-id\"].orValue(\"\")",
    "request.tools.exists(t, t.name.startsWith(\"write_\"))",
])]
fn rule(bencher: Bencher<'_, '_>, text: &str) {
    let world = world();
    let mut request = example::request(PROMPT);
    request.tools = vec![example::tool("read_ledger"), example::tool("run_query")];
    let facts = example::facts(&request);
    let mut evaluation = Evaluation::default();
    let found = world
        .plan
        .expressions()
        .position(|expression| expression.text() == text);
    let Some(Ok(index)) = found.map(u32::try_from) else {
        unreachable!("the example has `{text}`");
    };
    bencher.bench_local(|| {
        vm::holds(
            &world.plan,
            index,
            black_box(&facts),
            &world.state,
            &mut evaluation,
        )
    });
}

/// The verifier on the example.
#[divan::bench]
fn load(bencher: Bencher<'_, '_>) {
    let bytes = encode(&example::draft());
    bencher
        .with_inputs(|| bytes.clone())
        .bench_values(Plan::load);
}

//! What a decision costs on the plan of `examples/agents`: time, and allocations beside it.
//!
//! `cargo bench -p waypost-compiler`

use std::borrow::Cow;

use divan::{AllocProfiler, Bencher, black_box};
use waypost_compiler::{check, lower};
use waypost_policies::facts::{Facts, Request, Surface};
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

const FILE: &str = include_str!("../../examples/agents/agents.route");

/// The example's plan, sealed.
fn sealed() -> Vec<u8> {
    let checked = check("agents.route", FILE, &|_: &str| None);
    match checked.program {
        Some(program) => encode(&lower(&program, &checked.sources)),
        None => unreachable!("the example compiles: {:?}", checked.diagnostics),
    }
}

struct World {
    plan: Plan,
    state: State,
    evaluation: Evaluation,
}

fn world() -> World {
    let plan = match Plan::load(sealed()) {
        Ok(plan) => plan,
        Err(error) => unreachable!("the example's plan loads: {error}"),
    };
    let state = State::new(&plan, [1, 2]);
    World {
        plan,
        state,
        evaluation: Evaluation::default(),
    }
}

/// A call with a session and two tools.
fn request() -> Request<'static> {
    let mut request = example::request(PROMPT);
    request.tools = vec![example::tool("read_ledger"), example::tool("run_query")];
    request.headers = vec![Some(Cow::Borrowed("session-1"))];
    request
}

/// Decides for a caller of this plan; without a difficulty, it is computed.
fn bench_decide(bencher: Bencher<'_, '_>, caller_plan: &'static str, difficulty: Option<f64>) {
    let World {
        plan,
        state,
        mut evaluation,
    } = world();
    let request = request();
    let mut facts = example::facts(&request);
    facts.caller.plan = Cow::Borrowed(caller_plan);
    facts.difficulty = difficulty;
    // The first call grows the buffers.
    let _ = decide(&plan, &facts, &state, &mut evaluation);
    bencher.bench_local(|| decide(&plan, black_box(&facts), &state, &mut evaluation));
}

/// A weak call, its difficulty known.
#[divan::bench]
fn decide_weak(bencher: Bencher<'_, '_>) {
    bench_decide(bencher, "", Some(0.1));
}

/// A strong call, through every quota, its difficulty known.
#[divan::bench]
fn decide_strong(bencher: Bencher<'_, '_>) {
    bench_decide(bencher, "", Some(0.9));
}

/// A strong call that a cap lowers, its difficulty known.
#[divan::bench]
fn decide_capped(bencher: Bencher<'_, '_>) {
    bench_decide(bencher, "free", Some(0.9));
}

/// The difficulty of 128 tokens computed, and the call decided.
#[divan::bench]
fn decide_with_difficulty(bencher: Bencher<'_, '_>) {
    bench_decide(bencher, "", None);
}

/// The decision and every rule, as the admin port shows it.
#[divan::bench]
fn explain_weak(bencher: Bencher<'_, '_>) {
    let World {
        plan,
        state,
        mut evaluation,
    } = world();
    let request = request();
    let mut facts = example::facts(&request);
    facts.difficulty = Some(0.1);
    bencher.bench_local(|| explain(&plan, black_box(&facts), &state, &mut evaluation));
}

/// The body of a chat of 128 tokens, read from its JSON and decided, its difficulty computed.
#[divan::bench]
fn read_and_decide(bencher: Bencher<'_, '_>) {
    let World {
        plan,
        state,
        mut evaluation,
    } = world();
    let body = format!(
        "{{\"model\": \"auto\", \"messages\": [{{\"role\": \"user\", \"content\": \"{PROMPT}\"}}]}}"
    );
    let header = |_: &str| None;
    bencher.bench_local(|| {
        let path = "/v1/chat/completions";
        let body = black_box(body.as_bytes());
        let request = Request::read(plan.needs(), Surface::Chat, path, &header, body);
        let request = request.unwrap_or_default();
        let facts = example::facts(&request);
        decide(&plan, &facts, &state, &mut evaluation)
    });
}

/// What a call takes of its limits, taken and given back.
#[divan::bench]
fn reserve_and_refund(bencher: Bencher<'_, '_>) {
    let World {
        plan,
        state,
        mut evaluation,
    } = world();
    let request = request();
    let facts: Facts<'_> = example::facts(&request);
    let decision = decide(&plan, &facts, &state, &mut evaluation);
    let charges = match decision.outcome {
        waypost_policies::Outcome::Route(route) => route.charges,
        other => unreachable!("a fresh ledger has room: {other:?}"),
    };
    bencher.bench_local(|| {
        if let Ok(held) = state.reserve(black_box(&charges), facts.now) {
            state.refund(held, facts.now);
        }
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
    let World {
        plan,
        state,
        mut evaluation,
    } = world();
    let request = request();
    let facts = example::facts(&request);
    let mut expressions = plan.expressions();
    let found = expressions.position(|expression| expression.text() == text);
    let Some(Ok(index)) = found.map(u32::try_from) else {
        unreachable!("the example has `{text}`");
    };
    let _ = vm::holds(&plan, index, &facts, &state, &mut evaluation);
    bencher.bench_local(|| vm::holds(&plan, index, black_box(&facts), &state, &mut evaluation));
}

/// The verifier on the example, its patterns compiled.
#[divan::bench]
fn load_and_verify(bencher: Bencher<'_, '_>) {
    let bytes = sealed();
    bencher
        .with_inputs(|| bytes.clone())
        .bench_values(Plan::load);
}

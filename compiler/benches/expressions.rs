//! Five rules as people write them, on our machine and on the crate `cel`, in one run: time, and allocations beside it.
//!
//! `cargo bench -p waypost-compiler --bench expressions`. The table at the end gives the ratios: for all five together,
//! the crate builds its context, as every call must, and we what stands in its place; for one alone, neither does.
//!
//! The rules are those that a gateway's users write. Ours read our facts: the score is `difficulty`, the caller's
//! budget (a number that may be missing) is `request.temperature`, and `tier != "strong"` beside it, which another
//! section reads, is `request.model != "strong"`. A missing header is no error in ours: the rule says what it means.

use std::borrow::Cow;
use std::hint::black_box;
use std::time::{Duration, Instant};

use cel_interpreter::{Context, Program};
use divan::{AllocProfiler, Bencher};
use serde_json::json;
use waypost_compiler::{check, lower};
use waypost_policies::facts::{Facts, Message, Request};
use waypost_policies::plan::{Plan, encode};
use waypost_policies::vm::Conditions;
use waypost_policies::{Evaluation, example};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

/// A rule, as we and as the crate have it.
const RULES: [(&str, &str); 5] = [
    (
        "request.tokens > 4000 && tier == \"weak\" && !(caller.team in [\"a\", \"b\"])",
        "request.tokens > 4000 && tier == 'weak' && !(user.team in ['a', 'b'])",
    ),
    (
        "request.messages.exists(m, m.role == \"tool\")",
        "messages.exists(m, m.role == 'tool')",
    ),
    (
        "request.headers[?\"x-priority\"].orValue(\"\") == \"high\" || difficulty >= 0.6",
        "headers['x-priority'] == 'high' || score >= 0.6",
    ),
    (
        "request.model.startsWith(\"gpt-\") && size(request.messages) > 2",
        "request.model.startsWith('gpt-') && size(messages) > 2",
    ),
    (
        "has(request.temperature) ? request.temperature.value() > 10.0 : request.model != \"strong\"",
        "has(user.budget) ? user.budget > 10.0 : tier != 'strong'",
    ),
];

fn plan() -> Plan {
    let [first, rest @ ..] = RULES;
    let escalations: Vec<String> = rest
        .iter()
        .enumerate()
        .map(|(index, (rule, _))| format!("  escalate to strong \"{index}\" when {rule}\n"))
        .collect();
    let file = format!(
        "waypost 1\n\
         pool a {{ endpoints \"http://a.test\"  engine vllm }}\n\
         model small {{ via pool a }}\n\
         model large {{ via pool a }}\n\
         tiers weak < strong\n\
         tier weak {{ try small }}\n\
         tier strong {{ try large }}\n\
         content {{\n  accept \"auto\"\n  start weak\n{}}}\n\
         policy {{\n  callers {{ anonymous allow }}\n  deny \"4\" when {}\n}}\n",
        escalations.concat(),
        first.0
    );
    let checked = check("rules.route", &file, &|_: &str| None);
    let Some(program) = checked.program else {
        unreachable!("the rules compile: {:?}", checked.diagnostics)
    };
    match Plan::load(encode(&lower(&program, &checked.sources))) {
        Ok(plan) => plan,
        Err(error) => unreachable!("the plan loads: {error}"),
    }
}

/// The index of each rule's expression.
fn indices(plan: &Plan) -> [u32; 5] {
    RULES.map(|(text, _)| {
        let found = plan
            .expressions()
            .position(|expression| expression.text() == text);
        match found.map(u32::try_from) {
            Some(Ok(index)) => index,
            _ => unreachable!("the plan has `{text}`"),
        }
    })
}

/// Four messages, the last of a tool; the header is there, and the temperature is.
fn request() -> Request<'static> {
    let mut request = example::request("Derive the EM algorithm.");
    request.model = Cow::Borrowed("gpt-5.1");
    request.tokens = 5_000;
    request.temperature = Some(12.5);
    request.headers = vec![Some(Cow::Borrowed("low"))];
    let message = |role: &'static str| Message {
        role: Cow::Borrowed(role),
        content: Cow::Borrowed("hello"),
        ..Message::default()
    };
    request.messages = ["system", "user", "assistant", "tool"].map(message).into();
    request
}

fn facts<'a>(request: &'a Request<'a>) -> Facts<'a> {
    let mut facts = example::facts(request);
    facts.difficulty = Some(0.7);
    facts
}

fn programs() -> [Program; 5] {
    RULES.map(|(_, rule)| match Program::compile(rule) {
        Ok(program) => program,
        Err(error) => unreachable!("the crate reads `{rule}`: {error:?}"),
    })
}

/// The same facts as the crate's variables.
fn context() -> Context<'static, 'static> {
    let message = |role: &str| json!({"role": role, "content": "hello"});
    let messages = ["system", "user", "assistant", "tool"].map(message);
    let variables = [
        ("request", json!({"model": "gpt-5.1", "tokens": 5_000})),
        ("tier", json!("weak")),
        ("user", json!({"team": "payments", "budget": 12.5})),
        ("messages", json!(messages)),
        ("headers", json!({"x-priority": "low"})),
        ("score", json!(0.7)),
    ];
    let mut context = Context::default();
    for (name, value) in variables {
        let _ = context.add_variable(name, value);
    }
    context
}

fn theirs(program: &Program, context: &Context<'_, '_>) -> bool {
    matches!(
        program.execute(context),
        Ok(cel_interpreter::Value::Bool(true))
    )
}

/// All five on our machine, what a call must set up included.
#[divan::bench]
fn five_rules(bencher: Bencher<'_, '_>) {
    let (plan, request) = (plan(), request());
    let (facts, indices) = (facts(&request), indices(&plan));
    let mut evaluation = Evaluation::default();
    let mut run = || {
        let mut conditions = Conditions::new(&plan, black_box(&facts), &mut evaluation);
        indices.map(|index| conditions.holds(index))
    };
    let _ = run();
    bencher.bench_local(run);
}

/// All five by the crate, its context included.
#[divan::bench]
fn five_rules_by_the_crate(bencher: Bencher<'_, '_>) {
    let programs = programs();
    bencher.bench_local(|| {
        let context = black_box(context());
        programs.each_ref().map(|program| theirs(program, &context))
    });
}

/// One rule on our machine.
#[divan::bench(args = 1..=5)]
fn rule(bencher: Bencher<'_, '_>, number: usize) {
    let (plan, request) = (plan(), request());
    let facts = facts(&request);
    let index = indices(&plan).get(number - 1).copied().unwrap_or_default();
    let mut evaluation = Evaluation::default();
    let mut conditions = Conditions::new(&plan, &facts, &mut evaluation);
    let _ = conditions.holds(index);
    bencher.bench_local(|| conditions.holds(black_box(index)));
}

/// The hundredth part that is fastest, of batches: what a busy machine disturbs least.
fn nanoseconds(mut run: impl FnMut()) -> f64 {
    const BATCHES: usize = 1_000;
    let started = Instant::now();
    let mut count = 0_u32;
    while started.elapsed() < Duration::from_millis(20) {
        run();
        count += 1;
    }
    let batch = (count / 150).max(1);
    let mut times: Vec<f64> = (0..BATCHES)
        .map(|_| {
            let started = Instant::now();
            for _ in 0..batch {
                run();
            }
            started.elapsed().as_nanos() as f64 / f64::from(batch)
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times.get(BATCHES / 100).copied().unwrap_or_default()
}

fn ratios() {
    let (plan, request, programs) = (plan(), request(), programs());
    let (facts, indices) = (facts(&request), indices(&plan));
    let mut evaluation = Evaluation::default();
    println!(
        "\n{:<12}{:>12}{:>12}{:>10}",
        "", "waypost", "cel 0.15", "faster"
    );
    let row = |name: &str, ours: f64, theirs: f64| {
        println!(
            "{name:<12}{ours:>9.1} ns{theirs:>9.0} ns{:>9.0}x",
            theirs / ours
        );
    };
    let shared = context();
    for (number, (index, program)) in indices.iter().zip(&programs).enumerate() {
        let mut conditions = Conditions::new(&plan, &facts, &mut evaluation);
        assert_eq!(
            conditions.holds(*index),
            Ok(theirs(program, &shared)),
            "they agree"
        );
        let ours = nanoseconds(|| {
            let _ = black_box(conditions.holds(black_box(*index)));
        });
        let theirs = nanoseconds(|| {
            black_box(theirs(black_box(program), &shared));
        });
        row(&format!("R{}", number + 1), ours, theirs);
    }
    let ours = nanoseconds(|| {
        let mut conditions = Conditions::new(&plan, black_box(&facts), &mut evaluation);
        let _ = black_box(indices.map(|index| conditions.holds(index)));
    });
    let theirs = nanoseconds(|| {
        let context = context();
        black_box(programs.each_ref().map(|program| theirs(program, &context)));
    });
    row("all, context", ours, theirs);
}

fn main() {
    divan::main();
    // `cargo test --benches` runs this too, without the flag.
    if std::env::args().any(|argument| argument == "--bench") {
        ratios();
    }
}

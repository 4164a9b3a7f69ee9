//! What size costs: checking a file of 1,000 models, 200 tiers and 10,000 rules, loading its plan, and deciding by it beside a
//! plan of ten rules.
//!
//! `cargo bench -p waypost-compiler --bench scale`

use std::borrow::Cow;
use std::fmt::Write as _;

use divan::{AllocProfiler, Bencher, black_box};
use mimalloc::MiMalloc;
use waypost_compiler::{check, lint, lower};
use waypost_policies::limits::State;
use waypost_policies::plan::{Plan, encode};
use waypost_policies::{Evaluation, Outcome, decide, example};

/// That of the command, counted.
#[global_allocator]
static ALLOCATOR: AllocProfiler<MiMalloc> = AllocProfiler::new(MiMalloc);

fn main() {
    divan::main();
}

/// A file of so many models, tiers and rules; half of the rules are escalations, the other half caps and denials.
fn file(models: usize, tiers: usize, rules: usize) -> String {
    let mut text = String::from(
        "waypost 1\nsecret keys = env(\"KEYS\")\nprovider hosted { kind openai  auth none }\n",
    );
    for model in 0..models {
        let _ = writeln!(
            text,
            "model m-{model} {{ via hosted  context 128k  output 4k  price input ${}.25  output ${} }}",
            1 + model % 7,
            3 + model % 11
        );
    }
    let names: Vec<String> = (0..tiers).map(|tier| format!("t-{tier}")).collect();
    let _ = writeln!(text, "tiers {}", names.join(" < "));
    let each = models.div_ceil(tiers).min(5);
    for tier in 0..tiers {
        let tries = (0..each).map(|step| format!("m-{}", (tier * each + step) % models));
        let tries: Vec<String> = tries.collect();
        let _ = writeln!(text, "tier t-{tier} {{ try {} }}", tries.join(" then "));
    }
    text.push_str("content {\n  accept \"auto\"\n  start t-0\n");
    for rule in 0..rules / 2 {
        let when = match rule % 5 {
            0 => format!("request.tokens > {}", 1_000 + rule * 3),
            1 => format!("request.headers[?\"x-team\"].orValue(\"\") == \"team-{rule}\""),
            2 => format!("request.tools.exists(t, t.name == \"tool_{rule}\")"),
            3 => format!(
                "request.path.startsWith(\"/v1/{rule}\") && request.turns > {}",
                rule % 50
            ),
            _ => format!(
                "request.metadata[?\"job\"].orValue(\"\") in [\"job-{rule}\", \"task-{rule}\"]"
            ),
        };
        let _ = writeln!(
            text,
            "  escalate to t-{} \"r{rule}\" when {when}",
            1 + rule % (tiers - 1)
        );
    }
    text.push_str("}\npolicy {\n  callers { keys secret keys  anonymous deny }\n");
    for rule in 0..rules / 2 {
        let when = match rule % 3 {
            0 => format!("caller.team == \"team-{rule}\""),
            1 => format!("caller.agent == \"agent-{rule}\" && cost.ceiling > {rule}.5"),
            _ => format!("caller.plan in [\"p{rule}\", \"q{rule}\"]"),
        };
        let _ = match rule % 2 {
            0 => writeln!(text, "  cap at t-{} \"c{rule}\" when {when}", rule % tiers),
            _ => writeln!(
                text,
                "  deny \"d{rule}\" status 403 when {when} && tier == \"t-{}\"",
                tiers - 1
            ),
        };
    }
    text.push_str("}\n");
    text
}

const EXAMPLE: &str = include_str!("../../examples/agents/agents.route");
const SMALL: (usize, usize, usize) = (4, 2, 10);
const LARGE: (usize, usize, usize) = (1_000, 200, 10_000);

fn sealed((models, tiers, rules): (usize, usize, usize)) -> Vec<u8> {
    let text = file(models, tiers, rules);
    let checked = check("scale.route", &text, &|_: &str| None);
    match checked.program {
        Some(program) => encode(&lower(&program, &checked.sources)),
        None => unreachable!("the file compiles: {:?}", checked.diagnostics),
    }
}

#[divan::bench(args = [SMALL, LARGE], sample_count = 20)]
fn check_file(bencher: Bencher<'_, '_>, size: (usize, usize, usize)) {
    let text = file(size.0, size.1, size.2);
    bencher.bench_local(|| check("scale.route", black_box(&text), &|_: &str| None));
}

#[divan::bench(sample_count = 20)]
fn lint_large(bencher: Bencher<'_, '_>) {
    let text = file(LARGE.0, LARGE.1, LARGE.2);
    let checked = check("scale.route", &text, &|_: &str| None);
    bencher.bench_local(|| lint(black_box(&checked), None));
}

/// The file of `examples/agents`, as an editor or a warm process checks it.
#[divan::bench]
fn check_example(bencher: Bencher<'_, '_>) {
    bencher.bench_local(|| check("agents.route", black_box(EXAMPLE), &|_: &str| None));
}

#[divan::bench(args = [SMALL, LARGE], sample_count = 20)]
fn load(bencher: Bencher<'_, '_>, size: (usize, usize, usize)) {
    let sealed = sealed(size);
    bencher
        .with_inputs(|| sealed.clone())
        .bench_local_values(Plan::load);
}

#[divan::bench(args = [SMALL, LARGE])]
fn decide_call(bencher: Bencher<'_, '_>, size: (usize, usize, usize)) {
    let plan = match Plan::load(sealed(size)) {
        Ok(plan) => plan,
        Err(error) => unreachable!("the plan loads: {error}"),
    };
    let state = State::new(&plan, [1, 2]);
    let mut evaluation = Evaluation::default();
    let mut request = example::request("What is 2+2?");
    request.tools = vec![example::tool("read_ledger"), example::tool("run_query")];
    request.headers = vec![Some(Cow::Borrowed("team-7"))];
    request.metadata = vec![Some(Cow::Borrowed("job-3"))];
    let mut facts = example::facts(&request);
    facts.caller.team = Cow::Borrowed("payments");
    // The first call grows the buffers, and shows that the whole way is measured.
    let decision = decide(&plan, &facts, &state, &mut evaluation);
    assert!(
        matches!(decision.outcome, Outcome::Route(_)),
        "{decision:?}"
    );
    bencher.bench_local(|| decide(&plan, black_box(&facts), &state, &mut evaluation));
}

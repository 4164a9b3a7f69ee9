//! A file of 1,000 models, 200 tiers and 10,000 rules: how long it takes to check, and to prove what its rules say.

use std::fmt::Write as _;
use std::hint::black_box;

use waypost_compiler::{check, lint};

fn main() {
    divan::main();
}

/// Rules of many kinds, a part of which cover one another.
fn large() -> String {
    let mut text =
        "waypost 1\nsecret key = env(\"KEY\")\nprovider p { kind openai  auth secret key }\n"
            .to_owned();
    for model in 0..1000 {
        let _ = writeln!(
            text,
            "model m{model} {{ via p  context 400k  output 4k  price input $1 output $2 }}"
        );
    }
    let tiers: Vec<String> = (0..200).map(|tier| format!("t{tier}")).collect();
    let _ = writeln!(text, "tiers {}", tiers.join(" < "));
    for tier in 0..200 {
        let (first, then) = (tier * 5, tier * 5 + 1);
        let _ = writeln!(text, "tier t{tier} {{ try m{first} then m{then} }}");
    }
    text += "content {\n  accept \"auto\"\n  start t0\n";
    for rule in 0..5000 {
        let tier = rule % 199 + 1;
        let when = match rule % 5 {
            0 => format!("request.tokens > {}", rule * 7),
            1 => format!("request.headers[?\"x-app\"].orValue(\"\") == \"app-{rule}\""),
            2 => format!(
                "request.prompt.startsWith(\"do {rule}\") && request.turns > {}",
                rule % 9
            ),
            3 => format!("request.tools.exists(t, t.name == \"tool_{rule}\")"),
            _ => format!(
                "request.tokens > {rule} && request.headers[?\"x-team\"].orValue(\"\") == \"team-{}\"",
                rule % 500
            ),
        };
        let _ = writeln!(text, "  escalate to t{tier} \"e{rule}\" when {when}");
    }
    text += "}\npolicy {\n  callers { anonymous allow }\n";
    for rule in 0..2500 {
        let tier = rule % 199;
        let _ = writeln!(
            text,
            "  cap at t{tier} \"c{rule}\" when caller.team == \"team-{rule}\" && caller.plan != \"pro\""
        );
        let _ = writeln!(
            text,
            "  deny \"d{rule}\" when caller.agent in [\"a-{rule}\", \"b-{rule}\"]"
        );
    }
    text + "}\n"
}

#[divan::bench(sample_count = 10)]
fn checks(bencher: divan::Bencher<'_, '_>) {
    let text = large();
    bencher.bench_local(|| check("large.route", black_box(&text), &|_: &str| None));
}

#[divan::bench(sample_count = 10)]
fn lints(bencher: divan::Bencher<'_, '_>) {
    let text = large();
    let checked = check("large.route", &text, &|_: &str| None);
    assert!(checked.program.is_some(), "it compiles");
    bencher.bench_local(|| lint(black_box(&checked), None));
}

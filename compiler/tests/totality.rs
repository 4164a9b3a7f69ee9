//! Every refusal of what could fail at run time comes with an edit, and the file compiles with it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

use waypost_compiler::check;
use waypost_lang::Diagnostic;

const FILE: &str = r#"waypost 1
provider lab { kind openai-compatible  url "http://127.0.0.1:9/v1"  auth none }
model small { via lab  context 128k  output 4k  price input $0.04  output $0.08 }
tier weak { try small  timeout 60s }
content {
  accept "auto"
  start weak
  CONTENT
}
policy {
  callers { anonymous allow }
  POLICY
}
REST
"#;

/// The file with a statement in one of its places.
fn with(place: &str, statement: &str) -> String {
    let file = FILE.replace(place, statement);
    ["CONTENT", "POLICY", "REST"]
        .iter()
        .fold(file, |file, place| file.replace(place, ""))
}

fn errors(text: &str) -> Vec<Diagnostic> {
    let mut found = check("a.route", text, &|_: &str| None).diagnostics;
    found.retain(Diagnostic::is_error);
    found
}

/// One error, whose edit leaves none.
#[track_caller]
fn mended(place: &str, statement: &str) -> String {
    let text = with(place, statement);
    let found = errors(&text);
    assert_eq!(found.len(), 1, "{statement}: {found:#?}");
    let fix = found[0].fix.as_ref();
    let fix = fix.unwrap_or_else(|| panic!("{statement} has no edit: {found:#?}"));
    let mut edited = text;
    let mut edits: Vec<_> = fix.edits.iter().collect();
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.span.start));
    for edit in edits {
        let range = edit.span.start as usize..edit.span.end as usize;
        edited.replace_range(range, &edit.text);
    }
    assert_eq!(errors(&edited), [], "{statement}:\n{edited}");
    edited
}

#[test]
fn texts_patterns_claims_and_divisors() {
    for (place, condition) in [
        ("CONTENT", "int(request.model) > 3"),
        ("CONTENT", "uint(request.model) > 3u || request.stream"),
        (
            "CONTENT",
            "double(request.headers[?\"x\"].orValue(\"\")) > 0.5",
        ),
        ("CONTENT", "bool(request.headers[?\"x\"].orValue(\"\"))"),
        ("CONTENT", "duration(request.model) > duration(\"1h\")"),
        ("CONTENT", "request.prompt.matches(request.system)"),
        ("CONTENT", "request.tokens / request.turns > 100"),
        ("CONTENT", "request.tools.exists(t, int(t.name) > 3)"),
        (
            "POLICY",
            "timestamp(request.metadata[?\"at\"].orValue(\"\")) < now",
        ),
        ("POLICY", "caller.claims[\"n\"] > 3"),
        ("POLICY", "caller.claims.n >= 0.5 && caller.team == \"a\""),
        ("POLICY", "caller.team == \"a\" && 3 < caller.claims[\"n\"]"),
        ("POLICY", "caller.claims[?\"n\"].orValue(0) > 3"),
        ("POLICY", "caller.claims[?\"n\"].orValue(0) + 1 > 3"),
    ] {
        let rule = match place {
            "CONTENT" => "escalate to weak \"x\"",
            _ => "deny \"x\"",
        };
        mended(place, &format!("{rule} when {condition}"));
    }
}

#[test]
fn outside_a_condition() {
    let keys = [
        "string(request.tokens / request.turns)",
        "string(int(request.model))",
        "string(timestamp(request.model))",
        "string(duration(request.model))",
        "string(double(request.model))",
    ];
    for key in keys {
        mended("CONTENT", &format!("keep session {key} for 10m"));
        mended("POLICY", &format!("limit 5 requests / 1m per {key}"));
    }
}

/// `tier.timeout` is a duration, and a number beside it is taken for seconds.
#[test]
fn a_duration_beside_a_number() {
    let demand = "require \"soon\" { each tier  that tier.timeout <= 60 }";
    let edited = mended("REST", demand);
    assert!(
        edited.contains("tier.timeout <= duration(\"60s\")"),
        "{edited}"
    );
}

/// Each test says of a text what its conversion does.
#[test]
fn tests_agree_with_conversions() {
    let texts = [
        "5",
        "-5",
        "+5",
        "",
        " 5",
        "5 ",
        "0x10",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "1e3",
        "1.5",
        "-0",
        "nan",
        "inf",
        "true",
        "TRUE",
        "t",
        "yes",
        "2026-01-31T08:00:00Z",
        "2026-02-30T08:00:00Z",
        "2026-01-31",
        "1h",
        "1h30m",
        "5",
        "-1.5s",
        "999999999h",
        "1d",
    ];
    for name in ["int", "uint", "double", "bool", "timestamp", "duration"] {
        let test = format!("is{}{}", name[..1].to_uppercase(), &name[1..]);
        for text in texts {
            let says = |truth: bool| {
                let sign = if truth { "" } else { "!" };
                let rule = format!(
                    "escalate to weak \"x\" when {sign}{test}(\"{text}\") && request.stream"
                );
                let lint =
                    waypost_compiler::check("a.route", &with("CONTENT", &rule), &|_: &str| None);
                let program = lint.program.expect("it compiles");
                // Folding runs the machine: what is false is known to be.
                let when = &program.contents[0].escalations[0].when;
                !format!("{:?}", when.kind).contains("Constant(Bool(false))")
            };
            let rule = format!("escalate to weak \"x\" when string({name}(\"{text}\")) != \"~\"");
            let converts = errors(&with("CONTENT", &rule)).is_empty();
            assert_eq!(
                (says(true), says(false)),
                (converts, !converts),
                "{test}({text:?})"
            );
        }
    }
}

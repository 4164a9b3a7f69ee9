//! The example of each explanation gives the finding that it explains.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use waypost_compiler::check;
use waypost_lang::Code;
use waypost_lang::codes::ALL;

/// The codes that the compiler reports; those of the parser and of expressions are tested there.
fn reported_here() -> impl Iterator<Item = Code> {
    let groups = ["WP01", "WP03", "WP05", "WP06"];
    // What manifests cannot carry is found when they are written.
    let all = ALL.iter().copied().filter(|code| code.number != "WP0504");
    all.filter(move |code| groups.iter().any(|group| code.number.starts_with(group)))
}

fn example(code: Code) -> &'static str {
    let (_, after) = code
        .explanation
        .split_once("```route\n")
        .expect(code.number);
    after.split_once("```").expect(code.number).0
}

#[test]
fn each_example_gives_its_finding() {
    for code in reported_here() {
        let text = format!("waypost 1\n{}", example(code));
        let checked = check("example.route", &text, &|path: &str| {
            (path == "example.route").then(|| text.clone())
        });
        let found: Vec<&str> = checked
            .diagnostics
            .iter()
            .map(|one| one.code.number)
            .collect();
        assert!(found.contains(&code.number), "{}: {found:?}", code.number);
    }
}

#[test]
fn each_explanation_has_its_parts() {
    for code in reported_here() {
        let title = format!("# {}\n", code.name);
        assert!(code.explanation.starts_with(&title), "{}", code.number);
        for part in [
            "## What it does",
            "## Why is this bad?",
            "## Example",
            "## Fix",
        ] {
            assert!(code.explanation.contains(part), "{}: {part}", code.number);
        }
    }
}

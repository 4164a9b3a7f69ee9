//! A file that is right and unusual: every form of the language, in the layouts that people leave behind.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use waypost_compiler::{Program, check, lower, testing};
use waypost_lang::Diagnostic;
use waypost_policies::plan::{Plan, encode};

const UNUSUAL: &str = include_str!("unusual.route");
const PRICES: &str = r#"waypost 1
model gpt-5.1 { via aoai deployment "gpt-5.1" context 400k output 128k price input $1.25 output $10 }
provider aoai { kind azure-openai resource "acme" version "2024-10-21" auth secret k }
secret k = env("K")
"#;

/// The program and its sealed plan; the findings must be warnings.
fn compiled(text: &str) -> (Program, Vec<u8>) {
    let checked = check("unusual.route", text, &|path: &str| {
        (path == "prices.route").then(|| PRICES.to_owned())
    });
    let errors: Vec<&Diagnostic> = checked
        .diagnostics
        .iter()
        .filter(|one| one.is_error())
        .collect();
    let program = checked.program.unwrap_or_else(|| panic!("{errors:#?}"));
    let sealed = encode(&lower(&program, &checked.sources));
    (program, sealed)
}

#[test]
fn it_compiles_and_its_tests_pass() {
    let (program, sealed) = compiled(UNUSUAL);
    let plan = Plan::load(sealed).unwrap();
    assert_eq!(program.tests.len(), 6);
    for test in &program.tests {
        let outcome = testing::run(test, &program, &plan);
        assert!(
            outcome.passed(),
            "{}: {:?}",
            outcome.name,
            outcome.mismatches
        );
    }
}

#[test]
fn its_layout_does_not_matter() {
    let formatted = waypost_lang::syntax::format(UNUSUAL).unwrap();
    assert_eq!(waypost_lang::syntax::format(&formatted).unwrap(), formatted);
    for other in [
        formatted.clone(),
        UNUSUAL.replace('\n', "\r\n"),
        format!("\u{feff}{UNUSUAL}"),
        UNUSUAL.replace("  ", "\t"),
    ] {
        let (program, _) = compiled(&other);
        assert_eq!(program.tests.len(), 6);
    }
}

//! The file of the language's specification, whole: it compiles, and says what it says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use waypost_compiler::{Checked, check};

const WHOLE: &str = include_str!("whole.route");

fn nothing(_: &str) -> Option<String> {
    None
}

fn whole() -> Checked {
    check("agents.route", WHOLE, &nothing)
}

#[test]
fn it_compiles_without_errors() {
    let checked = whole();
    let said: Vec<String> = checked
        .diagnostics
        .iter()
        .map(|one| format!("{:?} {}: {}", one.severity, one.code.number, one.message))
        .collect();
    insta::assert_snapshot!(said.join("\n"), @r"
Warning WP0601: this version's runtime does not know which adapters a replica has loaded
");
    assert!(checked.program.is_some());
}

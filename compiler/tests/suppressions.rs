//! What `// allow(CODE): reason` takes back, and what is said of one that does nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use waypost_compiler::{check, lint};
use waypost_lang::syntax;

const BASE: &str = include_str!("lints/base.route");

/// The codes found once `policy` stands in the base: those of the bucket that is shared, and those about suppressions.
fn codes(policy: &str) -> Vec<&'static str> {
    let checked = check("a.route", &format!("{BASE}\n{policy}\n"), &|_: &str| None);
    let found = lint(&checked, None);
    let numbers = found.iter().map(|one| one.code.number);
    numbers
        .filter(|number| *number == "WP0440" || number.starts_with("WP049") || number < &"WP04")
        .collect()
}

/// The same after formatting.
fn formatted(policy: &str) -> Vec<&'static str> {
    let text = syntax::format(&format!("waypost 1\n{policy}")).expect("it parses");
    codes(text.trim_start_matches("waypost 1\n"))
}

#[track_caller]
fn expect(policy: &str, expected: &[&str]) {
    assert_eq!(codes(policy), expected, "{policy}");
    assert_eq!(formatted(policy), expected, "formatted: {policy}");
}

const SHARED: &str = "budget $5 / day per caller.team { at 100% deny }";

#[test]
fn above_a_statement_or_at_the_end_of_its_line() {
    expect(&format!("policy {{\n{SHARED}\n}}"), &["WP0440"]);
    expect(
        &format!("policy {{\n// allow(WP0440): one for all\n{SHARED}\n}}"),
        &[],
    );
    expect(
        &format!("policy {{\n{SHARED}  // allow(WP0440): one for all\n}}"),
        &[],
    );
    expect(
        &format!("policy {{\n//allow( wp0440 ) : one for all\n{SHARED}\n}}"),
        &[],
    );
    expect(
        &format!("policy {{\n// allow(shared-bucket): one for all\n{SHARED}\n}}"),
        &[],
    );
}

#[test]
fn a_whole_section_and_other_comments_between() {
    expect(
        &format!("// allow(WP0440): one for all\npolicy {{\n{SHARED}\n}}"),
        &[],
    );
    let between = "// allow(WP0440): one for all\n\n// What a team may spend.";
    expect(&format!("policy {{\n{between}\n{SHARED}\n}}"), &[]);
}

#[test]
fn it_covers_its_statement_and_no_other() {
    let other = "limit 9 requests / 1m per caller.agent";
    let allow = "// allow(WP0440): one for all";
    expect(
        &format!("policy {{\n{allow}\n{SHARED}\n{other}\n}}"),
        &["WP0440"],
    );
    expect(
        &format!("policy {{\n{SHARED}  {allow}\n{other}\n}}"),
        &["WP0440"],
    );
    expect(
        &format!("{allow}\npolicy {{\n{SHARED}\n}}\npolicy {{\n{other}\n}}"),
        &["WP0440"],
    );
    let long = "budget $5 / day per caller.team {\n  at 80% warn\n  at 100% deny\n}";
    expect(&format!("policy {{\n{allow}\n{long}\n}}"), &[]);
}

#[test]
fn several_codes_each_used_or_not() {
    let both = "// allow(WP0440, WP0305): one for all";
    expect(&format!("policy {{\n{both}\n{SHARED}\n}}"), &["WP0491"]);
    let neither = "// allow(WP0312, WP0305): one for all";
    expect(
        &format!("policy {{\n{neither}\n{SHARED}\n}}"),
        &["WP0491", "WP0491", "WP0440"],
    );
}

#[test]
fn without_a_reason_it_works_and_is_said() {
    for written in [
        "// allow(WP0440)",
        "// allow(WP0440):",
        "// allow(WP0440) because",
    ] {
        expect(&format!("policy {{\n{written}\n{SHARED}\n}}"), &["WP0492"]);
    }
}

#[test]
fn unknown_codes_and_codes_about_suppressions() {
    let unknown = "// allow(WP9999): one for all";
    expect(
        &format!("policy {{\n{unknown}\n{SHARED}\n}}"),
        &["WP0493", "WP0440"],
    );
    let own = "// allow(WP0491): one for all";
    expect(
        &format!("policy {{\n{own}\n{SHARED}\n}}"),
        &["WP0491", "WP0440"],
    );
}

#[test]
fn errors_stay() {
    let rule = "deny \"x\" when caller.team == \"a\" && tier == \"storng\"";
    let allow = "// allow(unknown-literal): not yet";
    expect(
        &format!("policy {{\n{allow}\n{rule}\n}}"),
        &["WP0491", "WP0209"],
    );
    // What other lints would find is not known in a file with errors.
    let allow = "// allow(WP0440): one for all";
    expect(&format!("policy {{\n{allow}\n{rule}\n}}"), &["WP0209"]);
}

#[test]
fn prose_is_no_suppression() {
    for prose in [
        "// allow large prompts",
        "// we allow(ed) this once",
        "/// allow(WP0440): x",
    ] {
        expect(&format!("policy {{\n{prose}\n{SHARED}\n}}"), &["WP0440"]);
    }
}

//! Each proof both ways: a file that has the defect, and its nearest neighbour that has not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

use waypost_compiler::proofs::Reasoner;
use waypost_compiler::proofs::witness::Value;
use waypost_compiler::{Program, check, lint};
use waypost_lang::cel::typed::Field;

const HEAD: &str = r#"waypost 1
secret key = env("KEY")
provider p { kind openai  auth secret key }
model small { via p  context 128k  output 4k  price input $0.1 output $0.2 }
model big { via p  context 400k  output 128k  price input $1 output $10 }
model huge { via p  context 400k  output 128k  price input $2 output $20 }
tiers weak < strong < frontier
tier weak { try small then big }
tier strong { try big }
tier frontier { try huge }
"#;

fn file(content: &str, policy: &str) -> String {
    let opening = if content.contains("accept") {
        ""
    } else {
        "  accept \"auto\"\n"
    };
    let start = if content.contains("start weak") {
        ""
    } else {
        "  start weak\n  escalate to frontier \"reach\" when request.images > 99\n"
    };
    format!(
        "{HEAD}content {{\n{opening}{start}  {content}\n}}\npolicy {{\n  callers {{ anonymous allow }}\n  {policy}\n}}\n"
    )
}

fn program(text: &str) -> Program {
    let checked = check("a.route", text, &|_: &str| None);
    checked
        .program
        .unwrap_or_else(|| panic!("{text}\n{:#?}", checked.diagnostics))
}

/// The codes of proofs that are found, each with what it underlines.
fn found(text: &str) -> Vec<String> {
    program(text);
    let checked = check("a.route", text, &|_: &str| None);
    lint(&checked, None)
        .iter()
        .filter(|one| ("WP0401".."WP0410").contains(&one.code.number))
        .map(|one| {
            format!(
                "{} {}",
                one.code.number,
                checked.sources.text(one.primary.span)
            )
        })
        .collect()
}

/// A file has the finding, its neighbour has not.
fn both(defect: &str, finding: &str, neighbour: &str) {
    let finding = finding.to_owned();
    let (there, elsewhere) = (found(defect), found(neighbour));
    assert!(
        there.contains(&finding),
        "{finding} not in {there:?}\n{defect}"
    );
    assert!(!elsewhere.contains(&finding), "{elsewhere:?}\n{neighbour}");
}

/// A defect in content, and its neighbour.
fn content(defect: &str, finding: &str, neighbour: &str) {
    both(&file(defect, ""), finding, &file(neighbour, ""));
}

/// A defect in the policy, and its neighbour.
fn policy(defect: &str, finding: &str, neighbour: &str) {
    both(&file("", defect), finding, &file("", neighbour));
}

/// Two escalations to one tier.
fn pair(broad: &str, narrow: &str) -> String {
    format!("escalate to strong \"a\" when {broad}\n  escalate to strong \"b\" when {narrow}")
}

/// `narrow` is covered by `broad`; `neighbour` is not.
fn covers(broad: &str, narrow: &str, neighbour: &str) {
    content(
        &pair(broad, narrow),
        "WP0401 \"b\"",
        &pair(broad, neighbour),
    );
}

#[test]
fn numbers_cover_by_their_intervals() {
    covers(
        "request.tokens > 24000",
        "request.tokens > 48000",
        "request.tokens > 23999",
    );
    covers(
        "request.tokens > 24000",
        "request.tokens >= 24002",
        "request.tokens >= 24000",
    );
    covers(
        "request.tokens > 1.5",
        "request.tokens == 2",
        "request.tokens == 1",
    );
    covers(
        "request.tokens < 10",
        "request.tokens in [1, 9]",
        "request.tokens in [1, 10]",
    );
    covers(
        "difficulty > 0.5",
        "difficulty >= 0.75",
        "difficulty >= 0.25",
    );
}

#[test]
fn strings_cover_by_their_parts() {
    covers(
        "request.prompt.startsWith(\"write_\")",
        "request.prompt.startsWith(\"write_a\")",
        "request.prompt.startsWith(\"write\")",
    );
    covers(
        "request.prompt.contains(\"b\")",
        "request.prompt.endsWith(\"abc\")",
        "request.prompt.endsWith(\"ac\")",
    );
    covers(
        "request.prompt != \"\"",
        "request.prompt.startsWith(\"a\")",
        "!request.prompt.startsWith(\"a\")",
    );
    covers(
        "request.prompt in [\"a\", \"b\"]",
        "request.prompt == \"a\"",
        "request.prompt == \"c\"",
    );
    covers(
        "request.prompt.contains(\"a\")",
        "request.prompt == \"cat\"",
        "request.prompt == \"dog\"",
    );
    covers(
        "request.prompt.startsWith(\"ab\")",
        "request.prompt.matches(\"^abc\")",
        "request.prompt.matches(\"abc\")",
    );
    covers(
        "request.prompt.matches(\"^[a-z]+$\")",
        "request.prompt == \"cat\"",
        "request.prompt == \"Cat\"",
    );
}

#[test]
fn keys_cover_by_what_stands_for_a_missing_one() {
    let value = |text: &str| format!("request.headers[?\"h\"].orValue(\"\") == \"{text}\"");
    covers("\"h\" in request.headers", &value("a"), &value(""));
    covers(
        "request.headers[?\"h\"].orValue(\"\") != \"\"",
        &value("a"),
        "\"h\" in request.headers",
    );
}

#[test]
fn elements_cover_where_each_does() {
    let some = |name: &str| format!("request.tools.exists(t, t.name.startsWith(\"{name}\"))");
    covers(&some("write_"), &some("write_file"), &some("read_"));
    covers(
        "size(request.tools) > 0",
        &some("a"),
        "size(request.tools) == 0 && request.stream",
    );
    let all = "!request.tools.all(t, !t.name.contains(\"rm\"))";
    covers(
        all,
        "request.tools.exists(t, t.name == \"rm -rf\")",
        "request.tools.exists(t, t.name == \"ls\")",
    );
}

#[test]
fn several_rules_cover_together() {
    let with = |third: &str| {
        format!(
            "escalate to strong \"a\" when request.stream && request.tokens > 10
             escalate to strong \"b\" when !request.stream && request.tokens > 20
             escalate to strong \"c\" when {third}"
        )
    };
    content(
        &with("request.tokens > 20"),
        "WP0401 \"c\"",
        &with("request.tokens > 15"),
    );
}

#[test]
fn a_cover_is_as_strong_as_what_it_covers() {
    let tiers = |broad: &str, narrow: &str| {
        format!(
            "escalate to {broad} \"a\" when request.tokens > 10\n  escalate to {narrow} \"b\" when request.tokens > 20"
        )
    };
    content(
        &tiers("frontier", "strong"),
        "WP0401 \"b\"",
        &tiers("strong", "frontier"),
    );
    let caps = |broad: &str, narrow: &str| {
        format!(
            "cap at {broad} \"a\" when caller.plan != \"\"\n  cap at {narrow} \"b\" when caller.plan == \"free\""
        )
    };
    policy(
        &caps("weak", "strong"),
        "WP0401 \"b\"",
        &caps("strong", "weak"),
    );
    let denials = |broad: u16, narrow: u16| {
        format!(
            "deny \"a\" status {broad} when caller.team != \"x\"\n  deny \"b\" status {narrow} when caller.team == \"y\""
        )
    };
    policy(&denials(403, 451), "WP0401 \"b\"", &denials(451, 403));
    let priorities = |broad: i8, narrow: i8| {
        format!(
            "priority {broad} \"a\" when caller.plan != \"\"\n  priority {narrow} \"b\" when caller.plan == \"pro\""
        )
    };
    policy(&priorities(9, 3), "WP0401 \"b\"", &priorities(3, 9));
}

/// Arithmetic may fail, and a rule that fails acts as matched: only one that fails with it covers it.
#[test]
fn what_may_fail_is_covered_only_by_what_fails_with_it() {
    let sum = |bound: u32| format!("request.tokens + request.max_tokens > {bound}");
    covers(&sum(10), &sum(20), &sum(5));
    let cannot_fail = pair(
        "request.tokens >= 0 && request.stream",
        &format!("request.stream && {}", sum(5)),
    );
    assert!(
        !found(&file(&cannot_fail, ""))
            .iter()
            .any(|one| one.starts_with("WP0401")),
        "{cannot_fail}"
    );
}

#[test]
fn a_condition_that_contradicts_itself_never_matches() {
    let rule = |when: &str| format!("escalate to strong \"a\" when {when}");
    content(
        &rule("request.tokens < 5 && request.tokens > 10"),
        "WP0402 request.tokens > 10",
        &rule("request.tokens > 5 && request.tokens < 10"),
    );
    content(
        &rule("request.tokens < 0"),
        "WP0402 request.tokens < 0",
        &rule("request.tokens < 1"),
    );
    content(
        &rule("difficulty > 1.0"),
        "WP0402 difficulty > 1.0",
        &rule("difficulty > 0.9"),
    );
    content(
        &rule("request.model == \"other\""),
        "WP0402 request.model == \"other\"",
        "accept \"auto\", \"other\"\n  start weak\n  escalate to frontier \"a\" when request.model == \"other\"\n  escalate to strong \"b\" when request.stream",
    );
    let deny = |when: &str| format!("deny \"a\" when {when}");
    policy(
        &deny("caller.team == \"x\" && caller.team == \"y\""),
        "WP0402 caller.team == \"y\"",
        &deny("caller.team == \"x\" || caller.team == \"y\""),
    );
    policy(
        &deny("tier == \"weak\" && tier == \"strong\""),
        "WP0402 tier == \"strong\"",
        &deny("tier == \"weak\" && model == \"big\""),
    );
}

#[test]
fn a_condition_that_leaves_nothing_out_always_matches() {
    let rule = |when: &str| format!("escalate to strong \"a\" when {when}");
    content(
        &rule("request.tokens < 5 || request.tokens > 3"),
        "WP0403 request.tokens < 5 || request.tokens > 3",
        &rule("request.tokens < 5 || request.tokens > 5"),
    );
    content(
        &rule("request.turns >= 1"),
        "WP0403 request.turns >= 1",
        &rule("request.turns > 1"),
    );
    let deny = |when: &str| format!("deny \"a\" when {when}");
    policy(
        &deny("caller.team != \"x\" || caller.team != \"y\""),
        "WP0403 caller.team != \"x\" || caller.team != \"y\"",
        &deny("caller.team != \"x\" && caller.team != \"y\""),
    );
}

/// A threshold that a model name may set is not the declared one.
#[test]
fn a_threshold_is_known_unless_clients_set_it() {
    let with = |accept: &str| {
        format!(
            "accept {accept}\n  start weak\n  threshold 0.5\n  escalate to frontier \"a\" when difficulty >= threshold\n  escalate to strong \"b\" when difficulty > 0.75"
        )
    };
    content(&with("\"auto\""), "WP0401 \"b\"", &with("\"router-mf-*\""));
}

#[test]
fn a_part_that_says_nothing_new_is_redundant() {
    let rule = |when: &str| format!("escalate to strong \"a\" when {when}");
    content(
        &rule("request.tokens > 9 && request.tokens > 5"),
        "WP0404 request.tokens > 5",
        &rule("request.tokens > 9 && request.tokens < 50"),
    );
    content(
        &rule("request.stream || request.stream && request.tokens > 5"),
        "WP0404 request.stream && request.tokens > 5",
        &rule("request.stream || request.tokens > 5"),
    );
    content(
        &rule("request.tokens >= 0 && request.stream"),
        "WP0404 request.tokens >= 0",
        &rule("request.tokens > 0 && request.stream"),
    );
    // A guard is no redundant part.
    let guarded = "\"h\" in request.headers && request.headers[\"h\"] == \"a\"";
    assert_eq!(found(&file(&rule(guarded), "")), [""; 0]);
}

#[test]
fn the_same_rule_twice_is_a_duplicate() {
    let twice = pair("request.tokens > 5", "5 < request.tokens");
    content(
        &twice,
        "WP0405 \"b\"",
        &twice.replacen("strong \"b\"", "frontier \"b\"", 1),
    );
}

#[test]
fn a_cap_is_idle_only_if_it_holds_no_fallback_back() {
    policy(
        "cap at frontier \"a\" when caller.plan == \"x\"",
        "WP0408 \"a\"",
        "cap at strong \"a\" when caller.plan == \"x\"",
    );
    // A weak call falls back to `big`, which is strong's: a cap at strong lets it, a cap at weak does not.
    policy(
        "cap at strong \"a\" when tier == \"weak\"",
        "WP0408 \"a\"",
        "cap at weak \"a\" when tier == \"weak\"",
    );
}

#[test]
fn a_deletion_leaves_what_tests_name() {
    let text = file(
        &pair("request.tokens > 24000", "request.tokens > 48000"),
        "",
    );
    let fixes = |text: &str| {
        let checked = check("a.route", text, &|_: &str| None);
        let findings = lint(&checked, None);
        let dead = findings
            .iter()
            .find(|one| one.code.number == "WP0401")
            .expect("it is dead");
        dead.fix.is_some()
    };
    assert!(fixes(&text));
    let test = "test \"t\" {\n  given { tokens 50000 }\n  expect { escalated by \"b\" }\n}\n";
    assert!(!fixes(&format!("{text}{test}")));
}

#[test]
fn a_witness_tells_two_conditions_apart() {
    let text = file(
        &pair(
            "request.tokens > 24000 && request.headers[?\"x-mode\"].orValue(\"\") != \"draft\"",
            "request.tools.exists(t, t.name.startsWith(\"write_\")) && size(request.prompt) > 3 && !request.stream",
        ),
        "",
    );
    let program = program(&text);
    let content = &program.contents[0];
    let mut reasoner = Reasoner::of_content(content);
    let [.., first, second] = content.escalations.as_slice() else {
        panic!()
    };
    let wanted = [(&first.when, true), (&second.when, false)];
    let long = reasoner.witness(&wanted).expect("a call");
    assert_eq!(long.facts[&Field::RequestTokens], Value::Int(24001));
    let wanted = [(&first.when, false), (&second.when, true)];
    let writes = reasoner.witness(&wanted).expect("a call");
    assert_eq!(writes.tools, [("write_".to_owned(), String::new())]);
    assert_eq!(
        writes.facts[&Field::RequestPrompt],
        Value::Text("xxxx".to_owned())
    );
    let both = [(&first.when, true), (&first.when, false)];
    assert_eq!(reasoner.witness(&both), None);
}

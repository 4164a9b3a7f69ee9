//! `waypost test`.

use crate::harness::{FILE, json, waypost_with};

fn with_tests() -> String {
    format!(
        "{FILE}
test \"cheap\" {{
  given  {{ prompt \"What is 2+2?\" }}
  expect {{ tier weak  model small }}
}}
test \"wrong\" {{
  given  {{ tokens 30k }}
  expect {{ tier weak }}
}}
"
    )
}

#[test]
fn failures_name_the_rule_and_its_line() {
    let ran = waypost_with(&["test", "-"], &with_tests());
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(
        ran.stdout.starts_with("ok cheap (stdin.route:"),
        "{}",
        ran.stdout
    );
    let rule = "expected tier weak, was strong: escalated by \"long context\", stdin.route:";
    assert!(ran.stdout.contains(rule), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("request.tokens = 30000 > 24000"),
        "{}",
        ran.stdout
    );
    assert_eq!(ran.stderr, "2 tests: 1 passed, 1 failed\n");
}

#[test]
fn a_filter_leaves_the_others_out() {
    let ran = waypost_with(&["test", "-", "--filter", "che"], &with_tests());
    assert_eq!((ran.code, ran.stdout.lines().count()), (0, 1));
}

#[test]
fn results_as_json() {
    let ran = waypost_with(&["test", "-", "--format", "json"], &with_tests());
    let document = json(&ran.stdout);
    assert_eq!(document["version"], 1);
    assert_eq!(
        (&document["passed"], &document["failed"]),
        (&1.into(), &1.into())
    );
    assert_eq!(document["tests"][0]["passed"], true);
    let failure = &document["tests"][1]["failures"][0];
    assert!(
        failure["message"]
            .as_str()
            .unwrap()
            .starts_with("expected tier weak")
    );
    assert!(failure["line"].as_u64().unwrap() > 1);
}

#[test]
fn a_file_that_does_not_compile_is_a_failure() {
    let ran = waypost_with(&["test", "-"], crate::harness::BROKEN);
    assert_eq!((ran.code, &*ran.stdout), (1, ""));
    assert!(ran.stderr.contains("error[WP0"), "{}", ran.stderr);
}

//! `waypost test`.

use crate::harness::{FILE, Folder, json, waypost, waypost_with};

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
    let rule = "expected tier weak, was strong: escalated by `long context`, line 15: ";
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

#[test]
fn a_test_with_several_expectations_shows_what_came() {
    let text = format!(
        "{FILE}
test \"several\" {{
  given  {{ tokens 30k }}
  expect {{ tier weak  status 200  model small }}
}}
"
    );
    let ran = waypost_with(&["test", "-"], &text);
    assert_eq!(ran.code, 1);
    let difference = "     - tier weak\n     + tier strong\n       status 200\n     - model small\n     + model large\n";
    assert!(ran.stdout.ends_with(difference), "{}", ran.stdout);
}

#[test]
fn a_filter_that_matches_nothing_says_what_is_near() {
    let ran = waypost_with(&["test", "-", "--filter", "chaep"], &with_tests());
    assert_eq!((ran.code, &*ran.stdout), (2, ""));
    assert_eq!(
        ran.stderr,
        "error: no test's name contains `chaep`: near it are `cheap`\n"
    );
    let ran = waypost_with(&["test", "-", "--filter", "CHEAP"], &with_tests());
    assert!(ran.stderr.contains("near it are `cheap`"), "{}", ran.stderr);
    let ran = waypost_with(&["test", "-", "--filter", "budget"], &with_tests());
    assert!(
        ran.stderr.contains("the tests are called `cheap`, `wrong`"),
        "{}",
        ran.stderr
    );
    let ran = waypost_with(&["test", "-", "--filter", "x"], FILE);
    assert!(
        ran.stderr.ends_with("there are no tests\n"),
        "{}",
        ran.stderr
    );
}

#[test]
fn coverage_names_the_rules_that_no_test_reaches() {
    let ran = waypost_with(
        &["test", "-", "--coverage", "--filter", "cheap"],
        &with_tests(),
    );
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let (_, coverage) = ran.stdout.split_once('\n').unwrap();
    assert_eq!(
        coverage,
        "coverage: tests reach 0 of 4 rules, 0%
  no test  stdin.route:15  escalate  \"long context\"
  no test  stdin.route:16  escalate  \"vip\"
  no test  stdin.route:21  cap       \"free plan\"
  no test  stdin.route:22  budget    \"$900 / month\"
"
    );
    let ran = waypost_with(
        &["test", "-", "--coverage", "--format", "json"],
        &with_tests(),
    );
    let coverage = &json(&ran.stdout)["coverage"];
    assert_eq!(
        (
            &coverage["rules"],
            &coverage["reached"],
            &coverage["percent"]
        ),
        (&4.into(), &1.into(), &25.0.into())
    );
    assert_eq!(coverage["all"][0]["tests"], 1);
    assert_eq!(coverage["all"][0]["line"], 15);
}

#[test]
fn a_part_that_another_file_imports_is_tested_with_it() {
    let folder = Folder::new("test-folder");
    folder.write("whole.route", &format!("{FILE}\nimport \"part.route\"\n"));
    // By itself it has no tier.
    let part = "waypost 1\ntest \"part\" { given { prompt \"hi\" } expect { tier weak } }\n";
    folder.write("part.route", part);
    let ran = waypost(&["test", &folder.path()]);
    assert_eq!(
        (ran.code, ran.stdout.lines().count()),
        (0, 1),
        "{}",
        ran.stderr
    );
}

#[test]
fn results_as_junit() {
    let ran = waypost_with(&["test", "-", "--format", "junit"], &with_tests());
    assert_eq!(ran.code, 1);
    for part in [
        "<testsuite name=\"stdin.route\" tests=\"2\" failures=\"1\"",
        "<testcase name=\"cheap\" classname=\"stdin.route\"",
        "<failure type=\"expectation\" message=\"expected tier weak, was strong: escalated by `long context`, line 15: request.tokens = 30000 &gt; 24000\">",
    ] {
        assert!(ran.stdout.contains(part), "{}", ran.stdout);
    }
}

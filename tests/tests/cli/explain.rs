//! `waypost explain`.

use crate::harness::{json, waypost};
use waypost_lang::codes;

#[test]
fn every_code_has_its_four_parts() {
    for code in codes::ALL {
        let ran = waypost(&["explain", code.number]);
        assert_eq!((ran.code, &*ran.stderr), (0, ""), "{}", code.number);
        let title = format!("{} {}", code.number, code.name);
        assert!(ran.stdout.starts_with(&title), "{}", ran.stdout);
        for heading in ["What it does", "Why is this bad?", "Example", "Fix"] {
            let (_, rest) = ran
                .stdout
                .split_once(&format!("\n{heading}\n\n"))
                .unwrap_or_else(|| panic!("{title} has no `{heading}`"));
            assert!(!rest.trim().is_empty(), "{title}: `{heading}` is empty");
        }
    }
}

#[test]
fn a_code_is_found_by_number_and_name_and_a_slip_is_answered() {
    let by_number = waypost(&["explain", "wp0203"]);
    assert_eq!(
        by_number.stdout,
        waypost(&["explain", "missing-key"]).stdout
    );
    let slip = waypost(&["explain", "mising-key"]);
    assert_eq!((slip.code, &*slip.stdout), (2, ""));
    assert!(slip.stderr.contains("did you mean `missing-key`?"));
}

#[test]
fn all_codes_are_listed() {
    let ran = waypost(&["explain"]);
    assert_eq!(ran.stdout.lines().count(), codes::ALL.len());
    let document = json(&waypost(&["explain", "--format", "json"]).stdout);
    assert_eq!(document["version"], 1);
    assert_eq!(
        document["codes"].as_array().unwrap().len(),
        codes::ALL.len()
    );
    let one = json(&waypost(&["explain", "WP0203", "--format", "json"]).stdout);
    assert_eq!(one["name"], "missing-key");
    assert!(one["explanation"].as_str().unwrap().contains("## Fix"));
}

//! `waypost lint`.

use crate::harness::{BROKEN, FILE, Folder, json, waypost, waypost_with};

/// Warned of: callers without a team share one bucket.
fn shared(statement: &str) -> String {
    FILE.replace("budget $900 / month", statement)
}

fn warned() -> String {
    shared("budget $900 / month per caller.team")
}

#[test]
fn warnings_alone_are_no_failure_until_they_are_denied() {
    let ran = waypost_with(&["lint", "-", "--select", "WP0440"], &warned());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.starts_with("warning[WP0440]"), "{}", ran.stdout);
    assert_eq!(ran.stderr, "1 warning in stdin.route\n");
    let denied = ["lint", "-", "--select", "WP0440", "--deny-warnings"];
    assert_eq!(waypost_with(&denied, &warned()).code, 1);
    assert_eq!(waypost_with(&["lint", "-"], BROKEN).code, 1);
}

#[test]
fn codes_their_beginnings_and_names_are_selected_and_ignored() {
    let found = |arguments: &[&str]| {
        let arguments: Vec<&str> = ["lint", "-", "--format", "concise"]
            .iter()
            .chain(arguments)
            .copied()
            .collect();
        let ran = waypost_with(&arguments, &warned());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.stdout.contains("WP0440")
    };
    assert!(found(&[]));
    for selected in ["WP0440", "wp04", "WP", "shared-bucket", "WP0305,WP044"] {
        assert!(found(&["--select", selected]), "{selected}");
        assert!(!found(&["--ignore", selected]), "{selected}");
    }
    assert!(!found(&["--select", "WP0305"]));
    assert!(!found(&["--select", "WP04", "--ignore", "shared-bucket"]));
}

#[test]
fn an_unknown_code_is_a_usage_error_with_the_nearest_one() {
    let ran = waypost_with(&["lint", "-", "--select", "shared-buckets"], FILE);
    assert_eq!((ran.code, &*ran.stdout), (2, ""));
    assert!(
        ran.stderr.contains("did you mean `shared-bucket`?"),
        "{}",
        ran.stderr
    );
    let ran = waypost_with(&["lint", "-", "--ignore", "WP9"], FILE);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
}

#[test]
fn errors_are_said_whatever_is_selected() {
    let arguments = ["lint", "-", "--select", "WP0440", "--ignore", "WP01"];
    let ran = waypost_with(&arguments, BROKEN);
    assert_eq!(ran.code, 1);
    assert!(ran.stdout.contains("error[WP0101]"), "{}", ran.stdout);
}

#[test]
fn a_suppression_with_a_reason_is_heard() {
    let statement =
        "// allow(WP0440): visitors share one on purpose\n  budget $900 / month per caller.team";
    let ran = waypost_with(
        &["lint", "-", "--select", "WP0440,WP049"],
        &shared(statement),
    );
    assert_eq!((ran.code, &*ran.stdout), (0, ""), "{}", ran.stderr);
    assert_eq!(ran.stderr, "nothing found in 1 file\n");
}

const UNUSED: &str = "// allow(WP0440): no longer\n  budget $900 / month";

#[test]
fn fixes_are_written_and_counted() {
    let folder = Folder::new("lint-fix");
    let path = folder.write("a.route", &shared(UNUSED));
    let ran = waypost(&["lint", "--fix", "--select", "WP0491", &path]);
    assert_eq!((ran.code, &*ran.stdout), (0, ""), "{}", ran.stderr);
    assert_eq!(
        ran.stderr,
        "fixed 1 finding in 1 file\nnothing found in 1 file\n"
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), FILE);
    let names = std::fs::read_dir(folder.path()).unwrap();
    assert_eq!(names.count(), 1, "no file is left beside it");
    let again = waypost(&["lint", "--fix", "--select", "WP0491", &path]);
    assert_eq!(again.stderr, "nothing found in 1 file\n");
}

#[test]
fn a_difference_is_shown_and_nothing_written() {
    let folder = Folder::new("lint-diff");
    let text = shared(UNUSED);
    let path = folder.write("a.route", &text);
    let ran = waypost(&["lint", "--diff", "--select", "WP0491", &path]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let removed = "-  // allow(WP0440): no longer\n";
    assert!(
        ran.stdout.starts_with(&format!("--- {path}\n")),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains(removed), "{}", ran.stdout);
    assert_eq!(ran.stderr, "1 finding would be fixed\n");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    let clean = waypost_with(&["lint", "--diff", "--select", "WP0491", "-"], FILE);
    assert_eq!((clean.code, &*clean.stdout), (0, ""));
}

#[test]
fn standard_input_is_fixed_to_standard_output() {
    let arguments = ["lint", "--fix", "--select", "WP0491,WP0440", "-"];
    let ran = waypost_with(&arguments, &shared(UNUSED));
    assert_eq!((ran.code, &*ran.stdout), (0, FILE), "{}", ran.stderr);
    let text = warned();
    let ran = waypost_with(&arguments, &text);
    assert_eq!((ran.code, ran.stdout), (0, text));
    assert!(ran.stderr.contains("warning[WP0440]"), "{}", ran.stderr);
}

/// Slips are mended too, and what they hid comes to light.
#[test]
fn errors_with_a_fix_are_fixed() {
    let ran = waypost_with(&["lint", "--fix", "--select", "WP0491", "-"], BROKEN);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(ran.stdout, BROKEN.replace("strogn", "strong"));
}

#[test]
fn only_files_that_were_given_are_changed() {
    let folder = Folder::new("lint-imported");
    let part = "waypost 1\n// allow(WP0440): no longer\nlet LONG = 24k\n";
    let part = folder.write("part.route", part);
    let whole = folder.write("whole.route", &format!("{FILE}import \"part.route\"\n"));
    let before = std::fs::read_to_string(&part).unwrap();
    let ran = waypost(&["lint", "--fix", "--select", "WP0491", &whole]);
    assert!(
        ran.stdout.contains("WP0491"),
        "{}{}",
        ran.stdout,
        ran.stderr
    );
    assert_eq!(std::fs::read_to_string(&part).unwrap(), before);
    let ran = waypost(&["lint", "--fix", "--select", "WP0491", &folder.path()]);
    assert_eq!(ran.stdout, "", "{}", ran.stderr);
    assert_eq!(
        std::fs::read_to_string(&part).unwrap(),
        "waypost 1\nlet LONG = 24k\n"
    );
}

/// Whatever holds in one of the files that import it is no mistake of the part.
#[test]
fn a_suppression_that_one_importer_needs_is_used() {
    let folder = Folder::new("lint-shared-part");
    let part = "waypost 1\npolicy {\n  // allow(WP0440): no teams yet\n  limit 9 requests / 1m \"teams\" per caller.team\n}\n";
    folder.write("part.route", part);
    let refusing = "deny \"no team\" when caller.team == \"\"\n  budget $900 / month";
    let import = "import \"part.route\"\n";
    folder.write("a.route", &format!("{FILE}{import}"));
    let refusing = folder.write("b.route", &format!("{}{import}", shared(refusing)));
    let ran = waypost(&["lint", "--select", "WP0491", &folder.path()]);
    assert_eq!(ran.stdout, "", "{}", ran.stderr);
    let alone = waypost(&["lint", "--select", "WP0491", &refusing]);
    assert!(alone.stdout.contains("WP0491"), "{}", alone.stdout);
}

#[test]
fn findings_in_every_format() {
    for format in ["json", "sarif", "github", "junit", "concise"] {
        let arguments = ["lint", "-", "--select", "WP0440", "--format", format];
        let ran = waypost_with(&arguments, &warned());
        assert_eq!(ran.code, 0, "{format}");
        assert!(ran.stdout.contains("WP0440"), "{format}: {}", ran.stdout);
    }
    let arguments = ["lint", "-", "--select", "WP0440", "--format", "json"];
    let document = json(&waypost_with(&arguments, &warned()).stdout);
    assert_eq!(document["version"], 1);
    assert_eq!(document["diagnostics"][0]["severity"], "warning");
}

#[test]
fn builds_say_what_lints_find_and_hear_suppressions() {
    let folder = Folder::new("lint-build");
    let path = folder.write("a.route", &warned());
    let ran = waypost(&["build", &path, "-o", &folder.join("out")]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("warning[WP0440]"), "{}", ran.stderr);
}

/// What one overlay has no use for is no mistake of the base, while another has.
#[test]
fn a_model_that_one_overlay_replaces_is_reached_in_another() {
    let folder = Folder::new("lint-overlays");
    folder.write("base.route", FILE);
    let spare = "model spare { via lab  context 8k  output 1k  price input $1  output $1 }\n";
    let overlay = |more: &str| format!("waypost 1\nimport \"base.route\"\n{more}");
    let using = overlay("extend tier strong { try spare }\n");
    folder.write("spare.route", &format!("waypost 1\n{spare}"));
    let spare = "import \"spare.route\"\n";
    folder.write("a.route", &format!("{using}{spare}"));
    let unused = folder.write("b.route", &overlay(spare));
    let arguments =
        |path: &str| waypost(&["lint", "--select", "WP0305", "--format", "concise", path]);
    let together = arguments(&folder.path());
    assert!(!together.stdout.contains("`spare`"), "{}", together.stdout);
    let alone = arguments(&unused);
    assert!(alone.stdout.contains("`spare`"), "{}", alone.stdout);
}

#[test]
fn what_was_found_in_all_files_is_counted_in_one_line() {
    let folder = Folder::new("lint-total");
    for name in ["a.route", "b.route"] {
        folder.write(name, &warned());
    }
    let ran = waypost(&["lint", "--select", "WP0440", &folder.path()]);
    assert_eq!(ran.stderr, "2 warnings in 2 files\n");
}

/// One denial mends them all.
#[test]
fn limits_that_share_a_key_that_may_lack_are_one_finding() {
    let text =
        shared("budget $900 / month per caller.team\n  limit 9 requests / 1m per caller.team");
    let arguments = ["lint", "-", "--select", "WP0440", "--format", "concise"];
    let ran = waypost_with(&arguments, &text);
    assert_eq!(ran.stdout.lines().count(), 1, "{}", ran.stdout);
    let refused = text.replace(
        "  cap at weak",
        "  deny \"no team\" when !(caller.team in [\"red\", \"blue\"])\n  cap at weak",
    );
    assert_eq!(waypost_with(&arguments, &refused).stdout, "");
}

/// The first call of a conversation is call 1, and rules are proved by that: a test cannot say otherwise.
#[test]
fn a_test_states_what_a_call_can_have() {
    for (given, code) in [("turns 0", 1), ("turns 1", 0), ("tokens 0", 0)] {
        let test = format!("test \"t\" {{ given {{ {given} }} expect {{ tier weak }} }}\n");
        let ran = waypost_with(&["check", "-"], &format!("{FILE}{test}"));
        assert_eq!(ran.code, code, "{given}: {}", ran.stdout);
    }
}

//! `waypost fmt`.

use crate::harness::{FILE, Folder, UNFORMATTED, waypost, waypost_with};

#[test]
fn check_names_what_would_change_and_changes_nothing() {
    let folder = Folder::new("fmt-check");
    let path = folder.write("a.route", UNFORMATTED);
    let ran = waypost(&["fmt", "--check", &path]);
    assert_eq!((ran.code, ran.stdout), (1, format!("{path}\n")));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), UNFORMATTED);
}

#[test]
fn a_difference_reads_like_diff() {
    let folder = Folder::new("fmt-diff");
    let path = folder.write("a.route", UNFORMATTED);
    let ran = waypost(&["fmt", "--diff", &path]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stdout.contains("\n-tiers weak   <strong\n"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.contains("\n+tiers weak < strong\n"),
        "{}",
        ran.stdout
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), UNFORMATTED);
}

#[test]
fn a_file_is_rewritten_once() {
    let folder = Folder::new("fmt-write");
    let path = folder.write("a.route", UNFORMATTED);
    let ran = waypost(&["fmt", &path]);
    assert_eq!((ran.code, &*ran.stdout), (0, ""));
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("tiers weak < strong\n"));
    let again = waypost(&["fmt", "--check", &path]);
    assert_eq!((again.code, &*again.stdout), (0, ""));
    assert_eq!(waypost(&["fmt", "--diff", &path]).stdout, "");
}

#[test]
fn standard_input_goes_to_standard_output() {
    let ran = waypost_with(&["fmt", "-"], UNFORMATTED);
    assert_eq!(ran.code, 0);
    assert!(ran.stdout.contains("tiers weak < strong\n"));
    assert_eq!(waypost_with(&["fmt", "-"], &ran.stdout).stdout, ran.stdout);
}

#[test]
fn what_does_not_parse_stays_as_it_is() {
    let folder = Folder::new("fmt-broken");
    let text = FILE.replace("tiers weak", "tiers <");
    let path = folder.write("a.route", &text);
    let ran = waypost(&["fmt", &path]);
    assert_eq!((ran.code, &*ran.stdout), (1, ""));
    assert!(ran.stderr.contains("error[WP0"), "{}", ran.stderr);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

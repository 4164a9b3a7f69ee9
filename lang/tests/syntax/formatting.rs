//! The formatter on whole files.

use waypost_lang::syntax::format;

use super::{AGENTS, FORMS, clean, without_spans};

fn formatted(text: &str) -> String {
    let once = format(text).unwrap();
    assert_eq!(format(&once).unwrap(), once, "not idempotent");
    assert_eq!(without_spans(&clean(&once)), without_spans(&clean(text)));
    once
}

#[test]
fn the_example_of_the_specification() {
    insta::assert_snapshot!("agents", formatted(AGENTS));
}

#[test]
fn every_form() {
    insta::assert_snapshot!("forms", formatted(FORMS));
}

#[test]
fn windows_line_ends_and_tabs_become_ours() {
    let windows = AGENTS.replace('\n', "\r\n").replace("  ", "\t");
    let ours = AGENTS.replace("  ", "\t");
    assert_eq!(formatted(&windows), formatted(&ours));
}

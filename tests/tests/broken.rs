//! Every file of `tests/broken` has one mistake and gives one diagnostic, which reads as its snapshot says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use std::path::{Path, PathBuf};

use waypost_compiler::{Checked, check};
use waypost_lang::render::{Color, human};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("broken")
}

/// The broken files by name, in order.
fn files() -> Vec<(String, String)> {
    let entries = std::fs::read_dir(folder()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut files: Vec<(String, String)> = paths
        .filter(|path| path.extension().is_some_and(|one| one == "route"))
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

fn compile(name: &str, text: &str) -> Checked {
    check(name, text, &|import: &str| {
        std::fs::read_to_string(folder().join(import)).ok()
    })
}

#[test]
fn each_file_gives_one_diagnostic_that_reads_well() {
    let files = files();
    assert!(files.len() >= 30, "{} files", files.len());
    for (name, text) in files {
        let checked = compile(&name, &text);
        let rendered = human(&checked.sources, &checked.diagnostics, Color::Never);
        assert_eq!(checked.diagnostics.len(), 1, "{name}:\n{rendered}");
        insta::assert_snapshot!(name.trim_end_matches(".route"), rendered);
    }
}

#[test]
fn each_says_what_and_what_to_do() {
    for (name, text) in files() {
        for one in compile(&name, &text).diagnostics {
            assert!(!one.primary.message.is_empty(), "{name}: no label");
            assert!(one.help.is_some(), "{name}: no help");
            assert!(!one.message.ends_with('.'), "{name}: a period");
            assert!(
                one.message.starts_with(|c: char| !c.is_uppercase()),
                "{name}"
            );
        }
    }
}

/// A fix takes the mistake away and brings no other.
#[test]
fn fixes_leave_nothing_to_report() {
    let mut fixed = 0;
    for (name, text) in files() {
        let checked = compile(&name, &text);
        let fixes = checked
            .diagnostics
            .iter()
            .filter_map(|one| one.fix.as_ref());
        for fix in fixes {
            let mut edited = text.clone();
            let mut edits: Vec<_> = fix.edits.iter().collect();
            edits.sort_by_key(|edit| std::cmp::Reverse(edit.span.start));
            for edit in edits {
                let range = edit.span.start as usize..edit.span.end as usize;
                edited.replace_range(range, &edit.text);
            }
            let left = compile(&name, &edited);
            let rendered = human(&left.sources, &left.diagnostics, Color::Never);
            assert!(
                left.diagnostics.is_empty(),
                "{name}: {}\n{rendered}",
                fix.title
            );
            fixed += 1;
        }
    }
    assert!(fixed >= 8, "{fixed} fixes");
}

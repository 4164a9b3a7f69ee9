//! No lint cries wolf: nothing is found in files that are as they should be.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use std::path::{Path, PathBuf};

use waypost_compiler::{Checked, Date, check, lint, standard};
use waypost_lang::codes;
use waypost_lang::render::concise;

const TODAY: Date = Date {
    year: 2026,
    month: 11,
    day: 25,
};

/// What lints find, without what this version cannot do yet.
fn found(checked: &Checked) -> String {
    let mut found = lint(checked, Some(TODAY));
    // Where limits are not shared between replicas, both say so.
    let known = [
        codes::NOT_IN_THIS_BUILD,
        codes::LIMIT_MULTIPLIED_BY_REPLICAS,
    ];
    found.retain(|one| !known.contains(&one.code));
    concise(&checked.sources, &found)
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|one| one == "route") {
            found.push(path);
        }
    }
}

#[test]
fn examples_have_no_finding() {
    let mut examples = Vec::new();
    files(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples"),
        &mut examples,
    );
    assert!(examples.len() >= 2, "{examples:?}");
    for path in examples {
        let text = std::fs::read_to_string(&path).unwrap();
        let loader = |path: &str| std::fs::read_to_string(path).ok();
        let checked = check(path.to_str().unwrap(), &text, &loader);
        assert_eq!(found(&checked), "");
    }
}

/// Files as companies write them, each in its own style.
#[test]
fn files_of_companies_have_no_finding() {
    let mut companies = Vec::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/companies");
    files(&folder, &mut companies);
    assert!(companies.len() >= 4, "{companies:?}");
    for path in companies {
        let text = std::fs::read_to_string(&path).unwrap();
        let checked = check(path.to_str().unwrap(), &text, &|_: &str| None);
        assert_eq!(found(&checked), "");
    }
}

#[test]
fn packs_have_no_finding() {
    let base = include_str!("lints/base.route");
    for (name, _) in standard::PACKS {
        let text = format!("{base}\nimport \"{name}\"\n");
        let checked = check("a.route", &text, &|_: &str| None);
        let found = found(&checked);
        let of_pack: Vec<&str> = found
            .lines()
            .filter(|line| line.starts_with("std/"))
            .collect();
        assert_eq!(of_pack, [""; 0], "{name}");
    }
}

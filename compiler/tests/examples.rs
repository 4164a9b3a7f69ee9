//! Every example of the repository compiles, and its plan loads.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use std::path::{Path, PathBuf};

use waypost_compiler::{check, lower};
use waypost_policies::plan::{Plan, encode};

fn routes(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            routes(&path, found);
        } else if path.extension().is_some_and(|one| one == "route") {
            found.push(path);
        }
    }
}

#[test]
fn examples_compile_and_load() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut paths = Vec::new();
    routes(&folder, &mut paths);
    assert!(!paths.is_empty());
    for path in paths {
        let name = path.to_str().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let checked = check(name, &text, &|import: &str| {
            std::fs::read_to_string(import).ok()
        });
        let messages: Vec<&str> = checked
            .diagnostics
            .iter()
            .map(|one| one.message.as_str())
            .collect();
        let program = checked
            .program
            .unwrap_or_else(|| panic!("{name}: {messages:?}"));
        Plan::load(encode(&lower(&program, &checked.sources))).unwrap();
    }
}

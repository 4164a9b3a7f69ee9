//! Every file of `tests/broken` has one mistake and gives one diagnostic; the messages are snapshots.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::path::{Path, PathBuf};

use waypost_compiler::{Checked, check};
use waypost_lang::{Diagnostic, SourceMap, Span};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/broken")
}

fn compile(path: &Path) -> Checked {
    let name = path.file_name().unwrap().to_str().unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    check(name, &text, &|import: &str| {
        std::fs::read_to_string(folder().join(import)).ok()
    })
}

fn underlined(sources: &SourceMap, span: Span, message: &str) -> String {
    let (file, line, column) = sources.position(span);
    let text = sources.text(span).lines().next().unwrap_or("");
    format!("  {file}:{line}:{column} `{text}` {message}\n")
}

fn render(sources: &SourceMap, one: &Diagnostic) -> String {
    let mut text = format!(
        "{:?} {} {}: {}\n",
        one.severity, one.code.number, one.code.name, one.message
    );
    text += &underlined(sources, one.primary.span, &one.primary.message);
    for label in &one.secondary {
        text += &underlined(sources, label.span, &label.message);
    }
    if let Some(help) = &one.help {
        text += &format!("  help: {help}\n");
    }
    if let Some(fix) = &one.fix {
        text += &format!("  fix: {}\n", fix.title);
    }
    text
}

#[test]
fn each_broken_file_gives_one_diagnostic() {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|one| one == "route"))
        .collect();
    paths.sort();
    assert!(paths.len() >= 10, "{} files", paths.len());
    let mut all = String::new();
    let mut several = Vec::new();
    for path in &paths {
        let checked = compile(path);
        all += &format!("# {}\n", path.file_name().unwrap().to_str().unwrap());
        for one in &checked.diagnostics {
            all += &render(&checked.sources, one);
        }
        all.push('\n');
        if checked.diagnostics.len() != 1 {
            several.push(path.clone());
        }
    }
    insta::assert_snapshot!(all);
    assert!(
        several.is_empty(),
        "not exactly one diagnostic: {several:?}"
    );
}

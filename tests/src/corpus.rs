//! Every text of the language that is in the repository: examples, packs, fixtures, and the blocks of explanations.

use std::path::Path;

use waypost_compiler::{check, lower, standard};
use waypost_lang::codes;
use waypost_policies::plan::encode;

/// Folders without a text of ours.
const SKIPPED: [&str; 3] = ["target", "node_modules", "corpus"];

/// A text and where it stands.
#[derive(Debug, Clone)]
pub struct Source {
    /// The path from the repository's root, or the code whose explanation it is of.
    pub name: String,
    /// The text.
    pub text: String,
}

/// All of them, in an order that does not change.
///
/// # Panics
/// When the repository cannot be read.
#[must_use]
pub fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    walk(&root, &root, &mut found);
    for code in codes::ALL {
        for block in code.explanation.split("```route\n").skip(1) {
            found.push(Source {
                name: code.number.to_owned(),
                text: block.split("```").next().unwrap_or_default().to_owned(),
            });
        }
    }
    found.sort_by(|left, right| (&left.name, &left.text).cmp(&(&right.name, &right.text)));
    found
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<Source>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.') && !SKIPPED.contains(&name.as_str()) {
                walk(root, &path, found);
            }
        } else if name.ends_with(".route") {
            found.push(Source {
                name: path
                    .strip_prefix(root)
                    .unwrap()
                    .to_string_lossy()
                    .into_owned(),
                text: String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned(),
            });
        }
    }
}

/// The conditions of rules in these sources: from `when` to the end of the line.
#[must_use]
pub fn conditions(sources: &[Source]) -> Vec<String> {
    let lines = sources.iter().flat_map(|source| source.text.lines());
    let mut found: Vec<String> = lines
        .filter_map(|line| {
            Some(
                line.split_once(" when ")?
                    .1
                    .trim_end_matches([' ', '}'])
                    .trim(),
            )
        })
        .map(str::to_owned)
        .collect();
    found.sort();
    found.dedup();
    found
}

/// The plans of those that compile.
#[must_use]
pub fn plans(sources: &[Source]) -> Vec<Vec<u8>> {
    let compiled = sources.iter().filter_map(|source| {
        let checked = check(&source.name, &source.text, &|path: &str| {
            standard::pack(path).map(str::to_owned)
        });
        let program = checked.program.as_ref()?;
        Some(encode(&lower(program, &checked.sources)))
    });
    compiled.collect()
}

/// Bodies of calls, in every dialect.
///
/// # Panics
/// When the repository cannot be read.
#[must_use]
pub fn bodies() -> Vec<Vec<u8>> {
    let recorded = include_str!("../../examples/agents/requests.jsonl").lines();
    let recorded = recorded
        .filter_map(|line| line.split_once("\"body\":")?.1.strip_suffix('}'))
        .map(|body| body.as_bytes().to_vec());
    let older = OLDER.iter().map(|body| body.as_bytes().to_vec());
    recorded
        .chain(older)
        .chain(translated("request.in"))
        .collect()
}

/// What the golden tests of translation read.
fn translated(kind: &str) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/tests/translate");
    let folders = std::fs::read_dir(root).unwrap();
    let files = folders.flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap());
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.retain(|path| path.to_string_lossy().ends_with(kind));
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

/// What is sent to the older interfaces.
const OLDER: &[&str] = &[
    r#"{"model":"auto","prompt":["one",[1,2,3]],"best_of":2,"n":1,"max_tokens":4,"stream":false}"#,
    r#"{"model":"text-embedding","input":[[1,2],[3]],"encoding_format":"base64"}"#,
];

//! How far estimates are from what tokenisers count: of twenty kinds of text, against OpenAI's vocabularies.
//!
//! `recount.py` writes `counts.json` with the vocabularies themselves; no tokeniser is built here. The table that
//! `--nocapture` prints is the one of `docs/operations.md`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use waypost_policies::tokens::of_text;

#[derive(Deserialize)]
struct Counts {
    o200k: Counted,
    cl100k: Counted,
}

#[derive(Deserialize)]
struct Counted {
    whole: u64,
    pieces: Vec<u64>,
}

/// The least length of a piece, in bytes.
const PIECE: usize = 400;

/// By how many percent, at most, the estimate of a kind of text may be below and above o200k's count of the whole.
const BOUNDS: &[(&str, f64, f64)] = &[
    ("arabic", -12.0, 0.0),
    ("base64", -24.0, 0.0),
    ("chinese", -3.0, 3.0),
    ("csv", -3.0, 5.0),
    ("emoji", -5.0, 5.0),
    ("english", 0.0, 4.0),
    ("french", 0.0, 9.0),
    ("german", -13.0, 0.0),
    ("hex", 0.0, 6.0),
    ("hindi", -6.0, 0.0),
    ("japanese", 0.0, 4.0),
    ("json", -3.0, 3.0),
    ("korean", 0.0, 7.0),
    ("logs", 0.0, 8.0),
    ("markdown", -3.0, 2.0),
    ("python", 0.0, 6.0),
    ("russian", 0.0, 12.0),
    ("rust", 0.0, 5.0),
    ("typescript", 0.0, 9.0),
    ("yaml", -18.0, 0.0),
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/estimate")
}

/// As `recount.py` cuts it.
fn pieces(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut piece = String::new();
    for line in text.split_inclusive('\n') {
        piece.push_str(line);
        if piece.len() >= PIECE {
            found.push(std::mem::take(&mut piece));
        }
    }
    match found.last_mut() {
        Some(last) => last.push_str(&piece),
        None => found.push(piece),
    }
    found
}

/// In percent.
fn error(estimate: u64, counted: u64) -> f64 {
    (estimate as f64 - counted as f64) * 100.0 / counted as f64
}

#[test]
fn estimates_are_as_far_from_the_truth_as_the_documentation_says() {
    let counts = std::fs::read_to_string(folder().join("counts.json")).unwrap();
    let counts: BTreeMap<String, Counts> = serde_json::from_str(&counts).unwrap();
    assert_eq!(counts.len(), BOUNDS.len());
    println!(
        "| text | error | mean of pieces | worst pieces | error, cl100k |\n|---|---|---|---|---|"
    );
    let mut beyond = Vec::new();
    for (kind, low, high) in BOUNDS {
        let text = std::fs::read_to_string(folder().join(format!("texts/{kind}.txt"))).unwrap();
        let counted = &counts[*kind];
        let whole = error(of_text(&text), counted.o200k.whole);
        let pieces = pieces(&text);
        assert_eq!(pieces.len(), counted.o200k.pieces.len(), "{kind}");
        let pieces = pieces.iter().zip(&counted.o200k.pieces);
        let errors: Vec<f64> = pieces
            .map(|(piece, counted)| error(of_text(piece), *counted))
            .collect();
        let mean = errors.iter().map(|error| error.abs()).sum::<f64>() / errors.len() as f64;
        let least = errors.iter().copied().fold(f64::INFINITY, f64::min);
        let most = errors.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let older = error(of_text(&text), counted.cl100k.whole);
        println!(
            "| {kind} | {whole:+.0}% | {mean:.0}% | {least:+.0}% to {most:+.0}% | {older:+.0}% |"
        );
        if whole < *low || whole > *high {
            beyond.push(format!("{kind}: {whole:.1}% is not from {low}% to {high}%"));
        }
    }
    assert!(beyond.is_empty(), "{beyond:#?}");
}

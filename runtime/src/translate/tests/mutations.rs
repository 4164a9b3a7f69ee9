//! Bodies and streams that someone damaged: refused or translated, whatever the sizes of the pieces they come in.

use std::path::Path;

use bytes::Bytes;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::*;
use crate::stream::Watcher;

/// Every pair of a client and an upstream that do not speak the same.
fn pairs() -> Vec<Pair> {
    let upstreams = [Dialect::CHAT, MESSAGES, Dialect::Gemini, Dialect::Converse];
    let pairs = Surface::ALL.iter().flat_map(|client| {
        upstreams
            .iter()
            .filter_map(|upstream| Pair::of(*client, *upstream))
    });
    pairs.collect()
}

/// What breaks readers of events and of JSON.
const PIECES: &[&[u8]] = &[
    b"",
    b"\n",
    b"\n\n",
    b"\r",
    b"\r\n",
    b"data:",
    b"data: ",
    b"data: [DONE]\n\n",
    b"event: x\n",
    b":",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b"\"",
    b"\\",
    b"\\u",
    b"\\ud800",
    b"null",
    b"1e999",
    b"-1",
    b"18446744073709551616",
    b"true",
    b"\0",
    b"\xff",
    b"\xf0\x9f",
    b"\xef\xbb\xbf",
    b"{\"type\":\"error\"}",
    b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
];

/// What the golden tests read of this kind.
fn golden(kind: &str) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/translate");
    let folders = std::fs::read_dir(root).unwrap();
    let files = folders.flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap());
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.retain(|path| path.to_string_lossy().ends_with(&format!("{kind}.in")));
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

type Change = (Index, usize, Index);

/// Pieces taken out, and others put in their place.
fn damaged(texts: &[Vec<u8>], which: Index, changes: &[Change]) -> Vec<u8> {
    let mut bytes = texts[which.index(texts.len())].clone();
    for (at, length, piece) in changes {
        let start = at.index(bytes.len() + 1);
        let end = (start + length).min(bytes.len());
        let piece = PIECES[piece.index(PIECES.len())];
        bytes.splice(start..end, piece.iter().copied());
    }
    bytes
}

/// Holds a property against many damaged texts, the same in every run.
fn each(texts: &[Vec<u8>], property: impl Fn(&[u8])) {
    assert!(!texts.is_empty());
    let changes = prop::collection::vec((any::<Index>(), 0..30_usize, any::<Index>()), 0..5);
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let config = Config {
        cases: 400,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, rng)
        .run(&(any::<Index>(), changes), |(which, changes)| {
            property(&damaged(texts, which, &changes));
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_stream_is_translated_the_same_in_pieces_of_any_size() {
    each(&golden("stream"), |bytes| {
        for pair in pairs() {
            let whole = streamed(pair, bytes, bytes.len().max(1));
            for size in [1, 5, 64] {
                assert_eq!(streamed(pair, bytes, size), whole);
            }
        }
    });
}

#[test]
fn a_request_or_an_answer_is_refused_or_stays_json() {
    let mut texts = golden("request");
    texts.extend(golden("answer"));
    each(&texts, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        for pair in pairs() {
            if let Ok(translated) = request(pair, &text, 4096) {
                value(&translated.body);
            }
            if let Ok(answer) = pair.answer(&text, &context()) {
                value(&answer);
            }
        }
    });
}

fn watched(dialect: Dialect, hides_usage: bool, bytes: &[u8], size: usize) -> (Vec<u8>, String) {
    let mut watcher = Watcher::new(dialect, hides_usage, 1);
    let mut output = Vec::new();
    for chunk in bytes.chunks(size) {
        output.extend_from_slice(&watcher.pass(Bytes::copy_from_slice(chunk)));
    }
    output.extend_from_slice(&watcher.rest());
    (output, format!("{:?}", watcher.told()))
}

#[test]
fn a_stream_tells_the_same_in_pieces_of_any_size() {
    each(&golden("stream"), |bytes| {
        for dialect in [
            Dialect::CHAT,
            MESSAGES,
            Dialect::Of(Surface::Responses),
            Dialect::Gemini,
        ] {
            for hides_usage in [false, true] {
                let whole = watched(dialect, hides_usage, bytes, bytes.len().max(1));
                for size in [1, 5, 64] {
                    assert_eq!(watched(dialect, hides_usage, bytes, size), whole);
                }
                if !hides_usage {
                    assert_eq!(whole.0, bytes);
                }
            }
        }
    });
}

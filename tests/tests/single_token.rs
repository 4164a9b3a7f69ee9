//! Every single-token slip in a sound file: each token deleted, doubled or replaced. Nearly all give one
//! finding, and none hides a mistake in another section.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    reason = "tests"
)]

use waypost_compiler::check;
use waypost_lang::render::{Color, human};
use waypost_lang::syntax::{TokenKind, tokens};

const BASE: &str = include_str!("../slips/base.route");

/// Mistakes far apart: what is taken out, what is put in, and what is said of it.
const PLANTED: [(&str, &str, &str); 4] = [
    ("engine sglang", "engine sglan", "`sglan` is no engine"),
    (
        "caller.plan == \"pro\"",
        "caller.plam == \"pro\"",
        "no field `plam`",
    ),
    ("monitor   azure", "monitor   azur", "`azur` is no monitor"),
    (
        "model phi-4-mini  cost",
        "model phi-5  cost",
        "there is no model called `phi-5`",
    ),
];

/// Slips after which an unknown name may well be declared: by the import that leads nowhere, or by the model
/// that has lost its name.
const EXCUSED: [&str; 2] = [
    "replace `\"std/agents.route\"` at 18 hides there is no model called `phi-5`",
    "delete `e5` at 777 hides there is no model called `phi-5`",
];

/// Where the block that holds the byte `at` begins and ends: from one empty line to the next.
fn block(text: &str, at: usize) -> (usize, usize) {
    let start = text[..at].rfind("\n\n").unwrap_or(0);
    let end = text[at..].find("\n\n").map_or(text.len(), |end| at + end);
    (start, end)
}

/// Each slip: its text, where, and what it is.
fn slips(text: &str) -> Vec<(String, usize, String)> {
    let mut slips = Vec::new();
    let kept = |kind| !matches!(kind, TokenKind::Comment | TokenKind::End);
    for token in tokens(text).filter(|token| kept(token.kind)) {
        let (start, end) = (token.start as usize, token.end as usize);
        let written = &text[start..end];
        let mut add = |new: &str, what: &str| {
            let broken = format!("{}{new}{}", &text[..start], &text[end..]);
            slips.push((broken, start, format!("{what} `{written}` at {start}")));
        };
        add("", "delete");
        add(&format!("{written} {written}"), "double");
        let other = match token.kind {
            TokenKind::Word => "5000",
            TokenKind::Number | TokenKind::Text => "oops",
            TokenKind::OpenBrace => "(",
            TokenKind::CloseBrace => "]",
            _ => ":",
        };
        add(other, "replace");
    }
    slips
}

struct Outcome {
    /// How many slips gave no finding, one, two, more.
    counts: [usize; 4],
    loud: String,
    hidden: usize,
    hidden_examples: String,
    planted: usize,
}

fn errors(text: &str) -> (usize, String) {
    let checked = check("a.route", text, &|_: &str| None);
    let errors: Vec<_> = checked
        .diagnostics
        .into_iter()
        .filter(|found| found.is_error())
        .collect();
    (errors.len(), human(&checked.sources, &errors, Color::Never))
}

fn measure() -> Outcome {
    let mut outcome = Outcome {
        counts: [0; 4],
        loud: String::new(),
        hidden: 0,
        hidden_examples: String::new(),
        planted: 0,
    };
    for (turn, (broken, at, what)) in slips(BASE).into_iter().enumerate() {
        let (count, said) = errors(&broken);
        outcome.counts[count.min(3)] += 1;
        if count > 1 {
            outcome.loud += &format!("\n=== {what}: {count}\n{said}");
        }
        if count == 0 {
            continue;
        }
        let (old, new, expected) = PLANTED[turn % PLANTED.len()];
        let (start, end) = block(BASE, at);
        if (start..end).contains(&BASE.find(old).unwrap()) {
            continue;
        }
        // The slip may have taken what it would plant.
        let Some(place) = broken.rfind(old) else {
            continue;
        };
        let both = format!("{}{new}{}", &broken[..place], &broken[place + old.len()..]);
        outcome.planted += 1;
        let (_, said) = errors(&both);
        if !said.contains(expected) {
            outcome.hidden += 1;
            outcome.hidden_examples += &format!("\n=== {what} hides {expected}\n{said}");
        }
    }
    outcome
}

#[test]
fn a_single_token_is_one_finding_and_hides_nothing() {
    let outcome = measure();
    let [none, one, two, more] = outcome.counts;
    let found = one + two + more;
    println!(
        "{none} slips change nothing that is wrong; of {found}: {one} one finding, {two} two, {more} more"
    );
    println!(
        "{} second mistakes planted, {} hidden",
        outcome.planted, outcome.hidden
    );
    if let Some(path) = std::env::var_os("WAYPOST_LOUD") {
        std::fs::write(path, outcome.loud + &outcome.hidden_examples).unwrap();
    }
    assert!(one * 100 >= found * 98, "{one} of {found}");
    assert_eq!(more, 0);
    assert_eq!(outcome.hidden, EXCUSED.len(), "{}", outcome.hidden_examples);
    for slip in EXCUSED {
        assert!(outcome.hidden_examples.contains(slip), "{slip}");
    }
}

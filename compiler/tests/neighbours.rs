//! Each proof both ways: a file that has the defect, and its nearest neighbour that has not. The two differ in one token.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use waypost_compiler::{Date, check, lint};
use waypost_lang::codes::ALL;
use waypost_lang::render::{Color, human};
use waypost_lang::syntax::{TokenKind, tokens};

#[path = "lints/splice.rs"]
mod splice;

use splice::splice;

/// The day of every file.
const TODAY: Date = Date {
    year: 2026,
    month: 11,
    day: 25,
};

/// The codes that are proofs.
const PROOFS: std::ops::RangeInclusive<&str> = "WP0401"..="WP0439";

/// Of each proof, what is spliced into the sound file: `⟨defect|neighbour⟩` is the one token that makes it so.
const PAIRS: &[(&str, &str)] = &[
    (
        "WP0401",
        r#"content {
  escalate to strong "long"      when request.tokens > 24000
  escalate to strong "very long" when request.tokens > ⟨24001|23999⟩ && request.stream
}"#,
    ),
    (
        "WP0401",
        r#"content {
  escalate to strong "writes" when request.prompt.startsWith("write")
  escalate to strong "more"   when request.prompt.startsWith(⟨"write_"|"writ"⟩) && request.stream
}"#,
    ),
    (
        "WP0402",
        r#"content { escalate to strong "few" when request.tokens > 10 && request.tokens < ⟨11|12⟩ }"#,
    ),
    (
        "WP0402",
        r#"policy { deny "both" status 403 when caller.team == "sandbox" && ⟨caller.team|caller.plan⟩ == "trial" }"#,
    ),
    (
        "WP0403",
        r#"content { escalate to strong "any" when request.tokens < 5 || request.tokens > ⟨4|5⟩ }"#,
    ),
    (
        "WP0404",
        r#"content { escalate to strong "some" when request.stream && request.tokens >= ⟨0|1⟩ }"#,
    ),
    (
        "WP0405",
        r#"policy {
  cap at weak "free plan"  when caller.plan == "free"
  cap at weak "trial plan" when caller.plan == ⟨"free"|"trial"⟩
}"#,
    ),
    (
        "WP0406",
        r#"policy { deny "sandbox" status 403 when caller.team == "sandbox" }
policy { deny "never spends" status 403 when caller.team == ⟨"sandbox"|"trial"⟩ && tier == "strong" }"#,
    ),
    (
        "WP0407",
        r#"tiers weak < strong < frontier
tier frontier { try gpt-5.1 }
content {
  escalate to strong "long" when request.tokens > 24000
  escalate to ⟨strong|frontier⟩ "pictures" when request.images > 3
}"#,
    ),
    (
        "WP0408",
        r#"policy { cap at ⟨strong|weak⟩ "free plan" when caller.plan == "free" }"#,
    ),
    (
        "WP0409",
        r#"content { escalate to ⟨weak|strong⟩ "long" when request.tokens > 24000 }"#,
    ),
    (
        "WP0410",
        r#"model gpt-4.1 { via aoai  deployment "gpt-4.1"  context ⟨399k|400k⟩  output 128k  price input $2  output $8 }
tier strong { try gpt-5.1  then gpt-4.1 }"#,
    ),
    (
        "WP0411",
        r#"model e5 { via pool phi as "e5"  serves ⟨embeddings|chat⟩  context 512k  output 128k  price input $0.01  output $0.02 }
tier strong { try gpt-5.1  then e5 }"#,
    ),
    (
        "WP0412",
        r#"policy {
  limit 60k tokens / 1m "short" per caller.key
  limit 90k tokens / 1m "long"  per ⟨caller.key|caller.agent⟩
}"#,
    ),
    (
        "WP0420",
        r#"model phi-4-mini { via pool phi  as "phi-4-mini-instruct"  context 128k  output 4k  price input $0  output $0 }
tier weak { try phi-4-mini }
policy {
  callers { keys secret caller_keys  anonymous deny }
  budget $50 / day on ⟨weak|strong⟩
}"#,
    ),
    (
        "WP0421",
        r#"deploy kubernetes { namespace "llm"  replicas ⟨2|1⟩ }"#,
    ),
    (
        "WP0422",
        r#"model gpt-5.1 {
  via aoai  deployment "gpt-5.1"  context 400k  output 128k  price input $1.25  cached ⟨$0.125|$1.25⟩  output $10.00
}
content { escalate to strong "derives" when request.prompt.lowerAscii().contains("derive") }"#,
    ),
    (
        "WP0423",
        "policy { budget ⟨$0.03|$3.00⟩ / day per caller.key on strong }",
    ),
    (
        "WP0424",
        "policy { limit 60k tokens / 1m burst ⟨2000|20000⟩ per caller.key on strong }",
    ),
    (
        "WP0425",
        r#"model gpt-5.1 { via aoai  deployment "gpt-5.1"  context 400k  price input $1.25  output ⟨$10.00|$0.00⟩ }"#,
    ),
    (
        "WP0426",
        r#"policy {
  callers { keys secret caller_keys  anonymous deny }
  budget $50 / day { at 80% warn  at 100% ⟨warn|deny⟩ }
}"#,
    ),
    (
        "WP0427",
        r#"model phi-4-mini { via aoai  context 128k  output 4k  price input ⟨$1.25|$1.24⟩  output $10.00 }
policy { budget $50 / day on strong { at 100% cap at weak } }"#,
    ),
    (
        "WP0428",
        r#"policy {
  callers { keys secret caller_keys  anonymous deny }
  budget $50 / day { at 100% cap at weak  at 150% ⟨warn|deny⟩ }
}"#,
    ),
    (
        "WP0429",
        r#"model phi-4-mini {
  via pool phi  as "phi-4-mini-instruct"  context 128k  output 4k  price input ⟨$1.26|$1.25⟩  output $10.00
}"#,
    ),
    (
        "WP0430",
        r#"model gpt-5.1 {
  via aoai  deployment "gpt-5.1"  context 400k  output 128k  price input $1.25  cached ⟨$1.26|$1.25⟩  output $10.00
}"#,
    ),
    (
        "WP0437",
        r#"provider claude { kind anthropic  auth secret aoai_key }
model opus {
  via claude  as "claude-opus-4-5"  context 200k  output 64k  price input $5  cached $0.50  ⟨audio-input|cache-write⟩ $6.25  output $25
}"#,
    ),
    (
        "WP0438",
        r#"model gpt-5.1 {
  via aoai  deployment "gpt-5.1"  context 400k  output 128k
  price            input $1.25  cached $0.125  output $10.00
  price above 200k input $2.50  cached ⟨$0.124|$0.125⟩  output $15.00
}"#,
    ),
    (
        "WP0431",
        "tier strong { try gpt-5.1  timeout ⟨201s|200s⟩  retries 2 }",
    ),
    (
        "WP0432",
        r#"policy {
  callers { keys secret caller_keys  anonymous ⟨allow|deny⟩ }
  budget $900 / month
}"#,
    ),
    (
        "WP0433",
        r#"policy {
  callers { keys secret caller_keys  anonymous deny }
  budget $5 / day per ⟨request.model|caller.team⟩
}"#,
    ),
    (
        "WP0434",
        r#"policy {
  callers { keys secret caller_keys  anonymous deny }
  budget $50 / day { at 100% deny  at ⟨101%|99%⟩ warn }
}"#,
    ),
    (
        "WP0435",
        r#"policy { deny "too dear" status 403 when ⟨cost.estimate|cost.ceiling⟩ > 0.5 }"#,
    ),
    (
        "WP0436",
        r#"policy {
  callers { keys secret caller_keys  anonymous deny }
  limit 600k ⟨requests|tokens⟩ / 1m per caller.key
}"#,
    ),
];

/// The two files of a pair.
fn both(pair: &str) -> [String; 2] {
    let (before, rest) = pair.split_once('⟨').expect(pair);
    let (defect, rest) = rest.split_once('|').expect(pair);
    let (neighbour, after) = rest.split_once('⟩').expect(pair);
    for one in [defect, neighbour] {
        let count = tokens(one).filter(|token| token.kind != TokenKind::End);
        assert_eq!(count.count(), 1, "`{one}` is not one token");
    }
    [defect, neighbour].map(|one| format!("{before}{one}{after}"))
}

/// What is found in a block once it is spliced into the sound file: the codes, and all of it for people.
fn found(block: &str) -> (Vec<&'static str>, String) {
    let text = splice(block);
    let checked = check("pair.route", &text, &|_: &str| None);
    let found = lint(&checked, Some(TODAY));
    let report = human(&checked.sources, &found, Color::Never);
    assert!(found.iter().all(|one| !one.is_error()), "{report}");
    (found.iter().map(|one| one.code.number).collect(), report)
}

#[test]
fn the_defect_is_found_and_its_neighbour_is_sound() {
    let mut problems = String::new();
    for (code, pair) in PAIRS {
        let [defect, neighbour] = both(pair);
        let (codes, report) = found(&defect);
        if codes.iter().filter(|one| *one == code).count() != 1 {
            problems += &format!("\n=== {code} once, in {defect}\n{report}");
        }
        let (codes, report) = found(&neighbour);
        if codes.contains(code) {
            problems += &format!("\n=== no {code} in {neighbour}\n{report}");
        }
    }
    assert!(problems.is_empty(), "{problems}");
}

#[test]
fn every_proof_has_a_pair() {
    let proofs = ALL.iter().filter(|code| PROOFS.contains(&code.number));
    let missing: Vec<&str> = proofs
        .map(|code| code.number)
        .filter(|code| PAIRS.iter().all(|(paired, _)| paired != code))
        .collect();
    assert_eq!(missing, [""; 0], "proofs without a pair");
}

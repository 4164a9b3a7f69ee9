//! Plans that someone changed and sealed again: refused, or decided on without a panic and in bounded time.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

use std::borrow::Cow;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::sample::Index;
use waypost_compiler::{check, lower};
use waypost_policies::facts::{Claim, Message, Request, ToolCall};
use waypost_policies::limits::State;
use waypost_policies::plan::{Plan, encode};
use waypost_policies::{Evaluation, decide, example, explain, fall_back};

/// Magic, format, number of sections; then for each its offset, length and checksum.
const HEADER: usize = 16;
const ENTRY: usize = 12;
/// The section that holds the code, the last but one.
const CODE_FROM_END: usize = 2;

/// A file that uses most of the language.
const FILE: &str = r#"waypost 1
pool a { endpoints "http://a.test", "http://b.test"  engine vllm }
provider p { kind openai  auth secret k }
secret k = env("K")
model small { via pool a  context 8k  output 1k  price input $0.04  output $0.08 }
model large { via p  context 400k  output 128k  price input $1.25  cached $0.125  output $10.00 }
tiers weak < strong
tier weak { split small 90%, large 10% by caller.key  then large }
tier strong { try large  timeout 60s  retries 2 }
content {
  accept "auto", "auto-*", models
  start weak
  threshold 0.42
  escalate to strong "tools" when request.tools.exists(t, t.name.startsWith("write_") && t.description.size() > 3)
  escalate to strong "calls" when request.messages.exists(m, m.tool_calls.all(c, c.name in ["a", "b"] || c.arguments.matches("x+")))
  escalate to strong "made" when request.prompt.lowerAscii().split(" ").map(w, w + "!").filter(w, w.size() > 3).join("-").replace("e", "ee").contains("k!")
  escalate to strong "numbers" when request.tokens * 2 + request.turns % 7 > 100 && double(request.tokens) >= 3.5
  escalate to strong "optional" when request.headers[?"x-a"].or(request.metadata[?"b"]).orValue("").trim() != ""
  escalate to strong "choice" when (request.stream ? request.turns : size(request.messages)) in [1, 2, 3]
  escalate to strong "warm" when request.temperature.orValue(1.0) > 1.5
  escalate to strong "hard" when difficulty >= threshold
  keep session request.headers[?"x-session-id"].orValue("") for 10m
}
policy {
  callers { keys secret k  anonymous deny }
  deny "sandbox" status 451 when caller.team == "sandbox" && tier == "strong"
  deny "night" when now.getHours("Europe/Berlin") < 6 && cidr("10.0.0.0/8").containsIP(source.ip)
  deny "old" when now < timestamp("2020-01-01T00:00:00Z") + duration("24h")
  cap at weak "free" when caller.plan == "free" || "free" in caller.claims[?"plans"].orValue([])
  limit 600 requests / 1m per caller.key
  limit 60k tokens / 1m per caller.agent on strong
  budget $50 / day in "Europe/Berlin" per caller.team on strong { at 80% warn  at 100% cap at weak }
  budget $900 / month { at 100% deny }
  priority 10 "paying" when caller.plan == "pro" && cost.ceiling < 0.5
}
place a { only when endpoint.labels[?"gpu"].orValue("") == "h100" }
"#;

static SEALED: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let checked = check("hostile.route", FILE, &|_: &str| None);
    let Some(program) = checked.program else {
        panic!("{:#?}", checked.diagnostics);
    };
    encode(&lower(&program, &checked.sources))
});

fn number(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
}

/// Where a section lies.
fn section(bytes: &[u8], index: usize) -> std::ops::Range<usize> {
    let entry = HEADER + index * ENTRY;
    let start = number(bytes, entry);
    start..start + number(bytes, entry + 4)
}

fn reseal(mut bytes: Vec<u8>) -> Vec<u8> {
    for index in 0..number(&bytes, 12) {
        let checksum = crc32fast::hash(&bytes[section(&bytes, index)]);
        let place = HEADER + index * ENTRY + 8;
        bytes[place..place + 4].copy_from_slice(&checksum.to_le_bytes());
    }
    bytes
}

fn request() -> Request<'static> {
    let mut request = example::request("Look at the quick brown fox.");
    request.tools = vec![example::tool("write_a"), example::tool("read_b")];
    let call = ToolCall {
        name: Cow::Borrowed("a"),
        arguments: Cow::Borrowed("xx"),
    };
    request.messages = vec![
        Message {
            content: Cow::Borrowed("hello"),
            ..Message::default()
        },
        Message {
            tool_calls: vec![call],
            ..Message::default()
        },
    ];
    request
}

/// Whether it loads; then it decides, falls back and explains itself.
fn decides_if_it_loads(bytes: Vec<u8>) -> bool {
    let started = Instant::now();
    let Ok(plan) = Plan::load(bytes) else {
        return false;
    };
    let state = State::new(&plan, [1, 2]);
    let mut evaluation = Evaluation::default();
    for model in ["auto", "auto-0.2", "large"] {
        let mut request = request();
        request.model = Cow::Borrowed(model);
        request.headers = vec![Some(Cow::Borrowed("s")); plan.headers().len()];
        request.metadata = vec![None; plan.metadata().len()];
        let mut facts = example::facts(&request);
        facts.caller.claims = vec![Some(Claim::Int(3)); plan.claims().len()];
        let mut decision = decide(&plan, &facts, &state, &mut evaluation);
        for _ in 0..3 {
            decision = fall_back(&plan, &facts, &state, &mut evaluation, &decision);
        }
        let _ = explain(&plan, &facts, &state, &mut evaluation);
    }
    let _ = plan.to_draft();
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "it took too long"
    );
    true
}

#[test]
fn the_file_unchanged_decides() {
    assert!(decides_if_it_loads(SEALED.clone()));
    assert!(decides_if_it_loads(reseal(SEALED.clone())));
}

/// Numbers at the edges of what fields hold.
fn edge() -> impl Strategy<Value = u32> {
    prop_oneof![
        0..40_u32,
        Just(u32::MAX),
        Just(u32::MAX - 1),
        Just(1 << 31),
        Just(0x8000),
        Just(0xffff),
        any::<u32>(),
    ]
}

proptest! {
    #[test]
    fn records_with_other_numbers(changes in prop::collection::vec((any::<Index>(), edge(), 1..5_usize), 1..4)) {
        let mut bytes = SEALED.clone();
        let from = HEADER + number(&bytes, 12) * ENTRY;
        for (place, value, width) in changes {
            let place = from + place.index(bytes.len() - from - width);
            bytes[place..place + width].copy_from_slice(&value.to_le_bytes()[..width]);
        }
        decides_if_it_loads(reseal(bytes));
    }

    #[test]
    fn code_with_other_instructions(changes in prop::collection::vec((any::<Index>(), edge(), 1..3_usize), 1..4)) {
        let mut bytes = SEALED.clone();
        let code = section(&bytes, number(&bytes, 12) - CODE_FROM_END);
        for (place, value, width) in changes {
            let place = code.start + place.index(code.len() - width);
            bytes[place..place + width].copy_from_slice(&value.to_le_bytes()[..width]);
        }
        decides_if_it_loads(reseal(bytes));
    }

    /// A part of the code put over another: blocks, jumps and locals where they do not belong.
    #[test]
    fn code_put_elsewhere(from in any::<Index>(), to in any::<Index>(), length in 1..40_usize) {
        let mut bytes = SEALED.clone();
        let code = section(&bytes, number(&bytes, 12) - CODE_FROM_END);
        let (from, to) = (from.index(code.len() - length), to.index(code.len() - length));
        bytes.copy_within(code.start + from..code.start + from + length, code.start + to);
        decides_if_it_loads(reseal(bytes));
    }

    /// The lengths of two sections changed so that the file is still whole.
    #[test]
    fn records_moved_between_sections(section_index in any::<Index>(), by in 1..200_usize) {
        let mut bytes = SEALED.clone();
        let index = section_index.index(number(&bytes, 12) - 1);
        let entry = HEADER + index * ENTRY;
        let (length, next) = (number(&bytes, entry + 4), number(&bytes, entry + ENTRY + 4));
        let by = by.min(next);
        let put = |bytes: &mut Vec<u8>, at: usize, value: usize| {
            bytes[at..at + 4].copy_from_slice(&u32::try_from(value).unwrap().to_le_bytes());
        };
        let start = number(&bytes, entry + ENTRY);
        put(&mut bytes, entry + 4, length + by);
        put(&mut bytes, entry + ENTRY, start + by);
        put(&mut bytes, entry + ENTRY + 4, next - by);
        decides_if_it_loads(reseal(bytes));
    }
}

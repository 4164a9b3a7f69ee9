//! What must hold of every string of bytes that is called a plan.

use std::borrow::Cow;

use waypost_policies::facts::{Claim, Message, Request, ToolCall};
use waypost_policies::limits::State;
use waypost_policies::plan::Plan;
use waypost_policies::{Evaluation, decide, example, explain, fall_back};

/// Magic, format, number of sections; then for each its offset, length and checksum.
const HEADER: usize = 16;
const ENTRY: usize = 12;
/// More than a plan has.
const MOST_SECTIONS: usize = 256;

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let word = bytes.get(at..at + 4)?;
    Some(u32::from_le_bytes(word.try_into().ok()?) as usize)
}

/// The bytes with the right checksum of every section that lies within them, without which hardly any would be read.
#[must_use]
pub fn reseal(mut bytes: Vec<u8>) -> Vec<u8> {
    let sections = number(&bytes, 12).unwrap_or(0).min(MOST_SECTIONS);
    for entry in (0..sections).map(|index| HEADER + index * ENTRY) {
        let (Some(start), Some(length)) = (number(&bytes, entry), number(&bytes, entry + 4)) else {
            break;
        };
        let Some(section) = bytes.get(start..start.saturating_add(length)) else {
            continue;
        };
        let checksum = crc32fast::hash(section).to_le_bytes();
        if let Some(place) = bytes.get_mut(entry + 8..entry + 12) {
            place.copy_from_slice(&checksum);
        }
    }
    bytes
}

/// Any bytes are refused, or are a plan that decides, falls back and explains itself. Says which.
pub fn plan(bytes: Vec<u8>) -> bool {
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
    true
}

/// A call that has something of everything.
pub(super) fn request() -> Request<'static> {
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

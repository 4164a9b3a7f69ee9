//! Any bytes are refused, or are a plan that decides and falls back. Checksums are mended first, or none but
//! they would ever be tested.
#![no_main]

use std::borrow::Cow;

use libfuzzer_sys::fuzz_target;
use waypost_policies::limits::State;
use waypost_policies::plan::Plan;
use waypost_policies::{Evaluation, decide, example, explain, fall_back};

/// Magic, format, number of sections; then for each its offset, length and checksum.
const HEADER: usize = 16;
const ENTRY: usize = 12;

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let word = bytes.get(at..at + 4)?;
    Some(u32::from_le_bytes(word.try_into().ok()?) as usize)
}

/// Writes the right checksum of every section that lies within the bytes.
fn seal(bytes: &mut [u8]) {
    let sections = number(bytes, 12).unwrap_or(0).min(256);
    for entry in (0..sections).map(|index| HEADER + index * ENTRY) {
        let (Some(start), Some(length)) = (number(bytes, entry), number(bytes, entry + 4)) else {
            return;
        };
        let Some(section) = bytes.get(start..start.saturating_add(length)) else {
            continue;
        };
        let checksum = crc32fast::hash(section).to_le_bytes();
        if let Some(place) = bytes.get_mut(entry + 8..entry + 12) {
            place.copy_from_slice(&checksum);
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let mut bytes = data.to_vec();
    seal(&mut bytes);
    let Ok(plan) = Plan::load(bytes) else { return };
    let state = State::new(&plan, [1, 2]);
    let mut evaluation = Evaluation::default();
    let mut request = example::request("Look at the quick brown fox.");
    request.model = Cow::Borrowed("auto");
    request.tools = vec![example::tool("write_a"), example::tool("read_b")];
    request.headers = vec![Some(Cow::Borrowed("s")); plan.headers().len()];
    request.metadata = vec![None; plan.metadata().len()];
    let mut facts = example::facts(&request);
    facts.caller.claims = vec![None; plan.claims().len()];
    let decision = decide(&plan, &facts, &state, &mut evaluation);
    let _ = fall_back(&plan, &facts, &state, &mut evaluation, &decision);
    let _ = explain(&plan, &facts, &state, &mut evaluation);
    let _ = plan.to_draft();
});

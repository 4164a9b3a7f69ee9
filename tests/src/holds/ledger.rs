//! What must hold of every string of bytes that is called a ledger.

use std::sync::{Arc, Mutex};

use waypost_policies::limits::{Log, Position, Record, Replay, State};
use waypost_policies::{Evaluation, Outcome, decide, example};

use super::call::PLAN;

const SEED: [u64; 2] = [1, 2];

/// Records one after the other, each with its length before it.
#[derive(Debug, Default)]
struct Kept(Mutex<Vec<u8>>);

impl Log for Kept {
    fn append(&self, record: &Record<'_>) -> Position {
        let mut bytes = Vec::new();
        record.encode(&mut bytes);
        let mut kept = self.0.lock().unwrap();
        kept.extend(u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_le_bytes());
        kept.extend(bytes);
        Position(kept.len() as u64)
    }
}

/// A ledger of a few calls.
///
/// # Panics
/// When the example is not what it was.
#[must_use]
pub fn ledger() -> Vec<u8> {
    let kept = Arc::new(Kept::default());
    let plan = &*PLAN;
    let state = State::new(plan, SEED).logged(Arc::clone(&kept) as Arc<dyn Log>);
    kept.append(&state.declaration());
    let mut request = example::request("hello");
    request.headers = vec![Some("s".into()); plan.headers().len()];
    let facts = example::facts(&request);
    let decision = decide(plan, &facts, &state, &mut Evaluation::default());
    let Outcome::Route(route) = &decision.outcome else {
        panic!("{decision:?}");
    };
    for _ in 0..3 {
        let held = state.reserve(&route.charges, facts.now);
        let held = held.expect("there is room");
        state.refund(held, facts.now);
    }
    state.checkpoint(0);
    kept.0.lock().unwrap().clone()
}

/// Any bytes are no record, or one; whatever they are, what comes back of them can be decided on. How many were taken.
pub fn replayed(bytes: &[u8]) -> usize {
    let plan = &*PLAN;
    let mut replay = Replay::new(State::new(plan, SEED));
    let (mut left, mut taken) = (bytes, 0);
    while let Some((length, rest)) = left.split_first_chunk() {
        let length = usize::from(u16::from_le_bytes(*length)).min(rest.len());
        let (record, rest) = rest.split_at(length);
        taken += usize::from(replay.apply(record).is_ok());
        left = rest;
    }
    let mut request = example::request("hello");
    request.headers = vec![None; plan.headers().len()];
    let facts = example::facts(&request);
    let state = replay.finish(facts.now);
    let _ = decide(plan, &facts, &state, &mut Evaluation::default());
    taken
}

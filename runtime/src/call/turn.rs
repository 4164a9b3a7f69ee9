//! Admits a call, and lets it wait for room where a limit says so.
//!
//! Invariants: a call that comes does not overtake those that wait for a bucket that it counts in; nobody waits longer than the
//! limit says, than the caller does, or for room that only time can make too late; whoever leaves the line hands the turn on.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use waypost_policies::Facts;
use waypost_policies::decision::{Decision, Outcome};

use super::admit::{Admitted, Manners, admit};
use super::attempt::caller;
use super::deadline::Deadline;
use crate::account::route;
use crate::clock;
use crate::gateway::Gateway;
use crate::lines::{Line, Place};
use crate::queue::Rank;

/// Calls that wait for one bucket.
const MOST_WAITING: usize = 64;

/// A limit that has no room, and that may be waited for.
struct Wait {
    quota: u16,
    patience: Duration,
    /// When there may be room.
    again: Duration,
}

/// Decides, and reserves once there is room; with the places that the call has got then.
pub(super) async fn admit_in_turn(
    gateway: &Arc<Gateway>,
    facts: &mut Facts<'_>,
    deadline: Deadline,
) -> (Admitted, Vec<Place>) {
    let admitted = admit(gateway, facts, None, Manners::Yields).await;
    let admitted = match wait(gateway, &admitted.decision) {
        None => admitted,
        Some(first) => {
            let quota = first.quota;
            let line = gateway.line(quota, gateway.quota_key(facts, quota));
            // Apart: few calls wait, and each would hold the room for it.
            let waited = Box::pin(in_line(gateway, facts, deadline, &line, (admitted, first)));
            let (admitted, outcome) = waited.await;
            gateway.waited(quota, outcome);
            admitted
        }
    };
    let has = route(&admitted.decision).filter(|_| admitted.reservation.is_some());
    let places = has.map_or_else(Vec::new, |route| {
        let lines = gateway.lines_of(&route.charges);
        lines.map(|line| line.served(caller(facts))).collect()
    });
    (admitted, places)
}

/// Waits for the turn, and tries each time that it comes. What came of it, in a word.
async fn in_line(
    gateway: &Arc<Gateway>,
    facts: &mut Facts<'_>,
    deadline: Deadline,
    line: &Line,
    (mut admitted, mut wait_for): (Admitted, Wait),
) -> (Admitted, &'static str) {
    let until = Instant::now() + deadline.within(wait_for.patience);
    let rank = Rank {
        priority: admitted.decision.priority.0,
        caller: caller(facts),
    };
    let Ok(waiting) = line.queue().enter(rank, until, MOST_WAITING) else {
        return (admitted, "displaced");
    };
    loop {
        let again = Instant::now() + wait_for.again.max(Duration::from_millis(1));
        tokio::select! {
            has_turn = waiting.turn() => if !has_turn {
                return (admitted, "displaced");
            },
            () = sleep_until(again.min(until)) => {
                if Instant::now() >= until {
                    return (admitted, "late");
                }
                // Whoever is first looks.
                line.queue().changed();
                continue;
            }
        }
        facts.now = clock::now();
        admitted = admit(gateway, facts, None, Manners::HasTurn).await;
        match wait(gateway, &admitted.decision) {
            Some(next) if next.quota == wait_for.quota => {
                waiting.pass(true);
                wait_for = next;
            }
            _ if admitted.reservation.is_some() => return (admitted, "served"),
            // Something else is in the way.
            _ => return (admitted, "refused"),
        }
    }
}

/// What a decision may wait for.
fn wait(gateway: &Gateway, decision: &Decision) -> Option<Wait> {
    let Outcome::Limited {
        quota,
        retry_after_milliseconds: Some(again),
    } = decision.outcome
    else {
        return None;
    };
    let (again, patience) = (Duration::from_millis(again), gateway.patience(quota)?);
    let is_in_time = again <= patience || gateway.room_comes_back(quota);
    is_in_time.then_some(Wait {
        quota,
        patience,
        again,
    })
}

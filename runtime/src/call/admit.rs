//! Decides on a call and reserves what the decision says, as one step.

use std::sync::Arc;

use waypost_policies::decision::{Decision, Outcome};
use waypost_policies::limits::Reservation;
use waypost_policies::{Facts, decide, fall_back};

use crate::account::route;
use crate::clock;
use crate::gateway::Gateway;
use crate::ledger::Unrecorded;

/// How often a decision is made again because another call took the room in between. Each time some other call got
/// through, so this many in a row means that there is no room.
const MOST_CONFLICTS: usize = 8;

/// A decision, and what is reserved for it; nothing where it leads to no model, or where that cannot be recorded.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) decision: Arc<Decision>,
    pub(super) reservation: Option<Reservation>,
}

impl Admitted {
    fn new(decision: Decision, reservation: Option<Reservation>) -> Self {
        Self {
            decision: Arc::new(decision),
            reservation,
        }
    }
}

/// How a call treats those that wait for room in a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manners {
    /// It has just come, and gets in line behind them.
    Yields,
    /// It is its turn, or it has been let in before.
    HasTurn,
}

/// Decides, or falls back from `previous`, and reserves.
pub(super) fn admit(
    gateway: &Arc<Gateway>,
    facts: &mut Facts<'_>,
    previous: Option<&Decision>,
    manners: Manners,
) -> Admitted {
    let mut conflicts = 0;
    loop {
        let mut decision = once(gateway, facts, previous);
        let Some(route) = route(&decision) else {
            return Admitted::new(decision, None);
        };
        if manners == Manners::Yields
            && let Some(quota) = gateway.waited_for(&route.charges, decision.priority.0)
        {
            decision.outcome = Outcome::Limited {
                quota,
                retry_after_milliseconds: Some(0),
            };
            return Admitted::new(decision, None);
        }
        if !gateway.can_record(&route.charges) {
            return Admitted::new(decision, None);
        }
        let exhausted = match gateway.state.reserve(&route.charges, facts.now) {
            Ok(reservation) => {
                let reservation = recorded(gateway, &decision, reservation, facts.now);
                return Admitted::new(decision, reservation);
            }
            Err(exhausted) => exhausted,
        };
        gateway.metrics.ledger.conflicts.inc();
        conflicts += 1;
        if conflicts >= MOST_CONFLICTS {
            decision.outcome = Outcome::Limited {
                quota: exhausted.quota,
                retry_after_milliseconds: exhausted.retry_after_milliseconds,
            };
            return Admitted::new(decision, None);
        }
        facts.now = clock::now();
    }
}

/// The reservation, once it is written down: no call leaves before. `None` where it cannot be.
fn recorded(
    gateway: &Gateway,
    decision: &Decision,
    reservation: Reservation,
    now: i64,
) -> Option<Reservation> {
    if let Some(floor) = decision.session {
        gateway.state.raise_floor(floor, now);
    }
    match gateway.books.commit(reservation.position()) {
        Ok(()) => Some(reservation),
        Err(Unrecorded) => {
            gateway.state.refund(reservation, now);
            None
        }
    }
}

fn once(gateway: &Gateway, facts: &Facts<'_>, previous: Option<&Decision>) -> Decision {
    gateway.evaluations.with(|evaluation| {
        let failures = evaluation.failures();
        let decision = match previous {
            None => decide(&gateway.plan, facts, &gateway.state, evaluation),
            Some(previous) => fall_back(&gateway.plan, facts, &gateway.state, evaluation, previous),
        };
        let failures = evaluation.failures() - failures;
        if failures > 0 {
            let errors = &gateway.metrics.ledger.evaluation_errors;
            errors.inc_by(failures);
        }
        decision
    })
}

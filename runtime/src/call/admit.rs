//! Decides on a call and reserves what the decision says, as one step.

use std::sync::Arc;

use waypost_policies::decision::{Charge, Decision, Outcome};
use waypost_policies::limits::{Exhausted, ExhaustedReason, Reservation};
use waypost_policies::{Facts, decide, fall_back};

use crate::account::route;
use crate::clock;
use crate::gateway::Gateway;
use crate::ledger::Unrecorded;
use crate::sharing::Away;

/// How often a decision is made again because another call took the room in between. Each time some other call got
/// through, so this many in a row means that there is no room.
const MOST_CONFLICTS: usize = 8;

/// When to come back where other replicas hold what is left: they give back what they do not need within seconds.
const RETRY_LEASE_MILLISECONDS: u64 = 1_000;

/// A decision, and what is reserved for it; nothing where it leads to no model, or where that cannot be recorded.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) decision: Arc<Decision>,
    pub(super) reservation: Option<Reservation>,
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
pub(super) async fn admit(
    gateway: &Arc<Gateway>,
    facts: &mut Facts<'_>,
    previous: Option<&Decision>,
    manners: Manners,
) -> Admitted {
    let mut conflicts = 0;
    loop {
        let decision = once(gateway, facts, previous);
        let Some(route) = route(&decision) else {
            return Admitted::without(decision);
        };
        if manners == Manners::Yields
            && let Some(quota) = gateway.waited_for(&route.charges, decision.priority.0)
        {
            return Admitted::refused(decision, quota, Some(0));
        }
        if !gateway.can_record(&route.charges) {
            return Admitted::without(decision);
        }
        let exhausted = match gateway.state.reserve(&route.charges, facts.now) {
            Ok(reservation) => {
                let reservation = recorded(gateway, &decision, reservation, facts.now);
                return Admitted {
                    decision: Arc::new(decision),
                    reservation,
                };
            }
            Err(exhausted) => exhausted,
        };
        match exhausted.reason {
            // Apart: hardly any call waits for it, and each would hold the room.
            ExhaustedReason::Lease => match Box::pin(obtain(gateway, &route.charges)).await {
                Ok(()) => {}
                // Its share is used up.
                Err(Alone::Spent) => return Admitted::limited(decision, &exhausted),
                Err(Alone::Never) => return Admitted::without(decision),
            },
            ExhaustedReason::Buckets => {
                // No other call took the room: there is none for another key.
                gateway.metrics.ledger.crowded.inc();
                return Admitted::limited(decision, &exhausted);
            }
            ExhaustedReason::Quota | ExhaustedReason::Unknown => {
                gateway.metrics.ledger.conflicts.inc();
            }
        }
        conflicts += 1;
        if conflicts >= MOST_CONFLICTS {
            return Admitted::limited(decision, &exhausted);
        }
        facts.now = clock::now();
    }
}

/// Why a replica that cannot ask does not go on.
enum Alone {
    /// It has used its share.
    Spent,
    /// The file does not let it.
    Never,
}

/// Asks for what these charges lack, and waits for the answer.
async fn obtain(gateway: &Gateway, charges: &[Charge]) -> Result<(), Alone> {
    let Some(shared) = gateway.books.shared() else {
        return Err(Alone::Never);
    };
    let obtained = shared.obtain(&gateway.state, charges).await;
    obtained.map_err(|Away| match shared.shares() {
        true => Alone::Spent,
        false => Alone::Never,
    })
}

impl Admitted {
    /// What cannot be counted is not reserved.
    fn without(decision: Decision) -> Self {
        Self {
            decision: Arc::new(decision),
            reservation: None,
        }
    }

    fn limited(decision: Decision, exhausted: &Exhausted) -> Self {
        let retry = match exhausted.reason {
            ExhaustedReason::Lease => Some(RETRY_LEASE_MILLISECONDS),
            _ => exhausted.retry_after_milliseconds,
        };
        Self::refused(decision, exhausted.quota, retry)
    }

    fn refused(mut decision: Decision, quota: u16, retry: Option<u64>) -> Self {
        decision.outcome = Outcome::Limited {
            quota,
            retry_after_milliseconds: retry,
        };
        Self::without(decision)
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

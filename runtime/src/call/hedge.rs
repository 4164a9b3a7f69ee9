//! Asks a model, and, where it is slow and the file says so, the tier's next beside it: the first to answer is the answer.
//!
//! Invariants: the second model passes policy as in a fallback, and both hold what they may cost; whoever loses is
//! cancelled at once, and charged for what it may have used; hedges are within the retry budget of the slow model's
//! upstream, so that one that is slow for everybody does not send all of its calls to the next as well.

use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use tokio::time::sleep;
use waypost_policies::Facts;
use waypost_policies::decision::{Decision, Route};

use super::Lost;
use super::admit::{Manners, admit};
use super::answer::Answered;
use super::attempt::Asking;
use super::attempt_error::AttemptError;
use crate::account::{Account, Asked, Held, Lanes, route};
use crate::clock;
use crate::gateway::{Gateway, lock};

/// No model answered.
pub(super) struct Failed {
    /// The decision that a fallback goes on from.
    pub(super) last: Arc<Decision>,
    /// Whether nothing else may be asked.
    pub(super) is_final: bool,
}

/// What came of the two, or of the one where there was no second.
enum Race {
    /// The first ended it; the second had failed, where it had.
    First(Box<Result<Answered, AttemptError>>, Option<AttemptError>),
    /// The second answered; the first had failed, where it had.
    Second(Box<Answered>, Option<AttemptError>),
    /// Both failed.
    Neither(AttemptError, AttemptError),
}

/// Asks the model of a decision, whose route this is.
pub(super) async fn ask(
    gateway: &Arc<Gateway>,
    facts: &mut Facts<'_>,
    asking: &Asking<'_>,
    account: &mut Account,
    (decision, asked): (&Arc<Decision>, &Route),
    lost: &mut Lost,
) -> Result<Answered, Failed> {
    let failed = |last: &Arc<Decision>, is_final| Failed {
        last: Arc::clone(last),
        is_final,
    };
    let mut beside = None;
    let started = account.started();
    let race = match account.lanes() {
        Lanes {
            first: Some(first),
            second,
        } => {
            let runner = Runner {
                gateway,
                asking,
                started,
            };
            let from = (&**decision, asked);
            runner.race(facts, from, first, second, &mut beside).await
        }
        // Only what holds a reservation is asked.
        Lanes { first: None, .. } => return Err(failed(decision, true)),
    };
    let Some(next) = beside else {
        return match race {
            Race::First(ended, _) => ended.map_err(|failure| {
                let is_final = give_up(account, asking, asked, &failure, lost);
                failed(decision, is_final)
            }),
            // There was no second.
            Race::Second(answered, _) => Ok(*answered),
            Race::Neither(..) => Err(failed(decision, true)),
        };
    };
    // Only a route is asked.
    let other = route(&next).unwrap_or(asked);
    let (outcome, ended) = match race {
        Race::First(ended, failure) => {
            match failure {
                Some(failure) => account.give_up_second(asking.tried(other, &failure)),
                None => account.lose_second(),
            }
            ("lost", ended.map_err(|_| true))
        }
        Race::Second(answered, failure) => {
            if let Some(failure) = failure {
                give_up(account, asking, asked, &failure, lost);
            }
            account.second_answers(Arc::clone(&next));
            ("won", Ok(*answered))
        }
        Race::Neither(first, second) => {
            let mut is_final = give_up(account, asking, asked, &first, lost);
            account.second_answers(Arc::clone(&next));
            is_final |= give_up(account, asking, other, &second, lost);
            ("failed", Err(is_final))
        }
    };
    count(gateway, asked, outcome);
    ended.map_err(|is_final| failed(&next, is_final))
}

/// A decision, and its route.
fn routed(decision: &Arc<Decision>) -> Option<(&Decision, &Route)> {
    Some((&**decision, route(decision)?))
}

/// Takes note of a failure; whether nothing else may be asked.
fn give_up(
    account: &mut Account,
    asking: &Asking<'_>,
    route: &Route,
    failure: &AttemptError,
    lost: &mut Lost,
) -> bool {
    lost.note(failure, route.charges.clone());
    account.give_up(asking.tried(route, failure));
    failure.reaction().is_final
}

fn count(gateway: &Gateway, slow: &Route, outcome: &'static str) {
    if let Some(model) = gateway.model(slow.model) {
        let upstreams = &gateway.metrics.upstreams;
        upstreams.hedged(slow.model, &model.name, outcome);
    }
}

/// What runs a race.
struct Runner<'r, 'c> {
    gateway: &'r Arc<Gateway>,
    asking: &'r Asking<'c>,
    started: Instant,
}

impl Runner<'_, '_> {
    /// Asks the first, and the second beside it when the first has taken too long. `beside` is the second's decision.
    async fn race(
        &self,
        facts: &mut Facts<'_>,
        (decision, asked): (&Decision, &Route),
        held: &mut Held,
        second: &mut Option<Box<Held>>,
        beside: &mut Option<Arc<Decision>>,
    ) -> Race {
        let mut first = pin!(self.asking.model(decision, asked, held));
        let after = self.gateway.tier_of(decision).and_then(|tier| tier.hedge);
        let Some(after) = after else {
            return Race::First(Box::new(first.await), None);
        };
        tokio::select! {
            biased;
            ended = &mut first => return Race::First(Box::new(ended), None),
            () = sleep(after) => {}
        }
        *beside = self.second(facts, decision, asked, second).await;
        let (Some((next, route)), Some(held)) = (beside.as_ref().and_then(routed), second) else {
            return Race::First(Box::new(first.await), None);
        };
        // Apart: hardly any call asks a second model, and each would hold the room for it.
        let mut other = Box::pin(self.asking.model(next, route, held));
        tokio::select! {
            biased;
            ended = &mut first => match ended {
                Ok(answered) => Race::First(Box::new(Ok(answered)), None),
                Err(failure) => match other.await {
                    Ok(answered) => Race::Second(Box::new(answered), Some(failure)),
                    Err(other) => Race::Neither(failure, other),
                },
            },
            ended = &mut other => match ended {
                Ok(answered) => Race::Second(Box::new(answered), None),
                Err(failure) => match first.await {
                    Ok(answered) => Race::First(Box::new(Ok(answered)), Some(failure)),
                    Err(first) => Race::Neither(first, failure),
                },
            },
        }
    }

    /// The next model that policy lets the call have, once what it may cost is held too.
    async fn second(
        &self,
        facts: &mut Facts<'_>,
        decision: &Decision,
        asked: &Route,
        second: &mut Option<Box<Held>>,
    ) -> Option<Arc<Decision>> {
        let slow = self.gateway.model(asked.model)?;
        if !lock(&slow.retries).take(clock::now()) {
            count(self.gateway, asked, "over-budget");
            return None;
        }
        facts.now = clock::now();
        let admitted = admit(self.gateway, facts, Some(decision), Manners::HasTurn).await;
        let next = route(&admitted.decision)?;
        let asked = Asked::new(facts, self.started);
        let held = Held::new(self.gateway, next, admitted.reservation?, asked);
        *second = Some(Box::new(held));
        Some(admitted.decision)
    }
}

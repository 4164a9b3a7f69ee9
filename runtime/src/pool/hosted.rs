//! A model at a hosted provider: how it has been doing, and whether it is left alone.
//!
//! Invariants: a call counts there until its guard is dropped; one that asked to be left alone is asked by nobody until
//! then; one that is ejected is asked only by a call that has nobody else to ask.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::StatusCode;
use waypost_policies::place::Health;

use crate::clock;
use crate::gateway::lock;

/// So many failures in a row eject it: a provider has many servers, and one that fails is not all of them.
const MOST_FAILURES: u32 = 5;

/// A model at a hosted provider.
#[derive(Debug, Default)]
pub(crate) struct Hosted(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    health: Health,
    in_flight: u32,
    /// What it said when it asked to be left alone.
    said: StatusCode,
}

/// Why a call does not get what it asked for, though it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeftAlone {
    /// It has failed lately.
    Ejected,
    /// It asked for it, by an answer of this status, and for so much longer.
    Resting(StatusCode, Duration),
}

/// A call's place there, for as long as this is kept.
#[derive(Debug)]
pub(crate) struct Entered(Arc<Hosted>);

impl Hosted {
    /// A place for one more call; `insists` where it has nobody else to ask.
    pub(crate) fn enter(self: &Arc<Self>, insists: bool) -> Result<Entered, LeftAlone> {
        let mut state = lock(&self.0);
        let now = clock::now();
        if let Some(left) = state.health.rests_for(now) {
            return Err(LeftAlone::Resting(state.said, duration(left)));
        }
        if !insists && !state.health.admits(state.in_flight, now) {
            return Err(LeftAlone::Ejected);
        }
        state.in_flight = state.in_flight.saturating_add(1);
        Ok(Entered(Arc::clone(self)))
    }
}

impl Entered {
    /// It answered.
    pub(super) fn succeeded(&self) {
        lock(&self.0.0).health.succeeded(clock::now());
    }

    /// It failed; whether it is ejected for it.
    pub(super) fn failed(&self) -> bool {
        lock(&self.0.0).health.failed(MOST_FAILURES, clock::now())
    }

    /// It asks to be left alone for so long.
    pub(super) fn rests(&self, status: StatusCode, wait: Duration) {
        let mut state = lock(&self.0.0);
        state.said = status;
        state.health.rests(nanoseconds(wait), clock::now());
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let mut state = lock(&self.0.0);
        state.in_flight = state.in_flight.saturating_sub(1);
    }
}

pub(super) fn nanoseconds(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}

pub(super) fn duration(nanoseconds: i64) -> Duration {
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn failures_in_a_row_eject_it_and_whoever_has_nobody_else_asks_it_all_the_same() {
        let hosted = Arc::new(Hosted::default());
        for failure in 1..=MOST_FAILURES {
            let entered = hosted.enter(false).unwrap();
            assert_eq!(entered.failed(), failure == MOST_FAILURES);
        }
        assert_eq!(hosted.enter(false).unwrap_err(), LeftAlone::Ejected);
        hosted.enter(true).unwrap().succeeded();
        let first = hosted.enter(false).unwrap();
        assert_eq!(
            hosted.enter(false).unwrap_err(),
            LeftAlone::Ejected,
            "it starts slowly"
        );
        drop(first);
        assert!(hosted.enter(false).is_ok());
    }

    #[test]
    fn whoever_insists_leaves_alone_too_what_asked_for_it() {
        let hosted = Arc::new(Hosted::default());
        let minute = Duration::from_secs(60);
        let entered = hosted.enter(false).unwrap();
        entered.rests(StatusCode::TOO_MANY_REQUESTS, minute);
        match hosted.enter(true).unwrap_err() {
            LeftAlone::Resting(status, left) => {
                assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
                assert!(left <= minute && left > minute / 2);
            }
            LeftAlone::Ejected => unreachable!("nothing failed"),
        }
    }
}

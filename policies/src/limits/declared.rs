//! The state of a plan's quotas and sessions.

use super::{Calendar, Quota, State, Unit, Window};
use crate::plan::{Plan, view};

impl State {
    /// The state of a plan with nothing used. `seed` is as for [`State::with_quotas`].
    #[must_use]
    pub fn new(plan: &Plan, seed: [u64; 2]) -> Self {
        let keeps = plan
            .contents()
            .map(|content| content.keep().map(|keep| keep.window_milliseconds()));
        Self::with_quotas(plan.quotas().map(|quota| declared(&quota)), keeps, seed)
    }
}

fn declared(quota: &view::Quota<'_>) -> Quota {
    let (unit, amount) = match quota.amount() {
        view::Amount::Requests(amount) => (Unit::Requests, amount),
        view::Amount::Tokens(amount) => (Unit::Tokens, amount),
        // Less than nothing is nothing: no call fits.
        view::Amount::Money(amount) => (Unit::Money, u64::try_from(amount.0).unwrap_or(0)),
    };
    let window = match quota.window() {
        view::Window::Rolling(milliseconds) => Window::Rolling {
            nanoseconds: milliseconds.saturating_mul(1_000_000),
            burst: quota.burst(),
        },
        // The verifier has found the zone; without one, days are counted all the same.
        view::Window::Calendar(period, zone) => {
            Window::Calendar(Calendar::new(period, zone).unwrap_or_else(|| Calendar::utc(period)))
        }
    };
    Quota {
        unit,
        amount,
        window,
    }
}

//! The state that a plan's quotas and sessions are counted in.

use crate::limits::{Calendar, Quota, State, Unit, Window};
use crate::plan::{Plan, view};

impl State {
    /// The state of a plan with nothing used. See [`State::with_quotas`] for `seed`.
    #[must_use]
    pub fn new(plan: &Plan, seed: [u64; 2]) -> Self {
        let keeps = plan
            .contents()
            .map(|content| content.keep().map(|keep| keep.window_milliseconds()));
        Self::with_quotas(plan.quotas().map(|quota| counted(&quota)), keeps, seed)
    }
}

fn counted(quota: &view::Quota<'_>) -> Quota {
    let (unit, amount) = match quota.amount() {
        view::Amount::Requests(amount) => (Unit::Requests, amount),
        view::Amount::Tokens(amount) => (Unit::Tokens, amount),
        view::Amount::Money(money) => (Unit::Money, u64::try_from(money.0).unwrap_or(0)),
    };
    let window = match quota.window() {
        view::Window::Rolling(milliseconds) => Window::Rolling {
            nanoseconds: milliseconds.saturating_mul(1_000_000),
            burst: quota.burst(),
        },
        // The verifier knows every zone of the plan.
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

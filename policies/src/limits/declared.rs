//! The state of a plan's quotas and sessions.

use std::sync::Arc;

use super::identity::{Identity, Names};
use super::{Calendar, Quota, State, Unit, Window};
use crate::plan::{Plan, view};

impl State {
    /// The state of a plan with nothing used. `seed` is as for [`State::with_quotas`].
    #[must_use]
    pub fn new(plan: &Plan, seed: [u64; 2]) -> Self {
        let keeps = plan
            .contents()
            .map(|content| content.keep().map(|keep| keep.window_milliseconds()));
        let quotas = plan.quotas().map(|quota| declared(&quota));
        Self {
            names: names(plan),
            ..Self::with_quotas(quotas, keeps, seed)
        }
    }

    /// The state of a plan that takes the place of another: what is used stays used, and sessions keep their floors.
    ///
    /// Quotas go on as in [`super::Replay`]. It is a copy, to try the plan with: what happens to the old state from now on
    /// does not happen here, and what is reserved there stays used here. To go on with it, see [`State::hand_over`].
    #[must_use]
    pub fn reloaded(plan: &Plan, old: &Self, now: i64) -> Self {
        let state = Self::following(plan, old);
        for ((index, key), bucket) in old.buckets(now) {
            if let Some(new) = state.follows.quota(index) {
                state.insert((new, key), bucket);
            }
        }
        for (floor, expires) in old.floors.all() {
            if let Some(floor) = state.floor_of_old(floor) {
                state.floors.keep(floor, expires);
            }
        }
        state
    }
}

impl State {
    /// Goes on with the calls that are open: a limit that goes on has the row that it had.
    pub(super) fn share_seats(&mut self, old: &Self) {
        self.seats = Arc::clone(&old.seats);
        for row in self.rows.iter_mut().flatten() {
            *row = self.seats.new_row();
        }
        // Those that the plan does not have any more, too.
        self.rows.resize(self.quotas.len(), None);
        for (index, row) in (0..).zip(&old.rows) {
            let new = self.follows.quota(index).map(usize::from);
            let slot = new.and_then(|new| self.rows.get_mut(new));
            if let (Some(slot), Some(row)) = (slot, row) {
                *slot = Some(*row);
            }
        }
    }
}

fn names(plan: &Plan) -> Names {
    let text = |index: u32| plan.expression(index).map(|found| found.text().to_owned());
    let identity = |quota: view::Quota<'_>| Identity {
        label: quota.label().to_owned(),
        per: quota.per().and_then(text),
        on: quota
            .on()
            .and_then(|model| plan.model(model))
            .map(|model| model.name().to_owned()),
        when: quota.when().and_then(text),
    };
    Names {
        quotas: plan.quotas().map(identity).collect(),
        contents: plan
            .contents()
            .map(|content| content.name().to_owned())
            .collect(),
        tiers: plan.tiers().map(|tier| tier.name().to_owned()).collect(),
    }
}

fn declared(quota: &view::Quota<'_>) -> Quota {
    let (unit, amount) = match quota.amount() {
        view::Amount::Requests(amount) => (Unit::Requests, amount),
        view::Amount::Tokens(amount) => (Unit::Tokens, amount),
        // Less than nothing is nothing: no call fits.
        view::Amount::Money(amount) => (Unit::Money, u64::try_from(amount.0).unwrap_or(0)),
        view::Amount::Repeats(amount) => (Unit::Repeats, amount),
        view::Amount::Concurrent(amount) => (Unit::Concurrent, amount),
    };
    let nanoseconds = |milliseconds: u64| milliseconds.saturating_mul(1_000_000);
    let window = match quota.window() {
        view::Window::Rolling(milliseconds) => Window::Rolling {
            nanoseconds: nanoseconds(milliseconds),
            burst: quota.burst(),
        },
        view::Window::Sliding(milliseconds) => Window::Sliding {
            nanoseconds: nanoseconds(milliseconds),
        },
        view::Window::Session(milliseconds) => Window::Session {
            nanoseconds: nanoseconds(milliseconds),
        },
        view::Window::Call => Window::Call,
        view::Window::Open => Window::Open,
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::decision::{Charge, SessionFloor};
    use crate::limits::Usage;
    use crate::money::NanoDollars;
    use crate::plan::draft::{self, Draft, Origin, Period};

    const NOON: i64 = 1_795_521_600_000_000_000;

    fn quota(
        label: &str,
        amount: draft::Amount,
        window: draft::Window,
        burst: u64,
    ) -> draft::Quota {
        let outcomes = vec![draft::QuotaOutcome {
            share: 10_000,
            action: draft::QuotaAction::Deny,
        }];
        draft::Quota {
            budget: false,
            label: label.to_owned(),
            amount,
            window,
            burst,
            per: None,
            on: None,
            when: None,
            outcomes,
            origin: Origin::default(),
        }
    }

    fn tier(name: &str) -> draft::Tier {
        draft::Tier {
            name: name.to_owned(),
            steps: vec![draft::Step::Try(0)],
            timeout_milliseconds: 0,
            retries: 0,
            hedge_milliseconds: 0,
            origin: Origin::default(),
        }
    }

    fn plan(tiers: &[&str], quotas: Vec<draft::Quota>) -> Plan {
        let model = draft::Model {
            name: "m".to_owned(),
            via: draft::Via::Pool(0),
            upstream_name: "m".to_owned(),
            context: None,
            output: None,
            price: None,
            rejects: Vec::new(),
            chat: true,
            completions: false,
            embeddings: false,
            lacks_images: false,
            lacks_tools: false,
            origin: Origin::default(),
        };
        let mut draft = Draft {
            models: vec![model],
            quotas,
            ..Draft::default()
        };
        draft.tiers = tiers.iter().map(|name| tier(name)).collect();
        draft.pools.push(pool());
        Plan::load(crate::plan::encode(&draft)).unwrap()
    }

    fn pool() -> draft::Pool {
        draft::Pool {
            name: "p".to_owned(),
            engine: draft::Engine::Vllm,
            discovery: draft::Discovery::Static(vec!["http://127.0.0.1:1".to_owned()]),
            placement: draft::Placement {
                prefix: 1,
                queue: 1,
                kv_cache: 1,
                lora: 0,
                saturate_queue: None,
                saturate_kv_cache: None,
                wait_milliseconds: 0,
                overflow: draft::Overflow::Next,
                only: Vec::new(),
            },
        }
    }

    fn tokens() -> draft::Quota {
        quota(
            "60k tokens / 1m",
            draft::Amount::Tokens(60_000),
            draft::Window::Rolling(60_000),
            60_000,
        )
    }

    fn dollars() -> draft::Quota {
        let window = draft::Window::Calendar(Period::Day, "Europe/Berlin".to_owned());
        quota(
            "$50 / day",
            draft::Amount::Money(NanoDollars(50_000_000_000)),
            window,
            0,
        )
    }

    #[test]
    fn a_plans_quotas_are_counted_as_written() {
        let state = State::new(&plan(&["weak"], vec![tokens(), dollars()]), [1, 2]);
        let key = state.key("a");
        state.add(0, key, 600, NOON);
        state.add(1, key, 7, NOON);
        let hours = 11 * 3_600_000;
        assert_eq!(
            state.usage(0, key, NOON),
            Usage {
                used: 600,
                capacity: 60_000,
                resets_milliseconds: 600
            }
        );
        assert_eq!(
            state.usage(1, key, NOON),
            Usage {
                used: 7,
                capacity: 50_000_000_000,
                resets_milliseconds: hours
            }
        );
    }

    #[test]
    fn what_is_used_outlives_a_reload() {
        let old_plan = plan(&["weak", "strong"], vec![tokens(), dollars()]);
        let old = State::new(&old_plan, [1, 2]);
        let key = old.key("a");
        old.add(1, key, 7, NOON);
        old.add(0, key, 600, NOON);
        let charge = Charge {
            quota: 0,
            key,
            amount: 5,
            bound: 60_000,
        };
        let held = old.reserve(&[charge], NOON).unwrap();
        // A new tier below, a new quota before, and one that is gone.
        let new_plan = plan(
            &["tiny", "weak", "strong"],
            vec![
                quota(
                    "new",
                    draft::Amount::Requests(5),
                    draft::Window::Rolling(1),
                    5,
                ),
                dollars(),
                tokens(),
            ],
        );
        let new = State::reloaded(&new_plan, &old, NOON);
        assert_eq!(new.key("a"), key);
        let used = [0, 1, 2].map(|quota| new.usage(quota, key, NOON).used);
        assert_eq!(used, [0, 7, 605]);
        old.refund(held, NOON);
        assert_eq!(new.usage(2, key, NOON).used, 605);
        assert_eq!(new.usage(2, key, NOON + 1_000_000_000).used, 0);
    }

    #[test]
    fn a_call_that_is_under_way_at_a_reload_is_settled_once_where_it_counts_now() {
        let old = State::new(&plan(&["weak"], vec![tokens(), dollars()]), [1, 2]);
        let key = old.key("a");
        let charge = |quota, amount| Charge {
            quota,
            key,
            amount,
            bound: 50_000,
        };
        let held = [
            old.reserve(&[charge(0, 500), charge(1, 900)], NOON),
            old.reserve(&[charge(1, 50)], NOON),
        ];
        let [settled, refunded] = held.map(Result::unwrap);
        let new = Arc::new(State::following(
            &plan(&["weak"], vec![dollars(), tokens()]),
            &old,
        ));
        old.add(1, key, 3, NOON);
        old.hand_over(&new, || {});
        let used =
            |state: &State, order: [u16; 2]| order.map(|quota| state.usage(quota, key, NOON).used);
        assert_eq!(used(&new, [1, 0]), [500, 953]);
        // A call of the old plan that is only now decided on is counted where all are.
        let late = old.reserve(&[charge(0, 10), charge(1, 20)], NOON).unwrap();
        assert_eq!(used(&old, [0, 1]), [510, 973]);
        let refused = old.reserve(&[charge(1, 49_500)], NOON).unwrap_err();
        assert_eq!(refused.quota, 1);
        let spent = |tokens, money| crate::limits::Spent {
            requests: 1,
            tokens,
            money,
        };
        old.settle(settled, spent(100, 40), NOON);
        old.refund(refunded, NOON);
        old.settle(late, spent(10, 25), NOON);
        assert_eq!(used(&new, [1, 0]), [110, 68]);
        assert_eq!(new.abandoned(), 0);
    }

    #[test]
    fn calls_that_are_open_are_counted_on_and_end_after_a_reload() {
        let concurrent = |label: &str, amount| {
            let amount = draft::Amount::Concurrent(amount);
            quota(label, amount, draft::Window::Open, 0)
        };
        let old = State::new(
            &plan(&["weak"], vec![concurrent("3 concurrent", 3)]),
            [1, 2],
        );
        let key = old.key("a");
        let charge = |quota, bound| Charge {
            quota,
            key,
            amount: 1,
            bound,
        };
        let held = old.reserve(&[charge(0, 3)], NOON).unwrap();
        let kept = old.reserve(&[charge(0, 3)], NOON).unwrap();
        // Lowered, behind another limit of the same kind.
        let quotas = vec![tokens(), concurrent("2 concurrent", 2)];
        let new = State::reloaded(&plan(&["weak"], quotas), &old, NOON);
        assert_eq!(new.usage(1, key, NOON).used, 2);
        assert!(new.reserve(&[charge(1, 2)], NOON).is_err());
        old.settle(held, crate::limits::Spent::default(), NOON);
        assert_eq!(new.usage(1, key, NOON).used, 1);
        let third = new.reserve(&[charge(1, 2)], NOON).unwrap();
        drop(kept);
        new.refund(third, NOON);
        assert_eq!(new.usage(1, key, NOON).used, 0);
    }

    #[test]
    fn a_changed_limit_keeps_what_was_used_and_one_that_is_gone_comes_back() {
        let daily = |label: &str, dollars| {
            let window = draft::Window::Calendar(Period::Day, "UTC".to_owned());
            let amount = draft::Amount::Money(NanoDollars(dollars));
            quota(label, amount, window, 0)
        };
        let used = |state: &State, quotas: u16| -> Vec<u64> {
            let used = |quota| state.usage(quota, state.key("a"), NOON).used;
            (0..quotas).map(used).collect()
        };
        let old = State::new(
            &plan(&["weak"], vec![daily("$50 / day", 50), tokens()]),
            [1, 2],
        );
        old.add(0, old.key("a"), 7, NOON);
        old.add(1, old.key("a"), 600, NOON);
        let raised = State::reloaded(&plan(&["weak"], vec![daily("$60 / day", 60)]), &old, NOON);
        assert_eq!(used(&raised, 1), [7]);
        // The tokens are in no plan now; the next one has them again.
        let both = plan(&["weak"], vec![tokens(), daily("$60 / day", 60)]);
        assert_eq!(used(&State::reloaded(&both, &raised, NOON), 2), [600, 7]);
    }

    #[test]
    fn floors_are_handed_over_with_their_ends() {
        let windows = [Some(60_000)];
        let state = State::with_quotas([], windows, [1, 2]);
        let floor = SessionFloor {
            content: 0,
            key: state.key("s"),
            tier: 1,
        };
        state.raise_floor(floor, NOON);
        assert_eq!(state.floors.all(), [(floor, NOON + 60_000_000_000)]);
        let next = State::with_quotas([], windows, [1, 2]);
        next.floors
            .keep(SessionFloor { tier: 2, ..floor }, NOON + 60_000_000_000);
        assert_eq!(next.floor(0, state.key("s"), NOON), Some(2));
        assert_eq!(next.floor(0, state.key("s"), NOON + 60_000_000_000), None);
    }
}

//! The state of a plan's quotas and sessions.

use super::{Calendar, Quota, State, Unit, Window};
use crate::decision::SessionFloor;
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

impl State {
    /// The state of a plan that takes the place of another: what is used stays used, and sessions keep their floors.
    ///
    /// A quota goes on where label, unit, window and `per` are the same; one that is new starts with nothing used.
    /// Reservations that are open are settled on the state they were made on; here they stay used until they drain.
    #[must_use]
    pub fn reloaded(plan: &Plan, old_plan: &Plan, old: &Self, now: i64) -> Self {
        let state = Self::new(plan, old.seed);
        let goes_on = |quota: &view::Quota<'_>| {
            let same = |new: view::Quota<'_>| is_same(plan, &new, old_plan, quota);
            plan.quotas()
                .position(same)
                .and_then(|index| u16::try_from(index).ok())
        };
        let quotas: Vec<Option<u16>> = old_plan.quotas().map(|quota| goes_on(&quota)).collect();
        for ((index, key), bucket) in old.buckets(now) {
            if let Some(new) = quotas.get(usize::from(index)).copied().flatten() {
                state.insert((new, key), bucket);
            }
        }
        let named = |names: Vec<&str>, name: &str| {
            let index = names.iter().position(|found| *found == name)?;
            u16::try_from(index).ok()
        };
        for (floor, expires) in old.floors.all() {
            let content = old_plan.content(floor.content).and_then(|content| {
                named(
                    plan.contents().map(|content| content.name()).collect(),
                    content.name(),
                )
            });
            let tier = old_plan.tier(floor.tier).and_then(|tier| {
                named(plan.tiers().map(|tier| tier.name()).collect(), tier.name())
            });
            if let (Some(content), Some(tier)) = (content, tier) {
                state.floors.keep(
                    SessionFloor {
                        content,
                        tier,
                        ..floor
                    },
                    expires,
                );
            }
        }
        state
    }
}

/// Whether a quota of one plan counts what a quota of another does.
fn is_same(plan: &Plan, new: &view::Quota<'_>, old_plan: &Plan, old: &view::Quota<'_>) -> bool {
    let unit = |quota: &view::Quota<'_>| declared(quota).unit;
    let per = |plan: &Plan, quota: &view::Quota<'_>| {
        quota
            .per()
            .map(|index| plan.expression(index).map(|per| per.text().to_owned()))
    };
    new.label() == old.label()
        && unit(new) == unit(old)
        && new.window() == old.window()
        && per(plan, new) == per(old_plan, old)
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::decision::Charge;
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
        let new = State::reloaded(&new_plan, &old_plan, &old, NOON);
        assert_eq!(new.key("a"), key);
        let used = [0, 1, 2].map(|quota| new.usage(quota, key, NOON).used);
        assert_eq!(used, [0, 7, 605]);
        old.refund(held, NOON);
        assert_eq!(new.usage(2, key, NOON).used, 605);
        assert_eq!(new.usage(2, key, NOON + 1_000_000_000).used, 0);
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

//! Whatever happens in whatever order: calls that begin, are answered, fail, are given up and forgotten, plans that replace
//! one another, processes that die, clocks that step. What is charged is held against a naive book of what was said.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::*;

/// Rules by name; a plan has some of them, in some order, each with an amount.
const RULES: [&str; 7] = [
    "tokens a minute",
    "tokens in the time just past",
    "dollars a day",
    "dollars a session",
    "calls a day",
    "open calls",
    "tokens a call",
];
const KEYS: u128 = 2;
const MONTH: u64 = 30 * 24 * 3600;

/// A rule that holds so much. All but the first forget nothing for as long as a test takes, unless it is to.
fn rule(name: &str, amount: u64) -> Quota {
    match name {
        "tokens a minute" => rolling(Unit::Tokens, amount, 60, amount),
        "tokens in the time just past" => sliding(Unit::Tokens, amount, MONTH),
        "dollars a day" => daily(Unit::Money, amount),
        "dollars a session" => session(Unit::Money, amount, MONTH),
        "calls a day" => daily(Unit::Requests, amount),
        "open calls" => concurrent(amount),
        _ => Quota {
            unit: Unit::Tokens,
            amount,
            window: Window::Call,
        },
    }
}

/// Which rules, in which order, and what they hold.
type Plan = Vec<(&'static str, u64)>;

fn plan() -> impl Strategy<Value = Plan> {
    let amounts = prop::collection::vec(15..90_u64, RULES.len());
    let order = Just(RULES.to_vec()).prop_shuffle();
    (order, amounts, 3..=RULES.len()).prop_map(|(names, amounts, count)| {
        let rules = names.into_iter().zip(amounts);
        rules.take(count).collect()
    })
}

fn fresh(plan: &Plan) -> State {
    let mut state = state(plan.iter().map(|(name, amount)| rule(name, *amount)));
    for (identity, (name, _)) in state.names.quotas.iter_mut().zip(plan) {
        (*name).clone_into(&mut identity.label);
    }
    state
}

/// The records of all processes, in the terms of whatever plan was served.
#[derive(Debug, Default)]
struct Disk {
    records: Mutex<Vec<Vec<u8>>>,
    /// Whose records are taken in.
    generation: Mutex<usize>,
}

/// What one plan's state writes to.
#[derive(Debug)]
struct Page(Arc<Disk>, usize);

impl Log for Page {
    fn append(&self, record: &Record<'_>) -> Position {
        assert_eq!(
            *self.0.generation.lock().unwrap(),
            self.1,
            "a plan that is over writes"
        );
        self.0.append(record)
    }
}

impl Disk {
    fn append(&self, record: &Record<'_>) -> Position {
        let mut bytes = Vec::new();
        record.encode(&mut bytes);
        let mut records = self.records.lock().unwrap();
        records.push(bytes);
        Position(records.len() as u64)
    }
}

/// One thing that happens.
#[derive(Debug, Clone)]
enum Event {
    /// A call comes, to a plan that may be over already: its body took long.
    Call {
        plan: usize,
        key: u128,
        amount: u64,
    },
    /// It is answered, having used so much; a stream that broke off is one of these.
    Answer {
        which: usize,
        used: u64,
    },
    /// It failed, or its caller left before anybody worked on it.
    Fail {
        which: usize,
    },
    /// Its model failed after it had used something, and the next is asked: reserved anew.
    FallBack {
        which: usize,
        wasted: u64,
        amount: u64,
    },
    /// A bug: nobody settles it.
    Forget {
        which: usize,
    },
    /// Another plan is served.
    Reload(Plan),
    /// The process dies, and comes back with this plan.
    Restart(Plan),
    /// All that is used is written down once more.
    Checkpoint,
    Wait(i64),
}

fn event(waits: std::ops::Range<i64>) -> impl Strategy<Value = Event> {
    let (which, amount, used) = (any::<usize>, 0..20_u64, 0..30_u64);
    prop_oneof![
        8 => (prop_oneof![3 => Just(0), 1 => 0..3_usize], 0..KEYS, amount.clone())
            .prop_map(|(plan, key, amount)| Event::Call { plan, key, amount }),
        5 => (which(), used).prop_map(|(which, used)| Event::Answer { which, used }),
        1 => which().prop_map(|which| Event::Fail { which }),
        2 => (which(), 0..20_u64, amount).prop_map(|(which, wasted, amount)| Event::FallBack { which, wasted, amount }),
        1 => which().prop_map(|which| Event::Forget { which }),
        1 => plan().prop_map(Event::Reload),
        1 => plan().prop_map(Event::Restart),
        1 => Just(Event::Checkpoint),
        2 => waits.prop_map(Event::Wait),
    ]
}

/// A call that is open.
struct Open {
    state: Arc<State>,
    held: Reservation,
    charged: Vec<Line>,
}

/// What a call was charged by one rule.
#[derive(Clone, Copy)]
struct Line {
    rule: &'static str,
    key: u128,
    amount: u64,
    /// The latest day that the rule's key had seen by then.
    day: i64,
}

impl Line {
    /// Whether it counts on this day.
    fn counts_on(&self, day: i64) -> bool {
        self.day == day || !self.rule.ends_with(" a day")
    }
}

/// What a naive clerk has written down: for each rule and key what calls used, and what is held for those that run.
#[derive(Default)]
struct Clerk {
    /// What was used, and of that what had been reserved.
    used: Vec<(Line, u64)>,
    latest: HashMap<(&'static str, u128), i64>,
}

struct World {
    /// The plan that is served first, then those before it, the latest first.
    plans: Vec<(Plan, Arc<State>)>,
    disk: Arc<Disk>,
    open: Vec<Open>,
    clerk: Clerk,
    forgotten: u64,
    now: i64,
}

impl World {
    fn new(plan: &Plan) -> Self {
        let disk = Arc::<Disk>::default();
        let state = Arc::new(fresh(plan).logged(Arc::new(Page(Arc::clone(&disk), 0))));
        disk.append(&state.declaration());
        Self {
            plans: vec![(plan.clone(), state)],
            disk,
            open: Vec::new(),
            clerk: Clerk::default(),
            forgotten: 0,
            now: MIDNIGHT + HOUR,
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Call { plan, key, amount } => self.call(plan, key, amount),
            Event::Answer { which, used } => {
                if let Some(call) = self.take(which) {
                    self.end(call, 1, used);
                }
            }
            Event::Fail { which } => {
                if let Some(call) = self.take(which) {
                    self.end(call, 0, 0);
                }
            }
            Event::FallBack {
                which,
                wasted,
                amount,
            } => {
                if let Some(call) = self.take(which) {
                    let key = call.charged[0].key;
                    self.end(call, 0, wasted);
                    self.call(0, key, amount);
                }
            }
            Event::Forget { which } => {
                if let Some(call) = self.take(which) {
                    self.lose(&call);
                    self.forgotten += u64::from(!call.held.is_empty());
                    drop(call);
                }
            }
            Event::Reload(plan) => self.reload(plan),
            Event::Restart(plan) => self.restart(&plan),
            Event::Checkpoint => {
                let (_, state) = &self.plans[0];
                self.disk.records.lock().unwrap().clear();
                self.disk.append(&state.declaration());
                let mut part = 0;
                while state.checkpoint(part).is_some() {
                    part += 1;
                }
                self.disk.append(&Record::complete());
            }
            Event::Wait(nanoseconds) => self.now += nanoseconds,
        }
    }

    fn take(&mut self, which: usize) -> Option<Open> {
        let which = which.checked_rem(self.open.len())?;
        Some(self.open.remove(which))
    }

    fn call(&mut self, plan: usize, key: u128, amount: u64) {
        let (plan, state) = self.plans[plan % self.plans.len()].clone();
        let charges: Vec<Charge> = (0..)
            .zip(&plan)
            .map(|(index, (name, most))| match *name {
                "calls a day" | "open calls" => charge(index, key, 1, *most),
                _ => charge(index, key, amount, *most),
            })
            .collect();
        let before: Vec<u64> = charges
            .iter()
            .map(|charge| state.used(charge.quota, charge.key, self.now))
            .collect();
        for (name, _) in &plan {
            self.clerk.reaches((*name, key), self.now);
        }
        match state.reserve(&charges, self.now) {
            Ok(held) => {
                // Whatever races and steps there were: what is let in is within its bound.
                for charge in &charges {
                    let used = state.used(charge.quota, charge.key, self.now);
                    assert!(used <= charge.bound, "{used} of {}", charge.bound);
                }
                let line = |((name, _), charge): (&(&'static str, u64), &Charge)| Line {
                    rule: name,
                    key,
                    amount: charge.amount,
                    day: self.clerk.latest[&(*name, key)],
                };
                let charged = plan.iter().zip(&charges).map(line).collect();
                self.open.push(Open {
                    state,
                    held,
                    charged,
                });
            }
            Err(refused) => {
                let binding = charges[usize::from(refused.quota)];
                let (quota, used) = (refused.quota, before[usize::from(refused.quota)]);
                assert!(
                    used + binding.amount > binding.bound || plan.len() > 1,
                    "{quota} refused with {used} used"
                );
                let after: Vec<u64> = charges
                    .iter()
                    .map(|charge| state.used(charge.quota, charge.key, self.now))
                    .collect();
                assert_eq!(before, after, "what was refused took something");
            }
        }
    }

    /// Ends a call that has used so much.
    fn end(&mut self, call: Open, requests: u64, used: u64) {
        let spent = Spent {
            requests,
            tokens: used,
            money: used,
        };
        for line in call.charged {
            let amount = spent.of(rule(line.rule, 1).unit);
            self.clerk.used.push((line, amount));
            self.clerk.reaches((line.rule, line.key), self.now);
        }
        call.state.settle(call.held, spent, self.now);
    }

    /// What a call held stays used: nobody says what it came to.
    fn lose(&mut self, call: &Open) {
        let lines = call.charged.iter().map(|line| (*line, line.amount));
        self.clerk.used.extend(lines);
    }

    fn reload(&mut self, plan: Plan) {
        let (_, old) = self.plans[0].clone();
        let generation = *self.disk.generation.lock().unwrap() + 1;
        let page = Arc::new(Page(Arc::clone(&self.disk), generation));
        let new = Arc::new(fresh(&plan).in_place_of(&old).logged(page));
        old.hand_over(&new, || {
            *self.disk.generation.lock().unwrap() = generation;
            self.disk.append(&new.declaration());
        });
        self.plans.insert(0, (plan, new));
    }

    fn restart(&mut self, plan: &Plan) {
        for call in std::mem::take(&mut self.open) {
            self.lose(&call);
            drop(call);
        }
        self.forgotten = 0;
        let mut replay = Replay::new(fresh(plan));
        for record in self.disk.records.lock().unwrap().iter() {
            replay.apply(record).unwrap();
        }
        let generation = *self.disk.generation.lock().unwrap() + 1;
        *self.disk.generation.lock().unwrap() = generation;
        let page = Arc::new(Page(Arc::clone(&self.disk), generation));
        let state = Arc::new(replay.finish(self.now).logged(page));
        self.disk.append(&state.declaration());
        self.plans = vec![(plan.clone(), state)];
    }

    /// What the rules of the plan that is served have used, and what the clerk says.
    fn compare(&self) {
        let (plan, state) = &self.plans[0];
        for (index, (name, _)) in (0..).zip(plan) {
            for key in 0..KEYS {
                let today = self.now.div_euclid(DAY);
                let counts =
                    |line: &Line| (line.rule, line.key) == (*name, key) && line.counts_on(today);
                let held = self.open.iter().flat_map(|call| &call.charged);
                let held = held.filter(|line| counts(line)).map(|line| line.amount);
                let held: u64 = held.sum();
                let said = self.clerk.used.iter().filter(|(line, _)| counts(line));
                let said: u64 = said.map(|(_, used)| used).sum();
                let used = used(state, index, key, self.now);
                match *name {
                    "tokens a call" => assert_eq!(used, 0),
                    "open calls" => assert_eq!(used, held, "{name} of {key}"),
                    // It drains.
                    "tokens a minute" => assert!(used <= said + held, "{used}, {said} and {held}"),
                    _ => assert_eq!(used, said + held, "{name} of {key}"),
                }
            }
        }
        assert_eq!(state.abandoned(), self.forgotten);
    }

    /// All calls end. Then, when every window is over, nothing is left.
    fn finish(&mut self) {
        while let Some(call) = self.take(0) {
            self.end(call, 0, 0);
        }
        let (plan, state) = &self.plans[0];
        let over = self.now + 3 * i64::try_from(MONTH).unwrap() * SECOND;
        for index in 0..u16::try_from(plan.len()).unwrap() {
            for key in 0..KEYS {
                assert_eq!(
                    used(state, index, key, over),
                    0,
                    "{}",
                    plan[usize::from(index)].0
                );
            }
        }
    }
}

impl Clerk {
    /// A rule's key sees this moment; a clock that is set back begins no day again.
    fn reaches(&mut self, name: (&'static str, u128), now: i64) {
        let latest = self.latest.entry(name).or_insert(i64::MIN);
        *latest = (*latest).max(now.div_euclid(DAY));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    /// What is used is what calls used and what is held for those that run: to the last nano-dollar, whichever plans and
    /// processes they went through. Each is charged once, in the window in which it was let in.
    #[test]
    fn what_is_charged_is_what_was_used(
        first in plan(), events in prop::collection::vec(event(0..9 * HOUR), 0..80),
    ) {
        let mut world = World::new(&first);
        for event in events {
            world.happen(event);
            world.compare();
        }
        world.finish();
    }

    /// Whatever the clock does, short of a step back by more than a day: of no day is more let in than its rule says.
    #[test]
    fn no_day_lets_more_in_than_it_has(
        first in plan(), events in prop::collection::vec(event(-7 * HOUR..9 * HOUR), 0..80),
    ) {
        // What a rule may hold changes with the plan: the largest counts.
        let plans = events.iter().filter_map(|event| match event {
            Event::Reload(plan) | Event::Restart(plan) => Some(plan),
            _ => None,
        });
        let mut most: HashMap<&str, u64> = HashMap::new();
        for (name, amount) in plans.chain([&first]).flatten() {
            let most = most.entry(*name).or_default();
            *most = (*most).max(*amount);
        }
        let mut world = World::new(&first);
        for event in events {
            world.happen(event);
        }
        let mut days: HashMap<(&str, u128, i64), u64> = HashMap::new();
        for (line, used) in &world.clerk.used {
            // Beyond what was reserved it is debt.
            *days.entry((line.rule, line.key, line.day)).or_default() += used.min(&line.amount);
        }
        for ((rule, key, day), used) in days {
            if rule.ends_with(" a day") {
                prop_assert!(used <= most[rule], "{used} of `{rule}` for {key} on {day}");
            }
        }
        world.finish();
    }
}

/// `WAYPOST_INTERLEAVINGS=100000` tries so many of each.
fn cases() -> u32 {
    let wanted = std::env::var("WAYPOST_INTERLEAVINGS");
    wanted.map_or(512, |text| text.parse().unwrap())
}

/// While threads reserve and settle on whichever plan they know, one plan after another takes over.
#[test]
fn threads_that_race_with_reloads_leave_exactly_what_was_used() {
    const CALLS: u64 = 2_000;
    let plan = |turn: usize| {
        let mut plan: Plan = RULES.iter().map(|name| (*name, 1_000_000)).collect();
        plan.rotate_left(turn % RULES.len());
        plan
    };
    let first = (plan(0), Arc::new(fresh(&plan(0))));
    let current = Mutex::new(first);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for call in 0..CALLS {
                    let (plan, state) = current.lock().unwrap().clone();
                    let charges: Vec<Charge> = (0..)
                        .zip(&plan)
                        .map(|(index, (_, most))| charge(index, u128::from(call % 2), 9, *most))
                        .collect();
                    let held = state.reserve(&charges, MIDNIGHT).unwrap();
                    thread::yield_now();
                    state.settle(held, spent(call % 7), MIDNIGHT);
                }
            });
        }
        for turn in 1..40 {
            let (_, old) = current.lock().unwrap().clone();
            let new = Arc::new(fresh(&plan(turn)).in_place_of(&old));
            old.hand_over(&new, || {});
            *current.lock().unwrap() = (plan(turn), new);
            thread::yield_now();
        }
    });
    let (plan, state) = current.into_inner().unwrap();
    let wanted: u64 = 3 * (0..CALLS).map(|call| call % 7).sum::<u64>();
    for (index, (name, _)) in (0..).zip(&plan) {
        let total: u64 = (0..KEYS)
            .map(|key| used(&state, index, key, MIDNIGHT))
            .sum();
        let expected = match *name {
            "open calls" | "tokens a call" => 0,
            _ => wanted,
        };
        assert_eq!(total, expected, "{name}");
    }
    assert_eq!(state.abandoned(), 0);
}

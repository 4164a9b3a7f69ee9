//! Replicas that share a bucket, on random schedules: whatever is lost, late, forgotten or set back, what all of them
//! have let through stays within what is promised.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::super::exchange::{Exchange, LEARNING};
use super::super::*;
use crate::plan::draft::Period;

const NOON: i64 = 1_795_521_600_000_000_000;
const SECOND: i64 = 1_000_000_000;
const REPLICAS: usize = 3;
/// What a bucket holds.
const HOLDS: u64 = 1_000;
/// A rolling bucket's window, in seconds.
const WINDOW: i64 = 100;

/// Keeps in mind what should be asked.
#[derive(Debug, Default)]
struct Heap(Mutex<VecDeque<BucketName>>);

impl Desk for Heap {
    fn wanted(&self, bucket: BucketName) {
        self.0.lock().unwrap().push_back(bucket);
    }
}

/// A process, until it crashes.
struct Replica {
    state: Arc<State>,
    /// Those that it took the place of.
    before: Vec<Arc<State>>,
    heap: Arc<Heap>,
    lessee: u64,
    open: Vec<(Reservation, u64)>,
    /// By how much its clock is ahead.
    skew: i64,
}

/// What is on its way to Redis: it may come late, or never.
#[derive(Clone, Copy)]
struct Sent {
    replica: usize,
    lessee: u64,
    bucket: BucketName,
    ask: Ask,
}

#[derive(Debug, Clone)]
enum Step {
    /// A call of so much comes.
    Call(usize, u64),
    /// The oldest open call of a replica ends, having used such a share of what it held, in percent.
    End(usize, u64),
    /// A replica's asks are sent, answered and heard.
    Talk(usize),
    /// They are sent; Redis has them, the answers are lost.
    LoseAnswers(usize),
    /// They are sent, and come to Redis only later.
    Delay(usize),
    /// What was delayed comes.
    Arrive,
    /// The replica dies; another takes its place with nothing in memory.
    Crash(usize),
    /// A new plan: another state goes on.
    Reload(usize),
    /// Redis loses everything; all that are there tell it what they know before it grants anything.
    Forget,
    /// As `Forget`, but one replica tells it only later, when others have been granted something.
    ForgetBut(usize),
    /// Time passes, in milliseconds.
    Pass(i64),
    /// A replica's clock is set.
    Set(usize, i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = 0..REPLICAS;
    let step = prop_oneof![
        12 => (who.clone(), 1_u64..60).prop_map(|(who, amount)| Step::Call(who, amount)),
        8 => (who.clone(), 0_u64..130).prop_map(|(who, share)| Step::End(who, share)),
        12 => who.clone().prop_map(Step::Talk),
        2 => who.clone().prop_map(Step::LoseAnswers),
        2 => who.clone().prop_map(Step::Delay),
        2 => Just(Step::Arrive),
        1 => who.clone().prop_map(Step::Crash),
        1 => who.clone().prop_map(Step::Reload),
        1 => Just(Step::Forget),
        1 => who.clone().prop_map(Step::ForgetBut),
        6 => (0_i64..3_000).prop_map(Step::Pass),
        1 => (who, -5_000_i64..5_000).prop_map(|(who, by)| Step::Set(who, by)),
    ];
    proptest::collection::vec(step, 1..300)
}

struct World {
    quota: Quota,
    shares: bool,
    redis: Exchange,
    replicas: Vec<Replica>,
    delayed: Vec<Sent>,
    now: i64,
    lessees: u64,
    /// When calls were let in, and how much they used in the end, or may still.
    used: HashMap<u64, (i64, u64)>,
    calls: u64,
    /// What calls used beyond what they held: nobody can refuse that.
    beyond: u64,
    crashes: u64,
    /// What a Redis that began anew was not told: only replicas that had died knew.
    forgotten: u64,
}

impl World {
    fn new(quota: Quota, shares: bool) -> Self {
        let mut world = Self {
            quota,
            shares,
            redis: Exchange::default(),
            replicas: Vec::new(),
            delayed: Vec::new(),
            now: NOON,
            lessees: 0,
            used: HashMap::new(),
            calls: 0,
            beyond: 0,
            crashes: 0,
            forgotten: 0,
        };
        world.redis.greet(NOON / 1_000);
        world.now += LEARNING * 1_000;
        for _ in 0..REPLICAS {
            let replica = world.process(0);
            world.replicas.push(replica);
        }
        world
    }

    fn process(&mut self, skew: i64) -> Replica {
        self.lessees += 1;
        let heap = Arc::new(Heap::default());
        let desk: Arc<dyn Desk> = Arc::clone(&heap) as _;
        let replicas = u32::try_from(REPLICAS).unwrap();
        let state = State::with_quotas([self.quota.clone()], [], State::SHARED_SEED)
            .shared(Sharing::new(replicas, self.shares, desk));
        Replica {
            state: Arc::new(state),
            before: Vec::new(),
            heap,
            lessee: self.lessees,
            open: Vec::new(),
            skew,
        }
    }

    fn here(&self, who: usize) -> i64 {
        self.now + self.replicas[who].skew
    }

    fn charge(&self, amount: u64) -> Charge {
        Charge {
            quota: 0,
            key: self.replicas[0].state.key("a"),
            amount,
            bound: HOLDS,
        }
    }

    fn send(&mut self, who: usize) -> Vec<Sent> {
        let now = self.here(who);
        let replica = &self.replicas[who];
        let wanted: Vec<BucketName> = replica.heap.0.lock().unwrap().drain(..).collect();
        let sent = wanted.into_iter().filter_map(|bucket| {
            Some(Sent {
                replica: who,
                lessee: replica.lessee,
                bucket,
                ask: replica.state.ask(bucket, now)?,
            })
        });
        sent.collect()
    }

    fn redis(&mut self, sent: &Sent) -> Answer {
        let who = (sent.lessee, REPLICAS as u64);
        let name = (0, sent.bucket.key.0);
        self.redis.ask(name, who, &sent.ask, self.now / 1_000)
    }

    fn hear(&self, sent: &Sent, answer: Option<Answer>) {
        let replica = &self.replicas[sent.replica];
        if replica.lessee == sent.lessee {
            let now = self.here(sent.replica);
            replica
                .state
                .answered(sent.bucket, sent.ask.serial, answer, now);
        }
    }

    fn talk(&mut self, who: usize) {
        for sent in self.send(who) {
            let answer = self.redis(&sent);
            self.hear(&sent, Some(answer));
        }
    }

    fn call(&mut self, who: usize, amount: u64) {
        let charge = self.charge(amount);
        for attempt in 0..2 {
            let now = self.here(who);
            match self.replicas[who].state.reserve(&[charge], now) {
                Ok(reservation) => {
                    self.calls += 1;
                    self.used.insert(self.calls, (self.now, amount));
                    let call = self.calls;
                    self.replicas[who].open.push((reservation, call));
                    return;
                }
                Err(Exhausted {
                    reason: ExhaustedReason::Lease,
                    ..
                }) if attempt == 0 => {
                    // As a call does: it says what it needs, and waits for the answer.
                    let replicas = std::mem::take(&mut self.replicas);
                    let needs = replicas[who].state.need(&[charge], now);
                    let wanted = replicas[who]
                        .heap
                        .0
                        .lock()
                        .unwrap()
                        .drain(..)
                        .collect::<Vec<_>>();
                    for bucket in wanted {
                        if let Some(ask) = replicas[who].state.ask(bucket, now) {
                            let name = (0, bucket.key.0);
                            let lessee = (replicas[who].lessee, REPLICAS as u64);
                            let answer = self.redis.ask(name, lessee, &ask, self.now / 1_000);
                            let state = &replicas[who].state;
                            state.answered(bucket, ask.serial, Some(answer), now);
                        }
                    }
                    drop(needs);
                    self.replicas = replicas;
                }
                Err(_) => return,
            }
        }
    }

    fn end(&mut self, who: usize, share: u64) {
        // Where it began, or where all goes on.
        let state = match self.replicas[who].before.first() {
            Some(first) if share.is_multiple_of(2) => Arc::clone(first),
            _ => Arc::clone(&self.replicas[who].state),
        };
        if self.replicas[who].open.is_empty() {
            return;
        }
        let now = self.here(who);
        let (reservation, call) = self.replicas[who].open.remove(0);
        let held = self.used[&call].1;
        let tokens = held * share / 100;
        self.beyond += tokens.saturating_sub(held);
        self.used.get_mut(&call).unwrap().1 = tokens.min(held);
        let spent = Spent {
            tokens,
            ..Spent::default()
        };
        state.settle(reservation, spent, now);
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Call(who, amount) => self.call(who, amount),
            Step::End(who, share) => self.end(who, share),
            Step::Talk(who) => {
                let now = self.here(who);
                let state = &self.replicas[who].state;
                (0..)
                    .take_while(|part| state.look_after(*part, now))
                    .count();
                self.talk(who);
            }
            Step::LoseAnswers(who) => {
                for sent in self.send(who) {
                    let _ = self.redis(&sent);
                    self.hear(&sent, None);
                }
            }
            Step::Delay(who) => {
                for sent in self.send(who) {
                    self.hear(&sent, None);
                    self.delayed.push(sent);
                }
            }
            Step::Arrive => {
                for sent in std::mem::take(&mut self.delayed) {
                    let _ = self.redis(&sent);
                }
            }
            Step::Crash(who) => {
                let skew = self.replicas[who].skew;
                self.replicas[who] = self.process(skew);
                self.crashes += 1;
            }
            Step::Reload(who) => {
                let replica = &mut self.replicas[who];
                let next = State::with_quotas([self.quota.clone()], [], State::SHARED_SEED)
                    .in_place_of(&replica.state)
                    .shared(replica.state.sharing.as_ref().unwrap().again());
                let next = Arc::new(next);
                replica.state.hand_over(&next, || {});
                next.want_again();
                // Calls that are under way end on the old one, which goes on to be asked.
                let old = std::mem::replace(&mut replica.state, next);
                replica.before.push(old);
            }
            Step::Forget => {
                let name = (0, self.charge(0).key.0);
                let before = self.redis.committed(name);
                self.redis = Exchange::default();
                self.redis.greet(self.now / 1_000);
                for who in 0..REPLICAS {
                    self.replicas[who].state.tell_all();
                    self.talk(who);
                }
                let told = self.redis.committed(name);
                if self.crashes > 0 {
                    self.forgotten += before.saturating_sub(told);
                } else if matches!(self.quota.window, Window::Calendar(_)) {
                    let used: u64 = self.used.values().map(|(_, used)| used).sum();
                    assert!(used <= told, "{used} used, {told} told");
                }
                self.now += LEARNING * 1_000;
            }
            Step::ForgetBut(late) => {
                self.redis = Exchange::default();
                self.redis.greet(self.now / 1_000);
                for who in (0..REPLICAS).filter(|who| *who != late) {
                    self.replicas[who].state.tell_all();
                    self.talk(who);
                }
                self.now += LEARNING * 1_000;
                for who in (0..REPLICAS).filter(|who| *who != late) {
                    self.call(who, 20);
                    self.talk(who);
                }
                self.replicas[late].state.tell_all();
                self.talk(late);
                // What was granted before it came, where there was no room in truth.
                let told = self.redis.committed((0, self.charge(0).key.0));
                self.forgotten += told.saturating_sub(HOLDS);
                let used: u64 = self.used.values().map(|(_, used)| used).sum();
                if self.crashes == 0 && matches!(self.quota.window, Window::Calendar(_)) {
                    assert!(used <= told, "{used} used, {told} told");
                } else {
                    self.forgotten += HOLDS;
                }
            }
            Step::Pass(milliseconds) => self.now += milliseconds * 1_000_000,
            Step::Set(who, by) => self.replicas[who].skew = by * 1_000_000,
        }
    }

    /// The most that calls have used in any stretch of this length.
    fn densest(&self, length: i64) -> u64 {
        let all = self.used.values();
        all.clone()
            .map(|(start, _)| {
                let within = all
                    .clone()
                    .filter(|(at, _)| (*start..start + length).contains(at));
                within.map(|(_, used)| used).sum()
            })
            .max()
            .unwrap_or(0)
    }
}

fn tokens(window: Window) -> Quota {
    Quota {
        unit: Unit::Tokens,
        amount: HOLDS,
        window,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_day_never_sees_more_than_what_is_written(steps in steps()) {
        let calendar = Calendar::utc(Period::Day);
        let mut world = World::new(tokens(Window::Calendar(calendar)), false);
        for step in &steps {
            world.step(step);
        }
        // All of it is within one day: three seconds a step at most, and 300 steps.
        let used: u64 = world.used.values().map(|(_, used)| used).sum();
        prop_assert!(used <= HOLDS + world.forgotten, "{used}, {} forgotten", world.forgotten);
    }

    #[test]
    fn a_rolling_limit_sees_no_more_than_its_slack_beyond(steps in steps()) {
        let nanoseconds = (WINDOW * SECOND).unsigned_abs();
        let window = Window::Rolling { nanoseconds, burst: HOLDS };
        let mut world = World::new(tokens(window), false);
        for step in &steps {
            world.step(step);
        }
        for seconds in [0, 1, 10, 50, 100, 300] {
            let refilled = HOLDS * seconds / WINDOW.unsigned_abs();
            let most = HOLDS + refilled + slack(HOLDS, REPLICAS as u64) + world.forgotten + 1;
            let length = i64::try_from(seconds).unwrap() * SECOND + 1;
            let used = world.densest(length);
            prop_assert!(used <= most, "{used} of {most} in {seconds} s");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn with_a_share_no_more_than_as_much_again(steps in steps(), away in proptest::collection::vec(any::<bool>(), 300)) {
        let calendar = Calendar::utc(Period::Day);
        let mut world = World::new(tokens(Window::Calendar(calendar)), true);
        for (step, is_away) in steps.iter().zip(away) {
            // Without its memory a replica does not know what it has used of its share.
            if matches!(step, Step::Crash(_)) {
                continue;
            }
            let is_talk = matches!(step, Step::Talk(_) | Step::Forget | Step::ForgetBut(_));
            for replica in &world.replicas {
                replica.state.set_away(is_away && !is_talk);
            }
            world.step(step);
        }
        let used: u64 = world.used.values().map(|(_, used)| used).sum();
        prop_assert!(used <= 2 * HOLDS + world.forgotten, "{used}, {} forgotten", world.forgotten);
    }
}

#[test]
fn what_one_gives_back_another_gets() {
    let calendar = Calendar::utc(Period::Day);
    let mut world = World::new(tokens(Window::Calendar(calendar)), false);
    for _ in 0..100 {
        world.call(0, 50);
        world.end(0, 10);
        world.talk(0);
    }
    // All but the last calls' worth could be used, though each held ten times as much.
    let first: u64 = world.used.values().map(|(_, used)| used).sum();
    assert_eq!(first, 500);
    world.step(&Step::Pass(3_000));
    world.step(&Step::Talk(0));
    for _ in 0..100 {
        world.call(1, 5);
        world.talk(1);
    }
    let all: u64 = world.used.values().map(|(_, used)| used).sum();
    assert_eq!(all, HOLDS);
}

#[test]
fn while_redis_is_away_each_goes_on_with_its_share() {
    let calendar = Calendar::utc(Period::Day);
    let mut world = World::new(tokens(Window::Calendar(calendar)), true);
    let alone = |world: &World, who: usize| {
        let now = world.here(who);
        world.replicas[who].state.reserve(&[world.charge(50)], now)
    };
    assert!(matches!(
        alone(&world, 0),
        Err(Exhausted {
            reason: ExhaustedReason::Lease,
            ..
        })
    ));
    world.replicas[0].state.set_away(true);
    let mut open = Vec::new();
    while let Ok(reservation) = alone(&world, 0) {
        open.push(reservation);
    }
    // A third, in calls of fifty.
    assert_eq!(open.len(), 6);
    world.replicas[0].state.set_away(false);
    // Redis hears of it, and others have as much less.
    world.step(&Step::Talk(0));
    let mut others = 0;
    while world.used.values().map(|(_, used)| used).sum::<u64>() == others * 50 {
        world.call(1, 50);
        others += 1;
    }
    assert_eq!(others - 1, 14);
    for open in open {
        world.replicas[0].state.refund(open, world.now);
    }
}

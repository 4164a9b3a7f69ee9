//! What durability adds to a call: the same charges reserved and settled in memory alone, and written down each time;
//! and how long a start takes that finds a million keys.
//!
//! `cargo bench -p waypost-runtime --bench ledger`; `WAYPOST_BENCH_FOLDER` names another place than the system's for
//! temporary files. Of each figure the best of several rounds is printed: what other processes do to a round is not ours.

use std::fs;
use std::hint::black_box;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use waypost_policies::decision::{Charges, Outcome};
use waypost_policies::limits::{Position, Spent, State};
use waypost_policies::plan::{Plan, encode};
use waypost_policies::{Evaluation, decide, example};
use waypost_runtime::Keeper;

const ROUNDS: usize = 7;
const CALLS: usize = 50_000;
const KEYS: u64 = 1_000_000;
const NOW: i64 = 1_795_521_600_000_000_000;
const SPENT: Spent = Spent {
    requests: 1,
    tokens: 120,
    money: 40_000,
};

/// A folder of its own; it goes with the benchmark.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let place = std::env::var_os("WAYPOST_BENCH_FOLDER");
        let place = place.map_or_else(std::env::temp_dir, PathBuf::from);
        let folder = place.join(format!("waypost-bench-{name}-{}", std::process::id()));
        Self(folder)
    }

    fn open(&self, plan: &Plan) -> (std::sync::Arc<State>, Keeper) {
        let fresh = |seed| State::new(plan, seed);
        match Keeper::open(&self.0, fresh, NOW) {
            Ok(opened) => opened,
            Err(error) => unreachable!("the folder can be used: {error}"),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn plan() -> Plan {
    match Plan::load(encode(&example::draft())) {
        Ok(plan) => plan,
        Err(error) => unreachable!("the plan loads: {error}"),
    }
}

/// What a strong call is charged: a limit on requests, one on tokens and a budget.
fn charges(plan: &Plan, state: &State) -> Charges {
    let request = example::request("Derive the EM algorithm.");
    let mut facts = example::facts(&request);
    facts.difficulty = Some(0.9);
    match decide(plan, &facts, state, &mut Evaluation::default()).outcome {
        Outcome::Route(route) => route.charges,
        other => unreachable!("a fresh ledger has room: {other:?}"),
    }
}

/// One call after another: the nanoseconds that each took, in order.
fn round(state: &State, charges: &Charges, record: &impl Fn(Position)) -> Vec<u64> {
    let mut times = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let started = Instant::now();
        let Ok(held) = state.reserve(black_box(charges), NOW) else {
            unreachable!("there is room")
        };
        record(held.position());
        record(state.settle(held, SPENT, NOW));
        times.push(u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX));
    }
    times.sort_unstable();
    times
}

/// Mean, median and 99th percentile.
fn report(what: &str, rounds: impl Iterator<Item = Vec<u64>>) {
    let figures = rounds.map(|times| {
        let at = |hundredth: usize| times.get(times.len() * hundredth / 100).copied();
        let mean = times.iter().sum::<u64>() / times.len().max(1) as u64;
        [Some(mean), at(50), at(99)].map(Option::unwrap_or_default)
    });
    let best = figures.reduce(|best, next| {
        std::array::from_fn(|place| match (best.get(place), next.get(place)) {
            (Some(best), Some(next)) => *best.min(next),
            _ => 0,
        })
    });
    if let Some([mean, median, p99]) = best {
        println!("{what:<44} mean {mean:>6} ns   median {median:>6} ns   p99 {p99:>6} ns");
    }
}

/// A bound that no round reaches.
fn without_bound(mut charges: Charges) -> Charges {
    for charge in &mut charges {
        charge.bound = u64::MAX;
    }
    charges
}

fn per_call() {
    let plan = plan();
    let in_memory = State::new(&plan, [1, 2]);
    let of_call = without_bound(charges(&plan, &in_memory));
    println!("{} charges a call", of_call.len());
    let rounds = (0..ROUNDS).map(|_| round(&in_memory, &of_call, &|_| {}));
    report("reserve and settle, in memory", rounds);
    let folder = Folder::new("calls");
    let (state, keeper) = folder.open(&plan);
    let of_call = without_bound(charges(&plan, &state));
    let record = |position| assert!(keeper.record(position), "the disk has room");
    let rounds = (0..ROUNDS).map(|_| round(&state, &of_call, &record));
    report("reserve and settle, each written down", rounds);
    let rounds = (0..ROUNDS).map(|_| {
        thread::scope(|scope| {
            let workers: Vec<_> = (0..2)
                .map(|_| scope.spawn(|| round(&state, &of_call, &record)))
                .collect();
            let times = workers.into_iter().filter_map(|worker| worker.join().ok());
            let mut times: Vec<u64> = times.flatten().collect();
            times.sort_unstable();
            times
        })
    });
    report("the same by two threads at a time", rounds);
}

fn start() {
    let plan = plan();
    let folder = Folder::new("start");
    {
        let (state, keeper) = folder.open(&plan);
        let mut last = Position::default();
        for key in 0..KEYS {
            let key = state.key(&key.to_string());
            last = last.max(state.add(0, key, 1, NOW));
        }
        assert!(keeper.record(last), "the disk has room");
    }
    let mut best = Duration::MAX;
    for _ in 0..3 {
        let started = Instant::now();
        let opened = folder.open(&plan);
        best = best.min(started.elapsed());
        drop(opened);
    }
    println!("a start that finds {KEYS} keys: {} ms", best.as_millis());
}

fn main() {
    per_call();
    start();
}

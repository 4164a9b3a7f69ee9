//! Three processes that share limits over a Redis, which is paused, killed and begun anew under load: what all of them
//! let through stays within what `waypost spend` prints, and calls go on. Skipped, and said so, without `redis-server`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
#![cfg(unix)]

#[allow(dead_code, reason = "shared with another test")]
#[path = "../durability/plan.rs"]
mod plan;
mod redis;
#[allow(dead_code, reason = "shared with another test")]
#[path = "../durability/runtime.rs"]
mod runtime;
#[path = "../durability/upstream.rs"]
mod upstream;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use waypost_policies::limits::slack;
use waypost_policies::plan::draft::{Amount, Draft, Secret, SecretSource, Shared, Window};

use redis::Redis;
use runtime::{Folder, Runtime};
use upstream::Upstream;

const REPLICAS: u32 = 3;
/// Callers of each process.
const CALLERS: usize = 2;
/// Nothing here takes longer.
const PATIENCE: Duration = Duration::from_secs(15);

/// Waits for something, not for ever.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "waited too long until {what}");
        thread::yield_now();
    }
}

/// What callers of one process were answered.
#[derive(Default)]
struct Seen {
    served: AtomicU64,
    used_up: AtomicU64,
    uncounted: AtomicU64,
}

impl Seen {
    /// Each count, to see what is new.
    fn counts(&self) -> [u64; 3] {
        [&self.served, &self.used_up, &self.uncounted].map(|count| count.load(Ordering::Acquire))
    }
}

/// Three processes, their Redis, their model, and callers who call without pause.
struct World {
    redis: Redis,
    upstream: Upstream,
    plan: PathBuf,
    folders: Vec<Folder>,
    _folder: Folder,
}

impl World {
    /// `None` where there is no Redis to be had.
    fn new(name: &str, shares: bool, change: impl FnOnce(&mut Draft)) -> Option<Self> {
        let folder = Folder::new(name);
        let secret = folder.state().with_file_name("redis-url");
        let redis = Redis::start(secret.with_file_name("redis.sock"))?;
        let upstream = Upstream::start();
        let mut draft = plan::draft(&upstream.address(), plan::PLENTY);
        std::fs::write(&secret, redis.address()).unwrap();
        draft.secrets.push(Secret {
            name: "redis_url".to_owned(),
            source: SecretSource::File(secret.display().to_string()),
        });
        draft.shared = Some(Shared {
            redis: 0,
            shares,
            replicas: REPLICAS,
            namespace: "test".to_owned(),
        });
        change(&mut draft);
        let own = |replica: u32| Folder::new(&format!("{name}-{replica}"));
        Some(Self {
            redis,
            upstream,
            plan: folder.plan(&draft),
            folders: (0..REPLICAS).map(own).collect(),
            _folder: folder,
        })
    }

    fn start(&self, replica: usize) -> Runtime {
        let runtime = Runtime::start(&self.plan, &self.folders[replica].state());
        until("what is used is shared", || is_shared(&runtime));
        runtime
    }
}

/// Whether it can ask Redis, by what it says of itself.
fn is_shared(runtime: &Runtime) -> bool {
    let ready = runtime.admin("/readyz");
    assert_eq!(ready.status, 200, "{}", ready.text);
    let metrics = runtime.admin("/metrics").text;
    let is_shared = metrics.contains("waypost_redis_reachable 1");
    is_shared && !ready.text.contains("Redis")
}

/// Calls until told to stop, or the process is gone.
fn call(address: &str, seen: &Seen, is_over: &AtomicBool) {
    while !is_over.load(Ordering::Acquire) {
        let Some(answer) = runtime::ask(address) else {
            return;
        };
        let count = match answer.status {
            200 => &seen.served,
            429 => &seen.used_up,
            503 => {
                assert_eq!(answer.error("code"), "state_unavailable", "{}", answer.text);
                &seen.uncounted
            }
            status => panic!("{status}: {}", answer.text),
        };
        count.fetch_add(1, Ordering::AcqRel);
    }
}

/// Runs `story` while all processes are called without pause.
fn under_load<T>(runtimes: &[Runtime], story: impl FnOnce(&[Seen]) -> T) -> T {
    let seen: Vec<Seen> = runtimes.iter().map(|_| Seen::default()).collect();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for (runtime, seen) in runtimes.iter().zip(&seen) {
            for _ in 0..CALLERS {
                scope.spawn(|| call(&runtime.address, seen, &is_over));
            }
        }
        let over = End(&is_over);
        let told = story(&seen);
        drop(over);
        told
    })
}

/// Ends the callers, also where the story fails.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Until one more answer of this kind has come from each process.
fn each_is(seen: &[Seen], kind: usize, what: &str) {
    let before: Vec<[u64; 3]> = seen.iter().map(Seen::counts).collect();
    until(what, || {
        let mut pairs = seen.iter().zip(&before);
        pairs.all(|(seen, before)| seen.counts()[kind] > before[kind])
    });
}

/// Until one more answer of this kind has come from any process.
fn one_is(seen: &[Seen], kind: usize, what: &str) {
    let count = || seen.iter().map(|seen| seen.counts()[kind]).sum::<u64>();
    let before = count();
    until(what, || count() > before);
}

const SERVED: usize = 0;
const USED_UP: usize = 1;
const UNCOUNTED: usize = 2;

#[test]
fn a_budget_is_shared_to_the_last_call_whatever_becomes_of_redis() {
    // Two thousand calls: more than are let through until the last act.
    let budget = 2_000 * plan::COST;
    let Some(mut world) = World::new("sharing-budget", false, |draft| {
        let amount = i64::try_from(budget).unwrap();
        draft.quotas[0].amount = Amount::Money(waypost_policies::NanoDollars(amount));
    }) else {
        return;
    };
    let spent = |world: &World| world.upstream.calls() * plan::COST;
    let mut runtimes: Vec<Runtime> = (0..3).map(|replica| world.start(replica)).collect();
    under_load(&runtimes, |seen| {
        each_is(seen, SERVED, "all are served");
        world.redis.pause();
        each_is(seen, UNCOUNTED, "all are refused while Redis is paused");
        world.redis.go_on();
        each_is(seen, SERVED, "all are served again");
        world.redis.kill();
        each_is(seen, UNCOUNTED, "all are refused while Redis is gone");
        let before = spent(&world);
        assert!(before <= budget, "{before} of {budget}");
        world.redis.begin();
        each_is(
            seen,
            SERVED,
            "all are served by a Redis that has begun anew",
        );
    });
    // One dies with what it holds, and comes back.
    runtimes[0].kill();
    runtimes[0] = world.start(0);
    under_load(&runtimes, |seen| {
        until("the budget is used up everywhere", || {
            let all = seen.iter().map(Seen::counts);
            let served: u64 = all.clone().map(|[served, ..]| served).sum();
            let used_up = all.map(|[_, used_up, _]| used_up).min().unwrap_or(0);
            // No room for one more call anywhere, for a good while.
            used_up > 200 && served < used_up * 1_000
        });
    });
    let spent = spent(&world);
    assert!(spent <= budget, "{spent} spent of {budget}");
    // What is not used is what one process held when it was killed, and less than one call.
    assert!(spent >= budget / 2, "only {spent} spent of {budget}");
    println!("{spent} spent of {budget}");
}

#[test]
fn a_rolling_limit_lets_through_what_is_printed_and_no_more() {
    const HOLDS: u64 = 240;
    const SECONDS: u64 = 60;
    let Some(world) = World::new("sharing-limit", false, |draft| {
        draft.quotas[0].amount = Amount::Requests(HOLDS);
        draft.quotas[0].window = Window::Rolling(SECONDS * 1_000);
        draft.quotas[0].burst = HOLDS;
    }) else {
        return;
    };
    let runtimes: Vec<Runtime> = (0..3).map(|replica| world.start(replica)).collect();
    let begun = Instant::now();
    under_load(&runtimes, |seen| {
        each_is(seen, SERVED, "all are served");
        world.redis.pause();
        each_is(seen, UNCOUNTED, "all are refused while Redis is paused");
        world.redis.go_on();
        each_is(seen, USED_UP, "all find it used up");
        one_is(seen, SERVED, "what has drained is let through");
    });
    let calls = world.upstream.calls();
    let refilled = HOLDS * u64::try_from(begun.elapsed().as_millis()).unwrap() / (SECONDS * 1_000);
    let most = HOLDS + refilled + slack(HOLDS, REPLICAS.into()) + 1;
    assert!(calls <= most, "{calls} let through, {most} printed");
    assert!(calls >= HOLDS * 3 / 4, "only {calls} let through");
    println!("{calls} let through of {most}");
}

#[test]
fn with_a_share_calls_go_on_while_redis_is_away() {
    let budget = 600 * plan::COST;
    let Some(mut world) = World::new("sharing-share", true, |draft| {
        let amount = i64::try_from(budget).unwrap();
        draft.quotas[0].amount = Amount::Money(waypost_policies::NanoDollars(amount));
    }) else {
        return;
    };
    let runtimes: Vec<Runtime> = (0..3).map(|replica| world.start(replica)).collect();
    under_load(&runtimes, |seen| {
        each_is(seen, SERVED, "all are served");
        world.redis.kill();
        until("all know that Redis is away", || {
            runtimes.iter().all(|runtime| {
                let ready = runtime.admin("/readyz");
                ready.status == 200 && ready.text.contains("its share")
            })
        });
        each_is(seen, USED_UP, "all have used up their share");
        assert_eq!(
            seen.iter()
                .map(|seen| seen.counts()[UNCOUNTED])
                .sum::<u64>(),
            0
        );
        // As much again is printed.
        let spent = world.upstream.calls() * plan::COST;
        assert!(spent <= 2 * budget, "{spent} spent of twice {budget}");
        world.redis.begin();
        until("Redis is there again", || runtimes.iter().all(is_shared));
        each_is(seen, USED_UP, "it is used up for all");
    });
    let spent = world.upstream.calls() * plan::COST;
    assert!(spent <= 2 * budget, "{spent} spent of twice {budget}");
    assert!(spent >= budget / 2, "only {spent} spent of {budget}");
    println!("{spent} spent of {budget}");
}

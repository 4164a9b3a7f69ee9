//! The binary under `kill -9` and on a full disk: what it has acknowledged is there when it comes back.
//!
//! `WAYPOST_CRASHES=1000 cargo test -p waypost-runtime --test durability` kills it so often; by default as often as fits into
//! fifteen seconds.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
#![cfg(unix)]

mod plan;
mod runtime;
mod upstream;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use runtime::{Folder, Runtime};
use upstream::Upstream;

/// For how long the process is killed again and again, if nothing else is said.
const USUAL: Duration = Duration::from_secs(15);
const CALLERS: u64 = 4;

/// What the callers of one life of the process saw.
#[derive(Default)]
struct Seen {
    /// Nano-dollars of calls whose answer came whole.
    acknowledged: AtomicU64,
}

/// Calls until the process is gone.
fn call_until_it_is_gone(address: &str, seen: &Seen, is_over: &AtomicBool) {
    while !is_over.load(Ordering::Acquire) {
        let Some(answer) = runtime::ask(address) else {
            return;
        };
        assert_eq!(answer.status, 200, "{}", answer.text);
        let cost = answer.nano_dollars();
        seen.acknowledged.fetch_add(cost, Ordering::AcqRel);
    }
}

#[test]
fn killed_at_any_moment_it_forgets_nothing_that_it_acknowledged() {
    let upstream = Upstream::start();
    let folder = Folder::new("crashes");
    let plan = folder.plan(&plan::draft(&upstream.address(), plan::PLENTY));
    let wanted = std::env::var("WAYPOST_CRASHES")
        .ok()
        .map(|text| text.parse::<u64>().unwrap());
    let started = Instant::now();
    let seen = Seen::default();
    let (mut crashes, mut random) = (0, 0x9e37_79b9_7f4a_7c15_u64);
    while wanted.map_or(started.elapsed() < USUAL, |wanted| crashes < wanted) {
        let mut runtime = Runtime::start(&plan, &folder.state());
        check(&runtime, &seen, &upstream);
        let (is_over, address) = (AtomicBool::new(false), runtime.address.clone());
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        thread::scope(|scope| {
            for _ in 0..CALLERS {
                scope.spawn(|| call_until_it_is_gone(&address, &seen, &is_over));
            }
            // The moment of death is what is random here; nothing waits for it.
            thread::sleep(Duration::from_micros(random % 60_000));
            runtime.kill();
            is_over.store(true, Ordering::Release);
        });
        crashes += 1;
    }
    let runtime = Runtime::start(&plan, &folder.state());
    check(&runtime, &seen, &upstream);
    assert!(crashes >= 10, "only {crashes} crashes");
    assert!(seen.acknowledged.load(Ordering::Acquire) > 0);
    println!("{crashes} crashes, {} calls", upstream.calls());
}

/// What is used is at least what callers saw the cost of, and at least the cost of what the upstream answered or began
/// to; and at most the worst case of every call that was let through.
fn check(runtime: &Runtime, seen: &Seen, upstream: &Upstream) {
    let used = runtime.used_nano_dollars();
    let acknowledged = seen.acknowledged.load(Ordering::Acquire);
    assert!(
        used >= acknowledged,
        "{used} used, {acknowledged} acknowledged"
    );
    let least = upstream.calls() * plan::COST;
    assert!(
        used >= least,
        "{used} used, {} calls left",
        upstream.calls()
    );
    // A call may have been reserved for and killed before it left: one of each caller in each life.
    let most = upstream.calls() * plan::WORST + (CALLERS + 1) * Runtime::lives() * plan::WORST;
    assert!(used <= most, "{used} used, at most {most} was reserved");
}

#[cfg(target_os = "linux")]
#[test]
fn on_a_full_disk_calls_are_refused_and_go_on_when_there_is_room() {
    let upstream = Upstream::start();
    let folder = Folder::new("full");
    let plan = folder.plan(&plan::draft(&upstream.address(), plan::PLENTY));
    // 64 blocks of 512 bytes or 1 KiB: no file may be longer.
    let runtime = Runtime::start_with_small_files(&plan, &folder.state(), 64);
    let refused = loop {
        let answer = runtime::ask(&runtime.address).expect("it lives");
        if answer.status != 200 {
            break answer;
        }
    };
    assert_eq!(refused.status, 503, "{}", refused.text);
    assert_eq!(refused.error("code"), "state_unavailable");
    assert_eq!(refused.error("type"), "server_error");
    assert!(
        refused.error("hint").contains("full disk"),
        "{}",
        refused.text
    );
    let calls = upstream.calls();
    assert_eq!(runtime::ask(&runtime.address).unwrap().status, 503);
    assert_eq!(upstream.calls(), calls, "a refused call left");
    let ready = runtime.admin("/readyz");
    assert!(
        ready.status == 503 && ready.text.contains("state directory"),
        "{}",
        ready.text
    );
    assert!(
        runtime
            .admin("/metrics")
            .text
            .contains("waypost_state_failing 1")
    );
    let used = runtime.used_nano_dollars();
    runtime.allow_larger_files();
    while runtime.admin("/readyz").status != 200 {
        thread::yield_now();
    }
    assert_eq!(runtime::ask(&runtime.address).unwrap().status, 200);
    assert_eq!(runtime.used_nano_dollars(), used + plan::COST);
    drop(runtime);
    let runtime = Runtime::start(&plan, &folder.state());
    assert_eq!(runtime.used_nano_dollars(), used + plan::COST);
}

#[test]
fn a_budget_that_is_used_up_stays_used_up() {
    let upstream = Upstream::start();
    let folder = Folder::new("crash-loop");
    // Room for one reservation, and for what two calls use beside it.
    let plan = folder.plan(&plan::draft(
        &upstream.address(),
        plan::WORST + 2 * plan::COST,
    ));
    let statuses = [0; 5].map(|_| {
        let mut runtime = Runtime::start(&plan, &folder.state());
        let status = runtime::ask(&runtime.address).unwrap().status;
        runtime.kill();
        status
    });
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
}

#[test]
fn a_folder_has_one_process() {
    let upstream = Upstream::start();
    let folder = Folder::new("two");
    let plan = folder.plan(&plan::draft(&upstream.address(), plan::PLENTY));
    let _first = Runtime::start(&plan, &folder.state());
    let output = runtime::command(&plan, &folder.state()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("is in use by another process"), "{said}");
}

//! The script, held to its reference on a real Redis. Skipped, and said so, where there is no `redis-server`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use waypost_policies::limits::exchange::Exchange;
use waypost_policies::limits::{Ask, Measure, Verdict};

use super::link::{Link, Place, Request};
use crate::client::UpstreamTls;

const REPLICAS: u32 = 3;
const BUCKET: (u128, u128) = (1, 2);

/// A Redis of its own, which keeps nothing on disk; ended with the test.
struct Redis {
    process: Child,
    folder: PathBuf,
}

impl Redis {
    /// `None` where it is not installed.
    fn start(name: &str) -> Option<Self> {
        let folder = std::env::temp_dir().join(format!("waypost-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let socket = folder.join("redis.sock");
        let process = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no"])
            .arg("--unixsocket")
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn();
        let Ok(process) = process else {
            eprintln!("skipped: there is no `redis-server`");
            return None;
        };
        Some(Self { process, folder })
    }

    fn place(&self) -> Place {
        let address = format!("unix://{}", self.folder.join("redis.sock").display());
        Place::read(&address, "test", UpstreamTls::default().config().unwrap()).unwrap()
    }

    async fn link(&self) -> Link {
        let begun = Instant::now();
        loop {
            match Link::open(&self.place()).await {
                Ok(link) => return link,
                Err(_) if begun.elapsed() < Duration::from_secs(10) => {
                    tokio::task::yield_now().await;
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn numbers() -> impl Strategy<Value = [u64; 11]> {
    let small = 0_u64..40;
    proptest::array::uniform11(prop_oneof![4 => small, 1 => 0_u64..400, 1 => Just(0)])
}

/// An ask, at random, of one of many replicas; times are a little before `now`.
fn ask(numbers: [u64; 11], measure: Measure, serial: u64, now: i64) -> (u64, Ask) {
    let [
        who,
        taken,
        need,
        least,
        extra,
        bound,
        debt,
        give,
        floor,
        heard,
        ago,
    ] = numbers;
    let before = now - i64::try_from(ago).unwrap() * 10_000;
    let ask = Ask {
        measure,
        serial,
        taken: taken + give,
        need,
        least: least.min(need),
        extra,
        bound: 10 * bound,
        debt,
        give,
        give_since: before,
        floor,
        heard,
        heard_at: before,
    };
    (who % 60, ask)
}

/// Asks at random, and the answers of Redis against those of the reference at the same moments. How much was granted.
async fn compare(
    link: &mut Link,
    bucket: (u128, u128),
    measure: impl Fn(i64) -> Measure,
    model: &mut Exchange,
) -> u64 {
    let (mut runner, mut granted) = (TestRunner::deterministic(), 0);
    let mut draw = || numbers().new_tree(&mut runner).unwrap().current();
    let mut now = link.beat("another").await.unwrap().now;
    for serial in 1..400_u64 {
        let mut requests = Vec::new();
        // Some come twice, or late.
        for serial in [serial * 2, serial * 2 + 1, serial] {
            let (lessee, ask) = ask(draw(), measure(now), serial, now);
            requests.push(Request {
                lessee,
                bucket,
                ask,
            });
        }
        let answers = link.ask(REPLICAS, &requests).await.unwrap();
        for (request, answer) in requests.iter().zip(answers) {
            let who = (request.lessee, REPLICAS.into());
            let expected = model.ask(bucket, who, &request.ask, answer.now);
            assert_eq!(answer, expected, "{:?}", request.ask);
            now = answer.now;
            granted += answer.granted;
        }
    }
    granted
}

async fn grown_up(link: &mut Link) -> i64 {
    loop {
        let life = link.beat("another").await.unwrap();
        if !life.is_learning {
            return life.now;
        }
    }
}

#[tokio::test]
async fn the_script_does_what_its_reference_does() {
    let Some(redis) = Redis::start("script") else {
        return;
    };
    let mut link = redis.link().await;
    let life = link.beat("first").await.unwrap();
    assert_eq!((life.name.as_str(), life.is_learning), ("first", true));
    let mut model = Exchange::default();
    model.greet(life.now);
    let fast = |_| Measure::Rolling {
        amount: 1_000,
        microseconds: 1_000_000,
    };
    // While it learns, and then.
    let granted = compare(&mut link, (1, 0), fast, &mut model).await;
    assert_eq!(granted, 0);
    grown_up(&mut link).await;
    for measure in [1, 17, 1_000_003] {
        let window = |_| Measure::Rolling {
            amount: 700,
            microseconds: measure * 1_000,
        };
        let granted = compare(&mut link, (2, measure.into()), window, &mut model).await;
        assert!(granted > 300, "{granted} in {measure}");
    }
}

#[tokio::test]
async fn windows_follow_one_another() {
    let Some(redis) = Redis::start("windows") else {
        return;
    };
    let mut link = redis.link().await;
    let life = link.beat("first").await.unwrap();
    let mut model = Exchange::default();
    model.greet(life.now);
    grown_up(&mut link).await;
    // Of fifty milliseconds each.
    const WINDOW: i64 = 50_000;
    let calendar = |now: i64| Measure::Calendar {
        start: now / WINDOW * WINDOW,
        end: (now / WINDOW + 1) * WINDOW,
    };
    let granted = compare(&mut link, BUCKET, calendar, &mut model).await;
    assert!(granted > 300, "{granted}");
    let yesterday = |now: i64| Measure::Calendar {
        start: now - 2 * WINDOW,
        end: now - WINDOW,
    };
    let now = link.beat("another").await.unwrap().now;
    let (lessee, ask) = ask([9; 11], yesterday(now), u64::MAX >> 12, now);
    let request = Request {
        lessee,
        bucket: BUCKET,
        ask,
    };
    let answers = link.ask(REPLICAS, &[request]).await.unwrap();
    assert_eq!(answers[0].verdict, Verdict::NotNow);
}

#[tokio::test]
async fn a_redis_that_may_forget_is_told_of() {
    let Some(redis) = Redis::start("evicts") else {
        return;
    };
    let mut link = redis.link().await;
    assert!(!link.evicts().await.unwrap());
}

#[test]
fn addresses() {
    let tls = || UpstreamTls::default().config().unwrap();
    let read = |address: &str| Place::read(address, "llm", tls());
    assert!(read("redis://127.0.0.1:6379/3").is_some());
    assert!(read("rediss://user:secret@redis.example:6380").is_some());
    assert!(read("unix:///run/redis.sock").is_some());
    assert!(read("http://redis.example").is_none());
    assert!(read("demo").is_none());
}

#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use waypost_policies::plan::draft::{Discovery, Engine, Overflow, Placement};

fn pool(saturate_queue: Option<u32>, wait_milliseconds: u64) -> Placed {
    let declared = draft::Pool {
        name: "phi".to_owned(),
        engine: Engine::Vllm,
        discovery: Discovery::Static(Vec::new()),
        placement: Placement {
            prefix: 3,
            queue: 2,
            kv_cache: 2,
            lora: 1,
            saturate_queue,
            saturate_kv_cache: None,
            wait_milliseconds,
            overflow: Overflow::Next,
            only: Vec::new(),
        },
    };
    let pool = Pool::new(&declared, vec!["gpu".to_owned()]);
    pool.update(
        ["a", "b"]
            .map(|base| Found::unlabelled(base.to_owned()))
            .to_vec(),
    );
    Placed::unattended(pool, declared.placement)
}

const ANY: Wanted<'static> = Wanted {
    chain: &[],
    tokens: 10,
    admits: &|_| true,
    rank: Rank {
        priority: 0,
        caller: 1,
    },
    patience: Duration::MAX,
};

fn in_flight(pool: &Placed) -> Vec<u32> {
    pool.pool
        .status()
        .iter()
        .map(|replica| replica.known.in_flight)
        .collect()
}

#[tokio::test]
async fn calls_spread_and_leave_nothing_behind() {
    let pool = pool(None, 0);
    let first = pool.pick(ANY, &[]).await.unwrap();
    let second = pool.pick(ANY, &[]).await.unwrap();
    assert_ne!(first.base, second.base);
    assert_eq!(in_flight(&pool), [1, 1]);
    drop((first, second));
    assert_eq!(in_flight(&pool), [0, 0]);
}

#[tokio::test]
async fn what_was_tried_is_left_out() {
    let pool = pool(None, 0);
    let first = pool.pick(ANY, &[]).await.unwrap();
    for _ in 0..4 {
        assert_ne!(pool.pick(ANY, &[first.id]).await.unwrap().id, first.id);
    }
}

#[tokio::test]
async fn a_replica_that_failed_cools_down_but_is_better_than_none() {
    let pool = pool(None, 0);
    let first = pool.pick(ANY, &[]).await.unwrap();
    let failed = first.id;
    first.failed();
    drop(first);
    for _ in 0..4 {
        let other = pool.pick(ANY, &[]).await.unwrap();
        assert_ne!(other.id, failed);
    }
    pool.pool.update(vec![Found::unlabelled(
        pool.pool
            .status()
            .iter()
            .find(|r| r.known.health != place::Health::default())
            .unwrap()
            .base
            .to_string(),
    )]);
    assert_eq!(pool.pick(ANY, &[]).await.unwrap().id, failed);
}

#[tokio::test(start_paused = true)]
async fn a_full_pool_waits_for_room_and_then_says_so() {
    let pool = Arc::new(pool(Some(1), 2_000));
    let held = (
        pool.pick(ANY, &[]).await.unwrap(),
        pool.pick(ANY, &[]).await.unwrap(),
    );
    let before = Instant::now();
    assert_eq!(pool.pick(ANY, &[]).await.unwrap_err(), Unplaced::Saturated);
    assert_eq!(before.elapsed(), Duration::from_secs(2));
    let (left, _kept) = held;
    let waiting = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { pool.pick(ANY, &[]).await.map(|picked| picked.id) }
    });
    tokio::task::yield_now().await;
    let id = left.id;
    drop(left);
    assert_eq!(waiting.await.unwrap().unwrap(), id);
}

#[tokio::test]
async fn conditions_see_labels() {
    let pool = pool(None, 0);
    let labelled = |base: &str, gpu: &str| Found {
        base: base.to_owned(),
        labels: [("gpu".to_owned(), gpu.to_owned())].into(),
    };
    pool.pool
        .update(vec![labelled("a", "a100"), labelled("b", "h100")]);
    let wanted = Wanted {
        admits: &|endpoint| {
            endpoint
                .labels
                .first()
                .is_some_and(|gpu| gpu.as_deref() == Some("h100"))
        },
        ..ANY
    };
    for _ in 0..4 {
        assert_eq!(&*pool.pick(wanted, &[]).await.unwrap().base, "b");
    }
}

#[tokio::test]
async fn replicas_that_go_are_forgotten_and_say_what_is_missing() {
    let pool = pool(None, 0);
    assert_eq!(pool.pool.missing(), None);
    let picked = pool.pick(ANY, &[]).await.unwrap();
    pool.pool.update(Vec::new());
    drop(picked);
    assert_eq!(
        pool.pool.missing().unwrap(),
        "pool `phi`: no replica found yet"
    );
    assert_eq!(pool.pick(ANY, &[]).await.unwrap_err(), Unplaced::NoReplica);
}

#[test]
fn metrics_tell_only_of_replicas_that_are_there() {
    let pool = pool(None, 0);
    let metrics = crate::metrics::Metrics::default();
    metrics.upstreams.observe(0, &pool.pool);
    assert!(metrics.text().contains(r#"replica="a""#));
    pool.pool.update(vec![Found::unlabelled("b".to_owned())]);
    metrics.upstreams.observe(0, &pool.pool);
    let text = metrics.text();
    assert!(
        !text.contains(r#"replica="a""#) && text.contains(r#"replica="b""#),
        "{text}"
    );
}

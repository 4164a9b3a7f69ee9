//! Models that are asked beside a slow one.

use std::future::Future;
use std::io;
use std::time::Duration;

use serde_json::json;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use waypost_runtime::{Ending, Receipt};

use crate::client::{Answer, get, request, send};
use crate::upstream::{Script, USAGE};
use crate::world::World;

/// Nano-dollars that the answers of the two models cost.
const CHEAP: i64 = 20_000;
const DEAR: i64 = 200_000;

/// `cheap` is hedged after fifty milliseconds, or after none worth speaking of.
async fn hedged(dollars: f64) -> World {
    World::with(|draft, _| {
        draft.tiers[0].hedge_milliseconds = 50;
        draft.quotas = vec![crate::plan::daily(dollars)];
    })
    .await
}

fn call(world: &World) -> JoinHandle<Answer> {
    let body =
        json!({"model": "auto", "stream": true, "messages": [{"role": "user", "content": "hi"}]});
    let call = request(world.address, "/v1/chat/completions", body.to_string());
    tokio::spawn(send(call))
}

/// All of an answer, in one event after the other; for nobody where a hedge has won meanwhile.
fn answer(events: &UnboundedSender<io::Result<String>>) {
    let choices =
        json!({"choices": [{"index": 0, "delta": {"content": "four"}, "finish_reason": "stop"}]});
    let text = format!(
        "data: {choices}\n\ndata: {{\"choices\":[],\"usage\":{USAGE}}}\n\ndata: [DONE]\n\n"
    );
    let _ = events.send(Ok(text));
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(10), what).await.unwrap()
}

/// What the budget counted is what the receipt says, nothing is open, and the hedge came to this.
async fn settled(world: &World, receipt: &Receipt, dollars: f64, outcome: &str) {
    let metrics = send(get(world.admin, "/metrics")).await.text;
    let hedges = format!(r#"waypost_hedges_total{{model="cheap",outcome="{outcome}"}} 1"#);
    for line in [
        &hedges,
        "waypost_reservations_open 0",
        "waypost_in_flight 0",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
    let mut lines = metrics.lines();
    let used = lines.find(|line| line.starts_with("waypost_quota_used_ratio"));
    let share: f64 = used.unwrap().rsplit(' ').next().unwrap().parse().unwrap();
    let counted = (share * dollars * 1e9).round() as i64;
    assert_eq!(counted, receipt.cost.0, "{receipt:?}");
}

#[tokio::test]
async fn the_next_answers_where_the_first_is_slow_and_the_first_is_cancelled() {
    let mut world = hedged(1.0).await;
    world.one.then(Script::Hang);
    answer(&world.two.streams());
    let answer = soon(call(&world)).await.unwrap();
    assert_eq!(answer.header("x-waypost-model"), "dear");
    assert_eq!(answer.header("x-waypost-replica"), "two");
    let cancelled = timeout(Duration::from_secs(1), world.one.ended()).await;
    assert!(cancelled.is_ok(), "the slow one works on for nobody");
    let receipt = world.receipt().await;
    assert_eq!(
        (receipt.ending, &*receipt.model),
        (Ending::Answered, "dear")
    );
    assert_eq!((receipt.attempts, receipt.tried.len()), (2, 0));
    assert!(
        receipt.cost.0 > DEAR,
        "the first had the prompt: {receipt:?}"
    );
    settled(&world, &receipt, 1.0, "won").await;
}

#[tokio::test]
async fn the_first_answers_where_it_is_quicker_after_all() {
    let mut world = hedged(1.0).await;
    let slow = world.one.streams();
    world.two.then(Script::Hang);
    let call = call(&world);
    soon(world.two.call()).await;
    answer(&slow);
    drop(slow);
    assert_eq!(soon(call).await.unwrap().header("x-waypost-model"), "cheap");
    let cancelled = timeout(Duration::from_secs(1), world.two.ended()).await;
    assert!(cancelled.is_ok(), "the other works on for nobody");
    let receipt = world.receipt().await;
    assert_eq!((&*receipt.model, receipt.attempts), ("cheap", 2));
    assert!(
        receipt.cost.0 > CHEAP,
        "the other had the prompt: {receipt:?}"
    );
    settled(&world, &receipt, 1.0, "lost").await;
}

#[tokio::test]
async fn whichever_fails_the_other_is_waited_for() {
    let mut world = hedged(1.0).await;
    let (first, second) = (world.one.streams(), world.two.streams());
    let waiting = call(&world);
    soon(world.two.call()).await;
    first.send(Err(io::Error::other("gone"))).unwrap();
    answer(&second);
    drop(second);
    assert_eq!(
        soon(waiting).await.unwrap().header("x-waypost-model"),
        "dear"
    );
    let receipt = world.receipt().await;
    assert_eq!((&*receipt.tried[0].model, receipt.cost.0), ("cheap", DEAR));
    settled(&world, &receipt, 1.0, "won").await;

    let mut world = hedged(1.0).await;
    let first = world.one.streams();
    world.two.fails(500);
    let waiting = call(&world);
    soon(world.two.call()).await;
    while !send(get(world.admin, "/metrics"))
        .await
        .text
        .contains("waypost_upstream_errors_total{")
    {}
    answer(&first);
    drop(first);
    assert_eq!(
        soon(waiting).await.unwrap().header("x-waypost-model"),
        "cheap"
    );
    let receipt = world.receipt().await;
    assert_eq!((&*receipt.tried[0].model, receipt.cost.0), ("dear", CHEAP));
    settled(&world, &receipt, 1.0, "lost").await;
}

#[tokio::test]
async fn where_both_fail_the_caller_is_told_of_both() {
    let mut world = hedged(1.0).await;
    let first = world.one.streams();
    world.two.fails(503);
    let waiting = call(&world);
    soon(world.two.call()).await;
    first.send(Err(io::Error::other("gone"))).unwrap();
    let answer = soon(waiting).await.unwrap();
    assert_eq!(answer.error("code"), "upstream_broken");
    let tried = &answer.json()["error"]["tried"];
    assert_eq!(
        (&tried[0]["model"], &tried[1]["model"]),
        (&json!("cheap"), &json!("dear"))
    );
    let receipt = world.receipt().await;
    assert_eq!(
        (receipt.ending, receipt.attempts, receipt.cost.0),
        (Ending::Failed, 2, 0)
    );
    settled(&world, &receipt, 1.0, "failed").await;
}

#[tokio::test]
async fn nobody_is_asked_beside_one_that_is_quick_or_where_the_money_is_not_there() {
    let mut world = hedged(1.0).await;
    answer(&world.one.streams());
    assert_eq!(
        soon(call(&world)).await.unwrap().header("x-waypost-model"),
        "cheap"
    );
    assert_eq!(world.two.calls(), 0);
    // Enough for the worst case of the cheap one alone.
    let mut world = hedged(0.01).await;
    let slow = world.one.streams();
    let waiting = call(&world);
    let refused = timeout(Duration::from_millis(300), world.two.call()).await;
    assert!(refused.is_err(), "what was not reserved is not spent");
    answer(&slow);
    drop(slow);
    assert_eq!(
        soon(waiting).await.unwrap().header("x-waypost-model"),
        "cheap"
    );
    assert_eq!(world.receipt().await.cost.0, CHEAP);
}

#[tokio::test]
async fn a_caller_who_hangs_up_cancels_both_and_pays_for_both() {
    let mut world = hedged(1.0).await;
    world.one.then(Script::Hang);
    world.two.then(Script::Hang);
    let waiting = call(&world);
    soon(world.two.call()).await;
    waiting.abort();
    let both = async {
        world.one.ended().await;
        world.two.ended().await;
    };
    assert!(timeout(Duration::from_secs(1), both).await.is_ok());
    let receipt = world.receipt().await;
    assert_eq!((receipt.ending, receipt.attempts), (Ending::HungUp, 2));
    // Eleven times the price of the cheap one's prompt.
    let prompt = i64::try_from(receipt.usage.input).unwrap();
    assert_eq!(receipt.cost.0, prompt * 11_000, "{receipt:?}");
}

#[tokio::test]
async fn a_model_that_is_slow_for_everybody_is_not_hedged_for_everybody() {
    const CALLS: usize = 60;
    let mut world = hedged(100.0).await;
    let slow: Vec<_> = (0..CALLS).map(|_| world.one.streams()).collect();
    let waiting: Vec<_> = (0..CALLS).map(|_| call(&world)).collect();
    let over = r#"waypost_hedges_total{model="cheap",outcome="over-budget"}"#;
    soon(async { while !send(get(world.admin, "/metrics")).await.text.contains(over) {} }).await;
    for events in &slow {
        answer(events);
    }
    drop(slow);
    for call in waiting {
        assert_eq!(soon(call).await.unwrap().status, 200);
    }
    let hedges = world.two.calls();
    assert!((1..CALLS / 2).contains(&hedges), "{hedges} hedges");
}

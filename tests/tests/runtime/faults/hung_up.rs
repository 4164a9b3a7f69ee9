//! Clients that hang up: the upstream is cancelled within a second, and what was sent is paid for.

use std::time::Duration;

use http_body_util::BodyExt as _;
use serde_json::json;
use tokio::time::timeout;
use waypost_runtime::Ending;

use super::raw::{Raw, Reply, Then};
use super::{CHAT, MESSAGES, alone, leaves_nothing_behind};
use crate::client::{open, request, send};
use crate::wire::resident;

const WORD: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"word \"},\"finish_reason\":null}]}\n\n";

fn body(stream: bool) -> String {
    json!({"model": "auto", "max_tokens": 50, "stream": stream, "messages": [{"role": "user", "content": "hi"}]})
        .to_string()
}

#[tokio::test]
async fn the_upstream_is_cancelled_wherever_it_was() {
    let head = "200 OK\r\ncontent-type: application/json\r\ncontent-length: 100";
    let replies = [
        ("before its head", Reply::new("", Then::Hold), false),
        ("after its head", Reply::with(head, "", Then::Hold), false),
        (
            "in its body",
            Reply::with(head, "{\"choices\":", Then::Hold),
            false,
        ),
        (
            "before its first event",
            Reply::chunked(": hm\n\n", "", Then::Hold),
            true,
        ),
    ];
    for path in [CHAT, MESSAGES] {
        for (name, reply, stream) in &replies {
            let mut raw = Raw::that(reply, 1).await;
            let mut world = patient(&raw).await;
            let call = tokio::spawn(send(request(world.address, path, body(*stream))));
            raw.holds(1).await;
            while raw.calls() == 0 {
                tokio::task::yield_now().await;
            }
            call.abort();
            let closed = timeout(Duration::from_secs(1), raw.all_closed()).await;
            assert!(closed.is_ok(), "{name}: the upstream works on for nobody");
            let receipt = world.receipt().await;
            assert_eq!(
                (receipt.ending, receipt.status),
                (Ending::HungUp, 499),
                "{name}"
            );
            assert!(
                receipt.usage.input > 0 && receipt.cost.0 > 0,
                "{name}: {receipt:?}"
            );
            assert_eq!(
                raw.calls(),
                1,
                "{name}: nothing is tried for a client who left"
            );
        }
    }
}

/// Alone, and with time enough.
async fn patient(raw: &Raw) -> crate::world::World {
    super::with(raw, &["one", "two"], Duration::from_secs(60)).await
}

#[tokio::test]
async fn a_thousand_leave_in_the_middle() {
    const CLIENTS: usize = 1_000;
    let words = WORD.repeat(20);
    let mut raw = Raw::that(&Reply::chunked(&words, "", Then::Hold), CLIENTS).await;
    let mut world = super::with(&raw, &["one"], Duration::from_secs(60)).await;
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    let (tasks_before, memory_before) = (tasks(), resident());
    for path in [CHAT, MESSAGES] {
        for _ in 0..CLIENTS / 100 {
            let calls: Vec<_> = (0..50)
                .map(|_| tokio::spawn(open(request(world.address, path, body(true)))))
                .collect();
            let mut answers = Vec::new();
            for call in calls {
                let mut answer = call.await.unwrap();
                answer.frame().await.unwrap().unwrap();
                answers.push(answer);
            }
            drop(answers);
        }
    }
    leaves_nothing_behind(&world, &mut raw).await;
    for _ in 0..CLIENTS {
        let receipt = world.receipt().await;
        assert_eq!(receipt.ending, Ending::HungUp);
        assert!(
            receipt.estimated && receipt.usage.output >= 20,
            "{receipt:?}"
        );
    }
    let settled = timeout(Duration::from_secs(2), async {
        while tasks() > tasks_before + 4 {
            tokio::task::yield_now().await;
        }
    });
    assert!(
        settled.await.is_ok(),
        "{} tasks, {tasks_before} before",
        tasks()
    );
    let grown = resident().saturating_sub(memory_before);
    assert!(grown < 64 << 20, "{grown} bytes more than before");
}

#[tokio::test]
async fn a_client_who_closes_after_the_last_event_has_not_hung_up() {
    let stop = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    let raw = Raw::that(&Reply::chunked(format!("{WORD}{stop}"), "", Then::Hold), 1).await;
    let mut world = alone(&raw).await;
    let mut answer = open(request(world.address, CHAT, body(true))).await;
    let mut text = Vec::new();
    while !text.ends_with(b"[DONE]\n\n") {
        let frame = answer.frame().await.unwrap().unwrap();
        text.extend_from_slice(&frame.into_data().unwrap());
    }
    drop(answer);
    assert_eq!(world.receipt().await.ending, Ending::Answered);
}

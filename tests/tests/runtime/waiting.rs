//! Calls that wait for a replica: who is served first, and who is sent away.

use std::future::Future;
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use waypost_policies::plan::Draft;
use waypost_policies::plan::draft::{Discovery, Engine, Overflow, Placement, Pool, Priority, Via};
use waypost_policies::vm::{Field, Function, Pool as Code};

use crate::client::{Answer, get, send, with_key};
use crate::upstream::Upstream;
use crate::world::World;

const CHAT: &str = "/v1/chat/completions";
const STOP: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

/// `cheap` by a pool of one replica that takes one call at a time; a prompt that begins with `URGENT` comes first.
fn one_at_a_time(draft: &mut Draft, replica: &Upstream, overflow: Overflow) {
    let mut code = Code::default();
    let when = code.expression("urgent", crate::plan::at(50), |code| {
        code.field(Field::RequestPrompt)
            .text("URGENT")
            .call(Function::StartsWith);
    });
    code.fill(draft);
    // The other expressions went with the pool that this one replaced.
    draft.contents[0].escalations.clear();
    draft.denials.clear();
    draft.priorities = vec![Priority {
        value: 10,
        label: "urgent".to_owned(),
        when: Some(when),
        origin: crate::plan::at(50),
    }];
    draft.pools = vec![Pool {
        name: "phi".to_owned(),
        engine: Engine::Vllm,
        discovery: Discovery::Static(vec![format!("http://{}", replica.address)]),
        placement: Placement {
            prefix: 3,
            queue: 2,
            kv_cache: 2,
            lora: 0,
            saturate_queue: Some(1),
            saturate_kv_cache: None,
            wait_milliseconds: 60_000,
            overflow,
            only: Vec::new(),
        },
    }];
    draft.models[0].via = Via::Pool(0);
}

/// A world, its replica, and a call that takes the replica's one place until `free` is called.
struct Busy {
    world: World,
    replica: Upstream,
    events: tokio::sync::mpsc::UnboundedSender<std::io::Result<String>>,
    first: JoinHandle<Answer>,
}

impl Busy {
    async fn start(overflow: Overflow) -> Self {
        let mut replica = Upstream::start().await;
        let world = World::with(|draft, _| one_at_a_time(draft, &replica, overflow)).await;
        let events = replica.streams();
        let word = json!({"choices": [{"delta": {"content": "a"}}]});
        events.send(Ok(format!("data: {word}\n\n"))).unwrap();
        let body = json!({"model": "auto", "stream": true, "messages": [{"role": "user", "content": "first"}]});
        let call = with_key(world.address, CHAT, "alpha-key", body.to_string());
        let first = tokio::spawn(send(call));
        replica.call().await;
        Self {
            world,
            replica,
            events,
            first,
        }
    }

    /// Sends a call that waits.
    async fn wait(&self, key: &str, prompt: &str, waiting: usize) -> JoinHandle<Answer> {
        let body = crate::client::chat(prompt);
        let call = tokio::spawn(send(with_key(self.world.address, CHAT, key, body)));
        soon(self.waits(waiting)).await;
        call
    }

    /// Returns once so many calls wait.
    async fn waits(&self, wanted: usize) {
        let line = format!(r#"waypost_pool_waiting{{pool="phi"}} {wanted}"#);
        while !self.metrics().await.lines().any(|found| found == line) {}
    }

    async fn metrics(&self) -> String {
        send(get(self.world.admin, "/metrics")).await.text
    }

    async fn free(&mut self) {
        self.events.send(Ok(STOP.to_owned())).unwrap();
        let (sender, _) = tokio::sync::mpsc::unbounded_channel();
        self.events = sender;
        assert_eq!((&mut self.first).await.unwrap().status, 200);
    }

    /// The prompts that the replica got, in their order.
    async fn prompts(&mut self, calls: usize) -> Vec<String> {
        let mut prompts = Vec::new();
        for _ in 0..calls {
            let call = soon(self.replica.call()).await.json();
            let prompt = call["messages"][0]["content"].as_str().unwrap();
            prompts.push(prompt.to_owned());
        }
        prompts
    }
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), what).await.unwrap()
}

#[tokio::test]
async fn the_urgent_come_first_and_callers_take_turns() {
    let mut busy = Busy::start(Overflow::Next).await;
    let mut calls = Vec::new();
    for (key, prompt) in [
        ("alpha-key", "alpha 1"),
        ("alpha-key", "alpha 2"),
        ("alpha-key", "alpha 3"),
        ("sand-key", "sand 1"),
        ("sand-key", "sand 2"),
        ("alpha-key", "URGENT"),
    ] {
        calls.push(busy.wait(key, prompt, calls.len() + 1).await);
    }
    busy.free().await;
    let expected = [
        "URGENT", "sand 1", "alpha 1", "sand 2", "alpha 2", "alpha 3",
    ];
    assert_eq!(busy.prompts(6).await, expected);
    for call in calls {
        assert_eq!(call.await.unwrap().header("x-waypost-model"), "cheap");
    }
    let metrics = busy.metrics().await;
    for line in [
        r#"waypost_pool_waited_total{pool="phi",outcome="served"} 6"#,
        r#"waypost_pool_waiting{pool="phi"} 0"#,
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
}

#[tokio::test]
async fn a_full_queue_gives_the_place_of_the_last_to_whoever_comes_before_him() {
    const MOST: usize = 64;
    let mut busy = Busy::start(Overflow::Shed).await;
    let mut calls = Vec::new();
    for _ in 0..MOST {
        let call = with_key(
            busy.world.address,
            CHAT,
            "alpha-key",
            crate::client::chat("a"),
        );
        calls.push(tokio::spawn(send(call)));
    }
    soon(busy.waits(MOST)).await;
    let late = with_key(
        busy.world.address,
        CHAT,
        "alpha-key",
        crate::client::chat("b"),
    );
    let late = soon(send(late)).await;
    assert_eq!(
        (late.status.as_u16(), late.error("code")),
        (503, "saturated".to_owned())
    );
    assert_eq!(late.header("retry-after"), "1");
    let urgent = tokio::spawn(send(with_key(
        busy.world.address,
        CHAT,
        "alpha-key",
        crate::client::chat("URGENT"),
    )));
    let displaced = r#"waypost_pool_waited_total{pool="phi",outcome="displaced"} 2"#;
    soon(async { while !busy.metrics().await.contains(displaced) {} }).await;
    busy.free().await;
    assert_eq!(soon(urgent).await.unwrap().status, 200);
    assert_eq!(busy.prompts(1).await, ["URGENT"]);
    let mut statuses = Vec::new();
    for call in calls {
        statuses.push(soon(call).await.unwrap().status.as_u16());
    }
    statuses.sort_unstable();
    assert_eq!((statuses[MOST - 2], statuses[MOST - 1]), (200, 503));
}

#[tokio::test]
async fn whoever_hangs_up_or_runs_out_of_time_leaves_the_queue() {
    let mut busy = Busy::start(Overflow::Shed).await;
    let gone = busy.wait("alpha-key", "URGENT gone", 1).await;
    let patient = busy.wait("alpha-key", "patient", 2).await;
    let mut hasty = with_key(
        busy.world.address,
        CHAT,
        "alpha-key",
        crate::client::chat("hasty"),
    );
    hasty
        .headers_mut()
        .insert("x-request-timeout", "100ms".parse().unwrap());
    assert_eq!(soon(send(hasty)).await.status, 503);
    gone.abort();
    soon(busy.waits(1)).await;
    busy.free().await;
    assert_eq!(busy.prompts(1).await, ["patient"]);
    assert_eq!(soon(patient).await.unwrap().status, 200);
}

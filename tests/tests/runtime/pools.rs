//! Replicas of a pool.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http_body_util::Full;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use waypost_policies::plan::Draft;
use waypost_policies::plan::draft::{Discovery, Engine, Overflow, Placement, Pool, Via};
use waypost_policies::vm::{Function, Map, Pool as Code};
use waypost_runtime::Cluster;

use crate::client::{get, send};
use crate::upstream::{Script, Upstream};
use crate::world::World;

/// `cheap` by a pool instead of a provider.
fn pooled(draft: &mut Draft, discovery: Discovery) {
    draft.pools = vec![Pool {
        name: "phi".to_owned(),
        engine: Engine::Vllm,
        discovery,
        placement: Placement {
            prefix: 3,
            queue: 2,
            kv_cache: 2,
            lora: 1,
            saturate_queue: None,
            saturate_kv_cache: None,
            wait_milliseconds: 50,
            overflow: Overflow::Next,
            only: Vec::new(),
        },
    }];
    draft.models[0].via = Via::Pool(0);
}

fn endpoints(upstreams: &[&Upstream]) -> Discovery {
    Discovery::Static(
        upstreams
            .iter()
            .map(|upstream| format!("http://{}", upstream.address))
            .collect(),
    )
}

#[tokio::test]
async fn a_replica_answers_without_credentials() {
    let mut replica = Upstream::start().await;
    let world = World::with(|draft, _| pooled(draft, endpoints(&[&replica]))).await;
    let answer = world.ask("hi").await;
    assert_eq!(
        answer.header("x-waypost-replica"),
        format!("http://{}", replica.address)
    );
    let call = replica.call().await;
    assert_eq!(
        (&*call.path, &call.json()["model"]),
        ("/v1/chat/completions", &json!("cheap-upstream"))
    );
    assert!(!call.headers.contains_key("authorization"));
}

#[tokio::test]
async fn another_replica_is_asked_before_another_model() {
    let (broken, well) = (Upstream::start().await, Upstream::start().await);
    for upstream in [&broken, &well] {
        upstream.fails(503);
    }
    let mut world = World::with(|draft, _| {
        pooled(draft, endpoints(&[&broken, &well]));
        draft.tiers[0].retries = 2;
    })
    .await;
    let answer = world.ask("hi").await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("x-waypost-model")),
        (200, "cheap")
    );
    assert_eq!(world.two.calls(), 0);
    assert_eq!(world.receipt().await.attempts, 3);
}

#[tokio::test]
async fn a_replica_that_asks_for_a_pause_gets_it() {
    let (mut first, mut second) = (Upstream::start().await, Upstream::start().await);
    let mut world = World::with(|draft, _| {
        pooled(draft, endpoints(&[&first, &second]));
        draft.tiers[0].retries = 1;
    })
    .await;
    for replica in [&first, &second] {
        replica.then(Script::Whole(
            StatusCode::TOO_MANY_REQUESTS,
            vec![("retry-after-ms", "60000")],
            "{}".to_owned(),
        ));
    }
    for _ in 0..3 {
        assert_eq!(world.ask("hi").await.header("x-waypost-model"), "dear");
    }
    let asked = first.calls() + second.calls();
    assert!(asked <= 2, "{asked} calls to replicas that want none");
    let last = world.receipt().await;
    assert!(!last.tried.is_empty(), "{last:?}");
}

#[tokio::test]
async fn a_replica_that_was_tried_is_not_asked_again_though_it_has_the_prefix() {
    let (mut first, mut second) = (Upstream::start().await, Upstream::start().await);
    for upstream in [&first, &second] {
        let error = "data: {\"error\":{\"message\":\"overloaded\"}}\n\n";
        upstream.streams().send(Ok(error.to_owned())).unwrap();
    }
    let world = World::with(|draft, _| {
        pooled(draft, endpoints(&[&first, &second]));
        draft.tiers[0].retries = 1;
    })
    .await;
    let prompt = "the same long beginning ".repeat(40);
    let body =
        json!({"model": "auto", "stream": true, "messages": [{"role": "user", "content": prompt}]});
    let answer = world.chat(body.to_string()).await;
    assert_eq!(answer.header("x-waypost-model"), "dear");
    assert_eq!((first.calls(), second.calls()), (1, 1));
}

#[tokio::test]
async fn a_warm_prefix_finds_its_replica_again() {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let world = World::with(|draft, _| pooled(draft, endpoints(&[&first, &second]))).await;
    let prompt = "the same long beginning ".repeat(40);
    let replica = world
        .ask(&prompt)
        .await
        .header("x-waypost-replica")
        .to_owned();
    for turn in 0..4 {
        let answer = world.ask(&format!("{prompt}{turn}")).await;
        assert_eq!(answer.header("x-waypost-replica"), replica);
    }
}

#[tokio::test]
async fn a_pool_without_replicas_is_not_ready_and_its_model_is_passed_over() {
    let world = World::with(|draft, settings| {
        pooled(
            draft,
            Discovery::Static(vec!["http://127.0.0.1:9".to_owned()]),
        );
        settings
            .upstreams
            .pools
            .insert("phi".to_owned(), Vec::new());
    })
    .await;
    let ready = send(get(world.admin, "/readyz")).await;
    assert_eq!(ready.status, 503);
    assert_eq!(
        ready.json()["missing"],
        json!(["pool `phi`: no replica found yet"])
    );
    assert_eq!(world.ask("hi").await.header("x-waypost-model"), "dear");
}

#[tokio::test]
async fn a_replica_that_says_it_is_full_is_left_alone() {
    let (mut full, mut idle) = (Upstream::start().await, Upstream::start().await);
    full.says("vllm:num_requests_waiting{model_name=\"m\"} 9\nvllm:kv_cache_usage_perc 0.99\n");
    idle.says("vllm:num_requests_waiting{model_name=\"m\"} 0\nvllm:kv_cache_usage_perc 0.01\n");
    let world = World::with(|draft, _| {
        pooled(draft, endpoints(&[&full, &idle]));
        draft.pools[0].placement.saturate_queue = Some(5);
    })
    .await;
    let scraped = |metrics: &str, queue: &str| {
        let mut lines = metrics
            .lines()
            .filter(|line| line.starts_with("waypost_replica_queue{"));
        lines.any(|line| line.ends_with(queue))
    };
    loop {
        let metrics = send(get(world.admin, "/metrics")).await.text;
        if scraped(&metrics, " 9") && scraped(&metrics, " 0") {
            break;
        }
    }
    for turn in 0..6 {
        assert_eq!(world.ask(&turn.to_string()).await.status, 200);
    }
    assert_eq!((full.calls(), idle.calls()), (0, 6));
}

#[tokio::test]
async fn a_name_is_resolved_to_its_replicas() {
    let mut replica = Upstream::start().await;
    let name = format!("localhost:{}", replica.address.port());
    let world = World::with(|draft, _| {
        pooled(draft, Discovery::Dns(name));
        draft.tiers[0].retries = 1;
    })
    .await;
    // Where `localhost` is ::1 as well, nobody listens there: the other one is asked.
    assert_eq!(world.ask("hi").await.header("x-waypost-model"), "cheap");
    assert_eq!(replica.calls(), 1);
}

/// `only when endpoint.labels[?"gpu"].orValue("") == "h100"`
fn only_h100(draft: &mut Draft) {
    let mut code = Code::default();
    let only = code.expression("only when", crate::plan::at(50), |code| {
        code.lookup(Map::Labels, "gpu")
            .text("")
            .call(Function::OrValue);
        code.text("h100").call(Function::Equal);
    });
    code.fill(draft);
    // The other expressions went with the pool that this one replaced.
    draft.contents[0].escalations.clear();
    draft.denials.clear();
    draft.pools[0].placement.only = vec![only];
}

/// A pod: its address, whether it is ready, and whether it is going.
type PodState = (&'static str, bool, bool);

/// A cluster's API with these pods.
struct Api {
    address: SocketAddr,
    pods: Arc<Mutex<Vec<PodState>>>,
    asked: Arc<Mutex<Vec<(String, String)>>>,
    answered: Arc<Notify>,
}

async fn cluster() -> Api {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api = Api {
        address: listener.local_addr().unwrap(),
        pods: Arc::default(),
        asked: Arc::default(),
        answered: Arc::default(),
    };
    let (pods, asked, answered) = (
        Arc::clone(&api.pods),
        Arc::clone(&api.asked),
        Arc::clone(&api.answered),
    );
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (pods, asked, answered) =
                (Arc::clone(&pods), Arc::clone(&asked), Arc::clone(&answered));
            let service = service_fn(move |request: Request<hyper::body::Incoming>| {
                let key = request.headers()["authorization"]
                    .to_str()
                    .unwrap()
                    .to_owned();
                asked.lock().unwrap().push((request.uri().to_string(), key));
                let items: Vec<_> = pods.lock().unwrap().iter().map(pod).collect();
                answered.notify_one();
                async move {
                    Ok::<_, hyper::Error>(Response::new(Full::<bytes::Bytes>::from(
                        json!({"items": items}).to_string(),
                    )))
                }
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    api
}

fn pod((address, ready, going): &PodState) -> serde_json::Value {
    let ready = if *ready { "True" } else { "False" };
    let gpu = if *address == "127.0.0.4" {
        "a100"
    } else {
        "h100"
    };
    let mut pod = json!({
        "metadata": {"name": "phi-0", "labels": {"kaito.sh/workspace": "phi", "gpu": gpu}},
        "status": {"podIP": address, "conditions": [{"type": "Ready", "status": ready}]},
    });
    if *going {
        pod["metadata"]["deletionTimestamp"] = json!("2026-11-24T00:00:00Z");
    }
    pod
}

#[tokio::test]
async fn ready_pods_of_a_cluster_are_found_by_label() {
    let mut replica = Upstream::start().await;
    let api = cluster().await;
    *api.pods.lock().unwrap() = vec![
        ("127.0.0.1", true, false),
        ("127.0.0.2", false, false),
        ("127.0.0.3", true, true),
        ("127.0.0.4", true, false),
    ];
    let token = std::env::temp_dir().join(format!("waypost-token-{}", std::process::id()));
    std::fs::write(&token, "pod-token\n").unwrap();
    let world = World::with(|draft, settings| {
        let labels = vec![("kaito.sh/workspace".to_owned(), "phi".to_owned())];
        pooled(
            draft,
            Discovery::Kubernetes {
                namespace: "llm".to_owned(),
                labels,
                port: replica.address.port(),
            },
        );
        only_h100(draft);
        settings.cluster = Some(Cluster {
            api: format!("http://{}", api.address),
            token: Some(token.clone()),
            authority: None,
        });
    })
    .await;
    assert_eq!(send(get(world.admin, "/readyz")).await.status, 200);
    for _ in 0..3 {
        assert_eq!(world.ask("hi").await.header("x-waypost-model"), "cheap");
    }
    assert_eq!(replica.calls(), 3);
    let metrics = send(get(world.admin, "/metrics")).await.text;
    assert!(
        metrics.contains(r#"waypost_pool_replicas{pool="phi"} 2"#),
        "{metrics}"
    );
    let (uri, key) = api.asked.lock().unwrap()[0].clone();
    assert_eq!(key, "Bearer pod-token");
    assert_eq!(
        uri,
        "/api/v1/namespaces/llm/pods?labelSelector=kaito.sh%2Fworkspace%3Dphi"
    );
    std::fs::remove_file(token).unwrap();
}

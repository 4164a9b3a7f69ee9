//! Another plan in the place of the one that is served.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http_body_util::BodyExt as _;
use hyper::StatusCode;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use waypost_policies::plan::draft::{Amount, Draft, Window};
use waypost_policies::plan::encode;
use waypost_runtime::{PlanFile, Reload, Settings};

use crate::client::{get, open, request, send};
use crate::plan::{daily, draft, quota};
use crate::world::World;

const CHAT: &str = "/v1/chat/completions";

/// A folder of its own; it goes with its test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("waypost-reload-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn plan(&self) -> PathBuf {
        self.0.join("plan.waypost")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A plan of these files' hash, changed.
fn plan(number: u8, change: impl FnOnce(&mut Draft)) -> Vec<u8> {
    let mut draft = draft();
    draft.source_hash = [number; 32];
    change(&mut draft);
    encode(&draft)
}

fn put(path: &Path, bytes: impl AsRef<[u8]>) {
    let beside = path.with_extension("new");
    std::fs::write(&beside, bytes).unwrap();
    std::fs::rename(beside, path).unwrap();
}

/// A server of the plan in a folder, changed, and what it says of its attempts.
async fn serving(
    folder: &Folder,
    change: impl Fn(&mut Draft),
) -> (World, UnboundedReceiver<Reload>) {
    put(&folder.plan(), plan(0, &change));
    let (sender, reloads) = unbounded_channel();
    let world = World::with(|draft, settings| {
        change(draft);
        read_again(settings, folder.plan());
        settings.reloads = Some(sender);
    })
    .await;
    (world, reloads)
}

fn read_again(settings: &mut Settings, path: PathBuf) {
    settings.source = Some(Arc::new(PlanFile(path)));
}

async fn reload(world: &World) -> Value {
    let answer = send(request(world.admin, "/reload", "")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()
}

/// Everything begins at the higher tier.
fn strong(draft: &mut Draft) {
    draft.contents[0].start = 1;
}

async fn loaded(reloads: &mut UnboundedReceiver<Reload>) {
    match reloads.recv().await.unwrap() {
        Reload::Loaded { .. } => {}
        Reload::Refused(reason) => panic!("{reason}"),
    }
}

async fn refused(reloads: &mut UnboundedReceiver<Reload>) -> String {
    match reloads.recv().await.unwrap() {
        Reload::Loaded { .. } => panic!("a bad plan is served"),
        Reload::Refused(reason) => reason.to_string(),
    }
}

#[tokio::test]
async fn a_file_that_is_replaced_or_written_is_served() {
    let folder = Folder::new();
    let (world, mut reloads) = serving(&folder, |_| {}).await;
    assert_eq!(world.ask("hi").await.header("x-waypost-tier"), "weak");
    put(&folder.plan(), plan(1, strong));
    loaded(&mut reloads).await;
    assert_eq!(world.ask("hi").await.header("x-waypost-tier"), "strong");
    std::fs::write(folder.plan(), plan(2, |_| {})).unwrap();
    loaded(&mut reloads).await;
    assert_eq!(world.ask("hi").await.header("x-waypost-tier"), "weak");
}

#[cfg(unix)]
#[tokio::test]
async fn a_config_map_that_is_swapped_is_served() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new();
    let version = |name: &str, bytes: Vec<u8>| {
        std::fs::create_dir(folder.0.join(name)).unwrap();
        std::fs::write(folder.0.join(name).join("plan.waypost"), bytes).unwrap();
        symlink(name, folder.0.join("..data_tmp")).unwrap();
        std::fs::rename(folder.0.join("..data_tmp"), folder.0.join("..data")).unwrap();
    };
    version("..1", plan(0, |_| {}));
    symlink("..data/plan.waypost", folder.plan()).unwrap();
    let (sender, mut reloads) = unbounded_channel();
    let world = World::with(|_, settings| {
        read_again(settings, folder.plan());
        settings.reloads = Some(sender);
    })
    .await;
    assert_eq!(world.ask("hi").await.header("x-waypost-tier"), "weak");
    version("..2", plan(1, strong));
    loaded(&mut reloads).await;
    assert_eq!(world.ask("hi").await.header("x-waypost-tier"), "strong");
}

#[tokio::test]
async fn a_stream_ends_with_the_plan_that_it_began_with() {
    let folder = Folder::new();
    let (mut world, _reloads) = serving(&folder, |_| {}).await;
    let events = world.one.streams();
    let say = |text: &str| events.send(Ok(format!("data: {text}\n\n"))).unwrap();
    say(r#"{"choices":[{"delta":{"content":"a"}}]}"#);
    let body = r#"{"model":"auto","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
    let answer = open(request(world.address, CHAT, body)).await;
    // The new plan has another first tier, and no model `cheap` any more.
    put(
        &folder.plan(),
        plan(1, |draft| {
            draft.models[0].name = "other".to_owned();
            draft.accepts.remove(1);
            draft.tiers[0].name = "first".to_owned();
        }),
    );
    reload(&world).await;
    assert_eq!(world.ask("hi").await.header("x-waypost-tier"), "first");
    assert_eq!(&*world.receipt().await.model, "other");
    say(r#"{"choices":[{"delta":{"content":"b"}}]}"#);
    say("[DONE]");
    drop(events);
    let text = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(text.ends_with(b"data: [DONE]\n\n"));
    let receipt = world.receipt().await;
    assert_eq!((&*receipt.model, &*receipt.tier), ("cheap", "weak"));
    let metrics = send(get(world.admin, "/metrics")).await.text;
    for line in [
        r#"waypost_decisions_total{tier="first",model="other",rule="start",outcome="answered"} 1"#,
        r#"waypost_decisions_total{tier="weak",model="cheap",rule="start",outcome="answered"} 1"#,
        "waypost_in_flight 0",
        "waypost_reservations_open 0",
    ] {
        assert!(
            metrics.lines().any(|found| found == line),
            "{line}\n{metrics}"
        );
    }
}

#[tokio::test]
async fn a_call_that_is_under_way_is_charged_for_what_it_uses_where_it_counts_now() {
    let folder = Folder::new();
    let budget = |draft: &mut Draft| draft.quotas = vec![daily(1.0)];
    let (world, mut reloads) = serving(&folder, budget).await;
    let events = world.one.streams();
    let body = r#"{"model":"auto","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
    let said = r#"data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}"#;
    events.send(Ok(format!("{said}\n\n"))).unwrap();
    let answer = open(request(world.address, CHAT, body)).await;
    let used = async || {
        let spent = send(get(world.admin, "/spend")).await.json();
        let quotas = spent["quotas"].as_array().unwrap();
        let budget = quotas.iter().find(|quota| quota["quota"] == "daily budget");
        budget.unwrap()["used"].as_u64().unwrap()
    };
    let reserved = used().await;
    put(
        &folder.plan(),
        plan(1, |draft| {
            draft.quotas = vec![
                quota("calls", Amount::Requests(9), Window::Rolling(1_000)),
                daily(2.0),
            ];
        }),
    );
    loaded(&mut reloads).await;
    assert_eq!(used().await, reserved);
    let usage = r#"data: {"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}"#;
    events
        .send(Ok(format!("{usage}\n\ndata: [DONE]\n\n")))
        .unwrap();
    drop(events);
    answer.into_body().collect().await.unwrap();
    // Ten tokens at 1,000 nano-dollars and five at 2,000.
    assert_eq!(used().await, 20_000);
}

#[tokio::test]
async fn a_bad_plan_changes_nothing_and_is_told() {
    let folder = Folder::new();
    let (world, mut reloads) = serving(&folder, |_| {}).await;
    put(&folder.plan(), "no plan");
    let reason = refused(&mut reloads).await;
    assert!(reason.starts_with("plan `"), "{reason}");
    assert_eq!(world.ask("hi").await.header("x-waypost-tier"), "weak");
    let ready = send(get(world.admin, "/readyz")).await;
    assert_eq!(ready.status, StatusCode::OK);
    assert_eq!(ready.json()["refused_plan"]["error"], json!(reason));
    let metrics = send(get(world.admin, "/metrics")).await.text;
    let hash = "00".repeat(32);
    for line in [
        "waypost_plan_last_reload_successful 0".to_owned(),
        r#"waypost_reloads_total{outcome="refused"} 1"#.to_owned(),
        r#"waypost_reloads_total{outcome="loaded"} 0"#.to_owned(),
        format!(r#"waypost_plan_info{{source_hash="{hash}",compiler="test"}} 1"#),
    ] {
        assert!(
            metrics.lines().any(|found| found == line),
            "{line}\n{metrics}"
        );
    }
    // A secret that is not there is as bad as a plan that is none.
    put(
        &folder.plan(),
        plan(1, |draft| draft.secrets[0].name = "away".to_owned()),
    );
    assert!(
        refused(&mut reloads)
            .await
            .contains("secret `away` is missing")
    );
    put(&folder.plan(), plan(2, strong));
    loaded(&mut reloads).await;
    let ready = send(get(world.admin, "/readyz")).await.json();
    assert_eq!(ready, json!({"ready": true, "missing": []}));
    let metrics = send(get(world.admin, "/metrics")).await.text;
    let hash = "02".repeat(32);
    assert!(metrics.contains("waypost_plan_last_reload_successful 1"));
    assert!(metrics.contains(&format!(r#"source_hash="{hash}""#)));
    assert_eq!(metrics.matches("waypost_plan_info{").count(), 1);
}

#[tokio::test]
async fn a_server_without_a_file_says_that_it_has_none() {
    let world = World::start().await;
    let answer = send(request(world.admin, "/reload", "")).await;
    assert_eq!(
        (answer.status.as_u16(), answer.error("code")),
        (422, "plan_refused".to_owned())
    );
}

#[tokio::test]
async fn recent_calls_show_what_a_plan_changes() {
    let folder = Folder::new();
    let (world, _reloads) = serving(&folder, |_| {}).await;
    let mut ids = Vec::new();
    for prompt in ["one", "two", "HARD"] {
        let answer = world.ask(prompt).await;
        ids.push(answer.header("x-waypost-request-id").to_owned());
    }
    put(&folder.plan(), plan(1, strong));
    let told = reload(&world).await;
    let rule = |kind: &str, label: &str, line: u32| json!({"kind": kind, "label": label, "file": "test.route", "line": line});
    assert_eq!(
        told["difference"],
        json!({"calls": 3, "different": 2, "changes": [{
            "before": {"outcome": "route", "tier": "weak", "model": "cheap", "rule": rule("start", "start", 15)},
            "after": {"outcome": "route", "tier": "strong", "model": "dear", "rule": rule("start", "start", 15)},
            "calls": 2,
            "examples": [ids[1], ids[0]],
        }]})
    );
    assert_eq!(send(get(world.admin, "/reload")).await.json(), told);
    // Nothing is charged for it, and nothing of a call is shown.
    let metrics = send(get(world.admin, "/metrics")).await.text;
    assert!(metrics.contains(r#"waypost_responses_total{surface="chat",status="200"} 3"#));
    assert!(!told.to_string().contains("HARD"));
}

#[tokio::test]
async fn what_is_used_stays_used_where_the_quota_is_the_same() {
    let minutes = |count| quota("calls", Amount::Requests(count), Window::Rolling(60_000));
    let folder = Folder::new();
    let (world, _reloads) = serving(&folder, |draft| draft.quotas = vec![minutes(2)]).await;
    assert_eq!(world.ask("one").await.status, 200);
    // At another place, and of another amount.
    put(
        &folder.plan(),
        plan(1, |draft| draft.quotas = vec![daily(1.0), minutes(3)]),
    );
    reload(&world).await;
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(world.ask("again").await.status.as_u16());
    }
    assert_eq!(statuses, [200, 200, 429]);
}

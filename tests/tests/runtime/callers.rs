//! Who calls: keys that are wrong, over, taken back, changed while calls run; models that only some may use.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::timeout;
use waypost_policies::plan::draft::SecretSource;
use waypost_runtime::{Secrets, key_digest, new_key};

use crate::client::{Answer, chat, get, open, send, with_key};
use crate::world::World;

const CHAT: &str = "/v1/chat/completions";

/// A mounted secret, as a cluster keeps it: the file is a link into a folder that is a link, and only that is swapped.
struct Mounted {
    folder: TempDir,
    versions: u32,
}

impl Mounted {
    fn new(keys: &Value) -> Self {
        let mut mounted = Self {
            folder: TempDir::new().unwrap(),
            versions: 0,
        };
        std::os::unix::fs::symlink("..data/keys.json", mounted.path()).unwrap();
        mounted.swap(&keys.to_string());
        mounted
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("keys.json")
    }

    fn swap(&mut self, text: &str) {
        self.versions += 1;
        let folder: &Path = self.folder.path();
        let version = format!("..version-{}", self.versions);
        std::fs::create_dir(folder.join(&version)).unwrap();
        std::fs::write(folder.join(&version).join("keys.json"), text).unwrap();
        std::os::unix::fs::symlink(&version, folder.join("..new")).unwrap();
        std::fs::rename(folder.join("..new"), folder.join("..data")).unwrap();
    }
}

/// A world whose keys are in a file.
async fn world(mounted: &Mounted) -> World {
    let path = mounted.path().display().to_string();
    World::with(|draft, settings| {
        draft.secrets[2].source = SecretSource::File(path);
        settings.secrets = Secrets::system()
            .with("one_key", "sk-one")
            .with("two_key", "sk-two");
        settings.bounds.key_file = Duration::from_millis(1);
    })
    .await
}

async fn call(world: &World, key: &str, model: &str) -> Answer {
    let body = json!({"model": model, "messages": [{"role": "user", "content": "hi"}]});
    send(with_key(world.address, CHAT, key, body.to_string())).await
}

/// Asks until this is so.
async fn until<F: Future<Output = bool>>(mut holds: impl FnMut() -> F) {
    let ask = async { while !holds().await {} };
    timeout(Duration::from_secs(20), ask).await.unwrap();
}

fn file(entries: &[(&str, Value)]) -> Value {
    let entry = |(key, more): &(&str, Value)| {
        let mut entry = more.clone();
        entry["sha256"] = key_digest(key).into();
        entry
    };
    json!({"keys": entries.iter().map(entry).collect::<Vec<_>>()})
}

#[tokio::test]
async fn what_is_wrong_with_a_key_is_said() {
    let good = new_key().unwrap();
    let mounted = Mounted::new(&file(&[
        (&good, json!({"id": "good"})),
        ("old", json!({"expires": "2020-01-01"})),
        ("gone", json!({"revoked": "2026-01-01T00:00:00Z"})),
    ]));
    let mut world = world(&mounted).await;
    assert_eq!(call(&world, &good, "auto").await.status, 200);
    world.one.calls();
    let cut = &good[..good.len() - 1];
    for (key, words) in [
        ("old", "has expired"),
        ("gone", "was revoked"),
        ("other", "is not known here"),
        (cut, "cut off or mistyped"),
    ] {
        let answer = call(&world, key, "auto").await;
        assert_eq!(answer.status, 401);
        assert!(answer.error("message").contains(words), "{}", answer.text);
        assert_eq!(answer.error("code"), "invalid_api_key");
        assert!(key.len() < 6 || !answer.text.contains(key));
    }
    assert_eq!(world.one.calls(), 0);
}

#[tokio::test]
async fn of_two_headers_the_first_in_order_counts_and_one_twice_is_refused() {
    let mounted = Mounted::new(&file(&[
        ("a", json!({"id": "a"})),
        ("b", json!({"id": "b"})),
    ]));
    let mut world = world(&mounted).await;
    let request = |headers: &[(&str, &str)]| {
        let mut request = Request::post(format!("http://{}{CHAT}", world.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Full::from(chat("hi"))).unwrap()
    };
    let both = request(&[("x-api-key", "b"), ("authorization", "Bearer a")]);
    let masked = request(&[("x-api-key", "b"), ("authorization", "Bearer wrong")]);
    let twice = request(&[("x-api-key", "a"), ("x-api-key", "b")]);
    assert_eq!(send(both).await.status, 200);
    assert_eq!(send(masked).await.status, 401);
    assert_eq!(send(twice).await.status, 401);
    assert_eq!(&*world.receipt().await.caller, "a");
}

#[tokio::test]
async fn keys_rotate_while_calls_run() {
    let mut mounted = Mounted::new(&file(&[("old", json!({"id": "bot"}))]));
    let mut world = world(&mounted).await;
    let events = world.one.streams();
    let body =
        json!({"model": "auto", "stream": true, "messages": [{"role": "user", "content": "hi"}]});
    let delta = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n";
    events.send(Ok::<_, io::Error>(delta.to_owned())).unwrap();
    let running = open(with_key(world.address, CHAT, "old", body.to_string())).await;

    mounted
        .swap(&file(&[("old", json!({"id": "bot"})), ("new", json!({"id": "bot"}))]).to_string());
    until(async || call(&world, "new", "auto").await.status == 200).await;
    assert_eq!(call(&world, "old", "auto").await.status, 200);

    mounted.swap(&file(&[("new", json!({"id": "bot"}))]).to_string());
    until(async || call(&world, "old", "auto").await.status == 401).await;
    assert_eq!(call(&world, "new", "auto").await.status, 200);

    // Who was let in before goes on to the end.
    events.send(Ok("data: [DONE]\n\n".to_owned())).unwrap();
    drop(events);
    let rest = running.into_body().collect().await.unwrap().to_bytes();
    assert!(rest.ends_with(b"data: [DONE]\n\n"));
    assert_eq!(&*world.receipt().await.caller, "bot");
}

#[tokio::test]
async fn a_bad_file_changes_nothing_and_is_seen() {
    let mut mounted = Mounted::new(&file(&[("key", json!({}))]));
    let world = world(&mounted).await;
    let warned = async || !send(get(world.admin, "/readyz")).await.json()["warnings"].is_null();

    mounted.swap(r#"{"keys":[{"key":"very-secret","tema":"x"}]}"#);
    until(warned).await;
    let ready = send(get(world.admin, "/readyz")).await;
    assert_eq!(
        (ready.status.as_u16(), &ready.json()["ready"]),
        (200, &json!(true))
    );
    assert!(
        ready.text.contains("line 1, column") && ready.text.contains("`team`"),
        "{}",
        ready.text
    );
    assert!(!ready.text.contains("very-secret"));
    assert_eq!(call(&world, "key", "auto").await.status, 200);
    assert_eq!(call(&world, "very-secret", "auto").await.status, 401);
    let metrics = send(get(world.admin, "/metrics")).await.text;
    for line in [
        "waypost_caller_keys_current 0",
        "waypost_caller_keys 1",
        "waypost_caller_key_reloads_total{result=\"refused\"} 1",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }

    std::fs::remove_file(mounted.folder.path().join("..data")).unwrap();
    until(async || {
        send(get(world.admin, "/readyz"))
            .await
            .text
            .contains("is missing")
    })
    .await;
    assert_eq!(call(&world, "key", "auto").await.status, 200);

    mounted.swap(&file(&[("other", json!({}))]).to_string());
    until(async || call(&world, "other", "auto").await.status == 200).await;
    assert_eq!(call(&world, "key", "auto").await.status, 401);
    assert!(send(get(world.admin, "/readyz")).await.json()["warnings"].is_null());
}

#[tokio::test]
async fn a_model_that_the_key_may_not_use_is_403_with_what_it_may() {
    let mounted = Mounted::new(&file(&[
        ("cheap-only", json!({"models": ["cheap"]})),
        ("none", json!({"models": []})),
    ]));
    let mut world = world(&mounted).await;
    let answer = call(&world, "cheap-only", "dear").await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.error("code"), "model_not_allowed");
    assert_eq!(
        answer.error("message"),
        "this caller may not use the model `dear`"
    );
    assert_eq!(
        answer.error("hint"),
        "it may use `cheap`; for more, ask whoever issued the key"
    );
    assert_eq!(call(&world, "cheap-only", "cheap").await.status, 200);
    assert_eq!(call(&world, "none", "auto").await.status, 403);
    assert_eq!(world.two.calls(), 0);

    let list = |answer: Answer| {
        let models = answer.json()["data"].as_array().unwrap().clone();
        models
            .iter()
            .map(|model| model["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let mut models = with_key(world.address, "/v1/models", "cheap-only", "");
    *models.method_mut() = hyper::Method::GET;
    assert_eq!(list(send(models).await), ["auto", "cheap"]);
}

#[tokio::test]
async fn a_fallback_stays_within_the_models_of_the_key() {
    let mounted = Mounted::new(&file(&[
        ("cheap-only", json!({"models": ["cheap"]})),
        ("dear-only", json!({"models": ["de*"]})),
    ]));
    let mut world = world(&mounted).await;
    world.one.fails(400 + 29).fails(503).fails(503);
    let answer = call(&world, "cheap-only", "auto").await;
    assert!(
        answer.status.is_server_error() || answer.status == 429,
        "{}",
        answer.text
    );
    assert!(
        answer.text.contains("this caller may not use it"),
        "{}",
        answer.text
    );
    assert_eq!(world.two.calls(), 0);
    // The tier's first model is passed over for the one that the key may use.
    let other = call(&world, "dear-only", "auto").await;
    assert_eq!(
        (other.status.as_u16(), other.header("x-waypost-model")),
        (200, "dear")
    );
}

#[tokio::test]
async fn who_called_stands_in_receipts_decisions_and_metrics() {
    let who = json!({"id": "bot", "team": "payments", "agent": "refunds", "plan": "pro", "name": "Refunds"});
    let mounted = Mounted::new(&file(&[("key", who)]));
    let mut world = world(&mounted).await;
    assert_eq!(call(&world, "key", "auto").await.status, 200);
    let receipt = world.receipt().await;
    assert_eq!(
        [
            &*receipt.caller,
            &*receipt.team,
            &*receipt.agent,
            &*receipt.plan,
            &*receipt.name
        ],
        ["bot", "payments", "refunds", "pro", "Refunds"]
    );
    let decisions = send(get(world.admin, "/decisions")).await.json();
    assert_eq!(decisions["decisions"][0]["agent"], "refunds");
    let metrics = send(get(world.admin, "/metrics")).await.text;
    assert!(metrics.contains(
        "waypost_caller_calls_total{team=\"payments\",agent=\"refunds\",outcome=\"answered\"} 1"
    ));
    assert!(metrics.contains(
        "waypost_caller_tokens_total{team=\"payments\",agent=\"refunds\",type=\"output\"} 5"
    ));
}

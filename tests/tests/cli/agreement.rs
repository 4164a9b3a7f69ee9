//! `why` and the runtime decide alike: every recorded request of the example, asked of both.
//!
//! Each request meets a server of its own: `why` knows nothing of calls before it either.

use std::collections::BTreeMap;
use std::sync::Arc;

use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::header::HeaderMap;
use serde_json::{Value, json};
use waypost_runtime::{Secrets, Server, Settings};

use crate::harness::{Client, Folder, example, example_plan, example_requests, json, waypost};

/// What of a decision does not depend on when it is asked for.
fn lasting(mut document: Value) -> Value {
    for rule in document["rules"].as_array_mut().unwrap() {
        let place = rule["file"].as_str().unwrap();
        let name = place.rsplit('/').next().unwrap().to_owned();
        rule["file"] = json!(name);
        if let Some(quota) = rule["quota"].as_object_mut() {
            quota.remove("resets_ms");
        }
    }
    document
}

/// The callers of the requests, each by a key of its own name.
fn keys(requests: &[Value]) -> String {
    let callers: BTreeMap<&str, &Value> = requests
        .iter()
        .map(|request| {
            (
                request["caller"]["key"].as_str().unwrap(),
                &request["caller"],
            )
        })
        .collect();
    let entries: Vec<Value> = callers
        .into_iter()
        .map(|(key, caller)| {
            let mut entry = caller.clone();
            entry["key"] = json!(key);
            entry["id"] = json!(key);
            entry
        })
        .collect();
    json!({ "keys": entries }).to_string()
}

/// Sends a request to a server of its own; status, headers and body of the answer.
fn ask(client: &Client, keys: &str, request: &Value, path: &str) -> (u16, HeaderMap, String) {
    let mut settings = Settings::new("127.0.0.1:0".parse().unwrap());
    settings.upstreams = client.upstreams().clone();
    settings.alone = true;
    settings.secrets = Secrets::system()
        .with("caller_keys", keys)
        .with("aoai_key", "demo")
        .with("redis_url", "demo");
    client.run(async {
        let server = Server::start(Arc::new(example_plan()), settings)
            .await
            .unwrap();
        let mut message = Request::builder()
            .method("POST")
            .uri(format!("http://{}{path}", server.address()))
            .header("content-type", "application/json")
            .header("x-waypost-explain", "1")
            .header(
                "authorization",
                format!("Bearer {}", request["caller"]["key"].as_str().unwrap()),
            );
        for (name, value) in request["headers"].as_object().unwrap() {
            message = message.header(name, value.as_str().unwrap());
        }
        let message = message
            .body(Full::from(request["body"].to_string()))
            .unwrap();
        let answer = client.http().request(message).await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        server.shutdown().await;
        (status, headers, String::from_utf8(body.to_vec()).unwrap())
    })
}

#[test]
fn every_recorded_request_is_decided_alike() {
    let text = std::fs::read_to_string(example_requests()).unwrap();
    let requests: Vec<Value> = text.lines().map(json).collect();
    assert!(requests.len() >= 30);
    let (client, keys) = (Client::start(1), keys(&requests));
    let folder = Folder::new("agreement");
    for (number, request) in (1..).zip(&requests) {
        let file = folder.write("request.json", &request.to_string());
        let arguments = ["why", &example(), "--request", &file, "--format", "json"];
        let ran = waypost(&arguments);
        assert_eq!(ran.code, 0, "request {number}: {}", ran.stderr);
        let why = json(&ran.stdout);
        let path = request["path"].as_str().unwrap();
        let (status, headers, body) = ask(&client, &keys, request, path);
        assert_eq!(json!(status), why["status"], "request {number}: {body}");
        let header = |name: &str| {
            headers
                .get(name)
                .map_or("", |value| value.to_str().unwrap())
        };
        if status == 200 {
            assert_eq!(header("x-waypost-tier"), why["tier"], "request {number}");
            assert_eq!(header("x-waypost-model"), why["model"], "request {number}");
            assert_eq!(header("x-waypost-rule"), why["rule"], "request {number}");
        }
        let live = json(header("x-waypost-decision"));
        for field in [
            "decision",
            "tier",
            "model",
            "rule",
            "capped_by",
            "refused_by",
            "cost",
        ] {
            assert_eq!(live[field], why[field], "request {number}: {field}");
        }
        let (_, _, route) = ask(&client, &keys, request, "/v1/route");
        assert_eq!(lasting(json(&route)), lasting(why), "request {number}");
    }
}

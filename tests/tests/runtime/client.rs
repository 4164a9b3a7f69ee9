//! A caller.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// A member of `error`, as text.
    pub(crate) fn error(&self, member: &str) -> String {
        match &self.json()["error"][member] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

/// A request with the key of team payments.
pub(crate) fn request(
    address: SocketAddr,
    path: &str,
    body: impl Into<Bytes>,
) -> Request<Full<Bytes>> {
    with_key(address, path, "alpha-key", body)
}

pub(crate) fn with_key(
    address: SocketAddr,
    path: &str,
    key: &str,
    body: impl Into<Bytes>,
) -> Request<Full<Bytes>> {
    Request::post(format!("http://{address}{path}"))
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "application/json")
        .body(Full::new(body.into()))
        .unwrap()
}

pub(crate) fn get(address: SocketAddr, path: &str) -> Request<Full<Bytes>> {
    let mut request = request(address, path, "");
    *request.method_mut() = Method::GET;
    request
}

/// Sends a request, on a connection of its own; the answer's body is still to come.
pub(crate) async fn open(request: Request<Full<Bytes>>) -> Response<Incoming> {
    let client = Client::builder(TokioExecutor::new())
        .pool_max_idle_per_host(0)
        .build_http();
    client.request(request).await.unwrap()
}

pub(crate) async fn send(request: Request<Full<Bytes>>) -> Answer {
    let (parts, body) = open(request).await.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Answer {
        status: parts.status,
        headers: parts.headers,
        text: String::from_utf8(bytes.to_vec()).unwrap(),
    }
}

/// A chat of one message to `auto`.
pub(crate) fn chat(prompt: &str) -> String {
    serde_json::json!({"model": "auto", "messages": [{"role": "user", "content": prompt}]})
        .to_string()
}

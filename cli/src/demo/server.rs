//! The HTTP side of a simulated server: OpenAI's paths, Azure's deployment paths, `/metrics` and `/health`.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::answer::answer;
use super::chat::{Call, Reply, Shape};
use super::dialect;
use super::embeddings;
use super::engine::{Engine, Sequence};
use super::events::Events;
use super::messages;
use super::metrics::{Names, exposition};

/// Bodies larger than this are refused.
const LARGEST_BODY: usize = 64 << 20;
/// Events that wait for a slow reader before the model waits too.
const EVENT_BUFFER: usize = 8;

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// One simulated server.
#[derive(Debug)]
pub(super) struct Server {
    engine: Arc<Engine>,
    names: Names,
    /// The models it says it has.
    models: Vec<String>,
    /// Tells its answers from those of the other servers.
    number: u8,
    calls: AtomicU64,
}

impl Server {
    /// A server of `models` on `engine`.
    pub(super) fn new(
        engine: Arc<Engine>,
        names: Names,
        models: Vec<String>,
        number: u8,
    ) -> Arc<Self> {
        Arc::new(Self {
            number,
            engine,
            names,
            models,
            calls: AtomicU64::new(0),
        })
    }

    /// Serves until the task is aborted.
    pub(super) async fn serve(self: Arc<Self>, listener: TcpListener) {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                // Out of file descriptors, most likely: others must end first.
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                continue;
            };
            let server = Arc::clone(&self);
            tokio::spawn(async move {
                let service = service_fn(move |request| {
                    let server = Arc::clone(&server);
                    async move { Ok::<_, Infallible>(server.respond(request).await) }
                });
                // A client that hangs up is its own affair.
                let _ = hyper::server::conn::http1::Builder::new()
                    .timer(TokioTimer::new())
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    }

    async fn respond(self: Arc<Self>, request: Request<Incoming>) -> Response<Body> {
        let path = request.uri().path().to_owned();
        let method = request.method().clone();
        match path.as_str() {
            "/metrics" => text(exposition(&self.engine, &self.names, self.model())),
            "/health" => text("ok\n".to_owned()),
            _ if path.ends_with("/models") && method == Method::GET => document(&self.list()),
            _ if method != Method::POST => not_found(&path),
            _ if path.ends_with("/messages/count_tokens") => self.count(request).await,
            _ if path.ends_with("/embeddings") => self.embed(request).await,
            _ => match dialect::of_path(&path) {
                Some(shape) => self.complete(request, &path, shape).await,
                None => not_found(&path),
            },
        }
    }

    fn next_id(&self) -> String {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        format!("chatcmpl-demo-{}-{call}", self.number)
    }

    fn model(&self) -> &str {
        self.models.first().map_or("simulated", String::as_str)
    }

    fn list(&self) -> Value {
        let entry = |model: &String| json!({"id": model, "object": "model", "created": 0, "owned_by": "demo"});
        let models: Vec<Value> = self.models.iter().map(entry).collect();
        json!({"object": "list", "data": models})
    }

    async fn complete(
        self: Arc<Self>,
        request: Request<Incoming>,
        path: &str,
        shape: Shape,
    ) -> Response<Body> {
        let body = match read(request).await {
            Ok(body) => body,
            Err(message) => return refusal(StatusCode::PAYLOAD_TOO_LARGE, &message),
        };
        let call = match dialect::read(shape, path, &body) {
            Ok(call) => call,
            Err(message) => return refusal(StatusCode::BAD_REQUEST, &message),
        };
        let model = self.asked_model(path, &body);
        let spoken = answer(&call, &model);
        let mut sequence = self.engine.start(&call.prompt, spoken.tokens()).await;
        let reply = Reply {
            shape,
            id: self.next_id(),
            created: seconds(),
            model,
            prompt_tokens: call.prompt.tokens,
            cached_tokens: sequence.cached_tokens,
            answer: spoken,
        };
        if call.stream {
            return stream(reply, sequence, call.include_usage);
        }
        sequence.speak(reply.answer.tokens()).await;
        sequence.finish();
        document(&dialect::whole(&reply))
    }

    /// How many tokens a body of messages has.
    async fn count(self: Arc<Self>, request: Request<Incoming>) -> Response<Body> {
        let body = match read(request).await {
            Ok(body) => body,
            Err(message) => return refusal(StatusCode::PAYLOAD_TOO_LARGE, &message),
        };
        match messages::as_chat(&body).and_then(|chat| Call::read(&chat)) {
            Ok(call) => document(&json!({"input_tokens": call.prompt.tokens})),
            Err(message) => refusal(StatusCode::BAD_REQUEST, &message),
        }
    }

    /// The model that a path names, as Azure's, Google's and Amazon's do; else that of the body.
    fn asked_model(&self, path: &str, body: &[u8]) -> String {
        let deployment = dialect::model_of_path(path);
        let in_body = || {
            let body: Value = serde_json::from_slice(body).ok()?;
            body.get("model")?.as_str().map(str::to_owned)
        };
        deployment
            .or_else(in_body)
            .unwrap_or_else(|| self.model().to_owned())
    }

    async fn embed(self: Arc<Self>, request: Request<Incoming>) -> Response<Body> {
        let body = match read(request).await {
            Ok(body) => body,
            Err(message) => return refusal(StatusCode::PAYLOAD_TOO_LARGE, &message),
        };
        let call = match Call::read(&body) {
            Ok(call) => call,
            Err(message) => return refusal(StatusCode::BAD_REQUEST, &message),
        };
        let model = self.asked_model("", &body);
        let sequence = self.engine.start(&call.prompt, 0).await;
        sequence.finish();
        let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
        document(&embeddings::document(&asked, &model, call.prompt.tokens))
    }
}

/// Sends the answer token by token; the sequence ends with the reader.
fn stream(reply: Reply, mut sequence: Sequence, include_usage: bool) -> Response<Body> {
    let (sender, receiver) = mpsc::channel(EVENT_BUFFER);
    let spoken = dialect::spoken(&reply, include_usage);
    let media_type = spoken.media_type;
    tokio::spawn(async move {
        let speak = async {
            for event in spoken.opening {
                sender.send(event).await?;
            }
            for piece in spoken.pieces {
                sequence.speak(1).await;
                sender.send(piece).await?;
            }
            for event in spoken.closing {
                sender.send(event).await?;
            }
            Ok::<(), mpsc::error::SendError<Bytes>>(())
        };
        if speak.await.is_ok() {
            sequence.finish();
        }
    });
    let mut response = Response::new(Events::new(receiver).boxed_unsync());
    set(&mut response, CONTENT_TYPE, media_type);
    set(&mut response, CACHE_CONTROL, "no-cache");
    response
}

async fn read(request: Request<Incoming>) -> Result<Bytes, String> {
    let body = Limited::new(request.into_body(), LARGEST_BODY);
    let collected = body.collect().await;
    collected
        .map(http_body_util::Collected::to_bytes)
        .map_err(|error| error.to_string())
}

fn seconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |duration| duration.as_secs())
}

fn not_found(path: &str) -> Response<Body> {
    refusal(
        StatusCode::NOT_FOUND,
        &format!("the simulated server has no `{path}`"),
    )
}

fn refusal(status: StatusCode, message: &str) -> Response<Body> {
    let error =
        json!({"message": message, "type": "invalid_request_error", "param": null, "code": null});
    let mut response = document(&json!({ "error": error }));
    *response.status_mut() = status;
    response
}

fn document(value: &Value) -> Response<Body> {
    let mut response = Response::new(full(value.to_string()));
    set(&mut response, CONTENT_TYPE, "application/json");
    response
}

fn text(text: String) -> Response<Body> {
    let mut response = Response::new(full(text));
    set(&mut response, CONTENT_TYPE, "text/plain; version=0.0.4");
    response
}

fn full(text: String) -> Body {
    Full::new(Bytes::from(text)).boxed_unsync()
}

fn set(response: &mut Response<Body>, name: hyper::header::HeaderName, value: &'static str) {
    let value = hyper::header::HeaderValue::from_static(value);
    response.headers_mut().insert(name, value);
}

/// Where a server is reached.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// The last byte of 127.0.0.x.
    pub(super) host: u8,
    /// The port that the file names.
    pub(super) port: u16,
}

impl Wanted {
    /// Listens there; else on a free port of that address, else (macOS knows only 127.0.0.1) on one of 127.0.0.1.
    pub(super) async fn listen(self) -> std::io::Result<TcpListener> {
        let own = [127, 0, 0, self.host];
        for (address, port) in [(own, self.port), (own, 0)] {
            if let Ok(listener) = TcpListener::bind(SocketAddr::from((address, port))).await {
                return Ok(listener);
            }
        }
        TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }
}

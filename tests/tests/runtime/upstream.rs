//! An upstream that does what a test says, and tells what it was sent.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};
use hyper::body::{Body, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_rustls::TlsAcceptor;

type ReplyBody = UnsyncBoxBody<Bytes, io::Error>;

/// What an upstream does with one call.
pub(crate) enum Script {
    /// Answers with this.
    Whole(StatusCode, Vec<(&'static str, &'static str)>, String),
    /// Streams what comes, until the sender is dropped; an error breaks the connection.
    Stream(UnboundedReceiver<io::Result<String>>),
    /// Answers with these bytes of this media type.
    Bytes(&'static str, Bytes),
    /// Closes the connection without a word.
    Reset,
    /// Never answers.
    Hang,
}

/// A call that came.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Call {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }
}

/// An upstream on a free port; it ends with its test.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    desk: Arc<Desk>,
    calls: UnboundedReceiver<Call>,
    /// Told each time a call is over, answered or not.
    ended: UnboundedReceiver<()>,
}

/// What an upstream and its test share.
struct Desk {
    scripts: Mutex<VecDeque<Script>>,
    /// What `/metrics` says; nothing where it is empty.
    metrics: Mutex<String>,
    calls: UnboundedSender<Call>,
    ended: UnboundedSender<()>,
    connections: AtomicUsize,
}

/// What an upstream speaks, and where.
pub(crate) enum Speaks {
    Http1,
    Http2,
    /// Over TLS what its clients choose.
    Tls(TlsAcceptor),
    /// HTTP/1.1 through a file.
    File(std::path::PathBuf),
}

struct Ended(UnboundedSender<()>);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

impl Upstream {
    pub(crate) async fn start() -> Self {
        Self::speaking(Speaks::Http1).await
    }

    pub(crate) async fn speaking(speaks: Speaks) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (call, calls) = unbounded_channel();
        let (end, ended) = unbounded_channel();
        let desk = Arc::new(Desk {
            scripts: Mutex::default(),
            metrics: Mutex::default(),
            calls: call,
            ended: end,
            connections: AtomicUsize::new(0),
        });
        tokio::spawn(accept(listener, speaks, Arc::clone(&desk)));
        Self {
            address,
            desk,
            calls,
            ended,
        }
    }

    /// How many connections it has had.
    pub(crate) fn connections(&self) -> usize {
        self.desk.connections.load(Ordering::Relaxed)
    }

    /// What `/metrics` says from now on.
    pub(crate) fn says(&self, metrics: &str) {
        *self.desk.metrics.lock().unwrap() = metrics.to_owned();
    }

    /// What to do with the next calls, one after the other; with more than these it answers as usual.
    pub(crate) fn then(&self, script: Script) -> &Self {
        self.desk.scripts.lock().unwrap().push_back(script);
        self
    }

    pub(crate) fn fails(&self, status: u16) -> &Self {
        self.then(Script::Whole(
            StatusCode::from_u16(status).unwrap(),
            Vec::new(),
            json!({"error": {"message": "no"}}).to_string(),
        ))
    }

    /// Streams what is sent through this.
    pub(crate) fn streams(&self) -> UnboundedSender<io::Result<String>> {
        let (sender, receiver) = unbounded_channel();
        self.then(Script::Stream(receiver));
        sender
    }

    /// The next call.
    pub(crate) async fn call(&mut self) -> Call {
        self.calls.recv().await.unwrap()
    }

    /// How many calls came since the last look.
    pub(crate) fn calls(&mut self) -> usize {
        std::iter::from_fn(|| self.calls.try_recv().ok()).count()
    }

    pub(crate) async fn ended(&mut self) {
        self.ended.recv().await.unwrap();
    }
}

async fn accept(listener: TcpListener, speaks: Speaks, desk: Arc<Desk>) {
    if let Speaks::File(path) = speaks {
        let listener = tokio::net::UnixListener::bind(path).unwrap();
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, false, Arc::clone(&desk)));
        }
        return;
    }
    while let Ok((stream, _)) = listener.accept().await {
        let desk = Arc::clone(&desk);
        match &speaks {
            Speaks::Tls(acceptor) => {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                    serve(stream, is_http2, desk).await;
                });
            }
            speaks => {
                let is_http2 = matches!(speaks, Speaks::Http2);
                tokio::spawn(serve(stream, is_http2, desk));
            }
        }
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    is_http2: bool,
    desk: Arc<Desk>,
) {
    desk.connections.fetch_add(1, Ordering::Relaxed);
    let service = service_fn(move |request| reply(request, Arc::clone(&desk)));
    let stream = TokioIo::new(stream);
    let _ = match is_http2 {
        false => {
            let server = hyper::server::conn::http1::Builder::new();
            server.serve_connection(stream, service).await
        }
        true => {
            let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            server.serve_connection(stream, service).await
        }
    };
}

/// Ten tokens in, five out.
pub(crate) const USAGE: &str = r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}"#;

pub(crate) fn usual_answer() -> String {
    format!(
        r#"{{"id":"x","object":"chat.completion","choices":[{{"index":0,"message":{{"role":"assistant","content":"four"}},"finish_reason":"stop"}}],"usage":{USAGE}}}"#
    )
}

async fn reply(
    request: Request<Incoming>,
    desk: Arc<Desk>,
) -> Result<Response<ReplyBody>, io::Error> {
    let (parts, body) = request.into_parts();
    let bytes = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    if parts.uri.path() == "/metrics" {
        let page = desk.metrics.lock().unwrap().clone();
        return Ok(whole(StatusCode::OK, &[], page));
    }
    let ended = Ended(desk.ended.clone());
    let path = parts.uri.path_and_query().unwrap().to_string();
    let headers = parts.headers;
    let call = Call {
        path,
        headers,
        text,
    };
    desk.calls.send(call).unwrap();
    let script = desk.scripts.lock().unwrap().pop_front();
    match script {
        None => Ok(whole(StatusCode::OK, &[], usual_answer())),
        Some(Script::Whole(status, headers, text)) => Ok(whole(status, &headers, text)),
        Some(Script::Bytes(media_type, bytes)) => {
            let body = Full::new(bytes).map_err(|never: Infallible| match never {});
            Ok(Response::builder()
                .header("content-type", media_type)
                .body(body.boxed_unsync())
                .unwrap())
        }
        Some(Script::Reset) => Err(io::Error::other("reset")),
        Some(Script::Hang) => {
            let _ended = ended;
            std::future::pending().await
        }
        Some(Script::Stream(events)) => {
            let body = Events {
                events,
                _ended: ended,
            }
            .boxed_unsync();
            Ok(Response::builder()
                .header("content-type", "text/event-stream")
                .body(body)
                .unwrap())
        }
    }
}

fn whole(
    status: StatusCode,
    headers: &[(&'static str, &'static str)],
    text: String,
) -> Response<ReplyBody> {
    let body = Full::new(Bytes::from(text))
        .map_err(|never: Infallible| match never {})
        .boxed_unsync();
    let mut response = Response::builder()
        .status(status)
        .header("content-type", "application/json");
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(body).unwrap()
}

struct Events {
    events: UnboundedReceiver<io::Result<String>>,
    _ended: Ended,
}

impl Body for Events {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.events
            .poll_recv(context)
            .map(|event| event.map(|event| event.map(|text| Frame::data(Bytes::from(text)))))
    }
}

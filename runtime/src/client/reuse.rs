//! Sends again what went out on a kept connection that its server had closed.
//!
//! Invariants: a call is sent again only where not a byte of an answer came, and only from a connection that had
//! answered before: there a server's farewell and our request cross. A server that breaks a new connection has failed.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::http::Extensions;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::{Request, Response, Uri};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::{
    CaptureConnection, Connected, Connection, HttpConnector, capture_connection,
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use super::Client;

/// More kept connections than this are not tried in a row.
const MOST_STALE: usize = 16;

/// Sends a request, again where only a kept connection was at fault.
pub(crate) async fn send(
    client: &Client,
    request: Request<Full<Bytes>>,
) -> Result<Response<Incoming>, legacy::Error> {
    let mut stale = 0;
    loop {
        let mut attempt = request.clone();
        let connection = capture_connection(&mut attempt);
        let result = client.request(attempt).await;
        let answered = Answered::of(&connection);
        match result {
            Ok(response) => {
                if let Some(answered) = answered {
                    answered.0.store(true, Ordering::Relaxed);
                }
                return Ok(response);
            }
            Err(error) => {
                let kept = answered.is_some_and(|answered| answered.0.load(Ordering::Relaxed));
                stale += 1;
                if !kept || !is_silent(&error) || stale > MOST_STALE {
                    return Err(error);
                }
            }
        }
    }
}

/// Whether not a byte of an answer came: what cannot be parsed has come.
fn is_silent(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<hyper::Error>() {
            return !error.is_parse();
        }
        cause = error.source();
    }
    false
}

/// Whether a connection has answered a request.
#[derive(Debug, Clone, Default)]
struct Answered(Arc<AtomicBool>);

impl Answered {
    fn of(connection: &CaptureConnection) -> Option<Self> {
        let mut extras = Extensions::new();
        let connected = connection.connection_metadata();
        connected.as_ref()?.get_extras(&mut extras);
        extras.remove()
    }
}

/// Connects over TCP; each connection remembers whether it has answered.
#[derive(Debug, Clone)]
pub(crate) struct Remembering(pub(super) HttpConnector);

/// A connection that remembers whether it has answered.
#[derive(Debug)]
pub(crate) struct Remembered {
    stream: TokioIo<TcpStream>,
    answered: Answered,
}

type Connecting<E> = Pin<Box<dyn Future<Output = Result<Remembered, E>> + Send>>;

impl Service<Uri> for Remembering {
    type Response = Remembered;
    type Error = <HttpConnector as Service<Uri>>::Error;
    type Future = Connecting<Self::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.0.call(uri);
        Box::pin(async move {
            Ok(Remembered {
                stream: connecting.await?,
                answered: Answered::default(),
            })
        })
    }
}

impl Connection for Remembered {
    fn connected(&self) -> Connected {
        self.stream.connected().extra(self.answered.clone())
    }
}

impl Read for Remembered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl Write for Remembered {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, buffers)
    }
}

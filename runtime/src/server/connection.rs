//! One connection, from its first byte to its last.
//!
//! Invariants: whatever a client leaves undone (a handshake, a head, the reading of an answer, a call at all) has a bound;
//! once the server is told to stop, open calls are finished and no other is begun.

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::watch::Receiver;
use tokio::time::{Instant, sleep, timeout};

use super::activity::{Activity, Answer};
use super::edge::Seat;
use super::paced::Paced;
use super::socket::{Socket, Transport};
use super::unread::Connection;
use super::{Port, framing};
use crate::metrics::Connections;
use crate::reload::Current;
use crate::settings::Bounds;
use crate::{Body, admin, front};

/// What a client of HTTP/2 begins with; no method of HTTP/1.1 does.
const PREFACE: &[u8] = b"PRI";
/// How long a client gets to read the last answer before its connection goes, and how much of what it still sends is
/// read for that.
const LINGER: Duration = Duration::from_secs(1);
const LONGEST_LINGER: u64 = 4 << 20;
/// Said to a client whose head does not come.
const TIMED_OUT: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
/// Said to a client for whom there is no place.
const FULL: &str = "{\"error\":{\"message\":\"there are too many connections: try again later\",\
    \"type\":\"server_error\",\"param\":null,\"code\":\"too_many_connections\"}}";
/// How much of an answer over HTTP/2 waits for its client.
const SEND_BUFFER: usize = 64 << 10;
/// How much a client may send of one body over HTTP/2, and of all together, before it is read.
const STREAM_WINDOW: u32 = 256 << 10;
const CONNECTION_WINDOW: u32 = 1 << 20;
/// Between two looks at whether a connection of HTTP/2 rests, or one of its answers does.
const LOOK: Duration = Duration::from_secs(5);

/// What a connection is served with.
#[derive(Debug, Clone)]
pub(super) struct Host {
    pub(super) current: Arc<Current>,
    pub(super) port: Port,
    pub(super) stop: Receiver<bool>,
    pub(super) bounds: Bounds,
}

/// What a client speaks.
enum Protocol {
    Http1,
    Http2,
}

/// A client for whom there is no place is told so, and gets a moment to read it.
pub(super) async fn turn_away(mut socket: Socket) {
    let told = async {
        let length = FULL.len();
        let answer = format!(
            "HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 1\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{FULL}"
        );
        socket.write_all(answer.as_bytes()).await?;
        linger(&mut socket).await
    };
    // It may have gone already.
    let _ = timeout(LINGER, told).await;
}

/// Serves a connection until it ends.
pub(super) async fn serve(socket: Socket, peer: IpAddr, host: Host, seat: Option<Seat>) {
    let _seat = seat;
    let mut stop = host.stop.clone();
    let connection = Connection::new(socket, host.bounds.unread);
    let opened = tokio::select! {
        opened = open(connection, &host) => opened,
        _ = stop.changed() => return,
    };
    let Some((transport, opening, protocol)) = opened else {
        return;
    };
    match protocol {
        Protocol::Http1 => over_http1(transport, opening, peer, host).await,
        // Apart: what HTTP/2 needs is large, and most connections would hold the room for it in vain.
        Protocol::Http2 => Box::pin(over_http2(transport, opening, peer, host)).await,
    }
}

/// The connection as HTTP sees it, what was read of it to find out what its client speaks, and that.
async fn open(connection: Connection, host: &Host) -> Option<(Transport, Bytes, Protocol)> {
    let edge = &host.current.edge;
    let certificates = match host.port {
        Port::Front => edge.certificates.as_ref(),
        Port::Admin => None,
    };
    if let Some(certificates) = certificates {
        let handshake = Box::pin(certificates.acceptor().accept(connection));
        let stream = match timeout(host.bounds.handshake, handshake).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                edge.metrics.refused("tls");
                tracing::debug!(%error, "no handshake");
                return None;
            }
            Err(_) => {
                edge.metrics.refused("tls_timeout");
                return None;
            }
        };
        let (_, session) = stream.get_ref();
        let protocol = match session.alpn_protocol() {
            Some(b"h2") => Protocol::Http2,
            _ => Protocol::Http1,
        };
        return Some((Transport::Tls(Box::new(stream)), Bytes::new(), protocol));
    }
    let mut connection = connection;
    let opening = timeout(host.bounds.idle, first_bytes(&mut connection, host.bounds)).await;
    match opening {
        Ok(Ok(opening)) if opening.is_empty() => None,
        Ok(Ok(opening)) => {
            let protocol = match opening.starts_with(PREFACE) {
                true => Protocol::Http2,
                false => Protocol::Http1,
            };
            Some((Transport::Plain(connection), opening, protocol))
        }
        Ok(Err(_)) => None,
        Err(_) => {
            edge.metrics.refused("idle");
            None
        }
    }
}

/// As much of what a client sends first as tells what it speaks.
async fn first_bytes(connection: &mut Connection, bounds: Bounds) -> io::Result<Bytes> {
    let mut opening = BytesMut::with_capacity(64);
    connection.read_buf(&mut opening).await?;
    let rest = async {
        while opening.len() < PREFACE.len() && PREFACE.starts_with(&opening) {
            if connection.read_buf(&mut opening).await? == 0 {
                break;
            }
        }
        Ok(())
    };
    match timeout(bounds.head_time, rest).await {
        Ok(read) => read.map(|()| opening.freeze()),
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

async fn over_http1(transport: Transport, opening: Bytes, peer: IpAddr, mut host: Host) {
    let activity = Arc::new(Activity::of_one_call());
    let bounds = host.bounds;
    let head_time = Some(bounds.head_time);
    let stream = Paced::new(transport, opening, Arc::clone(&activity), head_time);
    let service = service_fn({
        let (current, port) = (Arc::clone(&host.current), host.port);
        let activity = Arc::clone(&activity);
        move |request| answer(request, peer, Arc::clone(&current), port, &activity)
    });
    let mut connection = hyper::server::conn::http1::Builder::new()
        .max_buf_size(bounds.head)
        .max_header_size(bounds.head)
        .serve_connection(TokioIo::new(stream), service);
    let mut connected = Pin::new(&mut connection);
    // Set anew when it rings, not for each call.
    let mut alarm = pin!(sleep(bounds.idle));
    let ended = loop {
        tokio::select! {
            biased;
            ended = connected.as_mut() => break ended,
            _ = host.stop.changed() => {}
            () = alarm.as_mut() => {
                let left = bounds.idle.saturating_sub(activity.idle());
                if !left.is_zero() {
                    alarm.as_mut().reset(Instant::now() + left);
                    continue;
                }
            }
        }
        connected.as_mut().graceful_shutdown();
        break connected.await;
    };
    if let Err(error) = ended {
        // Calls of a connection that breaks have been settled.
        let stream = connection.into_parts().io.into_inner();
        part(stream, &error, &host.current.edge.metrics).await;
    }
}

/// Takes leave of a client whose request could not be read.
async fn part(mut stream: Paced, error: &hyper::Error, metrics: &Connections) {
    if stream.has_half_a_head() && !error.is_parse() {
        metrics.refused("slow_head");
        let _ = stream.write_all(TIMED_OUT).await;
    } else if error.is_parse() {
        metrics.refused("malformed");
    } else {
        return;
    }
    // What is not read when a connection closes takes the answer with it.
    let _ = linger(&mut stream).await;
}

async fn over_http2(transport: Transport, opening: Bytes, peer: IpAddr, mut host: Host) {
    let activity = Arc::new(Activity::of_many_calls());
    let bounds = host.bounds;
    let stream = Paced::new(transport, opening, Arc::clone(&activity), None);
    let service = service_fn({
        let (current, port) = (Arc::clone(&host.current), host.port);
        let activity = Arc::clone(&activity);
        move |request| answer(request, peer, Arc::clone(&current), port, &activity)
    });
    let mut builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(bounds.streams)
        .max_header_list_size(u32::try_from(bounds.head).unwrap_or(u32::MAX))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let metrics = &host.current.edge.metrics;
    let mut is_closing = false;
    loop {
        tokio::select! {
            _ = connection.as_mut() => return,
            () = activity.abused() => {
                metrics.refused("rapid_reset");
                return;
            }
            _ = host.stop.changed(), if !is_closing => {
                is_closing = true;
                connection.as_mut().graceful_shutdown();
            }
            () = sleep(LOOK.min(bounds.idle).min(bounds.unread)) => {
                if activity.has_unread(bounds.unread) {
                    metrics.refused("unread");
                    return;
                }
                let idle = activity.idle();
                if idle < bounds.idle {
                    continue;
                }
                // A client that does not take its leave either.
                if idle > bounds.idle + LOOK {
                    return;
                }
                if !is_closing {
                    is_closing = true;
                    metrics.refused("idle");
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

/// Answers one request.
fn answer(
    mut request: Request<Incoming>,
    peer: IpAddr,
    current: Arc<Current>,
    port: Port,
    activity: &Arc<Activity>,
) -> impl Future<Output = Result<Response<Answer<Body>>, Infallible>> + use<> {
    let call = activity.begin();
    if call.is_ambiguous {
        request.extensions_mut().insert(framing::AmbiguousLength);
    }
    async move {
        let response = match port {
            // Once for each call: it keeps the plan that it began with.
            // Apart: a stream goes on for long after all of this is over, and would hold the room for it.
            Port::Front => Box::pin(front::serve(&current.gateway(), request, peer)).await,
            Port::Admin => admin::serve(&current, &request).await,
        };
        Ok(response.map(|body| Answer::new(body, call)))
    }
}

/// Closes our side, and reads what the client still sends for a moment.
async fn linger(
    stream: &mut (impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin),
) -> io::Result<()> {
    stream.shutdown().await?;
    let mut rest = stream.take(LONGEST_LINGER);
    let mut sink = tokio::io::sink();
    let read = tokio::io::copy(&mut rest, &mut sink);
    match timeout(LINGER, read).await {
        Ok(read) => read.map(drop),
        Err(_) => Ok(()),
    }
}

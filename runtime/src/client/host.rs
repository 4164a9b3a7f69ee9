//! The connections to one server: those of HTTP/1.1 rest in between, those of HTTP/2 are shared.
//!
//! Invariants: a connection carries a call or rests, never both; there are no more than the bound; none is used once it is
//! too old, so that a name that has moved is followed even where traffic never ceases.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::dial::{Dialer, Line};
use super::origin::{Origin, Speaks};

/// A connection of HTTP/1.1 that nobody uses is closed after this long: before servers close theirs.
const IDLE: Duration = Duration::from_secs(20);
/// One of HTTP/2, which is told when its server wants to close it.
const IDLE_SHARED: Duration = Duration::from_secs(90);
/// No call begins on a connection that is older.
const OLDEST: Duration = Duration::from_secs(300);
/// The most connections to one server.
const MOST: usize = 1024;
/// The most calls at a time on one connection of HTTP/2, whatever its server allows.
const MOST_STREAMS: usize = 100;
/// How long a connection may take to be ready again after an answer: it only has to notice.
const SETTLE: Duration = Duration::from_millis(50);
/// For how long a call waits for the connection that another call makes, before it makes its own.
const TOGETHER: Duration = Duration::from_millis(250);
/// How often, and how long for, a silent server of HTTP/2 is asked whether it is there.
const PING: Duration = Duration::from_secs(20);
const PONG: Duration = Duration::from_secs(10);
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 8 << 20;
const LARGEST_HEADERS: u32 = 64 << 10;

/// The connections to one server.
#[derive(Debug)]
pub(super) struct Host {
    origin: Origin,
    idle: Mutex<Vec<Idle>>,
    shared: Mutex<Vec<Arc<Shared>>>,
    places: Arc<Semaphore>,
    /// Told when a connection rests.
    returned: Notify,
    /// Held by who makes a connection that others may share.
    dialing: tokio::sync::Mutex<()>,
    /// Whether it speaks HTTP/2, as far as is known.
    speaks_http2: AtomicBool,
    /// Whether that is known.
    is_known: AtomicBool,
}

/// A connection of HTTP/1.1.
#[derive(Debug)]
struct Idle {
    sender: http1::SendRequest<Full<Bytes>>,
    born: Instant,
    rests: Instant,
    has_answered: bool,
}

/// A connection of HTTP/2.
#[derive(Debug)]
struct Shared {
    sender: http2::SendRequest<Full<Bytes>>,
    born: Instant,
    /// How many calls it carries, and may.
    calls: AtomicUsize,
    most: Arc<AtomicUsize>,
    has_answered: AtomicBool,
    rests: Mutex<Instant>,
}

/// A connection, for one call.
#[derive(Debug)]
pub(super) enum Lease {
    Http1 {
        sender: http1::SendRequest<Full<Bytes>>,
        born: Instant,
        host: Arc<Host>,
        has_answered: bool,
    },
    Http2(Stream),
}

/// A place on a shared connection.
#[derive(Debug)]
pub(super) struct Stream(Arc<Shared>);

impl Drop for Stream {
    fn drop(&mut self) {
        *lock(&self.0.rests) = Instant::now();
        self.0.calls.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Host {
    pub(super) fn new(origin: Origin) -> Self {
        let speaks = origin.speaks;
        Self {
            origin,
            idle: Mutex::default(),
            shared: Mutex::default(),
            places: Arc::new(Semaphore::new(MOST)),
            returned: Notify::new(),
            dialing: tokio::sync::Mutex::default(),
            speaks_http2: AtomicBool::new(speaks == Speaks::Http2),
            is_known: AtomicBool::new(speaks != Speaks::Tls),
        }
    }

    pub(super) const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// A connection for a call: one that is there, or a new one.
    pub(super) async fn lease(self: &Arc<Self>, dialer: &Dialer) -> io::Result<Lease> {
        match self.existing().await {
            Some(lease) => Ok(lease),
            // Apart: hardly any call makes a connection, and each would hold the room for it.
            None => Box::pin(self.made(dialer)).await,
        }
    }

    async fn made(self: &Arc<Self>, dialer: &Dialer) -> io::Result<Lease> {
        let may_share =
            self.speaks_http2.load(Ordering::Relaxed) || !self.is_known.load(Ordering::Relaxed);
        let _turn = match may_share {
            true => timeout(TOGETHER, self.dialing.lock()).await.ok(),
            false => None,
        };
        if may_share && let Some(lease) = self.existing().await {
            return Ok(lease);
        }
        match timeout(dialer.patience, self.place()).await {
            Ok(Ok(place)) => self.dial(dialer, place).await,
            Ok(Err(lease)) => Ok(lease),
            Err(_) => {
                let reason = format!("all {MOST} connections to it are in use");
                Err(io::Error::new(io::ErrorKind::TimedOut, reason))
            }
        }
    }

    /// A place for one more connection; or one that has become free before there was one.
    async fn place(self: &Arc<Self>) -> Result<OwnedSemaphorePermit, Lease> {
        loop {
            let returned = self.returned.notified();
            tokio::select! {
                biased;
                place = Arc::clone(&self.places).acquire_owned() => {
                    // Nobody closes it.
                    if let Ok(place) = place {
                        return Ok(place);
                    }
                }
                () = returned => {
                    if let Some(lease) = self.existing().await {
                        return Err(lease);
                    }
                }
            }
        }
    }

    async fn existing(self: &Arc<Self>) -> Option<Lease> {
        if let Some(stream) = self.stream() {
            return Some(Lease::Http2(stream));
        }
        loop {
            let mut idle = lock(&self.idle).pop()?;
            if !idle.is_good(Instant::now()) {
                continue;
            }
            // At once, mostly.
            let is_ready = idle.sender.is_ready()
                || matches!(timeout(SETTLE, idle.sender.ready()).await, Ok(Ok(())));
            if is_ready {
                return Some(Lease::Http1 {
                    sender: idle.sender,
                    born: idle.born,
                    host: Arc::clone(self),
                    has_answered: idle.has_answered,
                });
            }
        }
    }

    /// A place on the shared connection that has most calls and room for more: so others come to rest.
    fn stream(&self) -> Option<Stream> {
        if !self.speaks_http2.load(Ordering::Relaxed) {
            return None;
        }
        let shared = lock(&self.shared);
        let load = |shared: &Shared| shared.calls.load(Ordering::Relaxed);
        let fit = shared.iter().filter(|shared| {
            shared.is_good() && load(shared) < shared.most.load(Ordering::Relaxed)
        });
        let chosen = Arc::clone(fit.max_by_key(|shared| load(shared))?);
        chosen.calls.fetch_add(1, Ordering::Relaxed);
        Some(Stream(chosen))
    }

    async fn dial(
        self: &Arc<Self>,
        dialer: &Dialer,
        place: OwnedSemaphorePermit,
    ) -> io::Result<Lease> {
        let (line, speaks_http2) = dialer.dial(&self.origin).await?;
        self.speaks_http2.store(speaks_http2, Ordering::Relaxed);
        self.is_known.store(true, Ordering::Relaxed);
        match speaks_http2 {
            true => self.share(line, place).await.map(Lease::Http2),
            false => self.own(line, place).await,
        }
    }

    async fn own(self: &Arc<Self>, line: Line, place: OwnedSemaphorePermit) -> io::Result<Lease> {
        let (sender, connection) = http1::handshake(TokioIo::new(line))
            .await
            .map_err(io::Error::other)?;
        tokio::spawn(async move {
            let _place = place;
            // Whoever waits for an answer is told.
            let _ = connection.await;
        });
        Ok(Lease::Http1 {
            sender,
            born: Instant::now(),
            host: Arc::clone(self),
            has_answered: false,
        })
    }

    async fn share(&self, line: Line, place: OwnedSemaphorePermit) -> io::Result<Stream> {
        let (sender, mut connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(PING)
            .keep_alive_timeout(PONG)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(LARGEST_HEADERS)
            .handshake(TokioIo::new(line))
            .await
            .map_err(io::Error::other)?;
        let most = Arc::new(AtomicUsize::new(MOST_STREAMS));
        let told = Arc::clone(&most);
        tokio::spawn(async move {
            let _place = place;
            // Whoever waits for an answer is told.
            let _ = std::future::poll_fn(|cx| {
                let allowed = connection.current_max_send_streams();
                told.store(allowed.clamp(1, MOST_STREAMS), Ordering::Relaxed);
                Pin::new(&mut connection).poll(cx)
            })
            .await;
        });
        let shared = Arc::new(Shared {
            sender,
            born: Instant::now(),
            calls: AtomicUsize::new(1),
            most,
            has_answered: AtomicBool::new(false),
            rests: Mutex::new(Instant::now()),
        });
        lock(&self.shared).push(Arc::clone(&shared));
        Ok(Stream(shared))
    }

    /// Closes what nobody uses any more; tells whether anything is left.
    pub(super) fn tidy(&self) -> bool {
        let now = Instant::now();
        let mut idle = lock(&self.idle);
        idle.retain(|idle| idle.is_good(now));
        let mut shared = lock(&self.shared);
        shared.retain(|shared| {
            let is_used = shared.calls.load(Ordering::Relaxed) > 0;
            shared.is_good() && (is_used || lock(&shared.rests).elapsed() < IDLE_SHARED)
        });
        !idle.is_empty() || !shared.is_empty()
    }
}

impl Idle {
    /// Whether another call may begin on it.
    fn is_good(&self, now: Instant) -> bool {
        !self.sender.is_closed() && now - self.rests < IDLE && now - self.born < OLDEST
    }
}

impl Shared {
    /// Whether another call may begin on it.
    fn is_good(&self) -> bool {
        !self.sender.is_closed() && self.born.elapsed() < OLDEST
    }
}

impl Lease {
    /// Whether it has answered a call before.
    pub(super) fn has_answered(&self) -> bool {
        match self {
            Self::Http1 { has_answered, .. } => *has_answered,
            Self::Http2(stream) => stream.0.has_answered.load(Ordering::Relaxed),
        }
    }

    pub(super) const fn is_http2(&self) -> bool {
        matches!(self, Self::Http2(_))
    }

    pub(super) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> hyper::Result<Response<Incoming>> {
        match self {
            Self::Http1 {
                sender,
                has_answered,
                ..
            } => {
                let response = sender.send_request(request).await?;
                *has_answered = true;
                Ok(response)
            }
            Self::Http2(stream) => {
                let response = stream.0.sender.clone().send_request(request).await?;
                stream.0.has_answered.store(true, Ordering::Relaxed);
                Ok(response)
            }
        }
    }

    /// Nothing is to be read from it any more.
    pub(super) fn give_back(self) {
        let Self::Http1 {
            sender,
            born,
            host,
            has_answered,
        } = self
        else {
            return;
        };
        let rests = Instant::now();
        if sender.is_closed() || rests - born >= OLDEST {
            return;
        }
        lock(&host.idle).push(Idle {
            sender,
            born,
            rests,
            has_answered,
        });
        host.returned.notify_one();
    }
}

/// What a panic leaves behind is whole: lists and instants.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! The HTTP client that speaks to upstreams, replicas and the cluster: HTTP/1.1 and HTTP/2, over TCP, TLS and files.
//!
//! Invariants: a call is sent again only where not a byte of an answer came, and only from a connection that had
//! answered before: there a server's farewell and our request cross. A server that breaks a new connection has failed. Over
//! HTTP/2, where many calls share a connection, the server must have said that it has not begun with this one.

mod answer;
mod dial;
mod host;
mod origin;
mod resolve;
mod trust;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{HOST, HeaderValue};
use hyper::http::uri::{PathAndQuery, Scheme};
use hyper::{Request, Response, Uri};
use tokio::runtime::Handle;
use tokio::time::sleep;

pub(crate) use answer::Answer;
pub(crate) use origin::base_url;
pub use trust::UpstreamTls;

use crate::worker;
use dial::Dialer;
use host::Host;
use origin::{Origin, Place, Speaks};

/// More kept connections than this are not tried in a row.
const MOST_STALE: usize = 16;
/// Between two looks for connections that nobody uses.
const TIDY: Duration = Duration::from_secs(5);

/// Why a client cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The TLS library refused its own defaults.
    #[error("tls: {0}")]
    Tls(#[from] rustls::Error),
    /// A file of TLS.
    #[error("{what} `{path}`: {reason}")]
    File {
        /// What it is.
        what: &'static str,
        /// Where it was looked for.
        path: String,
        /// Why it cannot be used.
        reason: String,
    },
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    #[error("no connection")]
    Connect(#[source] std::io::Error),
    #[error("the connection broke")]
    Broken(#[source] hyper::Error),
    #[error("`{0}` is no address of a server")]
    Address(Uri),
}

impl SendError {
    pub(crate) const fn is_connect(&self) -> bool {
        matches!(self, Self::Connect(_))
    }
}

/// An HTTP client. Clones share their connections.
#[derive(Debug, Clone)]
pub(crate) struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    dialer: Dialer,
    hosts: Mutex<HashMap<Origin, Arc<Host>>>,
    /// Addresses that were asked lately: reading one takes longer than finding it.
    targets: Mutex<HashMap<String, Arc<Target>>>,
}

/// Where requests for one address go, and what their server is told of it.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) uri: Uri,
    host: Arc<Host>,
    authority: HeaderValue,
    path: PathAndQuery,
}

/// A client for each thread that answers calls, and one for all others: connections are kept where they are used.
#[derive(Debug, Clone)]
pub(crate) struct Clients {
    of_workers: Arc<[Client]>,
    of_others: Client,
    /// Those threads, once there are any.
    workers: Arc<OnceLock<Vec<Handle>>>,
}

impl Clients {
    /// Clients for upstreams.
    pub(crate) fn public(
        tls: &UpstreamTls,
        connect: Duration,
        workers: usize,
    ) -> Result<Self, ClientError> {
        let of_workers = (0..workers).map(|_| public(tls, connect));
        Ok(Self {
            of_workers: of_workers.collect::<Result<_, _>>()?,
            of_others: public(tls, connect)?,
            workers: Arc::default(),
        })
    }

    /// That of this thread.
    pub(crate) fn here(&self) -> &Client {
        let of_this = worker::here()
            .checked_sub(1)
            .and_then(|number| self.of_workers.get(number));
        of_this.unwrap_or(&self.of_others)
    }

    /// These are the threads that answer calls.
    pub(crate) fn live_on(&self, workers: Vec<Handle>) {
        // A server has its threads for as long as it runs: nobody says this twice.
        let _ = self.workers.set(workers);
    }

    /// From now on, new connections go by these files.
    pub(crate) fn trust(&self, tls: &UpstreamTls) -> Result<(), ClientError> {
        let mut all = self.of_workers.iter().chain([&self.of_others]);
        all.try_for_each(|client| client.trust(tls))
    }

    /// Makes connections before anybody needs them: one for each thread that answers calls.
    pub(crate) fn warm(&self, address: &str) {
        let workers = self.workers.get().into_iter().flatten();
        for (worker, client) in workers.zip(self.of_workers.iter().cloned()) {
            let address = address.to_owned();
            worker.spawn(async move { client.warm(&address).await });
        }
    }
}

/// A client for upstreams.
pub(crate) fn public(tls: &UpstreamTls, connect: Duration) -> Result<Client, ClientError> {
    Ok(Client::new(Dialer::new(tls.config()?, connect)))
}

/// A client that trusts one authority: a cluster's.
pub(crate) fn trusting(authority: &Path, connect: Duration) -> Result<Client, ClientError> {
    Ok(Client::new(Dialer::new(
        trust::trusting(authority)?,
        connect,
    )))
}

/// Sends a request to where its URI says.
pub(crate) async fn send(
    client: &Client,
    request: Request<Full<Bytes>>,
) -> Result<Response<Answer>, SendError> {
    match client.target_of(request.uri()) {
        Some(target) => send_to(client, &target, request).await,
        None => Err(SendError::Address(request.uri().clone())),
    }
}

/// Sends a request, again where only a kept connection was at fault.
pub(crate) async fn send_to(
    client: &Client,
    target: &Target,
    mut request: Request<Full<Bytes>>,
) -> Result<Response<Answer>, SendError> {
    let mut is_addressed = None;
    let mut stale = 0;
    loop {
        let lease = target.host.lease(&client.0.dialer).await;
        let mut lease = lease.map_err(SendError::Connect)?;
        let (is_http2, is_kept) = (lease.is_http2(), lease.has_answered());
        if is_addressed != Some(is_http2) {
            is_addressed = Some(is_http2);
            target.address(&mut request, is_http2);
        }
        let sent = lease.send(request.clone()).await;
        match sent {
            Ok(response) => return Ok(response.map(|body| Answer::new(body, lease))),
            Err(error) => {
                stale += 1;
                let is_ours = match is_http2 {
                    true => is_untouched(&error),
                    false => is_kept && !error.is_parse(),
                };
                if !is_ours || stale > MOST_STALE {
                    return Err(SendError::Broken(error));
                }
            }
        }
    }
}

impl Client {
    fn new(dialer: Dialer) -> Self {
        let inner = Arc::new(Inner {
            dialer,
            hosts: Mutex::default(),
            targets: Mutex::default(),
        });
        tokio::spawn(tidy(Arc::downgrade(&inner)));
        Self(inner)
    }

    /// From now on, new connections go by these files.
    fn trust(&self, tls: &UpstreamTls) -> Result<(), ClientError> {
        self.0.dialer.tls.store(Arc::new(tls.config()?));
        Ok(())
    }

    /// Makes a connection before anybody needs it, where that takes long: over TLS.
    async fn warm(&self, address: &str) {
        let origin = address.parse().ok().and_then(|uri| Origin::of(&uri));
        let Some(origin) = origin.filter(|origin| origin.speaks == Speaks::Tls) else {
            return;
        };
        match self.host(origin).lease(&self.0.dialer).await {
            Ok(lease) => lease.give_back(),
            // Calls will tell who is concerned.
            Err(error) => tracing::debug!(%error, address, "not connected ahead"),
        }
    }

    /// Where requests for an address go; `None` where it is none.
    pub(crate) fn target(&self, address: &str) -> Option<Arc<Target>> {
        let targets = || {
            self.0
                .targets
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(target) = targets().get(address) {
            return Some(Arc::clone(target));
        }
        let target = Arc::new(self.target_of(&address.parse().ok()?)?);
        targets().insert(address.to_owned(), Arc::clone(&target));
        Some(target)
    }

    fn target_of(&self, uri: &Uri) -> Option<Target> {
        let origin = Origin::of(uri)?;
        let authority = match &origin.place {
            Place::File(_) => "localhost",
            Place::Host(..) => uri.authority()?.as_str(),
        };
        let path = uri.path_and_query().cloned();
        Some(Target {
            authority: HeaderValue::from_str(authority).ok()?,
            path: path.unwrap_or_else(|| PathAndQuery::from_static("/")),
            host: self.host(origin),
            uri: uri.clone(),
        })
    }

    fn host(&self, origin: Origin) -> Arc<Host> {
        let mut hosts = self.0.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = hosts.get(&origin) {
            return Arc::clone(host);
        }
        let host = Arc::new(Host::new(origin.clone()));
        hosts.insert(origin, Arc::clone(&host));
        host
    }
}

/// Closes connections that nobody uses, for as long as there is a client.
async fn tidy(inner: Weak<Inner>) {
    loop {
        sleep(TIDY).await;
        let Some(inner) = inner.upgrade() else { return };
        let mut targets = inner.targets.lock().unwrap_or_else(PoisonError::into_inner);
        targets.clear();
        drop(targets);
        let mut hosts = inner.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        hosts.retain(|_, host| host.tidy() || Arc::strong_count(host) > 1);
    }
}

impl Target {
    /// Says where a request goes, as the protocol wants it said.
    fn address(&self, request: &mut Request<Full<Bytes>>, is_http2: bool) {
        if !is_http2 {
            request.headers_mut().insert(HOST, self.authority.clone());
            *request.uri_mut() = self.path.clone().into();
            return;
        }
        let origin = self.host.origin();
        let scheme = match origin.speaks {
            Speaks::Tls => Scheme::HTTPS,
            Speaks::Http1 | Speaks::Http2 => Scheme::HTTP,
        };
        let whole = Uri::builder()
            .scheme(scheme)
            .authority(self.authority.as_bytes());
        if let Ok(uri) = whole.path_and_query(self.path.clone()).build() {
            *request.uri_mut() = uri;
        }
        request.headers_mut().remove(HOST);
    }
}

/// Whether a server of HTTP/2 has said that it did nothing with a call, or never got it.
fn is_untouched(error: &hyper::Error) -> bool {
    if error.is_canceled() {
        return true;
    }
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<h2::Error>() {
            let is_refused = error.reason() == Some(h2::Reason::REFUSED_STREAM);
            return error.is_remote() && (error.is_go_away() || is_refused);
        }
        cause = error.source();
    }
    false
}

/// The innermost reason: what wraps it says only that something failed.
pub(crate) fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        cause = inner.to_string();
        source = inner.source();
    }
    cause
}

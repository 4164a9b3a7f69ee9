//! Listens, serves connections, and stops without cutting anybody off.

mod unread;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch::{Receiver, Sender, channel};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use waypost_policies::plan::Plan;

use crate::gateway::{Gateway, StartError};
use crate::reload::{Current, Difference, ReloadError, first_look, watch};
use crate::settings::Settings;
use crate::{admin, front};

/// How long a client may take to send a request's head, counted from the answer before it: longer than load balancers
/// keep connections that nobody uses, so that they close them and not we.
const HEAD_TIME: Duration = Duration::from_secs(75);
/// After an accept failed (out of file descriptors, mostly): trying again at once would fail as well.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A running server.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    admin_address: Option<SocketAddr>,
    stop: Sender<bool>,
    accepting: JoinHandle<()>,
    current: Arc<Current>,
    /// The admin port and what watches the plan's files; ended with the server.
    background: JoinSet<()>,
    drain: Duration,
}

/// Which of the two ports a connection came in on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Port {
    Front,
    Admin,
}

impl Server {
    /// Starts to serve a plan.
    ///
    /// # Errors
    ///
    /// What is missing or wrong: nothing is served then.
    pub async fn start(plan: Arc<Plan>, settings: Settings) -> Result<Self, StartError> {
        let gateway = Gateway::build(plan, &settings)?;
        if settings.demo_key {
            tracing::warn!(
                "the caller key `demo` is accepted: this is a demonstration, not production"
            );
        }
        let mut background = JoinSet::new();
        let (listener, address) = listen(settings.listen).await?;
        let (stop, stopped) = channel(false);
        first_look(&gateway).await;
        let (wanted, drain) = (settings.admin, settings.bounds.drain);
        let current = Arc::new(Current::new(gateway, settings));
        let admin_address = match wanted {
            None => None,
            Some(wanted) => {
                let (listener, address) = listen(wanted).await?;
                let accept = accept(
                    listener,
                    Arc::clone(&current),
                    Port::Admin,
                    stopped.clone(),
                    drain,
                );
                background.spawn(accept);
                Some(address)
            }
        };
        background.spawn(watch(Arc::clone(&current)));
        let accepting = tokio::spawn(accept(
            listener,
            Arc::clone(&current),
            Port::Front,
            stopped,
            drain,
        ));
        let admin = admin_address.map(tracing::field::display);
        tracing::info!(%address, admin, "serving");
        Ok(Self {
            address,
            admin_address,
            stop,
            accepting,
            current,
            background,
            drain,
        })
    }

    /// Where callers come in.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where metrics and health are served.
    #[must_use]
    pub const fn admin_address(&self) -> Option<SocketAddr> {
        self.admin_address
    }

    /// Reads the plan again and serves it, if it is sound, to calls that come from now on.
    ///
    /// # Errors
    ///
    /// Why the plan that was served before is served on.
    pub async fn reload(&self) -> Result<Arc<Difference>, Arc<ReloadError>> {
        self.current.reload().await
    }

    /// Stops: no new connections, open calls are finished, within the bound of the settings.
    pub async fn shutdown(mut self) {
        tracing::info!("stopping");
        // The receiver is the accept loop; it may have ended by itself.
        let _ = self.stop.send(true);
        let grace = self.drain.saturating_add(Duration::from_secs(1));
        if timeout(grace, &mut self.accepting).await.is_err() {
            tracing::warn!("calls were still open when the time to stop was over");
        }
        self.background.shutdown().await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |reason| StartError::Listen { address, reason };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// Takes in connections until told to stop; then waits for those that are open.
async fn accept(
    listener: TcpListener,
    current: Arc<Current>,
    port: Port,
    mut stopped: Receiver<bool>,
    drain: Duration,
) {
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => serve(stream, peer, &current, port, &graceful, &mut connections),
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    // What is still open after this is cut off when the connections are dropped.
    let _ = timeout(drain, graceful.shutdown()).await;
}

fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    current: &Arc<Current>,
    port: Port,
    graceful: &GracefulShutdown,
    connections: &mut JoinSet<()>,
) {
    // Events of a stream are small and must not wait for one another.
    let _ = stream.set_nodelay(true);
    let stream = unread::Connection::new(stream, current.gateway().bounds.unread);
    let current = Arc::clone(current);
    let service = service_fn(move |request| {
        let current = Arc::clone(&current);
        async move {
            Ok::<_, Infallible>(match port {
                // Once for each call: it keeps the plan that it began with.
                Port::Front => front::serve(&current.gateway(), request, peer.ip()).await,
                Port::Admin => admin::serve(&current, &request).await,
            })
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .serve_connection(TokioIo::new(stream), service);
    let watched = graceful.watch(connection);
    connections.spawn(async move {
        // A connection that breaks has settled its calls already.
        let _ = watched.await;
    });
}

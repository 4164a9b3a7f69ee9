//! Listens, serves connections, and stops without cutting anybody off.
//!
//! What a connection is (TCP or a file, plain or TLS, HTTP/1.1 or HTTP/2) is [`connection`]'s; this module takes them in.

mod activity;
mod address;
mod connection;
mod edge;
pub(crate) mod framing;
mod heads;
mod listener;
mod paced;
mod socket;
mod tls;
mod unread;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch::{Sender, channel};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use waypost_policies::plan::Plan;

use crate::gateway::{Gateway, StartError};
use crate::reload::{Current, Difference, ReloadError, first_look, watch};
use crate::settings::Settings;
use crate::worker::Workers;

pub use address::{Address, AddressError};
pub(crate) use edge::Edge;
pub use tls::{TlsError, TlsFiles};

use connection::Host;
use edge::Seat;
use listener::Listener;
use socket::Socket;
use tls::Certificates;

/// After an accept failed (out of file descriptors, mostly): trying again at once would fail as well.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// So many clients at a time are told that there is no place for them; more are just not served.
const MOST_TURNED_AWAY: usize = 256;

/// A running server.
#[derive(Debug)]
pub struct Server {
    address: Address,
    admin_address: Option<Address>,
    stop: Sender<bool>,
    accepting: JoinHandle<()>,
    current: Arc<Current>,
    /// The admin port and what watches files; ended with the server.
    background: JoinSet<()>,
    farewell: Duration,
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
        let edge = edge(&gateway, &settings)?;
        let workers = Workers::start(settings.workers).map_err(StartError::Threads)?;
        gateway.clients.live_on(workers.handles());
        gateway.books.serve();
        let (listener, address) = Listener::bind(&settings.listen).await?;
        let (stop, stopped) = channel(false);
        first_look(&gateway).await;
        let (wanted, bounds) = (settings.admin.clone(), settings.bounds);
        let current = Arc::new(Current::new(gateway, settings, edge));
        let host = |port| Host {
            current: Arc::clone(&current),
            port,
            stop: stopped.clone(),
            bounds,
        };
        let mut background = JoinSet::new();
        let admin_address = match wanted {
            None => None,
            Some(wanted) => {
                let (listener, address) = Listener::bind(&wanted).await?;
                background.spawn(accept_operators(listener, host(Port::Admin)));
                Some(address)
            }
        };
        background.spawn(watch(Arc::clone(&current)));
        if let Some(certificates) = &current.edge.certificates {
            background.spawn(Arc::clone(certificates).watch(bounds.key_file));
        }
        let accepting = tokio::spawn(accept(listener, host(Port::Front), workers));
        let admin = admin_address.as_ref().map(tracing::field::display);
        let tls = current.edge.certificates.is_some();
        tracing::info!(%address, tls, admin, "serving");
        Ok(Self {
            address,
            admin_address,
            stop,
            accepting,
            current,
            background,
            farewell: bounds.farewell,
            drain: bounds.drain,
        })
    }

    /// Where callers come in.
    #[must_use]
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// Where metrics and health are served.
    #[must_use]
    pub const fn admin_address(&self) -> Option<&Address> {
        self.admin_address.as_ref()
    }

    /// Reads the certificate and the plan again and serves them, if they are sound, to who comes from now on.
    ///
    /// # Errors
    ///
    /// Why the plan that was served before is served on.
    pub async fn reload(&self) -> Result<Arc<Difference>, Arc<ReloadError>> {
        if let Some(certificates) = &self.current.edge.certificates {
            certificates.reread().await;
        }
        self.current.reload().await
    }

    /// Stops: says that it is not ready, takes no new connections, and finishes open calls, within the bounds of the settings.
    pub async fn shutdown(mut self) {
        tracing::info!("stopping");
        self.current.edge.stop();
        sleep(self.farewell).await;
        // The receivers are the accept loop and its connections, which may have ended by themselves.
        let _ = self.stop.send(true);
        let grace = self.drain.saturating_add(Duration::from_secs(1));
        if timeout(grace, &mut self.accepting).await.is_err() {
            tracing::warn!("calls were still open when the time to stop was over");
        }
        if let Some(shared) = self.current.gateway().books.shared() {
            shared.finish().await;
        }
        self.background.shutdown().await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// What the ports share.
fn edge(gateway: &Gateway, settings: &Settings) -> Result<Arc<Edge>, StartError> {
    let metrics = gateway.metrics.connections.clone();
    let certificates = match settings.tls.clone() {
        Some(files) => Some(Arc::new(Certificates::read(files, metrics.clone())?)),
        None => None,
    };
    let most = settings.bounds.connections;
    Ok(Arc::new(Edge::new(most, certificates, metrics)))
}

/// Takes in callers' connections until told to stop; then waits for those that are open.
async fn accept(listener: Listener, host: Host, workers: Workers) {
    let mut stop = host.stop.clone();
    let mut connections = JoinSet::new();
    let mut turned_away = JoinSet::new();
    loop {
        tokio::select! {
            _ = stop.changed() => break,
            Some(_) = connections.join_next() => {}
            Some(_) = turned_away.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((socket, peer)) => match host.current.edge.seat() {
                    Some(seat) => {
                        hand_out(socket, peer, host.clone(), seat, &workers, &mut connections);
                    }
                    None => {
                        host.current.edge.metrics.refused("too_many");
                        let speaks_tls = host.current.edge.certificates.is_some();
                        if !speaks_tls && turned_away.len() < MOST_TURNED_AWAY {
                            turned_away.spawn(connection::turn_away(socket));
                        }
                    }
                },
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    // What is still open after this is cut off when the connections are dropped.
    let rest = async { while connections.join_next().await.is_some() {} };
    let _ = timeout(host.bounds.drain, rest).await;
}

/// Gives a connection to the thread that has the fewest.
fn hand_out(
    socket: Socket,
    peer: IpAddr,
    host: Host,
    seat: Seat,
    workers: &Workers,
    connections: &mut JoinSet<()>,
) {
    // One that breaks meanwhile is nobody's loss.
    let Ok(loose) = socket.loosen() else { return };
    let Some((worker, place)) = workers.least_busy() else {
        return;
    };
    let served = async move {
        let _place = place;
        if let Ok(socket) = loose.settle() {
            connection::serve(socket, peer, host, Some(seat)).await;
        }
    };
    connections.spawn_on(served, worker);
}

/// Takes in operators' connections for ever: they see a server out.
async fn accept_operators(listener: Listener, host: Host) {
    let (_never, stop) = channel(false);
    let host = Host { stop, ..host };
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((socket, peer)) => {
                    connections.spawn(connection::serve(socket, peer, host.clone(), None));
                }
                Err(_) => sleep(ACCEPT_PAUSE).await,
            },
        }
    }
}

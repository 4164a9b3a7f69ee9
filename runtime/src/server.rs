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
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use waypost_policies::plan::Plan;
use waypost_policies::plan::draft::Discovery;

use crate::callers::watch;
use crate::client;
use crate::gateway::{Gateway, StartError};
use crate::kubernetes::{Cluster, Pods};
use crate::pool::{DiscoveryError, Found, discover, scrape};
use crate::settings::Settings;
use crate::{admin, front};

/// How long a client may take to send a request's head, counted from the answer before it: longer than load balancers
/// keep connections that nobody uses, so that they close them and not we.
const HEAD_TIME: Duration = Duration::from_secs(75);
/// After an accept failed (out of file descriptors, mostly): trying again at once would fail as well.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long the start waits for the first look at pools; those that take longer are seen in `/readyz`.
const FIRST_LOOK: Duration = Duration::from_secs(1);

/// A running server.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    admin_address: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    accepting: JoinHandle<()>,
    /// The admin port and what looks after pools; ended with the server.
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
        let gateway = Arc::new(Gateway::build(plan, &settings)?);
        if settings.demo_key {
            tracing::warn!(
                "the caller key `demo` is accepted: this is a demonstration, not production"
            );
        }
        let mut background = JoinSet::new();
        look_after_pools(&gateway, &settings, &mut background)?;
        background.spawn(watch(Arc::clone(&gateway)));
        let (listener, address) = listen(settings.listen).await?;
        let (stop, stopped) = watch::channel(false);
        let admin_address = match settings.admin {
            None => None,
            Some(wanted) => {
                let (listener, address) = listen(wanted).await?;
                let accept = accept(
                    listener,
                    Arc::clone(&gateway),
                    Port::Admin,
                    stopped.clone(),
                    settings.bounds.drain,
                );
                background.spawn(accept);
                Some(address)
            }
        };
        first_look(&gateway).await;
        let accepting = tokio::spawn(accept(
            listener,
            gateway,
            Port::Front,
            stopped,
            settings.bounds.drain,
        ));
        tracing::info!(%address, "serving");
        Ok(Self {
            address,
            admin_address,
            stop,
            accepting,
            background,
            drain: settings.bounds.drain,
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

/// Finds and scrapes the replicas of each pool, in the background.
fn look_after_pools(
    gateway: &Arc<Gateway>,
    settings: &Settings,
    tasks: &mut JoinSet<()>,
) -> Result<(), StartError> {
    let draft = gateway.plan.to_draft();
    let scraper = client::public(settings.bounds.connect)?;
    for (pool, declared) in gateway.pools.iter().zip(draft.pools) {
        let discovery = match settings.upstreams.pools.get(&pool.name) {
            Some(endpoints) => Discovery::Static(endpoints.clone()),
            None => declared.discovery,
        };
        match &discovery {
            // Written down: there from the beginning.
            Discovery::Static(bases) => pool.update(
                bases
                    .iter()
                    .map(|base| Found::unlabelled(base.clone()))
                    .collect(),
            ),
            Discovery::Dns(_) => drop(tasks.spawn(discover(Arc::clone(pool), discovery, None))),
            Discovery::Kubernetes { .. } => {
                let pods = pods(
                    &pool.name,
                    settings.cluster.as_ref(),
                    settings.bounds.connect,
                )?;
                tasks.spawn(discover(Arc::clone(pool), discovery, Some(pods)));
            }
        }
        tasks.spawn(scrape(Arc::clone(pool), scraper.clone()));
    }
    Ok(())
}

fn pods(pool: &str, cluster: Option<&Cluster>, connect: Duration) -> Result<Pods, StartError> {
    let cluster = cluster.ok_or_else(|| DiscoveryError::NoCluster(pool.to_owned()))?;
    Ok(Pods::new(cluster.clone(), connect)?)
}

/// Calls that come at once should find replicas: waits until each pool has one, but not for ever.
async fn first_look(gateway: &Gateway) {
    let all = async {
        for pool in &gateway.pools {
            pool.has_replica().await;
        }
    };
    if timeout(FIRST_LOOK, all).await.is_err() {
        for reason in gateway.missing() {
            tracing::warn!(reason, "not ready");
        }
    }
}

/// Takes in connections until told to stop; then waits for those that are open.
async fn accept(
    listener: TcpListener,
    gateway: Arc<Gateway>,
    port: Port,
    mut stopped: watch::Receiver<bool>,
    drain: Duration,
) {
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => serve(stream, peer, &gateway, port, &graceful, &mut connections),
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
    gateway: &Arc<Gateway>,
    port: Port,
    graceful: &GracefulShutdown,
    connections: &mut JoinSet<()>,
) {
    // Events of a stream are small and must not wait for one another.
    let _ = stream.set_nodelay(true);
    let stream = unread::Connection::new(stream, gateway.bounds.unread);
    let gateway = Arc::clone(gateway);
    let service = service_fn(move |request| {
        let gateway = Arc::clone(&gateway);
        async move {
            Ok::<_, Infallible>(match port {
                Port::Front => front::serve(&gateway, request, peer.ip()).await,
                Port::Admin => admin::serve(&gateway, &request),
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

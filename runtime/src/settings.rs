//! What a server needs beside its plan: addresses, bounds, where secrets are.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use crate::client::UpstreamTls;
use crate::kubernetes::Cluster;
use crate::ledger::StateStore;
use crate::receipt::Receipt;
use crate::reload::{PlanSource, Reload};
use crate::secrets::Secrets;
use crate::server::{Address, TlsFiles};
use crate::worker;

/// How a server is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where callers come in.
    pub listen: Address,
    /// What callers are shown who use TLS; without it they do not.
    pub tls: Option<TlsFiles>,
    /// Whom upstreams are believed by TLS to be, and what they are shown.
    pub upstream_tls: UpstreamTls,
    /// Where metrics, health and the last decisions are served; nowhere without it.
    pub admin: Option<Address>,
    /// How the plan's secrets are resolved.
    pub secrets: Secrets,
    /// Upstreams at other addresses than the plan's.
    pub upstreams: Overrides,
    /// Where what is used of limits and budgets is kept.
    pub state: StateStore,
    /// Whether limits and budgets are counted by this process alone, also where the plan says that replicas share them: for
    /// demonstrations.
    pub alone: bool,
    /// Whether the caller key `demo` is accepted: for demonstrations, never in production.
    pub demo_key: bool,
    /// The folder of the audit log; none is kept without it.
    pub audit: Option<PathBuf>,
    /// An address that is told of limits and budgets that are nearly used up; it may be a secret.
    pub warn_webhook: Option<String>,
    /// Gets a receipt of each call that was decided.
    pub receipts: Option<UnboundedSender<Receipt>>,
    /// Where the plan is read again from when it changes; without it a server keeps the plan that it starts with.
    pub source: Option<Arc<dyn PlanSource>>,
    /// Is told what became of each attempt to replace the plan.
    pub reloads: Option<UnboundedSender<Reload>>,
    /// The cluster whose pods are discovered; needed only by pools that select pods.
    pub cluster: Option<Cluster>,
    /// How many threads answer calls; each has connections to upstreams of its own.
    pub workers: usize,
    /// What no call may exceed.
    pub bounds: Bounds,
}

impl Settings {
    /// Callers at `listen`, secrets from the system, no admin port, state in memory.
    #[must_use]
    pub fn new(listen: Address) -> Self {
        Self {
            listen,
            tls: None,
            upstream_tls: UpstreamTls::default(),
            admin: None,
            secrets: Secrets::system(),
            upstreams: Overrides::default(),
            state: StateStore::default(),
            alone: false,
            demo_key: false,
            audit: None,
            warn_webhook: None,
            receipts: None,
            source: None,
            reloads: None,
            cluster: None,
            workers: worker::count(),
            bounds: Bounds::default(),
        }
    }
}

/// Upstreams at other addresses than the plan's: simulated servers, tests.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// Base URLs by provider, as [`waypost_policies::plan::draft::Provider::base_url`].
    pub providers: BTreeMap<String, String>,
    /// Endpoints by pool, as [`waypost_policies::plan::draft::Discovery::Static`].
    pub pools: BTreeMap<String, Vec<String>>,
}

/// What no call may exceed.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// The most connections of callers at a time.
    pub connections: usize,
    /// How long the handshake of TLS may take.
    pub handshake: Duration,
    /// How long a connection may rest between calls: longer than load balancers keep those that nobody uses, so that they
    /// close them and not we.
    pub idle: Duration,
    /// The longest head of a request, in bytes.
    pub head: usize,
    /// How long a head may take to arrive, from its first byte.
    pub head_time: Duration,
    /// The most calls at a time on one connection of HTTP/2.
    pub streams: u32,
    /// The largest request body, in bytes.
    pub body: usize,
    /// Memory for request bodies above 64 KiB that are held at a time, in bytes; calls beyond it wait.
    pub body_memory: usize,
    /// How long a request body may take to arrive.
    pub body_time: Duration,
    /// The largest answer that is not streamed, in bytes.
    pub answer: usize,
    /// How long a connection to an upstream may take to stand.
    pub connect: Duration,
    /// How long a streamed answer may take to its first byte, where its tier does not say.
    pub first_byte: Duration,
    /// How long an answer that is not streamed may take, where its tier does not say: its first byte comes with its last.
    pub whole_answer: Duration,
    /// How long a stream may be silent.
    pub silence: Duration,
    /// How long a client may leave unread what it is sent.
    pub unread: Duration,
    /// How long a change of the key file, or of the certificate, may stay unseen.
    pub key_file: Duration,
    /// How long new calls are still taken in once the server is told to stop, and has said that it is not ready.
    pub farewell: Duration,
    /// How long open calls may go on after that.
    pub drain: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 10_000,
            handshake: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            head: 64 << 10,
            head_time: Duration::from_secs(15),
            streams: 128,
            body: 32 << 20,
            body_memory: 128 << 20,
            body_time: Duration::from_secs(30),
            answer: 64 << 20,
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(60),
            whole_answer: Duration::from_secs(600),
            silence: Duration::from_secs(300),
            unread: Duration::from_secs(60),
            key_file: Duration::from_secs(2),
            farewell: Duration::ZERO,
            drain: Duration::from_secs(30),
        }
    }
}

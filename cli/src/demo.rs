//! Simulated model servers for every pool and provider of a plan, in this process: `run --demo` needs no key and no GPU.
//!
//! Invariants: servers listen on loopback addresses only; the same prompt gets the same words; a replica's
//! gauges, its cache and the usage that it reports agree with one another. They end when the [`Demo`] is dropped.

mod answer;
mod chat;
mod converse;
mod dialect;
mod embeddings;
mod engine;
mod events;
mod gemini;
mod messages;
mod metrics;
mod prefix;
mod responses;
mod schema;
mod server;

use std::io;

use tokio::task::JoinSet;
use waypost_policies::Plan;
use waypost_policies::plan::view::{
    Discovery, Engine as PoolEngine, Provider, ProviderAuth, ProviderKind, Via,
};
use waypost_runtime::{Overrides, SecretValue, Secrets, Workload};

use engine::{Engine, Speed};
use metrics::Names;
use server::{Server, Wanted};

/// More replicas of one pool than this show nothing new.
const MOST_REPLICAS: usize = 4;
/// Where the plan does not say how many replicas a pool has.
const USUAL_REPLICAS: usize = 2;
/// The port of a container, where the plan does not say.
const USUAL_PORT: u16 = 8000;
/// The first server is 127.0.0.2: .1 is the gateway's.
const FIRST_HOST: u8 = 2;

/// Running model servers.
#[derive(Debug)]
pub struct Demo {
    servers: JoinSet<()>,
    next_host: u8,
    /// Where they are, for the gateway.
    pub upstreams: Overrides,
}

impl Demo {
    /// Starts one server for each provider and for each replica of each pool; `replicas` says how many a pool has.
    ///
    /// # Errors
    ///
    /// No loopback address is left to listen on.
    pub async fn start(plan: &Plan, replicas: &dyn Fn(&str) -> Option<usize>) -> io::Result<Self> {
        let mut demo = Self {
            servers: JoinSet::new(),
            next_host: FIRST_HOST,
            upstreams: Overrides::default(),
        };
        for (index, pool) in (0..).zip(plan.pools()) {
            let (count, port) = match pool.discovery() {
                Discovery::Static(bases) => (bases.len(), USUAL_PORT),
                Discovery::Dns(name) => (USUAL_REPLICAS, port_of(name)),
                Discovery::Kubernetes { port, .. } => (USUAL_REPLICAS, port),
            };
            let count = replicas(pool.name()).unwrap_or(count);
            let mut bases = Vec::new();
            for _ in 0..count.clamp(1, MOST_REPLICAS) {
                let models = served(plan, Via::Pool(index));
                let names = names(pool.engine());
                bases.push(demo.serve(Speed::POOL, names, models, port).await?);
            }
            demo.upstreams.pools.insert(pool.name().to_owned(), bases);
        }
        for (index, provider) in (0..).zip(plan.providers()) {
            let models = served(plan, Via::Provider(index));
            let base = demo
                .serve(Speed::PROVIDER, Names::vllm(), models, USUAL_PORT)
                .await?;
            let base = match provider.kind() {
                ProviderKind::AzureOpenAi | ProviderKind::Bedrock => base,
                ProviderKind::Gemini => format!("{base}/v1beta"),
                ProviderKind::OpenAi | ProviderKind::OpenAiCompatible | ProviderKind::Anthropic => {
                    format!("{base}/v1")
                }
            };
            demo.upstreams
                .providers
                .insert(provider.name().to_owned(), base);
        }
        Ok(demo)
    }

    /// How many servers run.
    #[must_use]
    pub fn servers(&self) -> usize {
        self.servers.len()
    }

    async fn serve(
        &mut self,
        speed: Speed,
        names: Names,
        models: Vec<String>,
        port: u16,
    ) -> io::Result<String> {
        let host = self.next_host;
        self.next_host = host.checked_add(1).unwrap_or(FIRST_HOST);
        let listener = Wanted { host, port }.listen().await?;
        let base = format!("http://{}", listener.local_addr()?);
        let server = Server::new(Engine::new(speed), names, models, host);
        self.servers.spawn(server.serve(listener));
        Ok(base)
    }
}

/// The system's secrets, and stand-ins for those that it does not have, whose names come too.
#[must_use]
pub fn secrets(plan: &Plan) -> (Secrets, Vec<String>) {
    let keys = plan.callers().keys();
    let mut secrets = Secrets::system();
    let mut missing = Vec::new();
    for (index, secret) in (0_u16..).zip(plan.secrets()) {
        if secrets.resolve(secret.name(), secret.source()).is_err() {
            let stand_in = if keys == Some(index) {
                r#"{"keys":[]}"#
            } else {
                "demo"
            };
            secrets = secrets.with(secret.name(), stand_in);
            missing.push(secret.name().to_owned());
        }
    }
    let identity = |provider: Provider<'_>| provider.auth() == ProviderAuth::WorkloadIdentity;
    if plan.providers().any(identity) && secrets.workload().is_err() {
        secrets = secrets.as_workload(Workload::Token(SecretValue::new("demo")));
    }
    (secrets, missing)
}

/// What the models of a server are called there.
fn served(plan: &Plan, via: Via) -> Vec<String> {
    plan.models()
        .filter(|model| model.via() == via)
        .map(|model| model.upstream_name().to_owned())
        .collect()
}

fn names(engine: PoolEngine<'_>) -> Names {
    match engine {
        PoolEngine::Vllm => Names::vllm(),
        PoolEngine::Sglang => Names::sglang(),
        PoolEngine::Trtllm => Names::trtllm(),
        PoolEngine::Custom {
            queue,
            running,
            kv_cache,
        } => Names::custom(queue, running, kv_cache),
    }
}

fn port_of(name: &str) -> u16 {
    let port = name
        .rsplit_once(':')
        .and_then(|(_, port)| port.parse().ok());
    port.unwrap_or(USUAL_PORT)
}

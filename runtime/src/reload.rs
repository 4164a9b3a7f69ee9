//! Replaces the plan while calls go on.
//!
//! Invariants: a plan that cannot be served changes nothing; calls that are under way end with the plan they began
//! with; attempts to replace it happen one after the other.

mod shadow;
mod watch;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use waypost_policies::Plan;

use crate::clock;
use crate::gateway::{Gateway, StartError};
use crate::server::Edge;
use crate::settings::Settings;

pub use shadow::{Change, Decided, Difference};
pub(crate) use watch::watch;

/// How long a new plan waits for the first look at its pools; those that take longer are seen in `/readyz`.
const FIRST_LOOK: Duration = Duration::from_secs(1);

/// Where a server's plan comes from, so that it can be read again.
pub trait PlanSource: fmt::Debug + Send + Sync {
    /// The plan as it is now, verified.
    ///
    /// # Errors
    ///
    /// Why there is none.
    fn read(&self) -> Result<Plan, String>;

    /// The files that it is made of, as of the last time that it was read.
    fn files(&self) -> Vec<PathBuf>;
}

/// A plan that `waypost build` wrote.
#[derive(Debug, Clone)]
pub struct PlanFile(pub PathBuf);

impl PlanSource for PlanFile {
    fn read(&self) -> Result<Plan, String> {
        let path = self.0.display();
        let bytes = std::fs::read(&self.0).map_err(|error| format!("plan `{path}`: {error}"))?;
        Plan::load(bytes).map_err(|error| format!("plan `{path}`: {error}"))
    }

    fn files(&self) -> Vec<PathBuf> {
        vec![self.0.clone()]
    }
}

/// Why the plan was not replaced.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// It is not known where plans come from.
    #[error("this server was started with a plan that it cannot read again")]
    NoSource,
    /// The new plan cannot be read, or is none.
    #[error("{0}")]
    Plan(String),
    /// The new plan cannot be served.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The attempt itself failed.
    #[error("the attempt to replace the plan ended early")]
    Ended,
}

/// What became of an attempt to replace the plan.
#[derive(Debug, Clone)]
pub enum Reload {
    /// The new plan is served.
    Loaded {
        /// How it decides differently.
        difference: Arc<Difference>,
        /// The plan.
        plan: Arc<Plan>,
    },
    /// The plan that was served before is served on.
    Refused(Arc<ReloadError>),
}

impl Reload {
    fn log(&self) {
        match self {
            Self::Loaded { difference, plan } => difference.log(plan),
            Self::Refused(error) => {
                tracing::error!(%error, "the new plan is refused: the one before it serves on");
            }
        }
    }
}

/// The plan that new calls get, and how it came to be.
#[derive(Debug)]
pub(crate) struct Current {
    gateway: ArcSwap<Gateway>,
    pub(crate) edge: Arc<Edge>,
    settings: Settings,
    last: Mutex<Last>,
    turn: tokio::sync::Mutex<()>,
}

/// How the last attempts to replace the plan went.
#[derive(Debug, Default)]
struct Last {
    /// When the plan that is served was loaded.
    loaded: i64,
    difference: Option<Arc<Difference>>,
    /// When the last attempt failed, if it did, and why.
    refused: Option<(i64, Arc<ReloadError>)>,
}

impl Current {
    pub(crate) fn new(gateway: Gateway, settings: Settings, edge: Arc<Edge>) -> Self {
        gateway.metrics.plans.serves(&gateway.plan);
        Self {
            gateway: ArcSwap::from_pointee(gateway),
            edge,
            settings,
            last: Mutex::new(Last {
                loaded: clock::now(),
                ..Last::default()
            }),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// What a call that comes now gets.
    pub(crate) fn gateway(&self) -> Arc<Gateway> {
        self.gateway.load_full()
    }

    /// Reads the plan again and serves it, if it is sound, to calls that come from now on.
    pub(crate) async fn reload(self: &Arc<Self>) -> Result<Arc<Difference>, Arc<ReloadError>> {
        let current = Arc::clone(self);
        // Of its own: whoever asked for it may leave before the end.
        let attempt = tokio::spawn(async move {
            let _turn = current.turn.lock().await;
            let result = current.replace().await.map(Arc::new).map_err(Arc::new);
            current.note(&result);
            result
        });
        attempt
            .await
            .unwrap_or_else(|_| Err(Arc::new(ReloadError::Ended)))
    }

    async fn replace(&self) -> Result<Difference, ReloadError> {
        let source = self.settings.source.clone().ok_or(ReloadError::NoSource)?;
        let (old, settings) = (self.gateway(), self.settings.clone());
        let before = Arc::clone(&old);
        let built = spawn_blocking(move || -> Result<Gateway, ReloadError> {
            let plan = source.read().map_err(ReloadError::Plan)?;
            Ok(Gateway::replacing(&before, Arc::new(plan), &settings)?)
        });
        let new = Arc::new(built.await.map_err(|_| ReloadError::Ended)??);
        first_look(&new).await;
        let (before, after) = (Arc::clone(&old), Arc::clone(&new));
        let difference = spawn_blocking(move || Difference::between(&before, &after))
            .await
            .map_err(|_| ReloadError::Ended)?;
        // Nobody else has it yet.
        let mut new = Arc::try_unwrap(new).map_err(|_| ReloadError::Ended)?;
        new.metrics.plans.serves(&new.plan);
        new.take_over(&old);
        self.gateway.store(Arc::new(new));
        Ok(difference)
    }

    fn note(&self, result: &Result<Arc<Difference>, Arc<ReloadError>>) {
        let gateway = self.gateway();
        gateway.metrics.plans.reloaded(result.is_ok());
        let reload = match result {
            Ok(difference) => {
                *self.last() = Last {
                    loaded: clock::now(),
                    difference: Some(Arc::clone(difference)),
                    refused: None,
                };
                Reload::Loaded {
                    difference: Arc::clone(difference),
                    plan: Arc::clone(&gateway.plan),
                }
            }
            Err(error) => {
                self.last().refused = Some((clock::now(), Arc::clone(error)));
                Reload::Refused(Arc::clone(error))
            }
        };
        match &self.settings.reloads {
            // Whoever listens says so in its own words, or is gone.
            Some(reloads) => drop(reloads.send(reload)),
            None => reload.log(),
        }
    }

    /// Why a newer plan is not served, where one was refused.
    pub(crate) fn refused(&self) -> Option<Value> {
        let last = self.last();
        let (time, error) = last.refused.as_ref()?;
        Some(json!({"time": time / 1_000_000, "error": error.to_string()}))
    }

    /// How the last attempts to replace the plan went, for `/reload`.
    pub(crate) fn to_json(&self) -> Value {
        let (refused, hash) = (self.refused(), source_hash(&self.gateway().plan));
        let last = self.last();
        let difference = last.difference.as_ref();
        json!({
            "version": 1,
            "source_hash": hash,
            "loaded": last.loaded / 1_000_000,
            "refused": refused,
            "difference": difference.map(|difference| difference.to_json()),
        })
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Calls that come at once should find replicas: waits until each pool has one, but not for ever.
pub(crate) async fn first_look(gateway: &Gateway) {
    gateway.warm();
    let all = async {
        for placed in &gateway.pools {
            placed.pool.has_replica().await;
        }
        if let Some(shared) = gateway.books.shared() {
            shared.ready().await;
        }
    };
    if timeout(FIRST_LOOK, all).await.is_err() {
        for reason in gateway.missing() {
            tracing::warn!(reason, "not ready");
        }
    }
}

/// The hash of what a plan was compiled from, in hexadecimal digits.
pub(crate) fn source_hash(plan: &Plan) -> String {
    let bytes = plan.source_hash();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

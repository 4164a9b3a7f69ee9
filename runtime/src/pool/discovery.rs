//! Finds a pool's replicas: as written, by DNS, or ready pods by label.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use waypost_policies::plan::draft::Discovery;

use super::{Found, Pool};
use crate::kubernetes::Pods;

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(2);
/// How long a look may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why a pool's replicas cannot even be looked for.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// The pool selects pods, and there is no cluster.
    #[error("pool `{0}` selects pods, but this is no pod of a cluster: give its endpoints")]
    NoCluster(String),
}

/// Looks for a pool's replicas for ever.
pub(crate) async fn discover(pool: Arc<Pool>, discovery: Discovery, pods: Option<Pods>) {
    loop {
        let look = look(&discovery, pods.as_ref());
        match timeout(PATIENCE, look).await {
            Ok(Ok(found)) => pool.update(found),
            Ok(Err(reason)) => trouble(&pool, reason),
            Err(_) => trouble(&pool, format!("discovery took longer than {PATIENCE:?}")),
        }
        sleep(PAUSE).await;
    }
}

/// What was found before stays: a discovery that fails says nothing about the replicas.
fn trouble(pool: &Pool, reason: String) {
    tracing::warn!(pool = pool.name, reason, "discovery failed");
    pool.set_trouble(reason);
}

async fn look(discovery: &Discovery, pods: Option<&Pods>) -> Result<Vec<Found>, String> {
    match (discovery, pods) {
        (Discovery::Static(bases), _) => Ok(bases.iter().cloned().map(Found::unlabelled).collect()),
        (Discovery::Dns(name), _) => {
            let addresses = tokio::net::lookup_host(name)
                .await
                .map_err(|error| format!("`{name}`: {error}"))?;
            Ok(addresses
                .map(|address| Found::unlabelled(format!("http://{address}")))
                .collect())
        }
        (
            Discovery::Kubernetes {
                namespace,
                labels,
                port,
            },
            Some(pods),
        ) => pods
            .ready(namespace, labels, *port)
            .await
            .map_err(|error| error.to_string()),
        (Discovery::Kubernetes { .. }, None) => Err("no cluster".to_owned()),
    }
}

//! The pods that serve models: the same for every shape.

use waypost_lang::diagnostic::Diagnostic;

use crate::manifests::Target;
use crate::manifests::documents::Documents;
use crate::manifests::labels::KAITO_WORKSPACE;
use crate::manifests::network_policy::{Peer, Policy};
use crate::manifests::object::{Map, pair};
use crate::manifests::pod_monitor::Scrape;
use crate::manifests::workspace;
use crate::program::{Pool, PoolSource};

/// How the pods of a pool are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pods {
    pub(crate) labels: Map,
    pub(crate) namespace: String,
    pub(crate) port: u16,
    /// The container port's name, where it is known: KAITO calls it `http`.
    pub(crate) port_name: Option<&'static str>,
    /// Whether the pods are of a workspace that we write.
    pub(crate) ours: bool,
}

/// The pods of `pool`; none where replicas are addresses.
pub(crate) fn pods(target: &Target<'_>, pool: &Pool) -> Option<Pods> {
    match &pool.source {
        PoolSource::Kaito { port, .. } => Some(Pods {
            labels: pair(KAITO_WORKSPACE, pool.workspace()),
            namespace: target.namespace().to_owned(),
            port: *port,
            port_name: Some("http"),
            ours: true,
        }),
        PoolSource::Selector {
            labels,
            namespace,
            port,
        } => Some(Pods {
            labels: labels.iter().cloned().collect(),
            namespace: namespace.clone(),
            port: *port,
            port_name: None,
            ours: false,
        }),
        PoolSource::Static(_) | PoolSource::Dns(_) => None,
    }
}

/// Closes the pods of `pool` to all but `callers` and Prometheus, so that nobody goes around the decision.
/// Pods of one workspace reach each other: a model may be spread over several.
pub(crate) fn write_policy(
    target: &Target<'_>,
    pool: &Pool,
    callers: Vec<Peer>,
    documents: &mut Documents,
) {
    let Some(pods) = pods(target, pool).filter(|pods| pods.ours) else {
        return;
    };
    let name = pool.workspace();
    let policy = Policy::on(&name, pods.labels.clone())
        .admit(callers, &[pods.port])
        .admit(vec![Peer::pods(pods.labels)], &[])
        .admit_monitor(target.deploy.monitor, pods.port);
    let note = format!(
        "{} is the container's port: what picks a pod goes past the Service and its 80",
        pods.port
    );
    documents.add(&policy.object(target), &[note]);
}

/// Writes the workspaces of `pools`.
pub(crate) fn write_workspaces<'p>(
    target: &Target<'_>,
    pools: impl IntoIterator<Item = &'p Pool>,
    documents: &mut Documents,
) -> Vec<Diagnostic> {
    pools
        .into_iter()
        .filter_map(|pool| workspace::write(target, pool, documents))
        .collect()
}

/// What Prometheus scrapes of a pool.
pub(crate) fn scrape(pool: &Pool, pods: Pods) -> Scrape {
    Scrape {
        name: pool.workspace().replacen("workspace", "engine", 1),
        namespace: pods.namespace,
        labels: pods.labels,
        port_name: pods.port_name,
        port: pods.port,
        token_secret: None,
    }
}

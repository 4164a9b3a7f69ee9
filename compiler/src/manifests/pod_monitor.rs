//! PodMonitor: azmonitoring.coreos.com for AKS, monitoring.coreos.com for the operator; each ignores the other's.
//!
//! The port is a number for Azure and a name for the operator, where the name is known; never `port: ""`.
//! The namespace is always selected, so that a monitor that is moved still scrapes.

use serde::Serialize;

use super::Target;
use super::object::{Map, Object, Spec};
use crate::program::Monitor;

/// A monitor's spec.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PodMonitor {
    namespace_selector: NamespaceSelector,
    pod_metrics_endpoints: Vec<Endpoint>,
    selector: Selector,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct NamespaceSelector {
    match_names: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Endpoint {
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization: Option<Authorization>,
    interval: &'static str,
    path: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    port_number: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_port: Option<u16>,
}

#[derive(Debug, Clone, Serialize)]
struct Authorization {
    credentials: Credentials,
}

#[derive(Debug, Clone, Serialize)]
struct Credentials {
    key: &'static str,
    name: String,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Selector {
    match_labels: Map,
}

/// What is scraped.
pub(crate) struct Scrape {
    /// Names the object.
    pub(crate) name: String,
    /// The namespace of the pods.
    pub(crate) namespace: String,
    /// The pods' labels.
    pub(crate) labels: Map,
    /// The container port's name, where it is known.
    pub(crate) port_name: Option<&'static str>,
    /// The container's port.
    pub(crate) port: u16,
    /// The Secret with the bearer token, where metrics need one.
    pub(crate) token_secret: Option<String>,
}

/// What must hold for the monitor to be scraped that no manifest of ours can make so.
pub(crate) fn notes(monitor: Monitor) -> Vec<String> {
    match monitor {
        Monitor::Azure => Vec::new(),
        Monitor::Prometheus => vec![
            "Prometheus must run in the namespace `monitoring`: the network policies admit no other".into(),
            "and its `podMonitorSelector` must select this: kube-prometheus-stack asks for its own `release` label".into(),
        ],
    }
}

/// The monitor of `scrape`.
pub(crate) fn pod_monitor(
    target: &Target<'_>,
    monitor: Monitor,
    scrape: Scrape,
) -> Object<Spec<PodMonitor>> {
    let azure = monitor == Monitor::Azure;
    let named = scrape.port_name.filter(|_| !azure);
    let numbered = !azure && named.is_none();
    let metadata = target.metadata(&scrape.name, &scrape.name);
    let spec = PodMonitor {
        namespace_selector: NamespaceSelector {
            match_names: vec![scrape.namespace],
        },
        pod_metrics_endpoints: vec![Endpoint {
            authorization: scrape.token_secret.map(|name| Authorization {
                credentials: Credentials { key: "token", name },
            }),
            interval: "15s",
            path: "/metrics",
            port: named,
            port_number: numbered.then_some(scrape.port),
            target_port: azure.then_some(scrape.port),
        }],
        selector: Selector {
            match_labels: scrape.labels,
        },
    };
    let api_version = if azure {
        "azmonitoring.coreos.com/v1"
    } else {
        "monitoring.coreos.com/v1"
    };
    Object::with_spec(api_version, "PodMonitor", metadata, spec)
}

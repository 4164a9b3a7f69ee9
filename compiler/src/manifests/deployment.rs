//! Deployment.

use serde::Serialize;

use super::Target;
use super::container::{Container, LEAVE_SECONDS};
use super::labels;
use super::object::{Map, Object, Spec};
use super::pod_security::{self, PodSecurity};
use super::volume::Volume;
use crate::program::SURGE;

/// A Deployment's spec.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Deployment {
    #[serde(skip_serializing_if = "Option::is_none")]
    replicas: Option<u64>,
    selector: Selector,
    strategy: Strategy,
    template: Template,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Selector {
    match_labels: Map,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Strategy {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rolling_update: Option<RollingUpdate>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct RollingUpdate {
    max_surge: u32,
    max_unavailable: u32,
}

#[derive(Debug, Clone, Serialize)]
struct Template {
    metadata: TemplateMetadata,
    spec: Pod,
}

#[derive(Debug, Clone, Serialize)]
struct TemplateMetadata {
    #[serde(skip_serializing_if = "Map::is_empty")]
    annotations: Map,
    labels: Map,
}

/// A pod.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pod {
    service_account_name: String,
    automount_service_account_token: bool,
    security_context: PodSecurity,
    termination_grace_period_seconds: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    init_containers: Vec<Container>,
    containers: Vec<Container>,
    volumes: Vec<Volume>,
}

/// How long answers may go on after a stop: longer than the 300 seconds for which a stream may be silent.
pub(crate) const DRAIN_SECONDS: u32 = 320;
/// What a pod is given: what it waits before it stops, what its answers may take, and a little more.
pub(crate) const GRACE_SECONDS: u32 = LEAVE_SECONDS + DRAIN_SECONDS + 5;

/// How many pods, and how they are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replacement {
    /// A new one is ready before an old one goes. `None`: an autoscaler counts.
    Rolling(Option<u64>),
    /// One pod, never two: what it counts or remembers is in it.
    Single,
}

/// What differs between our Deployments.
pub(crate) struct Workload<'a> {
    pub(crate) app: &'a str,
    pub(crate) replacement: Replacement,
    /// Whether the pod speaks to the API server.
    pub(crate) api_access: bool,
    pub(crate) grace_seconds: u32,
    pub(crate) annotations: Map,
    /// Whether Azure gives the pod an identity.
    pub(crate) identity: bool,
    pub(crate) init_containers: Vec<Container>,
    pub(crate) container: Container,
    pub(crate) volumes: Vec<Volume>,
}

/// The Deployment of `workload`.
pub(crate) fn deployment(target: &Target<'_>, workload: Workload<'_>) -> Object<Spec<Deployment>> {
    let (replicas, strategy) = replacement(workload.replacement);
    let mut labels = labels::of(workload.app);
    if workload.identity {
        labels.insert(labels::AZURE_IDENTITY.into(), "true".into());
    }
    let spec = Deployment {
        replicas,
        selector: Selector {
            match_labels: labels::selector(workload.app),
        },
        strategy,
        template: Template {
            metadata: TemplateMetadata {
                annotations: workload.annotations,
                labels,
            },
            spec: Pod {
                service_account_name: workload.app.to_owned(),
                automount_service_account_token: workload.api_access,
                security_context: pod_security::pod(),
                termination_grace_period_seconds: workload.grace_seconds,
                init_containers: workload.init_containers,
                containers: vec![workload.container],
                volumes: workload.volumes,
            },
        },
    };
    let metadata = target.metadata(workload.app, workload.app);
    Object::with_spec("apps/v1", "Deployment", metadata, spec)
}

fn replacement(replacement: Replacement) -> (Option<u64>, Strategy) {
    match replacement {
        Replacement::Rolling(replicas) => (
            replicas,
            Strategy {
                r#type: "RollingUpdate",
                rolling_update: Some(RollingUpdate {
                    max_surge: SURGE,
                    max_unavailable: 0,
                }),
            },
        ),
        Replacement::Single => (
            Some(1),
            Strategy {
                r#type: "Recreate",
                rolling_update: None,
            },
        ),
    }
}

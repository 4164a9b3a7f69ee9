//! Deployment and what is in a pod.

use serde::Serialize;

use super::Target;
use super::labels;
use super::object::{Map, Object, Spec};
use super::pod_security::{self, ContainerSecurity, PodSecurity};

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

/// A container.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Container {
    pub(crate) name: &'static str,
    pub(crate) image: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) command: Vec<String>,
    pub(crate) args: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) env: Vec<Variable>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) ports: Vec<Port>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) startup_probe: Option<Probe>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) readiness_probe: Option<Probe>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) liveness_probe: Option<Probe>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lifecycle: Option<Lifecycle>,
    pub(crate) resources: Resources,
    pub(crate) security_context: ContainerSecurity,
    pub(crate) volume_mounts: Vec<Mount>,
}

impl Container {
    /// A container that only has a name, an image and what it may use.
    pub(crate) fn new(name: &'static str, image: impl Into<String>, resources: Resources) -> Self {
        Self {
            name,
            image: image.into(),
            command: Vec::new(),
            args: Vec::new(),
            env: Vec::new(),
            ports: Vec::new(),
            startup_probe: None,
            readiness_probe: None,
            liveness_probe: None,
            lifecycle: None,
            resources,
            security_context: pod_security::container(),
            volume_mounts: Vec::new(),
        }
    }
}

/// An environment variable.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Variable {
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_from: Option<ValueFrom>,
}

#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct ValueFrom {
    #[serde(skip_serializing_if = "Option::is_none")]
    field_ref: Option<FieldPath>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_key_ref: Option<SecretKey>,
}

#[derive(Debug, Clone, Serialize)]
struct SecretKey {
    name: String,
    key: String,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct FieldPath {
    field_path: &'static str,
}

impl Variable {
    /// A value that is no secret.
    pub(crate) fn plain(name: &'static str, value: impl Into<String>) -> Self {
        Self {
            name,
            value: Some(value.into()),
            value_from: None,
        }
    }

    /// A key of a Secret.
    pub(crate) fn secret(name: &'static str, secret: &str, key: &str) -> Self {
        Self {
            name,
            value: None,
            value_from: Some(ValueFrom {
                secret_key_ref: Some(SecretKey {
                    name: secret.to_owned(),
                    key: key.to_owned(),
                }),
                ..ValueFrom::default()
            }),
        }
    }

    /// Something of the pod itself.
    pub(crate) fn field(name: &'static str, field_path: &'static str) -> Self {
        Self {
            name,
            value: None,
            value_from: Some(ValueFrom {
                field_ref: Some(FieldPath { field_path }),
                ..ValueFrom::default()
            }),
        }
    }
}

/// A container's port, which Services, probes and monitors call by its name.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Port {
    name: &'static str,
    container_port: u16,
}

/// A container's port.
pub(crate) fn port(name: &'static str, container_port: u16) -> Port {
    Port {
        name,
        container_port,
    }
}

/// How the kubelet asks.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Probe {
    #[serde(flatten)]
    ask: Ask,
    period_seconds: u32,
    failure_threshold: u32,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
enum Ask {
    HttpGet {
        path: &'static str,
        port: &'static str,
    },
    Grpc {
        port: u16,
        service: &'static str,
    },
}

impl Probe {
    /// A GET of `path` on the port called `port`.
    pub(crate) fn http(path: &'static str, port: &'static str) -> Self {
        Self {
            ask: Ask::HttpGet { path, port },
            period_seconds: 5,
            failure_threshold: 3,
        }
    }

    /// gRPC's health service.
    pub(crate) fn grpc(port: u16, service: &'static str) -> Self {
        Self {
            ask: Ask::Grpc { port, service },
            period_seconds: 5,
            failure_threshold: 3,
        }
    }

    /// As often as it takes for something to start.
    pub(crate) fn patient(mut self, failures: u32) -> Self {
        self.failure_threshold = failures;
        self
    }
}

/// What happens before a container is stopped.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Lifecycle {
    pre_stop: PreStop,
}

#[derive(Debug, Clone, Serialize)]
struct PreStop {
    sleep: Sleep,
}

#[derive(Debug, Clone, Serialize)]
struct Sleep {
    seconds: u32,
}

/// Waits until the endpoints that others hold no longer name this pod; needs no shell in the image.
pub(crate) fn leave_endpoints_first() -> Lifecycle {
    Lifecycle {
        pre_stop: PreStop {
            sleep: Sleep { seconds: 5 },
        },
    }
}

/// What a container asks for and may at most have.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Resources {
    limits: Map,
    requests: Map,
}

/// Memory is bounded; the processor is not, so that a burst is served when the node has time.
pub(crate) fn resources(cpu: &str, memory: &str, memory_limit: &str) -> Resources {
    Resources {
        limits: Map::from([("memory".into(), memory_limit.into())]),
        requests: Map::from([("cpu".into(), cpu.into()), ("memory".into(), memory.into())]),
    }
}

/// Where a volume is mounted.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Mount {
    name: String,
    mount_path: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    read_only: bool,
}

/// A mount that is only read.
pub(crate) fn read(name: &str, mount_path: &str) -> Mount {
    Mount {
        name: name.to_owned(),
        mount_path: mount_path.to_owned(),
        read_only: true,
    }
}

/// A mount that is written to.
pub(crate) fn write(name: &str, mount_path: &str) -> Mount {
    Mount {
        name: name.to_owned(),
        mount_path: mount_path.to_owned(),
        read_only: false,
    }
}

/// A volume.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Volume {
    name: String,
    #[serde(flatten)]
    source: VolumeSource,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
enum VolumeSource {
    ConfigMap(ConfigMapVolume),
    EmptyDir(EmptyDir),
    Secret(SecretVolume),
}

#[derive(Debug, Clone, Serialize)]
struct ConfigMapVolume {
    name: String,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct EmptyDir {
    size_limit: &'static str,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct SecretVolume {
    secret_name: String,
    items: Vec<Item>,
}

#[derive(Debug, Clone, Serialize)]
struct Item {
    key: String,
    path: String,
}

impl Volume {
    /// A ConfigMap's files.
    pub(crate) fn config_map(name: &str, config_map: &str) -> Self {
        Self {
            name: name.to_owned(),
            source: VolumeSource::ConfigMap(ConfigMapVolume {
                name: config_map.to_owned(),
            }),
        }
    }

    /// Room to write in.
    pub(crate) fn empty(name: &str, size_limit: &'static str) -> Self {
        Self {
            name: name.to_owned(),
            source: VolumeSource::EmptyDir(EmptyDir { size_limit }),
        }
    }

    /// A Secret's keys as files of the same names: only those named.
    pub(crate) fn secret<'k>(
        name: &str,
        secret: &str,
        keys: impl IntoIterator<Item = &'k String>,
    ) -> Self {
        let items = keys
            .into_iter()
            .map(|key| Item {
                key: key.clone(),
                path: key.clone(),
            })
            .collect();
        Self {
            name: name.to_owned(),
            source: VolumeSource::Secret(SecretVolume {
                secret_name: secret.to_owned(),
                items,
            }),
        }
    }
}

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
    pub(crate) init_containers: Vec<Container>,
    pub(crate) container: Container,
    pub(crate) volumes: Vec<Volume>,
}

/// The Deployment of `workload`.
pub(crate) fn deployment(target: &Target<'_>, workload: Workload<'_>) -> Object<Spec<Deployment>> {
    let (replicas, strategy) = replacement(workload.replacement);
    let spec = Deployment {
        replicas,
        selector: Selector {
            match_labels: labels::selector(workload.app),
        },
        strategy,
        template: Template {
            metadata: TemplateMetadata {
                annotations: workload.annotations,
                labels: labels::of(workload.app),
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
                    max_surge: 1,
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

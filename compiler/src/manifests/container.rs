//! Containers: what runs, what it sees, how it is asked whether it is well.

use serde::Serialize;

use super::object::Map;
use super::pod_security::{self, ContainerSecurity};
use super::volume::Mount;

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

/// How long [`leave_endpoints_first`] takes.
pub(crate) const LEAVE_SECONDS: u32 = 5;

/// Waits until the endpoints that others hold no longer name this pod; needs no shell in the image.
pub(crate) fn leave_endpoints_first() -> Lifecycle {
    Lifecycle {
        pre_stop: PreStop {
            sleep: Sleep {
                seconds: LEAVE_SECONDS,
            },
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

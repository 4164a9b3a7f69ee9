//! Asks a cluster's API which pods are ready, with the service account of this pod.
//!
//! Invariant: a pod that is not ready, or is going, is never named.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ACCEPT, AUTHORIZATION};
use hyper::{Request, StatusCode};
use serde::Deserialize;

use crate::body::collect;
use crate::client::{self, Client, ClientError, UpstreamTls, root_cause};
use crate::pool::Found;

const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// The largest list of pods that is read.
const LARGEST_LIST: usize = 64 << 20;

/// A cluster's API and how to speak to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// Its base URL.
    pub api: String,
    /// The file with the token; read again for each call, since it is renewed.
    pub token: Option<PathBuf>,
    /// The file with the certificate authority; public ones are trusted without it.
    pub authority: Option<PathBuf>,
}

impl Cluster {
    /// The cluster that this process is a pod of.
    #[must_use]
    pub fn of_this_pod() -> Option<Self> {
        let host = std::env::var("KUBERNETES_SERVICE_HOST").ok()?;
        let port = std::env::var("KUBERNETES_SERVICE_PORT").ok()?;
        let host = match host.parse::<IpAddr>() {
            Ok(IpAddr::V6(address)) => format!("[{address}]"),
            _ => host,
        };
        Some(Self {
            api: format!("https://{host}:{port}"),
            token: Some(PathBuf::from(SERVICE_ACCOUNT).join("token")),
            authority: Some(PathBuf::from(SERVICE_ACCOUNT).join("ca.crt")),
        })
    }
}

/// Finds pods.
#[derive(Debug, Clone)]
pub(crate) struct Pods {
    cluster: Cluster,
    client: Client,
}

/// Why pods were not found.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PodsError {
    #[error("service account token `{0}`: {1}")]
    Token(String, std::io::Error),
    #[error("the cluster's api did not answer: {0}")]
    Unreachable(String),
    #[error("the cluster's api answered {status}: {hint}")]
    Refused {
        status: StatusCode,
        hint: &'static str,
    },
    #[error("the cluster's api sent no list of pods")]
    Malformed,
}

#[derive(Deserialize)]
struct PodList {
    items: Vec<Pod>,
}

#[derive(Deserialize)]
struct Pod {
    metadata: Metadata,
    #[serde(default)]
    status: PodStatus,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    deletion_timestamp: Option<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

#[derive(Deserialize, Default)]
struct PodStatus {
    #[serde(rename = "podIP")]
    pod_ip: Option<IpAddr>,
    #[serde(default)]
    conditions: Vec<Condition>,
}

#[derive(Deserialize)]
struct Condition {
    r#type: String,
    status: String,
}

impl Pods {
    pub(crate) fn new(cluster: Cluster, connect: Duration) -> Result<Self, ClientError> {
        let client = match &cluster.authority {
            Some(authority) => client::trusting(authority, connect)?,
            None => client::public(&UpstreamTls::default(), connect)?,
        };
        Ok(Self { cluster, client })
    }

    /// The ready pods with these labels.
    pub(crate) async fn ready(
        &self,
        namespace: &str,
        labels: &[(String, String)],
        port: u16,
    ) -> Result<Vec<Found>, PodsError> {
        let list = self.list(namespace, &selector(labels)).await?;
        let ready = list
            .items
            .into_iter()
            .filter(Pod::is_ready)
            .filter_map(|pod| {
                let address = SocketAddr::new(pod.status.pod_ip?, port);
                Some(Found {
                    base: format!("http://{address}"),
                    labels: pod.metadata.labels,
                })
            });
        Ok(ready.collect())
    }

    async fn list(&self, namespace: &str, selector: &str) -> Result<PodList, PodsError> {
        let address = format!(
            "{}/api/v1/namespaces/{namespace}/pods?labelSelector={selector}",
            self.cluster.api
        );
        let mut request = Request::get(address).header(ACCEPT, "application/json");
        if let Some(path) = &self.cluster.token {
            // A few hundred bytes in memory: reading them blocks nobody.
            let token = std::fs::read_to_string(path)
                .map_err(|error| PodsError::Token(path.display().to_string(), error))?;
            request = request.header(AUTHORIZATION, format!("Bearer {}", token.trim()));
        }
        let unreachable = |reason: String| PodsError::Unreachable(reason);
        let request = request
            .body(Full::<Bytes>::default())
            .map_err(|error| unreachable(root_cause(&error)))?;
        let response = client::send(&self.client, request)
            .await
            .map_err(|error| unreachable(root_cause(&error)))?;
        let status = response.status();
        if status != StatusCode::OK {
            let hint = match status {
                StatusCode::UNAUTHORIZED => "the service account's token is not accepted",
                StatusCode::FORBIDDEN => {
                    "the service account needs `get`, `list` and `watch` on pods of this namespace"
                }
                _ => "it will be asked again",
            };
            return Err(PodsError::Refused { status, hint });
        }
        let body = collect(&mut response.into_body(), LARGEST_LIST)
            .await
            .map_err(|error| unreachable(root_cause(&error)))?;
        serde_json::from_slice(&body).map_err(|_| PodsError::Malformed)
    }
}

impl Pod {
    fn is_ready(&self) -> bool {
        let ready =
            |condition: &Condition| condition.r#type == "Ready" && condition.status == "True";
        self.metadata.deletion_timestamp.is_none() && self.status.conditions.iter().any(ready)
    }
}

/// `name=value` pairs, escaped for a query.
fn selector(labels: &[(String, String)]) -> String {
    let escaped = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                    char::from(byte).to_string()
                }
                _ => format!("%{byte:02X}"),
            })
            .collect()
    };
    let pairs = labels
        .iter()
        .map(|(name, value)| format!("{}%3D{}", escaped(name), escaped(value)));
    pairs.collect::<Vec<_>>().join("%2C")
}

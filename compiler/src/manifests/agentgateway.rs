//! agentgateway's own config: not a Kubernetes object; the process reads it from a file.
//!
//! Shapes that its loader is strict about: `services` entries need `vips` even when empty and are called
//! `namespace/hostname`; `inferenceRouting` is a policy of the backend, not of the route; rates of the model
//! catalog are decimal strings per million tokens under `providers.<name>.models.<id>.rates`; nothing expands
//! shell variables, so a key is a file.

use std::collections::BTreeMap;

use serde::Serialize;

use super::object::Map;

/// The whole file.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Config {
    pub(crate) config: Process,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) services: Vec<Service>,
    pub(crate) binds: Vec<Bind>,
}

/// What holds for the process.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Process {
    pub(crate) stats_addr: String,
    pub(crate) readiness_addr: String,
    /// How long answers may go on after a stop: 5 seconds where nothing is written.
    pub(crate) connection_termination_deadline: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) model_catalog: Vec<CatalogSource>,
}

/// Prices, written into the config.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct CatalogSource {
    pub(crate) inline: Catalog,
}

/// Prices by provider.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Catalog {
    pub(crate) providers: BTreeMap<String, CatalogProvider>,
}

/// Prices by model.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct CatalogProvider {
    pub(crate) models: BTreeMap<String, CatalogModel>,
}

/// A model's prices.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct CatalogModel {
    pub(crate) rates: Rates,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tiers: Vec<RateTier>,
}

/// The prices of longer prompts.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RateTier {
    pub(crate) context_over: u64,
    pub(crate) rates: Rates,
}

/// US dollars per million tokens, as decimal strings: numbers do not load.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Rates {
    pub(crate) input: String,
    pub(crate) cache_read: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cache_write: Option<String>,
    pub(crate) output: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reasoning: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) input_audio: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) output_audio: Option<String>,
}

/// A group of pods that a route names.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) hostname: String,
    pub(crate) vips: [String; 0],
    /// The container's port, to itself: the picker answers with pods, not with a Service.
    pub(crate) ports: BTreeMap<u16, u16>,
}

/// A port that is listened on.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Bind {
    pub(crate) port: u16,
    pub(crate) listeners: Vec<Listener>,
}

/// A listener.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Listener {
    pub(crate) name: &'static str,
    pub(crate) protocol: &'static str,
    pub(crate) routes: Vec<Route>,
}

/// A route.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Route {
    pub(crate) name: String,
    pub(crate) matches: Vec<Match>,
    pub(crate) policies: RoutePolicies,
    pub(crate) backends: Vec<Backend>,
}

/// What a route answers.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Match {
    pub(crate) path: PathPrefix,
}

/// By the start of the path.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PathPrefix {
    pub(crate) path_prefix: String,
}

/// Policies of a route.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RoutePolicies {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) backend_auth: Option<BackendAuth>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) local_rate_limit: Vec<RateLimit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request_header_modifier: Option<HeaderModifier>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry: Option<Retry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timeout: Option<Timeout>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url_rewrite: Option<UrlRewrite>,
}

/// The key that is sent upstream.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct BackendAuth {
    pub(crate) key: KeyFile,
}

/// A key in a file.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct KeyFile {
    pub(crate) file: String,
}

/// A token bucket, of one process, shared by all callers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RateLimit {
    pub(crate) max_tokens: u64,
    pub(crate) tokens_per_fill: u64,
    pub(crate) fill_interval: String,
    pub(crate) r#type: &'static str,
}

/// Headers that are set.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct HeaderModifier {
    pub(crate) set: Map,
}

/// Repeated attempts.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Retry {
    pub(crate) attempts: u32,
    pub(crate) codes: Vec<u16>,
}

/// How long one attempt may take.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Timeout {
    pub(crate) backend_request_timeout: String,
}

/// The path that the backend sees.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct UrlRewrite {
    pub(crate) path: FullPath,
}

/// All of it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct FullPath {
    pub(crate) full: &'static str,
}

/// Where a route leads, with the policies of the backend itself.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Backend {
    #[serde(flatten)]
    pub(crate) target: Target,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policies: Option<BackendPolicies>,
}

/// A hosted API, or a group of pods.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Target {
    /// A hosted API.
    Ai(Ai),
    /// A service that `services` declares, by `namespace/hostname`.
    Service {
        /// `namespace/hostname`
        name: String,
        /// The container's port.
        port: u16,
    },
}

/// A hosted API.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ai {
    pub(crate) name: String,
    pub(crate) provider: Provider,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) host_override: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path_prefix: Option<String>,
    /// Counts the prompt before it is sent, so that a bucket of tokens is charged up front.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) tokenize: bool,
}

/// What a hosted API speaks; exactly one of the fields. (An enum would be written as a YAML tag.)
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Provider {
    #[serde(skip_serializing_if = "Option::is_none")]
    azure: Option<Azure>,
    #[serde(rename = "openAI", skip_serializing_if = "Option::is_none")]
    open_ai: Option<Hosted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    anthropic: Option<Hosted>,
}

/// Azure OpenAI.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Azure {
    /// The resource's name, not its URL.
    pub(crate) resource_name: String,
    /// Which of Azure's hosts.
    pub(crate) resource_type: &'static str,
    /// The deployment.
    pub(crate) model: String,
    /// `api-version`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) api_version: Option<String>,
}

/// An API of which only the model is said.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Hosted {
    model: String,
}

impl Provider {
    /// Azure OpenAI.
    pub(crate) fn azure(azure: Azure) -> Self {
        Self {
            azure: Some(azure),
            ..Self::default()
        }
    }

    /// Anthropic, by the model's name there.
    pub(crate) fn anthropic(model: String) -> Self {
        Self {
            anthropic: Some(Hosted { model }),
            ..Self::default()
        }
    }

    /// OpenAI, by the model's name there.
    pub(crate) fn open_ai(model: String) -> Self {
        Self {
            open_ai: Some(Hosted { model }),
            ..Self::default()
        }
    }
}

/// Policies of a backend.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BackendPolicies {
    #[serde(rename = "backendTLS", skip_serializing_if = "Option::is_none")]
    pub(crate) backend_tls: Option<Map>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) inference_routing: Option<InferenceRouting>,
}

/// Which picker chooses the pod.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InferenceRouting {
    pub(crate) endpoint_picker: Host,
    pub(crate) destination_mode: &'static str,
}

/// `host:port`
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Host {
    pub(crate) host: String,
}

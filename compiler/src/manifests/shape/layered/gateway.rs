//! Layer 2: agentgateway, with a route a tier.

mod routes;

use std::collections::BTreeMap;

use waypost_lang::codes;
use waypost_lang::diagnostic::Diagnostic;

use super::layers::{Layers, Upstream};
use super::{picker, router};
use crate::manifests::agentgateway::{
    Bind, Catalog, CatalogModel, CatalogSource, Config, Listener, Process, RateTier, Rates,
    Route as GatewayRoute, Service,
};
use crate::manifests::config_map::{fingerprint, of_texts};
use crate::manifests::container::{Container, Probe, leave_endpoints_first, port, resources};
use crate::manifests::deployment::{
    DRAIN_SECONDS, GRACE_SECONDS, Replacement, Workload, deployment,
};
use crate::manifests::documents::{Documents, commented};
use crate::manifests::labels;
use crate::manifests::network_policy::{Peer, Policy};
use crate::manifests::object::{dns_name, pair};
use crate::manifests::pod_monitor::Scrape;
use crate::manifests::rbac::service_account;
use crate::manifests::secrets::SecretMounts;
use crate::manifests::service::{http, service};
use crate::manifests::shape::egress::{namespace_of, port_of};
use crate::manifests::versions::InferenceExtension;
use crate::manifests::volume::{Volume, read};
use crate::manifests::{Target, yaml};
use crate::program::{Pool, PoolSource, ProviderKind};
use waypost_policies::cost::{self, Sort};

/// The Deployment, the Service, and the label that monitors select by.
pub(super) const APP: &str = "agentgateway";
/// Where routes listen.
pub(super) const PORT: u16 = 4000;
const STATS_PORT: u16 = 15020;
const READINESS_PORT: u16 = 15021;
const CONFIG_MAP: &str = "agentgateway-config";
const CONFIG_FILE: &str = "config.yaml";
const SECRET_DIRECTORY: &str = "/etc/agentgateway/secrets";

/// The layer, ready to be written.
pub(super) struct Gateway {
    image: String,
    config: Config,
    counts: bool,
}

impl Gateway {
    /// The layer of a file; adds the keys that it mounts to `secrets`.
    pub(super) fn new(
        target: &Target<'_>,
        layers: &Layers<'_>,
        extension: &InferenceExtension,
        tag: String,
        secrets: &mut SecretMounts,
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut written = Vec::new();
        let mut faults = Vec::new();
        for route in layers.routes() {
            match routes::write(target, layers, route, extension, secrets) {
                Ok(route) => written.push(route),
                Err(fault) => faults.push(*fault),
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let counts = written
            .iter()
            .any(|route| !route.policies.local_rate_limit.is_empty());
        Ok(Self {
            image: format!("cr.agentgateway.dev/agentgateway:{tag}"),
            config: config(target, layers, written),
            counts,
        })
    }

    /// That a gateway with limits is one pod, whatever the file says.
    pub(super) fn warnings(&self, target: &Target<'_>) -> Option<Diagnostic> {
        let replicas = target.deploy.replicas;
        (self.counts && replicas.high > 1).then(|| {
            codes::SHAPE_CANNOT_CARRY
                .warning(
                    target.deploy.span,
                    "`shape layered` carries `replicas` for RouteLLM only",
                )
                .label("agentgateway stays at one pod: several would each count their limits, and multiply them")
                .help("use `shape waypost`, or write no `limit`, if one gateway is too few")
        })
    }

    /// Writes the account.
    pub(super) fn write_access(&self, target: &Target<'_>, documents: &mut Documents) {
        documents.add(&service_account(target, APP), &[]);
    }

    /// Writes config, policy, Deployment and Service.
    pub(super) fn write(
        &self,
        target: &Target<'_>,
        layers: &Layers<'_>,
        secrets: &SecretMounts,
        documents: &mut Documents,
    ) {
        let text = self.config_text(target, layers);
        let data = pair(CONFIG_FILE, text.clone());
        let notes = ["read by the agentgateway process; it is no Kubernetes object itself".into()];
        documents.add(&of_texts(target.metadata(CONFIG_MAP, APP), data), &notes);
        let note = "only RouteLLM comes in, so no call goes around the decision".into();
        documents.add(&policy(target, layers).object(target), &[note]);
        let object = deployment(target, self.workload(target, &text, secrets));
        documents.add(&object, &self.deployment_notes());
        documents.add(&service(target, APP, http(PORT)), &[]);
    }

    fn config_text(&self, target: &Target<'_>, layers: &Layers<'_>) -> String {
        let mut notes = Vec::new();
        for route in layers.routes() {
            let origin = target.origin(route.tier.name.span);
            notes.push(format!(
                "/{}: tier `{}`, {origin}",
                route.name(),
                route.tier.name.value
            ));
            if let (Upstream::Pool(..), Some(_)) = (&route.upstream, &route.model.price) {
                let model = &route.model.name.value;
                notes.push(format!(
                    "no price of `{model}` here: its route reports no usage"
                ));
            }
        }
        // Structs of strings and numbers: serialising them cannot fail, and an empty config would not start.
        commented(&notes, &yaml::to_string(&self.config).unwrap_or_default())
    }

    fn workload<'a>(
        &self,
        target: &Target<'_>,
        config: &str,
        secrets: &SecretMounts,
    ) -> Workload<'a> {
        let mut volumes = vec![Volume::config_map("config", CONFIG_MAP)];
        volumes.extend(secrets.volumes());
        Workload {
            app: APP,
            replacement: if self.counts {
                Replacement::Single
            } else {
                Replacement::Rolling(Some(target.deploy.replicas.low))
            },
            api_access: false,
            grace_seconds: GRACE_SECONDS,
            annotations: pair("waypost/config-fingerprint", fingerprint(config.as_bytes())),
            identity: false,
            init_containers: Vec::new(),
            container: self.container(secrets),
            volumes,
        }
    }

    fn container(&self, secrets: &SecretMounts) -> Container {
        let mut mounts = vec![read("config", "/etc/agentgateway/config")];
        mounts.extend(secrets.mounts(SECRET_DIRECTORY));
        Container {
            args: vec![
                "-f".into(),
                format!("/etc/agentgateway/config/{CONFIG_FILE}"),
            ],
            ports: vec![
                port("http", PORT),
                port("metrics", STATS_PORT),
                port("readiness", READINESS_PORT),
            ],
            readiness_probe: Some(Probe::http("/healthz/ready", "readiness")),
            liveness_probe: Some(Probe::http("/healthz/ready", "readiness").patient(12)),
            lifecycle: Some(leave_endpoints_first()),
            volume_mounts: mounts,
            ..Container::new(APP, self.image.clone(), resources("500m", "128Mi", "1Gi"))
        }
    }

    fn deployment_notes(&self) -> Vec<String> {
        if self.counts {
            vec![
                "one pod, never two: each counts its limits by itself, so more would multiply them"
                    .into(),
            ]
        } else {
            Vec::new()
        }
    }

    /// What Prometheus scrapes.
    pub(super) fn scrape(&self, target: &Target<'_>) -> Scrape {
        Scrape {
            name: APP.into(),
            namespace: target.namespace().to_owned(),
            labels: labels::selector(APP),
            port_name: Some("metrics"),
            port: STATS_PORT,
            token_secret: None,
        }
    }
}

/// The Service's address within the cluster.
pub(super) fn host(target: &Target<'_>) -> String {
    format!("{APP}.{}.svc.cluster.local:{PORT}", target.namespace())
}

/// The host that a pool's pods are declared under: KAITO's Service has it; for other pods it is a name only.
fn hostname(target: &Target<'_>, pool: &Pool) -> String {
    let name = match pool.source {
        PoolSource::Kaito { .. } => pool.workspace(),
        _ => dns_name(&pool.name.value),
    };
    format!("{name}.{}.svc.cluster.local", target.namespace())
}

fn config(target: &Target<'_>, layers: &Layers<'_>, routes: Vec<GatewayRoute>) -> Config {
    Config {
        config: Process {
            stats_addr: format!("0.0.0.0:{STATS_PORT}"),
            readiness_addr: format!("0.0.0.0:{READINESS_PORT}"),
            connection_termination_deadline: format!("{DRAIN_SECONDS}s"),
            model_catalog: catalog(layers),
        },
        services: services(target, layers),
        binds: vec![Bind {
            port: PORT,
            listeners: vec![Listener {
                name: "default",
                protocol: "HTTP",
                routes,
            }],
        }],
    }
}

fn services(target: &Target<'_>, layers: &Layers<'_>) -> Vec<Service> {
    let mut services: Vec<Service> = Vec::new();
    for route in layers.routes() {
        let Upstream::Pool(_, pool, pods) = &route.upstream else {
            continue;
        };
        let hostname = hostname(target, pool);
        if services.iter().all(|service| service.hostname != hostname) {
            services.push(Service {
                name: dns_name(&pool.name.value),
                namespace: target.namespace().to_owned(),
                hostname,
                vips: [],
                ports: BTreeMap::from([(pods.port, pods.port)]),
            });
        }
    }
    services
}

/// Prices of the hosted models that have a route, under the name that agentgateway calls their provider.
fn catalog(layers: &Layers<'_>) -> Vec<CatalogSource> {
    let mut catalog = Catalog::default();
    for route in layers.routes() {
        let (Upstream::Provider(provider), Some(price)) = (&route.upstream, &route.model.price)
        else {
            continue;
        };
        let name = match provider.kind {
            ProviderKind::AzureOpenAi => "azure",
            ProviderKind::OpenAi | ProviderKind::OpenAiCompatible => "openai",
            ProviderKind::Anthropic => "anthropic",
            ProviderKind::Gemini => "gcp.gemini",
            ProviderKind::Bedrock => "aws.bedrock",
        };
        let models = &mut catalog.providers.entry(name.into()).or_default().models;
        let longer = price.rows().iter();
        let longer = longer.filter(|row| row.service == cost::Service::Standard && row.above > 0);
        let model = CatalogModel {
            rates: rates(&price.base()),
            tiers: longer.map(tier).collect(),
        };
        models.insert(route.model.upstream_name.clone(), model);
    }
    if catalog.providers.is_empty() {
        Vec::new()
    } else {
        vec![CatalogSource { inline: catalog }]
    }
}

fn tier(row: &cost::Row) -> RateTier {
    RateTier {
        context_over: row.above,
        rates: rates(&row.rates),
    }
}

/// It knows one price for what is written to a cache: the usual time's.
fn rates(rates: &cost::Rates) -> Rates {
    let said = |sort| rates.said(sort).map(|rate| per_million(rate.0));
    Rates {
        input: per_million(rates.of(Sort::Input).0),
        cache_read: per_million(rates.of(Sort::Cached).0),
        cache_write: said(Sort::CacheWrite),
        output: per_million(rates.of(Sort::Output).0),
        reasoning: said(Sort::Reasoning),
        input_audio: said(Sort::AudioInput),
        output_audio: said(Sort::AudioOutput),
    }
}

/// Nano-dollars as the US dollars that agentgateway reads: at most six decimals, what is finer rounded up.
fn per_million(nanos: i64) -> String {
    let micros = nanos.saturating_add(999) / 1000;
    let (whole, rest) = (micros / 1_000_000, micros % 1_000_000);
    let text = format!("{whole}.{rest:06}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn policy(target: &Target<'_>, layers: &Layers<'_>) -> Policy {
    let mut policy = Policy::of(APP)
        .admit(vec![Peer::pods(labels::selector(router::APP))], &[PORT])
        .admit_monitor(target.deploy.monitor, STATS_PORT)
        .reach_dns();
    let mut outside = Vec::new();
    for route in layers.routes() {
        match &route.upstream {
            Upstream::Pool(_, pool, pods) => {
                policy = policy
                    .reach(
                        vec![Peer::pods(labels::selector(&picker::app(pool)))],
                        picker::PORT,
                    )
                    .reach(vec![Peer::pods(pods.labels.clone())], pods.port);
            }
            Upstream::Provider(provider) => {
                outside.push(port_of(&provider.url));
                if let Some(namespace) = namespace_of(&provider.url) {
                    policy = policy.reach_namespace(&namespace);
                }
            }
        }
    }
    outside.sort_unstable();
    outside.dedup();
    if outside.is_empty() {
        policy
    } else {
        policy.reach_anywhere(&outside)
    }
}

#[cfg(test)]
mod tests {
    use super::per_million;

    #[test]
    fn rates_are_exact_decimal_strings() {
        assert_eq!(per_million(1_250_000_000), "1.25");
        assert_eq!(per_million(37_500_000), "0.0375");
        assert_eq!(per_million(10_000_000_000), "10");
        assert_eq!(per_million(1), "0.000001");
        assert_eq!(per_million(0), "0");
    }
}

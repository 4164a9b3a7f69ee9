//! Layer 1: RouteLLM, whose two answers are agentgateway's two routes.
//!
//! Its server takes one base URL for both models and sends penalties that newer models reject; the launcher
//! below gives each model its own route and drops what the model rejects. RouteLLM publishes no image, so an
//! init container installs the package.

use std::collections::BTreeMap;

use serde::Serialize;
use waypost_lang::codes;
use waypost_lang::diagnostic::Diagnostic;
use waypost_lang::source::Span;

use super::gateway;
use super::layers::{Layers, Route};
use crate::manifests::autoscaler::autoscaler;
use crate::manifests::config_map::{fingerprint, of_texts};
use crate::manifests::container::{
    Container, Probe, Variable, leave_endpoints_first, port, resources,
};
use crate::manifests::deployment::{GRACE_SECONDS, Replacement, Workload, deployment};
use crate::manifests::disruption_budget::disruption_budget;
use crate::manifests::documents::Documents;
use crate::manifests::labels;
use crate::manifests::network_policy::{Peer, Policy};
use crate::manifests::object::{Map, pair};
use crate::manifests::rbac::service_account;
use crate::manifests::secrets::in_cluster;
use crate::manifests::service::{http, service};
use crate::manifests::volume::{Volume, read, write};
use crate::manifests::{Target, yaml};
use crate::program::{ProviderAuth, ProviderKind};

/// The Deployment, the Service and the account.
pub(super) const APP: &str = "routellm";
const PORT: u16 = 6060;
const CONFIG_MAP: &str = "routellm-config";
const DIRECTORY: &str = "/etc/routellm";
const PACKAGES: &str = "/opt/routellm";
const PACKAGE: &str = "routellm[serve]==0.2.0";
const IMAGE: &str = "python:3.11-slim";
/// The router's weights, by their name on Hugging Face.
const CHECKPOINT: &str = "routellm/mf_gpt4_augmented";
/// The Secret that must exist where no provider of the file has a key for OpenAI.
const OPENAI_SECRET: (&str, &str) = ("routellm-openai", "api-key");

/// Runs the server with each model sent to its own route.
const LAUNCHER: &str = r#"import json
import runpy

import litellm
import routellm.controller as controller

with open("/etc/routellm/upstreams.json", encoding="utf-8") as upstreams:
    UPSTREAMS = json.load(upstreams)

litellm.drop_params = True


def through_gateway(complete):
    def send(**request):
        upstream = UPSTREAMS[request["model"]]
        for parameter in upstream["drop"]:
            request.pop(parameter, None)
        # The gateway holds the keys; OPENAI_API_KEY is the router's own and goes to OpenAI only.
        request.update(api_base=upstream["api_base"], api_key="none")
        return complete(**request)

    return send


controller.completion = through_gateway(controller.completion)
controller.acompletion = through_gateway(controller.acompletion)
runpy.run_module("routellm.openai_server", run_name="__main__")
"#;

#[derive(Debug, Serialize)]
struct ModelRoute {
    /// The client adds `/chat/completions`: every base has the shape `/TIER/v1`.
    api_base: String,
    drop: Vec<String>,
}

/// The layer, ready to be written.
pub(super) struct Router {
    strong: String,
    weak: String,
    upstreams: BTreeMap<String, ModelRoute>,
    openai: (String, String),
    key_is_declared: bool,
    model_name: String,
    rule: Span,
}

impl Router {
    /// The layer of a file.
    pub(super) fn new(target: &Target<'_>, layers: &Layers<'_>) -> Result<Self, Vec<Diagnostic>> {
        let (strong, weak) = (model(&layers.strong), model(&layers.weak));
        if strong == weak {
            let message = "RouteLLM tells its two models apart by name";
            let name = &layers.strong.model.name;
            return Err(vec![
                codes::SHAPE_NEEDS
                    .error(name.span, message)
                    .because(
                        layers.weak.model.name.span,
                        "this one has the same name upstream",
                    )
                    .help("give one of them another deployment, or use `shape waypost`"),
            ]);
        }
        let upstreams = layers
            .routes()
            .into_iter()
            .map(|route| (model(route), upstream(target, route)))
            .collect();
        let declared = openai_key(target);
        let (secret, key) = declared.unwrap_or(OPENAI_SECRET);
        Ok(Self {
            strong,
            weak,
            upstreams,
            openai: (secret.to_owned(), key.to_owned()),
            key_is_declared: declared.is_some(),
            model_name: layers.router_name(),
            rule: layers.rule.span,
        })
    }

    /// What the operator must bring that the file does not name.
    pub(super) fn warnings(&self, target: &Target<'_>) -> Option<Diagnostic> {
        if self.key_is_declared {
            return None;
        }
        let (secret, key) = &self.openai;
        let message =
            "RouteLLM embeds every prompt with OpenAI, and no provider here has a key for it";
        Some(
            codes::SHAPE_CANNOT_CARRY
                .warning(self.rule, message)
                .label("`shape layered` leaves this rule to RouteLLM's `mf` router")
                .help(format!(
                    "keep a key in the Secret `{}/{secret}` under `{key}`, or use `shape waypost`, which needs none",
                    target.namespace()
                )),
        )
    }

    /// Writes the account.
    pub(super) fn write_access(&self, target: &Target<'_>, documents: &mut Documents) {
        documents.add(&service_account(target, APP), &[]);
    }

    /// Writes config, policy, Deployment, Service, disruption budget and autoscaler.
    pub(super) fn write(&self, target: &Target<'_>, documents: &mut Documents) {
        let data = self.files();
        let notes = [
            format!(
                "{}: clients ask for the model {}",
                target.origin(self.rule),
                self.model_name
            ),
            "a threshold means nothing until it is calibrated on one's own traffic".into(),
        ];
        let fingerprint = fingerprint(
            &data
                .values()
                .flat_map(|text| text.bytes())
                .collect::<Vec<u8>>(),
        );
        documents.add(&of_texts(target.metadata(CONFIG_MAP, APP), data), &notes);
        let note =
            "RouteLLM checks no key: without `anonymous allow` only pods of this namespace come in";
        documents.add(&policy(target).object(target), &[note.to_owned()]);
        let notes = [
            format!(
                "OPENAI_API_KEY is for the router itself: `mf` embeds every prompt, a paid call ({}/{})",
                self.openai.0, self.openai.1
            ),
            "RouteLLM publishes no image; build one with its packages to start faster".into(),
        ];
        documents.add(
            &deployment(target, self.workload(target, fingerprint)),
            &notes,
        );
        documents.add(&service(target, APP, http(PORT)), &[]);
        documents.add(&disruption_budget(target, APP), &[]);
        if let Some(scaler) = autoscaler(target, APP, target.deploy.replicas) {
            documents.add(&scaler, &[]);
        }
    }

    fn files(&self) -> Map {
        let weights = BTreeMap::from([("mf", pair("checkpoint_path", CHECKPOINT))]);
        // Maps of strings: serialising them cannot fail, and an empty file would not start.
        let config = yaml::to_string(&weights).unwrap_or_default();
        let upstreams = serde_json::to_string_pretty(&self.upstreams).unwrap_or_default() + "\n";
        Map::from([
            ("config.yaml".into(), config),
            ("start.py".into(), LAUNCHER.into()),
            ("upstreams.json".into(), upstreams),
        ])
    }

    fn workload<'a>(&self, target: &Target<'_>, fingerprint: String) -> Workload<'a> {
        let replicas = target.deploy.replicas;
        let fixed = (replicas.high <= replicas.low).then_some(replicas.low);
        Workload {
            app: APP,
            replacement: Replacement::Rolling(fixed),
            api_access: false,
            grace_seconds: GRACE_SECONDS,
            annotations: pair("waypost/config-fingerprint", fingerprint),
            identity: false,
            init_containers: vec![install()],
            container: self.container(),
            volumes: vec![
                Volume::config_map("config", CONFIG_MAP),
                Volume::empty("packages", "12Gi"),
                Volume::empty("cache", "4Gi"),
            ],
        }
    }

    fn container(&self) -> Container {
        let arguments = [
            "--routers",
            "mf",
            "--config",
            "/etc/routellm/config.yaml",
            "--strong-model",
            &self.strong,
            "--weak-model",
            &self.weak,
            "--port",
            "6060",
        ];
        let (secret, key) = &self.openai;
        Container {
            command: vec!["python".into(), format!("{DIRECTORY}/start.py")],
            args: arguments.map(str::to_owned).to_vec(),
            env: vec![
                Variable::secret("OPENAI_API_KEY", secret, key),
                Variable::plain("HF_HOME", "/tmp/huggingface"),
                Variable::plain("HOME", "/tmp"),
                Variable::plain("PYTHONPATH", PACKAGES),
            ],
            ports: vec![port("http", PORT)],
            startup_probe: Some(Probe::http("/health", "http").patient(120)),
            readiness_probe: Some(Probe::http("/health", "http")),
            liveness_probe: Some(Probe::http("/health", "http").patient(12)),
            lifecycle: Some(leave_endpoints_first()),
            volume_mounts: vec![
                read("config", DIRECTORY),
                read("packages", PACKAGES),
                write("cache", "/tmp"),
            ],
            ..Container::new(APP, IMAGE, resources("1", "2Gi", "6Gi"))
        }
    }
}

fn install() -> Container {
    let arguments = [
        "-m",
        "pip",
        "install",
        "--no-cache-dir",
        "--target",
        PACKAGES,
        PACKAGE,
    ];
    Container {
        command: vec!["python".into()],
        args: arguments.map(str::to_owned).to_vec(),
        env: vec![Variable::plain("HOME", "/tmp")],
        volume_mounts: vec![write("packages", PACKAGES), write("cache", "/tmp")],
        ..Container::new("install", IMAGE, resources("500m", "1Gi", "4Gi"))
    }
}

/// The model as litellm calls it: spoken to as OpenAI.
fn model(route: &Route<'_>) -> String {
    format!("openai/{}", route.model.upstream_name)
}

fn upstream(target: &Target<'_>, route: &Route<'_>) -> ModelRoute {
    let mut drop = route.model.rejects.clone();
    drop.sort();
    drop.dedup();
    ModelRoute {
        api_base: format!("http://{}/{}/v1", gateway::host(target), route.name()),
        drop,
    }
}

/// A key of OpenAI itself, in a Secret of the namespace.
fn openai_key<'p>(target: &Target<'p>) -> Option<(&'p str, &'p str)> {
    let mut providers = target.program.providers.iter();
    providers.find_map(|provider| match (provider.kind, provider.auth) {
        (ProviderKind::OpenAi, ProviderAuth::Secret(index)) => in_cluster(target, index).ok(),
        _ => None,
    })
}

fn policy(target: &Target<'_>) -> Policy {
    let clients = if target.program.policy.anonymous {
        Peer::cluster()
    } else {
        Peer::own_namespace()
    };
    let gateway = vec![Peer::pods(labels::selector(gateway::APP))];
    Policy::of(APP)
        .admit(vec![clients], &[PORT])
        .reach_dns()
        .reach(gateway, gateway::PORT)
        // Packages, the router's weights, OpenAI's embeddings.
        .reach_anywhere(&[443])
}

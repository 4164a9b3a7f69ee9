//! Layer 3: an Endpoint Picker a pool, with the InferencePool and the objectives.
//!
//! It serves plaintext, since agentgateway's standalone config dials plaintext; so only agentgateway may
//! reach it.

use waypost_lang::codes;
use waypost_lang::diagnostic::Diagnostic;

use super::gateway;
use super::layers::{Layers, Route, Upstream};
use crate::manifests::config_map::{fingerprint, of_texts};
use crate::manifests::container::{Container, Probe, Variable, port, resources};
use crate::manifests::deployment::{Replacement, Workload, deployment};
use crate::manifests::documents::Documents;
use crate::manifests::inference_pool::{objective, pool};
use crate::manifests::labels;
use crate::manifests::network_policy::{Peer, Policy};
use crate::manifests::object::{dns_name, is_dns_label, pair};
use crate::manifests::picker_config::picker_config;
use crate::manifests::pod_monitor::Scrape;
use crate::manifests::rbac::{self, Rule};
use crate::manifests::service::{ServicePort, service};
use crate::manifests::shape::egress::API_SERVER;
use crate::manifests::shape::serving::Pods;
use crate::manifests::versions::InferenceExtension;
use crate::manifests::volume::{Volume, read};
use crate::manifests::{Refusal, Target, yaml};
use crate::program::{Engine, Pool};

/// Where the picker speaks ext-proc; the Service's port too, which the InferencePool names.
pub(super) const PORT: u16 = 9002;
const HEALTH_PORT: u16 = 9003;
const METRICS_PORT: u16 = 9090;
const CONFIG_FILE: &str = "picker.yaml";
const METRICS_READER: &str = "metrics-reader";

/// The picker of one pool.
pub(super) struct Picker<'p> {
    pub(super) pool: &'p Pool,
    pub(super) pods: Pods,
    /// Its Deployment, Service and account.
    pub(super) app: String,
    version: InferenceExtension,
}

/// What a pool's picker is called.
pub(super) fn app(pool: &Pool) -> String {
    format!("{}-epp", dns_name(&pool.name.value))
}

/// What the calls of `route` are called at its pool's picker.
pub(super) fn objective_name(pool: &Pool, route: &Route<'_>) -> String {
    format!("{}-{}", dns_name(&pool.name.value), route.name())
}

fn pool_name(pool: &Pool) -> String {
    format!("{}-pool", dns_name(&pool.name.value))
}

impl<'p> Picker<'p> {
    /// The pickers of the pools that a route leads to.
    pub(super) fn all(
        layers: &Layers<'p>,
        version: &InferenceExtension,
    ) -> Result<Vec<Self>, Vec<Diagnostic>> {
        let mut pickers: Vec<Self> = Vec::new();
        for route in layers.routes() {
            let Upstream::Pool(_, pool, pods) = &route.upstream else {
                continue;
            };
            if pickers
                .iter()
                .any(|picker| std::ptr::eq(picker.pool, *pool))
            {
                continue;
            }
            check_engine(pool, version).map_err(|fault| vec![*fault])?;
            pickers.push(Self {
                pool,
                pods: pods.clone(),
                app: app(pool),
                version: version.clone(),
            });
        }
        Ok(pickers)
    }

    /// Writes account, roles and network policy.
    pub(super) fn write_access(&self, target: &Target<'_>, documents: &mut Documents) {
        let app = self.app.as_str();
        documents.add(&rbac::service_account(target, app), &[]);
        documents.add(&rbac::role(app, target.namespace(), self.rules()), &[]);
        documents.add(&rbac::role_binding(target, app, target.namespace()), &[]);
        if !self.version.metrics_can_be_open() {
            self.write_metrics_access(target, documents);
        }
        let note = format!("{PORT} is plaintext, as agentgateway dials it: nobody else reaches it");
        documents.add(&self.policy(target).object(target), &[note]);
    }

    fn rules(&self) -> Vec<Rule> {
        vec![
            Rule::read("", &["pods"]),
            Rule::read("inference.networking.k8s.io", &["inferencepools"]),
            Rule::read(
                self.version.objective_group(),
                &[
                    "inferenceobjectives",
                    "inferencemodelrewrites",
                    "inferencepools",
                ],
            ),
        ]
    }

    /// Version 1.0 asks the API server about every scrape's token, and has no flag against it.
    fn write_metrics_access(&self, target: &Target<'_>, documents: &mut Documents) {
        let reviews = vec![
            Rule::on("authentication.k8s.io", &["tokenreviews"], &["create"]),
            Rule::on(
                "authorization.k8s.io",
                &["subjectaccessreviews"],
                &["create"],
            ),
        ];
        let note = "asks whether the token of a scrape may read /metrics".into();
        documents.add(&rbac::cluster_role(target, &self.app, reviews), &[note]);
        documents.add(
            &rbac::cluster_role_binding(target, &self.app, &self.app),
            &[],
        );
        let reader = self.reader();
        let read = vec![Rule {
            non_resource_urls: Some(vec!["/metrics"]),
            verbs: vec!["get"],
            ..Rule::default()
        }];
        documents.add(&rbac::service_account(target, &reader), &[]);
        let note = "the cluster writes the token; there is no value here".into();
        documents.add(&rbac::token_secret(target, &reader), &[note]);
        documents.add(&rbac::cluster_role(target, &reader, read), &[]);
        documents.add(&rbac::cluster_role_binding(target, &reader, &reader), &[]);
    }

    fn reader(&self) -> String {
        format!("{}-{METRICS_READER}", self.app)
    }

    fn policy(&self, target: &Target<'_>) -> Policy {
        Policy::of(&self.app)
            .admit(vec![Peer::pods(labels::selector(gateway::APP))], &[PORT])
            .admit_monitor(target.deploy.monitor, METRICS_PORT)
            .reach_dns()
            .reach(vec![Peer::pods(self.pods.labels.clone())], self.pods.port)
            .reach_anywhere(&API_SERVER)
    }

    /// Writes pool, objectives, config, Deployment and Service.
    pub(super) fn write(
        &self,
        target: &Target<'_>,
        layers: &Layers<'_>,
        documents: &mut Documents,
    ) {
        self.write_pool(target, layers, documents);
        let config = picker_config(&self.version, &self.pool.place);
        // Structs of strings and numbers: serialising them cannot fail, and an empty config would not start.
        let text = yaml::to_string(&config).unwrap_or_default();
        let place = self.pool.place.span.unwrap_or(self.pool.name.span);
        let notes = [format!(
            "place {}: {}",
            self.pool.name.value,
            target.origin(place)
        )];
        let metadata = target.metadata(&self.app, &self.app);
        documents.add(&of_texts(metadata, pair(CONFIG_FILE, text.clone())), &notes);
        let notes = ["one pod: what it remembers of prefixes is in it".to_owned()];
        documents.add(&deployment(target, self.workload(target, &text)), &notes);
        let port = ServicePort {
            name: "grpc",
            port: PORT,
            target_port: "grpc",
            app_protocol: Some("kubernetes.io/h2c"),
        };
        documents.add(&service(target, &self.app, port), &[]);
    }

    fn write_pool(&self, target: &Target<'_>, layers: &Layers<'_>, documents: &mut Documents) {
        let name = pool_name(self.pool);
        let object = pool(
            target.metadata(&name, &self.app),
            self.pods.labels.clone(),
            self.pods.port,
            (&self.app, PORT),
        );
        let notes = [
            format!(
                "pool `{}`: {}",
                self.pool.name.value,
                target.origin(self.pool.name.span)
            ),
            format!(
                "{} is the container's port, not the Service's; {PORT} is the picker Service's",
                self.pods.port
            ),
        ];
        documents.add(&object, &notes);
        let note = "higher is served first, below zero is shed when the pool is saturated";
        for (name, priority) in self.objectives(target, layers) {
            let metadata = target.metadata(&name, &self.app);
            let object = objective(&self.version, metadata, &pool_name(self.pool), priority);
            documents.add(&object, &[note.to_owned()]);
        }
    }

    /// One objective a route, with the priority that holds for every call, and one for each rule with a `when`.
    fn objectives(&self, target: &Target<'_>, layers: &Layers<'_>) -> Vec<(String, i64)> {
        let rules = &target.program.policy.priorities;
        let always = rules.iter().filter(|rule| rule.when.is_none());
        let base = always.map(|rule| rule.value).max().unwrap_or(0);
        let mine = |route: &&Route<'_>| matches!(&route.upstream, Upstream::Pool(_, pool, _) if std::ptr::eq(*pool, self.pool));
        let routes = layers.routes().into_iter().filter(mine);
        let mut objectives: Vec<(String, i64)> = routes
            .map(|route| (objective_name(self.pool, route), base))
            .collect();
        let pool = dns_name(&self.pool.name.value);
        for (at, rule) in rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| rule.when.is_some())
        {
            let by_label = format!("{pool}-{}", dns_name(&rule.label.text));
            let name = if rule.label.written && is_dns_label(&by_label) {
                by_label
            } else {
                format!("{pool}-priority-{at}")
            };
            objectives.push((name, rule.value));
        }
        objectives
    }

    fn workload(&self, target: &Target<'_>, config: &str) -> Workload<'_> {
        Workload {
            app: &self.app,
            replacement: Replacement::Single,
            api_access: true,
            // As long as the longest answer that a pod of the pool may still stream.
            grace_seconds: 130,
            annotations: pair("waypost/config-fingerprint", fingerprint(config.as_bytes())),
            identity: false,
            init_containers: Vec::new(),
            container: self.container(target),
            volumes: vec![Volume::config_map("config", &self.app)],
        }
    }

    fn container(&self, target: &Target<'_>) -> Container {
        let mut env = vec![
            Variable::field("NAMESPACE", "metadata.namespace"),
            Variable::field("POD_NAME", "metadata.name"),
        ];
        env.extend(self.saturation());
        Container {
            args: self.arguments(target),
            env,
            ports: vec![
                port("grpc", PORT),
                port("grpc-health", HEALTH_PORT),
                port("metrics", METRICS_PORT),
            ],
            readiness_probe: Some(Probe::grpc(HEALTH_PORT, "inference-extension")),
            liveness_probe: Some(Probe::grpc(HEALTH_PORT, "inference-extension").patient(12)),
            volume_mounts: vec![read("config", "/config")],
            ..Container::new(
                "epp",
                self.version.picker_image(),
                resources("1", "2Gi", "8Gi"),
            )
        }
    }

    fn arguments(&self, target: &Target<'_>) -> Vec<String> {
        let mut arguments = vec![
            format!("--pool-name={}", pool_name(self.pool)),
            format!("--pool-namespace={}", target.namespace()),
            "--pool-group=inference.networking.k8s.io".into(),
            format!("--config-file=/config/{CONFIG_FILE}"),
            format!("--grpc-port={PORT}"),
            format!("--grpc-health-port={HEALTH_PORT}"),
            "--secure-serving=false".into(),
            "--zap-encoder=json".into(),
        ];
        if self.version.has_metric_flags() {
            arguments.extend(metric_flags(&self.pool.engine));
        }
        if self.version.has_tracing_flag() {
            arguments.push("--tracing=false".into());
        }
        if self.version.metrics_can_be_open() {
            arguments.push("--metrics-endpoint-auth=false".into());
        }
        arguments
    }

    /// Thresholds of saturation, where the version reads them from the environment.
    fn saturation(&self) -> Vec<Variable> {
        if self.version.saturation_is_a_plugin() {
            return Vec::new();
        }
        let place = &self.pool.place;
        let queue = place
            .saturate_queue
            .map(|depth| Variable::plain("SD_QUEUE_DEPTH_THRESHOLD", depth.to_string()));
        let kv_cache = place.saturate_kv_cache.map(|share| {
            let share = f64::from(share.0) / 10_000.0;
            Variable::plain("SD_KV_CACHE_UTIL_THRESHOLD", share.to_string())
        });
        queue.into_iter().chain(kv_cache).collect()
    }

    /// What Prometheus scrapes.
    pub(super) fn scrape(&self, target: &Target<'_>) -> Scrape {
        let token_secret = format!("{}-token", self.reader());
        Scrape {
            name: self.app.clone(),
            namespace: target.namespace().to_owned(),
            labels: labels::selector(&self.app),
            port_name: Some("metrics"),
            port: METRICS_PORT,
            token_secret: Some(token_secret).filter(|_| !self.version.metrics_can_be_open()),
        }
    }
}

/// The engine's metric names. vLLM's are written out too: the picker's default up to 1.2 is a name that vLLM
/// has since dropped, and a metric that is not found reads as an idle replica.
fn metric_flags(engine: &Engine) -> [String; 3] {
    let (queue, kv_cache, lora) = match engine {
        Engine::Vllm => (
            "vllm:num_requests_waiting",
            "vllm:kv_cache_usage_perc",
            "vllm:lora_requests_info",
        ),
        Engine::Sglang => ("sglang:num_queue_reqs", "sglang:token_usage", ""),
        Engine::Trtllm => (
            "trtllm_num_requests_waiting",
            "trtllm_kv_cache_utilization",
            "",
        ),
        Engine::Custom {
            queue, kv_cache, ..
        } => (queue.as_str(), kv_cache.as_str(), ""),
    };
    [
        format!("--total-queued-requests-metric={queue}"),
        format!("--kv-cache-usage-percentage-metric={kv_cache}"),
        format!("--lora-info-metric={lora}"),
    ]
}

fn check_engine(pool: &Pool, version: &InferenceExtension) -> Result<(), Refusal> {
    if version.has_metric_flags() || pool.engine == Engine::Vllm {
        return Ok(());
    }
    let message = "from inference extension 1.6 on, the picker is written for vllm only";
    Err(codes::VERSIONS_CANNOT_EXPRESS
        .error(pool.name.span, message)
        .help("write `inference-extension \"1.5\"`, whose picker takes metric names as flags")
        .into())
}

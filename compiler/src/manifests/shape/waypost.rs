//! `shape waypost`: our runtime makes all three decisions, beside the pods that serve models.

use std::collections::{BTreeMap, BTreeSet};

use waypost_lang::codes;
use waypost_lang::diagnostic::Diagnostic;

use super::egress::{API_SERVER, inside_namespaces, outside_ports};
use super::serving::{self, Pods};
use crate::manifests::Target;
use crate::manifests::autoscaler::autoscaler;
use crate::manifests::config_map::{self, fingerprint};
use crate::manifests::container::{Container, Probe, leave_endpoints_first, port, resources};
use crate::manifests::deployment::{
    DRAIN_SECONDS, GRACE_SECONDS, Replacement, Workload, deployment,
};
use crate::manifests::disruption_budget::disruption_budget;
use crate::manifests::documents::Documents;
use crate::manifests::labels;
use crate::manifests::namespace;
use crate::manifests::network_policy::{Peer, Policy};
use crate::manifests::object::pair;
use crate::manifests::pod_monitor::{self, Scrape, pod_monitor};
use crate::manifests::rbac::{self, Rule};
use crate::manifests::secrets::SecretMounts;
use crate::manifests::service::{http, service};
use crate::manifests::volume::{self, Volume, read};
use crate::program::{Pool, ProviderAuth};

const APP: &str = "waypost";
const PLAN: &str = "waypost-plan";
const PLAN_FILE: &str = "plan.waypost";
const PLAN_DIRECTORY: &str = "/etc/waypost/plan";
/// Where the runtime keeps what is used, if it is not told otherwise.
const STATE_DIRECTORY: &str = "/var/lib/waypost";
/// Well above what a million buckets take, twice.
const STATE_LIMIT: &str = "1Gi";
const SECRET_DIRECTORY: &str = "/etc/waypost/secrets";
const CLIENT_PORT: u16 = 8080;
const ADMIN_PORT: u16 = 9901;

/// Writes every object of the shape, in apply order.
pub(crate) fn write(
    target: &Target<'_>,
    plan: &[u8],
    documents: &mut Documents,
) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
    check_plan(target, plan)?;
    let secrets = secrets(target)?;
    let pools = &target.program.pools;
    namespace::write(target, documents);
    let note = has_identity(target).then(|| {
        "Azure's identity: annotate it with `azure.workload.identity/client-id`, your client's id"
            .to_owned()
    });
    let notes: Vec<String> = note.into_iter().collect();
    documents.add(&rbac::service_account(target, APP), &notes);
    write_roles(target, documents);
    write_plan(target, plan, documents);
    write_policies(target, documents);
    let diagnostics = serving::write_workspaces(target, pools, documents);
    let object = deployment(target, workload(target, plan, &secrets));
    documents.add(&object, &deployment_notes(target));
    documents.add(&service(target, APP, http(CLIENT_PORT)), &[]);
    documents.add(&disruption_budget(target, APP), &[]);
    if let Some(scaler) = autoscaler(target, APP, target.deploy.replicas) {
        documents.add(&scaler, &[]);
    }
    write_monitors(target, documents);
    Ok(diagnostics)
}

fn check_plan(target: &Target<'_>, plan: &[u8]) -> Result<(), Vec<Diagnostic>> {
    if plan.len() <= config_map::LARGEST {
        return Ok(());
    }
    let message = format!(
        "the plan is {} bytes, more than the 1 MiB that a ConfigMap holds",
        plan.len()
    );
    Err(vec![
        codes::SHAPE_NEEDS
            .error(target.deploy.span, message)
            .help("split the file, or give the plan to `waypost-runtime` by an image of your own"),
    ])
}

/// The secrets that the plan reads: of providers that models use, of callers, of the shared state.
fn secrets(target: &Target<'_>) -> Result<SecretMounts, Vec<Diagnostic>> {
    let program = target.program;
    let of_providers = program
        .providers
        .iter()
        .filter_map(|provider| match provider.auth {
            ProviderAuth::Secret(index) => Some(index),
            ProviderAuth::WorkloadIdentity | ProviderAuth::None => None,
        });
    let used: BTreeSet<usize> = of_providers
        .chain(program.policy.keys)
        .chain(target.deploy.redis.map(|redis| redis.secret))
        .collect();
    let mut mounts = SecretMounts::default();
    let faults: Vec<Diagnostic> = used
        .into_iter()
        .filter_map(|index| mounts.add(target, index).err())
        .map(|fault| *fault)
        .collect();
    if faults.is_empty() {
        Ok(mounts)
    } else {
        Err(faults)
    }
}

/// Whether a provider is asked as the pod that Azure knows.
fn has_identity(target: &Target<'_>) -> bool {
    let mut providers = target.program.providers.iter();
    providers.any(|provider| provider.auth == ProviderAuth::WorkloadIdentity)
}

/// The pods that the runtime watches and calls, by pool.
fn watched<'t>(target: &'t Target<'_>) -> impl Iterator<Item = (&'t Pool, Pods)> {
    target
        .program
        .pools
        .iter()
        .filter_map(|pool| Some((pool, serving::pods(target, pool)?)))
}

/// Reading pods, in the namespaces of the pools and nowhere else.
fn write_roles(target: &Target<'_>, documents: &mut Documents) {
    let namespaces: BTreeSet<String> = watched(target).map(|(_, pods)| pods.namespace).collect();
    for namespace in namespaces {
        let note = format!("the pools' pods in `{namespace}` are watched, not a Service");
        let rules = vec![Rule::read("", &["pods"])];
        documents.add(&rbac::role(APP, &namespace, rules), &[note]);
        documents.add(&rbac::role_binding(target, APP, &namespace), &[]);
    }
}

fn write_plan(target: &Target<'_>, plan: &[u8], documents: &mut Documents) {
    let object = config_map::of_octets(target.metadata(PLAN, APP), PLAN_FILE, plan);
    let mut notes = vec!["the sealed plan; the runtime verifies it before it serves".to_owned()];
    if plan.len() > config_map::LARGEST_OF_CLIENT_SIDE {
        notes.push(
            "too large for the annotation that `kubectl apply` keeps: add `--server-side`".into(),
        );
    }
    documents.add(&object, &notes);
}

fn write_policies(target: &Target<'_>, documents: &mut Documents) {
    let mut policy = Policy::of(APP)
        .admit(vec![Peer::cluster()], &[CLIENT_PORT])
        .admit_monitor(target.deploy.monitor, ADMIN_PORT)
        .reach_dns();
    let mut by_port: BTreeMap<u16, Vec<Peer>> = BTreeMap::new();
    for (_, pods) in watched(target) {
        let peer = Peer::pods_in(&pods.namespace, pods.labels);
        by_port.entry(pods.port).or_default().push(peer);
    }
    for (port, peers) in by_port {
        policy = policy.reach(peers, port);
    }
    for namespace in inside_namespaces(target.program) {
        policy = policy.reach_namespace(&namespace);
    }
    let mut outside = outside_ports(target.program);
    if watched(target).next().is_some() {
        outside.extend(API_SERVER);
    }
    if !outside.is_empty() {
        let ports: Vec<u16> = outside.into_iter().collect();
        policy = policy.reach_anywhere(&ports);
    }
    let note =
        format!("{ADMIN_PORT} shows decisions and the plan: nobody but a monitor reaches it");
    documents.add(&policy.object(target), &[note]);
    for pool in &target.program.pools {
        let callers = vec![Peer::pods(labels::selector(APP))];
        serving::write_policy(target, pool, callers, documents);
    }
}

fn workload<'a>(target: &Target<'_>, plan: &[u8], secrets: &SecretMounts) -> Workload<'a> {
    let replicas = target.deploy.replicas;
    let fixed = (replicas.high <= replicas.low).then_some(replicas.low);
    let mut volumes = vec![
        Volume::config_map("plan", PLAN),
        Volume::empty("state", STATE_LIMIT),
    ];
    volumes.extend(secrets.volumes());
    Workload {
        app: APP,
        replacement: Replacement::Rolling(fixed),
        api_access: watched(target).next().is_some(),
        grace_seconds: GRACE_SECONDS,
        annotations: pair("waypost/plan-fingerprint", fingerprint(plan)),
        identity: has_identity(target),
        init_containers: Vec::new(),
        container: container(target, secrets),
        volumes,
    }
}

fn container(target: &Target<'_>, secrets: &SecretMounts) -> Container {
    let image = target.deploy.image.clone().unwrap_or_else(default_image);
    let mut mounts = vec![
        read("plan", PLAN_DIRECTORY),
        volume::write("state", STATE_DIRECTORY),
    ];
    mounts.extend(secrets.mounts(SECRET_DIRECTORY));
    Container {
        command: vec!["waypost-runtime".into()],
        args: vec![
            format!("{PLAN_DIRECTORY}/{PLAN_FILE}"),
            "--listen".into(),
            format!("0.0.0.0:{CLIENT_PORT}"),
            "--admin".into(),
            format!("0.0.0.0:{ADMIN_PORT}"),
            "--drain".into(),
            DRAIN_SECONDS.to_string(),
        ],
        ports: vec![port("http", CLIENT_PORT), port("admin", ADMIN_PORT)],
        readiness_probe: Some(Probe::http("/readyz", "admin")),
        liveness_probe: Some(Probe::http("/healthz", "admin")),
        lifecycle: Some(leave_endpoints_first()),
        volume_mounts: mounts,
        ..Container::new(APP, image, resources("500m", "128Mi", "512Mi"))
    }
}

fn default_image() -> String {
    format!(
        "ghcr.io/waypost/waypost-runtime:{}",
        env!("CARGO_PKG_VERSION")
    )
}

fn deployment_notes(target: &Target<'_>) -> Vec<String> {
    let mut notes = vec![
        format!("deploy: {}", target.origin(target.deploy.span)),
        "a new plan changes the fingerprint, so it rolls out".into(),
    ];
    if target.deploy.replicas.high > target.deploy.replicas.low {
        notes.push(
            "no replicas: the autoscaler counts them, and two controllers would fight".into(),
        );
    }
    notes
}

fn write_monitors(target: &Target<'_>, documents: &mut Documents) {
    let Some(monitor) = target.deploy.monitor else {
        return;
    };
    let own = Scrape {
        name: APP.into(),
        namespace: target.namespace().to_owned(),
        labels: labels::selector(APP),
        port_name: Some("admin"),
        port: ADMIN_PORT,
        token_secret: None,
    };
    let notes = pod_monitor::notes(monitor);
    documents.add(&pod_monitor(target, monitor, own), &notes);
    for (pool, pods) in watched(target) {
        let scrape = serving::scrape(pool, pods);
        documents.add(&pod_monitor(target, monitor, scrape), &notes);
    }
}

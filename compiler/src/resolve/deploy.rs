//! `deploy kubernetes { … }`: where it runs.

use waypost_lang::codes;
use waypost_lang::source::{Span, Spanned};
use waypost_lang::syntax::tree::{self, Range};

use super::bounds::{out_of_range, replicas};
use super::collected::Collected;
use super::context::Context;
use super::names::{conflict, duplicate};
use super::values::{meaningless, missing, namespace, word};
use crate::checks::{secret_placeholder, this_version, versions};
use crate::program::{Deploy, Monitor, Redis, Shape, Versions};

const SHAPES: &[(&str, Shape)] = &[
    ("waypost", Shape::Waypost),
    ("layered", Shape::Layered),
    ("gateway-api", Shape::GatewayApi),
];
const MONITORS: &[(&str, Monitor)] = &[
    ("azure", Monitor::Azure),
    ("prometheus", Monitor::Prometheus),
];

#[derive(Clone, Copy)]
enum Component {
    InferenceExtension,
    Kaito,
    Agentgateway,
}

const COMPONENTS: &[(&str, Component)] = &[
    ("inference-extension", Component::InferenceExtension),
    ("kaito", Component::Kaito),
    ("agentgateway", Component::Agentgateway),
];

pub(crate) fn resolve(collected: &Collected<'_>, context: &mut Context<'_>) -> Option<Deploy> {
    let mut deploys = collected.deploys.iter();
    let (span, deploy) = deploys.next()?;
    for (_, second) in deploys {
        let found = conflict(
            "where it is deployed",
            second.target.span,
            deploy.target.span,
        );
        context.findings.push(found);
    }
    resolve_one(*span, deploy, context)
}

fn resolve_one(span: Span, deploy: &tree::Deploy, context: &mut Context<'_>) -> Option<Deploy> {
    let targets = [("kubernetes", ())];
    let target = word("target", &deploy.target, &targets, context.findings);
    let namespace = deployment_namespace(deploy, context);
    let shape = shape(deploy, context);
    let one = Range { low: 1, high: 1 };
    let range = deploy.replicas.as_ref();
    let range = range.map_or(Some(one), |range| replicas(range, context.findings));
    let monitor = deploy.monitor.as_ref();
    let monitor = monitor.and_then(|name| word("monitor", name, MONITORS, context.findings));
    let redis = redis(deploy, context);
    let image = image(deploy, context);
    let versions = component_versions(deploy, context);
    target?;
    Some(Deploy {
        span,
        namespace: namespace?,
        shape: shape?,
        replicas: range?,
        monitor,
        redis,
        image,
        versions,
    })
}

fn deployment_namespace(deploy: &tree::Deploy, context: &mut Context<'_>) -> Option<String> {
    let Some(text) = &deploy.namespace else {
        let why = "which namespace is everything in?";
        let example = "namespace \"llm\"";
        let at = deploy.target.span;
        missing(at, "`deploy`", "namespace", why, example, context.findings);
        return None;
    };
    let real = secret_placeholder::is_real(text, context.findings);
    let name = namespace(text, context.findings).filter(|_| real)?;
    if name == "kube-system" {
        context.findings.push(
            codes::SHAPE_NEEDS
                .error(text.span, "nothing is deployed into `kube-system`")
                .label("belongs to the cluster")
                .help("write a namespace of its own, such as `namespace \"llm\"`: monitors are not read here"),
        );
    }
    Some(name)
}

fn shape(deploy: &tree::Deploy, context: &mut Context<'_>) -> Option<Shape> {
    let Some(name) = &deploy.shape else {
        return Some(Shape::Waypost);
    };
    let shape = word("shape", name, SHAPES, context.findings)?;
    if shape == Shape::GatewayApi {
        context.findings.push(this_version::gateway_api(name));
    }
    Some(shape)
}

/// Where replicas share what is used.
fn redis(deploy: &tree::Deploy, context: &mut Context<'_>) -> Option<Redis> {
    let state = deploy.state.as_ref()?;
    let kinds = [("local", false), ("redis", true)];
    if word("store of limits", &state.kind, &kinds, context.findings)? {
        return shared(state, context);
    }
    let owner = "`state local`";
    if let Some(name) = &state.secret {
        let help = "delete it, or write `state redis secret NAME`";
        meaningless(name.span, "secret", owner, help, context.findings);
    }
    if let Some(name) = &state.away {
        let help = "delete it: what a replica keeps by itself is never away";
        meaningless(name.span, "away", owner, help, context.findings);
    }
    None
}

fn shared(state: &tree::StateStore, context: &mut Context<'_>) -> Option<Redis> {
    let away = [("deny", false), ("share", true)];
    let shares = state.away.as_ref().map_or(Some(false), |name| {
        word("way to go on", name, &away, context.findings)
    });
    let Some(name) = &state.secret else {
        let why = "where is it?";
        let example = "state redis secret redis_url";
        let owner = "`state redis`";
        missing(state.span, owner, "secret", why, example, context.findings);
        return None;
    };
    Some(Redis {
        span: state.span,
        secret: context.names.secrets.resolve(name, context.findings)?,
        shares: shares?,
    })
}

fn image(deploy: &tree::Deploy, context: &mut Context<'_>) -> Option<String> {
    let text = deploy.image.as_ref()?;
    let real = secret_placeholder::is_real(text, context.findings);
    let bad = text.value.is_empty() || text.value.contains(char::is_whitespace);
    if real && bad {
        out_of_range(
            text.span,
            format!("`{}` is no image", text.value),
            "no registry could find it",
            "write, for example, `\"ghcr.io/acme/waypost:0.1.0\"`",
            context.findings,
        );
    }
    (real && !bad).then(|| text.value.clone())
}

fn component_versions(deploy: &tree::Deploy, context: &mut Context<'_>) -> Versions {
    let mut resolved = Versions::default();
    let mut seen: Vec<&tree::Name> = Vec::new();
    for (name, version) in &deploy.versions {
        let what = "component with a version";
        let Some(component) = word(what, name, COMPONENTS, context.findings) else {
            continue;
        };
        if let Some(first) = seen.iter().find(|one| one.value == name.value) {
            let found = duplicate("version of", name, first.span);
            context.findings.push(found);
        }
        seen.push(name);
        context
            .findings
            .extend(versions::check(&name.value, version));
        let version: Option<Spanned<String>> = Some(version.clone());
        match component {
            Component::InferenceExtension => resolved.inference_extension = version,
            Component::Kaito => resolved.kaito = version,
            Component::Agentgateway => resolved.agentgateway = version,
        }
    }
    resolved
}

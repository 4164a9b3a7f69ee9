//! `pool NAME { … }`: groups of replicas, and where they come from.

use waypost_lang::codes;
use waypost_lang::source::Span;
use waypost_lang::syntax::tree::{self, Name, Text};

use super::bounds::{number, out_of_range, replicas};
use super::collected::Collected;
use super::context::Context;
use super::names::{conflict, duplicate};
use super::place;
use super::values::{
    host_and_port, is_label_name, is_label_value, meaningless, missing, namespace, server, word,
};
use crate::checks::{secret_placeholder, service_port};
use crate::findings::Findings;
use crate::program::{Engine, Place, Pool, PoolSource};

/// The port that KAITO's containers listen on.
pub(crate) const KAITO_PORT: u16 = 5000;

/// Where everything is deployed when no file says.
pub(crate) const DEFAULT_NAMESPACE: &str = "default";

#[derive(Clone, Copy)]
enum EngineWord {
    Vllm,
    Sglang,
    Trtllm,
    Custom,
}

const ENGINES: &[(&str, EngineWord)] = &[
    ("vllm", EngineWord::Vllm),
    ("sglang", EngineWord::Sglang),
    ("trtllm", EngineWord::Trtllm),
    ("custom", EngineWord::Custom),
];

pub(crate) fn resolve(collected: &Collected<'_>, context: &mut Context<'_>) -> Option<Vec<Pool>> {
    let places = place::resolve(collected, context);
    let mut resolved = Vec::new();
    for pool in &collected.pools {
        if context.names.pools.owns(&pool.name) {
            let place = places.get(&pool.name.value).cloned();
            resolved.push(resolve_one(
                pool,
                place.unwrap_or_else(place::unwritten),
                context,
            ));
        }
    }
    resolved.into_iter().collect()
}

fn resolve_one(pool: &tree::Pool, place: Place, context: &mut Context<'_>) -> Option<Pool> {
    let owner = format!("pool `{}`", pool.name.value);
    let engine = engine(pool, &owner, context);
    let source = source(pool, engine.as_ref(), &owner, context);
    Some(Pool {
        name: pool.name.clone(),
        engine: engine?,
        source: source?,
        place,
    })
}

fn engine(pool: &tree::Pool, owner: &str, context: &mut Context<'_>) -> Option<Engine> {
    let Some(engine) = &pool.engine else {
        // KAITO's presets run vLLM.
        if pool.kaito.is_some() {
            return Some(Engine::Vllm);
        }
        let why = "how are its metrics called?";
        let at = pool.name.span;
        missing(at, owner, "engine", why, "engine vllm", context.findings);
        return None;
    };
    match word("engine", &engine.name, ENGINES, context.findings)? {
        EngineWord::Vllm => Some(Engine::Vllm),
        EngineWord::Sglang => Some(Engine::Sglang),
        EngineWord::Trtllm => Some(Engine::Trtllm),
        EngineWord::Custom => custom(engine, context),
    }
}

fn custom(engine: &tree::Engine, context: &mut Context<'_>) -> Option<Engine> {
    let signals = [("queue", 0), ("running", 1), ("kv-cache", 2)];
    let mut metrics: [Option<&tree::Text>; 3] = [None; 3];
    for (signal, metric) in &engine.metrics {
        let at = word("signal", signal, &signals, context.findings)?;
        if let Some(slot) = metrics.get_mut(at) {
            if let Some(first) = slot {
                let what = format!("the metric of `{}`", signal.value);
                context
                    .findings
                    .push(conflict(&what, metric.span, first.span));
            }
            *slot = Some(metric);
        }
    }
    let [queue, running, kv_cache] = metrics.map(|one| one.map(|text| text.value.clone()));
    Some(Engine::Custom {
        queue: queue.unwrap_or_default(),
        running: running.unwrap_or_default(),
        kv_cache: kv_cache.unwrap_or_default(),
    })
}

fn source(
    pool: &tree::Pool,
    engine: Option<&Engine>,
    owner: &str,
    context: &mut Context<'_>,
) -> Option<PoolSource> {
    let mut ways: Vec<Span> = Vec::new();
    ways.extend(pool.kaito.as_ref().map(|kaito| kaito.span));
    ways.extend(pool.selector.as_ref().map(|selector| selector.span));
    ways.extend(pool.endpoints.first().map(|text| text.span));
    ways.extend(pool.dns.as_ref().map(|text| text.span));
    if let [first, second, ..] = *ways {
        context.findings.push(
            codes::BAD_VALUE
                .error(second, format!("{owner} finds its replicas in two ways"))
                .label("a second way")
                .because(first, "the first way")
                .help("keep one; a second group of replicas is a second pool"),
        );
        return None;
    }
    if let Some(kaito) = &pool.kaito {
        return kaito_source(pool, kaito, owner, context);
    }
    if let Some(selector) = &pool.selector {
        return selector_source(pool, selector, engine, owner, context);
    }
    if let (Some(port), [_]) = (&pool.port, ways.as_slice()) {
        let help = "write the port into each address";
        let what = "a pool of addresses";
        meaningless(port.span, "port", what, help, context.findings);
    }
    if let Some(name) = &pool.dns {
        let real = secret_placeholder::is_real(name, context.findings);
        let address = host_and_port(name, context.findings).filter(|_| real);
        return address.map(PoolSource::Dns);
    }
    if pool.endpoints.is_empty() {
        let why = "where are its replicas?";
        let example = "endpoints \"http://gpu-1.lab:8000\"";
        missing(
            pool.name.span,
            owner,
            "endpoints",
            why,
            example,
            context.findings,
        );
        return None;
    }
    static_source(pool, context)
}

fn kaito_source(
    pool: &tree::Pool,
    kaito: &tree::Kaito,
    owner: &str,
    context: &mut Context<'_>,
) -> Option<PoolSource> {
    let port = port(pool, Some(KAITO_PORT), owner, context);
    let range = kaito.replicas.as_ref();
    let range = range.map_or(Some(tree::Range { low: 1, high: 1 }), |range| {
        replicas(range, context.findings)
    });
    let Some(preset) = &kaito.preset else {
        let why = "which model does it serve?";
        let example = "preset \"phi-4-mini-instruct\"";
        let of = format!("`kaito` of {owner}");
        missing(kaito.span, &of, "preset", why, example, context.findings);
        return None;
    };
    let texts = [Some(preset), kaito.instance.as_ref()];
    let placeholders = texts.into_iter().flatten();
    let placeholders =
        placeholders.filter(|text| !secret_placeholder::is_real(text, context.findings));
    let real = placeholders.count() == 0;
    let instance = kaito.instance.as_ref();
    Some(PoolSource::Kaito {
        preset: preset.value.clone(),
        instance: instance.map(|text| text.value.clone()).unwrap_or_default(),
        replicas: range.filter(|_| real)?,
        port: port?,
    })
}

fn selector_source(
    pool: &tree::Pool,
    selector: &tree::Selector,
    engine: Option<&Engine>,
    owner: &str,
    context: &mut Context<'_>,
) -> Option<PoolSource> {
    // The ports that the engines' own servers listen on when started without a port.
    let usual = match engine {
        Some(Engine::Vllm | Engine::Trtllm) => Some(8000),
        Some(Engine::Sglang) => Some(30000),
        Some(Engine::Custom { .. }) | None => None,
    };
    let port = port(pool, usual, owner, context);
    if selector.labels.is_empty() {
        let of = format!("`selector` of {owner}");
        let why = "would select every pod of the namespace";
        let at = selector.span;
        missing(
            at,
            &of,
            "label",
            why,
            "selector { app: \"vllm\" }",
            context.findings,
        );
        return None;
    }
    let mut labels: Vec<(String, String)> = Vec::new();
    let mut good = true;
    for (label, value) in &selector.labels {
        good &= is_label(label, value, context.findings);
        if labels.iter().any(|(known, _)| *known == label.value) {
            let first = selector
                .labels
                .iter()
                .find(|(one, _)| one.value == label.value);
            let first = first.map_or(label.span, |(one, _)| one.span);
            context.findings.push(duplicate("label", label, first));
        } else {
            labels.push((label.value.clone(), value.value.clone()));
        }
    }
    labels.sort();
    let namespace = match &selector.namespace {
        Some(text) => namespace(text, context.findings)?,
        None => match &context.namespace {
            Some(namespace) => namespace.clone(),
            None => DEFAULT_NAMESPACE.to_owned(),
        },
    };
    good.then_some(PoolSource::Selector {
        labels,
        namespace,
        port: port?,
    })
}

/// Whether pods can carry the label; the API server refuses a selector that none could match.
fn is_label(label: &Name, value: &Text, findings: &mut Findings) -> bool {
    let name_is_good = is_label_name(&label.value);
    if !name_is_good {
        out_of_range(
            label.span,
            format!("`{}` is no name of a label", label.value),
            "Kubernetes would refuse it",
            "write at most 63 letters, digits and inner `-`, `_` and `.`, such as `app`",
            findings,
        );
    }
    let value_is_good = is_label_value(&value.value);
    if !value_is_good {
        out_of_range(
            value.span,
            format!("`{}` is no value of a label", value.value),
            "Kubernetes would refuse it",
            "write at most 63 letters, digits and inner `-`, `_` and `.`",
            findings,
        );
    }
    name_is_good && value_is_good
}

fn static_source(pool: &tree::Pool, context: &mut Context<'_>) -> Option<PoolSource> {
    let mut urls: Vec<String> = Vec::new();
    let mut good = true;
    for text in &pool.endpoints {
        let real = secret_placeholder::is_real(text, context.findings);
        match real
            .then(|| server("endpoint", text, context.findings))
            .flatten()
        {
            Some(url) if urls.contains(&url) => {
                out_of_range(
                    text.span,
                    format!("`{url}` is listed twice"),
                    "would get twice the calls",
                    "list each replica once",
                    context.findings,
                );
            }
            Some(url) => urls.push(url),
            None => good = false,
        }
    }
    good.then_some(PoolSource::Static(urls))
}

fn port(
    pool: &tree::Pool,
    usual: Option<u16>,
    owner: &str,
    context: &mut Context<'_>,
) -> Option<u16> {
    match (&pool.port, usual) {
        (Some(port), _) => {
            let number = number("a port", port, 1, 65535, context.findings)?;
            if let Some(fault) = service_port::check(port, pool, owner) {
                context.findings.push(fault);
            }
            u16::try_from(number).ok()
        }
        (None, Some(usual)) => Some(usual),
        (None, None) => {
            let why = "which port do its containers listen on?";
            missing(
                pool.name.span,
                owner,
                "port",
                why,
                "port 8000",
                context.findings,
            );
            None
        }
    }
}

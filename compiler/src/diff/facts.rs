//! Everything a file says beside its rules, as short texts by subject and field: models, tiers, pools, callers, the deployment.
//!
//! A file's names are what it is compared by; where something stands and in what order it is declared says nothing.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use waypost_lang::Span;
use waypost_policies::cost::{Price, Row, Service, Sort};

use super::rules::{dollars, duration, percent};
use super::search::{Both, Goal, Search};
use super::{Change, ChangeKind, Side, Witness, place, redactions};
use crate::program::{
    Content, Deploy, Engine, Model, Monitor, Pool, PoolSource, Program, Provider, ProviderAuth,
    Secret, SecretSource, Shape, Step, Tier, Via,
};

/// What one subject says: a text for each field, and where it stands.
#[derive(Debug, Default)]
struct Subject {
    span: Option<Span>,
    fields: BTreeMap<Cow<'static, str>, String>,
}

impl Subject {
    fn at(span: Span) -> Self {
        Self {
            span: Some(span),
            ..Self::default()
        }
    }

    fn say(&mut self, field: impl Into<Cow<'static, str>>, value: impl Into<String>) {
        self.fields.insert(field.into(), value.into());
    }

    fn say_some(&mut self, field: &'static str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.say(field, value.to_string());
        }
    }
}

/// The subjects of a file, by kind and name.
type Subjects = BTreeMap<(&'static str, String), Subject>;

/// Every setting that was added, removed or changed.
pub(super) fn compare(old: Side<'_>, new: Side<'_>, search: &mut Search<'_>) -> Vec<Change> {
    let (before, after) = (subjects(old.program), subjects(new.program));
    let names: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let mut changes = Vec::new();
    for key in names {
        let (was, is) = (before.get(key), after.get(key));
        let details = details(was, is);
        let kind = match (was, is) {
            (None, _) => ChangeKind::Added,
            (_, None) => ChangeKind::Removed,
            _ if details.is_empty() => continue,
            _ => ChangeKind::Changed,
        };
        let (word, name) = key;
        changes.push(Change {
            kind,
            subject: match name.is_empty() {
                true => (*word).to_owned(),
                false => format!("{word} `{name}`"),
            },
            details,
            old: was.and_then(|one| Some(place(old, one.span?))),
            new: is.and_then(|one| Some(place(new, one.span?))),
            is_rule: *word == "redaction",
            witness: match *word {
                "redaction" => redactions::witness(old, new, name),
                _ => decides(word, was, is)
                    .then(|| witness(word, name, (old, new), search))
                    .flatten(),
            },
        });
    }
    changes
}

fn details(was: Option<&Subject>, is: Option<&Subject>) -> Vec<String> {
    let (Some(was), Some(is)) = (was, is) else {
        let only = was.or(is);
        let fields = only.into_iter().flat_map(|subject| &subject.fields);
        return fields
            .map(|(field, value)| format!("{field} {value}"))
            .collect();
    };
    let fields: std::collections::BTreeSet<_> = was.fields.keys().chain(is.fields.keys()).collect();
    let changed = fields.into_iter().filter_map(|field| {
        let (old, new) = (was.fields.get(field), is.fields.get(field));
        let say = |value: Option<&String>| value.map_or("none", String::as_str).to_owned();
        (old != new).then(|| format!("{field}: {} -> {}", say(old), say(new)))
    });
    changed.collect()
}

/// Whether what changed can decide about a single call.
fn decides(word: &str, was: Option<&Subject>, is: Option<&Subject>) -> bool {
    let fields: &[&str] = match word {
        "content" => &["accepts", "starts at", "threshold"],
        "tier" => &["tries"],
        "model" => &["context", "longest answer", "serves"],
        _ => return false,
    };
    let say = |subject: Option<&Subject>, field: &str| subject?.fields.get(field).cloned();
    fields.iter().any(|field| say(was, field) != say(is, field))
}

/// A request that shows it, for what decides about single calls.
fn witness(
    word: &str,
    name: &str,
    (old, new): (Side<'_>, Side<'_>),
    search: &mut Search<'_>,
) -> Option<Witness> {
    let is_of_section = |both: &Both| {
        let section = |side: Side<'_>, index: Option<u16>| {
            let content = side.program.contents.get(usize::from(index?));
            Some(content?.name == name)
        };
        section(old, both.old.1.content) == Some(true)
            || section(new, both.new.1.content) == Some(true)
    };
    let is_of_tier = |both: &Both| both.old.0.tier == name || both.new.0.tier == name;
    let is_of_model = |both: &Both| both.old.0.model == name || both.new.0.model == name;
    let (is_meant, section): (&dyn Fn(&Both) -> bool, _) = match word {
        "content" => (&is_of_section, Some(name)),
        "tier" => (&is_of_tier, None),
        "model" => (&is_of_model, None),
        _ => return None,
    };
    let escalations = [old.program, new.program]
        .into_iter()
        .flat_map(|program| &program.contents)
        .filter(|content| section.is_none_or(|section| content.name == section))
        .flat_map(|content| &content.escalations);
    search.witness(&Goal {
        conditions: escalations.map(|rule| &rule.when).collect(),
        section,
        names: Vec::new(),
        before: Vec::new(),
        is_of_time: false,
        is_meant,
    })
}

fn subjects(program: &Program) -> Subjects {
    let mut all = Subjects::new();
    let mut add = |word, name: &str, subject| drop(all.insert((word, name.to_owned()), subject));
    let chain: Vec<&str> = program.tiers.iter().map(|tier| &*tier.name.value).collect();
    let mut tiers = Subject::default();
    tiers.say("chain", chain.join(" < "));
    add("tiers", "", tiers);
    for one in &program.tiers {
        add("tier", &one.name.value, tier(one, program));
    }
    for one in &program.models {
        add("model", &one.name.value, model(one, program));
    }
    for one in &program.providers {
        add("provider", &one.name.value, provider(one, program));
    }
    for one in &program.pools {
        add("pool", &one.name.value, pool(one, program));
    }
    for one in &program.contents {
        add("content", &one.name, content(one, program));
    }
    add("callers", "", callers(program));
    for (name, places) in redactions(program) {
        let mut subject = Subject::default();
        subject.say("hidden in", places);
        add("redaction", &name, subject);
    }
    if let Some(one) = &program.deploy {
        add("deploy", "", deploy(one, program));
    }
    all
}

fn model_name(program: &Program, index: usize) -> String {
    let model = program.models.get(index);
    model.map_or_else(String::new, |model| model.name.value.clone())
}

fn secret(program: &Program, index: usize) -> String {
    let secret = program.secrets.get(index);
    secret.map_or_else(String::new, |Secret { source, .. }| match source {
        SecretSource::Kubernetes {
            namespace,
            name,
            key,
        } => format!("k8s {namespace}/{name} {key}"),
        SecretSource::Environment(name) => format!("env {name}"),
        SecretSource::File(path) => format!("file {path}"),
    })
}

fn tier(tier: &Tier, program: &Program) -> Subject {
    let step = |step: &Step| match step {
        Step::Try(model) => model_name(program, model.value),
        Step::Split { arms, key } => {
            let arms: Vec<String> = arms
                .iter()
                .map(|(model, share)| {
                    format!("{} {}", model_name(program, model.value), percent(share.0))
                })
                .collect();
            let key = key.as_ref().map_or_else(String::new, |key| {
                format!(" by {:?}", key.without_spans().kind)
            });
            format!("split {}{key}", arms.join(", "))
        }
    };
    let steps: Vec<String> = tier.steps.iter().map(step).collect();
    let mut subject = Subject::at(tier.name.span);
    subject.say("tries", steps.join(" then "));
    subject.say_some("timeout", tier.timeout.map(duration));
    subject.say("retries", tier.retries.to_string());
    subject.say_some(
        "hedge",
        tier.hedge.as_ref().map(|hedge| duration(hedge.value)),
    );
    subject
}

/// What tokens cost. The cached input of the usual row always has its line: what nobody wrote changes with the input.
fn price(row: &Row, subject: &mut Subject) {
    let is_usual = row.service == Service::Standard && row.above == 0;
    for sort in Sort::ALL {
        let shown = row.rates.said(sort).is_some() || (is_usual && sort == Sort::Cached);
        if !shown {
            continue;
        }
        let mut fact = format!("price of {}", spoken(sort));
        if row.service != Service::Standard {
            fact += &format!(", {}", row.service.word());
        }
        if row.above > 0 {
            fact += &format!(", prompts above {} tokens", row.above);
        }
        let rate = dollars(row.rates.of(sort).0);
        subject.say(fact, format!("{rate} per 1M tokens"));
    }
}

const fn spoken(sort: Sort) -> &'static str {
    match sort {
        Sort::Input => "input",
        Sort::Cached => "cached input",
        Sort::CacheWrite => "cache writes",
        Sort::CacheWriteHour => "cache writes for an hour",
        Sort::AudioInput => "audio input",
        Sort::AudioCached => "cached audio input",
        Sort::ImageInput => "image input",
        Sort::Output => "output",
        Sort::Reasoning => "reasoning",
        Sort::AudioOutput => "audio output",
    }
}

fn model(model: &Model, program: &Program) -> Subject {
    let mut subject = Subject::at(model.name.span);
    let via = match model.via {
        Via::Provider(index) => program.providers.get(index).map(|one| &one.name.value),
        Via::Pool(index) => program.pools.get(index).map(|one| &one.name.value),
    };
    let via = via.map_or("", String::as_str);
    subject.say("served by", format!("{via} as {}", model.upstream_name));
    subject.say_some("context", model.context);
    subject.say_some("longest answer", model.output);
    for row in model.price.iter().flat_map(Price::rows) {
        price(row, &mut subject);
    }
    let mut rejects = model.rejects.clone();
    rejects.sort();
    subject.say("rejects", rejects.join(", "));
    let serves = [
        (model.serves.chat, "chat"),
        (model.serves.completions, "completions"),
        (model.serves.embeddings, "embeddings"),
    ];
    let serves: Vec<&str> = serves
        .into_iter()
        .filter_map(|(serves, name)| serves.then_some(name))
        .collect();
    subject.say("serves", serves.join(", "));
    let lacks: Vec<&str> = model.lacks.words().collect();
    subject.say("lacks", lacks.join(", "));
    subject
}

fn provider(provider: &Provider, program: &Program) -> Subject {
    let mut subject = Subject::at(provider.name.span);
    subject.say("kind", format!("{:?}", provider.kind));
    subject.say("url", provider.url.clone());
    subject.say("version", provider.version.clone());
    subject.say(
        "auth",
        match provider.auth {
            ProviderAuth::Secret(index) => secret(program, index),
            ProviderAuth::WorkloadIdentity => "workload-identity".to_owned(),
            ProviderAuth::None => "none".to_owned(),
        },
    );
    subject
}

fn pool(pool: &Pool, _: &Program) -> Subject {
    let mut subject = Subject::at(pool.name.span);
    subject.say(
        "engine",
        match &pool.engine {
            Engine::Vllm => "vllm".to_owned(),
            Engine::Sglang => "sglang".to_owned(),
            Engine::Trtllm => "trtllm".to_owned(),
            Engine::Custom {
                queue,
                running,
                kv_cache,
            } => format!("custom: queue {queue}, running {running}, kv-cache {kv_cache}"),
        },
    );
    match &pool.source {
        PoolSource::Kaito {
            preset,
            instance,
            replicas,
            port,
        } => {
            subject.say("preset", preset.clone());
            subject.say("instance", instance.clone());
            subject.say("replicas", format!("{}..{}", replicas.low, replicas.high));
            subject.say("port", port.to_string());
        }
        PoolSource::Selector {
            labels,
            namespace,
            port,
        } => {
            subject.say("selector", format!("{labels:?} in {namespace}"));
            subject.say("port", port.to_string());
        }
        PoolSource::Static(endpoints) => {
            let mut endpoints = endpoints.clone();
            endpoints.sort();
            subject.say("endpoints", endpoints.join(", "));
        }
        PoolSource::Dns(name) => subject.say("dns", name.clone()),
    }
    let place = &pool.place;
    let weights = [
        ("prefix", place.prefix),
        ("queue", place.queue),
        ("kv-cache", place.kv_cache),
        ("lora", place.lora),
    ];
    let weights = weights.map(|(name, weight)| format!("{name} {weight}"));
    subject.say("prefers", weights.join(", "));
    subject.say_some("full at queue", place.saturate_queue);
    let cache = place.saturate_kv_cache.map(|share| percent(share.0));
    subject.say_some("full at kv-cache", cache);
    let then = if place.overflow_next { "next" } else { "shed" };
    subject.say(
        "overflow",
        format!("wait {} then {then}", duration(place.wait)),
    );
    let mut only: Vec<String> = place
        .only
        .iter()
        .map(|when| format!("{:?}", when.without_spans().kind))
        .collect();
    only.sort();
    if !only.is_empty() {
        subject.say("only when", only.join(" and "));
    }
    subject
}

fn content(content: &Content, program: &Program) -> Subject {
    let mut subject = Subject::at(content.span);
    let mut accepts: Vec<String> = content
        .accepts
        .iter()
        .map(|one| {
            let star = if one.prefix { "*" } else { "" };
            match one.model {
                Some(model) => format!("\"{}{star}\" as {}", one.name, model_name(program, model)),
                None => format!("\"{}{star}\"", one.name),
            }
        })
        .collect();
    accepts.sort();
    subject.say("accepts", accepts.join(", "));
    let start = program.tiers.get(content.start.value);
    subject.say("starts at", start.map_or("", |tier| &*tier.name.value));
    subject.say_some("threshold", content.threshold.as_ref().map(|one| one.value));
    subject
}

fn callers(program: &Program) -> Subject {
    let policy = &program.policy;
    let mut subject = Subject {
        span: policy.callers_span,
        ..Subject::default()
    };
    let keys = policy.keys.map(|index| secret(program, index));
    subject.say_some("keys", keys);
    let jwt = policy.jwt.as_ref();
    let jwt = jwt.map(|jwt| {
        let claims = jwt.claims.join(", ");
        format!(
            "{} for {} ({}); {claims}",
            jwt.issuer, jwt.audience, jwt.jwks
        )
    });
    subject.say_some("jwt", jwt);
    let anonymous = if policy.anonymous {
        "allowed"
    } else {
        "denied"
    };
    subject.say("calls without a key", anonymous);
    subject
}

/// What is hidden, by its kind or pattern, and where.
fn redactions(program: &Program) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for one in &program.policy.redactions {
        let places = [
            (one.request, "request"),
            (one.logs, "logs"),
            (one.response, "response"),
        ];
        let places = places
            .into_iter()
            .filter_map(|(is, name)| is.then_some(name));
        all.entry(one.what().to_owned()).or_default().extend(places);
    }
    let joined = |places: BTreeSet<&str>| places.into_iter().collect::<Vec<_>>().join(", ");
    all.into_iter()
        .map(|(what, places)| (what, joined(places)))
        .collect()
}

fn deploy(deploy: &Deploy, program: &Program) -> Subject {
    let mut subject = Subject::at(deploy.span);
    subject.say("namespace", deploy.namespace.clone());
    subject.say(
        "shape",
        match deploy.shape {
            Shape::Waypost => "waypost",
            Shape::Layered => "layered",
            Shape::GatewayApi => "gateway-api",
        },
    );
    let replicas = &deploy.replicas;
    subject.say("replicas", format!("{}..{}", replicas.low, replicas.high));
    let monitor = deploy.monitor.map(|monitor| match monitor {
        Monitor::Azure => "azure",
        Monitor::Prometheus => "prometheus",
    });
    subject.say_some("monitor", monitor);
    let state = deploy.redis.map_or_else(
        || "local".to_owned(),
        |redis| {
            let away = if redis.shares { "share" } else { "deny" };
            format!("redis {} away {away}", secret(program, redis.secret))
        },
    );
    subject.say("state", state);
    subject.say_some("image", deploy.image.as_ref());
    let versions = [
        ("inference-extension", &deploy.versions.inference_extension),
        ("kaito", &deploy.versions.kaito),
        ("agentgateway", &deploy.versions.agentgateway),
    ];
    for (name, version) in versions {
        subject.say_some(name, version.as_ref().map(|version| &version.value));
    }
    subject
}

//! The compiled model as values, item by item, each with the place that a finding about it points at.

use waypost_lang::source::Span;
use waypost_lang::syntax::tree::{Amount, Milliseconds, NanoDollars, Range, Window};
use waypost_lang::{SourceMap, cel::typed::Typed};
use waypost_policies::cost::Sort;
use waypost_policies::vm::Datum;

use super::shape::Kind;
use crate::program::{
    Action, Engine, Label, Model, ModelIndex, Monitor, PoolSource, Price, Program, ProviderAuth,
    Quota, SecretSource, Shape, Step, Tier, Via,
};

/// An item: what a finding calls it, where it is declared, and what it has.
pub(super) struct Item {
    pub(super) name: String,
    /// Absent for what no file declares.
    pub(super) span: Option<Span>,
    pub(super) value: Datum,
}

/// The items of one program.
pub(super) struct Items<'a> {
    program: &'a Program,
    sources: &'a SourceMap,
}

fn text(value: impl Into<String>) -> Datum {
    Datum::String(value.into())
}

fn number(value: u64) -> Datum {
    Datum::Int(i64::try_from(value).unwrap_or(i64::MAX))
}

fn dollars(amount: NanoDollars) -> Datum {
    Datum::Double(waypost_policies::money::NanoDollars(amount).dollars())
}

fn texts<'t>(values: impl IntoIterator<Item = &'t str>) -> Datum {
    Datum::List(values.into_iter().map(text).collect())
}

fn record<const N: usize>(fields: [(&str, Datum); N]) -> Datum {
    Datum::Map(
        fields
            .into_iter()
            .map(|(name, value)| (text(name), value))
            .collect(),
    )
}

impl<'a> Items<'a> {
    pub(super) const fn new(program: &'a Program, sources: &'a SourceMap) -> Self {
        Self { program, sources }
    }

    /// Every item of a kind.
    pub(super) fn of(&self, kind: Kind) -> Vec<Item> {
        let program = self.program;
        let policy = &program.policy;
        match kind {
            Kind::File => vec![self.file()],
            Kind::Tier => (0..)
                .zip(&program.tiers)
                .map(|(rank, one)| self.tier(rank, one))
                .collect(),
            Kind::Model => (0..program.models.len())
                .filter_map(|index| self.model(index))
                .collect(),
            Kind::Provider => program.providers.iter().map(provider).collect(),
            Kind::Pool => program.pools.iter().map(pool).collect(),
            Kind::Secret => program.secrets.iter().map(secret).collect(),
            Kind::Content => program
                .contents
                .iter()
                .map(|one| self.content(one))
                .collect(),
            Kind::Escalation => {
                let all = program
                    .contents
                    .iter()
                    .flat_map(|content| &content.escalations);
                all.map(|one| self.lifted(&one.label, one.span, one.tier, &one.when))
                    .collect()
            }
            Kind::Cap => {
                let all = policy.caps.iter();
                all.map(|one| self.lifted(&one.label, one.span, one.tier, &one.when))
                    .collect()
            }
            Kind::Denial => policy.denials.iter().map(|one| self.denial(one)).collect(),
            Kind::Limit => self.quotas(|_| true),
            Kind::Budget => self.quotas(is_money),
            Kind::Redaction => policy.redactions.iter().map(redaction).collect(),
            Kind::Callers => vec![self.callers()],
            Kind::Deploy => program.deploy.iter().map(|_| self.deploy()).collect(),
        }
    }

    fn values(&self, kind: Kind) -> Datum {
        Datum::List(self.of(kind).into_iter().map(|item| item.value).collect())
    }

    fn file(&self) -> Item {
        let mut files = self.sources.files();
        let name = files.next().map_or("", |(_, file)| file.name());
        let value = record([
            ("name", text(name)),
            ("tiers", self.values(Kind::Tier)),
            ("models", self.values(Kind::Model)),
            ("providers", self.values(Kind::Provider)),
            ("pools", self.values(Kind::Pool)),
            ("secrets", self.values(Kind::Secret)),
            ("contents", self.values(Kind::Content)),
            ("caps", self.values(Kind::Cap)),
            ("denials", self.values(Kind::Denial)),
            ("limits", self.values(Kind::Limit)),
            ("budgets", self.values(Kind::Budget)),
            ("redactions", self.values(Kind::Redaction)),
            ("callers", self.callers().value),
            ("deploy", self.deploy().value),
            ("tests", number(self.program.tests.len() as u64)),
        ]);
        Item {
            name: name.to_owned(),
            span: None,
            value,
        }
    }

    fn tier(&self, rank: u64, tier: &Tier) -> Item {
        let models = models_of(tier);
        let paid: Vec<ModelIndex> = models
            .iter()
            .copied()
            .filter(|index| self.program.models.get(*index).is_some_and(is_paid))
            .collect();
        // What bounds a tier is what counts the calls that its models answer: those that cost, if any does.
        let counted = if paid.is_empty() { &models } else { &paid };
        let bounds = |quota: &Quota| {
            let on = quota.on.as_ref();
            on.is_none_or(|on| counted.contains(&on.value))
        };
        let values = models
            .iter()
            .filter_map(|index| Some(self.model(*index)?.value));
        named(
            &tier.name,
            record([
                ("name", text(&tier.name.value)),
                ("rank", number(rank)),
                ("paid", Datum::Bool(!paid.is_empty())),
                ("models", Datum::List(values.collect())),
                (
                    "budgets",
                    self.bounds(|quota| is_money(quota) && bounds(quota)),
                ),
                ("limits", self.bounds(bounds)),
                ("timeout", duration(tier.timeout.unwrap_or(0))),
                ("retries", number(tier.retries.into())),
                (
                    "hedge",
                    duration(tier.hedge.as_ref().map_or(0, |hedge| hedge.value)),
                ),
            ]),
        )
    }

    fn model(&self, index: ModelIndex) -> Option<Item> {
        let model = self.program.models.get(index)?;
        let (provider, pool) = match model.via {
            Via::Provider(at) => (Some(&self.program.providers.get(at)?.name.value), None),
            Via::Pool(at) => (None, Some(&self.program.pools.get(at)?.name.value)),
        };
        let of = |name: Option<&String>| text(name.cloned().unwrap_or_default());
        let counts = |quota: &Quota| quota.on.as_ref().is_none_or(|on| on.value == index);
        let listed = model.listing.and_then(|at| self.program.catalog.get(at));
        let retires = model.retires.as_ref();
        let serves = [
            ("chat", model.serves.chat),
            ("completions", model.serves.completions),
            ("embeddings", model.serves.embeddings),
        ];
        let serves = serves.into_iter().filter(|(_, does)| *does);
        let value = record([
            ("name", text(&model.name.value)),
            ("provider", of(provider)),
            ("pool", of(pool)),
            ("hosted", Datum::Bool(provider.is_some())),
            ("paid", Datum::Bool(is_paid(model))),
            ("priced", Datum::Bool(model.price.is_some())),
            ("price", price(model)),
            ("context", number(model.context.unwrap_or(0))),
            ("output", number(model.output.unwrap_or(0))),
            ("serves", texts(serves.map(|(name, _)| name))),
            ("lacks", texts(model.lacks.words())),
            ("rejects", texts(model.rejects.iter().map(String::as_str))),
            (
                "retires",
                text(retires.map_or(String::new(), |date| date.value.to_string())),
            ),
            ("listed", of(listed.map(|one| &one.name.value))),
            (
                "budgets",
                self.bounds(|quota| is_money(quota) && counts(quota)),
            ),
            ("limits", self.bounds(counts)),
        ]);
        Some(named(&model.name, value))
    }

    fn bounds(&self, wanted: impl Fn(&Quota) -> bool) -> Datum {
        Datum::List(
            self.quotas(wanted)
                .into_iter()
                .map(|item| item.value)
                .collect(),
        )
    }

    fn quotas(&self, wanted: impl Fn(&Quota) -> bool) -> Vec<Item> {
        let quotas = self.program.policy.quotas.iter();
        quotas
            .filter(|one| wanted(one))
            .map(|one| self.quota(one))
            .collect()
    }

    fn quota(&self, quota: &Quota) -> Item {
        let (counts, amount) = match quota.amount.value {
            Amount::Requests(count) => ("requests", Datum::Double(count as f64)),
            Amount::Tokens(count) => ("tokens", Datum::Double(count as f64)),
            Amount::Money(money) => ("dollars", dollars(money)),
            Amount::Repeats(count) => ("repeats", Datum::Double(count as f64)),
            Amount::Concurrent(count) => ("concurrent", Datum::Double(count as f64)),
        };
        let window = match &quota.window.value {
            Window::Day => "day".to_owned(),
            Window::Week => "week".to_owned(),
            Window::Month => "month".to_owned(),
            Window::Session(_) => "session".to_owned(),
            Window::Call => "call".to_owned(),
            Window::Open => "open".to_owned(),
            Window::Rolling(_) | Window::Sliding(_) | Window::Other(_) => {
                self.sources.text(quota.window.span).to_owned()
            }
        };
        let on = quota.on.as_ref();
        let on = on.and_then(|on| self.program.models.get(on.value));
        let enforced = quota.outcomes.iter().any(|one| one.action != Action::Warn);
        let value = record([
            ("label", text(&quota.label.text)),
            ("labelled", Datum::Bool(quota.label.written)),
            ("counts", text(counts)),
            ("amount", amount),
            ("window", text(window)),
            ("per", self.expression(quota.per.as_ref())),
            ("on", text(on.map_or("", |model| model.name.value.as_str()))),
            ("conditional", Datum::Bool(quota.when.is_some())),
            ("condition", self.expression(quota.when.as_ref())),
            ("enforced", Datum::Bool(enforced)),
        ]);
        rule(&quota.label, quota.span, value)
    }

    /// An escalation or a cap.
    fn lifted(&self, label: &Label, span: Span, tier: usize, when: &Typed) -> Item {
        let value = record([
            ("label", text(&label.text)),
            ("labelled", Datum::Bool(label.written)),
            ("to", text(self.tier_name(tier))),
            ("condition", self.expression(Some(when))),
        ]);
        rule(label, span, value)
    }

    fn denial(&self, denial: &crate::program::Denial) -> Item {
        let value = record([
            ("label", text(&denial.label.text)),
            ("labelled", Datum::Bool(denial.label.written)),
            ("status", number(denial.status.into())),
            ("condition", self.expression(Some(&denial.when))),
        ]);
        rule(&denial.label, denial.span, value)
    }

    fn content(&self, content: &crate::program::Content) -> Item {
        let accepts = content.accepts.iter().map(|one| match one.prefix {
            true => text(format!("{}*", one.name)),
            false => text(&one.name),
        });
        let escalations = content.escalations.iter();
        let escalations =
            escalations.map(|one| self.lifted(&one.label, one.span, one.tier, &one.when).value);
        let value = record([
            ("name", text(&content.name)),
            ("accepts", Datum::List(accepts.collect())),
            ("start", text(self.tier_name(content.start.value))),
            ("escalations", Datum::List(escalations.collect())),
            ("keeps", Datum::Bool(content.keep.is_some())),
        ]);
        Item {
            name: content.name.clone(),
            span: Some(content.start.span),
            value,
        }
    }

    fn callers(&self) -> Item {
        let policy = &self.program.policy;
        Item {
            name: String::new(),
            span: policy.callers_span,
            value: record([
                ("anonymous", Datum::Bool(policy.anonymous)),
                ("keys", Datum::Bool(policy.keys.is_some())),
                ("jwt", Datum::Bool(policy.jwt.is_some())),
            ]),
        }
    }

    fn deploy(&self) -> Item {
        let deploy = self.program.deploy.as_ref();
        let range = deploy.map_or(Range { low: 0, high: 0 }, |one| one.replicas);
        let shape = deploy.map_or("", |one| match one.shape {
            Shape::Waypost => "waypost",
            Shape::Layered => "layered",
            Shape::GatewayApi => "gateway-api",
        });
        let monitor = match deploy.and_then(|one| one.monitor) {
            Some(Monitor::Azure) => "azure",
            Some(Monitor::Prometheus) => "prometheus",
            None => "",
        };
        let state = deploy.map_or("", |one| match one.redis {
            Some(_) => "redis",
            None => "local",
        });
        Item {
            name: String::new(),
            span: deploy.map(|one| one.span),
            value: record([
                ("declared", Datum::Bool(deploy.is_some())),
                (
                    "namespace",
                    text(deploy.map_or("", |one| one.namespace.as_str())),
                ),
                ("shape", text(shape)),
                ("replicas_least", number(range.low)),
                ("replicas_most", number(range.high)),
                ("monitor", text(monitor)),
                ("state", text(state)),
                (
                    "image",
                    text(deploy.and_then(|one| one.image.clone()).unwrap_or_default()),
                ),
            ]),
        }
    }

    fn tier_name(&self, rank: usize) -> &str {
        let tier = self.program.tiers.get(rank);
        tier.map_or("", |tier| tier.name.value.as_str())
    }

    /// As it is written; "" for none.
    fn expression(&self, typed: Option<&Typed>) -> Datum {
        text(typed.map_or("", |typed| self.sources.text(typed.span)))
    }
}

fn named(name: &waypost_lang::source::Spanned<String>, value: Datum) -> Item {
    Item {
        name: name.value.clone(),
        span: Some(name.span),
        value,
    }
}

fn rule(label: &Label, span: Span, value: Datum) -> Item {
    Item {
        name: label.text.clone(),
        span: Some(if label.written { label.span } else { span }),
        value,
    }
}

fn is_money(quota: &Quota) -> bool {
    matches!(quota.amount.value, Amount::Money(_))
}

/// Whether somebody is paid for its tokens: a provider, unless the file says that it costs nothing.
fn is_paid(model: &Model) -> bool {
    let free = model.price.as_ref().is_some_and(Price::is_free);
    matches!(model.via, Via::Provider(_)) && !free
}

/// Every model that a tier may answer with, in the order tried.
fn models_of(tier: &Tier) -> Vec<ModelIndex> {
    let mut models = Vec::new();
    for step in &tier.steps {
        match step {
            Step::Try(model) => models.push(model.value),
            Step::Split { arms, .. } => models.extend(arms.iter().map(|(model, _)| model.value)),
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    models.retain(|model| seen.insert(*model));
    models
}

fn price(model: &Model) -> Datum {
    let price = model.price.as_ref().map(Price::base);
    let date = model.price_date.as_ref();
    let rate = |sort| dollars(price.map_or(0, |price| price.of(sort).0));
    record([
        ("input", rate(Sort::Input)),
        ("cached", rate(Sort::Cached)),
        ("cache_write", rate(Sort::CacheWrite)),
        ("cache_write_1h", rate(Sort::CacheWriteHour)),
        ("audio_input", rate(Sort::AudioInput)),
        ("audio_cached", rate(Sort::AudioCached)),
        ("image_input", rate(Sort::ImageInput)),
        ("output", rate(Sort::Output)),
        ("reasoning", rate(Sort::Reasoning)),
        ("audio_output", rate(Sort::AudioOutput)),
        (
            "as_of",
            text(date.map_or(String::new(), |date| date.value.to_string())),
        ),
    ])
}

fn duration(milliseconds: Milliseconds) -> Datum {
    let nanoseconds = milliseconds.saturating_mul(1_000_000);
    Datum::Duration(i64::try_from(nanoseconds).unwrap_or(i64::MAX))
}

fn provider(provider: &crate::program::Provider) -> Item {
    let auth = match provider.auth {
        ProviderAuth::Secret(_) => "secret",
        ProviderAuth::WorkloadIdentity => "workload-identity",
        ProviderAuth::None => "none",
    };
    let value = record([
        ("name", text(&provider.name.value)),
        ("kind", text(provider.kind.word())),
        ("url", text(&provider.url)),
        ("version", text(&provider.version)),
        ("auth", text(auth)),
    ]);
    named(&provider.name, value)
}

fn pool(pool: &crate::program::Pool) -> Item {
    let engine = match pool.engine {
        Engine::Vllm => "vllm",
        Engine::Sglang => "sglang",
        Engine::Trtllm => "trtllm",
        Engine::Custom { .. } => "custom",
    };
    let none = Range { low: 0, high: 0 };
    let (source, addresses, range) = match &pool.source {
        PoolSource::Kaito { replicas, .. } => ("kaito", Vec::new(), *replicas),
        PoolSource::Selector { .. } => ("selector", Vec::new(), none),
        PoolSource::Static(urls) => {
            let count = urls.len() as u64;
            let range = Range {
                low: count,
                high: count,
            };
            (
                "endpoints",
                urls.iter().map(String::as_str).collect(),
                range,
            )
        }
        PoolSource::Dns(name) => ("dns", vec![name.as_str()], none),
    };
    let place = &pool.place;
    let saturates = place.saturate_queue.is_some() || place.saturate_kv_cache.is_some();
    let value = record([
        ("name", text(&pool.name.value)),
        ("engine", text(engine)),
        ("source", text(source)),
        ("addresses", texts(addresses)),
        ("replicas_least", number(range.low)),
        ("replicas_most", number(range.high)),
        ("saturates", Datum::Bool(saturates)),
    ]);
    named(&pool.name, value)
}

fn secret(secret: &crate::program::Secret) -> Item {
    let source = match secret.source {
        SecretSource::Kubernetes { .. } => "kubernetes",
        SecretSource::Environment(_) => "environment",
        SecretSource::File(_) => "file",
    };
    let value = record([("name", text(&secret.name.value)), ("source", text(source))]);
    named(&secret.name, value)
}

fn redaction(redaction: &crate::program::Redaction) -> Item {
    let what = redaction.what();
    Item {
        name: what.to_owned(),
        span: Some(redaction.span),
        value: record([
            ("what", text(what)),
            ("request", Datum::Bool(redaction.request)),
            ("logs", Datum::Bool(redaction.logs)),
            ("response", Datum::Bool(redaction.response)),
        ]),
    }
}

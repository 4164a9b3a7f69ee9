//! What all calls of a plan share: the plan, what is counted, who is known, where models are.
//!
//! Invariant: a call keeps the gateway that it began with, whatever plan is served by the time it ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;
use waypost_policies::cost::{Usage, actual};
use waypost_policies::decide::quota_key;
use waypost_policies::decision::{Charge, Decision, Key, Outcome};
use waypost_policies::explain::{Explanation, explain};
use waypost_policies::limits::{self, State, Unit};
use waypost_policies::place::RetryBudget;
use waypost_policies::plan::draft::{self, Draft, ModelIndex, Price};
use waypost_policies::plan::{Plan, view};
use waypost_policies::{Facts, NanoDollars};

use crate::audit::{Audit, AuditError};
use crate::body::Room;
use crate::books::Books;
use crate::callers::{Callers, KeysError, watch};
use crate::client::{self, ClientError, Clients, base_url};
use crate::clock;
use crate::dialect::Dialect;
use crate::evaluations::Evaluations;
use crate::journal::Journal;
use crate::ledger::LedgerError;
use crate::lines::{Line, Lines};
use crate::metrics::{Metrics, RouteKey};
use crate::pool::{DiscoveryError, Hosted, Placed};
use crate::provider::{AccessError, Provider, wants_completion_tokens};
use crate::receipt::Receipt;
use crate::recent::Recent;
use crate::redact::{RedactionError, Redactions};
use crate::rule::Sites;
use crate::secrets::{SecretError, SecretValue};
use crate::server::{Address, TlsError};
use crate::settings::{Bounds, Settings};
use crate::sharing::{Place, Shared};
use crate::spending::Spending;
use crate::webhook::Webhook;

/// A share of 100%, in hundredths of a percent.
const WHOLE: u128 = 10_000;

/// What all calls of a plan share.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) plan: Arc<Plan>,
    pub(crate) state: Arc<State>,
    pub(crate) books: Books,
    pub(crate) evaluations: Arc<Evaluations>,
    pub(crate) callers: Arc<Callers>,
    pub(crate) redactions: Redactions,
    pub(crate) clients: Clients,
    pub(crate) providers: Vec<Provider>,
    pub(crate) pools: Vec<Placed>,
    pub(crate) metrics: Metrics,
    pub(crate) journal: Arc<Journal>,
    pub(crate) recent: Arc<Recent>,
    pub(crate) room: Arc<Room>,
    pub(crate) bounds: Bounds,
    models: Vec<Model>,
    tiers: Vec<Tier>,
    quotas: Vec<Quota>,
    receipts: Option<UnboundedSender<Receipt>>,
    audit: Option<Arc<Audit>>,
    webhook: Option<Arc<Webhook>>,
    /// Who waits for room in limits.
    lines: Arc<Lines>,
    spending: Arc<Spending>,
    /// The price of the first model of the dearest tier.
    strongest: Option<Price>,
    pub(crate) sites: Sites,
    /// What looks after the callers; ended with this.
    _watching: JoinSet<()>,
}

/// A model, as calls need it.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) name: Arc<str>,
    pub(crate) upstream_name: String,
    pub(crate) via: draft::Via,
    pub(crate) price: Option<Price>,
    pub(crate) rejects: Vec<String>,
    /// Its longest answer.
    pub(crate) output: Option<u64>,
    /// Whether it knows `max_tokens` only as `max_completion_tokens`.
    pub(crate) completion_tokens: bool,
    /// How often its upstream may be asked again, shared with the other models that are asked there.
    pub(crate) retries: Arc<Mutex<RetryBudget>>,
    /// How it has been doing there, where its upstream is a provider.
    pub(crate) hosted: Arc<Hosted>,
    /// How that upstream is known, whatever the plan.
    upstream: String,
}

/// A tier, as calls need it.
#[derive(Debug)]
pub(crate) struct Tier {
    pub(crate) name: Arc<str>,
    /// How long an attempt may take to its first byte, where the file says so.
    pub(crate) timeout: Option<Duration>,
    pub(crate) retries: u32,
    /// After how long the next model is asked beside one that has not begun to answer.
    pub(crate) hedge: Option<Duration>,
}

#[derive(Debug)]
struct Quota {
    label: Arc<str>,
    /// Whether it has a bucket for each value of something.
    per_caller: bool,
    unit: Unit,
    /// The lowest share at which calls are refused, in hundredths of a percent; the whole where none is.
    share: u32,
    /// How long calls may wait for room.
    patience: Option<Duration>,
    /// The shares from which on calls are warned of, likewise.
    warns: Vec<u32>,
    /// Whether something is kept from one call to the next.
    remembers: bool,
}

/// What a gateway takes over from the one before it.
struct Kept<'g> {
    books: Books,
    evaluations: Arc<Evaluations>,
    clients: Clients,
    metrics: Metrics,
    journal: Arc<Journal>,
    recent: Arc<Recent>,
    room: Arc<Room>,
    pools: &'g [Placed],
    models: &'g [Model],
    callers: Option<&'g Callers>,
    audit: Option<Arc<Audit>>,
    webhook: Option<Arc<Webhook>>,
    lines: Arc<Lines>,
    spending: Arc<Spending>,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// Which.
        address: Address,
        /// Why.
        reason: std::io::Error,
    },
    /// A secret is missing.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A provider cannot be asked with what the file says.
    #[error("provider `{0}` cannot be asked: {1}")]
    Provider(String, AccessError),
    /// The key file is wrong.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// A redaction cannot be carried out.
    #[error(transparent)]
    Redaction(#[from] RedactionError),
    /// A pool's replicas cannot be looked for.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    /// TLS cannot be set up.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Callers cannot be shown a certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// What is used of limits and budgets cannot be kept.
    #[error(transparent)]
    State(#[from] LedgerError),
    /// The threads that answer calls.
    #[error("cannot start threads: {0}")]
    Threads(std::io::Error),
    /// The audit log cannot be kept.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// Nobody can be told of limits that are nearly used up at such an address, which may be secret.
    #[error("what `--warn-webhook` says is no address: write `https://…`")]
    Webhook,
    /// The keys of tokens cannot be fetched from such an address.
    #[error("`{0}` is no address that the keys of tokens can be fetched from")]
    Jwks(String),
    /// The secret holds no address of a Redis.
    #[error(
        "secret `{0}` holds no address of a Redis, such as `redis://host:6379/0` or `rediss://user:password@host:6379/0`"
    )]
    Redis(String),
    /// The system gave no random numbers.
    #[error("the system gave no random numbers")]
    Random,
}

impl Gateway {
    /// For the plan that a server starts with.
    pub(crate) fn build(plan: Arc<Plan>, settings: &Settings) -> Result<Self, StartError> {
        let metrics = Metrics::default();
        let audit = settings.audit.as_deref().map(Audit::open);
        let webhook = webhook(settings, &metrics)?.map(Arc::new);
        let kept = Kept {
            books: Books::open(
                &plan,
                &settings.state,
                &metrics.disk,
                shared(&plan, settings, None, &metrics)?,
            )?,
            evaluations: Arc::new(Evaluations::new()),
            clients: Clients::public(
                &settings.upstream_tls,
                settings.bounds.connect,
                settings.workers,
            )?,
            room: Arc::new(Room::new(
                &settings.bounds,
                &metrics.connections.body_memory,
            )),
            metrics,
            journal: Arc::default(),
            recent: Arc::default(),
            pools: &[],
            models: &[],
            callers: None,
            audit: audit.transpose()?.map(Arc::new),
            webhook,
            lines: Arc::default(),
            spending: Arc::default(),
        };
        Self::assemble(plan, settings, kept)
    }

    /// For a plan that takes the place of another: what was counted, and what is known of upstreams, goes on.
    pub(crate) fn replacing(
        old: &Self,
        plan: Arc<Plan>,
        settings: &Settings,
    ) -> Result<Self, StartError> {
        old.clients.trust(&settings.upstream_tls)?;
        let kept = Kept {
            books: old.books.next(
                &plan,
                &settings.state,
                &old.metrics.disk,
                shared(&plan, settings, Some(&old.books), &old.metrics)?,
            )?,
            evaluations: Arc::clone(&old.evaluations),
            clients: old.clients.clone(),
            metrics: old.metrics.renewed(),
            journal: Arc::clone(&old.journal),
            recent: Arc::clone(&old.recent),
            room: Arc::clone(&old.room),
            pools: &old.pools,
            models: &old.models,
            callers: Some(&old.callers),
            audit: old.audit.clone(),
            webhook: old.webhook.clone(),
            lines: Arc::clone(&old.lines),
            spending: Arc::clone(&old.spending),
        };
        Self::assemble(plan, settings, kept)
    }

    /// From now on this plan is served: what the one before it has used goes on here.
    pub(crate) fn take_over(&mut self, old: &Self) {
        self.books.take_over(&self.plan, &old.books);
        self.state = Arc::clone(&self.books.state);
    }

    fn assemble(plan: Arc<Plan>, settings: &Settings, kept: Kept<'_>) -> Result<Self, StartError> {
        let draft = plan.to_draft();
        let secrets = resolve_secrets(&plan, settings)?;
        let callers = Callers::build(&plan, settings, &kept.metrics.callers, kept.callers)?;
        let mut watching = JoinSet::new();
        watching.spawn(watch(Arc::clone(&callers)));
        watching.extend(callers.renewal());
        Ok(Self {
            state: Arc::clone(&kept.books.state),
            books: kept.books,
            evaluations: kept.evaluations,
            callers,
            redactions: Redactions::read(&plan)?,
            providers: providers(&draft, settings, &secrets)?,
            pools: Placed::all(&draft, settings, kept.clients.here(), kept.pools)?,
            clients: kept.clients,
            metrics: kept.metrics,
            journal: kept.journal,
            recent: kept.recent,
            room: kept.room,
            audit: kept.audit,
            webhook: kept.webhook,
            lines: kept.lines,
            spending: kept.spending,
            strongest: draft
                .tiers
                .last()
                .and_then(strongest)
                .and_then(|model| draft.models.get(usize::from(model))?.price.clone()),
            bounds: settings.bounds,
            models: models(&draft, kept.models),
            tiers: draft.tiers.iter().map(Tier::new).collect(),
            quotas: draft.quotas.iter().map(Quota::new).collect(),
            receipts: settings.receipts.clone(),
            sites: Sites::default(),
            _watching: watching,
            plan,
        })
    }

    pub(crate) fn model(&self, index: ModelIndex) -> Option<&Model> {
        self.models.get(usize::from(index))
    }

    /// The final tier; `None` where the call did not get that far.
    pub(crate) fn tier_of(&self, decision: &Decision) -> Option<&Tier> {
        match decision.outcome {
            Outcome::UnknownModel => None,
            _ => self.tiers.get(usize::from(decision.tier)),
        }
    }

    /// What a quota counts; nothing where it remembers nothing from one call to the next.
    pub(crate) fn unit(&self, quota: u16) -> Option<Unit> {
        let quota = self.quotas.get(usize::from(quota))?;
        quota.remembers.then_some(quota.unit)
    }

    /// Whether tokens or money are counted: then an answer's length matters.
    pub(crate) fn counts_size(&self, charges: &[Charge]) -> bool {
        let mut quotas = charges
            .iter()
            .filter_map(|charge| self.quotas.get(usize::from(charge.quota)));
        quotas.any(|quota| matches!(quota.unit, Unit::Tokens | Unit::Money))
    }

    /// How much of a quota that holds so much may be used before calls are refused.
    pub(crate) fn refuses_beyond(&self, quota: u16, capacity: u64) -> u64 {
        let share = self.quotas.get(usize::from(quota));
        let share = share.map_or(WHOLE, |quota| u128::from(quota.share));
        u64::try_from(u128::from(capacity) * share / WHOLE).unwrap_or(u64::MAX)
    }

    /// How long calls may wait for room in a quota; `None` where they are refused at once.
    pub(crate) fn patience(&self, quota: u16) -> Option<Duration> {
        self.quotas.get(usize::from(quota))?.patience
    }

    /// Whether other things than time make room in a quota: open calls end, and others use less than they reserved.
    pub(crate) fn room_comes_back(&self, quota: u16) -> bool {
        !matches!(self.unit(quota), Some(Unit::Requests | Unit::Repeats))
    }

    /// The line for a bucket of a quota.
    pub(crate) fn line(&self, quota: u16, key: Key) -> Line {
        self.lines.line(self.line_name(quota, key))
    }

    /// The lines for the buckets of these charges that may be waited for.
    pub(crate) fn lines_of(&self, charges: &[Charge]) -> impl Iterator<Item = Line> {
        let charges = charges.iter();
        let waits = charges.filter(|charge| self.patience(charge.quota).is_some());
        waits.map(|charge| self.line(charge.quota, charge.key))
    }

    /// The quota of these charges that calls wait for which come before one of this priority, or with it.
    pub(crate) fn waited_for(&self, charges: &[Charge], priority: i64) -> Option<u16> {
        let waits = |charge: &&Charge| {
            self.patience(charge.quota).is_some()
                && !self
                    .lines
                    .is_free_for(self.line_name(charge.quota, charge.key), priority)
        };
        charges.iter().find(waits).map(|charge| charge.quota)
    }

    /// Counts what became of a call that found no room.
    pub(crate) fn waited(&self, quota: u16, outcome: &'static str) {
        let label = self.quota_label(quota);
        self.metrics.ledger.waited(quota, label, outcome);
    }

    /// By its label, which a reload does not change.
    fn line_name(&self, quota: u16, key: Key) -> Key {
        self.state.key_of(self.quota_label(quota), key)
    }

    /// What a quota is called.
    pub(crate) fn quota_label(&self, quota: u16) -> &str {
        let quota = self.quotas.get(usize::from(quota));
        quota.map_or("", |quota| &quota.label)
    }

    /// The same, for a receipt to keep.
    pub(crate) fn kept_label(&self, quota: u16) -> Arc<str> {
        let quota = self.quotas.get(usize::from(quota));
        quota.map_or_else(Arc::default, |quota| Arc::clone(&quota.label))
    }

    /// What this use would have cost at the first model of the dearest tier; nothing where that has no price.
    pub(crate) fn strongest(&self, usage: Usage) -> NanoDollars {
        let strongest = self.strongest.as_ref();
        strongest.map_or(NanoDollars::ZERO, |price| actual(price, usage))
    }

    /// Whether what a call comes to can be written down now, where it must be.
    pub(crate) fn can_record(&self, charges: &[Charge]) -> bool {
        let audited = self.audit.as_ref().is_none_or(|audit| audit.can_record());
        // What nothing counts needs no place in the books.
        audited && (charges.is_empty() || self.books.can_record())
    }

    /// What calls have cost since the start, and how full limits and budgets are.
    pub(crate) fn spending(&self) -> Value {
        let now = clock::now();
        let quotas = (0..).zip(&self.quotas).map(|(index, quota)| {
            let usage = self.state.usage(index, self.state.key(""), now);
            let mut document =
                json!({"quota": &*quota.label, "unit": quota.unit.word(), "each": quota.per_caller});
            if let (false, Some(document)) = (quota.per_caller, document.as_object_mut()) {
                document.insert("used".to_owned(), usage.used.into());
                document.insert("of".to_owned(), usage.capacity.into());
                document.insert(
                    "resets_milliseconds".to_owned(),
                    usage.resets_milliseconds.into(),
                );
            }
            document
        });
        let mut document = self.spending.to_json();
        if let Some(document) = document.as_object_mut() {
            document.insert("quotas".to_owned(), quotas.collect());
        }
        document
    }

    /// What a decision warns of.
    pub(crate) fn warnings(&self, decision: &Decision) -> Vec<String> {
        let quotas = decision
            .warnings
            .iter()
            .filter_map(|quota| self.quotas.get(usize::from(*quota)));
        quotas
            .map(|quota| format!("`{}` is nearly used up", quota.label))
            .collect()
    }

    /// How many `warn` shares of a quota are passed; one at least, since a call of it was warned of.
    pub(crate) fn warned_shares(&self, quota: u16, usage: &limits::Usage) -> usize {
        let used = u128::from(usage.used).saturating_mul(WHOLE);
        let capacity = u128::from(usage.capacity);
        let shares = self.quotas.get(usize::from(quota));
        let shares = shares.into_iter().flat_map(|quota| &quota.warns);
        let passed = shares.filter(|share| used > capacity * u128::from(**share));
        passed.count().max(1)
    }

    /// Counts what a decision warns of, and tells whoever is to be told.
    pub(crate) fn warn(&self, facts: &Facts<'_>, decision: &Decision, request_id: &str) {
        for quota in &decision.warnings {
            self.metrics.warnings.passed(self.quota_label(*quota));
        }
        if let (Some(webhook), false) = (&self.webhook, decision.warnings.is_empty()) {
            webhook.note(self, facts, decision, request_id);
        }
    }

    /// A finished call: metrics, log, journal, receipt.
    pub(crate) fn record(&self, key: RouteKey, decision: &Decision, receipt: Receipt) {
        self.metrics.finished(key, decision, &receipt);
        // `/decisions` and the metrics tell of calls all the same: a line for each costs as much as the decision.
        tracing::debug!(
            request = receipt.request_id,
            caller = &*receipt.caller,
            team = &*receipt.team,
            agent = &*receipt.agent,
            plan = &*receipt.plan,
            asked = receipt.asked,
            tier = &*receipt.tier,
            rule = receipt.rule.label,
            model = &*receipt.model,
            replica = &*receipt.replica,
            status = receipt.status,
            ending = receipt.ending.word(),
            input = receipt.usage.input,
            output = receipt.usage.output,
            cost = %receipt.cost,
            milliseconds = receipt.duration.as_millis(),
            attempts = receipt.attempts,
            "call"
        );
        self.spending.add(&receipt);
        if let Some(audit) = &self.audit {
            audit.write(receipt.to_json().to_string().as_bytes());
        }
        if let Some(receipts) = &self.receipts {
            // Whoever listened may be gone; calls go on.
            let _ = receipts.send(receipt.clone());
        }
        self.journal.write(Arc::new(receipt));
    }

    /// The metrics, with what is looked up only when somebody asks.
    pub(crate) fn metrics_text(&self) -> String {
        let now = clock::now();
        let ledger = &self.metrics.ledger;
        let abandoned = i64::try_from(self.state.abandoned()).unwrap_or(i64::MAX);
        ledger.abandoned.set(abandoned);
        let waiting = i64::try_from(self.lines.waiting()).unwrap_or(i64::MAX);
        ledger.waiting.set(waiting);
        let callers = &self.metrics.callers;
        callers
            .keys
            .set(i64::try_from(self.callers.keys()).unwrap_or(i64::MAX));
        callers.current.set(self.callers.stale().is_none().into());
        for (index, quota) in (0_u16..).zip(&self.quotas) {
            if quota.per_caller {
                continue;
            }
            let usage = self.state.usage(index, self.state.key(""), now);
            let share = usage.used as f64 / usage.capacity.max(1) as f64;
            ledger.used(index, &quota.label, share);
        }
        for (index, pool) in self.pools.iter().enumerate() {
            self.metrics.upstreams.observe(index, &pool.pool);
        }
        self.metrics.text()
    }

    /// Connects to hosted APIs before the first call has to, in the background.
    pub(crate) fn warm(&self) {
        for provider in &self.providers {
            self.clients
                .warm(&provider.address(Dialect::CHAT, "-", false));
        }
    }

    /// What is missing before calls can be served.
    pub(crate) fn missing(&self) -> Vec<String> {
        let pools = self.pools.iter();
        let pools = pools.filter_map(|placed| placed.pool.missing());
        let audit = self.audit.as_ref().and_then(|audit| audit.trouble());
        pools.chain(self.books.trouble()).chain(audit).collect()
    }

    /// What calls are served in spite of, and somebody should look at.
    pub(crate) fn warnings_of_state(&self) -> Vec<String> {
        let stale = self.callers.stale();
        let keys = stale.map(|reason| format!("{reason}; the keys from before go on"));
        let shared = self.books.shared().and_then(|shared| shared.trouble());
        keys.into_iter().chain(shared).collect()
    }

    /// The bucket of a quota that a call counts in.
    pub(crate) fn quota_key(&self, facts: &Facts<'_>, quota: u16) -> Key {
        self.evaluations
            .with(|evaluation| quota_key(&self.plan, facts, &self.state, evaluation, quota))
    }

    /// The decision on a call, rule by rule.
    pub(crate) fn explain(&self, facts: &Facts<'_>) -> Explanation {
        self.evaluations
            .with(|evaluation| explain(&self.plan, facts, &self.state, evaluation))
    }
}

impl Model {
    fn new(model: &draft::Model, draft: &Draft, before: &[Self]) -> Self {
        let speaks_openai = match model.via {
            draft::Via::Provider(index) => {
                draft
                    .providers
                    .get(usize::from(index))
                    .is_some_and(|provider| {
                        matches!(
                            provider.kind,
                            draft::ProviderKind::OpenAi | draft::ProviderKind::AzureOpenAi
                        )
                    })
            }
            draft::Via::Pool(_) => false,
        };
        let upstream = upstream_of(model.via, draft);
        let same = |before: &&Self| {
            before.upstream == upstream && before.upstream_name == model.upstream_name
        };
        let hosted = before.iter().find(same);
        let hosted = hosted.map(|before| Arc::clone(&before.hosted));
        let known =
            wants_completion_tokens(&model.upstream_name) || wants_completion_tokens(&model.name);
        Self {
            name: model.name.as_str().into(),
            upstream_name: model.upstream_name.clone(),
            via: model.via,
            price: model.price.clone(),
            rejects: model.rejects.clone(),
            output: model.output,
            completion_tokens: speaks_openai && known,
            retries: before
                .iter()
                .find(|before| before.upstream == upstream)
                .map(|before| Arc::clone(&before.retries))
                .unwrap_or_default(),
            hosted: hosted.unwrap_or_default(),
            upstream,
        }
    }
}

/// The models of a plan; those that are asked at one upstream share what it may be asked again, also with the plan before.
fn models(draft: &Draft, before: &[Model]) -> Vec<Model> {
    let mut models: Vec<Model> = Vec::with_capacity(draft.models.len());
    for model in &draft.models {
        let mut new = Model::new(model, draft, before);
        if let Some(same) = models.iter().find(|other| other.upstream == new.upstream) {
            new.retries = Arc::clone(&same.retries);
        }
        models.push(new);
    }
    models
}

fn upstream_of(via: draft::Via, draft: &Draft) -> String {
    let (kind, name) = match via {
        draft::Via::Provider(index) => {
            let provider = draft.providers.get(usize::from(index));
            ("provider", provider.map(|provider| &provider.name))
        }
        draft::Via::Pool(index) => {
            let pool = draft.pools.get(usize::from(index));
            ("pool", pool.map(|pool| &pool.name))
        }
    };
    format!("{kind} {}", name.map_or("", |name| name))
}

/// A panic elsewhere leaves whole values behind.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Tier {
    fn new(tier: &draft::Tier) -> Self {
        let time = |milliseconds| (milliseconds > 0).then(|| Duration::from_millis(milliseconds));
        Self {
            name: tier.name.as_str().into(),
            timeout: time(tier.timeout_milliseconds),
            retries: tier.retries,
            hedge: time(tier.hedge_milliseconds),
        }
    }
}

impl Quota {
    fn new(quota: &draft::Quota) -> Self {
        Self {
            label: quota.label.as_str().into(),
            per_caller: quota.per.is_some()
                || matches!(quota.window, draft::Window::Session(_))
                || matches!(quota.amount, draft::Amount::Repeats(_)),
            remembers: !matches!(quota.window, draft::Window::Call),
            share: shares(quota, draft::QuotaAction::refuses)
                .min()
                .unwrap_or(10_000),
            patience: patience(quota),
            warns: shares(quota, |action| action == draft::QuotaAction::Warn).collect(),
            unit: match quota.amount {
                draft::Amount::Requests(_) => Unit::Requests,
                draft::Amount::Tokens(_) => Unit::Tokens,
                draft::Amount::Money(_) => Unit::Money,
                draft::Amount::Repeats(_) => Unit::Repeats,
                draft::Amount::Concurrent(_) => Unit::Concurrent,
            },
        }
    }
}

/// At which shares a quota acts like this.
fn shares(
    quota: &draft::Quota,
    acts: impl Fn(draft::QuotaAction) -> bool,
) -> impl Iterator<Item = u32> {
    let outcomes = quota.outcomes.iter();
    let acts = outcomes.filter(move |outcome| acts(outcome.action));
    acts.map(|outcome| outcome.share)
}

/// The longest that an outcome lets calls wait.
fn patience(quota: &draft::Quota) -> Option<Duration> {
    let waits = quota
        .outcomes
        .iter()
        .filter_map(|outcome| match outcome.action {
            draft::QuotaAction::Wait(milliseconds) => Some(Duration::from_millis(milliseconds)),
            _ => None,
        });
    waits.max()
}

/// Whoever is told of limits that are nearly used up.
fn webhook(settings: &Settings, metrics: &Metrics) -> Result<Option<Webhook>, StartError> {
    let Some(address) = &settings.warn_webhook else {
        return Ok(None);
    };
    let client = client::public(&settings.upstream_tls, settings.bounds.connect)?;
    let webhook = Webhook::start(address, client, metrics.warnings.clone());
    webhook.map(Some).ok_or(StartError::Webhook)
}

/// The model that a tier tries first.
fn strongest(tier: &draft::Tier) -> Option<ModelIndex> {
    match tier.steps.first()? {
        draft::Step::Try(model) => Some(*model),
        draft::Step::Split { arms, .. } => arms.first().map(|(model, _)| *model),
    }
}

fn resolve_secrets(plan: &Plan, settings: &Settings) -> Result<Vec<SecretValue>, SecretError> {
    let resolve =
        |secret: view::Secret<'_>| settings.secrets.resolve(secret.name(), secret.source());
    plan.secrets().map(resolve).collect()
}

/// Whom the plan's limits and budgets are shared with: the same as before, where it means the same.
fn shared(
    plan: &Plan,
    settings: &Settings,
    before: Option<&Books>,
    metrics: &Metrics,
) -> Result<Option<Arc<Shared>>, StartError> {
    let Some(wanted) = plan.shared().filter(|_| !settings.alone) else {
        return Ok(None);
    };
    let secret = wanted.redis();
    let secret = plan.secrets().get(usize::from(secret));
    let Some(secret) = secret else {
        return Ok(None);
    };
    let address = settings.secrets.resolve(secret.name(), secret.source())?;
    let tls = settings.upstream_tls.config()?;
    let place = Place::read(address.expose().trim(), wanted.namespace(), tls)
        .ok_or_else(|| StartError::Redis(secret.name().to_owned()))?;
    let (replicas, shares) = (wanted.replicas(), wanted.shares());
    if let Some(same) = before
        .and_then(Books::shared)
        .filter(|shared| shared.is(&place, replicas, shares))
    {
        return Ok(Some(Arc::clone(same)));
    }
    let shared = Shared::open(place, replicas, shares, metrics.sharing.clone());
    shared.map(Arc::new).map(Some).ok_or(StartError::Random)
}

fn providers(
    draft: &Draft,
    settings: &Settings,
    secrets: &[SecretValue],
) -> Result<Vec<Provider>, StartError> {
    let overrides = &settings.upstreams.providers;
    let provider = |provider: &draft::Provider| {
        let key = match provider.auth {
            draft::ProviderAuth::Secret(index) => secrets.get(usize::from(index)),
            draft::ProviderAuth::None | draft::ProviderAuth::WorkloadIdentity => None,
        };
        let written = overrides.get(&provider.name).unwrap_or(&provider.base_url);
        Provider::new(provider, &base_url(written), key, &settings.secrets)
            .map_err(|error| StartError::Provider(provider.name.clone(), error))
    };
    draft.providers.iter().map(provider).collect()
}

//! A checked file: every name an index, every expression typed, every value in range.
//!
//! `resolve` makes it from syntax trees; the checks and lints read it; `lower` turns it into a plan and
//! `manifests` into YAML. It exists only when the sources have no errors.

use waypost_lang::cel::typed::Typed;
use waypost_lang::source::Spanned;
use waypost_lang::syntax::tree::{Amount, Date, Milliseconds, Percent, Range, Window};
use waypost_lang::{Severity, Span};
pub use waypost_policies::cost::Price;

use crate::demands::Kind;

/// Index into [`Program::tiers`]: the rank in the chain, 0 the lowest.
pub type TierIndex = usize;
/// Index into [`Program::models`].
pub type ModelIndex = usize;
/// Index into [`Program::pools`].
pub type PoolIndex = usize;
/// Index into [`Program::providers`].
pub type ProviderIndex = usize;
/// Index into [`Program::catalog`].
pub type ListingIndex = usize;
/// Index into [`Program::secrets`].
pub type SecretIndex = usize;

/// A checked file with all it imports.
#[derive(Debug, Clone)]
pub struct Program {
    /// Where secrets are kept.
    pub secrets: Vec<Secret>,
    /// Hosted APIs.
    pub providers: Vec<Provider>,
    /// Groups of replicas.
    pub pools: Vec<Pool>,
    /// Models.
    pub models: Vec<Model>,
    /// What providers' lists say of models.
    pub catalog: Vec<Listing>,
    /// Tiers, lowest first.
    pub tiers: Vec<Tier>,
    /// Content sections.
    pub contents: Vec<Content>,
    /// The one policy, of all files together.
    pub policy: Policy,
    /// Where it is deployed; absent when no file says.
    pub deploy: Option<Deploy>,
    /// What organisations demand of it.
    pub demands: Vec<Demand>,
    /// Test blocks.
    pub tests: Vec<Test>,
}

/// `require "…" { … }`
#[derive(Debug, Clone)]
pub struct Demand {
    /// What is demanded, in words.
    pub label: Spanned<String>,
    /// Of which items.
    pub each: Kind,
    /// Only of such items; over the item (variable 0) and the file (variable 1).
    pub when: Option<Typed>,
    /// What must hold, over the same.
    pub that: Typed,
    /// What to do where it does not.
    pub help: Option<String>,
    /// How bad that is.
    pub severity: Severity,
}

/// A secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// Its name.
    pub name: Spanned<String>,
    /// Where it is kept.
    pub source: SecretSource,
}

/// Where a secret is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// `k8s("namespace/name", "key")`
    Kubernetes {
        /// The object's namespace.
        namespace: String,
        /// The object's name.
        name: String,
        /// The key in it.
        key: String,
    },
    /// `env("NAME")`
    Environment(String),
    /// `file("path")`
    File(String),
}

/// A hosted API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Its name.
    pub name: Spanned<String>,
    /// What it speaks.
    pub kind: ProviderKind,
    /// Azure's resource name, "" for others.
    pub resource: String,
    /// The base URL, without a slash at the end; derived from the kind and resource where none is written.
    pub url: String,
    /// The API's version; "" where it has none.
    pub version: String,
    /// Amazon's region, "" for others.
    pub region: String,
    /// How calls are authenticated.
    pub auth: ProviderAuth,
}

/// Where Anthropic's own API is.
pub const ANTHROPIC: &str = "https://api.anthropic.com/v1";

/// Where Google's own API is.
pub const GEMINI: &str = "https://generativelanguage.googleapis.com/v1beta";

/// What a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderKind {
    /// `openai`
    OpenAi,
    /// `azure-openai`
    AzureOpenAi,
    /// `openai-compatible`
    OpenAiCompatible,
    /// `anthropic`
    Anthropic,
    /// `gemini`
    Gemini,
    /// `bedrock`
    Bedrock,
}

impl ProviderKind {
    /// As a file writes it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::AzureOpenAi => "azure-openai",
            Self::OpenAiCompatible => "openai-compatible",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Bedrock => "bedrock",
        }
    }
}

/// How calls to a provider are authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderAuth {
    /// With a key.
    Secret(SecretIndex),
    /// By the pod's identity: Azure alone.
    WorkloadIdentity,
    /// Not at all.
    None,
}

/// A group of replicas.
#[derive(Debug, Clone)]
pub struct Pool {
    /// Its name.
    pub name: Spanned<String>,
    /// The engine it runs.
    pub engine: Engine,
    /// How its replicas come to be and are found.
    pub source: PoolSource,
    /// How one is picked.
    pub place: Place,
}

/// An inference engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Engine {
    /// `vllm`
    Vllm,
    /// `sglang`
    Sglang,
    /// `trtllm`
    Trtllm,
    /// `custom { … }`: metric names, "" where a signal has none.
    Custom {
        /// Requests waiting.
        queue: String,
        /// Requests running.
        running: String,
        /// Share of the KV cache in use.
        kv_cache: String,
    },
}

impl Pool {
    /// The name of its KAITO workspace, which is also the value of the label `kaito.sh/workspace` of its pods:
    /// what the manifests create and what the plan looks for.
    #[must_use]
    pub fn workspace(&self) -> String {
        format!("workspace-{}", self.name.value.replace(['.', '_'], "-"))
    }
}

/// How a pool's replicas come to be and are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PoolSource {
    /// A KAITO workspace that we write.
    Kaito {
        /// The model preset.
        preset: String,
        /// The machine's size; "" for nodes of one's own.
        instance: String,
        /// How many.
        replicas: Range,
        /// The container's port.
        port: u16,
    },
    /// Pods that exist.
    Selector {
        /// Their labels, sorted by name.
        labels: Vec<(String, String)>,
        /// Their namespace; the deployment's where none is written.
        namespace: String,
        /// The container's port.
        port: u16,
    },
    /// Base URLs.
    Static(Vec<String>),
    /// `host:port`
    Dns(String),
}

/// How a replica is picked.
#[derive(Debug, Clone)]
pub struct Place {
    /// Where the `place` block stands; absent where none is written and the defaults hold.
    pub span: Option<Span>,
    /// Weight of a warm prefix.
    pub prefix: u32,
    /// Weight of a short queue.
    pub queue: u32,
    /// Weight of a free KV cache.
    pub kv_cache: u32,
    /// Weight of a loaded adapter.
    pub lora: u32,
    /// Saturated at this many waiting requests.
    pub saturate_queue: Option<u32>,
    /// Saturated at this use of the KV cache.
    pub saturate_kv_cache: Option<Percent>,
    /// How long a call waits when every replica is saturated.
    pub wait: Milliseconds,
    /// Whether it then goes to the tier's next model rather than being shed.
    pub overflow_next: bool,
    /// `only when`
    pub only: Vec<Typed>,
}

/// A model.
#[derive(Debug, Clone)]
pub struct Model {
    /// Its name.
    pub name: Spanned<String>,
    /// Who serves it.
    pub via: Via,
    /// Its name there.
    pub upstream_name: String,
    /// Prompt and answer together, in tokens.
    pub context: Option<u64>,
    /// The longest answer, in tokens.
    pub output: Option<u64>,
    /// What a token costs.
    pub price: Option<Price>,
    /// Where a file says so, and not the catalog.
    pub price_span: Option<Span>,
    /// When that price was read from the provider's list.
    pub price_date: Option<Spanned<Date>>,
    /// Parameters that are dropped before sending, in the order written.
    pub rejects: Vec<String>,
    /// Surfaces: chat, completions, embeddings.
    pub serves: Serves,
    /// What it cannot take.
    pub lacks: Lacks,
    /// The day from which on it answers no more.
    pub retires: Option<Spanned<Date>>,
    /// Its entry in the catalog.
    pub listing: Option<ListingIndex>,
}

/// `catalog NAME { … }`: what a provider's list says of a model. A model of its name has what it does not say itself.
#[derive(Debug, Clone)]
pub struct Listing {
    /// The name that the provider lists.
    pub name: Spanned<String>,
    /// Prompt and answer together, in tokens.
    pub context: Option<u64>,
    /// The longest answer, in tokens.
    pub output: Option<u64>,
    /// What a token costs.
    pub price: Option<Price>,
    /// When that price was read.
    pub price_date: Option<Spanned<Date>>,
    /// Parameters that it refuses.
    pub rejects: Vec<String>,
    /// The day from which on it answers no more.
    pub retires: Option<Spanned<Date>>,
    /// Where the figures stand; "" where it does not say.
    pub source: String,
}

/// Who serves a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// A hosted API.
    Provider(ProviderIndex),
    /// A pool.
    Pool(PoolIndex),
}

/// Which surfaces a model serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Serves {
    /// Chat completions.
    pub chat: bool,
    /// Completions.
    pub completions: bool,
    /// Embeddings.
    pub embeddings: bool,
}

/// What a model cannot take; by default it takes all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lacks {
    /// Images.
    pub images: bool,
    /// Tools.
    pub tools: bool,
}

impl Lacks {
    /// In the words of the file.
    pub(crate) fn words(self) -> impl Iterator<Item = &'static str> {
        let all = [(self.images, "images"), (self.tools, "tools")];
        all.into_iter()
            .filter_map(|(lacks, word)| lacks.then_some(word))
    }
}

/// A tier.
#[derive(Debug, Clone)]
pub struct Tier {
    /// Its name, where it is declared.
    pub name: Spanned<String>,
    /// What it tries; tiers within it are already replaced by their steps, a model stands at most once.
    pub steps: Vec<Step>,
    /// How long one attempt may take to its first byte.
    pub timeout: Option<Milliseconds>,
    /// How often an attempt at one model is repeated.
    pub retries: u32,
    /// After how long without a first byte the next model is asked beside one.
    pub hedge: Option<Spanned<Milliseconds>>,
}

/// One step of a tier.
#[derive(Debug, Clone)]
pub enum Step {
    /// A model.
    Try(Spanned<ModelIndex>),
    /// A share of calls to each; the shares add up to 100%.
    Split {
        /// Model and share.
        arms: Vec<(Spanned<ModelIndex>, Percent)>,
        /// What stays with its arm.
        key: Option<Typed>,
    },
}

impl Tier {
    /// The model that the tier tries first: `on TIER` stands for it. A split stands for its largest arm.
    #[must_use]
    pub fn home(&self) -> Option<ModelIndex> {
        match self.steps.first()? {
            Step::Try(model) => Some(model.value),
            Step::Split { arms, .. } => arms
                .iter()
                .max_by_key(|(_, share)| *share)
                .map(|(model, _)| model.value),
        }
    }
}

/// A content section.
#[derive(Debug, Clone)]
pub struct Content {
    /// Its name; "" for the unnamed one.
    pub name: String,
    /// The block.
    pub span: Span,
    /// The names that clients may send.
    pub accepts: Vec<Accept>,
    /// Where calls start.
    pub start: Spanned<TierIndex>,
    /// What raises them.
    pub escalations: Vec<Escalation>,
    /// The fixed threshold.
    pub threshold: Option<Spanned<f64>>,
    /// What keeps a session's tier.
    pub keep: Option<Keep>,
}

/// A model name that clients may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accept {
    /// Where it is written.
    pub span: Span,
    /// The name, or what it must start with.
    pub name: String,
    /// Whether it was written with a `*` at its end.
    pub prefix: bool,
    /// An alias or a model's own name leads to the model; else the name leads to this section.
    pub model: Option<ModelIndex>,
}

/// A rule's identity: its label, or its own text where none is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The text.
    pub text: String,
    /// Whether it was written as a label.
    pub written: bool,
    /// Where: the label, or the whole statement.
    pub span: Span,
}

/// `escalate to TIER "label" when …`
#[derive(Debug, Clone)]
pub struct Escalation {
    /// The statement.
    pub span: Span,
    /// What it raises to.
    pub tier: TierIndex,
    /// Its identity.
    pub label: Label,
    /// When.
    pub when: Typed,
}

/// `keep session EXPR for 10m`
#[derive(Debug, Clone)]
pub struct Keep {
    /// The statement.
    pub span: Span,
    /// What a session is.
    pub session: Typed,
    /// How long its floor lasts after its last call.
    pub window: Milliseconds,
}

/// The policy.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Where `callers` stands; absent when no file says, and then nobody may call without saying so.
    pub callers_span: Option<Span>,
    /// The secret with the keys.
    pub keys: Option<SecretIndex>,
    /// Callers by signed token.
    pub jwt: Option<Jwt>,
    /// Whether calls without a key are let in.
    pub anonymous: bool,
    /// `deny` rules.
    pub denials: Vec<Denial>,
    /// `cap` rules.
    pub caps: Vec<Cap>,
    /// Limits and budgets.
    pub quotas: Vec<Quota>,
    /// `priority` rules.
    pub priorities: Vec<Priority>,
    /// What is redacted.
    pub redactions: Vec<Redaction>,
}

/// Callers by signed token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jwt {
    /// The field.
    pub span: Span,
    /// Who signs.
    pub issuer: String,
    /// For whom.
    pub audience: String,
    /// Where the keys are.
    pub jwks: String,
    /// The claims that are `caller.key`, `.team`, `.agent`, `.plan` and `.name`.
    pub claims: [String; 5],
}

/// `deny "label" status 403 when …`
#[derive(Debug, Clone)]
pub struct Denial {
    /// The statement.
    pub span: Span,
    /// Its identity.
    pub label: Label,
    /// The status of the answer.
    pub status: u16,
    /// When.
    pub when: Typed,
}

/// `cap at TIER "label" when …`
#[derive(Debug, Clone)]
pub struct Cap {
    /// The statement.
    pub span: Span,
    /// What it lowers to.
    pub tier: TierIndex,
    /// Its identity.
    pub label: Label,
    /// When.
    pub when: Typed,
}

/// A limit or a budget.
#[derive(Debug, Clone)]
pub struct Quota {
    /// The statement.
    pub span: Span,
    /// Whether it was written `budget`.
    pub budget: bool,
    /// Its identity.
    pub label: Label,
    /// How much.
    pub amount: Spanned<Amount>,
    /// Per how long.
    pub window: Spanned<Window>,
    /// The time zone of a calendar window, `UTC` where none is written.
    pub zone: String,
    /// What the bucket holds.
    pub burst: Option<u64>,
    /// One bucket for each value.
    pub per: Option<Typed>,
    /// Only calls that this model answers, and the name it was written as.
    pub on: Option<Spanned<ModelIndex>>,
    /// Only such calls.
    pub when: Option<Typed>,
    /// What happens at which share; never empty.
    pub outcomes: Vec<Outcome>,
}

/// What happens at a share of a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Where.
    pub span: Span,
    /// At which share.
    pub share: Percent,
    /// What.
    pub action: Action,
}

/// What happens at a share of a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The answer says so.
    Warn,
    /// 429
    Deny,
    /// The call waits for room, so many milliseconds at most; then 429.
    Wait(u64),
    /// The call is lowered.
    CapAt(TierIndex),
}

impl Action {
    /// Whether a call that finds no room is refused in the end.
    #[must_use]
    pub const fn refuses(self) -> bool {
        matches!(self, Self::Deny | Self::Wait(_))
    }
}

/// `priority 10 "label" when …`
#[derive(Debug, Clone)]
pub struct Priority {
    /// The statement.
    pub span: Span,
    /// Its identity.
    pub label: Label,
    /// Higher is served first.
    pub value: i64,
    /// When; always without it.
    pub when: Option<Typed>,
}

/// What is redacted, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redaction {
    /// The statement.
    pub span: Span,
    /// A regular expression.
    pub pattern: String,
    /// What stands in its place: `[email]`, `[redacted]`.
    pub replacement: String,
    /// In what is sent upstream.
    pub request: bool,
    /// In logs.
    pub logs: bool,
    /// In what the client gets back.
    pub response: bool,
}

impl Redaction {
    /// What it hides, as an author says it: a kind (`credit-card`) or a pattern.
    #[must_use]
    pub fn what(&self) -> &str {
        match self.replacement.as_str() {
            "[redacted]" => &self.pattern,
            kind => kind.trim_matches(['[', ']']),
        }
    }
}

/// How many more replicas there may be while a new version takes the place of an old one.
pub const SURGE: u32 = 1;

/// `deploy kubernetes { … }`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deploy {
    /// The block.
    pub span: Span,
    /// The namespace of everything.
    pub namespace: String,
    /// Which shape the file asks for.
    pub shape: Shape,
    /// How many runtimes.
    pub replicas: Range,
    /// Whose PodMonitors.
    pub monitor: Option<Monitor>,
    /// Where replicas share what is used; each counts by itself without it.
    pub redis: Option<Redis>,
    /// The runtime's image; a default where none is written.
    pub image: Option<String>,
    /// Versions of what is deployed, as written.
    pub versions: Versions,
}

impl Deploy {
    /// How many runtimes there are at most at one time: another one while a new version takes the place of an old one.
    #[must_use]
    pub const fn most_at_once(&self) -> u64 {
        self.replicas.high.saturating_add(SURGE as u64)
    }
}

/// `state redis secret NAME away share`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Redis {
    /// The field.
    pub span: Span,
    /// The secret with its address.
    pub secret: SecretIndex,
    /// Whether each replica goes on with its share while Redis is away; else calls are refused.
    pub shares: bool,
}

/// Which manifests are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Our runtime makes all three decisions.
    Waypost,
    /// RouteLLM, agentgateway and the Endpoint Picker.
    Layered,
    /// Gateway API with our runtime as its Endpoint Picker.
    GatewayApi,
}

/// Whose PodMonitors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Monitor {
    /// `azmonitoring.coreos.com`
    Azure,
    /// `monitoring.coreos.com`
    Prometheus,
}

/// Versions of what is deployed; absent where the file does not say, and then the manifests choose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Versions {
    /// `inference-extension "1.0"`
    pub inference_extension: Option<Spanned<String>>,
    /// `kaito "v1beta1"`
    pub kaito: Option<Spanned<String>>,
    /// `agentgateway "1.3.1"`
    pub agentgateway: Option<Spanned<String>>,
}

/// A test block with its names resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// What it is called.
    pub name: Spanned<String>,
    /// What the call is.
    pub given: Vec<waypost_lang::syntax::tree::Given>,
    /// What must come of it.
    pub expect: Vec<waypost_lang::syntax::tree::Expect>,
}

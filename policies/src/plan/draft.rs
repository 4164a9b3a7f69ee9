//! A plan before it is sealed: what the compiler fills in and [`super::encode`] writes.
//!
//! Names are already indices into the vectors here; tiers stand in chain order, so a tier's index is its rank.

use std::net::IpAddr;

pub use crate::cost::{Price, Rates};
use crate::money::NanoDollars;

/// Index into [`Draft::tiers`]: the rank in the chain, 0 the lowest.
pub type TierIndex = u16;
/// Index into [`Draft::models`].
pub type ModelIndex = u16;
/// Index into [`Draft::expressions`].
pub type ExpressionIndex = u32;
/// Index into [`Draft::secrets`].
pub type SecretIndex = u16;

/// Where something stands in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Origin {
    /// Index into [`Draft::files`].
    pub file: u16,
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
}

/// A whole plan.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Draft {
    /// The compiler's version.
    pub compiler: String,
    /// SHA-256 of the sources.
    pub source_hash: [u8; 32],
    /// Source files by the names that messages show.
    pub files: Vec<String>,
    /// Where secrets are kept; never the secrets.
    pub secrets: Vec<Secret>,
    /// Hosted APIs.
    pub providers: Vec<Provider>,
    /// Groups of replicas.
    pub pools: Vec<Pool>,
    /// Models.
    pub models: Vec<Model>,
    /// Tiers, lowest first.
    pub tiers: Vec<Tier>,
    /// The model names that clients may send. Exact names win over prefixes, longer prefixes over shorter.
    pub accepts: Vec<Accept>,
    /// The content sections.
    pub contents: Vec<Content>,
    /// Who may call.
    pub callers: Callers,
    /// Where replicas share what is used of limits and budgets; each counts by itself without it.
    pub shared: Option<Shared>,
    /// `deny` rules.
    pub denials: Vec<Denial>,
    /// `cap` rules.
    pub caps: Vec<Cap>,
    /// Limits and budgets.
    pub quotas: Vec<Quota>,
    /// `priority` rules; the highest that matches counts.
    pub priorities: Vec<Priority>,
    /// What is redacted.
    pub redactions: Vec<Redaction>,
    /// Every expression, each distinct one once.
    pub expressions: Vec<Expression>,
    /// Header names that expressions read, lower case; the slots of [`crate::facts::Request::headers`].
    pub headers: Vec<String>,
    /// Metadata keys that expressions read.
    pub metadata: Vec<String>,
    /// Claims that expressions read.
    pub claims: Vec<String>,
    /// Endpoint labels that expressions read.
    pub labels: Vec<String>,
    /// What the expressions' code refers to; [`crate::vm::Pool::fill`] fills it.
    pub constants: Constants,
}

/// The constants that the expressions' code refers to by index, each distinct one once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Constants {
    /// Strings.
    pub strings: Vec<String>,
    /// Regular expressions, compiled once when the plan is loaded.
    pub patterns: Vec<String>,
    /// Time zones by IANA name, or `+02:00`.
    pub zones: Vec<String>,
    /// Lists. Those that hold keys and values in turn, sorted by key, are maps too.
    pub lists: Vec<Vec<Scalar>>,
    /// Sorted strings without repetition, searched by `in`.
    pub sets: Vec<Vec<String>>,
}

/// An element of a constant list.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// `null`
    Null,
    /// A bool
    Bool(bool),
    /// An int
    Int(i64),
    /// A uint
    Uint(u64),
    /// A double
    Double(f64),
    /// A string
    String(String),
    /// Bytes
    Bytes(Vec<u8>),
    /// Seconds and nanoseconds since 1970-01-01T00:00:00Z
    Timestamp(i64, u32),
    /// Nanoseconds
    Duration(i64),
    /// An address
    Ip(IpAddr),
    /// A network: its address and the length of its prefix
    Cidr(IpAddr, u8),
    /// A list: one of [`Constants::lists`] before this one.
    List(u32),
    /// A map: one of [`Constants::lists`] before this one.
    Map(u32),
    /// `optional.none()`
    Absent,
    /// The number of a [`crate::vm::TypeName`]
    Type(u8),
}

/// A secret and where it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// How the file calls it.
    pub name: String,
    /// Where it is.
    pub source: SecretSource,
}

/// Where a secret is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// A key of a Kubernetes secret, mounted at `/etc/waypost/secrets/<secret>/<key>`.
    Kubernetes {
        /// The object's namespace.
        namespace: String,
        /// The object's name.
        secret: String,
        /// The key in it.
        key: String,
    },
    /// An environment variable.
    Environment(String),
    /// A file.
    File(String),
}

/// A hosted API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// How the file calls it.
    pub name: String,
    /// What it speaks.
    pub kind: ProviderKind,
    /// Scheme, host and path prefix without a slash at the end: `https://api.openai.com/v1`,
    /// `https://acme-aoai.openai.azure.com`.
    pub base_url: String,
    /// Azure's `api-version`, else "".
    pub api_version: String,
    /// Amazon's region, else "".
    pub region: String,
    /// How calls are authenticated.
    pub auth: ProviderAuth,
}

/// What a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderKind {
    /// api.openai.com
    OpenAi,
    /// `/openai/deployments/<deployment>/chat/completions?api-version=…`, header `api-key`
    AzureOpenAi,
    /// Any server of OpenAI's API
    OpenAiCompatible,
    /// api.anthropic.com, and servers of its API: `/messages`, header `x-api-key`
    Anthropic,
    /// Google's `/models/<model>:generateContent`, header `x-goog-api-key`
    Gemini,
    /// Amazon's `/model/<model>/converse`, signed
    Bedrock,
}

/// How calls to a provider are authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderAuth {
    /// With a key.
    Secret(SecretIndex),
    /// With tokens that Azure gives for the workload's own: a file that the cluster writes.
    WorkloadIdentity,
    /// Not at all.
    None,
}

/// A group of replicas that serve the same models.
#[derive(Debug, Clone, PartialEq)]
pub struct Pool {
    /// How the file calls it.
    pub name: String,
    /// How its metrics are named.
    pub engine: Engine,
    /// How its replicas are found.
    pub discovery: Discovery,
    /// How one of them is picked.
    pub placement: Placement,
}

/// Which inference engine a pool runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Engine {
    /// vLLM
    Vllm,
    /// SGLang
    Sglang,
    /// TensorRT-LLM
    Trtllm,
    /// Metric names as written; "" where a signal has none.
    Custom {
        /// Requests waiting.
        queue: String,
        /// Requests running.
        running: String,
        /// Share of the KV cache in use, 0 to 1.
        kv_cache: String,
    },
}

/// How a pool's replicas are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Discovery {
    /// Base URLs as written, without a slash at the end.
    Static(Vec<String>),
    /// `host:port`; every address that the name has, on that port.
    Dns(String),
    /// Ready pods by label.
    Kubernetes {
        /// Their namespace.
        namespace: String,
        /// Their labels, sorted by name.
        labels: Vec<(String, String)>,
        /// The container's port.
        port: u16,
    },
}

/// How a replica is picked.
#[derive(Debug, Clone, PartialEq)]
pub struct Placement {
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
    /// Saturated at this use of the KV cache, in hundredths of a percent.
    pub saturate_kv_cache: Option<u32>,
    /// How long a call waits when every replica is saturated.
    pub wait_milliseconds: u64,
    /// What happens then: the tier's next model, or a refusal.
    pub overflow: Overflow,
    /// `only when`: replicas for which one of these is false are left out.
    pub only: Vec<ExpressionIndex>,
}

/// What happens when every replica stays saturated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overflow {
    /// The tier's next model.
    Next,
    /// A 503 with `retry-after`.
    Shed,
}

/// A model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// How the file and clients call it.
    pub name: String,
    /// Who serves it.
    pub via: Via,
    /// Its name there.
    pub upstream_name: String,
    /// Prompt and answer together, in tokens.
    pub context: Option<u64>,
    /// The longest answer, in tokens.
    pub output: Option<u64>,
    /// What its tokens cost.
    pub price: Option<Price>,
    /// Parameters that are dropped before sending.
    pub rejects: Vec<String>,
    /// Whether it serves chat.
    pub chat: bool,
    /// Whether it serves completions.
    pub completions: bool,
    /// Whether it serves embeddings.
    pub embeddings: bool,
    /// Whether it cannot take images.
    pub lacks_images: bool,
    /// Whether it cannot take tools.
    pub lacks_tools: bool,
    /// Where it is declared.
    pub origin: Origin,
}

/// Who serves a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// Index into [`Draft::providers`].
    Provider(u16),
    /// Index into [`Draft::pools`].
    Pool(u16),
}

/// A tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tier {
    /// Its name.
    pub name: String,
    /// What it tries, in order; tiers within tiers are already replaced by their steps.
    pub steps: Vec<Step>,
    /// How long one attempt may take to its first byte; 0 is the runtime's default.
    pub timeout_milliseconds: u64,
    /// How often an attempt at one model is repeated.
    pub retries: u32,
    /// After how long without a first byte the next model is asked beside one; 0 is never.
    pub hedge_milliseconds: u64,
    /// Where it is declared.
    pub origin: Origin,
}

/// One step of a tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A model.
    Try(ModelIndex),
    /// A share of calls to each.
    Split {
        /// Model and share in hundredths of a percent; the shares add up to 10,000.
        arms: Vec<(ModelIndex, u32)>,
        /// What stays with its arm; without it each call goes by itself.
        key: Option<ExpressionIndex>,
    },
}

/// A model name that clients may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accept {
    /// The name, or what it must start with.
    pub name: String,
    /// Whether it was written with a `*` at its end.
    pub prefix: bool,
    /// What it leads to.
    pub target: AcceptTarget,
}

/// What an accepted name leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcceptTarget {
    /// Index into [`Draft::contents`].
    Content(u16),
    /// A model by name or alias: content is skipped, policy is not.
    Model(ModelIndex),
}

/// A content section.
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    /// Its name; "" for the unnamed one.
    pub name: String,
    /// Where a call starts.
    pub start: TierIndex,
    /// Where `start` stands.
    pub start_origin: Origin,
    /// What raises it.
    pub escalations: Vec<Escalation>,
    /// What `threshold` is; `None` where none is declared (then no rule reads it).
    pub threshold: Option<f64>,
    /// What keeps a session's tier.
    pub keep: Option<Keep>,
}

/// `escalate to TIER "label" when …`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escalation {
    /// What it raises to.
    pub tier: TierIndex,
    /// Its identity: the label, or the expression's text.
    pub label: String,
    /// When.
    pub when: ExpressionIndex,
    /// Where it stands.
    pub origin: Origin,
}

/// `keep session EXPR for 10m`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keep {
    /// What a session is; "" is none.
    pub session: ExpressionIndex,
    /// How long its floor lasts after its last call.
    pub window_milliseconds: u64,
    /// Where it stands.
    pub origin: Origin,
}

/// Who may call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Callers {
    /// The secret with the keys.
    pub keys: Option<SecretIndex>,
    /// Callers by signed token.
    pub jwt: Option<Jwt>,
    /// Whether calls without a key are let in.
    pub anonymous: bool,
    /// Where `callers` stands.
    pub origin: Origin,
}

/// Where replicas share what is used of limits and budgets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// The secret with the address of Redis.
    pub redis: SecretIndex,
    /// Whether a replica goes on with its share while Redis is away; else calls that are counted are refused.
    pub shares: bool,
    /// How many replicas there are at most at one time.
    pub replicas: u32,
    /// What tells this deployment from others that have the same Redis.
    pub namespace: String,
}

/// Callers by signed token (RFC 7519). The last five name the claims that say who calls; "" is no claim.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Jwt {
    /// What the claim `iss` must be.
    pub issuer: String,
    /// What the claim `aud` must be, or hold.
    pub audience: String,
    /// Where the keys are that tokens are signed with.
    pub jwks: String,
    /// The claim that is `caller.key`.
    pub key: String,
    /// The claim that is `caller.team`.
    pub team: String,
    /// The claim that is `caller.agent`.
    pub agent: String,
    /// The claim that is `caller.plan`.
    pub plan: String,
    /// The claim that is `caller.name`.
    pub name: String,
}

/// `deny "label" status 403 when …`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// Its identity.
    pub label: String,
    /// The HTTP status of the answer.
    pub status: u16,
    /// When.
    pub when: ExpressionIndex,
    /// Where it stands.
    pub origin: Origin,
}

/// `cap at TIER "label" when …`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cap {
    /// What it lowers to.
    pub tier: TierIndex,
    /// Its identity.
    pub label: String,
    /// When.
    pub when: ExpressionIndex,
    /// Where it stands.
    pub origin: Origin,
}

/// A limit or a budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    /// Whether it was written `budget`.
    pub budget: bool,
    /// Its identity: the label, or the text of its rate (`$50 / day`).
    pub label: String,
    /// How much.
    pub amount: Amount,
    /// Per how long.
    pub window: Window,
    /// What a rolling window's bucket holds, in the amount's unit; the amount itself where no burst is written.
    pub burst: u64,
    /// One bucket for each value of this string; one for all without it.
    pub per: Option<ExpressionIndex>,
    /// Only calls that this model answers.
    pub on: Option<ModelIndex>,
    /// Only calls for which this is true.
    pub when: Option<ExpressionIndex>,
    /// What happens at which share; never empty: without a written outcome it is a denial at 100%.
    pub outcomes: Vec<QuotaOutcome>,
    /// Where it stands.
    pub origin: Origin,
}

/// What a quota counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// Calls.
    Requests(u64),
    /// Tokens of prompt and answer.
    Tokens(u64),
    /// Money.
    Money(NanoDollars),
    /// Times that the same request is sent.
    Repeats(u64),
    /// Calls that are open at one time.
    Concurrent(u64),
}

/// How a quota's window runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Window {
    /// A token bucket that refills evenly over this many milliseconds.
    Rolling(u64),
    /// The time just past, this many milliseconds of it.
    Sliding(u64),
    /// A session: until no call of it has come for this many milliseconds. Without `per` it is the one that `keep` names.
    Session(u64),
    /// Each call by itself: nothing is remembered.
    Call,
    /// While calls are open.
    Open,
    /// A calendar window in a time zone by its IANA name, `UTC` where none is written.
    Calendar(Period, String),
}

/// A calendar window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// From midnight.
    Day,
    /// From Monday's midnight.
    Week,
    /// From the first's midnight.
    Month,
}

/// What happens at a share of a quota.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaOutcome {
    /// In hundredths of a percent.
    pub share: u32,
    /// What.
    pub action: QuotaAction,
}

/// What happens at a share of a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuotaAction {
    /// The answer says so.
    Warn,
    /// The call is refused with 429.
    Deny,
    /// The call waits for room, so many milliseconds at most, and is refused then.
    Wait(u64),
    /// The call is lowered to this tier.
    CapAt(TierIndex),
}

impl QuotaAction {
    /// Whether a call that finds no room is refused in the end.
    #[must_use]
    pub const fn refuses(self) -> bool {
        matches!(self, Self::Deny | Self::Wait(_))
    }
}

/// `priority 10 "label" when …`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Priority {
    /// Higher is served first.
    pub value: i64,
    /// Its identity.
    pub label: String,
    /// When; always without it.
    pub when: Option<ExpressionIndex>,
    /// Where it stands.
    pub origin: Origin,
}

/// What is redacted, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redaction {
    /// A regular expression.
    pub pattern: String,
    /// What stands in its place: `[email]`.
    pub replacement: String,
    /// In what is sent upstream.
    pub request: bool,
    /// In logs.
    pub logs: bool,
    /// In what the client gets back.
    pub response: bool,
}

/// An expression: its code, and what was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    /// What the VM runs.
    pub code: super::Code,
    /// As written, for explanations.
    pub text: String,
    /// Where it stands first.
    pub origin: Origin,
}

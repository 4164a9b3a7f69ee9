//! The syntax tree of a `.route` file (LANGUAGE.md §2, §2a, §3).
//!
//! Every node carries its span. A construct the parser could not read is absent from the tree and present
//! in the diagnostics; nothing here is half-read. Units are already exact integers.

mod price;

pub use price::{Price, PriceRow, SORTS, Service, Sort};

use crate::cel;
use crate::source::{Span, Spanned};

/// A bare name with its span: `gpt-5.1`, `weak`, `aoai_key`.
pub type Name = Spanned<String>;
/// A string literal's value, with the span of the literal.
pub type Text = Spanned<String>;
/// Money in nano-dollars (10⁻⁹ US dollars), or nano-dollars per 1M tokens for prices.
pub type NanoDollars = i64;
/// A duration in milliseconds.
pub type Milliseconds = u64;

/// One parsed file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct File {
    /// `waypost 1`; absent if the line is missing or unreadable.
    pub edition: Option<Spanned<u64>>,
    /// Its statements in the order written.
    pub items: Vec<Item>,
}

/// A top-level statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// From the keyword to the last byte, without the comment before it.
    pub span: Span,
    /// The `///` lines just before it, joined by newlines, without the slashes.
    pub documentation: Option<String>,
    /// What it states.
    pub kind: ItemKind,
}

/// What a top-level statement states.
#[derive(Debug, Clone, PartialEq)]
pub enum ItemKind {
    /// `import "std/agents.route"`
    Import(Text),
    /// `secret NAME = k8s("ns/name", "key")`
    Secret(Secret),
    /// `let LONG = 24000`
    Let(Let),
    /// `provider NAME { … }`
    Provider(Provider),
    /// `model NAME { … }`
    Model(Model),
    /// `extend model NAME { … }`: what an overlay changes of something that another file declares.
    Extend(Extension),
    /// `catalog NAME { … }`
    Catalog(Catalog),
    /// `pool NAME { … }`
    Pool(Pool),
    /// `tiers weak < strong`
    Tiers(Vec<Name>),
    /// `tier NAME { … }`
    Tier(Tier),
    /// `content [NAME] { … }`
    Content(Content),
    /// `policy { … }`
    Policy(Policy),
    /// `place POOL { … }`
    Place(Place),
    /// `deploy kubernetes { … }`
    Deploy(Deploy),
    /// `test "…" { given { … } expect { … } }`
    Test(Test),
    /// `require "…" { … }`
    Require(Require),
}

/// What an overlay changes. It has the fields of a declaration, and only those that it writes.
#[derive(Debug, Clone, PartialEq)]
pub enum Extension {
    /// `extend let NAME = …`
    Let(Let),
    /// `extend provider NAME { … }`
    Provider(Provider),
    /// `extend model NAME { … }`
    Model(Model),
    /// `extend pool NAME { … }`
    Pool(Pool),
    /// `extend tier NAME { … }`
    Tier(Tier),
    /// `extend deploy { … }`
    Deploy(Deploy),
}

/// A day of the calendar, checked to exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// 2026
    pub year: u16,
    /// 1 to 12
    pub month: u8,
    /// 1 to 31
    pub day: u8,
}

/// What a provider's list says of a model: what a model of that name need not say itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Catalog {
    /// The fields; `via` and `listed as` are never among them.
    pub model: Model,
    /// `source "https://…"`: where the figures stand.
    pub source: Option<Text>,
}

/// `require "every paid tier has a budget" { … }`: what every file that imports this one must fulfil.
#[derive(Debug, Clone, PartialEq)]
pub struct Require {
    /// What is demanded, in words.
    pub label: Text,
    /// `each tier`: of which items; of the file as a whole where it does not say.
    pub each: Option<Name>,
    /// `when tier.paid`: only of such items.
    pub when: Option<cel::Expr>,
    /// `that size(tier.budgets) > 0`: what must hold.
    pub that: Option<cel::Expr>,
    /// `help "…"`: what to do; `{tier.name}` in it is replaced.
    pub help: Option<Text>,
    /// `severity warning`; an error where it does not say.
    pub severity: Option<Name>,
}

/// A named secret and where it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Secret {
    /// How the file calls it.
    pub name: Name,
    /// Where it is kept.
    pub source: SecretSource,
}

/// Where a secret is kept, or what was written instead of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// `k8s("namespace/name", "key")`; the first string is not split here.
    Kubernetes {
        /// `llm/aoai-credentials`
        object: Text,
        /// `api-key`
        key: Text,
    },
    /// `env("NAME")`
    Environment(Text),
    /// `file("path")`
    File(Text),
    /// A bare string where a place belongs; the compiler refuses it.
    Literal(Text),
}

/// A named constant for expressions.
#[derive(Debug, Clone, PartialEq)]
pub struct Let {
    /// `LONG`; capital letters, digits and underscores, or a lower-case name.
    pub name: Name,
    /// Its value, an expression of constants.
    pub value: cel::Expr,
}

/// A hosted API.
#[derive(Debug, Clone, PartialEq)]
pub struct Provider {
    /// How the file calls it.
    pub name: Name,
    /// `kind azure-openai`: the dialect and the authentication it speaks.
    pub kind: Option<Name>,
    /// `resource "acme-aoai"`: Azure's resource name.
    pub resource: Option<Text>,
    /// `url "https://…/v1"`: the base that paths are appended to.
    pub url: Option<Text>,
    /// `version "2024-10-21"`: the API's version.
    pub version: Option<Text>,
    /// `region "eu-west-1"`.
    pub region: Option<Text>,
    /// How calls are authenticated.
    pub auth: Option<Spanned<Auth>>,
}

/// How calls to a provider are authenticated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// `auth secret NAME`
    Secret(Name),
    /// `auth workload-identity`
    WorkloadIdentity,
    /// `auth none`: for servers of one's own.
    None,
    /// `auth "sk-…"`: a literal where a secret belongs; the compiler refuses it.
    Literal(Text),
}

/// A model, or an extension of one declared elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// How the file and clients call it.
    pub name: Name,
    /// Who serves it.
    pub via: Option<Via>,
    /// `context 400k`: prompt and answer together, in tokens.
    pub context: Option<Spanned<u64>>,
    /// `output 128k`: the longest answer, in tokens.
    pub output: Option<Spanned<u64>>,
    /// What its tokens cost.
    pub price: Option<Price>,
    /// `rejects presence_penalty, frequency_penalty`: parameters it refuses, dropped before sending.
    pub rejects: Vec<Name>,
    /// `serves embeddings`; empty means chat.
    pub serves: Vec<Name>,
    /// `lacks images, tools`: what it cannot take; calls that send it go to the next model.
    pub lacks: Vec<Name>,
    /// `retires "2027-04-01"`: from this day on it answers no more.
    pub retires: Option<Spanned<Date>>,
    /// `listed as gpt-5.1`: its entry in the catalog, where it is not its own name.
    pub listed: Option<Name>,
}

/// Who serves a model, and under what name there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Via {
    /// `via … deployment "…"`, the whole field.
    pub span: Span,
    /// The provider's or the pool's name.
    pub target: Name,
    /// `via pool NAME` rather than `via NAME`.
    pub pool: bool,
    /// `deployment "gpt-5.1"` or `as "phi-4-mini-instruct"`: its name there.
    pub upstream_name: Option<Text>,
}

/// A group of replicas that serve the same models.
#[derive(Debug, Clone, PartialEq)]
pub struct Pool {
    /// How the file calls it.
    pub name: Name,
    /// `kaito { preset … instance … replicas … }`
    pub kaito: Option<Kaito>,
    /// `engine vllm`
    pub engine: Option<Engine>,
    /// `port 5000`: the container's.
    pub port: Option<Spanned<u64>>,
    /// `endpoints "http://…", …`
    pub endpoints: Vec<Text>,
    /// `dns "name:port"`
    pub dns: Option<Text>,
    /// `selector { app: "vllm" } namespace "llm"`
    pub selector: Option<Selector>,
}

/// Which inference engine a pool runs: its metric names.
#[derive(Debug, Clone, PartialEq)]
pub struct Engine {
    /// `vllm`, `sglang`, `trtllm` or `custom`.
    pub name: Name,
    /// `custom { queue "…"  running "…"  kv-cache "…" }`: signal and metric name.
    pub metrics: Vec<(Name, Text)>,
}

/// A KAITO workspace that places the pool's replicas.
#[derive(Debug, Clone, PartialEq)]
pub struct Kaito {
    /// The whole field.
    pub span: Span,
    /// `preset "phi-4-mini-instruct"`
    pub preset: Option<Text>,
    /// `instance "Standard_NC24ads_A100_v4"`
    pub instance: Option<Text>,
    /// `replicas 2..8`, or `replicas 2`.
    pub replicas: Option<Spanned<Range>>,
}

/// `2..8`; `2` alone is `2..2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The least.
    pub low: u64,
    /// The most.
    pub high: u64,
}

/// Pods by label.
#[derive(Debug, Clone, PartialEq)]
pub struct Selector {
    /// The whole field.
    pub span: Span,
    /// Label and value; a label may be written as a name or as a string.
    pub labels: Vec<(Name, Text)>,
    /// `namespace "llm"`
    pub namespace: Option<Text>,
}

/// A tier: which models a call may be answered by, in the order tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Tier {
    /// Its name.
    pub name: Name,
    /// `try A then B` or `split … then B`, in order; the first is the home of the tier.
    pub steps: Vec<Step>,
    /// `timeout 60s`
    pub timeout: Option<Spanned<Milliseconds>>,
    /// `retries 2`
    pub retries: Option<Spanned<u64>>,
    /// `hedge after 2s`
    pub hedge: Option<Spanned<Milliseconds>>,
}

/// One step of a tier's fallback.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// A model, or another tier, by name.
    Try(Name),
    /// `split phi-4-mini 90%, qwen-3 10% by caller.key`
    Split(Split),
}

/// A share of calls to each of several models.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// The whole field.
    pub span: Span,
    /// Model and share.
    pub arms: Vec<(Name, Spanned<Percent>)>,
    /// `by caller.key`: what stays with its arm; absent means each call by itself.
    pub key: Option<cel::Expr>,
}

/// A percentage in hundredths of a percent: `80%` is 8000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(pub u32);

/// `content [NAME] { … }`
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    /// Its name, if it has one.
    pub name: Option<Name>,
    /// Its statements in the order written.
    pub items: Vec<ContentItem>,
}

/// A statement of a `content` block.
#[derive(Debug, Clone, PartialEq)]
pub struct ContentItem {
    /// The whole statement.
    pub span: Span,
    /// What it states.
    pub kind: ContentKind,
}

/// What a statement of a `content` block states.
#[derive(Debug, Clone, PartialEq)]
pub enum ContentKind {
    /// `accept "auto", "router-mf-*"`, `accept models`, `accept "gpt-4o" as gpt-5.1`
    Accept(Vec<Accept>),
    /// `start weak`
    Start(Name),
    /// `escalate to strong "label" when …`
    Escalate {
        /// The tier it raises to.
        tier: Name,
        /// Its identity.
        label: Option<Text>,
        /// When it does.
        when: cel::Expr,
    },
    /// `threshold 0.42` or `threshold hold strong at 30%..35%`
    Threshold(Threshold),
    /// `keep session EXPR for 10m`
    Keep {
        /// What a session is.
        session: cel::Expr,
        /// How long its floor lasts after its last call.
        window: Spanned<Milliseconds>,
    },
}

/// One model name that clients may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accept {
    /// `"auto"`, or with one `*` at its end `"router-mf-*"`; `as gpt-5.1` makes it an alias.
    Pattern {
        /// The pattern.
        pattern: Text,
        /// The model it stands for.
        alias: Option<Name>,
    },
    /// `models`: every declared model by its own name.
    Models(Span),
}

/// How high `difficulty` must be.
#[derive(Debug, Clone, PartialEq)]
pub enum Threshold {
    /// `threshold 0.42`
    Fixed(Spanned<f64>),
    /// `threshold hold strong at 30%..35%`: steered so that this share of calls is raised.
    Hold {
        /// The tier whose share is held.
        tier: Name,
        /// The least share.
        low: Spanned<Percent>,
        /// The most.
        high: Spanned<Percent>,
    },
}

/// `policy { … }`
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Its statements in the order written.
    pub items: Vec<PolicyItem>,
}

/// A statement of a `policy` block.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyItem {
    /// The whole statement.
    pub span: Span,
    /// What it states.
    pub kind: PolicyKind,
}

/// What a statement of a `policy` block states.
#[allow(
    clippy::large_enum_variant,
    reason = "a file has a handful of them, and most are quotas"
)]
#[derive(Debug, Clone, PartialEq)]
pub enum PolicyKind {
    /// `callers { … }`
    Callers(Callers),
    /// `deny "label" status 403 when …`
    Deny {
        /// Its identity.
        label: Option<Text>,
        /// The HTTP status of the answer; 403 if absent.
        status: Option<Spanned<u64>>,
        /// When it denies.
        when: cel::Expr,
    },
    /// `cap at weak "label" when …`
    Cap {
        /// The tier it lowers to.
        tier: Name,
        /// Its identity.
        label: Option<Text>,
        /// When it does.
        when: cel::Expr,
    },
    /// `limit 600 requests / 1m …` and `budget $50 / day …`
    Quota(Quota),
    /// `redact email, "INT-[0-9]{6}" in request, logs`
    Redact {
        /// Named kinds and regular expressions.
        patterns: Vec<Redaction>,
        /// `request`, `logs`, `response`.
        places: Vec<Name>,
    },
    /// `priority 10 "label" when …`
    Priority {
        /// Higher is served first.
        value: Spanned<i64>,
        /// Its identity.
        label: Option<Text>,
        /// When; always, if absent.
        when: Option<cel::Expr>,
    },
}

/// What `redact` looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redaction {
    /// `email`, `credit-card`, …
    Kind(Name),
    /// A regular expression.
    Pattern(Text),
}

/// Who may call.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Callers {
    /// `keys secret NAME`; the keyword's span and the secret's name.
    pub keys: Option<Name>,
    /// `jwt { … }`
    pub jwt: Option<Jwt>,
    /// `anonymous deny` or `anonymous allow`, as written.
    pub anonymous: Option<Name>,
}

/// Callers by signed token.
#[derive(Debug, Clone, PartialEq)]
pub struct Jwt {
    /// The whole field.
    pub span: Span,
    /// Who signs.
    pub issuer: Option<Text>,
    /// For whom.
    pub audience: Option<Text>,
    /// Where the keys are.
    pub jwks: Option<Text>,
    /// The claim that is `caller.key`.
    pub key: Option<Text>,
    /// The claim that is `caller.team`.
    pub team: Option<Text>,
    /// The claim that is `caller.agent`.
    pub agent: Option<Text>,
    /// The claim that is `caller.plan`.
    pub plan: Option<Text>,
    /// The claim that is `caller.name`.
    pub name: Option<Text>,
}

/// A limit or a budget.
#[derive(Debug, Clone, PartialEq)]
pub struct Quota {
    /// Whether it was written `budget`.
    pub budget: bool,
    /// The rate as one span, `$50 / day`: its text is the label where none is written.
    pub rate_span: Span,
    /// How much.
    pub amount: Spanned<Amount>,
    /// Per how long.
    pub window: Spanned<Window>,
    /// `"Europe/Berlin"` of `/ day in "Europe/Berlin"`.
    pub zone: Option<Text>,
    /// `burst 50`: what the bucket holds.
    pub burst: Option<Spanned<u64>>,
    /// Its written identity.
    pub label: Option<Text>,
    /// `per caller.key`: one bucket for each value.
    pub per: Option<cel::Expr>,
    /// `on strong`: a tier or a model.
    pub on: Option<Name>,
    /// `{ at 80% warn  at 100% cap at weak }`
    pub outcomes: Vec<Outcome>,
    /// `when …`: only such calls.
    pub when: Option<cel::Expr>,
}

/// What a quota counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// `600 requests` (also written `calls`)
    Requests(u64),
    /// `60k tokens`
    Tokens(u64),
    /// `$50`
    Money(NanoDollars),
    /// `5 repeats`: times that the same request is sent again and again.
    Repeats(u64),
    /// `20 concurrent`: calls that are open at one time.
    Concurrent(u64),
}

impl Amount {
    /// How much, in its own unit; money in nano-dollars, and less than none is none.
    #[must_use]
    pub fn units(self) -> u64 {
        match self {
            Self::Requests(count)
            | Self::Tokens(count)
            | Self::Repeats(count)
            | Self::Concurrent(count) => count,
            Self::Money(money) => u64::try_from(money).unwrap_or(0),
        }
    }
}

/// How a quota's window runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Window {
    /// `/ 1m`, `/ 24h`: refills evenly over this time.
    Rolling(Milliseconds),
    /// `/ sliding 1h`: the time just past, at every moment.
    Sliding(Milliseconds),
    /// `/ session`, `/ session idle 10m`: from a session's first call until none has come for so long.
    Session(Option<Spanned<Milliseconds>>),
    /// `/ call`: each call by itself.
    Call,
    /// Nothing: calls count while they are open.
    Open,
    /// `/ day`: from midnight to midnight.
    Day,
    /// `/ week`: from Monday.
    Week,
    /// `/ month`: from the first.
    Month,
    /// Another word, as written (`/ fortnight`, `/ quarter`); the compiler says which words exist.
    Other(String),
}

/// What happens at a share of a quota.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The whole `at 100% cap at weak`.
    pub span: Span,
    /// `100%`
    pub share: Spanned<Percent>,
    /// What happens.
    pub action: OutcomeAction,
}

/// What happens at a share of a quota.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutcomeAction {
    /// `warn`
    Warn,
    /// `deny`
    Deny,
    /// `wait 5s`
    Wait(Spanned<Milliseconds>),
    /// `cap at weak`
    CapAt(Name),
}

/// `place POOL { … }`
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// The pool.
    pub pool: Name,
    /// `prefer prefix 3, queue 2`: signal and weight.
    pub prefer: Vec<(Name, Spanned<u64>)>,
    /// `saturate queue 5, kv-cache 80%`: signal and bound.
    pub saturate: Vec<(Name, Spanned<Bound>)>,
    /// `overflow wait 2s then next`
    pub overflow: Option<Overflow>,
    /// `only when …`, with the span of each statement.
    pub only: Vec<(Span, cel::Expr)>,
}

/// A bound on a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// `queue 5`
    Count(u64),
    /// `kv-cache 80%`
    Share(Percent),
}

/// What happens when every replica is saturated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overflow {
    /// The whole field.
    pub span: Span,
    /// `wait 2s`
    pub wait: Option<Spanned<Milliseconds>>,
    /// `next` or `shed`, as written.
    pub then: Option<Name>,
}

/// `deploy kubernetes { … }`
#[derive(Debug, Clone, PartialEq)]
pub struct Deploy {
    /// `kubernetes`
    pub target: Name,
    /// `namespace "llm"`
    pub namespace: Option<Text>,
    /// `shape waypost`
    pub shape: Option<Name>,
    /// `replicas 2..10`
    pub replicas: Option<Spanned<Range>>,
    /// `monitor azure`
    pub monitor: Option<Name>,
    /// `state local` or `state redis secret NAME away share`
    pub state: Option<StateStore>,
    /// `image "ghcr.io/…"`: the runtime's image.
    pub image: Option<Text>,
    /// `versions { kaito "v1beta1" … }`
    pub versions: Vec<(Name, Text)>,
}

/// Where limits and budgets are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateStore {
    /// The whole field.
    pub span: Span,
    /// `local` or `redis`, as written.
    pub kind: Name,
    /// The secret with its address.
    pub secret: Option<Name>,
    /// `away deny` or `away share`: what happens while it cannot be reached, as written.
    pub away: Option<Name>,
}

/// `test "…" { given { … } expect { … } }`
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// What it is called.
    pub name: Text,
    /// What the call is.
    pub given: Vec<Given>,
    /// What must come of it.
    pub expect: Vec<Expect>,
}

/// One fact of a test's call.
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// `prompt "…"`
    Prompt(Text),
    /// `system "…"`
    System(Text),
    /// `model "auto"`: the name the client sends.
    Model(Text),
    /// `tools "write_file", "read_file"`
    Tools(Vec<Text>),
    /// `header "x-priority" "high"`
    Header(Text, Text),
    /// `metadata "k" "v"`
    Metadata(Text, Text),
    /// `caller.team "payments"`: field and value.
    Caller(Name, Text),
    /// `tokens 30k`, `max_tokens 100`, `turns 3`, `images 1`: field and value.
    Count(Name, Spanned<u64>),
    /// `stream true`
    Stream(Spanned<bool>),
    /// `temperature 0.2`
    Temperature(Spanned<f64>),
    /// `difficulty 0.9`: instead of the difficulty model's figure.
    Difficulty(Spanned<f64>),
    /// `spent $50 on strong`: money already spent, on a tier or a model, or everywhere.
    Spent(Spanned<Amount>, Option<Name>),
    /// `at "2026-01-31T23:59:59Z"`: the clock.
    Now(Text),
}

/// One thing that must come of a test's call.
#[derive(Debug, Clone, PartialEq)]
pub struct Expect {
    /// The whole expectation.
    pub span: Span,
    /// What must hold.
    pub kind: ExpectKind,
}

/// What must come of a test's call.
#[derive(Debug, Clone, PartialEq)]
pub enum ExpectKind {
    /// `tier weak`
    Tier(Name),
    /// `model phi-4-mini`
    Model(Name),
    /// `cost < $0.001`: the expected cost, an exclusive bound in nano-dollars.
    CostBelow(Spanned<NanoDollars>),
    /// `escalated by "long context"`
    EscalatedBy(Text),
    /// `capped by "$50 / day"`
    CappedBy(Text),
    /// `denied`, or `denied by "…"`
    Denied(Option<Text>),
    /// `limited by "…"`
    LimitedBy(Text),
    /// `warned by "…"`
    WarnedBy(Text),
    /// `status 403`
    Status(Spanned<u64>),
    /// `priority 10`
    Priority(Spanned<i64>),
}

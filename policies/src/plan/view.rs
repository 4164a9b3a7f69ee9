//! Typed views of a plan, read in place: for each record of [`super::draft`] a view with methods named as its fields.

use std::net::IpAddr;

use super::Code;
use super::column::{Blob, List, PriceColumn, Ref, Text, TextIn, WideRef};
pub use super::draft::{
    AcceptTarget, Amount, Origin, Overflow, Period, ProviderAuth, ProviderKind, QuotaAction, Via,
};
use super::draft::{
    Discovery as DraftDiscovery, Engine as DraftEngine, Scalar as DraftScalar,
    SecretSource as DraftSecretSource, Step as DraftStep, Window as DraftWindow,
};
use super::record::{record, variants};
pub use super::rows::Rows;
use super::{draft, section};
use crate::money::NanoDollars;

/// A source file by its name.
pub(super) type File = TextIn<{ section::FILES }>;
/// A string constant of the expressions.
pub(crate) type StringConstant = TextIn<{ section::STRINGS }>;
/// A pod's label and its value.
pub(super) type PodLabel = (Text, Text);
/// A model and its share.
pub(super) type Arm = (Ref<Model<'static>>, u32);
/// An expression by its index.
pub(super) type ExpressionReference = WideRef<Expression<'static>>;

record! {
    /// The whole plan.
    Root = draft::Draft {
        compiler: Text,
        source_hash: [u8; 32],
        files: List<File>,
        secrets: List<Secret<'static>>,
        providers: List<Provider<'static>>,
        pools: List<Pool<'static>>,
        models: List<Model<'static>>,
        tiers: List<Tier<'static>>,
        accepts: List<Accept<'static>>,
        contents: List<Content<'static>>,
        callers: Callers<'static>,
        shared: Option<Shared<'static>>,
        denials: List<Denial<'static>>,
        caps: List<Cap<'static>>,
        quotas: List<Quota<'static>>,
        priorities: List<Priority<'static>>,
        redactions: List<Redaction<'static>>,
        expressions: List<Expression<'static>>,
        headers: List<TextIn<{ section::HEADERS }>>,
        metadata: List<TextIn<{ section::METADATA }>>,
        claims: List<TextIn<{ section::CLAIMS }>>,
        labels: List<TextIn<{ section::LABELS }>>,
        constants: Constants<'static>,
    }
}

record! {
    /// What the expressions' code refers to.
    Constants = draft::Constants {
        strings: List<StringConstant>,
        patterns: List<TextIn<{ section::PATTERNS }>>,
        zones: List<TextIn<{ section::ZONES }>>,
        lists: List<List<ScalarColumn>>,
        sets: List<List<TextIn<{ section::SET_MEMBERS }>>>,
    }
}

record! {
    /// A secret and where it is kept.
    Secret = draft::Secret {
        name: Text,
        source: SecretSourceColumn,
    }
}

record! {
    /// A hosted API.
    Provider = draft::Provider {
        name: Text,
        kind: ProviderKindColumn,
        base_url: Text,
        api_version: Text,
        region: Text,
        auth: ProviderAuthColumn,
    }
}

record! {
    /// A group of replicas that serve the same models.
    Pool = draft::Pool {
        name: Text,
        engine: EngineColumn,
        discovery: DiscoveryColumn,
        placement: Placement<'static>,
    }
}

record! {
    /// How a replica is picked.
    Placement = draft::Placement {
        prefix: u32,
        queue: u32,
        kv_cache: u32,
        lora: u32,
        saturate_queue: Option<u32>,
        saturate_kv_cache: Option<u32>,
        wait_milliseconds: u64,
        overflow: OverflowColumn,
        only: List<ExpressionReference>,
    }
}

record! {
    /// A model.
    Model = draft::Model {
        name: Text,
        via: ViaColumn,
        upstream_name: Text,
        context: Option<u64>,
        output: Option<u64>,
        price: PriceColumn,
        rejects: List<TextIn<{ section::REJECTS }>>,
        chat: bool,
        completions: bool,
        embeddings: bool,
        lacks_images: bool,
        lacks_tools: bool,
        origin: Origin,
    }
}

record! {
    /// A tier.
    Tier = draft::Tier {
        name: Text,
        steps: List<StepColumn>,
        timeout_milliseconds: u64,
        retries: u32,
        hedge_milliseconds: u64,
        origin: Origin,
    }
}

record! {
    /// A model name that clients may send.
    Accept = draft::Accept {
        name: Text,
        prefix: bool,
        target: AcceptTargetColumn,
    }
}

record! {
    /// A content section.
    Content = draft::Content {
        name: Text,
        start: Ref<Tier<'static>>,
        start_origin: Origin,
        escalations: List<Escalation<'static>>,
        threshold: Option<f64>,
        keep: Option<Keep<'static>>,
    }
}

record! {
    /// `escalate to TIER "label" when …`
    Escalation = draft::Escalation {
        tier: Ref<Tier<'static>>,
        label: Text,
        when: ExpressionReference,
        origin: Origin,
    }
}

record! {
    /// `keep session EXPR for 10m`
    Keep = draft::Keep {
        session: ExpressionReference,
        window_milliseconds: u64,
        origin: Origin,
    }
}

record! {
    /// Who may call.
    Callers = draft::Callers {
        keys: Option<Ref<Secret<'static>>>,
        jwt: Option<Jwt<'static>>,
        anonymous: bool,
        origin: Origin,
    }
}

record! {
    /// Where replicas share what is used.
    Shared = draft::Shared {
        redis: Ref<Secret<'static>>,
        shares: bool,
        replicas: u32,
        namespace: Text,
    }
}

record! {
    /// Callers by signed token.
    Jwt = draft::Jwt {
        issuer: Text,
        audience: Text,
        jwks: Text,
        key: Text,
        team: Text,
        agent: Text,
        plan: Text,
        name: Text,
    }
}

record! {
    /// `deny "label" status 403 when …`
    Denial = draft::Denial {
        label: Text,
        status: u16,
        when: ExpressionReference,
        origin: Origin,
    }
}

record! {
    /// `cap at TIER "label" when …`
    Cap = draft::Cap {
        tier: Ref<Tier<'static>>,
        label: Text,
        when: ExpressionReference,
        origin: Origin,
    }
}

record! {
    /// A limit or a budget.
    Quota = draft::Quota {
        budget: bool,
        label: Text,
        amount: AmountColumn,
        window: WindowColumn,
        burst: u64,
        per: Option<ExpressionReference>,
        on: Option<Ref<Model<'static>>>,
        when: Option<ExpressionReference>,
        outcomes: List<QuotaOutcome<'static>>,
        origin: Origin,
    }
}

record! {
    /// What happens at a share of a quota.
    QuotaOutcome = draft::QuotaOutcome {
        share: u32,
        action: QuotaActionColumn,
    }
}

record! {
    /// `priority 10 "label" when …`
    Priority = draft::Priority {
        value: i64,
        label: Text,
        when: Option<ExpressionReference>,
        origin: Origin,
    }
}

record! {
    /// What is redacted, and where.
    Redaction = draft::Redaction {
        pattern: Text,
        replacement: Text,
        request: bool,
        logs: bool,
        response: bool,
    }
}

record! {
    /// An expression: its code, and what was written.
    Expression = draft::Expression {
        code: Code,
        text: Text,
        origin: Origin,
    }
}

/// Where a secret is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretSource<'p> {
    /// A key of a Kubernetes secret, mounted at `/etc/waypost/secrets/<secret>/<key>`.
    Kubernetes {
        /// The object's namespace.
        namespace: &'p str,
        /// The object's name.
        secret: &'p str,
        /// The key in it.
        key: &'p str,
    },
    /// An environment variable.
    Environment(&'p str),
    /// A file.
    File(&'p str),
}

/// Which inference engine a pool runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine<'p> {
    /// vLLM
    Vllm,
    /// SGLang
    Sglang,
    /// TensorRT-LLM
    Trtllm,
    /// Metric names as written; "" where a signal has none.
    Custom {
        /// Requests waiting.
        queue: &'p str,
        /// Requests running.
        running: &'p str,
        /// Share of the KV cache in use, 0 to 1.
        kv_cache: &'p str,
    },
}

/// How a pool's replicas are found.
#[derive(Debug, Clone)]
pub enum Discovery<'p> {
    /// Base URLs as written, without a slash at the end.
    Static(Rows<'p, TextIn<{ section::ENDPOINTS }>>),
    /// `host:port`; every address that the name has, on that port.
    Dns(&'p str),
    /// Ready pods by label.
    Kubernetes {
        /// Their namespace.
        namespace: &'p str,
        /// Their labels, sorted by name.
        labels: Rows<'p, (Text, Text)>,
        /// The container's port.
        port: u16,
    },
}

/// One step of a tier.
#[derive(Debug, Clone)]
pub enum Step<'p> {
    /// A model.
    Try(u16),
    /// A share of calls to each.
    Split {
        /// Model and share in hundredths of a percent; the shares add up to 10,000.
        arms: Rows<'p, (Ref<Model<'static>>, u32)>,
        /// What stays with its arm; without it each call goes by itself.
        key: Option<u32>,
    },
}

/// How a quota's window runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window<'p> {
    /// A token bucket that refills evenly over this many milliseconds.
    Rolling(u64),
    /// The time just past, this many milliseconds of it.
    Sliding(u64),
    /// A session: until no call of it has come for this many milliseconds.
    Session(u64),
    /// Each call by itself.
    Call,
    /// While calls are open.
    Open,
    /// A calendar window in a time zone by its IANA name.
    Calendar(Period, &'p str),
}

/// An element of a constant list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar<'p> {
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
    String(&'p str),
    /// Bytes
    Bytes(&'p [u8]),
    /// Seconds and nanoseconds since 1970-01-01T00:00:00Z
    Timestamp(i64, u32),
    /// Nanoseconds
    Duration(i64),
    /// An address
    Ip(IpAddr),
    /// A network: its address and the length of its prefix
    Cidr(IpAddr, u8),
    /// A list by its index
    List(u32),
    /// A map by its index
    Map(u32),
    /// `optional.none()`
    Absent,
    /// The number of a type
    Type(u8),
}

variants! {
    /// [`SecretSource`] in place.
    SecretSourceColumn: DraftSecretSource => SecretSource<'p> {
        0 = Kubernetes { namespace: namespace as Text, secret: secret as Text, key: key as Text },
        1 = Environment { 0: name as Text },
        2 = File { 0: path as Text },
    }
}

variants! {
    /// [`ProviderKind`] in place.
    ProviderKindColumn: ProviderKind => ProviderKind {
        0 = OpenAi {},
        1 = AzureOpenAi {},
        2 = OpenAiCompatible {},
        3 = Anthropic {},
        4 = Gemini {},
        5 = Bedrock {},
    }
}

variants! {
    /// [`ProviderAuth`] in place.
    ProviderAuthColumn: ProviderAuth => ProviderAuth {
        0 = None {},
        1 = Secret { 0: secret as Ref<Secret<'static>> },
        2 = WorkloadIdentity {},
    }
}

variants! {
    /// [`Engine`] in place.
    EngineColumn: DraftEngine => Engine<'p> {
        0 = Vllm {},
        1 = Sglang {},
        2 = Trtllm {},
        3 = Custom { queue: queue as Text, running: running as Text, kv_cache: kv_cache as Text },
    }
}

variants! {
    /// [`Discovery`] in place.
    DiscoveryColumn: DraftDiscovery => Discovery<'p> {
        0 = Static { 0: urls as List<TextIn<{ section::ENDPOINTS }>> },
        1 = Dns { 0: name as Text },
        2 = Kubernetes { namespace: namespace as Text, labels: labels as List<PodLabel>, port: port as u16 },
    }
}

variants! {
    /// [`Overflow`] in place.
    OverflowColumn: Overflow => Overflow {
        0 = Next {},
        1 = Shed {},
    }
}

variants! {
    /// [`Via`] in place.
    ViaColumn: Via => Via {
        0 = Provider { 0: provider as Ref<Provider<'static>> },
        1 = Pool { 0: pool as Ref<Pool<'static>> },
    }
}

variants! {
    /// [`Step`] in place.
    StepColumn: DraftStep => Step<'p> {
        0 = Try { 0: model as Ref<Model<'static>> },
        1 = Split { arms: arms as List<Arm>, key: key as Option<ExpressionReference> },
    }
}

variants! {
    /// [`AcceptTarget`] in place.
    AcceptTargetColumn: AcceptTarget => AcceptTarget {
        0 = Content { 0: content as Ref<Content<'static>> },
        1 = Model { 0: model as Ref<Model<'static>> },
    }
}

variants! {
    /// [`Amount`] in place.
    AmountColumn: Amount => Amount {
        0 = Requests { 0: requests as u64 },
        1 = Tokens { 0: tokens as u64 },
        2 = Money { 0: money as NanoDollars },
        3 = Repeats { 0: repeats as u64 },
        4 = Concurrent { 0: calls as u64 },
    }
}

variants! {
    /// [`Period`] in place.
    PeriodColumn: Period => Period {
        0 = Day {},
        1 = Week {},
        2 = Month {},
    }
}

variants! {
    /// [`Window`] in place.
    WindowColumn: DraftWindow => Window<'p> {
        0 = Rolling { 0: milliseconds as u64 },
        1 = Calendar { 0: period as PeriodColumn, 1: zone as Text },
        2 = Sliding { 0: milliseconds as u64 },
        3 = Session { 0: milliseconds as u64 },
        4 = Call {},
        5 = Open {},
    }
}

variants! {
    /// [`QuotaAction`] in place.
    QuotaActionColumn: QuotaAction => QuotaAction {
        0 = Deny {},
        1 = Warn {},
        2 = CapAt { 0: tier as Ref<Tier<'static>> },
        3 = Wait { 0: milliseconds as u64 },
    }
}

variants! {
    /// [`Scalar`] in place.
    ScalarColumn: DraftScalar => Scalar<'p> {
        0 = Null {},
        1 = Bool { 0: value as bool },
        2 = Int { 0: value as i64 },
        3 = Uint { 0: value as u64 },
        4 = Double { 0: value as f64 },
        5 = String { 0: value as Text },
        6 = Bytes { 0: value as Blob },
        7 = Timestamp { 0: seconds as i64, 1: nanoseconds as u32 },
        8 = Duration { 0: nanoseconds as i64 },
        9 = Ip { 0: address as IpAddr },
        10 = Cidr { 0: address as IpAddr, 1: length as u8 },
        11 = List { 0: list as u32 },
        12 = Map { 0: map as u32 },
        13 = Absent {},
        14 = Type { 0: number as u8 },
    }
}

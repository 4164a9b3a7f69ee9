//! A checked expression: every name resolved to a field, every overload chosen, nothing left that a
//! well-formed call could make fail except arithmetic beyond 64 bits.

use std::fmt;

use crate::source::Span;

/// The part of a file an expression stands in: what it may read (LANGUAGE.md §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Section {
    /// `content`: the request.
    Content,
    /// `policy`: the caller, the tier and model chosen, the money, the clock.
    Policy,
    /// `place`: the endpoints.
    Place,
    /// `let`: constants only.
    Constant,
}

/// A static type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// Of an expression that was already reported; agrees with everything.
    Error,
    /// Known only at run time: a claim of a token.
    Dyn,
    /// `null`
    Null,
    /// true or false
    Bool,
    /// 64 bits, signed
    Int,
    /// 64 bits, unsigned
    Uint,
    /// IEEE 754 binary64
    Double,
    /// UTF-8
    String,
    /// Octets
    Bytes,
    /// A point in time
    Timestamp,
    /// A span of time
    Duration,
    /// An IP address
    Ip,
    /// A network
    Cidr,
    /// Any number of one type
    List(Box<Type>),
    /// From a type to a type
    Map(Box<Type>, Box<Type>),
    /// One or none
    Optional(Box<Type>),
    /// One of the request's own shapes
    Record(Record),
}

/// The shapes that a request's lists hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Record {
    /// An element of `request.messages`.
    Message,
    /// An element of `request.tools`.
    Tool,
    /// An element of a message's `tool_calls`.
    ToolCall,
}

/// A field of a [`Record`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Member {
    /// `message.role`
    MessageRole,
    /// `message.content`: its text; parts are joined by newlines, images left out.
    MessageContent,
    /// `message.name`
    MessageName,
    /// `message.tool_call_id`
    MessageToolCallId,
    /// `message.tool_calls`
    MessageToolCalls,
    /// `tool.name`
    ToolName,
    /// `tool.description`
    ToolDescription,
    /// `tool_call.name`
    ToolCallName,
    /// `tool_call.arguments`: the JSON text.
    ToolCallArguments,
}

/// A fact that an expression may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// `request.model`
    RequestModel,
    /// `request.path`
    RequestPath,
    /// `request.prompt`
    RequestPrompt,
    /// `request.system`
    RequestSystem,
    /// `request.messages`
    RequestMessages,
    /// `request.tools`
    RequestTools,
    /// `request.tokens`
    RequestTokens,
    /// `request.max_tokens`; 0 when the client sent none.
    RequestMaxTokens,
    /// `request.turns`
    RequestTurns,
    /// `request.images`
    RequestImages,
    /// `request.stream`
    RequestStream,
    /// `request.temperature`
    RequestTemperature,
    /// `request.response_format`
    RequestResponseFormat,
    /// `request.headers`
    RequestHeaders,
    /// `request.metadata`
    RequestMetadata,
    /// `difficulty`
    Difficulty,
    /// `threshold`
    Threshold,
    /// `caller.key`
    CallerKey,
    /// `caller.team`
    CallerTeam,
    /// `caller.agent`
    CallerAgent,
    /// `caller.plan`
    CallerPlan,
    /// `caller.name`
    CallerName,
    /// `caller.claims`
    CallerClaims,
    /// `tier`
    Tier,
    /// `model`
    Model,
    /// `cost.estimate`
    CostEstimate,
    /// `cost.ceiling`
    CostCeiling,
    /// `source.ip`
    SourceIp,
    /// `now`
    Now,
    /// `endpoint.labels`
    EndpointLabels,
    /// `endpoint.zone`
    EndpointZone,
    /// `endpoint.queue`
    EndpointQueue,
    /// `endpoint.kv_cache`
    EndpointKvCache,
    /// `endpoint.lora`
    EndpointLora,
}

/// A checked expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Typed {
    /// Where it was written.
    pub span: Span,
    /// Its type.
    pub ty: Type,
    /// What it does.
    pub kind: TypedKind,
}

/// What a checked expression does.
#[derive(Debug, Clone, PartialEq)]
pub enum TypedKind {
    /// A constant, folded as far as it goes.
    Constant(Constant),
    /// A fact other than a map; maps are only ever read by key.
    Field(Field),
    /// The variable of an enclosing comprehension, by nesting: the outermost is 0.
    Local(u16),
    /// A field of a record.
    Member(Box<Typed>, Member),
    /// `map[?"key"]`: an optional. Keys are constants, so the runtime reads exactly those.
    Lookup(Field, String),
    /// `"key" in map`, `has(map.key)`.
    HasKey(Field, String),
    /// A function or operator that evaluates all its arguments.
    Call(Function, Vec<Typed>),
    /// Both; the right is read only if the left is true.
    And(Box<Typed>, Box<Typed>),
    /// Either; the right is read only if the left is false.
    Or(Box<Typed>, Box<Typed>),
    /// `condition ? then : otherwise`
    Conditional(Box<Typed>, Box<Typed>, Box<Typed>),
    /// A list of expressions that are not all constant.
    List(Vec<Typed>),
    /// A macro over a list.
    Comprehension {
        /// Which macro.
        kind: Comprehension,
        /// The list.
        range: Box<Typed>,
        /// The number of its variable, see [`TypedKind::Local`].
        local: u16,
        /// The three-argument `map`'s condition.
        filter: Option<Box<Typed>>,
        /// The condition or the new element.
        body: Box<Typed>,
    },
}

/// Which macro.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comprehension {
    /// `all`
    All,
    /// `exists`
    Exists,
    /// `exists_one`
    ExistsOne,
    /// `map`
    Map,
    /// `filter`
    Filter,
}

/// A value known at compile time.
#[derive(Debug, Clone, PartialEq)]
pub enum Constant {
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
    Ip(std::net::IpAddr),
    /// A network: its address and the length of its prefix
    Cidr(std::net::IpAddr, u8),
    /// A list
    List(Vec<Constant>),
    /// `optional.none()`
    Absent,
}

macro_rules! functions {
    ($($(#[doc = $doc:literal])* $variant:ident,)*) => {
        /// An operator or function that evaluates all its arguments; the receiver is the first.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Function { $($(#[doc = $doc])* $variant,)* }

        impl Function {
            /// Every function.
            pub const ALL: &[Self] = &[$(Self::$variant),*];
        }
    };
}

functions! {
    /// `!a`
    Not,
    /// `-a`
    Negate,
    /// `a == b`, for any two values of one type (numbers compare across types)
    Equal,
    /// `a != b`
    NotEqual,
    /// `a < b`
    Less,
    /// `a <= b`
    LessOrEqual,
    /// `a > b`
    Greater,
    /// `a >= b`
    GreaterOrEqual,
    /// `a in list`; of a claim (dyn) that is no list: false
    In,
    /// `a + b`: numbers, strings, bytes, lists, times
    Add,
    /// `a - b`: numbers, times
    Subtract,
    /// `a * b`
    Multiply,
    /// `a / b`, with a divisor that is a constant other than 0, or of doubles
    Divide,
    /// `a % b`, with a divisor that is a constant other than 0
    Remainder,
    /// `size(a)`: characters, octets or elements
    Size,
    /// `s.contains(t)`
    Contains,
    /// `s.startsWith(t)`
    StartsWith,
    /// `s.endsWith(t)`
    EndsWith,
    /// `s.matches(pattern)`; the pattern is a constant and is compiled once
    Matches,
    /// `s.lowerAscii()`
    LowerAscii,
    /// `s.upperAscii()`
    UpperAscii,
    /// `s.trim()`
    Trim,
    /// `s.replace(old, new)`
    Replace,
    /// `s.indexOf(t)`
    IndexOf,
    /// `s.lastIndexOf(t)`
    LastIndexOf,
    /// `s.split(separator)`
    Split,
    /// `list.join(separator)`, or with no argument
    Join,
    /// `s.reverse()`
    Reverse,
    /// `int(a)` where it cannot fail
    ToInt,
    /// `uint(a)` where it cannot fail
    ToUint,
    /// `double(a)` where it cannot fail
    ToDouble,
    /// `string(a)`
    ToString,
    /// `t.getFullYear(zone?)`
    Year,
    /// `t.getMonth(zone?)`, January is 0
    Month,
    /// `t.getDayOfYear(zone?)`, the first is 0
    DayOfYear,
    /// `t.getDayOfMonth(zone?)`, the first is 0
    DayOfMonth,
    /// `t.getDate(zone?)`, the first is 1
    Date,
    /// `t.getDayOfWeek(zone?)`, Sunday is 0
    DayOfWeek,
    /// `t.getHours(zone?)`; of a duration, whole hours
    Hours,
    /// `t.getMinutes(zone?)`; of a duration, whole minutes
    Minutes,
    /// `t.getSeconds(zone?)`; of a duration, whole seconds
    Seconds,
    /// `t.getMilliseconds(zone?)`
    Milliseconds,
    /// `optional.of(a)`
    OptionalOf,
    /// `o.hasValue()`, `has(request.temperature)`
    HasValue,
    /// `o.orValue(a)`
    OrValue,
    /// `o.or(p)`
    Or,
    /// `o.value()` where a guard proves there is one
    Value,
    /// `network.containsIP(address)`
    ContainsIp,
    /// `address.family()`: 4 or 6
    Family,
    /// `address.isLoopback()`
    IsLoopback,
    /// `math.greatest(a, b)`
    Greatest,
    /// `math.least(a, b)`
    Least,
    /// `math.abs(a)`
    Absolute,
    /// `math.ceil(a)`
    Ceiling,
    /// `math.floor(a)`
    Floor,
    /// `math.round(a)`
    Round,
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error => f.write_str("an unknown type"),
            Self::Dyn => f.write_str("dyn"),
            Self::Null => f.write_str("null"),
            Self::Bool => f.write_str("bool"),
            Self::Int => f.write_str("int"),
            Self::Uint => f.write_str("uint"),
            Self::Double => f.write_str("double"),
            Self::String => f.write_str("string"),
            Self::Bytes => f.write_str("bytes"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Duration => f.write_str("duration"),
            Self::Ip => f.write_str("ip"),
            Self::Cidr => f.write_str("cidr"),
            Self::List(element) => write!(f, "list({element})"),
            Self::Map(key, value) => write!(f, "map({key}, {value})"),
            Self::Optional(value) => write!(f, "optional({value})"),
            Self::Record(Record::Message) => f.write_str("message"),
            Self::Record(Record::Tool) => f.write_str("tool"),
            Self::Record(Record::ToolCall) => f.write_str("tool call"),
        }
    }
}

//! What code may name: facts, maps, members, macros and functions, each by a number of one byte.

macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// All of them, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its number in code.
            #[must_use]
            pub const fn number(self) -> u8 {
                self as u8
            }

            /// The one with this number.
            #[must_use]
            #[inline]
            pub fn from_number(number: u8) -> Option<Self> {
                Self::ALL.get(usize::from(number)).copied()
            }
        }
    };
}

numbered! {
    /// A fact that is no map.
    Field {
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
        /// `request.max_tokens`
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
        /// `endpoint.zone`
        EndpointZone,
        /// `endpoint.queue`
        EndpointQueue,
        /// `endpoint.kv_cache`
        EndpointKvCache,
        /// `endpoint.lora`
        EndpointLora,
    }
}

impl Field {
    /// As it is written: `request.tokens`.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::RequestModel => "request.model",
            Self::RequestPath => "request.path",
            Self::RequestPrompt => "request.prompt",
            Self::RequestSystem => "request.system",
            Self::RequestMessages => "request.messages",
            Self::RequestTools => "request.tools",
            Self::RequestTokens => "request.tokens",
            Self::RequestMaxTokens => "request.max_tokens",
            Self::RequestTurns => "request.turns",
            Self::RequestImages => "request.images",
            Self::RequestStream => "request.stream",
            Self::RequestTemperature => "request.temperature",
            Self::RequestResponseFormat => "request.response_format",
            Self::Difficulty => "difficulty",
            Self::Threshold => "threshold",
            Self::CallerKey => "caller.key",
            Self::CallerTeam => "caller.team",
            Self::CallerAgent => "caller.agent",
            Self::CallerPlan => "caller.plan",
            Self::CallerName => "caller.name",
            Self::Tier => "tier",
            Self::Model => "model",
            Self::CostEstimate => "cost.estimate",
            Self::CostCeiling => "cost.ceiling",
            Self::SourceIp => "source.ip",
            Self::Now => "now",
            Self::EndpointZone => "endpoint.zone",
            Self::EndpointQueue => "endpoint.queue",
            Self::EndpointKvCache => "endpoint.kv_cache",
            Self::EndpointLora => "endpoint.lora",
        }
    }
}

numbered! {
    /// A fact that is a map, read by slot.
    Map {
        /// `request.headers`
        Headers,
        /// `request.metadata`
        Metadata,
        /// `caller.claims`
        Claims,
        /// `endpoint.labels`
        Labels,
    }
}

numbered! {
    /// A field of a message, tool or tool call.
    Member {
        /// `message.role`
        MessageRole,
        /// `message.content`
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
        /// `tool_call.arguments`
        ToolCallArguments,
    }
}

numbered! {
    /// A macro over a list.
    Comprehension {
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
        /// `transformMap`: of two variables only.
        TransformMap,
        /// `transformMapEntry`: of two variables only.
        TransformEntries,
    }
}

numbered! {
    /// A type, as `type(…)` names it.
    TypeName {
        /// `null_type`
        Null,
        /// `bool`
        Bool,
        /// `int`
        Int,
        /// `uint`
        Uint,
        /// `double`
        Double,
        /// `string`
        String,
        /// `bytes`
        Bytes,
        /// `list`
        List,
        /// `map`
        Map,
        /// `type`
        Type,
        /// `optional_type`
        Optional,
        /// `google.protobuf.Timestamp`
        Timestamp,
        /// `google.protobuf.Duration`
        Duration,
        /// `net.IP`
        Ip,
        /// `net.CIDR`
        Cidr,
        /// An element of `request.messages`.
        Message,
        /// An element of `request.tools`.
        Tool,
        /// An element of a message's `tool_calls`.
        ToolCall,
    }
}

impl TypeName {
    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Null => "null_type",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::List => "list",
            Self::Map => "map",
            Self::Type => "type",
            Self::Optional => "optional_type",
            Self::Timestamp => "google.protobuf.Timestamp",
            Self::Duration => "google.protobuf.Duration",
            Self::Ip => "net.IP",
            Self::Cidr => "net.CIDR",
            Self::Message => "message",
            Self::Tool => "tool",
            Self::ToolCall => "tool_call",
        }
    }
}

numbered! {
    /// An operator or function that evaluates all its arguments; the receiver is the first.
    Function {
        /// `!a`
        Not,
        /// `-a`
        Negate,
        /// `a == b`
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
        /// `a in list`
        In,
        /// `a + b`
        Add,
        /// `a - b`
        Subtract,
        /// `a * b`
        Multiply,
        /// `a / b`
        Divide,
        /// `a % b`
        Remainder,
        /// `size(a)`
        Size,
        /// `s.contains(t)`
        Contains,
        /// `s.startsWith(t)`
        StartsWith,
        /// `s.endsWith(t)`
        EndsWith,
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
        /// `list.join(separator)`
        Join,
        /// `s.reverse()`
        Reverse,
        /// `int(a)`
        ToInt,
        /// `uint(a)`
        ToUint,
        /// `double(a)`
        ToDouble,
        /// `string(a)`
        ToString,
        /// `t.getFullYear()`
        Year,
        /// `t.getMonth()`
        Month,
        /// `t.getDayOfYear()`
        DayOfYear,
        /// `t.getDayOfMonth()`
        DayOfMonth,
        /// `t.getDate()`
        Date,
        /// `t.getDayOfWeek()`
        DayOfWeek,
        /// `t.getHours()`
        Hours,
        /// `t.getMinutes()`
        Minutes,
        /// `t.getSeconds()`
        Seconds,
        /// `t.getMilliseconds()`
        Milliseconds,
        /// `optional.of(a)`
        OptionalOf,
        /// `o.hasValue()`
        HasValue,
        /// `o.orValue(a)`
        OrValue,
        /// `o.or(p)`
        Or,
        /// `o.value()`
        Value,
        /// `network.containsIP(address)`
        ContainsIp,
        /// `address.family()`
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
        /// `bool(a)`
        ToBool,
        /// `bytes(a)`
        ToBytes,
        /// `timestamp(a)`
        ToTimestamp,
        /// `duration(a)`
        ToDuration,
        /// `ip(a)`
        ToIp,
        /// `cidr(a)`
        ToCidr,
        /// `type(a)`
        TypeOf,
        /// `dyn(a)`
        Dyn,
        /// `a[b]` of a list, a map or an optional of one; also `a.b`
        Index,
        /// `a[?b]`
        OptionalIndex,
        /// `has(a.b)`
        HasKey,
        /// `a[?b]` where `a` is what a token says: absent also where it is neither a list nor a map.
        Part,
        /// `optional.ofNonZeroValue(a)`
        OfNonZero,
        /// `optional.unwrap(list)`
        Unwrap,
        /// `list.first()`
        First,
        /// `list.last()`
        Last,
        /// `s.charAt(i)`
        CharAt,
        /// `s.indexOf(t, from)`
        IndexOfFrom,
        /// `s.lastIndexOf(t, from)`
        LastIndexOfFrom,
        /// `s.replace(old, new, most)`
        ReplaceMost,
        /// `s.split(separator, most)`
        SplitMost,
        /// `s.substring(from)`
        Substring,
        /// `s.substring(from, to)`
        SubstringTo,
        /// `strings.quote(s)`
        Quote,
        /// `s.format(list)`
        Format,
        /// `s.matches(pattern)` with a pattern made at run time: compiled each time, and charged for
        Matches,
        /// `list.slice(from, to)`
        Slice,
        /// `list.flatten()`
        Flatten,
        /// `list.flatten(depth)`
        FlattenTo,
        /// `list.sort()`
        Sort,
        /// `list.sortBy(e, key)`: the list, and the keys of its elements
        SortBy,
        /// `list.distinct()`
        Distinct,
        /// `lists.range(n)`
        Range,
        /// `math.sign(a)`
        Sign,
        /// `math.trunc(a)`
        Truncate,
        /// `math.sqrt(a)`
        SquareRoot,
        /// `math.isNaN(a)`
        IsNan,
        /// `math.isInf(a)`
        IsInfinite,
        /// `math.isFinite(a)`
        IsFinite,
        /// `math.bitAnd(a, b)`
        BitAnd,
        /// `math.bitOr(a, b)`
        BitOr,
        /// `math.bitXor(a, b)`
        BitXor,
        /// `math.bitNot(a)`
        BitNot,
        /// `math.bitShiftLeft(a, b)`
        ShiftLeft,
        /// `math.bitShiftRight(a, b)`
        ShiftRight,
        /// `math.greatest(list)`
        GreatestOf,
        /// `math.least(list)`
        LeastOf,
        /// `base64.encode(a)`
        Base64Encode,
        /// `base64.decode(s)`
        Base64Decode,
        /// `isIP(s)`
        IsIp,
        /// `isCIDR(s)`
        IsCidr,
        /// `ip.isCanonical(s)`
        IsCanonical,
        /// `address.isUnspecified()`
        IsUnspecified,
        /// `address.isGlobalUnicast()`
        IsGlobalUnicast,
        /// `address.isLinkLocalUnicast()`
        IsLinkLocalUnicast,
        /// `address.isLinkLocalMulticast()`
        IsLinkLocalMulticast,
        /// `network.containsCIDR(network)`
        ContainsCidr,
        /// `network.ip()`
        Address,
        /// `network.masked()`
        Masked,
        /// `network.prefixLength()`
        PrefixLength,
        /// `isInt(s)`: whether `int(s)` has a value
        IsInt,
        /// `isUint(s)`
        IsUint,
        /// `isDouble(s)`
        IsDouble,
        /// `isBool(s)`
        IsBool,
        /// `isTimestamp(s)`
        IsTimestamp,
        /// `isDuration(s)`
        IsDuration,
    }
}

impl Function {
    /// How many arguments it takes.
    #[must_use]
    pub const fn arity(self) -> usize {
        match self {
            Self::ReplaceMost => 4,
            Self::Replace
            | Self::IndexOfFrom
            | Self::LastIndexOfFrom
            | Self::SplitMost
            | Self::SubstringTo
            | Self::Slice => 3,
            Self::Equal
            | Self::NotEqual
            | Self::Less
            | Self::LessOrEqual
            | Self::Greater
            | Self::GreaterOrEqual
            | Self::In
            | Self::Add
            | Self::Subtract
            | Self::Multiply
            | Self::Divide
            | Self::Remainder
            | Self::Contains
            | Self::StartsWith
            | Self::EndsWith
            | Self::IndexOf
            | Self::LastIndexOf
            | Self::Split
            | Self::Join
            | Self::OrValue
            | Self::Or
            | Self::ContainsIp
            | Self::Greatest
            | Self::Least
            | Self::Index
            | Self::OptionalIndex
            | Self::HasKey
            | Self::Part
            | Self::CharAt
            | Self::Substring
            | Self::Format
            | Self::Matches
            | Self::FlattenTo
            | Self::SortBy
            | Self::BitAnd
            | Self::BitOr
            | Self::BitXor
            | Self::ShiftLeft
            | Self::ShiftRight
            | Self::ContainsCidr => 2,
            _ => 1,
        }
    }

    /// Whether it reads a part of a time, in a zone.
    #[must_use]
    pub const fn is_zoned(self) -> bool {
        matches!(
            self,
            Self::Year
                | Self::Month
                | Self::DayOfYear
                | Self::DayOfMonth
                | Self::Date
                | Self::DayOfWeek
                | Self::Hours
                | Self::Minutes
                | Self::Seconds
                | Self::Milliseconds
        )
    }
}

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
    }
}

impl Function {
    /// How many arguments it takes.
    #[must_use]
    pub const fn arity(self) -> usize {
        match self {
            Self::Replace => 3,
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
            | Self::Least => 2,
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

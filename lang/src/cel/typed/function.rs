//! The operators and functions, each with what it takes.

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

impl Function {
    /// What says of a text whether a conversion of it has a value.
    #[must_use]
    pub const fn test_of_text(self) -> Option<Self> {
        Some(match self {
            Self::ToInt => Self::IsInt,
            Self::ToUint => Self::IsUint,
            Self::ToDouble => Self::IsDouble,
            Self::ToBool => Self::IsBool,
            Self::ToTimestamp => Self::IsTimestamp,
            Self::ToDuration => Self::IsDuration,
            Self::ToIp => Self::IsIp,
            Self::ToCidr => Self::IsCidr,
            _ => return None,
        })
    }

    /// Whether it says if a text can be converted.
    #[must_use]
    pub const fn tests_text(self) -> bool {
        matches!(
            self,
            Self::IsInt
                | Self::IsUint
                | Self::IsDouble
                | Self::IsBool
                | Self::IsTimestamp
                | Self::IsDuration
                | Self::IsIp
                | Self::IsCidr
        )
    }
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
    /// `a in list`, `key in map`; under `Total` of a claim (dyn) that is neither: false
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
    /// `s.matches(pattern)`; a constant pattern is compiled once, and under `Total` it is constant
    Matches,
    /// `s.lowerAscii()`
    LowerAscii,
    /// `s.upperAscii()`
    UpperAscii,
    /// `s.trim()`
    Trim,
    /// `s.replace(old, new, limit?)`
    Replace,
    /// `s.indexOf(t, start?)`
    IndexOf,
    /// `s.lastIndexOf(t, start?)`
    LastIndexOf,
    /// `s.split(separator, limit?)`
    Split,
    /// `list.join(separator?)`
    Join,
    /// `s.reverse()`, `list.reverse()`
    Reverse,
    /// `s.charAt(index)`
    CharAt,
    /// `s.substring(start, end?)`
    Substring,
    /// `s.format(list)`
    Format,
    /// `strings.quote(s)`
    Quote,
    /// `container[key]` of a list, a map or dyn, where it may fail
    Index,
    /// `container[?key]` of a list, a map, dyn, or an optional of one: an optional
    OptionalIndex,
    /// `a.field` of a map, a struct or dyn; the second argument is a constant string
    Select,
    /// `a.?field` of a map, dyn, or an optional of one: an optional. Of dyn that is no map it fails
    OptionalSelect,
    /// `has(a.field)` of a map, dyn, or an optional of one. Of dyn that is no map it fails
    HasField,
    /// `claim.?field`, `claim[?0]` under `Total`: of dyn or an optional of it; absent also where the value has no
    /// such part because it is neither a map nor a list
    Part,
    /// `int(a)`
    ToInt,
    /// `uint(a)`
    ToUint,
    /// `double(a)`
    ToDouble,
    /// `string(a)`
    ToString,
    /// `bool(a)`
    ToBool,
    /// `bytes(a)`
    ToBytes,
    /// `timestamp(a)` of a string or an int, where it may fail
    ToTimestamp,
    /// `duration(a)` of a string or an int of seconds, where it may fail
    ToDuration,
    /// `ip(a)` of a string
    ToIp,
    /// `cidr(a)` of a string
    ToCidr,
    /// `type(a)`
    TypeOf,
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
    /// `o.value()`; under `Total` a guard proves that there is one
    Value,
    /// `optional.ofNonZeroValue(a)`
    OfNonZeroValue,
    /// `optional.unwrap(list)`, `list.unwrapOpt()`: the values of those that have one
    Unwrap,
    /// `network.containsIP(address)`; the address may be a string where it may fail
    ContainsIp,
    /// `network.containsCIDR(network)`; the second may be a string where it may fail
    ContainsCidr,
    /// `network.ip()`
    NetworkAddress,
    /// `network.masked()`
    Masked,
    /// `network.prefixLength()`
    PrefixLength,
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
    /// `address.family()`: 4 or 6
    Family,
    /// `address.isLoopback()`
    IsLoopback,
    /// `math.greatest(a, b)`, or of one list, or of one number; two at a time where there are more
    Greatest,
    /// `math.least(a, b)`, or of one list, or of one number; two at a time where there are more
    Least,
    /// `math.abs(a)`
    Absolute,
    /// `math.ceil(a)`
    Ceiling,
    /// `math.floor(a)`
    Floor,
    /// `math.round(a)`
    Round,
    /// `math.trunc(a)`
    Truncate,
    /// `math.sign(a)`
    Sign,
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
    /// `math.bitShiftLeft(a, bits)`
    ShiftLeft,
    /// `math.bitShiftRight(a, bits)`
    ShiftRight,
    /// `list.slice(start, end)`
    Slice,
    /// `list.flatten(depth?)`
    Flatten,
    /// `list.sort()`
    Sort,
    /// `list.sortBy(x, key)`: the list, and the key of each of its elements in a second list
    SortByKeys,
    /// `list.distinct()`
    Distinct,
    /// `lists.range(n)`
    Range,
    /// `list.first()`: an optional
    First,
    /// `list.last()`: an optional
    Last,
    /// `base64.encode(bytes)`
    Base64Encode,
    /// `base64.decode(s)`
    Base64Decode,
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

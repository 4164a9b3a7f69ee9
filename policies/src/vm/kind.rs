//! The types of values, as far as code alone tells them, and what functions make of them.

use super::vocabulary::{Field, Function, Member};

/// A value's type, as far as code alone tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Any,
    Null,
    Bool,
    Int,
    Uint,
    Double,
    Text,
    Bytes,
    Timestamp,
    Duration,
    Ip,
    Cidr,
    Message,
    Tool,
    ToolCall,
    /// An optional of a type not told.
    Optional,
    OptionalText,
    OptionalDouble,
    /// A list whose elements are of a type not told.
    List,
    Texts,
    Messages,
    Tools,
    ToolCalls,
    /// A map; the types of its keys and values are not told.
    Map,
    Type,
}

impl Kind {
    pub(super) fn agrees(self, other: Self) -> bool {
        self == other
            || self == Self::Any
            || other == Self::Any
            || (other == Self::List && self.is_list())
            || (other == Self::Optional && self.is_optional())
    }

    const fn is_optional(self) -> bool {
        matches!(
            self,
            Self::Any | Self::Optional | Self::OptionalText | Self::OptionalDouble
        )
    }

    const fn optional_of(self) -> Self {
        match self {
            Self::Text => Self::OptionalText,
            Self::Double => Self::OptionalDouble,
            _ => Self::Optional,
        }
    }

    const fn value(self) -> Self {
        match self {
            Self::OptionalText => Self::Text,
            Self::OptionalDouble => Self::Double,
            _ => Self::Any,
        }
    }

    /// Whether a macro may go over it.
    pub(super) const fn is_range(self) -> bool {
        self.is_list() || matches!(self, Self::Map)
    }

    /// Whether it may have values by key: a map, a record, an optional of either.
    const fn is_keyed(self) -> bool {
        self.is_optional()
            || matches!(
                self,
                Self::Map | Self::Message | Self::Tool | Self::ToolCall
            )
    }

    pub(super) const fn is_list(self) -> bool {
        matches!(
            self,
            Self::Any | Self::List | Self::Texts | Self::Messages | Self::Tools | Self::ToolCalls
        )
    }

    const fn is_number(self) -> bool {
        matches!(self, Self::Any | Self::Int | Self::Uint | Self::Double)
    }

    pub(super) const fn element(self) -> Self {
        match self {
            Self::Texts => Self::Text,
            Self::Messages => Self::Message,
            Self::Tools => Self::Tool,
            Self::ToolCalls => Self::ToolCall,
            _ => Self::Any,
        }
    }

    pub(super) const fn list_of(self) -> Self {
        match self {
            Self::Text => Self::Texts,
            Self::Message => Self::Messages,
            Self::Tool => Self::Tools,
            Self::ToolCall => Self::ToolCalls,
            _ => Self::List,
        }
    }

    pub(super) fn join(self, other: Self) -> Self {
        if self == other {
            self
        } else if self.is_list() && other.is_list() && self != Self::Any && other != Self::Any {
            Self::List
        } else if self.is_optional()
            && other.is_optional()
            && self != Self::Any
            && other != Self::Any
        {
            Self::Optional
        } else {
            Self::Any
        }
    }
}

pub(super) const fn owner(member: Member) -> Kind {
    match member {
        Member::MessageRole
        | Member::MessageContent
        | Member::MessageName
        | Member::MessageToolCallId
        | Member::MessageToolCalls => Kind::Message,
        Member::ToolName | Member::ToolDescription => Kind::Tool,
        Member::ToolCallName | Member::ToolCallArguments => Kind::ToolCall,
    }
}

pub(super) const fn field_kind(field: Field) -> Kind {
    match field {
        Field::RequestTokens
        | Field::RequestMaxTokens
        | Field::RequestTurns
        | Field::RequestImages
        | Field::EndpointQueue => Kind::Int,
        Field::RequestStream => Kind::Bool,
        Field::RequestTemperature => Kind::OptionalDouble,
        Field::RequestMessages => Kind::Messages,
        Field::RequestTools => Kind::Tools,
        Field::EndpointLora => Kind::Texts,
        Field::Difficulty
        | Field::Threshold
        | Field::CostEstimate
        | Field::CostCeiling
        | Field::EndpointKvCache => Kind::Double,
        Field::SourceIp => Kind::Ip,
        Field::Now => Kind::Timestamp,
        _ => Kind::Text,
    }
}

/// The result of a call on arguments of these types; `None` when it takes no such.
pub(super) fn signature(function: Function, arguments: [Kind; 4]) -> Option<Kind> {
    let [first, second, ..] = arguments;
    let all = |kind: Kind| {
        arguments
            .iter()
            .take(function.arity())
            .all(|k| k.agrees(kind))
    };
    let result = |fits: bool, kind: Kind| fits.then_some(kind);
    match function {
        Function::Not => result(all(Kind::Bool), Kind::Bool),
        Function::Equal | Function::NotEqual => Some(Kind::Bool),
        Function::Less | Function::LessOrEqual | Function::Greater | Function::GreaterOrEqual => {
            result(are_ordered(first, second), Kind::Bool)
        }
        Function::In => result(second.is_range(), Kind::Bool),
        Function::Negate | Function::Absolute => {
            result(first.is_number() || first == Kind::Duration, first)
        }
        Function::Add
        | Function::Subtract
        | Function::Multiply
        | Function::Divide
        | Function::Remainder => sum(function, first, second),
        Function::Size => result(
            first.is_range() || matches!(first, Kind::Text | Kind::Bytes),
            Kind::Int,
        ),
        Function::ToInt => Some(Kind::Int),
        Function::ToUint => Some(Kind::Uint),
        Function::ToDouble => Some(Kind::Double),
        Function::ToString => Some(Kind::Text),
        _ if function.is_zoned() => result(
            first.agrees(Kind::Timestamp) || first == Kind::Duration,
            Kind::Int,
        ),
        Function::OptionalOf => Some(first.optional_of()),
        Function::HasValue => result(all(Kind::Optional), Kind::Bool),
        // `optional.none()` is an optional of no type told: the other side tells it.
        Function::OrValue => result(
            first.is_optional(),
            if first == Kind::Optional {
                Kind::Any
            } else {
                first.value().join(second)
            },
        ),
        Function::Value => result(first.is_optional(), first.value()),
        Function::Or => result(all(Kind::Optional), first.join(second)),
        Function::Greatest | Function::Least => {
            result(first.is_number() && second.is_number(), first.join(second))
        }
        Function::Ceiling | Function::Floor | Function::Round | Function::Truncate => {
            result(all(Kind::Double), Kind::Double)
        }
        Function::IsNan | Function::IsInfinite | Function::IsFinite => {
            result(all(Kind::Double), Kind::Bool)
        }
        Function::Sign | Function::BitNot => result(first.is_number(), first),
        Function::SquareRoot => result(first.is_number(), Kind::Double),
        Function::BitAnd | Function::BitOr | Function::BitXor => result(
            first.is_number() && first.agrees(second),
            first.join(second),
        ),
        Function::ShiftLeft | Function::ShiftRight => {
            result(first.is_number() && second.agrees(Kind::Int), first)
        }
        _ => conversion_signature(function, arguments),
    }
}

fn conversion_signature(function: Function, arguments: [Kind; 4]) -> Option<Kind> {
    let [first, ..] = arguments;
    let one_of = |kinds: &[Kind], result: Kind| {
        let fits = kinds.iter().any(|kind| first.agrees(*kind));
        fits.then_some(result)
    };
    match function {
        Function::Dyn => Some(Kind::Any),
        Function::TypeOf => Some(Kind::Type),
        Function::ToBool => one_of(&[Kind::Bool, Kind::Text], Kind::Bool),
        Function::ToBytes => one_of(&[Kind::Bytes, Kind::Text], Kind::Bytes),
        Function::ToTimestamp => one_of(&[Kind::Timestamp, Kind::Text, Kind::Int], Kind::Timestamp),
        Function::ToDuration => one_of(&[Kind::Duration, Kind::Text, Kind::Int], Kind::Duration),
        Function::ToIp => one_of(&[Kind::Ip, Kind::Text], Kind::Ip),
        Function::ToCidr => one_of(&[Kind::Cidr, Kind::Text], Kind::Cidr),
        Function::Base64Encode => one_of(&[Kind::Bytes], Kind::Text),
        Function::Base64Decode => one_of(&[Kind::Text], Kind::Bytes),
        _ => network_signature(function, arguments),
    }
}

fn network_signature(function: Function, arguments: [Kind; 4]) -> Option<Kind> {
    let [first, second, ..] = arguments;
    let takes = |kind: Kind, result: Kind| first.agrees(kind).then_some(result);
    match function {
        Function::ContainsIp if second.agrees(Kind::Ip) || second == Kind::Text => {
            takes(Kind::Cidr, Kind::Bool)
        }
        Function::ContainsCidr if second.agrees(Kind::Cidr) || second == Kind::Text => {
            takes(Kind::Cidr, Kind::Bool)
        }
        Function::Address => takes(Kind::Cidr, Kind::Ip),
        Function::Masked => takes(Kind::Cidr, Kind::Cidr),
        Function::PrefixLength => takes(Kind::Cidr, Kind::Int),
        Function::IsIp
        | Function::IsCidr
        | Function::IsCanonical
        | Function::IsInt
        | Function::IsUint
        | Function::IsDouble
        | Function::IsBool
        | Function::IsTimestamp
        | Function::IsDuration => takes(Kind::Text, Kind::Bool),
        Function::Family => takes(Kind::Ip, Kind::Int),
        Function::IsLoopback
        | Function::IsUnspecified
        | Function::IsGlobalUnicast
        | Function::IsLinkLocalUnicast
        | Function::IsLinkLocalMulticast => takes(Kind::Ip, Kind::Bool),
        _ => list_signature(function, arguments),
    }
}

fn list_signature(function: Function, arguments: [Kind; 4]) -> Option<Kind> {
    let [first, second, third, _] = arguments;
    let result = |fits: bool, kind: Kind| fits.then_some(kind);
    match function {
        Function::Index if first.is_list() => Some(first.element()),
        Function::Index if first.is_optional() => Some(Kind::Optional),
        Function::Index => result(first.is_keyed(), Kind::Any),
        Function::OptionalIndex => result(first.is_list() || first.is_keyed(), Kind::Optional),
        Function::Part => Some(Kind::Optional),
        Function::HasKey => result(first.is_keyed(), Kind::Bool),
        Function::OfNonZero => Some(first.optional_of()),
        Function::First | Function::Last => result(first.is_list(), first.element().optional_of()),
        Function::Unwrap => result(first.is_list(), Kind::List),
        Function::Slice => result(
            first.is_list() && second.agrees(Kind::Int) && third.agrees(Kind::Int),
            first,
        ),
        Function::Flatten => result(first.is_list(), Kind::List),
        Function::FlattenTo => result(first.is_list() && second.agrees(Kind::Int), Kind::List),
        Function::Sort | Function::Distinct => result(first.is_list(), first),
        Function::SortBy => result(first.is_list() && second.is_list(), first),
        Function::Range => result(first.agrees(Kind::Int), Kind::List),
        Function::GreatestOf | Function::LeastOf if first.is_list() => Some(first.element()),
        Function::GreatestOf | Function::LeastOf => result(first.is_number(), first),
        Function::Reverse if first.is_list() && first != Kind::Any => Some(first),
        Function::Format => result(first.agrees(Kind::Text) && second.is_list(), Kind::Text),
        _ => text_signature(function, arguments),
    }
}

fn text_signature(function: Function, arguments: [Kind; 4]) -> Option<Kind> {
    let [first, second, third, fourth] = arguments;
    let mut taken = arguments.iter().take(function.arity());
    let are_texts = taken.all(|kind| kind.agrees(Kind::Text));
    let (is_text, are_two) = (first.agrees(Kind::Text), second.agrees(Kind::Text));
    let are_two = is_text && are_two;
    let result = |fits: bool, kind: Kind| fits.then_some(kind);
    match function {
        Function::Matches => result(are_texts, Kind::Bool),
        Function::IndexOfFrom | Function::LastIndexOfFrom => {
            result(are_two && third.agrees(Kind::Int), Kind::Int)
        }
        Function::SplitMost => result(are_two && third.agrees(Kind::Int), Kind::Texts),
        Function::ReplaceMost => result(
            are_two && third.agrees(Kind::Text) && fourth.agrees(Kind::Int),
            Kind::Text,
        ),
        Function::CharAt | Function::Substring => {
            result(is_text && second.agrees(Kind::Int), Kind::Text)
        }
        Function::SubstringTo => result(
            is_text && second.agrees(Kind::Int) && third.agrees(Kind::Int),
            Kind::Text,
        ),
        Function::Quote => result(are_texts, Kind::Text),
        Function::Reverse if first == Kind::Any => Some(Kind::Any),
        Function::Contains | Function::StartsWith | Function::EndsWith => {
            result(are_texts, Kind::Bool)
        }
        Function::IndexOf | Function::LastIndexOf => result(are_texts, Kind::Int),
        Function::Split => result(are_texts, Kind::Texts),
        Function::Join => result(first.is_list() && second.agrees(Kind::Text), Kind::Text),
        Function::LowerAscii
        | Function::UpperAscii
        | Function::Trim
        | Function::Replace
        | Function::Reverse => result(are_texts, Kind::Text),
        _ => None,
    }
}

fn are_ordered(first: Kind, second: Kind) -> bool {
    let same = first.agrees(second)
        && !matches!(
            first,
            Kind::Message
                | Kind::Tool
                | Kind::ToolCall
                | Kind::Optional
                | Kind::OptionalText
                | Kind::OptionalDouble
                | Kind::Null
                | Kind::Map
                | Kind::Type
        );
    same || first.is_number() && second.is_number()
}

fn sum(function: Function, first: Kind, second: Kind) -> Option<Kind> {
    if first == Kind::Any || second == Kind::Any {
        return Some(Kind::Any);
    }
    if first.is_number() && first == second {
        let whole = first != Kind::Double;
        return (whole || function != Function::Remainder).then_some(first);
    }
    match (function, first, second) {
        (Function::Add, Kind::Text | Kind::Bytes | Kind::Duration, _) if first == second => {
            Some(first)
        }
        (Function::Add, ..) if first.is_list() && second.is_list() => Some(first.join(second)),
        (Function::Add | Function::Subtract, Kind::Timestamp, Kind::Duration)
        | (Function::Add, Kind::Duration, Kind::Timestamp) => Some(Kind::Timestamp),
        (Function::Subtract, Kind::Timestamp, Kind::Timestamp)
        | (Function::Subtract, Kind::Duration, Kind::Duration) => Some(Kind::Duration),
        _ => None,
    }
}

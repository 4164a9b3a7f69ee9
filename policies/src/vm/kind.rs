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
pub(super) fn signature(function: Function, arguments: [Kind; 3]) -> Option<Kind> {
    let [first, second, third] = arguments;
    let all = |kind: Kind| {
        [first, second, third]
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
        Function::In => result(second.is_list(), Kind::Bool),
        Function::Negate | Function::Absolute => {
            result(first.is_number() || first == Kind::Duration, first)
        }
        Function::Add
        | Function::Subtract
        | Function::Multiply
        | Function::Divide
        | Function::Remainder => sum(function, first, second),
        Function::Size => result(
            first.is_list() || matches!(first, Kind::Text | Kind::Bytes),
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
        Function::ContainsIp => result(
            first.agrees(Kind::Cidr) && second.agrees(Kind::Ip),
            Kind::Bool,
        ),
        Function::Family => result(all(Kind::Ip), Kind::Int),
        Function::IsLoopback => result(all(Kind::Ip), Kind::Bool),
        Function::Greatest | Function::Least => {
            result(first.is_number() && second.is_number(), first.join(second))
        }
        Function::Ceiling | Function::Floor | Function::Round => {
            result(all(Kind::Double), Kind::Double)
        }
        _ => text_signature(function, arguments),
    }
}

fn text_signature(function: Function, arguments: [Kind; 3]) -> Option<Kind> {
    let [first, second, _] = arguments;
    let mut taken = arguments.iter().take(function.arity());
    let are_texts = taken.all(|kind| kind.agrees(Kind::Text));
    let result = |fits: bool, kind: Kind| fits.then_some(kind);
    match function {
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

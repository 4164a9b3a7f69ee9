//! What the checker and the machine call the same, in one table each.

use waypost_lang::cel::typed;
use waypost_policies::vm::{Comprehension, Field, Function, Map, Member};

/// A table of variants that are called the same on both sides.
macro_rules! same {
    ($value:expr, $from:ident::$kind:ident => $to:ident, [$($variant:ident),* $(,)?], $($other:pat => $result:expr),* $(,)?) => {
        match $value {
            $($from::$kind::$variant => Some($to::$variant),)*
            $($other => $result,)*
        }
    };
}

/// The machine's function for so many arguments.
pub(crate) fn function(function: typed::Function, arguments: usize) -> Option<Function> {
    use typed::Function as F;
    same!(function, typed::Function => Function, [
        Not, Negate, Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual, In, Add, Subtract, Multiply, Divide,
        Remainder, Size, Contains, StartsWith, EndsWith, Matches, LowerAscii, UpperAscii, Trim, Join, Reverse, CharAt,
        Format, Quote, Index, OptionalIndex, Part, ToInt, ToUint, ToDouble, ToString, ToBool, ToBytes, ToTimestamp,
        ToDuration, ToIp, ToCidr, TypeOf, Year, Month, DayOfYear, DayOfMonth, Date, DayOfWeek, Hours, Minutes, Seconds,
        Milliseconds, OptionalOf, HasValue, OrValue, Or, Value, Unwrap, ContainsIp, ContainsCidr, Masked, PrefixLength,
        IsIp, IsCidr, IsCanonical, IsUnspecified, IsGlobalUnicast, IsLinkLocalUnicast, IsLinkLocalMulticast, Family,
        IsLoopback, Absolute, Ceiling, Floor, Round, Truncate, Sign, SquareRoot, IsNan, IsInfinite, IsFinite, BitAnd,
        BitOr, BitXor, BitNot, ShiftLeft, ShiftRight, Slice, Sort, Distinct, Range, First, Last, Base64Encode,
        Base64Decode, IsInt, IsUint, IsDouble, IsBool, IsTimestamp, IsDuration,
    ],
        F::Select => Some(Function::Index),
        F::OptionalSelect => Some(Function::OptionalIndex),
        F::HasField => Some(Function::HasKey),
        F::OfNonZeroValue => Some(Function::OfNonZero),
        F::NetworkAddress => Some(Function::Address),
        F::SortByKeys => Some(Function::SortBy),
        F::Replace => Some(if arguments > 3 { Function::ReplaceMost } else { Function::Replace }),
        F::IndexOf => Some(if arguments > 2 { Function::IndexOfFrom } else { Function::IndexOf }),
        F::LastIndexOf => Some(if arguments > 2 { Function::LastIndexOfFrom } else { Function::LastIndexOf }),
        F::Split => Some(if arguments > 2 { Function::SplitMost } else { Function::Split }),
        F::Substring => Some(if arguments > 2 { Function::SubstringTo } else { Function::Substring }),
        F::Flatten => Some(if arguments > 1 { Function::FlattenTo } else { Function::Flatten }),
        F::Greatest => Some(if arguments > 1 { Function::Greatest } else { Function::GreatestOf }),
        F::Least => Some(if arguments > 1 { Function::Least } else { Function::LeastOf }),
    )
}

/// The machine's function that reads a part of a time.
pub(super) fn zoned(of: typed::Function) -> Option<Function> {
    function(of, 1).filter(|function| function.is_zoned())
}

/// The machine's fact; maps are read by key only.
pub(super) fn field(field: typed::Field) -> Option<Field> {
    same!(field, typed::Field => Field, [
        RequestModel, RequestPath, RequestPrompt, RequestSystem, RequestMessages, RequestTools, RequestTokens,
        RequestMaxTokens, RequestTurns, RequestImages, RequestStream, RequestTemperature, RequestResponseFormat,
        Difficulty, Threshold, CallerKey, CallerTeam, CallerAgent, CallerPlan, CallerName, Tier, Model, CostEstimate,
        CostCeiling, SourceIp, Now, EndpointZone, EndpointQueue, EndpointKvCache, EndpointLora,
    ], typed::Field::RequestHeaders
        | typed::Field::RequestMetadata
        | typed::Field::CallerClaims
        | typed::Field::EndpointLabels => None)
}

pub(super) const fn map(field: typed::Field) -> Option<Map> {
    match field {
        typed::Field::RequestHeaders => Some(Map::Headers),
        typed::Field::RequestMetadata => Some(Map::Metadata),
        typed::Field::CallerClaims => Some(Map::Claims),
        typed::Field::EndpointLabels => Some(Map::Labels),
        _ => None,
    }
}

pub(super) const fn member(member: typed::Member) -> Member {
    match member {
        typed::Member::MessageRole => Member::MessageRole,
        typed::Member::MessageContent => Member::MessageContent,
        typed::Member::MessageName => Member::MessageName,
        typed::Member::MessageToolCallId => Member::MessageToolCallId,
        typed::Member::MessageToolCalls => Member::MessageToolCalls,
        typed::Member::ToolName => Member::ToolName,
        typed::Member::ToolDescription => Member::ToolDescription,
        typed::Member::ToolCallName => Member::ToolCallName,
        typed::Member::ToolCallArguments => Member::ToolCallArguments,
    }
}

pub(super) const fn comprehension(kind: typed::Comprehension) -> Comprehension {
    match kind {
        typed::Comprehension::All => Comprehension::All,
        typed::Comprehension::Exists => Comprehension::Exists,
        typed::Comprehension::ExistsOne => Comprehension::ExistsOne,
        typed::Comprehension::Map | typed::Comprehension::TransformList => Comprehension::Map,
        typed::Comprehension::Filter => Comprehension::Filter,
        typed::Comprehension::TransformMap => Comprehension::TransformMap,
        typed::Comprehension::TransformMapEntry => Comprehension::TransformEntries,
    }
}

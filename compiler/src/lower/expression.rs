//! From a checked expression to code: operands before what takes them.

use waypost_lang::cel::typed::{self, Constant, Type, Typed, TypedKind};
use waypost_policies::plan::draft::Scalar;
use waypost_policies::vm::{Assembler, Comprehension, Field, Function, Instruction, Map, Member};

/// Appends the code of `typed`.
pub(crate) fn write(typed: &Typed, to: &mut Assembler<'_>) {
    match &typed.kind {
        TypedKind::Constant(value) => constant(value, to),
        TypedKind::Field(fact) => {
            if let Some(fact) = field(*fact) {
                to.field(fact);
            }
        }
        TypedKind::Local(local) => {
            to.push(Instruction::Local(*local));
        }
        TypedKind::Member(record, name) => {
            write(record, to);
            to.member(member(*name));
        }
        TypedKind::Lookup(fact, key) => {
            if let Some(map) = map(*fact) {
                to.lookup(map, key);
            }
        }
        TypedKind::HasKey(fact, key) => {
            if let Some(map) = map(*fact) {
                to.has(map, key);
            }
        }
        TypedKind::Call(function, arguments) => call(*function, arguments, to),
        TypedKind::And(left, right) => {
            write(left, to);
            to.and(|to| write(right, to));
        }
        TypedKind::Or(left, right) => {
            write(left, to);
            to.or(|to| write(right, to));
        }
        TypedKind::Conditional(condition, then, otherwise) => {
            write(condition, to);
            to.choose(|to| write(then, to), |to| write(otherwise, to));
        }
        TypedKind::List(elements) => {
            for element in elements {
                write(element, to);
            }
            make_list(elements.len(), to);
        }
        TypedKind::Comprehension {
            kind,
            range,
            local,
            filter,
            body,
            second: _,
        } => {
            write(range, to);
            let filter = |to: &mut Assembler<'_>| {
                if let Some(filter) = filter {
                    write(filter, to);
                }
            };
            if let Some(kind) = comprehension(*kind) {
                to.comprehend(kind, *local, filter, |to| write(body, to));
            }
        }
        // The checker gives none of these yet.
        TypedKind::Variable(_)
        | TypedKind::OptionalList(_)
        | TypedKind::Map(_)
        | TypedKind::Bind { .. }
        | TypedKind::Fail(_) => {}
    }
}

/// A list longer than its count can say is refused by the plan's verifier.
fn make_list(length: usize, to: &mut Assembler<'_>) {
    let count = u16::try_from(length).unwrap_or(u16::MAX);
    to.push(Instruction::MakeList(count));
}

fn constant(value: &Constant, to: &mut Assembler<'_>) {
    let instruction = match value {
        Constant::Null => Instruction::Null,
        Constant::Bool(value) => Instruction::Bool(*value),
        Constant::Int(value) => Instruction::Int(*value),
        Constant::Uint(value) => Instruction::Uint(*value),
        Constant::Double(value) => Instruction::Double(*value),
        Constant::Bytes(bytes) => Instruction::Bytes(bytes),
        Constant::Timestamp(seconds, nanoseconds) => Instruction::Timestamp(*seconds, *nanoseconds),
        Constant::Duration(nanoseconds) => Instruction::Duration(*nanoseconds),
        Constant::Ip(address) => Instruction::Ip(*address),
        Constant::Cidr(address, length) => Instruction::Cidr(*address, *length),
        Constant::Absent => Instruction::Absent,
        Constant::String(text) => {
            to.text(text);
            return;
        }
        Constant::List(elements) => return list(elements, to),
        // The checker gives none of these yet.
        Constant::Map(_) | Constant::Type(_) | Constant::Present(_) => Instruction::Null,
    };
    to.push(instruction);
}

fn list(elements: &[Constant], to: &mut Assembler<'_>) {
    match elements.iter().map(scalar).collect() {
        Some(scalars) => {
            to.list(scalars);
        }
        None => nested_list(elements, to),
    }
}

/// A list of lists or optionals, which no constant of a plan is: it is made each time.
fn nested_list(elements: &[Constant], to: &mut Assembler<'_>) {
    for element in elements {
        constant(element, to);
    }
    make_list(elements.len(), to);
}

fn scalar(value: &Constant) -> Option<Scalar> {
    Some(match value {
        Constant::Null => Scalar::Null,
        Constant::Bool(value) => Scalar::Bool(*value),
        Constant::Int(value) => Scalar::Int(*value),
        Constant::Uint(value) => Scalar::Uint(*value),
        Constant::Double(value) => Scalar::Double(*value),
        Constant::String(text) => Scalar::String(text.clone()),
        Constant::Bytes(bytes) => Scalar::Bytes(bytes.clone()),
        Constant::Timestamp(seconds, nanoseconds) => Scalar::Timestamp(*seconds, *nanoseconds),
        Constant::Duration(nanoseconds) => Scalar::Duration(*nanoseconds),
        Constant::Ip(address) => Scalar::Ip(*address),
        Constant::Cidr(address, length) => Scalar::Cidr(*address, *length),
        _ => return None,
    })
}

fn call(function: typed::Function, arguments: &[Typed], to: &mut Assembler<'_>) {
    match (function, arguments) {
        (typed::Function::Matches, [text, pattern]) => {
            write(text, to);
            // The checker takes constant patterns only.
            to.matches(string(pattern).unwrap_or_default());
        }
        (typed::Function::In, [value, list]) => {
            write(value, to);
            match strings(list).filter(|_| value.ty == Type::String) {
                Some(members) => {
                    to.in_set(members);
                }
                None => {
                    write(list, to);
                    to.call(Function::In);
                }
            }
        }
        (typed::Function::Join, [list]) => {
            write(list, to);
            to.text("").call(Function::Join);
        }
        (typed::Function::Greatest | typed::Function::Least, [first, rest @ ..]) => {
            write(first, to);
            for argument in rest {
                write(argument, to);
                plain(function, to);
            }
        }
        (_, [time, zone]) if zoned(function).is_some() => {
            write(time, to);
            if let Some(part) = zoned(function) {
                // The checker takes constant zones only.
                to.zoned(part, string(zone).unwrap_or("UTC"));
            }
        }
        _ => {
            for argument in arguments {
                write(argument, to);
            }
            plain(function, to);
        }
    }
}

fn plain(function: typed::Function, to: &mut Assembler<'_>) {
    if let Some(function) = counterpart(function) {
        to.call(function);
    }
}

fn zoned(function: typed::Function) -> Option<Function> {
    counterpart(function).filter(|function| function.is_zoned())
}

fn string(typed: &Typed) -> Option<&str> {
    match &typed.kind {
        TypedKind::Constant(Constant::String(text)) => Some(text),
        _ => None,
    }
}

/// The elements of a constant list of strings.
fn strings(list: &Typed) -> Option<Vec<String>> {
    let TypedKind::Constant(Constant::List(elements)) = &list.kind else {
        return None;
    };
    let texts = elements.iter().map(|element| match element {
        Constant::String(text) => Some(text.clone()),
        _ => None,
    });
    texts.collect()
}

/// A table of variants that are called the same on both sides.
macro_rules! same {
    ($value:expr, $from:ident::$kind:ident => $to:ident, [$($variant:ident),* $(,)?], $($other:pat => $result:expr),*) => {
        match $value {
            $($from::$kind::$variant => Some($to::$variant),)*
            $($other => $result,)*
        }
    };
}

/// The machine's function; `matches` has an instruction of its own.
fn counterpart(function: typed::Function) -> Option<Function> {
    same!(function, typed::Function => Function, [
        Not, Negate, Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual, In, Add, Subtract, Multiply, Divide,
        Remainder, Size, Contains, StartsWith, EndsWith, LowerAscii, UpperAscii, Trim, Replace, IndexOf, LastIndexOf,
        Split, Join, Reverse, ToInt, ToUint, ToDouble, ToString, Year, Month, DayOfYear, DayOfMonth, Date, DayOfWeek,
        Hours, Minutes, Seconds, Milliseconds, OptionalOf, HasValue, OrValue, Or, Value, ContainsIp, Family, IsLoopback,
        Greatest, Least, Absolute, Ceiling, Floor, Round,
    ], _ => None)
}

/// The machine's fact; maps are read by key only.
fn field(field: typed::Field) -> Option<Field> {
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

const fn map(field: typed::Field) -> Option<Map> {
    match field {
        typed::Field::RequestHeaders => Some(Map::Headers),
        typed::Field::RequestMetadata => Some(Map::Metadata),
        typed::Field::CallerClaims => Some(Map::Claims),
        typed::Field::EndpointLabels => Some(Map::Labels),
        _ => None,
    }
}

const fn member(member: typed::Member) -> Member {
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

const fn comprehension(kind: typed::Comprehension) -> Option<Comprehension> {
    Some(match kind {
        typed::Comprehension::All => Comprehension::All,
        typed::Comprehension::Exists => Comprehension::Exists,
        typed::Comprehension::ExistsOne => Comprehension::ExistsOne,
        typed::Comprehension::Map => Comprehension::Map,
        typed::Comprehension::Filter => Comprehension::Filter,
        _ => return None,
    })
}

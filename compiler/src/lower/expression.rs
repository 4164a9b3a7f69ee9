//! Typed expressions as code.
//!
//! Invariants: a distinct expression is assembled once; keys of headers, metadata, claims and labels become slots, so
//! that the runtime reads exactly those; constant patterns, zones and lists become constants of the plan. The code
//! of every expression that the front end lets through passes the plan's verifier.

use waypost_lang::SourceMap;
use waypost_lang::cel::typed::{self, Constant, Typed, TypedKind};
use waypost_policies::plan::Draft;
use waypost_policies::plan::draft::{ExpressionIndex, Scalar};
use waypost_policies::vm::{Assembler, Comprehension, Field, Function, Instruction, Map, Member, Pool};

use super::origin::Origins;

/// How many values of a list lie on the stack at one time.
const CHUNK: usize = 1000;

/// The expressions of a plan, as they are met.
pub(crate) struct Expressions<'a> {
    sources: &'a SourceMap,
    origins: Origins<'a>,
    pool: Pool,
}

impl<'a> Expressions<'a> {
    pub(crate) fn new(sources: &'a SourceMap) -> Self {
        Self {
            sources,
            origins: Origins::new(sources),
            pool: Pool::default(),
        }
    }

    /// The index of an expression, which is assembled if it is new.
    pub(crate) fn add(&mut self, typed: &Typed) -> ExpressionIndex {
        let text = self.sources.text(typed.span);
        let origin = self.origins.of(typed.span);
        lower(typed, text, origin, &mut self.pool)
    }

    /// Hands all that was collected to the draft.
    pub(crate) fn finish(self, draft: &mut Draft) {
        self.pool.fill(draft);
    }
}

/// Assembles one expression into a pool.
pub(crate) fn lower(
    typed: &Typed,
    text: &str,
    origin: waypost_policies::plan::draft::Origin,
    pool: &mut Pool,
) -> ExpressionIndex {
    pool.expression(text, origin, |code| write(typed, code))
}

fn write(typed: &Typed, code: &mut Assembler<'_>) {
    match &typed.kind {
        TypedKind::Constant(constant) => write_constant(constant, code),
        TypedKind::Field(fact) => write_field(*fact, code),
        TypedKind::Local(local) => {
            code.push(Instruction::Local(*local));
        }
        TypedKind::Member(record, member) => {
            write(record, code);
            code.member(lower_member(*member));
        }
        TypedKind::Lookup(fact, key) => match lower_map(*fact) {
            Some(map) => {
                code.lookup(map, key);
            }
            None => write_failure(code),
        },
        TypedKind::HasKey(fact, key) => match lower_map(*fact) {
            Some(map) => {
                code.has(map, key);
            }
            None => write_failure(code),
        },
        TypedKind::Call(function, arguments) => write_call(*function, arguments, code),
        TypedKind::And(left, right) => {
            write(left, code);
            code.and(|code| write(right, code));
        }
        TypedKind::Or(left, right) => {
            write(left, code);
            code.or(|code| write(right, code));
        }
        TypedKind::Conditional(condition, then, otherwise) => {
            write(condition, code);
            code.choose(|code| write(then, code), |code| write(otherwise, code));
        }
        TypedKind::List(elements) => write_list(elements, code),
        TypedKind::Comprehension {
            kind,
            range,
            local,
            filter,
            body,
        } => {
            write(range, code);
            code.comprehend(
                lower_comprehension(*kind),
                *local,
                |code| {
                    if let Some(filter) = filter {
                        write(filter, code);
                    }
                },
                |code| write(body, code),
            );
        }
    }
}

fn write_constant(constant: &Constant, code: &mut Assembler<'_>) {
    let instruction = match constant {
        Constant::String(text) => {
            code.text(text);
            return;
        }
        Constant::List(elements) => {
            write_constant_list(elements, code);
            return;
        }
        Constant::Null => Instruction::Null,
        Constant::Bool(value) => Instruction::Bool(*value),
        Constant::Int(number) => Instruction::Int(*number),
        Constant::Uint(number) => Instruction::Uint(*number),
        Constant::Double(number) => Instruction::Double(*number),
        Constant::Bytes(octets) => Instruction::Bytes(octets),
        Constant::Timestamp(seconds, nanoseconds) => Instruction::Timestamp(*seconds, *nanoseconds),
        Constant::Duration(nanoseconds) => Instruction::Duration(*nanoseconds),
        Constant::Ip(address) => Instruction::Ip(*address),
        Constant::Cidr(address, length) => Instruction::Cidr(*address, *length),
        Constant::Absent => Instruction::Absent,
    };
    code.push(instruction);
}

fn write_constant_list(elements: &[Constant], code: &mut Assembler<'_>) {
    match elements.iter().map(scalar).collect() {
        Some(scalars) => {
            code.list(scalars);
        }
        None => write_elements(elements, code, write_constant),
    }
}

fn write_list(elements: &[Typed], code: &mut Assembler<'_>) {
    let constants = elements.iter().map(|element| match &element.kind {
        TypedKind::Constant(constant) => scalar(constant),
        _ => None,
    });
    match constants.collect() {
        Some(scalars) => {
            code.list(scalars);
        }
        None => write_elements(elements, code, write),
    }
}

/// A list whose elements are made at run time, some at a time.
fn write_elements<T>(elements: &[T], code: &mut Assembler<'_>, write: fn(&T, &mut Assembler<'_>)) {
    for (index, chunk) in elements.chunks(CHUNK).enumerate() {
        for element in chunk {
            write(element, code);
        }
        code.push(Instruction::MakeList(u16::try_from(chunk.len()).unwrap_or(u16::MAX)));
        if index > 0 {
            code.call(Function::Add);
        }
    }
}

/// What a list constant can hold: anything but lists and optionals.
fn scalar(constant: &Constant) -> Option<Scalar> {
    Some(match constant {
        Constant::Null => Scalar::Null,
        Constant::Bool(value) => Scalar::Bool(*value),
        Constant::Int(number) => Scalar::Int(*number),
        Constant::Uint(number) => Scalar::Uint(*number),
        Constant::Double(number) => Scalar::Double(*number),
        Constant::String(text) => Scalar::String(text.clone()),
        Constant::Bytes(octets) => Scalar::Bytes(octets.clone()),
        Constant::Timestamp(seconds, nanoseconds) => Scalar::Timestamp(*seconds, *nanoseconds),
        Constant::Duration(nanoseconds) => Scalar::Duration(*nanoseconds),
        Constant::Ip(address) => Scalar::Ip(*address),
        Constant::Cidr(address, length) => Scalar::Cidr(*address, *length),
        Constant::List(_) | Constant::Absent => return None,
    })
}

fn write_call(function: typed::Function, arguments: &[Typed], code: &mut Assembler<'_>) {
    use typed::Function as F;
    match (function, arguments) {
        (F::Matches, [text, pattern]) => {
            write(text, code);
            match constant_text(pattern) {
                Some(pattern) => code.matches(pattern),
                None => return write_failure(code),
            };
        }
        (F::In, [value, list]) if let Some(members) = constant_texts(list) => {
            write(value, code);
            code.in_set(members);
        }
        (F::Join, [list]) => {
            write(list, code);
            code.text("").call(Function::Join);
        }
        _ => {
            let Some(lowered) = lower_function(function) else {
                return write_failure(code);
            };
            if let ([time, zone], true) = (arguments, lowered.is_zoned()) {
                write(time, code);
                match constant_text(zone) {
                    Some(zone) => code.zoned(lowered, zone),
                    None => return write_failure(code),
                };
                return;
            }
            for argument in arguments {
                write(argument, code);
            }
            code.call(lowered);
        }
    }
}

/// What the checker lets through never gets here; if it did, the rule would act closed.
fn write_failure(code: &mut Assembler<'_>) {
    code.push(Instruction::Absent).call(Function::Value);
}

fn constant_text(typed: &Typed) -> Option<&str> {
    match &typed.kind {
        TypedKind::Constant(Constant::String(text)) => Some(text),
        _ => None,
    }
}

fn constant_texts(list: &Typed) -> Option<Vec<String>> {
    match &list.kind {
        TypedKind::Constant(Constant::List(elements)) => {
            let text = |element: &Constant| match element {
                Constant::String(text) => Some(text.clone()),
                _ => None,
            };
            elements.iter().map(text).collect()
        }
        TypedKind::List(elements) => elements
            .iter()
            .map(|element| constant_text(element).map(str::to_owned))
            .collect(),
        _ => None,
    }
}

/// The same names on both sides: `lang` and `policies` do not know each other.
macro_rules! same {
    ($value:expr, $from:path => $to:ident: $($name:ident)*) => {{
        use $from as From;
        match $value {
            $(From::$name => Some($to::$name),)*
            #[allow(unreachable_patterns, reason = "some of the lists name every variant")]
            _ => None,
        }
    }};
}

fn write_field(fact: typed::Field, code: &mut Assembler<'_>) {
    let field = same!(fact, typed::Field => Field:
        RequestModel RequestPath RequestPrompt RequestSystem RequestMessages RequestTools RequestTokens RequestMaxTokens
        RequestTurns RequestImages RequestStream RequestTemperature RequestResponseFormat Difficulty Threshold CallerKey
        CallerTeam CallerAgent CallerPlan CallerName Tier Model CostEstimate CostCeiling SourceIp Now EndpointZone
        EndpointQueue EndpointKvCache EndpointLora);
    match field {
        Some(field) => {
            code.field(field);
        }
        None => write_failure(code),
    }
}

const fn lower_map(fact: typed::Field) -> Option<Map> {
    match fact {
        typed::Field::RequestHeaders => Some(Map::Headers),
        typed::Field::RequestMetadata => Some(Map::Metadata),
        typed::Field::CallerClaims => Some(Map::Claims),
        typed::Field::EndpointLabels => Some(Map::Labels),
        _ => None,
    }
}

const fn lower_member(member: typed::Member) -> Member {
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

const fn lower_comprehension(kind: typed::Comprehension) -> Comprehension {
    match kind {
        typed::Comprehension::All => Comprehension::All,
        typed::Comprehension::Exists => Comprehension::Exists,
        typed::Comprehension::ExistsOne => Comprehension::ExistsOne,
        typed::Comprehension::Map => Comprehension::Map,
        typed::Comprehension::Filter => Comprehension::Filter,
    }
}

/// All but `matches`, which is an instruction of its own.
const fn lower_function(function: typed::Function) -> Option<Function> {
    same!(function, typed::Function => Function:
        Not Negate Equal NotEqual Less LessOrEqual Greater GreaterOrEqual In Add Subtract Multiply Divide Remainder Size
        Contains StartsWith EndsWith LowerAscii UpperAscii Trim Replace IndexOf LastIndexOf Split Join Reverse ToInt
        ToUint ToDouble ToString Year Month DayOfYear DayOfMonth Date DayOfWeek Hours Minutes Seconds Milliseconds
        OptionalOf HasValue OrValue Or Value ContainsIp Family IsLoopback Greatest Least Absolute Ceiling Floor Round)
}

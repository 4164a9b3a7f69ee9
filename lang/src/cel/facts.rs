//! What an expression may read: each fact's name, type and owning sections, in one table.

use super::typed::{Field, Member, Record, Section, Type};

/// One row of the table.
struct Fact {
    field: Field,
    path: &'static str,
    sections: &'static [Section],
    ty: fn() -> Type,
}

const CONTENT: &[Section] = &[Section::Content];
const POLICY: &[Section] = &[Section::Policy];
const PLACE: &[Section] = &[Section::Place];
const BOTH: &[Section] = &[Section::Content, Section::Policy];

const fn fact(
    field: Field,
    path: &'static str,
    sections: &'static [Section],
    ty: fn() -> Type,
) -> Fact {
    Fact {
        field,
        path,
        sections,
        ty,
    }
}

fn records(record: Record) -> Type {
    Type::List(Box::new(Type::Record(record)))
}

fn texts() -> Type {
    Type::Map(Box::new(Type::String), Box::new(Type::String))
}

fn claims() -> Type {
    Type::Map(Box::new(Type::String), Box::new(Type::Dyn))
}

const FACTS: &[Fact] = &[
    fact(Field::RequestModel, "request.model", BOTH, || Type::String),
    fact(Field::RequestPath, "request.path", BOTH, || Type::String),
    fact(Field::RequestPrompt, "request.prompt", CONTENT, || {
        Type::String
    }),
    fact(Field::RequestSystem, "request.system", CONTENT, || {
        Type::String
    }),
    fact(Field::RequestMessages, "request.messages", CONTENT, || {
        records(Record::Message)
    }),
    fact(Field::RequestTools, "request.tools", CONTENT, || {
        records(Record::Tool)
    }),
    fact(Field::RequestTokens, "request.tokens", BOTH, || Type::Int),
    fact(Field::RequestMaxTokens, "request.max_tokens", BOTH, || {
        Type::Int
    }),
    fact(Field::RequestTurns, "request.turns", BOTH, || Type::Int),
    fact(Field::RequestImages, "request.images", BOTH, || Type::Int),
    fact(Field::RequestStream, "request.stream", BOTH, || Type::Bool),
    fact(
        Field::RequestTemperature,
        "request.temperature",
        CONTENT,
        || Type::Optional(Box::new(Type::Double)),
    ),
    fact(
        Field::RequestResponseFormat,
        "request.response_format",
        CONTENT,
        || Type::String,
    ),
    fact(Field::RequestHeaders, "request.headers", BOTH, texts),
    fact(Field::RequestMetadata, "request.metadata", BOTH, texts),
    fact(Field::Difficulty, "difficulty", CONTENT, || Type::Double),
    fact(Field::Threshold, "threshold", CONTENT, || Type::Double),
    fact(Field::CallerKey, "caller.key", POLICY, || Type::String),
    fact(Field::CallerTeam, "caller.team", POLICY, || Type::String),
    fact(Field::CallerAgent, "caller.agent", POLICY, || Type::String),
    fact(Field::CallerPlan, "caller.plan", POLICY, || Type::String),
    fact(Field::CallerName, "caller.name", POLICY, || Type::String),
    fact(Field::CallerClaims, "caller.claims", POLICY, claims),
    fact(Field::Tier, "tier", POLICY, || Type::String),
    fact(Field::Model, "model", POLICY, || Type::String),
    fact(Field::CostEstimate, "cost.estimate", POLICY, || {
        Type::Double
    }),
    fact(Field::CostCeiling, "cost.ceiling", POLICY, || Type::Double),
    fact(Field::SourceIp, "source.ip", POLICY, || Type::Ip),
    fact(Field::Now, "now", POLICY, || Type::Timestamp),
    fact(Field::EndpointLabels, "endpoint.labels", PLACE, texts),
    fact(Field::EndpointZone, "endpoint.zone", PLACE, || Type::String),
    fact(Field::EndpointQueue, "endpoint.queue", PLACE, || Type::Int),
    fact(Field::EndpointKvCache, "endpoint.kv_cache", PLACE, || {
        Type::Double
    }),
    fact(Field::EndpointLora, "endpoint.lora", PLACE, || {
        Type::List(Box::new(Type::String))
    }),
];

impl Field {
    /// Every fact.
    pub fn all() -> impl Iterator<Item = Self> {
        FACTS.iter().map(|fact| fact.field)
    }

    /// The fact written as `path`.
    #[must_use]
    pub fn find(path: &str) -> Option<Self> {
        FACTS
            .iter()
            .find(|fact| fact.path == path)
            .map(|fact| fact.field)
    }

    /// As it is written: `request.tokens`.
    #[must_use]
    pub fn path(self) -> &'static str {
        self.fact().map_or("", |fact| fact.path)
    }

    /// Its type.
    #[must_use]
    pub fn ty(self) -> Type {
        self.fact().map_or(Type::Error, |fact| (fact.ty)())
    }

    /// The sections that may read it.
    #[must_use]
    pub fn sections(self) -> &'static [Section] {
        self.fact().map_or(&[], |fact| fact.sections)
    }

    fn fact(self) -> Option<&'static Fact> {
        FACTS.iter().find(|fact| fact.field == self)
    }
}

impl Section {
    /// As it is written: `content`.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Content => "content",
            Self::Policy => "policy",
            Self::Place => "place",
            Self::Constant => "let",
        }
    }
}

const MEMBERS: &[(Record, &str, Member)] = &[
    (Record::Message, "role", Member::MessageRole),
    (Record::Message, "content", Member::MessageContent),
    (Record::Message, "name", Member::MessageName),
    (Record::Message, "tool_call_id", Member::MessageToolCallId),
    (Record::Message, "tool_calls", Member::MessageToolCalls),
    (Record::Tool, "name", Member::ToolName),
    (Record::Tool, "description", Member::ToolDescription),
    (Record::ToolCall, "name", Member::ToolCallName),
    (Record::ToolCall, "arguments", Member::ToolCallArguments),
];

impl Record {
    /// Its fields, by the name they are written with.
    pub fn members(self) -> impl Iterator<Item = (&'static str, Member)> {
        MEMBERS
            .iter()
            .filter(move |(record, ..)| *record == self)
            .map(|(_, name, member)| (*name, *member))
    }
}

impl Member {
    /// Its type.
    #[must_use]
    pub fn ty(self) -> Type {
        match self {
            Self::MessageToolCalls => records(Record::ToolCall),
            _ => Type::String,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{FACTS, Field};

    #[test]
    fn each_fact_has_one_row() {
        assert_eq!(FACTS.len(), 34);
        for field in Field::all() {
            assert_eq!(Field::find(field.path()), Some(field));
        }
        assert!(Field::all().is_sorted(), "in the order of the enum");
    }
}

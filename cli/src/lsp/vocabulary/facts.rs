//! What the facts mean that expressions read.

/// What a fact means.
const FACTS: &[(&str, &str)] = &[
    (
        "request.model",
        "The model name that the client sent, before routing.",
    ),
    (
        "request.path",
        "The path of the HTTP request, such as `/v1/chat/completions`.",
    ),
    ("request.prompt", "The text of the last user turn."),
    (
        "request.system",
        "The text of the system prompt; empty if there is none.",
    ),
    (
        "request.messages",
        "The conversation, oldest first. Each has `role`, `content`, `name`, `tool_call_id` and `tool_calls`.",
    ),
    (
        "request.tools",
        "The tools that the client offers. Each has `name` and `description`.",
    ),
    (
        "request.tokens",
        "The prompt's size in tokens, estimated before the call is sent.",
    ),
    (
        "request.max_tokens",
        "The longest answer that the client asks for, in tokens; 0 when it did not say.",
    ),
    ("request.turns", "How many messages the conversation has."),
    ("request.images", "How many images the conversation has."),
    (
        "request.stream",
        "Whether the client wants the answer as a stream.",
    ),
    (
        "request.temperature",
        "The temperature that the client sent, if it sent one: `request.temperature.orValue(1.0)`.",
    ),
    (
        "request.response_format",
        "The format the client asks for, such as `json_object`; empty when it did not say.",
    ),
    (
        "request.headers",
        "The HTTP headers, names in lower case. A header can be missing: `request.headers[?\"x-name\"].orValue(\"\")`.",
    ),
    (
        "request.metadata",
        "The `metadata` of the request's body. A key can be missing: `request.metadata[?\"key\"].orValue(\"\")`.",
    ),
    (
        "difficulty",
        "The predicted probability, 0 to 1, that the start tier's answer loses where the next tier's would not.",
    ),
    (
        "threshold",
        "How high `difficulty` must be: the declared figure, or the one in a model name such as `router-mf-0.11593`.",
    ),
    (
        "caller.key",
        "Which key the caller used; empty when it used none.",
    ),
    ("caller.team", "The caller's team; empty when it has none."),
    (
        "caller.agent",
        "The caller's agent; empty when it has none.",
    ),
    (
        "caller.plan",
        "The caller's plan, such as `free` or `pro`; empty when it has none.",
    ),
    ("caller.name", "The caller's name; empty when it has none."),
    (
        "caller.claims",
        "The claims of the caller's token. A claim can be missing: `caller.claims[?\"sub\"]`.",
    ),
    (
        "tier",
        "The tier chosen so far: caps see the content tier, everything else the final one. Compared with a declared tier's name.",
    ),
    (
        "model",
        "The model that the call goes to. Compared with a declared model's name.",
    ),
    (
        "cost.estimate",
        "What the call is expected to cost, in US dollars.",
    ),
    (
        "cost.ceiling",
        "What the call costs at worst, with all of its `max_tokens`, in US dollars.",
    ),
    ("source.ip", "The address that the call comes from."),
    ("now", "The time of the call."),
    (
        "endpoint.labels",
        "The labels of the replica. A label can be missing: `endpoint.labels[?\"gpu\"]`.",
    ),
    ("endpoint.zone", "The zone that the replica runs in."),
    ("endpoint.queue", "How many requests wait at the replica."),
    (
        "endpoint.kv_cache",
        "The share of the replica's KV cache in use, 0 to 1.",
    ),
    ("endpoint.lora", "The adapters that the replica has loaded."),
];

/// What a field of the request's records means.
const MEMBERS: &[(&str, &str, &str)] = &[
    (
        "message",
        "role",
        "Who speaks: `system`, `user`, `assistant` or `tool`.",
    ),
    (
        "message",
        "content",
        "Its text; parts are joined by newlines, images left out.",
    ),
    (
        "message",
        "name",
        "The name of who speaks; empty when none was sent.",
    ),
    (
        "message",
        "tool_call_id",
        "The call that a `tool` message answers.",
    ),
    (
        "message",
        "tool_calls",
        "The calls that the model asked for. Each has `name` and `arguments`.",
    ),
    ("tool", "name", "The tool's name."),
    ("tool", "description", "What the client says the tool does."),
    ("tool call", "name", "The tool that is called."),
    (
        "tool call",
        "arguments",
        "What it is called with, as JSON text.",
    ),
];

const GROUPS: &[(&str, &str)] = &[
    ("request", "The call as the client sent it."),
    ("caller", "Who calls."),
    ("cost", "What the call costs."),
    ("source", "Where the call comes from."),
    ("endpoint", "A replica of the pool, as it is now."),
];

/// What the fact at `path` means.
pub(crate) fn fact(path: &str) -> Option<&'static str> {
    let found = FACTS.iter().find(|(one, _)| *one == path);
    found.map(|(_, meaning)| *meaning)
}

/// What the field `name` of a record, called by its type's name, means.
pub(crate) fn member(record: &str, name: &str) -> Option<&'static str> {
    let mut members = MEMBERS.iter();
    let found = members.find(|(one, field, _)| *one == record && *field == name);
    found.map(|(.., meaning)| *meaning)
}

/// What a name that only groups facts means.
pub(crate) fn group(name: &str) -> Option<&'static str> {
    let found = GROUPS.iter().find(|(one, _)| *one == name);
    found.map(|(_, meaning)| *meaning)
}

#[cfg(test)]
mod tests {
    use super::{FACTS, fact, member};
    use waypost_lang::cel::typed::{Field, Record, Type};

    #[test]
    fn every_fact_and_member_has_a_meaning_and_no_other() {
        for field in Field::all() {
            assert!(
                fact(field.path()).is_some(),
                "say what {} means",
                field.path()
            );
        }
        for (path, _) in FACTS {
            assert!(Field::find(path).is_some(), "{path} is no fact");
        }
        for record in [Record::Message, Record::Tool, Record::ToolCall] {
            for (name, _) in record.members() {
                let ty = Type::Record(record).to_string();
                assert!(member(&ty, name).is_some(), "say what {name} of {ty} means");
            }
        }
    }
}

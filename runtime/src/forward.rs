//! Makes of a caller's body what goes upstream: byte for byte the same, but for what the decision changes.

use std::borrow::Cow;

use crate::json::{self, Change, Member};

/// Asked of the upstream on every stream, so that no client can hide what it uses.
const INCLUDE_USAGE: &str = "\"include_usage\":true";

/// What the decision changes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape<'a> {
    /// The model's name upstream.
    pub(crate) model: &'a str,
    /// Parameters that the model rejects.
    pub(crate) rejects: &'a [String],
    /// The longest answer that was reserved for, where an answer has a length.
    pub(crate) most_tokens: Option<u64>,
    /// In which parameter that is said where the body does not say how long an answer may be.
    pub(crate) limit_in: Option<&'static str>,
    /// Whether the model knows `max_tokens` only as `max_completion_tokens`.
    pub(crate) completion_tokens: bool,
    /// Whether usage is to be asked for: of a stream in a dialect that has it only then.
    pub(crate) asks_usage: bool,
}

/// What becomes of a body: its new text, if anything changes, and what was left out of it.
#[derive(Debug)]
pub(crate) struct Shaped {
    pub(crate) text: Option<String>,
    pub(crate) dropped: Vec<String>,
}

/// The body without the parameters that the model rejects, in the words of the caller's own dialect.
pub(crate) fn without<'b>(body: &'b str, rejects: &[String]) -> (Cow<'b, str>, Vec<String>) {
    let mut dropped = Vec::new();
    let change = |member: &Member<'_>| {
        if !rejects.iter().any(|name| *name == member.key) {
            return Change::Keep;
        }
        dropped.push(member.key.clone().into_owned());
        Change::Drop
    };
    let body = json::rewrite(body, change, &[]);
    (body, dropped)
}

/// The body with these members in this shape.
pub(crate) fn shape(text: &str, members: &[Member<'_>], shape: &Shape<'_>) -> Shaped {
    let mut dropped = Vec::new();
    let has = |key: &str| members.iter().any(|member| member.key == key);
    let both_limits = has("max_tokens") && has("max_completion_tokens");
    let mut added = Vec::new();
    if shape.asks_usage
        && !has("stream_options")
        && !shape.rejects.iter().any(|name| name == "stream_options")
    {
        added.push(format!("\"stream_options\":{{{INCLUDE_USAGE}}}"));
    }
    let says_limit = ["max_tokens", "max_completion_tokens", "max_output_tokens"];
    if let (Some(name), Some(most)) = (shape.limit_in, shape.most_tokens)
        && !says_limit.into_iter().any(has)
        && !shape.rejects.iter().any(|rejected| rejected == name)
    {
        added.push(format!("\"{name}\":{most}"));
    }
    let change = |member: &Member<'_>| {
        if shape.rejects.iter().any(|name| *name == member.key) {
            dropped.push(member.key.clone().into_owned());
            return Change::Drop;
        }
        match &*member.key {
            "model" => value(member, json::quote(shape.model)),
            "max_tokens" if shape.completion_tokens && both_limits => Change::Drop,
            "max_tokens" if shape.completion_tokens => Change::Member(
                "max_completion_tokens",
                clamped(member.value, shape.most_tokens),
            ),
            "max_tokens" | "max_completion_tokens" | "max_output_tokens" => {
                value(member, clamped(member.value, shape.most_tokens))
            }
            "stream_options" if shape.asks_usage => value(member, with_usage(member.value)),
            _ => Change::Keep,
        }
    };
    let text = json::rewrite_members(text, members, change, &added);
    Shaped { text, dropped }
}

/// The parts of a body that engines cache by their beginning, as they stand in it: its tools, then what is said; ""
/// where it has none.
pub(crate) fn cached_parts<'t>(members: &[Member<'t>]) -> [&'t str; 2] {
    let named = |names: &[&str]| {
        let mut members = members.iter();
        let found = members.find(|member| names.contains(&&*member.key));
        found.map_or("", |member| member.value)
    };
    [named(&["tools"]), named(&["messages", "prompt", "input"])]
}

fn value(member: &Member<'_>, value: String) -> Change {
    if member.value == value {
        Change::Keep
    } else {
        Change::Value(value)
    }
}

fn clamped(value: &str, most: Option<u64>) -> String {
    match (value.parse::<f64>(), most) {
        (Ok(asked), Some(most)) if asked > most as f64 => most.to_string(),
        (Err(_), Some(most)) if value == "null" => most.to_string(),
        _ => value.to_owned(),
    }
}

/// `stream_options` that ask for usage, whatever they said of it.
fn with_usage(options: &str) -> String {
    let members = json::members(options);
    if members.is_empty() {
        return format!("{{{INCLUDE_USAGE}}}");
    }
    let added = match members.iter().any(|member| member.key == "include_usage") {
        true => Vec::new(),
        false => vec![INCLUDE_USAGE.to_owned()],
    };
    let change = |member: &Member<'_>| match &*member.key {
        "include_usage" => value(member, "true".to_owned()),
        _ => Change::Keep,
    };
    json::rewrite(options, change, &added).into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    const PLAIN: Shape<'static> = Shape {
        model: "gpt-5.1",
        rejects: &[],
        most_tokens: Some(4096),
        completion_tokens: false,
        limit_in: None,
        asks_usage: false,
    };

    fn check(body: &str, with: Shape<'_>, expected: &str) {
        let shaped = shape(body, &json::members(body), &with);
        assert_eq!(shaped.text.as_deref().unwrap_or(body), expected);
    }

    #[test]
    fn only_the_model_changes() {
        check(
            r#"{"temperature" : 0.70, "model":"auto","messages":[{"role":"user","content":"model"}]}"#,
            PLAIN,
            r#"{"temperature" : 0.70, "model":"gpt-5.1","messages":[{"role":"user","content":"model"}]}"#,
        );
    }

    #[test]
    fn the_same_model_leaves_the_same_bytes() {
        let body = r#"{"model":"gpt-5.1"}"#;
        assert_eq!(shape(body, &json::members(body), &PLAIN).text, None);
    }

    #[test]
    fn usage_is_always_asked_of_a_stream() {
        let stream = Shape {
            asks_usage: true,
            ..PLAIN
        };
        check(
            r#"{"model":"gpt-5.1"}"#,
            stream,
            r#"{"model":"gpt-5.1","stream_options":{"include_usage":true}}"#,
        );
        check(
            r#"{"stream_options":{"include_usage":false,"x":1},"model":"gpt-5.1"}"#,
            stream,
            r#"{"stream_options":{"include_usage":true,"x":1},"model":"gpt-5.1"}"#,
        );
        check(
            r#"{"stream_options":null}"#,
            stream,
            r#"{"stream_options":{"include_usage":true}}"#,
        );
        check(
            r#"{"stream_options":{"x":1}}"#,
            stream,
            r#"{"stream_options":{"x":1,"include_usage":true}}"#,
        );
    }

    #[test]
    fn the_answer_is_no_longer_than_reserved() {
        check(r#"{"max_tokens":100000}"#, PLAIN, r#"{"max_tokens":4096}"#);
        check(r#"{"max_tokens":10}"#, PLAIN, r#"{"max_tokens":10}"#);
        check(
            r#"{"max_completion_tokens":5e6}"#,
            PLAIN,
            r#"{"max_completion_tokens":4096}"#,
        );
    }

    #[test]
    fn the_reserved_length_is_sent_where_the_caller_says_none() {
        let limited = Shape {
            limit_in: Some("max_tokens"),
            ..PLAIN
        };
        check(r#"{"n":1}"#, limited, r#"{"n":1,"max_tokens":4096}"#);
        check(r#"{"max_tokens":9}"#, limited, r#"{"max_tokens":9}"#);
        check(
            r#"{"max_completion_tokens":9}"#,
            limited,
            r#"{"max_completion_tokens":9}"#,
        );
        check(r#"{"max_tokens":null}"#, limited, r#"{"max_tokens":4096}"#);
        let rejects = ["max_tokens".to_owned()];
        let rejecting = Shape {
            rejects: &rejects,
            ..limited
        };
        check(r#"{"n":1}"#, rejecting, r#"{"n":1}"#);
    }

    #[test]
    fn reasoning_models_get_the_name_that_they_know() {
        let reasoning = Shape {
            completion_tokens: true,
            ..PLAIN
        };
        check(
            r#"{"max_tokens":9}"#,
            reasoning,
            r#"{"max_completion_tokens":9}"#,
        );
        check(
            r#"{"max_tokens":9,"max_completion_tokens":8}"#,
            reasoning,
            r#"{"max_completion_tokens":8}"#,
        );
    }

    #[test]
    fn rejected_parameters_are_dropped_and_named() {
        let rejects = ["presence_penalty".to_owned()];
        let shape_ = Shape {
            rejects: &rejects,
            ..PLAIN
        };
        let body = r#"{"presence_penalty":0.5,"n":1}"#;
        let shaped = shape(body, &json::members(body), &shape_);
        assert_eq!(
            (shaped.text.as_deref(), shaped.dropped),
            (Some(r#"{"n":1}"#), rejects.to_vec())
        );
    }

    #[test]
    fn what_engines_cache_is_found_as_it_stands() {
        let parts = |body| cached_parts(&json::members(body));
        assert_eq!(
            parts(r#"{"messages" : [{"role":"user"}],"model":"m","tools":[1]}"#),
            ["[1]", r#"[{"role":"user"}]"#]
        );
        assert_eq!(parts(r#"{"prompt":"once"}"#), ["", "\"once\""]);
        assert_eq!(parts("no"), ["", ""]);
    }
}

//! What a simulated model says: the same words for the same prompt, as long as the prompt deserves.
//!
//! Invariants: no clock and no chance; never more tokens than allowed; a tool call only of a tool that was offered.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde_json::Value;

use super::chat::{Call, Choice};
use super::schema;

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    /// What it is.
    pub(super) content: Content,
    /// Whether the longest allowed answer cut it off.
    pub(super) cut: bool,
}

/// Text or a tool call, in pieces of one token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    /// Words, each with the space before it.
    Text(Vec<String>),
    /// A call of an offered tool.
    ToolCall {
        /// Which.
        name: String,
        /// JSON text in pieces.
        arguments: Vec<String>,
    },
}

impl Answer {
    /// Its length.
    pub(super) fn tokens(&self) -> u64 {
        match &self.content {
            Content::Text(pieces) => pieces.len() as u64,
            // The name and what frames it.
            Content::ToolCall { arguments, .. } => arguments.len() as u64 + 4,
        }
    }

    /// `stop`, `length` or `tool_calls`.
    pub(super) const fn finish_reason(&self) -> &'static str {
        match (&self.content, self.cut) {
            (_, true) => "length",
            (Content::Text(_), false) => "stop",
            (Content::ToolCall { .. }, false) => "tool_calls",
        }
    }
}

/// The answer to `call` by the model called `model`.
pub(super) fn answer(call: &Call, model: &str) -> Answer {
    if let Some((name, parameters)) = wanted_tool(call) {
        let arguments = match schema::satisfy(parameters, &excerpt(&call.question, 8)) {
            Value::Object(fields) => Value::Object(fields).to_string(),
            // Arguments are an object even where the tool has no schema.
            _ => "{}".to_owned(),
        };
        return Answer {
            content: Content::ToolCall {
                name: name.to_owned(),
                arguments: pieces(&arguments),
            },
            cut: false,
        };
    }
    let mut words = text(call, model);
    let longest = usize::try_from(call.max_tokens.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    let cut = words.len() > longest;
    words.truncate(longest);
    Answer {
        content: Content::Text(words),
        cut,
    }
}

/// Why a call demands a tool that it cannot get, as OpenAI's API refuses it.
pub(super) fn impossible_demand(call: &Call) -> Option<String> {
    if !call.choice.demands() || wanted_tool(call).is_some() {
        return None;
    }
    Some(match &call.choice {
        Choice::Named(name) => format!("`tool_choice` names `{name}`, which is not in `tools`"),
        _ => "`tool_choice` demands a tool, and `tools` offers none that can be called".to_owned(),
    })
}

/// The tool that the client demands, or that the last user turn names.
fn wanted_tool(call: &Call) -> Option<(&str, &Value)> {
    let mut tools = call.tools.iter().filter_map(tool);
    match &call.choice {
        Choice::Named(name) => tools.find(|(tool, _)| tool == name),
        Choice::Required(None) => tools.next(),
        Choice::Required(Some(allowed)) => {
            tools.find(|(tool, _)| allowed.iter().any(|name| name == tool))
        }
        Choice::None => None,
        // A tool's result is answered in words, else a loop of calls would never end.
        _ if call.last_role == "tool" => None,
        Choice::Auto => {
            let question = call.question.to_lowercase();
            tools.find(|(name, _)| {
                let name = name.to_lowercase();
                question.contains(&name) || question.contains(&name.replace('_', " "))
            })
        }
    }
}

/// Name and schema of a function; other kinds of tools are not simulated.
fn tool(tool: &Value) -> Option<(&str, &Value)> {
    let name = tool.pointer("/function/name")?.as_str()?;
    let parameters = tool.pointer("/function/parameters");
    (!name.is_empty()).then_some((name, parameters.unwrap_or(&Value::Null)))
}

/// A sentence that says who answers what, and then the prompt's own words in another order.
fn text(call: &Call, model: &str) -> Vec<String> {
    if call.wants_json {
        let question = excerpt(&call.question, 12);
        let object = match &call.schema {
            Some(schema) => schema::satisfy(schema, &question),
            None => serde_json::json!({ "model": model, "answer": question }),
        };
        return pieces(&object.to_string());
    }
    let opening = match (sum(&call.question), call.last_role.as_str()) {
        (Some(result), _) => return words(&format!("{} = {result}.", expression(&call.question))),
        (None, "tool") => format!("The tool says: {}.", excerpt(&call.last_content, 24)),
        (None, _) => format!(
            "This is a simulated answer of {model} to: {}.",
            excerpt(&call.question, 16)
        ),
    };
    let mut said = words(&opening);
    let source: Vec<&str> = call.question.split_whitespace().collect();
    let length = 24 + (seed(&call.question, model) % 40) as usize + source.len().min(400) / 4;
    let step = 1 + (seed(model, &call.question) % 7) as usize;
    let rest = (0..length).filter_map(|at| source.get((at * step + 1) % source.len().max(1)));
    said.extend(rest.map(|word| format!(" {word}")));
    said
}

/// The first words of `text`.
fn excerpt(text: &str, count: usize) -> String {
    let mut words = text.split_whitespace();
    let taken: Vec<&str> = words.by_ref().take(count).collect();
    let more = if words.next().is_some() { " …" } else { "" };
    let joined = taken.join(" ");
    format!("{}{more}", joined.trim_end_matches(['.', '?', '!', ':']))
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace()
        .enumerate()
        .map(|(at, word)| {
            if at == 0 {
                word.to_owned()
            } else {
                format!(" {word}")
            }
        })
        .collect()
}

/// `text` in pieces of four characters.
fn pieces(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    characters
        .chunks(super::prefix::TOKEN_BYTES)
        .map(|piece| piece.iter().collect())
        .collect()
}

fn seed(left: &str, right: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (left, right).hash(&mut hasher);
    hasher.finish()
}

/// The `2+2` of `What is 2+2?`.
fn expression(question: &str) -> String {
    let wanted = |character: &char| character.is_ascii_digit() || "+-*".contains(*character);
    question.chars().filter(wanted).collect()
}

/// The result of a question that holds one sum of two whole numbers and is short.
fn sum(question: &str) -> Option<i64> {
    let written = expression(question);
    if question.len() > 40 {
        return None;
    }
    let at = written.find(['+', '-', '*'])?;
    let (left, rest) = written.split_at_checked(at)?;
    let mut rest = rest.chars();
    let operator = rest.next()?;
    let (left, right): (i64, i64) = (left.parse().ok()?, rest.as_str().parse().ok()?);
    match operator {
        '+' => left.checked_add(right),
        '-' => left.checked_sub(right),
        _ => left.checked_mul(right),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use serde_json::{Value, json};

    use super::{Answer, Content, answer};
    use crate::demo::chat::Call;

    fn reply(body: &Value) -> Answer {
        answer(&Call::read(body.to_string().as_bytes()).unwrap(), "phi")
    }

    fn user(text: &str) -> Value {
        json!({"role": "user", "content": text})
    }

    fn said(answer: &Answer) -> String {
        match &answer.content {
            Content::Text(pieces) => pieces.concat(),
            Content::ToolCall { name, arguments } => format!("{name}({})", arguments.concat()),
        }
    }

    #[test]
    fn arithmetic_is_answered() {
        let answer = reply(&json!({"messages": [user("What is 2+2?")]}));
        assert_eq!(said(&answer), "2+2 = 4.");
        assert_eq!(answer.finish_reason(), "stop");
    }

    #[test]
    fn the_same_prompt_gives_the_same_words() {
        let body = json!({"messages": [user("Derive the EM algorithm for mixtures")]});
        assert_eq!(reply(&body), reply(&body));
        assert!(said(&reply(&body)).starts_with("This is a simulated answer of phi to: Derive"));
    }

    #[test]
    fn max_tokens_cuts_and_says_so() {
        let body = json!({"max_tokens": 5, "messages": [user("Write a long story")]});
        assert_eq!(reply(&body).tokens(), 5);
        assert_eq!(reply(&body).finish_reason(), "length");
    }

    #[test]
    fn a_tool_is_called_when_demanded_or_named() {
        let tools = json!([
            {"type":"function","function":{"name":"get_weather","parameters":
                {"type":"object","required":["city"],"properties":{"city":{"enum":["Paris"]}}}}},
            {"type":"function","function":{"name":"write_file"}}]);
        let call = |question: &str, choice: Value| {
            said(&reply(
                &json!({"messages":[user(question)],"tools":tools,"tool_choice":choice}),
            ))
        };
        assert_eq!(
            call("hi", json!("required")),
            r#"get_weather({"city":"Paris"})"#
        );
        let named = json!({"type":"function","function":{"name":"write_file"}});
        assert_eq!(call("hi", named), "write_file({})");
        assert!(call("please get weather", json!("auto")).starts_with("get_weather("));
        assert!(call("please get weather", json!("none")).starts_with("This is"));
        assert!(call("hello", Value::Null).starts_with("This is"));
    }

    #[test]
    fn a_demand_is_met_or_refused() {
        let tools = json!([
            {"type":"function","function":{"name":"get_weather"}},
            {"type":"custom","custom":{"name":"code"}}]);
        let read = |tools: &Value, choice: Value| {
            Call::read(
                json!({"messages":[user("hi")],"tools":tools,"tool_choice":choice})
                    .to_string()
                    .as_bytes(),
            )
        };
        let named = |name: &str| json!({"type":"function","function":{"name":name}});
        let allowed = |name: &str| json!({"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[named(name)]}});
        for choice in [
            json!("required"),
            named("get_weather"),
            allowed("get_weather"),
        ] {
            let call = read(&tools, choice).unwrap();
            assert_eq!(said(&answer(&call, "phi")), "get_weather({})");
        }
        for (tools, choice) in [
            (&tools, named("nope")),
            (&tools, allowed("nope")),
            (&json!([]), json!("required")),
            (
                &json!([{"type":"custom","custom":{"name":"code"}}]),
                json!("required"),
            ),
        ] {
            let refusal = read(tools, choice).unwrap_err();
            assert!(refusal.starts_with("`tool_choice` "), "{refusal}");
        }
    }

    #[test]
    fn a_tool_result_is_answered_in_words() {
        let answer = reply(&json!({
            "tools": [{"type":"function","function":{"name":"get_weather"}}],
            "messages": [user("get_weather in Paris"), {"role":"tool","content":"18 degrees"}]}));
        assert!(said(&answer).starts_with("The tool says: 18 degrees."));
    }
}

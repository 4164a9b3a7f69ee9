//! Generated expressions, compiled and run on the machine, and run by the crate `cel`: both say the same.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};

use cel_interpreter::{Context, Program, Value};
use proptest::prelude::*;
use waypost_compiler::{check, lower};
use waypost_policies::facts::{Caller, Message, Request, Tool, ToolCall};
use waypost_policies::limits::State;
use waypost_policies::plan::{Plan, encode};
use waypost_policies::{Evaluation, example, vm};

/// Turns random numbers into choices; when they run out, the first of each.
struct Choices {
    numbers: std::vec::IntoIter<u32>,
    /// Of the policy: it reads the caller, and not what is said.
    policy: bool,
}

/// The strings that macros around an expression name.
type Scope = &'static [&'static str];

const TOOL: Scope = &["t.name", "t.description"];
const MESSAGE: Scope = &["m.role", "m.content", "m.tool_call_id"];
const TOOL_CALL: Scope = &["c.name", "c.arguments", "m.content"];

impl Choices {
    fn of<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[self.below(u32::try_from(texts.len()).unwrap()) as usize]
    }

    fn below(&mut self, count: u32) -> u32 {
        self.numbers.next().unwrap_or(0) % count
    }

    fn condition(&mut self, depth: u32, scope: Scope) -> String {
        let compare = ["==", "!=", "<", "<=", ">", ">="];
        let kinds = if depth == 0 { 5 } else { 10 };
        match self.below(kinds) {
            0 => {
                let (left, right) = (self.int(depth), self.int(depth));
                format!("{left} {} {right}", self.of(&compare))
            }
            1 => {
                let (left, right) = (self.text(depth, scope), self.text(depth, scope));
                format!("{left} {} {right}", self.of(&compare))
            }
            2 => {
                let (text, part) = (self.text(depth, scope), self.text(0, scope));
                let function = self.of(&["contains", "startsWith", "endsWith"]);
                format!("({text}).{function}({part})")
            }
            3 => {
                let text = self.text(depth, scope);
                let members: Vec<String> = (0..self.below(3)).map(|_| self.literal()).collect();
                match self.below(4) {
                    0 => return self.of_map(&text),
                    1 => return self.of_made_list(&text, scope),
                    _ => {}
                }
                format!("{text} in [\"auto\", {}]", members.join(", ")).replace(", ]", "]")
            }
            4 => {
                let text = self.text(depth, scope);
                let patterns = [
                    "^a", "e_", "[0-9]$", "^$", "ö|🦀", "(?i)READ", "^.{2}$", "\\\\s",
                ];
                format!("({text}).matches(\"{}\")", self.of(&patterns))
            }
            5 => format!("!({})", self.condition(depth - 1, scope)),
            6 | 7 => {
                let (left, right) = (
                    self.condition(depth - 1, scope),
                    self.condition(depth - 1, scope),
                );
                format!("(({left}) {} ({right}))", self.of(&["&&", "||"]))
            }
            8 => {
                let condition = self.condition(depth - 1, scope);
                let (then, otherwise) = (
                    self.condition(depth - 1, scope),
                    self.condition(depth - 1, scope),
                );
                format!("(({condition}) ? ({then}) : ({otherwise}))")
            }
            _ => self.comprehension(depth, scope),
        }
    }

    /// A map written out: whether it has a key, and what it says of each.
    fn of_map(&mut self, text: &str) -> String {
        let map = format!("{{\"auto\": {}, \"b\": 2}}", self.int(0));
        match self.below(4) {
            0 => format!("({text}) in {map}"),
            1 => format!("{map}.exists(k, k == ({text}))"),
            2 => format!("{map} == {{\"b\": 2, \"auto\": {}}}", self.int(0)),
            _ => format!("{map}.all(k, size(k) < {})", self.int(0)),
        }
    }

    /// A list made on the way.
    fn of_made_list(&mut self, text: &str, scope: Scope) -> String {
        let other = self.text(0, scope);
        let list = format!("[{text}, {other}]");
        match self.below(3) {
            0 => format!("{list}.exists_one(e, e == {})", self.literal()),
            1 => format!(
                "{list}.map(e, e + \"!\") == [{}, {other} + \"!\"]",
                self.literal()
            ),
            _ => format!("size({list}.filter(e, e != {})) > 0", self.literal()),
        }
    }

    /// Over tools, over messages, or within those over their calls.
    fn comprehension(&mut self, depth: u32, scope: Scope) -> String {
        let (range, local, inner) = if self.policy {
            return self.condition(depth - 1, scope);
        } else if scope.is_empty() && self.below(2) == 0 {
            ("request.tools", "t", TOOL)
        } else if scope.is_empty() {
            ("request.messages", "m", MESSAGE)
        } else if scope == MESSAGE {
            ("m.tool_calls", "c", TOOL_CALL)
        } else {
            return self.condition(depth - 1, scope);
        };
        let body = self.condition(depth - 1, inner);
        match self.of(&["exists", "all", "exists_one", "filter", "map"]) {
            "filter" => format!("size({range}.filter({local}, {body})) > 0"),
            "map" => {
                let made = self.text(depth - 1, inner);
                format!("\"ok\" in {range}.map({local}, {made})")
            }
            name => format!("{range}.{name}({local}, {body})"),
        }
    }

    fn int(&mut self, depth: u32) -> String {
        let kinds = if depth == 0 { 2 } else { 7 };
        match self.below(kinds) {
            0 => self
                .of(&[
                    "request.tokens",
                    "request.turns",
                    "request.images",
                    "request.max_tokens",
                ])
                .to_owned(),
            1 => self.of(&["0", "1", "-1", "3", "1000", "24000"]).to_owned(),
            3 if !self.policy => self
                .of(&["size(request.tools)", "size(request.messages)"])
                .to_owned(),
            2 | 3 => format!("size({})", self.text(depth - 1, &[])),
            4 => {
                let (left, right) = (self.int(depth - 1), self.int(depth - 1));
                format!("({left} {} {right})", self.of(&["+", "-", "*"]))
            }
            5 => format!("({} {} 7)", self.int(depth - 1), self.of(&["/", "%"])),
            _ => {
                let condition = self.condition(depth - 1, &[]);
                format!(
                    "(({condition}) ? {} : {})",
                    self.int(depth - 1),
                    self.int(depth - 1)
                )
            }
        }
    }

    fn text(&mut self, depth: u32, scope: Scope) -> String {
        let kinds = if depth == 0 { 2 } else { 3 };
        match self.below(kinds) {
            0 if !scope.is_empty() => self.of(scope).to_owned(),
            0 if self.policy => self
                .of(&[
                    "caller.team",
                    "caller.plan",
                    "caller.agent",
                    "caller.key",
                    "caller.name",
                    "request.model",
                    "request.path",
                ])
                .to_owned(),
            0 => self
                .of(&[
                    "request.model",
                    "request.prompt",
                    "request.system",
                    "request.path",
                    "request.response_format",
                ])
                .to_owned(),
            1 => self.literal(),
            _ => format!(
                "({} + {})",
                self.text(depth - 1, scope),
                self.text(0, scope)
            ),
        }
    }

    fn literal(&mut self) -> String {
        let literals = [
            "\"\"",
            "\"auto\"",
            "\"a\"",
            "\"write_\"",
            "\"größer\"",
            "\"🦀\"",
            "\"/v1\"",
        ];
        self.of(&literals).to_owned()
    }
}

/// What the strings of a call are made from.
#[derive(Debug, Clone)]
struct Said {
    prompt: String,
    /// Role, content, and the calls of tools in it.
    messages: Vec<(String, String, Vec<String>)>,
    tools: Vec<String>,
    team: String,
    plan: String,
    tokens: u64,
    turns: u64,
}

impl Said {
    fn any() -> impl Strategy<Value = Self> {
        let text = "[a-z🦀ö ]{0,12}";
        let calls = prop::collection::vec("(read|write)_[a-c0-9]", 0..3);
        let message = ("(user|assistant|tool)", "(ok|[a-z🦀ö\n ]{0,6})", calls);
        (
            text,
            prop::collection::vec(message, 0..4),
            prop::collection::vec("(read|write)_[a-c]", 0..4),
            "(|auto|größer|[a-c]{1,3})",
            "(|a|free|pro)",
            0u64..40_000,
            0u64..9,
        )
            .prop_map(
                |(prompt, messages, tools, team, plan, tokens, turns)| Self {
                    prompt,
                    messages,
                    tools,
                    team,
                    plan,
                    tokens,
                    turns,
                },
            )
    }

    fn request(&self) -> Request<'_> {
        let mut request = example::request(&self.prompt);
        let tool = |name: &'_ String| offered(name);
        request.tools = self.tools.iter().map(tool).collect();
        let message = |(role, content, calls): &'_ (String, String, Vec<String>)| Message {
            role: Cow::Owned(role.clone()),
            content: Cow::Owned(content.clone()),
            tool_calls: calls.iter().map(|name| tool_call(name)).collect(),
            ..Message::default()
        };
        request.messages = self.messages.iter().map(message).collect();
        request.tokens = self.tokens;
        request.turns = self.turns;
        request
    }

    fn caller(&self) -> Caller<'_> {
        Caller {
            key: Cow::Borrowed("key-1"),
            team: Cow::Borrowed(&self.team),
            agent: Cow::Borrowed("reader"),
            plan: Cow::Borrowed(&self.plan),
            ..Caller::default()
        }
    }
}

fn offered(name: &str) -> Tool<'static> {
    Tool {
        name: Cow::Owned(name.to_owned()),
        description: Cow::Borrowed("does it"),
    }
}

fn tool_call(name: &str) -> ToolCall<'static> {
    ToolCall {
        name: Cow::Owned(name.to_owned()),
        arguments: Cow::Borrowed("{}"),
    }
}

/// What the machine says; `None` where the checker refuses the expression.
fn ours(expression: &str, policy: bool, said: &Said) -> Option<Result<bool, vm::Failure>> {
    let (content, rule) = match policy {
        true => (String::new(), format!("  deny \"x\" when {expression}\n")),
        false => (
            format!("  escalate to strong \"x\" when {expression}\n"),
            String::new(),
        ),
    };
    let file = format!(
        "waypost 1\n\
         pool a {{ endpoints \"http://a.test\"  engine vllm }}\n\
         model small {{ via pool a }}\n\
         model large {{ via pool a }}\n\
         tiers weak < strong\n\
         tier weak {{ try small }}\n\
         tier strong {{ try large }}\n\
         content {{\n  accept \"auto\"\n  start weak\n{content}}}\n\
         policy {{\n  callers {{ anonymous allow }}\n{rule}}}\n"
    );
    let checked = check("generated.route", &file, &|_: &str| None);
    let program = checked.program?;
    let draft = lower(&program, &checked.sources);
    let plan = Plan::load(encode(&draft)).expect("what the checker takes, the verifier takes");
    let when = match policy {
        true => plan.denial(0u16)?.when(),
        false => plan.content(0u16)?.escalations().get(0)?.when(),
    };
    let state = State::new(&plan, [1, 2]);
    let request = said.request();
    let mut facts = example::facts(&request);
    facts.caller = said.caller();
    let mut evaluation = Evaluation::default();
    let mut conditions = vm::Conditions::new(&plan, &facts, &mut evaluation);
    let (fast, by_code) = (conditions.holds(when), conditions.holds_by_code(when));
    drop(conditions);
    assert_eq!(fast, by_code, "{expression}: both forms mean the same");
    let holds = vm::holds(&plan, when, &facts, &state, &mut evaluation);
    assert_eq!(holds, by_code, "{expression}");
    Some(holds)
}

/// What the crate says; `None` where it fails.
fn theirs(expression: &str, said: &Said) -> Option<bool> {
    use serde_json::json;
    let program = Program::compile(expression).expect("the grammar is one");
    let mut context = Context::default();
    let (request, caller) = (said.request(), said.caller());
    let number = |number: u64| i64::try_from(number).unwrap();
    let tool = |tool: &Tool<'_>| json!({"name": tool.name, "description": tool.description});
    let call = |call: &ToolCall<'_>| json!({"name": call.name, "arguments": call.arguments});
    let message = |message: &Message<'_>| {
        let calls: Vec<_> = message.tool_calls.iter().map(call).collect();
        json!({
            "role": message.role, "content": message.content, "tool_calls": calls,
            "tool_call_id": message.tool_call_id,
        })
    };
    let tools: Vec<_> = request.tools.iter().map(tool).collect();
    let messages: Vec<_> = request.messages.iter().map(message).collect();
    let facts = json!({
        "model": request.model, "prompt": request.prompt, "path": request.path,
        "system": request.system, "response_format": request.response_format,
        "tokens": number(request.tokens), "turns": number(request.turns),
        "images": number(request.images), "messages": messages,
        "max_tokens": number(request.max_tokens.unwrap_or(0)), "tools": tools,
    });
    let who = json!({
        "key": caller.key, "team": caller.team, "agent": caller.agent, "plan": caller.plan,
        "name": caller.name,
    });
    for (name, value) in [("request", facts), ("caller", who)] {
        context
            .add_variable(name, integers(value))
            .expect("it is a map");
    }
    match program.execute(&context) {
        Ok(Value::Bool(value)) => Some(value),
        Ok(other) => panic!("{expression} is {other:?}"),
        Err(_) => None,
    }
}

/// As CEL has it: whole numbers are ints.
fn integers(json: serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match json {
        Json::Number(number) => Value::Int(number.as_i64().unwrap()),
        Json::String(text) => Value::String(text.into()),
        Json::Array(elements) => {
            let elements: Vec<Value> = elements.into_iter().map(integers).collect();
            Value::List(elements.into())
        }
        Json::Object(fields) => {
            let fields: std::collections::HashMap<String, Value> = fields
                .into_iter()
                .map(|(name, value)| (name, integers(value)))
                .collect();
            Value::Map(fields.into())
        }
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(value),
    }
}

static COMPARED: AtomicUsize = AtomicUsize::new(0);

fn agree(numbers: Vec<u32>, policy: bool, said: &Said) -> Result<(), TestCaseError> {
    let numbers = numbers.into_iter();
    let expression = Choices { numbers, policy }.condition(3, &[]);
    let Some(ours) = ours(&expression, policy, said) else {
        return Ok(());
    };
    COMPARED.fetch_add(1, Ordering::Relaxed);
    match theirs(&expression, said) {
        Some(value) => prop_assert_eq!(ours, Ok(value), "{}", expression),
        // The crate gives up where the other side of a connective would decide; CEL does not.
        None => prop_assert!(
            ours.is_err()
                || expression.contains("&&")
                || expression.contains("||")
                || ["(t,", "(m,", "(c,"]
                    .iter()
                    .any(|call| expression.contains(call)),
            "{} is {:?}",
            expression,
            ours
        ),
    }
    Ok(())
}

#[test]
fn the_machine_agrees_with_the_crate() {
    let numbers = prop::collection::vec(any::<u32>(), 4..60);
    let strategy = (numbers, any::<bool>(), Said::any());
    let mut runner = proptest::test_runner::TestRunner::default();
    runner
        .run(&strategy, |(numbers, policy, said)| {
            agree(numbers, policy, &said)
        })
        .unwrap();
    let compared = COMPARED.load(Ordering::Relaxed);
    assert!(
        compared > 128,
        "only {compared} of 256 were expressions of ours"
    );
}

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
use waypost_policies::facts::{Request, Tool};
use waypost_policies::limits::State;
use waypost_policies::plan::{Plan, encode};
use waypost_policies::{Evaluation, example, vm};

/// Turns random numbers into choices; when they run out, the first of each.
struct Choices(std::vec::IntoIter<u32>);

impl Choices {
    fn of<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[self.0.next().unwrap_or(0) as usize % texts.len()]
    }

    fn below(&mut self, count: u32) -> u32 {
        self.0.next().unwrap_or(0) % count
    }

    /// A condition; `local` is the tool that a macro around it names.
    fn condition(&mut self, depth: u32, local: bool) -> String {
        let compare = ["==", "!=", "<", "<=", ">", ">="];
        let kinds = if depth == 0 { 4 } else { 9 };
        match self.below(kinds) {
            0 => {
                let (left, right) = (self.int(depth), self.int(depth));
                format!("{left} {} {right}", self.of(&compare))
            }
            1 => {
                let (left, right) = (self.text(depth, local), self.text(depth, local));
                format!("{left} {} {right}", self.of(&compare))
            }
            2 => {
                let (text, part) = (self.text(depth, local), self.text(0, local));
                let function = self.of(&["contains", "startsWith", "endsWith"]);
                format!("({text}).{function}({part})")
            }
            3 => {
                let text = self.text(depth, local);
                let members: Vec<String> = (0..self.below(3)).map(|_| self.literal()).collect();
                format!("{text} in [\"auto\", {}]", members.join(", ")).replace(", ]", "]")
            }
            4 => format!("!({})", self.condition(depth - 1, local)),
            5 | 6 => {
                let (left, right) = (
                    self.condition(depth - 1, local),
                    self.condition(depth - 1, local),
                );
                format!("(({left}) {} ({right}))", self.of(&["&&", "||"]))
            }
            7 => {
                let condition = self.condition(depth - 1, local);
                let (then, otherwise) = (
                    self.condition(depth - 1, local),
                    self.condition(depth - 1, local),
                );
                format!("(({condition}) ? ({then}) : ({otherwise}))")
            }
            _ if local => self.condition(depth - 1, local),
            _ => {
                let body = self.condition(depth - 1, true);
                match self.of(&["exists", "all", "exists_one", "filter"]) {
                    "filter" => format!("size(request.tools.filter(t, {body})) > 0"),
                    name => format!("request.tools.{name}(t, {body})"),
                }
            }
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
            2 => format!("size({})", self.text(depth - 1, false)),
            3 => "size(request.tools)".to_owned(),
            4 => {
                let (left, right) = (self.int(depth - 1), self.int(depth - 1));
                format!("({left} {} {right})", self.of(&["+", "-", "*"]))
            }
            5 => format!("({} {} 7)", self.int(depth - 1), self.of(&["/", "%"])),
            _ => {
                let condition = self.condition(depth - 1, false);
                format!(
                    "(({condition}) ? {} : {})",
                    self.int(depth - 1),
                    self.int(depth - 1)
                )
            }
        }
    }

    fn text(&mut self, depth: u32, local: bool) -> String {
        let kinds = if depth == 0 { 2 } else { 3 };
        match self.below(kinds) {
            0 if local => "t.name".to_owned(),
            0 => self
                .of(&[
                    "request.model",
                    "request.prompt",
                    "request.path",
                    "request.response_format",
                ])
                .to_owned(),
            1 => self.literal(),
            _ => format!(
                "({} + {})",
                self.text(depth - 1, local),
                self.text(0, local)
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

fn request<'a>(prompt: &'a str, tools: &'a [String], tokens: u64, turns: u64) -> Request<'a> {
    let mut request = example::request(prompt);
    let tool = |name: &'a String| Tool {
        name: Cow::Borrowed(name),
        description: Cow::Borrowed(""),
    };
    request.tools = tools.iter().map(tool).collect();
    request.tokens = tokens;
    request.turns = turns;
    request
}

/// What the machine says; `None` where the checker refuses the expression.
fn ours(expression: &str, request: &Request<'_>) -> Option<Result<bool, vm::Failure>> {
    let file = format!(
        "waypost 1\n\
         pool a {{ endpoints \"http://a.test\"  engine vllm }}\n\
         model small {{ via pool a }}\n\
         model large {{ via pool a }}\n\
         tiers weak < strong\n\
         tier weak {{ try small }}\n\
         tier strong {{ try large }}\n\
         content {{\n  accept \"auto\"\n  start weak\n  escalate to strong \"x\" when {expression}\n}}\n\
         policy {{ callers {{ anonymous allow }} }}\n"
    );
    let checked = check("generated.route", &file, &|_: &str| None);
    let program = checked.program?;
    let draft = lower(&program, &checked.sources);
    let plan = Plan::load(encode(&draft)).expect("what the checker takes, the verifier takes");
    let when = plan.content(0u16)?.escalations().get(0)?.when();
    let state = State::new(&plan, [1, 2]);
    let facts = example::facts(request);
    Some(vm::holds(
        &plan,
        when,
        &facts,
        &state,
        &mut Evaluation::default(),
    ))
}

/// What the crate says; `None` where it fails.
fn theirs(expression: &str, request: &Request<'_>) -> Option<bool> {
    let program = Program::compile(expression).expect("the grammar is one");
    let mut context = Context::default();
    let number = |number: u64| i64::try_from(number).unwrap();
    let tools: Vec<_> = request
        .tools
        .iter()
        .map(|tool| serde_json::json!({"name": tool.name, "description": tool.description}))
        .collect();
    let facts = serde_json::json!({
        "model": request.model, "prompt": request.prompt, "path": request.path,
        "response_format": request.response_format, "tokens": number(request.tokens),
        "turns": number(request.turns), "images": number(request.images),
        "max_tokens": number(request.max_tokens.unwrap_or(0)), "tools": tools,
    });
    context
        .add_variable("request", integers(facts))
        .expect("it is a map");
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

fn agree(choices: Vec<u32>, request: &Request<'_>) -> Result<(), TestCaseError> {
    let expression = Choices(choices.into_iter()).condition(3, false);
    let Some(ours) = ours(&expression, request) else {
        return Ok(());
    };
    COMPARED.fetch_add(1, Ordering::Relaxed);
    match theirs(&expression, request) {
        Some(value) => prop_assert_eq!(ours, Ok(value), "{}", expression),
        // The crate gives up where the other side of a connective would decide; CEL does not.
        None => prop_assert!(
            ours.is_err()
                || expression.contains("&&")
                || expression.contains("||")
                || expression.contains("(t,"),
            "{} is {:?}",
            expression,
            ours
        ),
    }
    Ok(())
}

#[test]
fn the_machine_agrees_with_the_crate() {
    let strategy = (
        prop::collection::vec(any::<u32>(), 4..60),
        "[a-z🦀ä ]{0,12}",
        prop::collection::vec("(read|write)_[a-c]", 0..4),
        0u64..40_000,
        0u64..9,
    );
    let mut runner = proptest::test_runner::TestRunner::default();
    runner
        .run(&strategy, |(choices, prompt, tools, tokens, turns)| {
            agree(choices, &request(&prompt, &tools, tokens, turns))
        })
        .unwrap();
    let compared = COMPARED.load(Ordering::Relaxed);
    assert!(
        compared > 128,
        "only {compared} of 256 were expressions of ours"
    );
}

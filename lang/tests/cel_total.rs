//! What the checker accepts never fails: random expressions, evaluated on random calls by a second, naive reading of
//! the checked form that knows no guards and fails wherever CEL would.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

use waypost_lang::FileId;
use waypost_lang::cel::typed::{
    Comprehension, Constant, Field, Function, Member, Section, Typed, TypedKind,
};
use waypost_lang::cel::{Expected, Extent, Scope, check, parse};

/// A small generator of random numbers, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }

    fn pick<'a>(&mut self, items: &[&'a str]) -> &'a str {
        items[self.below(items.len() as u64) as usize]
    }
}

const MAPS: &[&str] = &["request.headers", "request.metadata"];
const KEYS: &[&str] = &["a", "b"];
const DIVISORS: &[&str] = &["request.turns", "size(request.tools)", "request.images"];

fn condition(random: &mut Random, depth: u32) -> String {
    let (map, key) = (random.pick(MAPS), random.pick(KEYS));
    if depth == 0 {
        return match random.below(10) {
            6 => format!("{} != 0", random.pick(DIVISORS)),
            7 => format!("{} > 0", random.pick(DIVISORS)),
            8 => format!("size(request.tools) > {}", random.below(2)),
            9 => format!("request.tools[?{}].hasValue()", random.below(2)),
            0 => "request.stream".to_owned(),
            1 => format!("\"{key}\" in {map}"),
            2 => format!("has({map}.{key})"),
            3 => format!("{map}[?\"{key}\"].hasValue()"),
            4 => "has(request.temperature)".to_owned(),
            _ => format!("{map}[?\"{key}\"] != optional.none()"),
        };
    }
    let depth = depth - 1;
    match random.below(13) {
        0 | 1 => format!(
            "({} && {})",
            condition(random, depth),
            condition(random, depth)
        ),
        2 | 3 => format!(
            "({} || {})",
            condition(random, depth),
            condition(random, depth)
        ),
        4 => format!("!{}", condition(random, depth)),
        5 => format!(
            "({} ? {} : {})",
            condition(random, depth),
            condition(random, depth),
            condition(random, depth)
        ),
        6 => format!("({} == {})", text(random, depth), text(random, depth)),
        7 => format!("({} > {})", number(random, depth), number(random, depth)),
        8 => "(request.temperature > 0.5)".to_owned(),
        9 => format!(
            "request.tools.exists(t, t.name == {} || {})",
            text(random, depth),
            condition(random, depth)
        ),
        11 => format!(
            "cel.bind(v, {}, v != 0 && request.tokens / v > 2 || {})",
            number(random, depth),
            condition(random, depth)
        ),
        10 => format!(
            "cel.bind(v, {}, v || {})",
            condition(random, depth),
            condition(random, depth)
        ),
        _ => condition(random, 0),
    }
}

fn text(random: &mut Random, depth: u32) -> String {
    let (map, key) = (random.pick(MAPS), random.pick(KEYS));
    if depth == 0 {
        return match random.below(8) {
            6 => format!("request.tools[{}].name", random.below(2)),
            7 => format!("request.tools[?{}].name.orValue(\"z\")", random.below(2)),
            0 => "request.model".to_owned(),
            1 => "\"x\"".to_owned(),
            2 => format!("{map}[?\"{key}\"].value()"),
            3 => format!("{map}.{key}"),
            _ => format!("{map}[\"{key}\"]"),
        };
    }
    let depth = depth - 1;
    match random.below(5) {
        0 => format!("({} + {})", text(random, depth), text(random, depth)),
        1 => format!(
            "({} ? {} : {})",
            condition(random, depth),
            text(random, depth),
            text(random, depth)
        ),
        2 => format!("{map}[?\"{key}\"].orValue({})", text(random, depth)),
        3 => format!(
            "{map}[?\"{key}\"].optMap(o, o + {}).orValue(\"y\")",
            text(random, depth)
        ),
        _ => text(random, 0),
    }
}

fn number(random: &mut Random, depth: u32) -> String {
    match random.below(if depth == 0 { 4 } else { 8 }) {
        0 => "request.tokens".to_owned(),
        1 => "3".to_owned(),
        2 => random.pick(DIVISORS).to_owned(),
        3 => format!("(10 / {})", random.pick(DIVISORS)),
        4 => format!("size({})", text(random, depth - 1)),
        5 => format!(
            "({} + {})",
            number(random, depth - 1),
            number(random, depth - 1)
        ),
        6 => format!(
            "({} / {})",
            number(random, depth - 1),
            number(random, depth - 1)
        ),
        _ => format!(
            "({} ? {} : [1, 2][{}])",
            condition(random, depth - 1),
            number(random, depth - 1),
            number(random, depth - 1)
        ),
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Value {
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(String),
    Optional(Option<Box<Value>>),
    List(Vec<Value>),
}

/// A call: what it sent.
struct Facts {
    sent: Vec<(Field, &'static str)>,
    temperature: Option<f64>,
    turns: i64,
    images: i64,
    stream: bool,
    tools: Vec<Value>,
    locals: Vec<Value>,
}

impl Facts {
    fn random(random: &mut Random) -> Self {
        let mut sent = Vec::new();
        for map in [Field::RequestHeaders, Field::RequestMetadata] {
            sent.extend(
                KEYS.iter()
                    .filter(|_| random.below(2) == 0)
                    .map(|key| (map, *key)),
            );
        }
        Self {
            sent,
            temperature: (random.below(2) == 0).then_some(0.7),
            turns: random.below(3) as i64,
            images: random.below(2) as i64,
            stream: random.below(2) == 0,
            tools: (0..random.below(3))
                .map(|at| Value::Text(format!("t{at}")))
                .collect(),
            locals: Vec::new(),
        }
    }

    fn has(&self, field: Field, key: &str) -> bool {
        self.sent
            .iter()
            .any(|(map, sent)| *map == field && *sent == key)
    }

    fn evaluate(&mut self, typed: &Typed) -> Value {
        match &typed.kind {
            TypedKind::Constant(constant) => value_of(constant),
            TypedKind::Field(Field::RequestModel) => Value::Text("m".to_owned()),
            TypedKind::Field(Field::RequestTokens) => Value::Int(0),
            TypedKind::Field(Field::RequestTurns) => Value::Int(self.turns),
            TypedKind::Field(Field::RequestImages) => Value::Int(self.images),
            TypedKind::Bind { local, value, body } => {
                assert_eq!(usize::from(*local), self.locals.len());
                let value = self.evaluate(value);
                self.locals.push(value);
                let result = self.evaluate(body);
                self.locals.pop();
                result
            }
            TypedKind::Field(Field::RequestStream) => Value::Bool(self.stream),
            TypedKind::Field(Field::RequestTools) => Value::List(self.tools.clone()),
            TypedKind::Field(Field::RequestTemperature) => {
                Value::Optional(self.temperature.map(|value| Box::new(Value::Double(value))))
            }
            TypedKind::Local(number) => self.locals[usize::from(*number)].clone(),
            // A tool of these calls is only its name.
            TypedKind::Member(record, Member::ToolName) => self.evaluate(record),
            TypedKind::Lookup(field, key) => {
                let value = self
                    .has(*field, key)
                    .then(|| Box::new(Value::Text(format!("v{key}"))));
                Value::Optional(value)
            }
            TypedKind::HasKey(field, key) => Value::Bool(self.has(*field, key)),
            TypedKind::And(left, right) => Value::Bool(self.truth(left) && self.truth(right)),
            TypedKind::Or(left, right) => Value::Bool(self.truth(left) || self.truth(right)),
            TypedKind::Conditional(test, then, otherwise) => {
                let branch = if self.truth(test) { then } else { otherwise };
                self.evaluate(branch)
            }
            TypedKind::Comprehension {
                kind: Comprehension::Exists,
                range,
                local,
                body,
                ..
            } => {
                assert_eq!(usize::from(*local), self.locals.len());
                let Value::List(elements) = self.evaluate(range) else {
                    panic!("no list")
                };
                let mut exists = false;
                for element in elements {
                    self.locals.push(element);
                    exists |= self.truth(body);
                    self.locals.pop();
                }
                Value::Bool(exists)
            }
            TypedKind::Call(function, arguments) => {
                let arguments = arguments
                    .iter()
                    .map(|argument| self.evaluate(argument))
                    .collect();
                call(*function, arguments)
            }
            other => panic!("not generated: {other:?}"),
        }
    }

    fn truth(&mut self, typed: &Typed) -> bool {
        match self.evaluate(typed) {
            Value::Bool(value) => value,
            other => panic!("no bool: {other:?}"),
        }
    }
}

fn value_of(constant: &Constant) -> Value {
    match constant {
        Constant::Bool(value) => Value::Bool(*value),
        Constant::Int(value) => Value::Int(*value),
        Constant::Double(value) => Value::Double(*value),
        Constant::String(text) => Value::Text(text.clone()),
        Constant::Absent => Value::Optional(None),
        Constant::List(elements) => Value::List(elements.iter().map(value_of).collect()),
        other => panic!("not generated: {other:?}"),
    }
}

fn call(function: Function, arguments: Vec<Value>) -> Value {
    match (function, arguments.as_slice()) {
        (Function::Not, [Value::Bool(value)]) => Value::Bool(!value),
        (Function::Equal, [left, right]) => Value::Bool(left == right),
        (Function::NotEqual, [left, right]) => Value::Bool(left != right),
        (Function::Greater, [Value::Int(left), Value::Int(right)]) => Value::Bool(left > right),
        (Function::Greater, [Value::Double(left), Value::Double(right)]) => {
            Value::Bool(left > right)
        }
        (Function::Add, [Value::Int(left), Value::Int(right)]) => Value::Int(left + right),
        (Function::Add, [Value::Text(left), Value::Text(right)]) => {
            Value::Text(format!("{left}{right}"))
        }
        (Function::Divide, [Value::Int(left), Value::Int(right)]) => Value::Int(left / right),
        (Function::Size, [Value::List(elements)]) => Value::Int(elements.len() as i64),
        (Function::OptionalIndex, [Value::List(elements), Value::Int(at)]) => {
            Value::Optional(elements.get(*at as usize).cloned().map(Box::new))
        }
        (Function::Size, [Value::Text(text)]) => Value::Int(text.len() as i64),
        (Function::HasValue, [Value::Optional(value)]) => Value::Bool(value.is_some()),
        (Function::OrValue, [Value::Optional(value), other]) => {
            value.as_deref().unwrap_or(other).clone()
        }
        (Function::OptionalOf, [value]) => Value::Optional(Some(Box::new(value.clone()))),
        (Function::Value, [Value::Optional(value)]) => *value.clone().expect("a value"),
        other => panic!("no such overload: {other:?}"),
    }
}

#[test]
fn accepted_expressions_never_fail() {
    let scope = Scope::of(Section::Content);
    let mut random = Random(0x5eed_7e57);
    let (mut accepted, mut guarded) = (0, 0);
    for _ in 0..12_000 {
        let source = condition(&mut random, 4);
        let parsed = parse(FileId(0), &source, 0, Extent::Statement);
        assert_eq!(parsed.diagnostics, [], "{source}");
        let mut diagnostics = Vec::new();
        let Some(typed) = check(&parsed.expr, &scope, Expected::Bool, &mut diagnostics) else {
            assert_ne!(diagnostics, [], "{source}");
            continue;
        };
        accepted += 1;
        let mut has_value = false;
        typed.visit(&mut |typed| {
            has_value |= matches!(typed.kind, TypedKind::Call(Function::Value, _))
        });
        guarded += u32::from(has_value);
        for _ in 0..16 {
            let mut facts = Facts::random(&mut random);
            let outcome =
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| facts.evaluate(&typed)));
            assert!(
                outcome.is_ok(),
                "{source} fails on {:?}, {:?}, {}, {}, {:?}",
                facts.sent,
                facts.temperature,
                facts.turns,
                facts.images,
                facts.tools
            );
        }
    }
    println!("{accepted} accepted, {guarded} of them read a value behind a guard");
    assert!(accepted > 1200 && guarded > 120, "{accepted} {guarded}");
}

//! What a search may vary of a request, and the values worth trying: those at the borders of what conditions compare with.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Value, json};
use waypost_lang::cel::typed::{Constant, Field, Typed, TypedKind};

use super::moments::Moments;
use super::prompts;

/// A part of a request that may be varied by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Slot {
    /// The model that it asks for.
    Model,
    Path,
    Prompt,
    System,
    /// Messages before the last.
    Messages,
    Tools,
    /// The prompt's size; a text of that size is made.
    Tokens,
    MaxTokens,
    Turns,
    Images,
    Stream,
    Temperature,
    ResponseFormat,
    Header(String),
    Metadata(String),
    Caller(&'static str),
    Claim(String),
    /// The time of the call.
    Now,
    /// Where it comes from.
    Address,
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Model => "request.model",
            Self::Path => "request.path",
            Self::Prompt => "request.prompt",
            Self::System => "request.system",
            Self::Messages => "request.messages",
            Self::Tools => "request.tools",
            Self::Tokens => "request.tokens",
            Self::MaxTokens => "request.max_tokens",
            Self::Turns => "request.turns",
            Self::Images => "request.images",
            Self::Stream => "request.stream",
            Self::Temperature => "request.temperature",
            Self::ResponseFormat => "request.response_format",
            Self::Header(name) => return write!(f, "the header {name}"),
            Self::Metadata(name) => return write!(f, "request.metadata.{name}"),
            Self::Caller(name) => return write!(f, "caller.{name}"),
            Self::Claim(name) => return write!(f, "caller.claims.{name}"),
            Self::Now => "now",
            Self::Address => "source.ip",
        })
    }
}

/// The slots that conditions read, each with the values to try beside "absent".
pub(super) type Slots = BTreeMap<Slot, Vec<Value>>;

/// The longest prompt that is tried, in tokens.
const LONGEST: i64 = 150_000;
/// The most tools, images or turns.
const MOST: i64 = 60;

/// Collects constants and what they are compared with.
#[derive(Debug, Default)]
struct Constants {
    texts: BTreeSet<String>,
    whole: BTreeSet<i64>,
    /// Doubles by their bits, so that they can be a set.
    fractions: BTreeSet<u64>,
}

impl Constants {
    fn add(&mut self, constant: &Constant) {
        match constant {
            Constant::String(text) => drop(self.texts.insert(text.clone())),
            Constant::Int(number) => drop(self.whole.insert(*number)),
            Constant::Uint(number) => {
                self.whole
                    .insert(i64::try_from(*number).unwrap_or(i64::MAX));
            }
            Constant::Double(number) => {
                self.fractions.insert(number.to_bits());
            }
            Constant::List(items) => items.iter().for_each(|item| self.add(item)),
            _ => {}
        }
    }

    /// Each text, with more before and after, and another.
    fn strings(&self) -> Vec<Value> {
        let around = |text: &String| {
            let upper = text.to_uppercase();
            let others = (upper != *text).then_some(upper);
            [text.clone(), format!("{text}x"), format!("x{text}")]
                .into_iter()
                .chain(others)
        };
        let near = self.texts.iter().flat_map(around);
        near.chain(["x".to_owned()]).map(Value::from).collect()
    }

    /// The first words of each pattern: `write` of `(?i)(^|_)(write|send)(_|$)`.
    fn words(&self) -> impl Iterator<Item = &str> {
        let patterns = self
            .texts
            .iter()
            .filter(|text| text.contains(['(', '|', '[', '^', '$']));
        patterns.flat_map(|text| {
            let words = text.split(|one: char| !one.is_ascii_alphabetic());
            words.filter(|word| word.len() > 2).take(4)
        })
    }

    /// Each number with its neighbours, from `least` to `most`.
    fn numbers(&self, least: i64, most: i64) -> Vec<Value> {
        let fractions = self.fractions.iter().map(|bits| f64::from_bits(*bits));
        let rounded = fractions.filter(|number| number.abs() < 1e9).map(|number| {
            // Within the range that the filter leaves.
            #[allow(clippy::cast_possible_truncation, reason = "filtered above")]
            let whole = number.floor() as i64;
            whole
        });
        let mut all: BTreeSet<i64> = BTreeSet::new();
        for number in self.whole.iter().copied().chain(rounded) {
            all.extend((-1..=2).map(|step| number.saturating_add(step)));
        }
        let wanted = all.into_iter().filter(|one| (least..=most).contains(one));
        wanted.map(Value::from).collect()
    }

    fn decimals(&self) -> Vec<Value> {
        let near = |number: f64| [number - 0.1, number, number + 0.1];
        let whole = self.whole.iter().map(|number| *number as f64);
        let fractions = self.fractions.iter().map(|bits| f64::from_bits(*bits));
        let all = whole.chain(fractions).flat_map(near);
        all.filter(|number| (0.0..=2.0).contains(number))
            .map(|number| json!((number * 1000.0).round() / 1000.0))
            .collect()
    }
}

/// The slots of these conditions; `thresholds` are what the files hold difficulties against.
pub(super) fn slots<'a>(
    conditions: impl IntoIterator<Item = &'a Typed>,
    thresholds: &[f64],
) -> Slots {
    let (mut constants, mut fields) = (Constants::default(), BTreeSet::new());
    let mut moments = Moments::default();
    let mut keys = BTreeSet::new();
    for condition in conditions {
        fields.extend(condition.fields());
        let read = condition.map_keys().into_iter();
        keys.extend(read.map(|(field, key)| (field, key.to_owned())));
        moments.add(condition);
        condition.visit(&mut |typed| {
            if let TypedKind::Constant(constant) = &typed.kind {
                constants.add(constant);
            }
        });
    }
    let mut slots = Slots::new();
    for field in fields {
        let found = match field {
            Field::Now => Some((Slot::Now, moments.times())),
            Field::SourceIp => Some((Slot::Address, moments.addresses())),
            Field::Difficulty | Field::Threshold => {
                let fractions = constants.fractions.iter().map(|bits| f64::from_bits(*bits));
                let prompts = prompts::around(fractions.chain(thresholds.iter().copied()));
                let prompts = prompts.into_iter().map(Value::from);
                Some((Slot::Prompt, prompts.collect()))
            }
            _ => of_field(field, &constants),
        };
        if let Some((slot, values)) = found {
            slots.entry(slot).or_default().extend(values);
        }
    }
    for (field, key) in keys {
        let slot = match field {
            Field::RequestHeaders => Slot::Header(key),
            Field::RequestMetadata => Slot::Metadata(key),
            Field::CallerClaims => Slot::Claim(key),
            _ => continue,
        };
        let mut values = constants.strings();
        if let Slot::Claim(_) = slot {
            values.extend([json!(true), json!(false)]);
            values.extend(constants.numbers(i64::MIN, i64::MAX));
            values.extend(constants.texts.iter().map(|text| json!([text])));
        }
        slots.insert(slot, values);
    }
    for values in slots.values_mut() {
        let mut seen = BTreeSet::new();
        values.retain(|value| seen.insert(value.to_string()));
    }
    slots
}

fn of_field(field: Field, constants: &Constants) -> Option<(Slot, Vec<Value>)> {
    Some(match field {
        Field::RequestPath => {
            let paths = ["/v1/completions", "/v1/embeddings"];
            (Slot::Path, paths.map(Value::from).into())
        }
        Field::RequestPrompt => (Slot::Prompt, constants.strings()),
        Field::RequestSystem => (Slot::System, constants.strings()),
        Field::RequestMessages => (Slot::Messages, messages(constants)),
        Field::RequestTools => (Slot::Tools, tools(constants)),
        Field::RequestTokens => (Slot::Tokens, constants.numbers(8, LONGEST)),
        Field::CostEstimate | Field::CostCeiling => (
            Slot::MaxTokens,
            [1, 100, 4_000, 100_000].map(Value::from).into(),
        ),
        Field::RequestMaxTokens => (Slot::MaxTokens, constants.numbers(1, 1 << 31)),
        Field::RequestTurns => (Slot::Turns, constants.numbers(1, MOST)),
        Field::RequestImages => (Slot::Images, constants.numbers(1, MOST)),
        Field::RequestStream => (Slot::Stream, vec![json!(true)]),
        Field::RequestTemperature => (Slot::Temperature, constants.decimals()),
        Field::RequestResponseFormat => (Slot::ResponseFormat, constants.strings()),
        Field::CallerKey => (Slot::Caller("key"), constants.strings()),
        Field::CallerTeam => (Slot::Caller("team"), constants.strings()),
        Field::CallerAgent => (Slot::Caller("agent"), constants.strings()),
        Field::CallerPlan => (Slot::Caller("plan"), constants.strings()),
        Field::CallerName => (Slot::Caller("name"), constants.strings()),
        _ => return None,
    })
}

fn tools(constants: &Constants) -> Vec<Value> {
    let named = |name: &str, description: &str| json!({ "type": "function", "function": { "name": name, "description": description } });
    let names = constants.strings();
    let names = names.iter().filter_map(Value::as_str);
    let names: Vec<&str> = names.chain(constants.words()).collect();
    let one = names.iter().map(|name| json!([named(name, "")]));
    let described = constants.texts.iter().map(|text| json!([named("t", text)]));
    let counts = constants.numbers(1, MOST);
    let several = counts.iter().filter_map(Value::as_u64).map(|count| {
        let tools = (0..count).map(|number| named(&format!("t{number}"), ""));
        Value::Array(tools.collect())
    });
    one.chain(described).chain(several).collect()
}

fn messages(constants: &Constants) -> Vec<Value> {
    let said = |role: &str, content: &str| json!({ "role": role, "content": content });
    let calls = |name: &str| {
        json!({ "role": "assistant", "content": null, "tool_calls": [
            { "id": "c", "type": "function", "function": { "name": name, "arguments": "{}" } }
        ]})
    };
    let texts = constants.strings();
    let texts = texts.iter().filter_map(Value::as_str);
    let mut all: Vec<Value> = texts
        .flat_map(|text| {
            [
                json!([said("user", text)]),
                json!([said("assistant", text)]),
                json!([calls(text)]),
                json!([{ "role": "tool", "tool_call_id": "c", "content": text }]),
            ]
        })
        .collect();
    let counts = constants.numbers(1, MOST);
    all.extend(
        counts
            .iter()
            .filter_map(Value::as_u64)
            .map(|count| Value::Array((0..count).map(|_| said("user", "go on")).collect())),
    );
    all
}

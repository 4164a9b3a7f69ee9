//! The call that a test gives: a body, headers, a caller, a clock, money already spent.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use waypost_lang::syntax::tree::{self, Given, Text};
use waypost_policies::decide::quota_key;
use waypost_policies::facts::Surface;
use waypost_policies::limits::State;
use waypost_policies::plan::draft::ModelIndex;
use waypost_policies::plan::view::{AcceptTarget, Amount};
use waypost_policies::{Caller, Evaluation, Facts, Plan, Request};

use crate::Program;

const PATH: &str = "/v1/chat/completions";
/// 2026-01-15T12:00:00Z, a Thursday: far from the ends of days, weeks and months.
const NOON: i64 = 1_768_478_400_000_000_000;

/// A test's call.
#[derive(Debug)]
pub(super) struct Call<'a> {
    given: &'a [Given],
    body: Vec<u8>,
    headers: Vec<(String, &'a str)>,
}

impl<'a> Call<'a> {
    /// The call of `given`; it asks for the first name that content accepts where it does not say.
    pub(super) fn new(given: &'a [Given], plan: &Plan) -> Self {
        let headers = given.iter().filter_map(|fact| match fact {
            Given::Header(name, value) => Some((name.value.to_lowercase(), value.value.as_str())),
            _ => None,
        });
        Self {
            given,
            body: body(given, plan).to_string().into_bytes(),
            headers: headers.collect(),
        }
    }

    /// Reads the call as the runtime does; sizes that the test gives stand instead of estimates.
    pub(super) fn request<'c>(&'c self, plan: &Plan) -> Result<Request<'c>, String> {
        let header = |wanted: &str| {
            let mut headers = self.headers.iter();
            headers
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| *value)
        };
        let mut request = Request::read(plan.needs(), Surface::Chat, PATH, &header, &self.body)
            .map_err(|error| format!("the call that is given cannot be read: {error}"))?;
        for fact in self.given {
            match fact {
                Given::Count(field, count) if field.value == "tokens" => {
                    request.tokens = count.value;
                    request.largest_prompt = count.value;
                }
                Given::Count(field, count) if field.value == "turns" => {
                    request.turns = count.value;
                }
                Given::Count(field, count) if field.value == "images" => {
                    request.images = count.value;
                }
                _ => {}
            }
        }
        Ok(request)
    }

    /// Everything that the decision reads.
    pub(super) fn facts<'c>(&'c self, request: &'c Request<'c>, plan: &Plan) -> Facts<'c> {
        let mut caller = Caller {
            claims: vec![None; plan.needs().claims.len()],
            ..Caller::default()
        };
        let (mut now, mut difficulty) = (NOON, None);
        for fact in self.given {
            match fact {
                Given::Caller(field, value) => {
                    if let Some(slot) = caller_field(&mut caller, &field.value) {
                        *slot = Cow::Borrowed(&value.value);
                    }
                }
                Given::Difficulty(value) => difficulty = Some(value.value),
                Given::Now(text) => {
                    let time = text.value.parse::<Timestamp>();
                    let time = time.map(Timestamp::as_nanosecond);
                    now = time.map_or(NOON, |time| i64::try_from(time).unwrap_or(NOON));
                }
                _ => {}
            }
        }
        Facts {
            request,
            caller,
            source_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            now,
            difficulty,
        }
    }

    /// Counts what the test says is spent, in every limit and budget that would have counted it.
    pub(super) fn spend(
        &self,
        program: &Program,
        plan: &Plan,
        facts: &Facts<'_>,
        state: &State,
        evaluation: &mut Evaluation,
    ) {
        for fact in self.given {
            let Given::Spent(spent, on) = fact else {
                continue;
            };
            let model = on.as_ref().and_then(|name| model(program, &name.value));
            for (index, quota) in (0_u16..).zip(plan.quotas()) {
                let counts = match (quota.on(), model) {
                    (None, _) | (_, None) => true,
                    (Some(counted), Some(spent)) => counted == spent,
                };
                if counts && is_of(spent.value, quota.amount()) {
                    let key = quota_key(plan, facts, state, evaluation, index);
                    state.add(index, key, spent.value.units(), facts.now);
                }
            }
        }
    }
}

/// Whether a quota counts what was spent: dollars, tokens, calls.
const fn is_of(spent: tree::Amount, counted: Amount) -> bool {
    matches!(
        (spent, counted),
        (tree::Amount::Money(_), Amount::Money(_))
            | (tree::Amount::Tokens(_), Amount::Tokens(_))
            | (tree::Amount::Requests(_), Amount::Requests(_))
            | (tree::Amount::Repeats(_), Amount::Repeats(_))
            | (tree::Amount::Concurrent(_), Amount::Concurrent(_))
    )
}

fn caller_field<'c, 'a>(caller: &'c mut Caller<'a>, name: &str) -> Option<&'c mut Cow<'a, str>> {
    Some(match name {
        "key" => &mut caller.key,
        "team" => &mut caller.team,
        "agent" => &mut caller.agent,
        "plan" => &mut caller.plan,
        "name" => &mut caller.name,
        _ => return None,
    })
}

/// The model that a name of `on` stands for: itself, or the first that a tier tries.
fn model(program: &Program, name: &str) -> Option<ModelIndex> {
    let mut tiers = program.tiers.iter();
    let home = tiers
        .find(|tier| tier.name.value == name)
        .and_then(crate::program::Tier::home);
    let mut models = program.models.iter();
    let index = home.or_else(|| models.position(|model| model.name.value == name))?;
    ModelIndex::try_from(index).ok()
}

fn body(given: &[Given], plan: &Plan) -> Value {
    let mut body = Map::new();
    let mut set = |key: &str, value: Value| body.insert(key.to_owned(), value);
    set("model", json!(model_name(plan)));
    let (mut system, mut prompt) = (None, "");
    let mut metadata = Map::new();
    for fact in given {
        match fact {
            Given::Prompt(text) => prompt = &text.value,
            Given::System(text) => system = Some(&text.value),
            Given::Model(text) => drop(set("model", json!(text.value))),
            Given::Tools(names) => {
                let tool =
                    |name: &Text| json!({ "type": "function", "function": { "name": name.value } });
                set("tools", names.iter().map(tool).collect());
            }
            Given::Metadata(key, value) => {
                metadata.insert(key.value.clone(), json!(value.value));
            }
            Given::Count(field, count) if field.value == "max_tokens" => {
                set("max_tokens", json!(count.value));
            }
            Given::Stream(value) => drop(set("stream", json!(value.value))),
            Given::Temperature(value) => drop(set("temperature", json!(value.value))),
            _ => {}
        }
    }
    let system = system.map(|text| json!({ "role": "system", "content": text }));
    let user = json!({ "role": "user", "content": prompt });
    set("messages", system.into_iter().chain([user]).collect());
    if !metadata.is_empty() {
        set("metadata", Value::Object(metadata));
    }
    Value::Object(body)
}

/// The name that a client would send: an exact one before the start of others, content before models.
fn model_name(plan: &Plan) -> String {
    let rank = |accept: &waypost_policies::plan::view::Accept<'_>| {
        let content = matches!(accept.target(), AcceptTarget::Content(_));
        (!content, accept.prefix())
    };
    let first = plan.accepts().min_by_key(rank);
    first.map_or_else(String::new, |accept| accept.name().to_owned())
}

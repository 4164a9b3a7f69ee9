//! A request as `why --request` reads it, made from the values of a search and read back as the runtime reads one.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use serde_json::{Map, Value, json};
use waypost_policies::facts::{Claim, Surface};
use waypost_policies::{Caller, Facts, Plan, Request, tokens};

use super::slots::Slot;

/// 2026-01-15T12:00:00Z, a Thursday: far from the ends of days, weeks and months.
pub const NOON: i64 = 1_768_478_400_000_000_000;

/// The values of a search; what is absent is as plain as can be.
pub(super) type Values = BTreeMap<Slot, Value>;

/// The request of these values. It asks for `model` where they do not say.
pub(super) fn envelope(values: &Values, model: &str) -> Value {
    let mut headers = Map::new();
    let mut caller = Map::new();
    let mut claims = Map::new();
    let mut path = json!("/v1/chat/completions");
    for (slot, value) in values {
        match slot {
            Slot::Path => path = value.clone(),
            Slot::Header(name) => drop(headers.insert(name.clone(), value.clone())),
            Slot::Caller(name) => drop(caller.insert((*name).to_owned(), value.clone())),
            Slot::Claim(name) => drop(claims.insert(name.clone(), value.clone())),
            _ => {}
        }
    }
    let address = values.get(&Slot::Address);
    let source = address.map(|address| ("ip".to_owned(), address.clone()));
    if !claims.is_empty() {
        caller.insert("claims".to_owned(), Value::Object(claims));
    }
    let body = match path.as_str() {
        Some("/v1/completions") => single(values, model, "prompt"),
        Some("/v1/embeddings") => single(values, model, "input"),
        _ => chat(values, model),
    };
    let mut envelope = json!({ "path": path, "body": body });
    let parts = [
        ("headers", headers),
        ("caller", caller),
        ("source", source.into_iter().collect()),
    ];
    if let Some(envelope) = envelope.as_object_mut() {
        for (name, fields) in parts.into_iter().filter(|(_, fields)| !fields.is_empty()) {
            envelope.insert(name.to_owned(), Value::Object(fields));
        }
        if let Some(now) = values.get(&Slot::Now) {
            envelope.insert("now".to_owned(), now.clone());
        }
    }
    envelope
}

fn single(values: &Values, model: &str, field: &str) -> Value {
    let prompt = values.get(&Slot::Prompt).cloned();
    let text = match values.get(&Slot::Tokens).and_then(Value::as_u64) {
        Some(count) => json!(filler(count)),
        None => prompt.unwrap_or_else(|| json!("hi")),
    };
    let mut body = fields(values, model);
    body.insert(field.to_owned(), text);
    Value::Object(body)
}

fn chat(values: &Values, model: &str) -> Value {
    let mut messages = Vec::new();
    let target = values.get(&Slot::Tokens).and_then(Value::as_u64);
    let mut body = fields(values, model);
    if let Some(system) = values.get(&Slot::System) {
        messages.push(json!({ "role": "system", "content": system }));
    }
    if let Some(target) = target {
        // What is long stands before the last turn: rules about the prompt, and its difficulty, see the prompt alone.
        let long = filler(target.saturating_sub(known_tokens(values, &body)));
        messages.push(json!({ "role": "user", "content": long }));
    }
    let turns = values
        .get(&Slot::Turns)
        .and_then(Value::as_u64)
        .unwrap_or(1);
    for _ in 1..turns {
        messages.push(json!({ "role": "user", "content": "go on" }));
        messages.push(json!({ "role": "assistant", "content": "ok" }));
    }
    if let Some(Value::Array(before)) = values.get(&Slot::Messages) {
        messages.extend(before.iter().cloned());
    }
    let prompt = values.get(&Slot::Prompt).cloned();
    let prompt = prompt.unwrap_or_else(|| json!("hi"));
    let images = values.get(&Slot::Images).and_then(Value::as_u64);
    let content = match images.unwrap_or(0) {
        0 => prompt,
        count => {
            let image = json!({ "type": "image_url", "image_url": { "url": "https://example.com/i.png", "detail": "low" } });
            let text = json!({ "type": "text", "text": prompt });
            let images = std::iter::repeat_n(image, usize::try_from(count).unwrap_or(0));
            std::iter::once(text).chain(images).collect()
        }
    };
    messages.push(json!({ "role": "user", "content": content }));
    body.insert("messages".to_owned(), Value::Array(messages));
    Value::Object(body)
}

/// The fields beside what is said.
fn fields(values: &Values, model: &str) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(model));
    let mut metadata = Map::new();
    for (slot, value) in values {
        let name = match slot {
            Slot::Model => "model",
            Slot::Tools => "tools",
            Slot::MaxTokens => "max_tokens",
            Slot::Stream => "stream",
            Slot::Temperature => "temperature",
            Slot::ResponseFormat => {
                body.insert("response_format".to_owned(), json!({ "type": value }));
                continue;
            }
            Slot::Metadata(name) => {
                metadata.insert(name.clone(), value.clone());
                continue;
            }
            _ => continue,
        };
        body.insert(name.to_owned(), value.clone());
    }
    if !metadata.is_empty() {
        body.insert("metadata".to_owned(), Value::Object(metadata));
    }
    body
}

/// Tokens of everything but the text that is to be long.
fn known_tokens(values: &Values, body: &Map<String, Value>) -> u64 {
    let mut plain = values.clone();
    plain.remove(&Slot::Tokens);
    let model = body
        .get("model")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let text = chat(&plain, model).to_string();
    let needs = waypost_policies::plan::Needs::default();
    let header = |_: &str| None;
    let request = Request::read(&needs, Surface::Chat, "", &header, text.as_bytes());
    request.map_or(0, |request| request.tokens + tokens::MESSAGE)
}

/// A text of so many tokens by our estimate, or the nearest above.
fn filler(count: u64) -> String {
    let mut words = usize::try_from(count * 64 / 65).unwrap_or(0);
    loop {
        let text = vec!["a"; words].join(" ");
        if tokens::of_text(&text) >= count {
            return text;
        }
        words += 1;
    }
}

/// Reads a request and gives its facts to `use_facts`; `None` where the runtime would not take it.
pub(super) fn with_facts<T>(
    plan: &Plan,
    envelope: &Value,
    use_facts: impl FnOnce(&Facts<'_>) -> T,
) -> Option<T> {
    let path = envelope.get("path")?.as_str()?;
    let surface = Surface::of_path(path).unwrap_or_default();
    let headers = envelope.get("headers");
    let header = |name: &str| headers.and_then(|headers| headers.get(name)?.as_str());
    let body = envelope.get("body")?.to_string();
    let request = Request::read(plan.needs(), surface, path, &header, body.as_bytes()).ok()?;
    let facts = Facts {
        request: &request,
        caller: caller(plan, envelope.get("caller")),
        source_ip: address(envelope).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        now: now(envelope).unwrap_or(NOON),
        difficulty: None,
    };
    Some(use_facts(&facts))
}

fn address(envelope: &Value) -> Option<IpAddr> {
    let text = envelope.get("source")?.get("ip")?.as_str()?;
    text.parse().ok()
}

fn now(envelope: &Value) -> Option<i64> {
    let time: jiff::Timestamp = envelope.get("now")?.as_str()?.parse().ok()?;
    i64::try_from(time.as_nanosecond()).ok()
}

fn caller<'v>(plan: &Plan, fields: Option<&'v Value>) -> Caller<'v> {
    let text = |name: &str| {
        let value = fields.and_then(|fields| fields.get(name)?.as_str());
        Cow::Borrowed(value.unwrap_or_default())
    };
    let claim = |name: &String| {
        let claims = fields?.get("claims")?;
        claim_of(claims.get(name)?)
    };
    Caller {
        key: text("key"),
        team: text("team"),
        agent: text("agent"),
        plan: text("plan"),
        name: text("name"),
        models: None,
        claims: plan.needs().claims.iter().map(claim).collect(),
    }
}

fn claim_of(value: &Value) -> Option<Claim<'_>> {
    Some(match value {
        Value::String(text) => Claim::String(Cow::Borrowed(text)),
        Value::Bool(value) => Claim::Bool(*value),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Claim::Int(whole),
            None => Claim::Double(number.as_f64()?),
        },
        Value::Array(items) => {
            let text = |item: &'_ Value| Some(Cow::Owned(item.as_str()?.to_owned()));
            Claim::Strings(items.iter().map(text).collect::<Option<_>>()?)
        }
        Value::Null | Value::Object(_) => return None,
    })
}

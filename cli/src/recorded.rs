//! Recorded requests: JSON Lines of `{"path":…,"headers":{},"caller":{},"body":{…}}`, or bare OpenAI bodies.
//! `"source":{"ip":…}` says where a call comes from and `"now"` when, as RFC 3339; without them, from here and at the reader's time.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::Error as _;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use waypost_policies::facts::{Claim, Surface};
use waypost_policies::{Caller, Plan};

use crate::failure::Failure;

/// One request.
#[derive(Debug)]
pub(crate) struct Recorded<'a> {
    /// Where it was sent, if that is said.
    path: Option<String>,
    headers: BTreeMap<String, String>,
    caller: RecordedCaller,
    source: Source,
    /// When it was sent, where it says, in nanoseconds since 1970.
    pub(crate) now: Option<i64>,
    /// Its body, byte for byte.
    pub(crate) body: &'a str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<'a> {
    path: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    caller: RecordedCaller,
    #[serde(default)]
    source: Source,
    #[serde(default, deserialize_with = "time")]
    now: Option<i64>,
    #[serde(borrow)]
    body: &'a RawValue,
}

/// RFC 3339, as nanoseconds since 1970.
fn time<'de, D: serde::Deserializer<'de>>(text: D) -> Result<Option<i64>, D::Error> {
    let text = String::deserialize(text)?;
    let time = text.parse::<Timestamp>().ok();
    let time = time.and_then(|time| i64::try_from(time.as_nanosecond()).ok());
    let refused = || {
        D::Error::custom(format!(
            "`now` is a time such as 2026-01-15T12:00:00Z, not `{text}`"
        ))
    };
    time.map(Some).ok_or_else(refused)
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    ip: Option<IpAddr>,
}

/// A field that is misspelt, or no string, would make another caller of it: both are refused.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RecordedCaller {
    key: String,
    team: String,
    agent: String,
    plan: String,
    name: String,
    models: Option<Vec<String>>,
    claims: Map<String, Value>,
}

/// As much of a document as tells one form from the other.
#[derive(Deserialize)]
struct Probe {
    body: Option<serde::de::IgnoredAny>,
}

/// All requests of a text; `name` is for messages.
pub(crate) fn read<'a>(text: &'a str, name: &str) -> Result<Vec<Recorded<'a>>, Failure> {
    let mut requests = Vec::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let documents = serde_json::Deserializer::from_str(text).into_iter::<&'a RawValue>();
    for (number, document) in (1..).zip(documents) {
        let failed = |why: String| Failure::Other(format!("request {number} of `{name}`: {why}"));
        let document = document.map_err(|error| failed(error.to_string()))?.get();
        if !document.starts_with('{') {
            let why = "a request is a JSON object, and several stand one after another";
            return Err(failed(why.to_owned()));
        }
        requests.push(one(document).map_err(|error| failed(without_place(&error)))?);
    }
    if requests.is_empty() {
        return Err(Failure::Other(format!("no request is in `{name}`")));
    }
    Ok(requests)
}

fn one(text: &str) -> serde_json::Result<Recorded<'_>> {
    let probe: Probe = serde_json::from_str(text)?;
    if probe.body.is_none() {
        return Ok(Recorded {
            path: None,
            headers: BTreeMap::new(),
            caller: RecordedCaller::default(),
            source: Source::default(),
            now: None,
            body: text,
        });
    }
    let envelope: Envelope<'_> = serde_json::from_str(text)?;
    let headers = envelope.headers.into_iter();
    Ok(Recorded {
        path: envelope.path,
        headers: headers
            .map(|(name, value)| (name.to_lowercase(), value))
            .collect(),
        caller: envelope.caller,
        source: envelope.source,
        now: envelope.now,
        body: envelope.body.get(),
    })
}

/// The message of an error without its line and column, which count from where the request begins.
fn without_place(error: &serde_json::Error) -> String {
    let place = format!(" at line {} column {}", error.line(), error.column());
    error.to_string().replace(&place, "")
}

impl Recorded<'_> {
    /// A header's value by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Where it comes from: this machine, where it does not say.
    pub(crate) fn address(&self) -> IpAddr {
        self.source.ip.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
    }

    /// Which API it was sent to, and where; where it does not say, what its body looks like.
    pub(crate) fn sent_to(&self, plan: &Plan) -> Result<(Surface, &str), Failure> {
        let of_body = || {
            let from_anthropic = self.headers.contains_key("anthropic-version");
            Surface::of_body(plan, self.body.as_bytes(), from_anthropic)
        };
        let Some(written) = &self.path else {
            let surface = of_body();
            return Ok((surface, surface.path()));
        };
        let (path, query) = written.split_once('?').unwrap_or((written, ""));
        if path == "/v1/route" {
            let named = Surface::of_query(query).map_err(|path| nothing_at(&path))?;
            let surface = named.unwrap_or_else(of_body);
            return Ok((surface, surface.path()));
        }
        let surface = Surface::of_path(path).ok_or_else(|| nothing_at(path))?;
        Ok((surface, path))
    }

    /// Who sent it; `fields` stand instead of what was recorded.
    pub(crate) fn caller<'a>(&'a self, fields: &'a [CallerField], plan: &Plan) -> Caller<'a> {
        let text = |name: &str, recorded: &'a str| {
            let given = fields.iter().rev().find(|field| field.name == name);
            Cow::Borrowed(given.map_or(recorded, |field| field.value.as_str()))
        };
        let claim = |name: &String| {
            let dotted = format!("claims.{name}");
            let given = fields.iter().rev().find(|field| field.name == dotted);
            if let Some(field) = given {
                return Some(Claim::String(Cow::Borrowed(&field.value)));
            }
            self.caller.claims.get(name).and_then(claim_of)
        };
        Caller {
            key: text("key", &self.caller.key),
            team: text("team", &self.caller.team),
            agent: text("agent", &self.caller.agent),
            plan: text("plan", &self.caller.plan),
            name: text("name", &self.caller.name),
            models: self
                .caller
                .models
                .as_ref()
                .map(|names| Cow::Owned(plan.models_named(names))),
            claims: plan.needs().claims.iter().map(claim).collect(),
        }
    }
}

fn nothing_at(path: &str) -> Failure {
    let paths = Surface::ALL.map(|surface| format!("`{}`", surface.path()));
    Failure::Other(format!(
        "nothing is routed at `{path}`: use one of {}",
        paths.join(", ")
    ))
}

fn claim_of<'a>(value: &'a Value) -> Option<Claim<'a>> {
    Some(match value {
        Value::String(text) => Claim::String(Cow::Borrowed(text)),
        Value::Bool(value) => Claim::Bool(*value),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Claim::Int(whole),
            None => Claim::Double(number.as_f64()?),
        },
        Value::Array(items) => {
            let text = |item: &'a Value| item.as_str().map(Cow::Borrowed);
            Claim::Strings(items.iter().map(text).collect::<Option<_>>()?)
        }
        Value::Null | Value::Object(_) => return None,
    })
}

/// `team=payments`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CallerField {
    name: String,
    value: String,
}

impl CallerField {
    const NAMES: [&'static str; 5] = ["key", "team", "agent", "plan", "name"];

    /// Reads it from the command line.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| format!("write it as FIELD=VALUE, for example team={text}"))?;
        if !Self::NAMES.contains(&name) && !name.starts_with("claims.") {
            let names = Self::NAMES.join(", ");
            return Err(format!(
                "a caller has no `{name}`: use {names} or claims.NAME"
            ));
        }
        Ok(Self {
            name: name.to_owned(),
            value: value.to_owned(),
        })
    }
}

//! Tells somebody of limits and budgets that are nearly used up: `warn` as an HTTP request.
//!
//! Invariants: a bucket is told of once for each `warn` share that it passes, until it has been empty again; calls never
//! wait for it; what waits to be told and what is remembered of it is bounded, and what goes beyond is counted; the address
//! may be a secret, so that no log and no error holds more of it than its host.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Uri};
use serde_json::{Value, json};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{sleep, timeout};
use waypost_policies::Facts;
use waypost_policies::decision::{Decision, Key, RuleReference};
use waypost_policies::limits::Usage;

use crate::client::{self, Client, root_cause};
use crate::gateway::{Gateway, lock};
use crate::metrics::Warnings;
use crate::rule::Site;

/// What waits to be told, at most.
const WAITING: usize = 256;
/// Buckets that are remembered, at most.
const REMEMBERED: usize = 10_000;
/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The pauses before what failed is tried again.
const PAUSES: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(25),
];
/// A bucket that drains quickly is told of no more often than this, in milliseconds.
const LEAST_PAUSE: u64 = 60_000;
const NANOSECONDS_IN_MILLISECOND: i64 = 1_000_000;

/// Who is told.
#[derive(Debug)]
pub(crate) struct Webhook {
    told: Mutex<HashMap<Key, Told>>,
    waiting: Sender<Bytes>,
    figures: Warnings,
}

/// What was told of a bucket.
#[derive(Debug, Clone, Copy)]
struct Told {
    /// How many of its shares had been passed.
    shares: usize,
    /// Until when that counts, in nanoseconds since 1970.
    until: i64,
}

impl Webhook {
    /// Tells whoever is at an address; `None` where that is none.
    pub(crate) fn start(address: &str, client: Client, figures: Warnings) -> Option<Self> {
        let address: Uri = address.parse().ok()?;
        let is_http = matches!(address.scheme_str(), Some("http" | "https"));
        if !is_http || address.host().is_none() {
            return None;
        }
        let (waiting, messages) = channel(WAITING);
        tokio::spawn(tell(address, client, messages, figures.clone()));
        Some(Self {
            told: Mutex::default(),
            waiting,
            figures,
        })
    }

    /// A call has passed `warn` shares.
    pub(crate) fn note(
        &self,
        gateway: &Gateway,
        facts: &Facts<'_>,
        decision: &Decision,
        request_id: &str,
    ) {
        for quota in &decision.warnings {
            let key = gateway.quota_key(facts, *quota);
            let usage = gateway.state.usage(*quota, key, facts.now);
            let shares = gateway.warned_shares(*quota, &usage);
            // By its name, which a reload does not change.
            let name = gateway.state.key_of(gateway.quota_label(*quota), key);
            if !self.is_news(name, shares, &usage, facts.now) {
                continue;
            }
            let message = message(gateway, facts, *quota, &usage, request_id);
            if let Err(TrySendError::Full(_)) = self.waiting.try_send(message.to_string().into()) {
                self.figures.told("dropped");
            }
        }
    }

    fn is_news(&self, name: Key, shares: usize, usage: &Usage, now: i64) -> bool {
        let mut told = lock(&self.told);
        if let Some(known) = told.get(&name)
            && known.until > now
            && known.shares >= shares
        {
            return false;
        }
        if told.len() >= REMEMBERED && !told.contains_key(&name) {
            told.retain(|_, told| told.until > now);
            if told.len() >= REMEMBERED {
                self.figures.told("dropped");
                return false;
            }
        }
        let pause = usage.resets_milliseconds.max(LEAST_PAUSE);
        let pause = i64::try_from(pause).unwrap_or(i64::MAX);
        let until = now.saturating_add(pause.saturating_mul(NANOSECONDS_IN_MILLISECOND));
        told.insert(name, Told { shares, until });
        true
    }
}

/// What is told. `text` is what chat services show.
fn message(
    gateway: &Gateway,
    facts: &Facts<'_>,
    quota: u16,
    usage: &Usage,
    request_id: &str,
) -> Value {
    let rule = Site::of(&gateway.plan, RuleReference::Quota(quota));
    let caller = &facts.caller;
    let percent = u128::from(usage.used) * 100 / u128::from(usage.capacity.max(1));
    let whose = [
        ("key", &caller.key),
        ("team", &caller.team),
        ("agent", &caller.agent),
    ];
    let whose = whose.into_iter().filter(|(_, value)| !value.is_empty());
    let whose: Vec<String> = whose
        .map(|(name, value)| format!("{name} `{value}`"))
        .collect();
    let text = format!(
        "`{}` ({}:{}) is used to {percent}%{}{}",
        rule.label,
        rule.file,
        rule.line,
        if whose.is_empty() { "" } else { ", last by " },
        whose.join(", "),
    );
    let milliseconds = facts.now / NANOSECONDS_IN_MILLISECOND;
    json!({
        "version": 1,
        "event": "nearly_used_up",
        "text": text,
        "time": milliseconds,
        "quota": rule.label,
        "file": rule.file,
        "line": rule.line,
        "unit": gateway.unit(quota).map_or("", |unit| unit.word()),
        "used": usage.used,
        "of": usage.capacity,
        "resets_milliseconds": usage.resets_milliseconds,
        "caller": {
            "key": caller.key,
            "team": caller.team,
            "agent": caller.agent,
            "plan": caller.plan,
            "name": caller.name,
        },
        "request_id": request_id,
    })
}

/// Sends one message after the other, until nobody has any more.
async fn tell(address: Uri, client: Client, mut messages: Receiver<Bytes>, figures: Warnings) {
    while let Some(message) = messages.recv().await {
        let mut failure = send(&address, &client, message.clone()).await.err();
        for pause in PAUSES {
            if failure.is_none() {
                break;
            }
            sleep(pause).await;
            failure = send(&address, &client, message.clone()).await.err();
        }
        match failure {
            None => figures.told("sent"),
            Some(reason) => {
                figures.told("failed");
                let host = address.host().unwrap_or_default();
                tracing::warn!(host, reason, "a warning could not be told");
            }
        }
    }
}

async fn send(address: &Uri, client: &Client, message: Bytes) -> Result<(), String> {
    let mut request = Request::new(Full::new(message));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = address.clone();
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let sent = timeout(PATIENCE, client::send(client, request)).await;
    let response =
        sent.map_err(|_| "no answer in time".to_owned())?
            .map_err(|error| match error {
                client::SendError::Address(_) => "its address cannot be asked".to_owned(),
                error => root_cause(&error),
            })?;
    match response.status() {
        status if status.is_success() => Ok(()),
        status => Err(format!("answered {status}")),
    }
}

//! What became of a call, once it is over.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use waypost_policies::NanoDollars;
use waypost_policies::cost::{Service, Usage};

use crate::failure::Tried;
use crate::rule::Site;

/// Everything about one call that was decided; no text of it and no key. Names are shared with the plan and the caller: the
/// last calls are kept, and to copy each name for each of them costs as much as deciding.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Receipt {
    /// When it came, in milliseconds since 1970.
    pub time: i64,
    /// As in `x-waypost-request-id`.
    pub request_id: String,
    /// The identity of the caller's key; "" for anonymous ones.
    pub caller: Arc<str>,
    /// The caller's team.
    pub team: Arc<str>,
    /// The caller's agent.
    pub agent: Arc<str>,
    /// The plan the caller pays for.
    pub plan: Arc<str>,
    /// The caller's name.
    pub name: Arc<str>,
    /// The model that it asked for, with the plan's redactions for logs.
    pub asked: String,
    /// The final tier; "" where no content section took it.
    pub tier: Arc<str>,
    /// What set the tier, or refused the call.
    pub rule: Arc<Site>,
    /// The cap that lowered it.
    pub capped_by: Option<Arc<Site>>,
    /// The difficulty, where a rule read it.
    pub difficulty: Option<f64>,
    /// The model that answered; "" when none did.
    pub model: Arc<str>,
    /// The replica or provider that answered; "" when none did.
    pub replica: Arc<str>,
    /// The status of the answer; 499 when the caller hung up before it.
    pub status: u16,
    /// How it ended.
    pub ending: Ending,
    /// Whether the answer was streamed.
    pub streamed: bool,
    /// What it used.
    pub usage: Usage,
    /// Whether the tokens are estimated, because the upstream did not say.
    pub estimated: bool,
    /// What it cost, with what models took that were given up.
    pub cost: NanoDollars,
    /// What it could have cost at worst.
    pub ceiling: NanoDollars,
    /// What the same would have cost at the first model of the dearest tier.
    pub strongest: NanoDollars,
    /// What it was charged on limits and budgets, by their labels, in each one's unit: calls, tokens or nano-dollars.
    pub charged: Vec<(Arc<str>, u64)>,
    /// From its first byte to the answer's last.
    pub duration: Duration,
    /// Until the answer's first byte.
    pub first_byte: Option<Duration>,
    /// How often an upstream was asked.
    pub attempts: u32,
    /// What was tried or passed over before.
    pub tried: Vec<Tried>,
    /// What the answer warns of.
    pub warnings: Vec<String>,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Ending {
    /// It was answered.
    Answered,
    /// The plan refused it.
    Refused,
    /// The upstream refused it for what the client sent.
    Rejected,
    /// No upstream answered.
    Failed,
    /// The upstream broke off after the first byte.
    Broken,
    /// The caller hung up: what a call that nobody finishes comes to.
    #[default]
    HungUp,
}

impl Ending {
    /// In one word, for metrics and logs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Broken => "broken",
            Self::HungUp => "hung-up",
        }
    }
}

impl Receipt {
    /// As JSON, for `/decisions`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "time": self.time,
            "request_id": self.request_id,
            "caller": &*self.caller,
            "team": &*self.team,
            "agent": &*self.agent,
            "plan": &*self.plan,
            "name": &*self.name,
            "asked": self.asked,
            "tier": &*self.tier,
            "rule": &*self.rule,
            "capped_by": self.capped_by.as_deref(),
            "difficulty": self.difficulty,
            "model": &*self.model,
            "replica": &*self.replica,
            "status": self.status,
            "ending": self.ending.word(),
            "streamed": self.streamed,
            "tokens": self.tokens(),
            "service_tier": self.usage.service.map(Service::word),
            "cost_usd": self.cost.to_string(),
            "ceiling_usd": self.ceiling.to_string(),
            "strongest_usd": self.strongest.to_string(),
            "charged": self.charged.iter().map(charged).collect::<Value>(),
            "milliseconds": milliseconds(self.duration),
            "first_byte_milliseconds": self.first_byte.map(milliseconds),
            "attempts": self.attempts,
            "tried": self.tried,
            "warnings": self.warnings,
        })
    }
}

impl Receipt {
    /// How many tokens there were, and how many of each sort: those are part of `input` and `output`.
    fn tokens(&self) -> Value {
        let usage = self.usage;
        json!({
            "input": usage.input,
            "cached": usage.cached,
            "cache_write": usage.cache_write,
            "cache_write_1h": usage.cache_write_hour,
            "audio_input": usage.audio_input,
            "audio_cached": usage.audio_cached,
            "image_input": usage.image_input,
            "output": usage.output,
            "reasoning": usage.reasoning,
            "audio_output": usage.audio_output,
            "estimated": self.estimated,
        })
    }
}

fn charged((quota, amount): &(Arc<str>, u64)) -> Value {
    json!({"quota": &**quota, "amount": amount})
}

fn milliseconds(duration: Duration) -> f64 {
    // To a microsecond: more digits are noise.
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

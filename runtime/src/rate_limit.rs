//! How full limits are, as callers are told in `x-ratelimit-*`.

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use waypost_policies::decision::{Charge, Key};
use waypost_policies::limits::Unit;

use crate::clock;
use crate::gateway::Gateway;

/// What a limit holds, what is left of it, and when all of it is there again: of one on requests, and of one on tokens.
const REQUESTS: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit-requests"),
    HeaderName::from_static("x-ratelimit-remaining-requests"),
    HeaderName::from_static("x-ratelimit-reset-requests"),
];
const TOKENS: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit-tokens"),
    HeaderName::from_static("x-ratelimit-remaining-tokens"),
    HeaderName::from_static("x-ratelimit-reset-tokens"),
];

/// How full a limit on requests or on tokens is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RateLimit {
    unit: Unit,
    most: u64,
    remaining: u64,
    reset_seconds: u64,
}

impl RateLimit {
    /// Of a limit as it is for this key; `None` of what counts something else.
    pub(crate) fn of(gateway: &Gateway, quota: u16, key: Key) -> Option<Self> {
        let unit @ (Unit::Requests | Unit::Tokens) = gateway.unit(quota)? else {
            return None;
        };
        let usage = gateway.state.usage(quota, key, clock::now());
        let most = gateway.refuses_beyond(quota, usage.capacity);
        Some(Self {
            unit,
            most,
            remaining: most.saturating_sub(usage.used),
            reset_seconds: usage.resets_milliseconds.div_ceil(1000),
        })
    }

    /// Of the limits that a call counts in, on requests and on tokens the one that has least left.
    pub(crate) fn least(gateway: &Gateway, charges: &[Charge]) -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        let limits = charges
            .iter()
            .filter_map(|charge| Self::of(gateway, charge.quota, charge.key));
        for limit in limits {
            match found.iter_mut().find(|known| known.unit == limit.unit) {
                Some(least) if limit.remaining < least.remaining => *least = limit,
                Some(_) => {}
                None => found.push(limit),
            }
        }
        found
    }

    /// Says so.
    pub(crate) fn mark(&self, headers: &mut HeaderMap) {
        let [most, remaining, reset] = match self.unit {
            Unit::Tokens => TOKENS,
            _ => REQUESTS,
        };
        headers.insert(most, HeaderValue::from(self.most));
        headers.insert(remaining, HeaderValue::from(self.remaining));
        let seconds = HeaderValue::from_str(&format!("{}s", self.reset_seconds));
        if let Ok(seconds) = seconds {
            headers.insert(reset, seconds);
        }
    }
}

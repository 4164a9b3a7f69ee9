//! Makes of an upstream's answer the caller's.

use http_body_util::{BodyExt as _, Full};
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{HeaderMap, Response};
use waypost_policies::cost::Usage;
use waypost_policies::explain::Explanation;
use waypost_policies::facts::Surface;
use waypost_policies::limits::Unit;

use super::upstream::{Head, Reply};
use crate::Body;
use crate::account::Account;
use crate::gateway::Gateway;
use crate::json::ascii;
use crate::pool::Seat;
use crate::receipt::Ending;
use crate::stream::{AnswerStream, Onward};

/// An explanation that is longer than this fits no client's idea of a header.
const LONGEST_EXPLANATION: usize = 16 << 10;

/// Headers of an upstream that mean something to the caller.
const PASSED_ON: [HeaderName; 3] = [CONTENT_TYPE, CONTENT_ENCODING, RETRY_AFTER];
/// More of these.
const PASSED_ON_BY_NAME: [&str; 5] = [
    "request-id",
    "x-request-id",
    "openai-processing-ms",
    "openai-model",
    "apim-request-id",
];

/// Longer than this none of them is: what is longer would keep clients from reading the rest.
const LONGEST_PASSED_ON: usize = 1024;

/// An answer, and the place that it takes at whoever gives it.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) reply: Reply,
    pub(super) seat: Option<Seat>,
}

/// The response to an answered call. A whole answer closes the books here, a stream when it ends.
pub(super) fn respond(
    answered: Answered,
    mut account: Account,
    gateway: &Gateway,
    surface: Surface,
) -> Response<Body> {
    match answered.reply {
        Reply::Whole {
            head,
            body,
            usage,
            tokens,
        } => {
            let mut response = response(&head, Full::new(body).boxed_unsync());
            mark(&mut response, &account);
            if surface == Surface::CountTokens {
                // A call, but none that a model answers.
                account.rejected();
                account.close(head.status.as_u16(), Ending::Answered);
                return response;
            }
            close_whole(&mut account, &head, usage, tokens, &mut response);
            response
        }
        Reply::Rejected { head, body } => {
            let mut response = response(&head, Full::new(body).boxed_unsync());
            mark(&mut response, &account);
            account.rejected();
            account.close(head.status.as_u16(), Ending::Rejected);
            response
        }
        Reply::Stream {
            head,
            first,
            rest,
            watcher,
            translation,
        } => {
            // Said before the account goes with the body.
            let mut marks = HeaderMap::new();
            mark_headers(&mut marks, &account);
            let onward = Onward {
                client: surface,
                translation,
                silence: gateway.bounds.silence,
            };
            let stream = AnswerStream::new(first, rest, *watcher, account, answered.seat, onward);
            let mut response = response(&head, stream.boxed_unsync());
            let headers = response.headers_mut();
            headers.extend(marks);
            headers.insert("cache-control", HeaderValue::from_static("no-cache"));
            // Proxies in front must not hold events back.
            headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
            response
        }
    }
}

fn close_whole(
    account: &mut Account,
    head: &Head,
    usage: Option<Usage>,
    tokens: u64,
    response: &mut Response<Body>,
) {
    account.seen(usage, tokens);
    let cost = account.close(head.status.as_u16(), Ending::Answered);
    insert(
        response.headers_mut(),
        "x-waypost-cost-usd",
        &cost.to_string(),
    );
}

fn response(head: &Head, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = head.status;
    let by_name = PASSED_ON_BY_NAME.map(HeaderName::from_static);
    for name in PASSED_ON.iter().chain(&by_name) {
        let value = head.headers.get(name);
        if let Some(value) = value.filter(|value| value.len() <= LONGEST_PASSED_ON) {
            response.headers_mut().insert(name.clone(), value.clone());
        }
    }
    response
}

/// Says which tier, model, rule and replica.
pub(super) fn mark(response: &mut Response<Body>, account: &Account) {
    mark_headers(response.headers_mut(), account);
}

fn mark_headers(headers: &mut HeaderMap, account: &Account) {
    let Some((tier, model, rule, replica)) = account.names() else {
        return;
    };
    insert(headers, "x-waypost-tier", tier);
    insert(headers, "x-waypost-model", model);
    insert(headers, "x-waypost-rule", rule);
    insert(headers, "x-waypost-replica", replica);
    for (unit, usage) in account.rate_limits() {
        let [limit, remaining, reset] = match unit {
            Unit::Tokens => [
                "x-ratelimit-limit-tokens",
                "x-ratelimit-remaining-tokens",
                "x-ratelimit-reset-tokens",
            ],
            _ => [
                "x-ratelimit-limit-requests",
                "x-ratelimit-remaining-requests",
                "x-ratelimit-reset-requests",
            ],
        };
        insert(headers, limit, &usage.limit.to_string());
        insert(headers, remaining, &usage.remaining.to_string());
        insert(headers, reset, &format!("{}s", usage.reset_seconds));
    }
    for warning in account.warnings() {
        if let Ok(value) = HeaderValue::from_str(&ascii(warning)) {
            headers.append("x-waypost-warning", value);
        }
    }
}

/// Adds the whole decision, on one line; without the rules that did not match where it is too long.
pub(super) fn explain(response: &mut Response<Body>, mut explanation: Explanation) {
    let line =
        |explanation: &Explanation| ascii(&serde_json::to_string(explanation).unwrap_or_default());
    let mut text = line(&explanation);
    if text.len() > LONGEST_EXPLANATION {
        explanation.rules.retain(|rule| rule.matched);
        text = line(&explanation);
    }
    if text.len() > LONGEST_EXPLANATION {
        text = r#"{"error":"too long for a header: ask POST /v1/route"}"#.to_owned();
    }
    insert(response.headers_mut(), "x-waypost-decision", &text);
}

fn insert(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if value.is_empty() {
        return;
    }
    if let Ok(value) = HeaderValue::from_str(&ascii(value)) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_are_not_ascii_can_stand_in_a_header() {
        let mut headers = HeaderMap::new();
        insert(&mut headers, "x-waypost-rule", "große Prompts");
        assert_eq!(
            headers.get("x-waypost-rule").map(HeaderValue::as_bytes),
            Some(&b"gro\\u00dfe Prompts"[..])
        );
        insert(&mut headers, "x-waypost-rule", "a\u{7f}\nb");
        assert_eq!(
            headers.get("x-waypost-rule").map(HeaderValue::as_bytes),
            Some(&b"a\\u007f\\u000ab"[..])
        );
    }

    #[test]
    fn nothing_is_said_with_nothing() {
        let mut headers = HeaderMap::new();
        insert(&mut headers, "x-waypost-model", "");
        assert!(headers.is_empty());
    }
}

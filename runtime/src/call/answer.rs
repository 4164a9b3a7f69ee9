//! Makes of an upstream's answer the caller's.

use http_body_util::{BodyExt as _, Full};
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{HeaderMap, Response};
use waypost_policies::explain::Explanation;
use waypost_policies::facts::Surface;

use super::upstream::{Head, Reply};
use crate::Body;
use crate::account::Account;
use crate::gateway::Gateway;
use crate::json::ascii;
use crate::pool::Seat;
use crate::receipt::Ending;
use crate::stream::{AnswerStream, Onward};
use crate::usage::Reported;

/// An explanation that is longer than this fits no client's idea of a header.
const LONGEST_EXPLANATION: usize = 16 << 10;

/// Headers of an upstream that mean something to the caller.
const PASSED_ON: [HeaderName; 8] = [
    CONTENT_TYPE,
    CONTENT_ENCODING,
    RETRY_AFTER,
    HeaderName::from_static("request-id"),
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("openai-processing-ms"),
    HeaderName::from_static("openai-model"),
    HeaderName::from_static("apim-request-id"),
];

/// Longer than this none of them is: what is longer would keep clients from reading the rest.
const LONGEST_PASSED_ON: usize = 1024;

// What the caller is told of the decision.
const TIER: HeaderName = HeaderName::from_static("x-waypost-tier");
const MODEL: HeaderName = HeaderName::from_static("x-waypost-model");
const RULE: HeaderName = HeaderName::from_static("x-waypost-rule");
const REPLICA: HeaderName = HeaderName::from_static("x-waypost-replica");
const WARNING: HeaderName = HeaderName::from_static("x-waypost-warning");
const COST: HeaderName = HeaderName::from_static("x-waypost-cost-usd");
const DECISION: HeaderName = HeaderName::from_static("x-waypost-decision");

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
    usage: Option<Reported>,
    tokens: u64,
    response: &mut Response<Body>,
) {
    account.seen(usage, tokens);
    let cost = account.close(head.status.as_u16(), Ending::Answered);
    insert(response.headers_mut(), COST, &cost.to_string());
}

fn response(head: &Head, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = head.status;
    // These, the marks, and what the front door says.
    let mut headers = HeaderMap::with_capacity(12);
    // An upstream sends few: each is looked at, and not each of ours looked for. Of one that stands twice the first counts.
    for (name, value) in &head.headers {
        if PASSED_ON.contains(name)
            && !headers.contains_key(name)
            && value.len() <= LONGEST_PASSED_ON
        {
            headers.insert(name.clone(), value.clone());
        }
    }
    *response.headers_mut() = headers;
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
    insert(headers, TIER, tier);
    insert(headers, MODEL, model);
    insert(headers, RULE, rule);
    insert(headers, REPLICA, replica);
    for limit in account.rate_limits() {
        limit.mark(headers);
    }
    for warning in account.warnings() {
        if let Ok(value) = HeaderValue::from_str(&ascii(warning)) {
            headers.append(WARNING, value);
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
    insert(response.headers_mut(), DECISION, &text);
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if value.is_empty() {
        return;
    }
    let is_plain = value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let value = match is_plain {
        true => HeaderValue::from_str(value),
        false => HeaderValue::from_str(&ascii(value)),
    };
    if let Ok(value) = value {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_are_not_ascii_can_stand_in_a_header() {
        let mut headers = HeaderMap::new();
        insert(&mut headers, RULE, "große Prompts");
        assert_eq!(
            headers.get(RULE).map(HeaderValue::as_bytes),
            Some(&b"gro\\u00dfe Prompts"[..])
        );
        insert(&mut headers, RULE, "a\u{7f}\nb");
        assert_eq!(
            headers.get(RULE).map(HeaderValue::as_bytes),
            Some(&b"a\\u007f\\u000ab"[..])
        );
    }

    #[test]
    fn nothing_is_said_with_nothing() {
        let mut headers = HeaderMap::new();
        insert(&mut headers, MODEL, "");
        assert!(headers.is_empty());
    }
}

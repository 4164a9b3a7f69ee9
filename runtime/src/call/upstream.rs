//! One attempt at one upstream, up to the first byte of its answer.
//!
//! Invariants: a caller's credentials and what is said to this hop alone are not sent on; an upstream's credentials
//! are in no message. A failure here can still be answered by another upstream: nothing has gone to the caller yet.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, RETRY_AFTER,
    USER_AGENT,
};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::time::{Instant, timeout_at};
use waypost_policies::cost::Usage;
use waypost_policies::facts::Surface;

use super::attempt_error::AttemptError;
use super::deadline;
use crate::body::{BodyError, collect};
use crate::client::{self, Client, root_cause};
use crate::clock;
use crate::failure::Failure;
use crate::provider::{Credential, USUAL_VERSION, VERSION};
use crate::stream::Watcher;
use crate::translate::{Context, Pair, Translation};
use crate::usage::hear;

/// What a stream may send before its first event with data: comments, mostly.
const LONGEST_OPENING: usize = 4 << 20;
/// The largest error that is read.
const LARGEST_ERROR: usize = 1 << 20;
/// More of an upstream's own words is not shown.
const LONGEST_MESSAGE: usize = 300;
/// How providers say that a filter of theirs stopped a call.
const FILTERED: [&str; 2] = ["content_filter", "content_policy_violation"];
/// Headers that concern one hop, this server, or the caller's own credentials.
const NOT_FORWARDED: [&str; 29] = [
    "accept",
    "accept-encoding",
    "api-key",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "openai-organization",
    "openai-project",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-api-key",
    "x-goog-api-key",
    "x-real-ip",
    deadline::HEADER,
];

/// Where callers are is nothing to providers.
const NOT_FORWARDED_BEGINNINGS: [&str; 2] = ["x-waypost-", "x-forwarded-"];

/// What a client speaks, what its upstream does, and what is known for an answer in between.
#[derive(Debug, Clone)]
pub(super) struct Dialects {
    pub(super) client: Surface,
    pub(super) upstream: Surface,
    pub(super) context: Context,
}

impl Dialects {
    const fn pair(&self) -> Option<Pair> {
        Pair::of(self.client, self.upstream)
    }
}

/// What is sent, and where.
pub(super) struct Outgoing<'a> {
    pub(super) address: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) credential: Option<&'a Credential>,
    /// How much time is left, where the caller says.
    pub(super) timeout: Option<HeaderValue>,
    pub(super) body: &'a Bytes,
    pub(super) dialects: &'a Dialects,
    pub(super) stream: bool,
    pub(super) hides_usage: bool,
    pub(super) answers: u64,
}

/// What came back.
#[derive(Debug)]
pub(crate) enum Reply {
    /// A whole answer.
    Whole {
        head: Head,
        body: Bytes,
        usage: Option<Usage>,
        /// The tokens of its text, estimated.
        tokens: u64,
    },
    /// A streamed answer that has begun.
    Stream {
        head: Head,
        first: VecDeque<Bytes>,
        rest: Incoming,
        watcher: Box<Watcher>,
        translation: Option<Box<Translation>>,
    },
    /// The upstream refuses the call for what it is; the caller is told in its words.
    Rejected { head: Head, body: Bytes },
}

/// Status and headers of an answer.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
}

/// Asks once; within `patience` to the first byte.
pub(super) async fn ask(
    client: &Client,
    outgoing: Outgoing<'_>,
    patience: Duration,
    longest: usize,
) -> Result<Reply, AttemptError> {
    let (stream, hides_usage) = (outgoing.stream, outgoing.hides_usage);
    let answers = outgoing.answers;
    let dialects = outgoing.dialects;
    let request = outgoing.request()?;
    let deadline = Instant::now() + patience;
    let reply = async {
        let response = client::send(client, request).await.map_err(|error| {
            let reason = root_cause(&error);
            match error.is_connect() {
                true => AttemptError::Connect(reason),
                false => AttemptError::Broken(reason),
            }
        })?;
        match response.status() {
            status if !status.is_success() => refused(response, dialects).await,
            // What it used could not be read.
            _ if is_coded(response.headers()) => Err(AttemptError::Coded),
            _ if stream && is_event_stream(response.headers()) => {
                let watcher = Watcher::new(dialects.upstream, hides_usage, answers);
                begun(response, watcher, dialects).await
            }
            _ => whole(response, dialects, longest).await,
        }
    };
    timeout_at(deadline, reply)
        .await
        .map_err(|_| AttemptError::OutOfTime(patience))?
}

/// The caller's headers that are sent on.
pub(super) fn forwarded_headers(headers: &HeaderMap, stream: bool) -> HeaderMap {
    let named: Vec<&str> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    let mut forwarded = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let stays = NOT_FORWARDED.contains(&name.as_str())
            || NOT_FORWARDED_BEGINNINGS
                .iter()
                .any(|beginning| name.as_str().starts_with(beginning))
            || named
                .iter()
                .any(|named| named.eq_ignore_ascii_case(name.as_str()));
        if !stays {
            forwarded.append(name.clone(), value.clone());
        }
    }
    let accept = if stream {
        "text/event-stream"
    } else {
        "application/json"
    };
    forwarded.insert(ACCEPT, HeaderValue::from_static(accept));
    // RFC 9110, 12.5.3: without this, any coding would do.
    forwarded.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    forwarded.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    forwarded.insert(
        USER_AGENT,
        HeaderValue::from_static(concat!("waypost/", env!("CARGO_PKG_VERSION"))),
    );
    forwarded
}

impl Outgoing<'_> {
    fn request(self) -> Result<Request<Full<Bytes>>, AttemptError> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.address.parse().map_err(|_| AttemptError::Address)?;
        *request.headers_mut() = self.headers.clone();
        speak_as(request.headers_mut(), self.dialects.upstream);
        if let Some((name, value)) = self.credential {
            request.headers_mut().insert(name.clone(), value.clone());
        }
        if let Some(timeout) = self.timeout {
            request.headers_mut().insert(deadline::HEADER, timeout);
        }
        Ok(request)
    }
}

/// Headers that only one API knows.
fn speak_as(headers: &mut HeaderMap, upstream: Surface) {
    if matches!(upstream, Surface::Messages | Surface::CountTokens) {
        headers.entry(VERSION).or_insert(USUAL_VERSION);
        return;
    }
    let of_anthropic: Vec<_> = headers
        .keys()
        .filter(|name| name.as_str().starts_with("anthropic-"))
        .cloned()
        .collect();
    for name in of_anthropic {
        headers.remove(name);
    }
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    let media = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    media.is_some_and(|media| media.trim_start().starts_with("text/event-stream"))
}

fn is_coded(headers: &HeaderMap) -> bool {
    let coding = headers.get(CONTENT_ENCODING);
    coding.is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

fn head(response: Response<Incoming>) -> (Head, Incoming) {
    let (parts, body) = response.into_parts();
    let head = Head {
        status: parts.status,
        headers: parts.headers,
    };
    (head, body)
}

/// A stream, once it says its first thing.
async fn begun(
    response: Response<Incoming>,
    mut watcher: Watcher,
    dialects: &Dialects,
) -> Result<Reply, AttemptError> {
    let (head, mut rest) = head(response);
    let mut first = VecDeque::new();
    let mut length = 0_usize;
    while !watcher.told().data {
        let frame = rest.frame().await.ok_or(AttemptError::Empty)?;
        let frame = frame.map_err(|error| AttemptError::Broken(root_cause(&error)))?;
        if let Ok(chunk) = frame.into_data() {
            length = length.saturating_add(chunk.len());
            if length > LONGEST_OPENING {
                return Err(AttemptError::TooLarge(LONGEST_OPENING));
            }
            first.extend(Some(watcher.pass(chunk)).filter(|chunk| !chunk.is_empty()));
        }
    }
    let told = watcher.told();
    if told.error && told.tokens == 0 {
        return Err(AttemptError::ErrorInAnswer);
    }
    let translation = dialects
        .pair()
        .map(|pair| Box::new(Translation::new(pair, dialects.context.clone())));
    Ok(Reply::Stream {
        head,
        first,
        rest,
        watcher: Box::new(watcher),
        translation,
    })
}

async fn whole(
    response: Response<Incoming>,
    dialects: &Dialects,
    longest: usize,
) -> Result<Reply, AttemptError> {
    let (head, mut body) = head(response);
    let body = collect(&mut body, longest)
        .await
        .map_err(|error| match error {
            BodyError::TooLarge { limit } => AttemptError::TooLarge(limit),
            other => AttemptError::Broken(other.to_string()),
        })?;
    let heard = hear(dialects.upstream, &body);
    if heard.is_some_and(|heard| heard.error && !heard.answers) {
        return Err(AttemptError::ErrorInAnswer);
    }
    if !is_object(&body, heard.is_some()) {
        return Err(AttemptError::NotJson);
    }
    let tokens = match &heard {
        Some(heard) => heard.tokens,
        None => body.len() as u64 / 4,
    };
    let usage = heard.and_then(|heard| heard.usage);
    let usage = usage.map(|usage| usage.usage(tokens));
    let body = match dialects.pair() {
        None => body,
        Some(pair) => translated(pair, &body, &dialects.context)?,
    };
    Ok(Reply::Whole {
        head,
        body,
        usage,
        tokens,
    })
}

fn translated(pair: Pair, body: &[u8], context: &Context) -> Result<Bytes, AttemptError> {
    let text = std::str::from_utf8(body).map_err(|_| AttemptError::NotJson)?;
    pair.answer(text, context)
        .map(Bytes::from)
        .map_err(|error| AttemptError::Unreadable(error.to_string()))
}

/// A page of HTML or half an answer is no answer, whatever its status.
fn is_object(body: &[u8], parsed: bool) -> bool {
    body.trim_ascii_start().starts_with(b"{")
        && (parsed || serde_json::from_slice::<IgnoredAny>(body).is_ok())
}

/// An upstream's error, as OpenAI's API has it; other shapes just have no message.
#[derive(Deserialize, Default)]
struct ErrorDocument {
    #[serde(default)]
    error: ErrorWords,
    /// As vLLM puts it.
    #[serde(default)]
    message: Option<String>,
}

#[derive(Deserialize, Default)]
struct ErrorWords {
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    code: Option<serde_json::Value>,
}

async fn refused(response: Response<Incoming>, dialects: &Dialects) -> Result<Reply, AttemptError> {
    let (head, mut body) = head(response);
    let body = collect(&mut body, LARGEST_ERROR).await.unwrap_or_default();
    let document: ErrorDocument = serde_json::from_slice(&body).unwrap_or_default();
    let code = document
        .error
        .code
        .as_ref()
        .and_then(|code| code.as_str())
        .unwrap_or_default();
    // Of the same API, so its errors have the shape that the client knows.
    let in_its_shape = document.error.message.is_some() && dialects.pair().is_none();
    let message = document
        .error
        .message
        .or(document.message)
        .map(|message| shortened(&message));
    if head.status == StatusCode::BAD_REQUEST && is_context_length(code, message.as_deref()) {
        return Err(AttemptError::ContextLength(message.unwrap_or_default()));
    }
    if head.status == StatusCode::BAD_REQUEST && FILTERED.contains(&code) {
        return Err(AttemptError::ContentFilter(message.unwrap_or_default()));
    }
    match head.status {
        StatusCode::UNAUTHORIZED | StatusCode::PAYMENT_REQUIRED | StatusCode::FORBIDDEN => {
            Err(AttemptError::Credentials(head.status))
        }
        StatusCode::NOT_FOUND => Err(AttemptError::UnknownThere),
        StatusCode::METHOD_NOT_ALLOWED
        | StatusCode::REQUEST_TIMEOUT
        | StatusCode::CONFLICT
        | StatusCode::TOO_EARLY
        | StatusCode::TOO_MANY_REQUESTS => Err(status_error(&head, message)),
        status if status.is_client_error() => match in_its_shape {
            true => Ok(Reply::Rejected { head, body }),
            false => Ok(rejected(head, message, dialects.client)),
        },
        _ => Err(status_error(&head, message)),
    }
}

/// The refusal of an upstream whose errors have another shape than clients can read.
fn rejected(mut head: Head, message: Option<String>, client: Surface) -> Reply {
    let words = message.map_or_else(String::new, |message| format!(": {message}"));
    let message = format!("the model refuses this call ({}){words}", head.status);
    let failure = Failure::invalid(head.status, "upstream_rejected", message)
        .hint("compare the call with what the model's own API takes");
    head.headers.remove(CONTENT_ENCODING);
    head.headers
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Reply::Rejected {
        head,
        body: failure.json_on(client).into(),
    }
}

fn status_error(head: &Head, message: Option<String>) -> AttemptError {
    AttemptError::Status {
        status: head.status,
        message,
        retry_after: retry_after(&head.headers),
    }
}

/// Providers have a code for it, engines only words.
fn is_context_length(code: &str, message: Option<&str>) -> bool {
    const WORDS: [&str; 6] = [
        "prompt is too long",
        "exceed context limit",
        "maximum context length",
        "context length",
        "context window",
        "maximum model length",
    ];
    let message = message.unwrap_or_default().to_ascii_lowercase();
    code == "context_length_exceeded" || WORDS.iter().any(|words| message.contains(words))
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let until = || {
        let date = headers.get(RETRY_AFTER)?.to_str().ok()?;
        let date = jiff::fmt::rfc2822::parse(date).ok()?.timestamp();
        Some((date.as_nanosecond() - i128::from(clock::now())) as f64 / 1e9)
    };
    let seconds = number("retry-after-ms")
        .map(|value| value / 1e3)
        .or_else(|| number(RETRY_AFTER.as_str()))
        .or_else(until)?;
    Duration::try_from_secs_f64(seconds).ok()
}

fn shortened(message: &str) -> String {
    message.chars().take(LONGEST_MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn wait(value: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, value.parse().unwrap());
        retry_after(&headers)
    }

    #[test]
    fn when_to_come_back_is_a_number_or_a_date() {
        assert_eq!(wait("7"), Some(Duration::from_secs(7)));
        let century = Duration::from_secs(100 * 365 * 86_400);
        assert!(wait("31 Dec 2999 23:59:59 GMT").unwrap() > century);
        for useless in ["Thu, 01 Jan 1970 00:00:01 GMT", "-1", "NaN", "inf", "soon"] {
            assert_eq!(wait(useless), None, "{useless}");
        }
    }
}

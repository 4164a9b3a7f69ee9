//! One attempt at one upstream, up to the first byte of its answer.
//!
//! Invariants: a caller's credentials and what is said to this hop alone are not sent on; an upstream's credentials
//! are in no message. A failure here can still be answered by another upstream: nothing has gone to the caller yet.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, USER_AGENT,
};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use serde::de::IgnoredAny;
use tokio::time::{Instant, timeout_at};
use waypost_policies::facts::Surface;

use super::attempt_error::AttemptError;
use super::deadline;
use super::refusal::refused;
use crate::body::{BodyError, collect};
use crate::client::{self, Client, Target, root_cause};
use crate::clock;
use crate::dialect::Dialect;
use crate::provider::{Provider, USUAL_VERSION, VERSION};
use crate::stream::{FRAMED, Source, Watcher};
use crate::translate::{Context, Pair, Translation};
use crate::usage::{Reported, hear_whole};

/// What a stream may send before its first event with data: comments, mostly.
const LONGEST_OPENING: usize = 4 << 20;
/// What is said where a provider does not say it in words.
const PROMPT_BLOCKED: &str = "it refuses the prompt";
/// What a client speaks, what its upstream does, and, where they differ, what is known for an answer in between.
#[derive(Debug, Clone)]
pub(super) struct Dialects {
    pub(super) client: Surface,
    pub(super) upstream: Dialect,
    pub(super) translation: Option<(Pair, Context)>,
}

/// What is sent, and where.
pub(super) struct Outgoing<'a> {
    pub(super) address: &'a str,
    pub(super) headers: &'a HeaderMap,
    /// Whose credentials the call gets.
    pub(super) provider: Option<&'a Provider>,
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
        usage: Option<Reported>,
        /// The tokens of its text, estimated.
        tokens: u64,
    },
    /// A streamed answer that has begun.
    Stream {
        head: Head,
        first: VecDeque<Bytes>,
        rest: Source,
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
    let (provider, body) = (outgoing.provider, outgoing.body);
    let target = client.target(outgoing.address);
    let target = target.ok_or(AttemptError::Address)?;
    let mut request = outgoing.request(&target);
    let deadline = Instant::now() + patience;
    let reply = async {
        if let Some(provider) = provider {
            // Apart: calls to pools need no room for it.
            Box::pin(provider.authorize(client, &mut request, body, clock::now()))
                .await
                .map_err(|error| AttemptError::Unauthorized(error.to_string()))?;
        }
        let sent = client::send_to(client, &target, request);
        let response = sent.await.map_err(|error| {
            let reason = root_cause(&error);
            match error.is_connect() {
                true => AttemptError::Connect(reason),
                false => AttemptError::Broken(reason),
            }
        })?;
        match response.status() {
            status if !status.is_success() => Box::pin(refused(response, dialects)).await,
            // What it used could not be read.
            _ if is_coded(response.headers()) => Err(AttemptError::Coded),
            _ if stream && is_event_stream(response.headers(), dialects.upstream) => {
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
    // With room for what is said below and by the credential.
    let mut forwarded = HeaderMap::with_capacity(headers.len() + 6);
    for (name, value) in headers {
        let is_named = |named: &&str| named.eq_ignore_ascii_case(name.as_str());
        if !concerns_this_hop(name.as_str()) && !named.iter().any(is_named) {
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

/// Whether a header concerns one hop, this server, or the caller's own credentials. Where callers are is nothing to
/// providers, and what Amazon is told is signed here.
fn concerns_this_hop(name: &str) -> bool {
    matches!(
        name,
        "accept"
            | "accept-encoding"
            | "api-key"
            | "authorization"
            | "connection"
            | "content-encoding"
            | "content-length"
            | "content-type"
            | "cookie"
            | "expect"
            | "forwarded"
            | "host"
            | "http2-settings"
            | "keep-alive"
            | "openai-organization"
            | "openai-project"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
            | "user-agent"
            | "via"
            | "x-api-key"
            | "x-goog-api-key"
            | "x-real-ip"
            | deadline::HEADER
    ) || name.starts_with("x-waypost-")
        || name.starts_with("x-forwarded-")
        || name.starts_with("x-amz-")
}

impl Outgoing<'_> {
    fn request(self, target: &Target) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = target.uri.clone();
        *request.headers_mut() = self.headers.clone();
        speak_as(request.headers_mut(), self.dialects.upstream, self.stream);
        if let Some(timeout) = self.timeout {
            request.headers_mut().insert(deadline::NAME, timeout);
        }
        request
    }
}

/// Headers that only one API knows.
fn speak_as(headers: &mut HeaderMap, upstream: Dialect, stream: bool) {
    if upstream == Dialect::Converse && stream {
        headers.insert(ACCEPT, HeaderValue::from_static(FRAMED));
    }
    if matches!(
        upstream,
        Dialect::Of(Surface::Messages | Surface::CountTokens)
    ) {
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

fn is_event_stream(headers: &HeaderMap, upstream: Dialect) -> bool {
    is(headers, "text/event-stream") || (upstream == Dialect::Converse && is(headers, FRAMED))
}

fn is(headers: &HeaderMap, media_type: &str) -> bool {
    let media = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    media.is_some_and(|media| media.trim_start().starts_with(media_type))
}

fn is_coded(headers: &HeaderMap) -> bool {
    let coding = headers.get(CONTENT_ENCODING);
    coding.is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

pub(super) fn head(response: Response<client::Answer>) -> (Head, client::Answer) {
    let (parts, body) = response.into_parts();
    let head = Head {
        status: parts.status,
        headers: parts.headers,
    };
    (head, body)
}

/// A stream, once it says its first thing.
async fn begun(
    response: Response<client::Answer>,
    mut watcher: Watcher,
    dialects: &Dialects,
) -> Result<Reply, AttemptError> {
    let framed = is(response.headers(), FRAMED);
    let (mut head, rest) = head(response);
    if framed {
        let events = HeaderValue::from_static("text/event-stream");
        head.headers.insert(CONTENT_TYPE, events);
    }
    let mut rest = Source::new(rest, framed);
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
    if told.blocked && told.tokens == 0 {
        return Err(AttemptError::ContentFilter(PROMPT_BLOCKED.to_owned()));
    }
    if told.error && told.tokens == 0 {
        return Err(AttemptError::ErrorInAnswer);
    }
    let translation = dialects.translation.clone();
    let translation = translation.map(|(pair, context)| Box::new(Translation::new(pair, context)));
    Ok(Reply::Stream {
        head,
        first,
        rest,
        watcher: Box::new(watcher),
        translation,
    })
}

async fn whole(
    response: Response<client::Answer>,
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
    let heard = hear_whole(dialects.upstream, &body);
    if heard.is_some_and(|heard| heard.blocked && heard.tokens == 0) {
        return Err(AttemptError::ContentFilter(PROMPT_BLOCKED.to_owned()));
    }
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
    let body = match &dialects.translation {
        None => body,
        Some((pair, context)) => translated(*pair, &body, context)?,
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

/// A page of HTML, half an answer, or bytes that are no text are no answer, whatever their status.
fn is_object(body: &[u8], parsed: bool) -> bool {
    let is_json = |text| serde_json::from_str::<IgnoredAny>(text).is_ok();
    body.trim_ascii_start().starts_with(b"{")
        && (parsed || std::str::from_utf8(body).is_ok_and(is_json))
}

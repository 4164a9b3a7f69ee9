//! Why a call was not answered, as OpenAI's clients expect to be told, and as Anthropic's do.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};
use serde::Serialize;
use waypost_policies::facts::Surface;

use crate::Body;
use crate::body::BodyError;
use crate::callers::{TokenError, Unknown};
use crate::rate_limit::RateLimit;
use crate::rule::Site;

/// Longer than this, a client's own quick retries only add load.
const WORTH_RETRYING: Duration = Duration::from_secs(60);

/// Why a call was not answered.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    /// `error.type`
    pub(crate) kind: &'static str,
    /// `error.code`
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) details: Box<Details>,
}

/// What only some failures have.
#[derive(Debug, Clone, Default)]
pub(crate) struct Details {
    /// The field at fault.
    pub(crate) param: Option<String>,
    /// What to do.
    pub(crate) hint: Option<Cow<'static, str>>,
    /// The rule that is the cause.
    pub(crate) rule: Option<Site>,
    /// When to come back.
    pub(crate) retry_after: Option<Duration>,
    /// How full the limit is that is the cause.
    pub(crate) limit: Option<RateLimit>,
    /// Whether a client should retry, where its own judgement would be wrong.
    pub(crate) should_retry: Option<bool>,
    /// What was tried before.
    pub(crate) tried: Vec<Tried>,
}

/// A model that was tried or passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tried {
    /// Which.
    pub model: String,
    /// Which replica or provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replica: Option<String>,
    /// What came of it.
    pub failure: String,
}

#[derive(Serialize)]
struct Document<'a> {
    error: ErrorObject<'a>,
}

#[derive(Serialize)]
struct ErrorObject<'a> {
    message: &'a str,
    r#type: &'a str,
    param: Option<&'a str>,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
    #[serde(skip_serializing_if = "<[Tried]>::is_empty")]
    tried: &'a [Tried],
}

impl Failure {
    pub(crate) fn new(
        status: StatusCode,
        kind: &'static str,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            status,
            kind,
            code,
            message: message.into(),
            details: Box::default(),
        }
    }

    /// The client's mistake.
    pub(crate) fn invalid(
        status: StatusCode,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self::new(status, "invalid_request_error", code, message)
    }

    pub(crate) fn param(mut self, param: impl Into<String>) -> Self {
        self.details.param = Some(param.into());
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.details.hint = Some(hint.into());
        self
    }

    pub(crate) fn because(mut self, rule: Site) -> Self {
        self.details.rule = Some(rule);
        self
    }

    /// Come back in this long; `None`: never, the same call cannot pass.
    pub(crate) fn retry_after(mut self, wait: Option<Duration>) -> Self {
        self.details.retry_after = wait;
        if wait.is_none_or(|wait| wait > WORTH_RETRYING) {
            self.details.should_retry = Some(false);
        }
        self
    }

    pub(crate) fn tried(mut self, tried: Vec<Tried>) -> Self {
        self.details.tried = tried;
        self
    }

    /// As JSON on one line.
    pub(crate) fn json(&self) -> String {
        let rule = self.details.rule.as_ref();
        let document = Document {
            error: ErrorObject {
                message: &self.message,
                r#type: self.kind,
                param: self.details.param.as_deref(),
                code: self.code,
                rule: rule.map(|rule| &*rule.label),
                file: rule.map(|rule| &*rule.file),
                line: rule.map(|rule| rule.line),
                hint: self.details.hint.as_deref(),
                tried: &self.details.tried,
            },
        };
        // Strings and numbers only: nothing here fails to serialise.
        serde_json::to_string(&document).unwrap_or_default()
    }

    /// As JSON on one line, in the shape that the clients of a surface expect.
    pub(crate) fn json_on(&self, surface: Surface) -> String {
        match surface {
            Surface::Messages | Surface::CountTokens => self.in_anthropics_shape(),
            _ => self.json(),
        }
    }

    /// The same members under another type: Anthropic's types go by the status.
    fn in_anthropics_shape(&self) -> String {
        let mut document: serde_json::Value =
            serde_json::from_str(&self.json()).unwrap_or_default();
        if let Some(document) = document.as_object_mut() {
            document.insert("type".to_owned(), "error".into());
            let error = document
                .get_mut("error")
                .and_then(|error| error.as_object_mut());
            if let Some(error) = error {
                error.insert("type".to_owned(), anthropic_type(self.status).into());
            }
        }
        document.to_string()
    }

    pub(crate) fn response(&self) -> Response<Body> {
        self.response_on(Surface::Chat)
    }

    /// The response to a client of a surface.
    pub(crate) fn response_on(&self, surface: Surface) -> Response<Body> {
        let mut response = json_response(self.status, self.json_on(surface));
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(limit) = self.details.limit {
            limit.mark(headers);
        }
        if let Some(wait) = self.details.retry_after {
            let milliseconds = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            headers.insert(
                RETRY_AFTER,
                HeaderValue::from(milliseconds.div_ceil(1000).max(1)),
            );
            headers.insert(
                HeaderName::from_static("retry-after-ms"),
                HeaderValue::from(milliseconds.max(1)),
            );
        }
        if let Some(should) = self.details.should_retry {
            let value = HeaderValue::from_static(if should { "true" } else { "false" });
            headers.insert(HeaderName::from_static("x-should-retry"), value);
        }
        response
    }
}

/// `error.type` in Anthropic's API.
const fn anthropic_type(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        503 | 529 => "overloaded_error",
        504 => "timeout_error",
        status if status >= 500 => "api_error",
        _ => "invalid_request_error",
    }
}

/// A response with a JSON body.
pub(crate) fn json_response(status: StatusCode, json: String) -> Response<Body> {
    let body = Full::new(Bytes::from(json)).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

impl From<Unknown> for Failure {
    fn from(unknown: Unknown) -> Self {
        let message = match unknown {
            Unknown::NoKey => "no api key: send `Authorization: Bearer <key>`",
            Unknown::Damaged => {
                "this api key is cut off or mistyped: its last characters do not fit the others"
            }
            Unknown::Expired => "this api key has expired: ask for a new one",
            Unknown::Revoked => "this api key was revoked: ask for a new one",
            Unknown::WrongKey => "this api key is not known here: check it, or ask for one",
            Unknown::NotBearer => "`Authorization` must be `Bearer <key>`",
            Unknown::Twice => "the header of the api key stands twice: send it once",
            Unknown::Token(error) => return Self::from(error),
        };
        Self::new(
            StatusCode::UNAUTHORIZED,
            "invalid_request_error",
            "invalid_api_key",
            message,
        )
    }
}

impl From<TokenError> for Failure {
    fn from(error: TokenError) -> Self {
        let message = error.to_string();
        match error {
            // The caller may be right: it is we who cannot tell.
            TokenError::KeysAway => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "server_error",
                "token_keys_unavailable",
                message,
            ),
            _ => Self::new(
                StatusCode::UNAUTHORIZED,
                "invalid_request_error",
                "invalid_token",
                message,
            ),
        }
    }
}

impl From<BodyError> for Failure {
    fn from(error: BodyError) -> Self {
        let (status, code, hint) = match error {
            BodyError::TooLarge { .. } => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "request_too_large",
                "send less",
            ),
            BodyError::TooSlow(_) => (
                StatusCode::REQUEST_TIMEOUT,
                "request_timeout",
                "send it again",
            ),
            BodyError::NoRoom => {
                let code = "too_many_large_bodies";
                return Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "server_error",
                    code,
                    error.to_string(),
                )
                .retry_after(Some(Duration::from_secs(1)))
                .hint("send it again later, or send less");
            }
            BodyError::Disconnected => {
                (StatusCode::BAD_REQUEST, "incomplete_body", "send it again")
            }
        };
        Self::invalid(status, code, error.to_string()).hint(hint)
    }
}

//! Why an attempt at an upstream failed, and what follows from it.

use std::time::Duration;

use hyper::StatusCode;

use crate::failure::Failure;

/// When to come back where every replica was busy or away.
const SATURATED_RETRY: Duration = Duration::from_secs(1);

/// Why an attempt failed, before its first byte.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AttemptError {
    #[error("cannot connect: {0}")]
    Connect(String),
    #[error("the connection broke: {0}")]
    Broken(String),
    #[error("no first byte within {0:?}")]
    OutOfTime(Duration),
    #[error("it answered {status}{}", .message.as_ref().map(|message| format!(": {message}")).unwrap_or_default())]
    Status {
        status: StatusCode,
        message: Option<String>,
        retry_after: Option<Duration>,
    },
    // In words that Anthropic's clients, LiteLLM and LangChain look for.
    #[error("the prompt is too long for it: {0}")]
    ContextLength(String),
    #[error("its content filter stopped the call: {0}")]
    ContentFilter(String),
    #[error("it does not accept this server's credentials ({0})")]
    Credentials(StatusCode),
    #[error("the call cannot be authenticated there: {0}")]
    Unauthorized(String),
    #[error("it points elsewhere ({0}), which is not followed")]
    Redirects(StatusCode),
    #[error("it does not know the model or deployment")]
    UnknownThere,
    #[error("it answered with an error and a status that says success")]
    ErrorInAnswer,
    #[error("its answer is not a JSON object")]
    NotJson,
    #[error("its answer is coded, which was not asked for")]
    Coded,
    #[error("its answer ended before it began")]
    Empty,
    #[error("its answer is larger than {0} bytes")]
    TooLarge(usize),
    #[error("its address is not a URL")]
    Address,
    #[error("its provider's API has no such surface")]
    NoSurface,
    #[error("it cannot take this call: {0}")]
    Untranslatable(String),
    #[error("its answer cannot be translated: {0}")]
    Unreadable(String),
    #[error("it asked to be left alone for another {} s", .left.as_secs_f64().ceil())]
    Resting { status: StatusCode, left: Duration },
    #[error("it has failed lately, and is left alone for a moment")]
    Ejected,
    #[error("no replica is available")]
    NoReplica,
    #[error("every replica is saturated")]
    Saturated,
    #[error("every replica is saturated, and the file says `shed`")]
    Shed,
}

/// What follows from a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reaction {
    /// The same model may answer if it is asked again: another replica first.
    pub(super) again: bool,
    /// The replica is at fault, not the call.
    pub(super) is_of_replica: bool,
    /// The call is refused rather than sent to the next model.
    pub(super) is_final: bool,
}

impl Reaction {
    const fn new(again: bool, is_of_replica: bool, is_final: bool) -> Self {
        Self {
            again,
            is_of_replica,
            is_final,
        }
    }
}

impl AttemptError {
    /// What follows from it: the one table. Where the same model is not asked again, or not with success, the tier's
    /// next model is, unless the call ends with it.
    pub(super) const fn reaction(&self) -> Reaction {
        const AGAIN: Reaction = Reaction::new(true, true, false);
        const AGAIN_ANYWHERE: Reaction = Reaction::new(true, false, false);
        const NEXT_MODEL: Reaction = Reaction::new(false, false, false);
        match self {
            Self::Connect(_) | Self::Broken(_) | Self::OutOfTime(_) | Self::Empty => AGAIN,
            Self::NotJson | Self::Unreadable(_) => AGAIN,
            // Methods, protocols and features that it does not have, it will not have in a moment either.
            Self::Status { status, .. } if matches!(status.as_u16(), 405 | 501 | 505) => {
                Reaction::new(false, true, false)
            }
            Self::Status { .. } => AGAIN,
            Self::ErrorInAnswer => AGAIN_ANYWHERE,
            Self::Coded => Reaction::new(false, true, false),
            Self::ContextLength(_) | Self::ContentFilter(_) => NEXT_MODEL,
            Self::Credentials(_) | Self::Unauthorized(_) | Self::Redirects(_) => NEXT_MODEL,
            Self::UnknownThere | Self::Address => NEXT_MODEL,
            Self::Untranslatable(_) | Self::NoSurface => NEXT_MODEL,
            Self::Resting { .. } => AGAIN_ANYWHERE,
            Self::TooLarge(_) | Self::NoReplica | Self::Saturated | Self::Ejected => NEXT_MODEL,
            Self::Shed => Reaction::new(false, false, true),
        }
    }

    /// Whether the upstream may have worked on the call all along.
    pub(super) const fn is_out_of_time(&self) -> bool {
        matches!(self, Self::OutOfTime(_))
    }

    /// When the upstream wants to be asked again.
    pub(super) const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            Self::Resting { left, .. } => Some(*left),
            _ => None,
        }
    }

    /// Whether it was not asked at all, since it is left alone.
    pub(super) const fn is_left_alone(&self) -> bool {
        matches!(self, Self::Resting { .. } | Self::Ejected)
    }

    /// In one word, for metrics and as `error.code`.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Connect(_) => "upstream_unreachable",
            Self::Broken(_) | Self::Empty | Self::NotJson | Self::Unreadable(_) | Self::Coded => {
                "upstream_broken"
            }
            Self::NoSurface => "unsupported_surface",
            Self::Untranslatable(_) => "unsupported_by_model",
            Self::OutOfTime(_) => "upstream_timeout",
            Self::Status { status, .. } | Self::Resting { status, .. }
                if status.as_u16() == 429 =>
            {
                "rate_limit_exceeded"
            }
            Self::Ejected => "ejected",
            Self::Status { .. } | Self::Resting { .. } | Self::ErrorInAnswer => "upstream_error",
            Self::ContextLength(_) => "context_length_exceeded",
            Self::ContentFilter(_) => "content_filter",
            Self::Credentials(_) | Self::Unauthorized(_) => "upstream_credentials",
            Self::Redirects(_) => "upstream_redirects",
            Self::UnknownThere => "upstream_unknown_model",
            Self::TooLarge(_) => "upstream_too_large",
            Self::Address => "upstream_address",
            Self::NoReplica => "no_replica",
            Self::Saturated | Self::Shed => "saturated",
        }
    }

    /// What to do about it.
    const fn hint(&self) -> &'static str {
        match self {
            Self::ContextLength(_) => "send fewer or shorter messages",
            Self::ContentFilter(_) => "change what the call says",
            Self::Untranslatable(_) => "leave it out, or name a model that speaks this API itself",
            Self::NoSurface => "name a model that does, or send the call to another path",
            Self::Credentials(_)
            | Self::Unauthorized(_)
            | Self::Redirects(_)
            | Self::UnknownThere
            | Self::Address => "tell the operator: this server is set up wrongly for this model",
            Self::TooLarge(_) => "ask for a shorter answer",
            _ => "send the call again later",
        }
    }

    /// What the caller is told when nothing else answers either.
    pub(super) fn to_answer(&self) -> Failure {
        let code = self.word();
        let words = format!("no model answered: {self}");
        let failed =
            |status, kind| Failure::new(status, kind, code, words.clone()).hint(self.hint());
        match self {
            Self::OutOfTime(_) => failed(StatusCode::GATEWAY_TIMEOUT, "upstream_error"),
            Self::ContextLength(_) | Self::ContentFilter(_) => {
                failed(StatusCode::BAD_REQUEST, "invalid_request_error").param("messages")
            }
            Self::Untranslatable(_) | Self::NoSurface => {
                failed(StatusCode::BAD_REQUEST, "invalid_request_error")
            }
            Self::Status { status, .. } | Self::Resting { status, .. } => {
                let (status, kind) = match status.as_u16() {
                    429 => (StatusCode::TOO_MANY_REQUESTS, "rate_limit_error"),
                    503 | 529 => (StatusCode::SERVICE_UNAVAILABLE, "upstream_error"),
                    408 | 504 => (StatusCode::GATEWAY_TIMEOUT, "upstream_error"),
                    _ => (StatusCode::BAD_GATEWAY, "upstream_error"),
                };
                let failure = failed(status, kind);
                match self.retry_after() {
                    Some(wait) => failure.retry_after(Some(wait)),
                    None => failure,
                }
            }
            Self::NoReplica | Self::Saturated | Self::Shed | Self::Ejected => {
                failed(StatusCode::SERVICE_UNAVAILABLE, "upstream_error")
                    .retry_after(Some(SATURATED_RETRY))
            }
            _ => failed(StatusCode::BAD_GATEWAY, "upstream_error"),
        }
    }
}

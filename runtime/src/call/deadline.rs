//! Until when a caller waits: `x-request-timeout`, for a call and all that is done about it.

use std::time::Duration;

use hyper::header::{HeaderName, HeaderValue};
use hyper::{HeaderMap, StatusCode};
use tokio::time::Instant;

use crate::failure::Failure;

/// Where callers say how long they wait, and upstreams are told how much of it is left.
pub(super) const HEADER: &str = "x-request-timeout";
pub(super) const NAME: HeaderName = HeaderName::from_static(HEADER);
/// Longer than this nobody waits.
const LONGEST: Duration = Duration::from_secs(86_400);

/// The moment by which an answer must be whole, or, streamed, begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Deadline(Option<Instant>);

impl Deadline {
    /// What the caller asks for, counted from when its call came.
    pub(super) fn read(headers: &HeaderMap, started: Instant) -> Result<Self, Failure> {
        let Some(value) = headers.get(NAME) else {
            return Ok(Self(None));
        };
        let wait = value.to_str().ok().and_then(duration).ok_or_else(|| {
            let message =
                format!("the header `{HEADER}` is no time: send seconds, as `30`, or `500ms`");
            Failure::invalid(StatusCode::BAD_REQUEST, "invalid_timeout", message)
        })?;
        Ok(Self(Some(started + wait)))
    }

    /// How much of a time may be waited.
    pub(super) fn within(self, time: Duration) -> Duration {
        match self.0 {
            Some(end) => time.min(end.saturating_duration_since(Instant::now())),
            None => time,
        }
    }

    /// Whether there is more than this much time left.
    pub(super) fn allows(self, time: Duration) -> bool {
        self.0
            .is_none_or(|end| end.saturating_duration_since(Instant::now()) > time)
    }

    /// What an upstream is told, in seconds.
    pub(super) fn header(self) -> Option<HeaderValue> {
        let left = self.0?.saturating_duration_since(Instant::now());
        HeaderValue::from_str(&format!("{:.3}", left.as_secs_f64())).ok()
    }
}

fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let (number, unit) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(number), _) => (number, 1e-3),
        (None, Some(number)) => (number, 1.0),
        (None, None) => (text, 1.0),
    };
    let seconds = number.trim().parse::<f64>().ok()? * unit;
    let duration = Duration::try_from_secs_f64(seconds).ok()?;
    Some(duration.min(LONGEST)).filter(|duration| !duration.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_unless_they_say_so() {
        let milliseconds = |text| duration(text).map(|duration| duration.as_millis());
        for (text, expected) in [
            ("30", Some(30_000)),
            (" 1.5 s", Some(1_500)),
            ("500ms", Some(500)),
            ("1e99", None),
            ("1e9", Some(86_400_000)),
            ("0", None),
            ("-1", None),
            ("NaN", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(milliseconds(text), expected, "{text}");
        }
    }
}

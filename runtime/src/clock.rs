//! The time, as decisions take it.

use std::time::{Duration, SystemTime};

/// Nanoseconds since 1970.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    // A clock before 1970 or after 2262 is wrong; decisions bear either.
    since.map_or(0, |since| {
        i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
    })
}

/// How long ago a moment was.
pub(crate) fn since(moment: i64) -> Duration {
    Duration::from_nanos(u64::try_from(now().saturating_sub(moment)).unwrap_or(0))
}

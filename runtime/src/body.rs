//! Reads a request's body into one buffer, within bounds.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};

use crate::settings::Bounds;

/// Why a body was not read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum BodyError {
    #[error("the body is larger than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("the body did not arrive within {0:?}")]
    TooSlow(Duration),
    #[error("the body ended early")]
    Disconnected,
}

/// Reads a body.
pub(crate) async fn read_body(body: Incoming, bounds: &Bounds) -> Result<Bytes, BodyError> {
    let limit = bounds.body;
    if body.size_hint().lower() > limit as u64 {
        return Err(BodyError::TooLarge { limit });
    }
    tokio::time::timeout(bounds.body_time, collect(body, limit))
        .await
        .map_err(|_| BodyError::TooSlow(bounds.body_time))?
}

/// All of a body, as long as it is no larger than `limit`.
pub(crate) async fn collect(mut body: Incoming, limit: usize) -> Result<Bytes, BodyError> {
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| BodyError::Disconnected)?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if all.is_empty() && body.is_end_stream() && data.len() <= limit {
            return Ok(data);
        }
        if all.len() + data.len() > limit {
            return Err(BodyError::TooLarge { limit });
        }
        if all.is_empty() {
            let announced = usize::try_from(body.size_hint().lower()).unwrap_or(limit);
            all.reserve(announced.min(limit).saturating_add(data.len()));
        }
        all.extend_from_slice(&data);
    }
    Ok(all.freeze())
}

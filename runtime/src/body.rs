//! Reads a request's body into one buffer, within bounds.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Incoming};
use tokio::time::timeout;

use crate::settings::Bounds;

/// How long a body that nobody wants is read and thrown away.
const LONGEST_DISCARD: Duration = Duration::from_secs(10);

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
pub(crate) async fn read_body(body: &mut Incoming, bounds: &Bounds) -> Result<Bytes, BodyError> {
    let limit = bounds.body;
    let read = async {
        if body.size_hint().lower() > limit as u64 {
            return Err(BodyError::TooLarge { limit });
        }
        collect(body, limit).await
    };
    timeout(bounds.body_time, read)
        .await
        .map_err(|_| BodyError::TooSlow(bounds.body_time))?
}

/// Takes in what is left of the body of a call that is refused: a client that is still sending reads no answer, and
/// takes a closed connection for a broken one.
pub(crate) fn discard(mut body: Incoming) {
    if body.is_end_stream() {
        return;
    }
    tokio::spawn(timeout(LONGEST_DISCARD, async move {
        while let Some(Ok(_)) = body.frame().await {}
    }));
}

/// All of a body, as long as it is no larger than `limit`.
pub(crate) async fn collect<B>(body: &mut B, limit: usize) -> Result<Bytes, BodyError>
where
    B: Body<Data = Bytes> + Unpin,
{
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

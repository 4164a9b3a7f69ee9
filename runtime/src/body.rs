//! Reads a request's body into one buffer, within bounds: of its own, and of all bodies together.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Incoming};
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
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
    #[error("the memory for large bodies is taken by other calls")]
    NoRoom,
}

/// Bodies up to this size take no room: connections bound how many there are.
const SMALL: usize = 64 << 10;

/// Memory for large bodies, shared by all threads. Who finds none waits with his body unread, so that he waits too who
/// sends it.
#[derive(Debug)]
pub(crate) struct Room {
    /// In units of [`SMALL`].
    free: Arc<Semaphore>,
    units: u32,
    used: Gauge,
}

/// Room that a call has until it is answered.
#[derive(Debug)]
pub(crate) struct Held {
    taken: OwnedSemaphorePermit,
    used: Gauge,
}

impl Room {
    /// For so many bytes, and for one body of the largest size at least.
    pub(crate) fn new(bounds: &Bounds, used: &Gauge) -> Self {
        let units = units(bounds.body_memory.max(bounds.body));
        Self {
            free: Arc::new(Semaphore::new(units as usize)),
            units,
            used: used.clone(),
        }
    }

    async fn take(&self, size: usize, patience: Duration) -> Result<Held, BodyError> {
        let wanted = units(size).min(self.units);
        let taken = Arc::clone(&self.free).acquire_many_owned(wanted);
        let taken = timeout(patience, taken).await;
        let taken = taken.map_err(|_| BodyError::NoRoom)?;
        let taken = taken.map_err(|_| BodyError::NoRoom)?;
        self.used.inc_by(bytes_of(&taken));
        Ok(Held {
            taken,
            used: self.used.clone(),
        })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.used.dec_by(bytes_of(&self.taken));
    }
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(SMALL)).unwrap_or(u32::MAX)
}

fn bytes_of(taken: &OwnedSemaphorePermit) -> i64 {
    i64::try_from(taken.num_permits().saturating_mul(SMALL)).unwrap_or(i64::MAX)
}

/// Reads a body; a large one comes with the room that it takes.
pub(crate) async fn read_body(
    body: &mut Incoming,
    bounds: &Bounds,
    room: &Room,
) -> Result<(Bytes, Option<Held>), BodyError> {
    let limit = bounds.body;
    if body.size_hint().lower() > limit as u64 {
        return Err(BodyError::TooLarge { limit });
    }
    let announced = body.size_hint().exact();
    let announced = announced.map(|size| usize::try_from(size).unwrap_or(limit));
    let mut begun = BytesMut::new();
    let size = match announced {
        Some(size) => size,
        // Nobody has said how large it is: as large as it may be, once it is no longer small.
        None => match in_time(bounds, begin(body, &mut begun)).await? {
            true if begun.len() > limit => return Err(BodyError::TooLarge { limit }),
            true => return Ok((begun.freeze(), None)),
            false => limit,
        },
    };
    let held = match size > SMALL {
        true => Some(room.take(size, bounds.body_time).await?),
        false => None,
    };
    let all = in_time(bounds, collect_after(begun, body, limit)).await?;
    Ok((all, held))
}

async fn in_time<T>(
    bounds: &Bounds,
    read: impl Future<Output = Result<T, BodyError>>,
) -> Result<T, BodyError> {
    let read = timeout(bounds.body_time, read).await;
    read.map_err(|_| BodyError::TooSlow(bounds.body_time))?
}

/// Reads as much as is small; whether that was all.
async fn begin(body: &mut Incoming, begun: &mut BytesMut) -> Result<bool, BodyError> {
    while begun.len() <= SMALL {
        match body.frame().await {
            None => return Ok(true),
            Some(frame) => {
                let frame = frame.map_err(|_| BodyError::Disconnected)?;
                begun.extend_from_slice(&frame.into_data().unwrap_or_default());
            }
        }
    }
    Ok(false)
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
    collect_after(BytesMut::new(), body, limit).await
}

/// The same, behind what has come of it.
async fn collect_after<B>(mut all: BytesMut, body: &mut B, limit: usize) -> Result<Bytes, BodyError>
where
    B: Body<Data = Bytes> + Unpin,
{
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

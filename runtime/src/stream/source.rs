//! What an upstream streams, taken out of binary frames where it comes in them.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame};

use super::frames::{FrameError, Frames};
use crate::client::Answer;

/// Why a stream cannot be read on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    /// The connection.
    #[error(transparent)]
    Connection(#[from] hyper::Error),
    /// What came over it.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

/// A stream of server-sent events, as it came or out of frames.
#[derive(Debug)]
pub(crate) struct Source {
    incoming: Answer,
    frames: Option<Frames>,
}

impl Source {
    pub(crate) fn new(incoming: Answer, framed: bool) -> Self {
        Self {
            incoming,
            frames: framed.then(Frames::default),
        }
    }
}

impl Body for Source {
    type Data = Bytes;
    type Error = SourceError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, SourceError>>> {
        let this = self.get_mut();
        loop {
            if let Some(failure) = this.frames.as_ref().and_then(Frames::failure) {
                return Poll::Ready(Some(Err(failure.into())));
            }
            let frame = ready!(Pin::new(&mut this.incoming).poll_frame(cx)).transpose()?;
            let Some(frames) = &mut this.frames else {
                return Poll::Ready(frame.map(Ok));
            };
            let Some(frame) = frame else {
                return Poll::Ready(frames.cut().map(|cut| Err(cut.into())));
            };
            let Ok(chunk) = frame.into_data() else {
                continue;
            };
            let events = frames.read(&chunk);
            if !events.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(events))));
            }
        }
    }
}

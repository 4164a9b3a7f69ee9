//! A response body that is fed through a channel while it is sent.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame};
use tokio::sync::mpsc::Receiver;

/// Ends when its sender is dropped.
#[derive(Debug)]
pub(super) struct Events {
    receiver: Receiver<Bytes>,
}

impl Events {
    /// What `receiver` gets.
    pub(super) const fn new(receiver: Receiver<Bytes>) -> Self {
        Self { receiver }
    }
}

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.receiver
            .poll_recv(context)
            .map(|chunk| chunk.map(|bytes| Ok(Frame::data(bytes))))
    }
}

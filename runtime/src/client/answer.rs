//! An upstream's answer, on the connection that it comes over.
//!
//! Invariant: a connection goes back only when its answer was read to the end; an answer that nobody wants ends its
//! connection or its stream, and with it the upstream's work.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use super::host::Lease;

/// The body of an upstream's answer.
#[derive(Debug)]
pub(crate) struct Answer {
    body: Incoming,
    lease: Option<Lease>,
}

impl Answer {
    pub(super) fn new(body: Incoming, lease: Lease) -> Self {
        let mut answer = Self {
            body,
            lease: Some(lease),
        };
        answer.note_end();
        answer
    }

    fn note_end(&mut self) {
        if self.body.is_end_stream()
            && let Some(lease) = self.lease.take()
        {
            lease.give_back();
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        match &frame {
            None => {
                if let Some(lease) = self.lease.take() {
                    lease.give_back();
                }
            }
            Some(Ok(_)) => self.note_end(),
            Some(Err(_)) => drop(self.lease.take()),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

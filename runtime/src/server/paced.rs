//! A connection whose client must get on with a head that it has begun.
//!
//! Invariant: how long a head may take counts from its first byte, so a connection that rests between calls is not
//! concerned, and one that sends a byte now and then is.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::activity::Activity;
use super::heads::Head;
use super::socket::Transport;

/// A connection, and what is known of the head that arrives on it.
#[derive(Debug)]
pub(super) struct Paced {
    transport: Transport,
    /// What was read to find out which protocol the client speaks.
    opening: Bytes,
    activity: Arc<Activity>,
    /// HTTP/2 has no heads of its own on a connection.
    head: Option<Head>,
    /// How many calls had come when this head began.
    calls: u32,
    bound: Duration,
    /// Set while a head arrives.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Paced {
    pub(super) fn new(
        transport: Transport,
        opening: Bytes,
        activity: Arc<Activity>,
        bound: Option<Duration>,
    ) -> Self {
        Self {
            transport,
            opening,
            calls: activity.calls(),
            activity,
            head: bound.map(|_| Head::default()),
            bound: bound.unwrap_or_default(),
            alarm: None,
        }
    }

    /// Whether a head was begun and never ended.
    pub(super) const fn has_half_a_head(&self) -> bool {
        self.alarm.is_some()
    }

    /// Something came.
    fn came(&mut self, bytes: &[u8]) {
        let Some(head) = &mut self.head else { return };
        let calls = self.activity.calls();
        if calls != self.calls {
            (self.calls, self.alarm, *head) = (calls, None, Head::default());
        }
        if bytes.is_empty() || self.activity.has_open_calls() {
            return;
        }
        if !head.read(bytes) {
            let bound = self.bound;
            self.alarm.get_or_insert_with(|| Box::pin(sleep(bound)));
            return;
        }
        self.alarm = None;
        if head.is_ambiguous() {
            self.activity.set_ambiguous();
        }
    }
}

impl AsyncRead for Paced {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.opening.is_empty() {
            let length = self.opening.len().min(buffer.remaining());
            let bytes = self.opening.copy_to_bytes(length);
            buffer.put_slice(&bytes);
            self.came(&bytes);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.transport).poll_read(cx, buffer);
        match &read {
            Poll::Ready(Ok(())) => {
                self.came(buffer.filled().get(before..).unwrap_or_default());
            }
            Poll::Pending => {
                if self.activity.has_open_calls() {
                    self.alarm = None;
                }
                if let Some(alarm) = &mut self.alarm {
                    std::task::ready!(alarm.as_mut().poll(cx));
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
            }
            Poll::Ready(Err(_)) => {}
        }
        read
    }
}

impl AsyncWrite for Paced {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.transport).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.transport).poll_write_vectored(cx, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.transport.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_shutdown(cx)
    }
}

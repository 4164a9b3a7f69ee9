//! The body of a streamed answer.
//!
//! Invariants: a client that hangs up drops this, and with it the upstream's connection and the place at the replica;
//! an upstream that breaks off, or says nothing for too long, ends in an error event, never in silence.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use hyper::body::{Body, Frame};
use tokio::time::{Instant, Sleep, sleep};
use waypost_policies::facts::Surface;

use super::{Source, Watcher};
use crate::account::Account;
use crate::pool::Seat;
use crate::receipt::Ending;
use crate::translate::{Translation, error_event};

const OK: u16 = 200;
/// How long an upstream may take to close a stream once it has said that it is done.
const FAREWELL: Duration = Duration::from_secs(1);

/// How a stream reaches its client.
#[derive(Debug)]
pub(crate) struct Onward {
    /// What the client speaks.
    pub(crate) client: Surface,
    /// What makes its dialect of the upstream's, where they differ.
    pub(crate) translation: Option<Box<Translation>>,
    /// How long the upstream may be silent.
    pub(crate) silence: Duration,
}

/// A streamed answer on its way to the client.
#[derive(Debug)]
pub(crate) struct AnswerStream {
    /// What came before the answer began; it has been watched already.
    first: VecDeque<Bytes>,
    /// The rest, until it ends.
    rest: Option<Source>,
    watcher: Watcher,
    account: Account,
    /// The place at whoever answers.
    _seat: Option<Seat>,
    onward: Onward,
    /// When the upstream has been silent for too long; put off with all that comes.
    silent_at: Instant,
    /// Rings at or before that: it is set anew when it rings, not for each event.
    alarm: Pin<Box<Sleep>>,
}

impl AnswerStream {
    pub(crate) fn new(
        first: VecDeque<Bytes>,
        rest: Source,
        watcher: Watcher,
        account: Account,
        seat: Option<Seat>,
        onward: Onward,
    ) -> Self {
        let mut stream = Self {
            first,
            rest: Some(rest),
            watcher,
            account,
            silent_at: Instant::now() + onward.silence,
            _seat: seat,
            alarm: Box::pin(sleep(onward.silence)),
            onward,
        };
        stream.note();
        stream
    }

    fn note(&mut self) {
        let told = self.watcher.told();
        self.account.seen(told.usage, told.tokens);
    }

    /// What the client gets of what has come.
    fn translated(&mut self, chunk: Bytes) -> Bytes {
        match &mut self.onward.translation {
            Some(translation) => translation.pass(&chunk),
            None => chunk,
        }
    }

    /// The upstream has ended; what is still to be sent.
    fn end(&mut self) -> Bytes {
        let is_in_event = self.watcher.is_in_event();
        let rest = self.watcher.rest();
        self.note();
        let told = self.watcher.told();
        if told.error {
            return self.close(ended(rest, is_in_event), Ending::Broken);
        }
        if !told.is_complete() {
            return self.break_off(&rest, "the upstream ended before the answer was complete");
        }
        let rest = match &mut self.onward.translation {
            Some(translation) => translation.finish(),
            None => ended(rest, is_in_event),
        };
        self.close(rest, Ending::Answered)
    }

    /// The upstream is gone. Where the answer was complete before, nothing is missing.
    fn lose(&mut self, reason: &str) -> Bytes {
        if self.watcher.told().is_complete() {
            return self.end();
        }
        let rest = self.watcher.rest();
        self.break_off(&rest, reason)
    }

    fn break_off(&mut self, rest: &[u8], reason: &str) -> Bytes {
        // Whatever event is half sent ends here; to whole ones a blank line more means nothing.
        let mut output = BytesMut::from(rest);
        output.put_slice(b"\n\n");
        let message = format!("{reason}: what came before is all that there is");
        let error = error_event(
            self.onward.client,
            &message,
            "stream_broken",
            "send the call again",
        );
        output.put_slice(error.as_bytes());
        self.close(output.freeze(), Ending::Broken)
    }

    fn close(&mut self, output: Bytes, ending: Ending) -> Bytes {
        self.rest = None;
        self.account.close(OK, ending);
        output
    }
}

/// What is left of an event, and the blank line that ends it where that is missing.
fn ended(rest: Bytes, is_in_event: bool) -> Bytes {
    if !is_in_event {
        return rest;
    }
    let mut output = BytesMut::from(&*rest);
    output.put_slice(b"\n\n");
    output.freeze()
}

impl Body for AnswerStream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        let frame =
            |output: Bytes| Poll::Ready((!output.is_empty()).then(|| Ok(Frame::data(output))));
        while let Some(chunk) = this.first.pop_front() {
            let output = this.translated(chunk);
            if !output.is_empty() {
                return frame(output);
            }
        }
        loop {
            let Some(rest) = &mut this.rest else {
                return Poll::Ready(None);
            };
            match Pin::new(rest).poll_frame(cx) {
                Poll::Ready(Some(Ok(incoming))) => {
                    let Ok(chunk) = incoming.into_data() else {
                        continue;
                    };
                    let chunk = this.watcher.pass(chunk);
                    this.note();
                    let output = this.translated(chunk);
                    let silence = this.onward.silence;
                    let patience = match this.watcher.told().done {
                        true => FAREWELL.min(silence),
                        false => silence,
                    };
                    this.silent_at = Instant::now() + patience;
                    if this.silent_at < this.alarm.deadline() {
                        this.alarm.as_mut().reset(this.silent_at);
                    }
                    if !output.is_empty() {
                        return frame(output);
                    }
                }
                Poll::Ready(Some(Err(_))) => return frame(this.lose("the upstream broke off")),
                Poll::Ready(None) => return frame(this.end()),
                Poll::Pending => {
                    std::task::ready!(this.alarm.as_mut().poll(cx));
                    if Instant::now() < this.silent_at {
                        this.alarm.as_mut().reset(this.silent_at);
                        continue;
                    }
                    return frame(this.lose("the upstream fell silent"));
                }
            }
        }
    }
}

impl Drop for AnswerStream {
    fn drop(&mut self) {
        // A client may leave after the last event without waiting for the end of the body.
        if self.rest.is_some() && self.watcher.told().is_complete() {
            self.account.close(OK, Ending::Answered);
        }
    }
}

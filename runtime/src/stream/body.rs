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
use hyper::body::{Body, Frame, Incoming};
use tokio::time::{Instant, Sleep, sleep};

use super::Watcher;
use crate::account::Account;
use crate::pool::Picked;
use crate::receipt::Ending;

const OK: u16 = 200;
/// How long an upstream may take to close a stream once it has said that it is done.
const FAREWELL: Duration = Duration::from_secs(1);

/// A streamed answer on its way to the client.
#[derive(Debug)]
pub(crate) struct AnswerStream {
    /// What came before the answer began; it has been watched already.
    first: VecDeque<Bytes>,
    /// The rest, until it ends.
    rest: Option<Incoming>,
    watcher: Watcher,
    account: Account,
    /// The place at the replica.
    _picked: Option<Picked>,
    silence: Duration,
    alarm: Pin<Box<Sleep>>,
}

impl AnswerStream {
    pub(crate) fn new(
        first: VecDeque<Bytes>,
        rest: Incoming,
        watcher: Watcher,
        account: Account,
        picked: Option<Picked>,
        silence: Duration,
    ) -> Self {
        let mut stream = Self {
            first,
            rest: Some(rest),
            watcher,
            account,
            _picked: picked,
            silence,
            alarm: Box::pin(sleep(silence)),
        };
        stream.note();
        stream
    }

    fn note(&mut self) {
        let told = self.watcher.told();
        self.account.seen(told.usage, told.tokens);
    }

    /// The upstream has ended; what is still to be sent.
    fn end(&mut self) -> Bytes {
        let rest = self.watcher.rest();
        self.note();
        let told = self.watcher.told();
        if told.error {
            return self.close(rest, Ending::Broken);
        }
        if !told.is_complete() {
            return self.break_off(&rest, "the upstream ended before the answer was complete");
        }
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
        let error = serde_json::json!({"error": {
            "message": format!("{reason}: what came before is all that there is"),
            "type": "upstream_error",
            "param": null,
            "code": "stream_broken",
            "hint": "send the call again",
        }});
        output.put_slice(format!("data: {error}\n\n").as_bytes());
        self.close(output.freeze(), Ending::Broken)
    }

    fn close(&mut self, output: Bytes, ending: Ending) -> Bytes {
        self.rest = None;
        self.account.close(OK, ending);
        output
    }
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
        if let Some(chunk) = this.first.pop_front() {
            return frame(chunk);
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
                    let output = this.watcher.pass(chunk);
                    this.note();
                    let patience = match this.watcher.told().done {
                        true => FAREWELL.min(this.silence),
                        false => this.silence,
                    };
                    this.alarm.as_mut().reset(Instant::now() + patience);
                    if !output.is_empty() {
                        return frame(output);
                    }
                }
                Poll::Ready(Some(Err(_))) => return frame(this.lose("the upstream broke off")),
                Poll::Ready(None) => return frame(this.end()),
                Poll::Pending => {
                    std::task::ready!(this.alarm.as_mut().poll(cx));
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

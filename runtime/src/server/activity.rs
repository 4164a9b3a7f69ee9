//! What goes on on one connection: calls that are open, and those that were given up as soon as they were made.
//!
//! Invariant: a call counts as open from the last byte of its head to the last byte of its answer.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::Notify;

/// A call that its client gives up within this was hardly meant.
const HASTE: Duration = Duration::from_secs(1);
/// So many such calls are let pass, and any number of them where most calls are meant.
const MOST_HASTY: u32 = 100;

/// What goes on on one connection.
#[derive(Debug)]
pub(super) struct Activity {
    began: Instant,
    open: AtomicU32,
    /// All calls so far.
    calls: AtomicU32,
    /// Calls that were given up at once.
    hasty: AtomicU32,
    /// When the last call ended, in milliseconds from the beginning.
    rested: AtomicU64,
    /// Whether the next call's head leaves open where its body ends.
    ambiguous: AtomicBool,
    /// Told when there are too many hasty calls.
    abused: Notify,
    /// For how long answers wait for their client, where it could read others meanwhile.
    waits: Option<Mutex<Vec<Arc<Wait>>>>,
}

/// Since when an answer waits for its client to take what it was given, in milliseconds from the beginning of its
/// connection; 0 while the client waits for the answer.
#[derive(Debug, Default)]
struct Wait(AtomicU64);

impl Activity {
    /// Of a connection with one call at a time.
    pub(super) fn of_one_call() -> Self {
        Self::new(None)
    }

    /// Of a connection with many.
    pub(super) fn of_many_calls() -> Self {
        Self::new(Some(Mutex::default()))
    }

    fn new(waits: Option<Mutex<Vec<Arc<Wait>>>>) -> Self {
        Self {
            waits,
            began: Instant::now(),
            open: AtomicU32::new(0),
            calls: AtomicU32::new(0),
            hasty: AtomicU32::new(0),
            rested: AtomicU64::new(0),
            ambiguous: AtomicBool::new(false),
            abused: Notify::new(),
        }
    }

    /// A call has come.
    pub(super) fn begin(self: &Arc<Self>) -> OpenCall {
        self.open.fetch_add(1, Ordering::Relaxed);
        self.calls.fetch_add(1, Ordering::Relaxed);
        OpenCall {
            begun: Instant::now(),
            is_answered: false,
            is_ambiguous: self.ambiguous.load(Ordering::Relaxed)
                && self.ambiguous.swap(false, Ordering::Relaxed),
            wait: self.waits.as_ref().map(|waits| {
                let wait = Arc::new(Wait::default());
                lock(waits).push(Arc::clone(&wait));
                wait
            }),
            activity: Arc::clone(self),
        }
    }

    /// Whether an answer has waited for its client for longer than this.
    pub(super) fn has_unread(&self, bound: Duration) -> bool {
        let Some(waits) = &self.waits else {
            return false;
        };
        let now = self.now();
        let mut waits = lock(waits);
        // The other half is the call's.
        waits.retain(|wait| Arc::strong_count(wait) > 1);
        waits.iter().any(|wait| {
            let since = wait.0.load(Ordering::Relaxed);
            since > 0 && Duration::from_millis(now.saturating_sub(since)) > bound
        })
    }

    /// Milliseconds since the beginning; never 0.
    fn now(&self) -> u64 {
        let passed = u64::try_from(self.began.elapsed().as_millis());
        passed.unwrap_or(u64::MAX).max(1)
    }

    pub(super) fn has_open_calls(&self) -> bool {
        self.open.load(Ordering::Relaxed) > 0
    }

    /// How many calls there have been.
    pub(super) fn calls(&self) -> u32 {
        self.calls.load(Ordering::Relaxed)
    }

    /// The head that is read now leaves open where its body ends.
    pub(super) fn set_ambiguous(&self) {
        self.ambiguous.store(true, Ordering::Relaxed);
    }

    /// For how long there has been no call; not at all while there is one.
    pub(super) fn idle(&self) -> Duration {
        if self.has_open_calls() {
            return Duration::ZERO;
        }
        let rested = Duration::from_millis(self.rested.load(Ordering::Relaxed));
        self.began.elapsed().saturating_sub(rested)
    }

    /// Ends when the client opens calls to give them up.
    pub(super) async fn abused(&self) {
        self.abused.notified().await;
    }

    fn gave_up(&self) {
        let hasty = self.hasty.fetch_add(1, Ordering::Relaxed) + 1;
        if hasty > MOST_HASTY && hasty > self.calls() / 2 {
            self.abused.notify_one();
        }
    }
}

/// A call that is under way.
#[derive(Debug)]
pub(super) struct OpenCall {
    activity: Arc<Activity>,
    begun: Instant,
    is_answered: bool,
    /// Whether its head leaves open where its body ends.
    pub(super) is_ambiguous: bool,
    wait: Option<Arc<Wait>>,
}

impl OpenCall {
    /// The client has been given something, or waits for more.
    fn note(&self, is_given: bool) {
        if let Some(wait) = &self.wait {
            let since = if is_given { self.activity.now() } else { 0 };
            wait.0.store(since, Ordering::Relaxed);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a panic leaves behind is whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        let activity = &*self.activity;
        activity.rested.store(activity.now(), Ordering::Relaxed);
        activity.open.fetch_sub(1, Ordering::Relaxed);
        if !self.is_answered && self.begun.elapsed() < HASTE {
            activity.gave_up();
        }
    }
}

/// An answer's body; its call ends with it.
#[derive(Debug)]
pub(super) struct Answer<B: Body> {
    body: B,
    call: OpenCall,
}

impl<B: Body> Answer<B> {
    pub(super) fn new(body: B, mut call: OpenCall) -> Self {
        // Such a body is never asked for anything.
        call.is_answered = body.is_end_stream();
        call.note(true);
        Self { body, call }
    }
}

impl<B: Body + Unpin> Body for Answer<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.call.note(false);
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
        self.call.note(true);
        if frame.is_none() || self.body.is_end_stream() {
            self.call.is_answered = true;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_that_are_given_up_are_suffered_while_others_are_meant() {
        let check = |meant: u32, hasty: u32| {
            let activity = Arc::new(Activity::of_many_calls());
            for _ in 0..meant {
                activity.begin().is_answered = true;
            }
            for _ in 0..hasty {
                drop(activity.begin());
            }
            assert!(!activity.has_open_calls());
            let mut told = Box::pin(activity.abused());
            let mut cx = Context::from_waker(std::task::Waker::noop());
            std::future::Future::poll(told.as_mut(), &mut cx).is_ready()
        };
        assert!(!check(0, 100));
        assert!(check(0, 101));
        assert!(!check(200, 150));
        assert!(check(200, 250));
    }
}

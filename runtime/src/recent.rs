//! The last calls as they came, for a new plan to be tried on before it is served.
//!
//! Invariants: what they hold is bounded, is shown to nobody, and ends with the process; keys are not among it.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use bytes::Bytes;
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use waypost_policies::facts::Surface;

use crate::callers::Identity;
use crate::journal::{KEPT, Ring};

/// The bytes of all bodies together: more are not kept.
const MOST_BYTES: usize = 16 << 20;
/// Between two calls that are remembered, in nanoseconds, once so many have come in a row.
const PACE: i64 = 10_000_000;
const BURST: i64 = PACE * KEPT as i64;
/// Headers that may hold a key.
const KEYS: [&str; 2] = ["api-key", "x-api-key"];

/// A call as it came.
#[derive(Debug)]
pub(crate) struct RecentCall {
    pub(crate) request_id: String,
    pub(crate) surface: Surface,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) identity: Arc<Identity>,
    pub(crate) peer: IpAddr,
}

/// The last calls, or, where they come thick, some of them.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    calls: Ring<RecentCall>,
    bytes: AtomicUsize,
    /// Up to when, in nanoseconds since 1970, the calls that were remembered would have come at the usual pace.
    paced: AtomicI64,
}

impl Recent {
    /// Whether a call that comes now is to be remembered. As many as are kept may come at once; beyond that, one in so
    /// long: a thousandth of the calls of a busy second says what a new plan does to them as well as all.
    pub(crate) fn wants(&self, now: i64) -> bool {
        let paced = self.paced.load(Ordering::Relaxed);
        let next = paced.max(now - BURST).saturating_add(PACE);
        // Where another call was quicker, that one is remembered.
        next <= now
            && self
                .paced
                .compare_exchange(paced, next, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// Remembers a call; the oldest make room for its body.
    pub(crate) fn remember(&self, mut call: RecentCall) {
        let length = call.body.len();
        if length > MOST_BYTES {
            return;
        }
        // By itself: a slice would keep the whole buffer that it was read into.
        call.body = Bytes::copy_from_slice(&call.body);
        let mut bytes = self.bytes.fetch_add(length, Ordering::Relaxed) + length;
        while bytes > MOST_BYTES {
            let Some(oldest) = self.calls.take_oldest() else {
                break;
            };
            bytes = self.bytes.fetch_sub(oldest.body.len(), Ordering::Relaxed) - oldest.body.len();
        }
        for name in [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE] {
            call.headers.remove(name);
        }
        for name in KEYS {
            call.headers.remove(name);
        }
        if let Some(oldest) = self.calls.write(Arc::new(call)) {
            self.bytes.fetch_sub(oldest.body.len(), Ordering::Relaxed);
        }
    }

    /// The last calls, the newest first.
    pub(crate) fn calls(&self) -> Vec<Arc<RecentCall>> {
        self.calls.read()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(length: usize) -> RecentCall {
        RecentCall {
            request_id: String::new(),
            surface: Surface::Chat,
            path: String::new(),
            headers: HeaderMap::from_iter([(
                AUTHORIZATION,
                hyper::header::HeaderValue::from_static("Bearer k"),
            )]),
            body: vec![0; length].into(),
            identity: Arc::default(),
            peer: IpAddr::from([127, 0, 0, 1]),
        }
    }

    #[test]
    fn bodies_are_bounded_and_hold_no_key() {
        let recent = Recent::default();
        for _ in 0..100 {
            recent.remember(call(1 << 20));
        }
        assert_eq!(recent.calls().len(), 16);
        assert!(recent.calls().iter().all(|call| call.headers.is_empty()));
        for _ in 0..300 {
            recent.remember(call(1));
        }
        assert_eq!(recent.calls().len(), 256);
        assert_eq!(recent.bytes.load(Ordering::Relaxed), 256);
    }

    #[test]
    fn a_flood_is_remembered_by_a_part_of_it() {
        let recent = Recent::default();
        let now = 1_790_000_000_000_000_000;
        let wanted = |calls: i64, pause: i64, from: i64| {
            (0..calls)
                .filter(|call| recent.wants(from + call * pause))
                .count()
        };
        assert_eq!(wanted(256, 1, now), 256, "as many as are kept");
        let later = now + 1_000_000_000;
        assert_eq!(
            wanted(10_000, 100_000, later),
            199,
            "in one second, after one second"
        );
    }
}

//! The last calls as they came, for a new plan to be tried on before it is served.
//!
//! Invariants: what they hold is bounded, is shown to nobody, and ends with the process; keys are not among it.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use waypost_policies::facts::Surface;

use crate::callers::Identity;
use crate::journal::Ring;

/// The bytes of all bodies together: more are not kept.
const MOST_BYTES: usize = 16 << 20;
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

/// The last calls.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    calls: Ring<RecentCall>,
    bytes: AtomicUsize,
}

impl Recent {
    /// Remembers a call; the oldest make room for its body.
    pub(crate) fn remember(&self, mut call: RecentCall) {
        let length = call.body.len();
        if length > MOST_BYTES {
            return;
        }
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
}

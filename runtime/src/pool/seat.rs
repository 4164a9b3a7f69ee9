//! Where a call is answered: a replica of a pool, or a model at a hosted provider.

use std::time::Duration;

use hyper::StatusCode;

use super::Picked;
use super::hosted::Entered;

/// A call's place at whoever answers it, for as long as this is kept.
#[derive(Debug)]
pub(crate) enum Seat {
    /// At a replica.
    Replica(Picked),
    /// At a provider.
    Hosted(Entered),
}

impl Seat {
    /// It answered.
    pub(crate) fn succeeded(&self) {
        match self {
            Self::Replica(picked) => picked.succeeded(),
            Self::Hosted(entered) => entered.succeeded(),
        }
    }

    /// It failed; whether it is ejected for it.
    pub(crate) fn failed(&self) -> bool {
        match self {
            Self::Replica(picked) => picked.failed(),
            Self::Hosted(entered) => entered.failed(),
        }
    }

    /// It asks to be left alone for so long.
    pub(crate) fn rests(&self, status: StatusCode, wait: Duration) {
        match self {
            Self::Replica(picked) => picked.rests(status, wait),
            Self::Hosted(entered) => entered.rests(status, wait),
        }
    }

    /// Which replica, where it is one.
    pub(crate) const fn replica(&self) -> Option<u64> {
        match self {
            Self::Replica(picked) => Some(picked.id),
            Self::Hosted(_) => None,
        }
    }
}

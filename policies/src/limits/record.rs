//! What happens to the state, as it is written down: enough to bring about the same state again.
//!
//! Invariants: records are appended in the order in which what they say happened to each bucket, under its lock. A
//! record says what was done (this much was held, as the bucket's hold of this number), never what should be decided
//! again, so that replaying decides nothing.

use super::bucket::{Hold, Incarnation};
use super::codec::Writer;
use super::identity::{Declared, Names};
use super::quota::Quota;
use super::shard::{Name, Shard};
use crate::decision::SessionFloor;

pub(super) const DECLARED: u8 = 1;
pub(super) const RESERVED: u8 = 2;
pub(super) const SETTLED: u8 = 3;
pub(super) const ADDED: u8 = 4;
pub(super) const RAISED: u8 = 5;
pub(super) const BUCKETS: u8 = 6;
pub(super) const FLOORS: u8 = 7;
pub(super) const COMPLETE: u8 = 8;

/// How far a log has been appended to: what comes later has a higher one; nothing at all is the lowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Position(pub u64);

/// Where what happens is written down.
pub trait Log: std::fmt::Debug + Send + Sync {
    /// Takes a record in, after all that were taken in before. Called while buckets are locked: it must not wait.
    fn append(&self, record: &Record<'_>) -> Position;
}

/// Something that happened.
#[derive(Debug)]
pub struct Record<'a>(Content<'a>);

#[derive(Debug)]
enum Content<'a> {
    Declared {
        quotas: &'a [Quota],
        names: &'a Names,
    },
    Reserved {
        now: i64,
        holds: &'a [(Name, Hold)],
    },
    Settled {
        now: i64,
        ends: &'a [Ended],
    },
    Added {
        now: i64,
        name: Name,
        amount: u64,
        incarnation: Incarnation,
    },
    Raised {
        now: i64,
        floor: SessionFloor,
    },
    Buckets {
        shard: usize,
        content: &'a Shard,
    },
    Floors {
        shard: usize,
        floors: &'a [(SessionFloor, i64)],
    },
    Complete,
}

/// A hold that has ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended {
    pub(super) name: Name,
    pub(super) hold: Hold,
    pub(super) spent: u64,
    /// The bucket's, as it was found.
    pub(super) incarnation: Incarnation,
}

impl<'a> Record<'a> {
    /// What the indices in the records that follow refer to.
    pub(super) const fn declared(quotas: &'a [Quota], names: &'a Names) -> Self {
        Self(Content::Declared { quotas, names })
    }

    pub(super) const fn reserved(now: i64, holds: &'a [(Name, Hold)]) -> Self {
        Self(Content::Reserved { now, holds })
    }

    pub(super) const fn settled(now: i64, ends: &'a [Ended]) -> Self {
        Self(Content::Settled { now, ends })
    }

    pub(super) const fn added(now: i64, name: Name, amount: u64, incarnation: Incarnation) -> Self {
        Self(Content::Added {
            now,
            name,
            amount,
            incarnation,
        })
    }

    pub(super) const fn raised(now: i64, floor: SessionFloor) -> Self {
        Self(Content::Raised { now, floor })
    }

    /// All that a shard holds, in place of what it held before.
    pub(super) const fn buckets(shard: usize, content: &'a Shard) -> Self {
        Self(Content::Buckets { shard, content })
    }

    /// As [`Record::buckets`], for sessions.
    pub(super) const fn floors(shard: usize, floors: &'a [(SessionFloor, i64)]) -> Self {
        Self(Content::Floors { shard, floors })
    }

    /// Every shard has been written since the last declaration: what comes before it is not needed any more.
    #[must_use]
    pub const fn complete() -> Self {
        Self(Content::Complete)
    }

    /// Appends the record's bytes.
    pub fn encode(&self, bytes: &mut Vec<u8>) {
        let writer = &mut Writer(bytes);
        match &self.0 {
            Content::Declared { quotas, names } => declare(quotas, names, writer),
            Content::Reserved { now, holds } => {
                writer.byte(RESERVED);
                writer.time(*now);
                writer.length(holds.len());
                for (name, hold) in *holds {
                    write_name(*name, writer);
                    hold.write(writer);
                }
            }
            Content::Settled { now, ends } => {
                writer.byte(SETTLED);
                writer.time(*now);
                writer.length(ends.len());
                for end in *ends {
                    write_name(end.name, writer);
                    end.hold.write(writer);
                    writer.number(end.spent);
                    writer.number(end.incarnation.0);
                }
            }
            Content::Added {
                now,
                name,
                amount,
                incarnation,
            } => {
                writer.byte(ADDED);
                writer.time(*now);
                write_name(*name, writer);
                writer.number(*amount);
                writer.number(incarnation.0);
            }
            Content::Raised { now, floor } => {
                writer.byte(RAISED);
                writer.time(*now);
                write_floor(*floor, writer);
            }
            Content::Buckets { shard, content } => {
                writer.byte(BUCKETS);
                writer.length(*shard);
                content.write(writer);
            }
            Content::Floors { shard, floors } => {
                writer.byte(FLOORS);
                writer.length(*shard);
                writer.length(floors.len());
                for (floor, expires) in *floors {
                    write_floor(*floor, writer);
                    writer.time(*expires);
                }
            }
            Content::Complete => writer.byte(COMPLETE),
        }
    }
}

fn declare(quotas: &[Quota], names: &Names, writer: &mut Writer<'_>) {
    writer.byte(DECLARED);
    writer.length(quotas.len());
    for (identity, quota) in names.quotas.iter().zip(quotas) {
        Declared::write(identity, quota, writer);
    }
    for names in [&names.contents, &names.tiers] {
        writer.length(names.len());
        for name in names {
            writer.text(name);
        }
    }
}

pub(super) fn write_name((quota, key): Name, writer: &mut Writer<'_>) {
    writer.number(quota);
    writer.key(key.0);
}

fn write_floor(floor: SessionFloor, writer: &mut Writer<'_>) {
    writer.number(floor.content);
    writer.key(floor.key.0);
    writer.number(floor.tier);
}

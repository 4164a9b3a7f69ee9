//! Brings a state back from its records.
//!
//! Invariants: nothing is decided, only repeated; from records of which the last are missing comes the state as it
//! was after the last that is there, never less. A reservation whose settlement is missing stays used. Bytes that are
//! no record are an error, and change nothing beyond what their beginning said.

use super::bucket::{Bucket, Hold, Incarnation};
use super::codec::{Malformed, Reader};
use super::identity::{Declared, Mapping, Names};
use super::quota::Quota;
use super::record::{self, Ended};
use super::shard::Name;
use super::{SHARDS, State, shard_of};
use crate::decision::{Key, SessionFloor};

/// A state on its way back.
#[derive(Debug)]
pub struct Replay {
    state: State,
    /// How many quotas the plan has; those behind them are kept for what was used.
    planned: usize,
    mapping: Option<Mapping>,
    is_complete: bool,
}

impl Replay {
    /// Begins with a state of which nothing is used, and which has no log yet.
    #[must_use]
    pub fn new(fresh: State) -> Self {
        Self {
            planned: fresh.quotas.len(),
            state: fresh,
            mapping: None,
            is_complete: false,
        }
    }

    /// Repeats what the next record says.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn apply(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        let reader = &mut Reader(bytes);
        let kind = reader.byte()?;
        if kind == record::DECLARED {
            self.declared(reader)?;
        } else {
            let mapping = self.mapping.take().ok_or(Malformed)?;
            let result = self.happened(kind, &mapping, reader);
            self.mapping = Some(mapping);
            result?;
        }
        reader.end()
    }

    /// Whether everything that was used has been among the records: what came before them is not needed.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// The state as it was.
    #[must_use]
    pub fn finish(mut self, now: i64) -> State {
        // Only now is it known which quotas that the plan does not have are still used.
        if self.state.quotas.len() > self.planned {
            let planned = self.planned;
            let mut is_used = false;
            for shard in (0..SHARDS).filter_map(|index| self.state.lock(index)) {
                let mut shard = shard;
                shard.forget_fresh(&self.state.quotas, now);
                is_used |= shard
                    .names()
                    .any(|(quota, _)| usize::from(quota) >= planned);
            }
            if !is_used {
                self.state.quotas.truncate(planned);
                self.state.names.quotas.truncate(planned);
            }
        }
        self.state
    }

    fn declared(&mut self, reader: &mut Reader<'_>) -> Result<(), Malformed> {
        let quotas = reader.list(Declared::read)?;
        let names = Names {
            quotas: Vec::new(),
            contents: reader.list(Reader::text)?,
            tiers: reader.list(Reader::text)?,
        };
        self.mapping = Some(self.state.adopt(self.planned, &quotas, &names));
        Ok(())
    }

    fn happened(
        &mut self,
        kind: u8,
        mapping: &Mapping,
        reader: &mut Reader<'_>,
    ) -> Result<(), Malformed> {
        match kind {
            record::RESERVED => {
                let now = reader.time()?;
                for (name, hold) in reader.list(|r| Ok((read_name(r)?, Hold::read(r)?)))? {
                    self.touch(mapping, name, hold.incarnation, now, |bucket, quota| {
                        bucket.hold_again(quota, hold);
                    });
                }
            }
            record::SETTLED => {
                let now = reader.time()?;
                for end in reader.list(read_end)? {
                    self.touch(mapping, end.name, end.incarnation, now, |bucket, quota| {
                        bucket.settle(quota, end.hold, end.spent);
                    });
                }
            }
            record::ADDED => {
                let now = reader.time()?;
                let name = read_name(reader)?;
                let amount = reader.number()?;
                let incarnation = Incarnation::read(reader)?;
                self.touch(mapping, name, incarnation, now, |bucket, quota| {
                    bucket.add(quota, amount);
                });
            }
            record::RAISED => {
                let now = reader.time()?;
                if let Some(floor) = floor(mapping, read_floor(reader)?) {
                    self.state.floors.raise(floor, now);
                }
            }
            record::BUCKETS => self.buckets(mapping, reader)?,
            record::FLOORS => {
                self.state.floors.clear(reader.number()?);
                for (read, expires) in reader.list(|r| Ok((read_floor(r)?, r.time()?)))? {
                    if let Some(floor) = floor(mapping, read) {
                        self.state.floors.keep(floor, expires);
                    }
                }
            }
            record::COMPLETE => self.is_complete = true,
            _ => return Err(Malformed),
        }
        Ok(())
    }

    /// Does something to a bucket, as it was found when that was done before.
    fn touch(
        &self,
        mapping: &Mapping,
        (quota, key): Name,
        incarnation: Incarnation,
        now: i64,
        act: impl FnOnce(&mut Bucket, &Quota),
    ) {
        let Some(index) = mapping.quota(quota) else {
            return;
        };
        let (Some(quota), Some(mut shard)) =
            (self.state.quota(index), self.state.lock(shard_of(key)))
        else {
            return;
        };
        let bucket = shard.bucket_again((index, key), quota, now, incarnation);
        act(bucket, quota);
    }

    fn buckets(&mut self, mapping: &Mapping, reader: &mut Reader<'_>) -> Result<(), Malformed> {
        let shard: usize = reader.number()?;
        let incarnations = Incarnation::read(reader)?.0;
        let count: usize = reader.number()?;
        let mut shard = self.state.lock(shard).ok_or(Malformed)?;
        shard.restart(incarnations, count.min(reader.0.len()));
        for _ in 0..count {
            let (index, key) = read_name(reader)?;
            let index = mapping.quota(index).ok_or(Malformed)?;
            let quota = self.state.quota(index).ok_or(Malformed)?;
            let bucket = Bucket::read(quota, reader)?;
            shard.insert((index, key), bucket);
        }
        Ok(())
    }
}

fn read_name(reader: &mut Reader<'_>) -> Result<Name, Malformed> {
    Ok((reader.number()?, Key(reader.key()?)))
}

fn read_end(reader: &mut Reader<'_>) -> Result<Ended, Malformed> {
    Ok(Ended {
        name: read_name(reader)?,
        hold: Hold::read(reader)?,
        spent: reader.number()?,
        incarnation: Incarnation::read(reader)?,
    })
}

fn read_floor(reader: &mut Reader<'_>) -> Result<SessionFloor, Malformed> {
    Ok(SessionFloor {
        content: reader.number()?,
        key: Key(reader.key()?),
        tier: reader.number()?,
    })
}

/// The floor where the plan still has its content section and its tier.
fn floor(mapping: &Mapping, floor: SessionFloor) -> Option<SessionFloor> {
    Some(SessionFloor {
        content: mapping.content(floor.content)?,
        tier: mapping.tier(floor.tier)?,
        key: floor.key,
    })
}

//! The buckets of one shard: found by quota and key, forgotten when they say nothing, and never too many.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::bucket::{Bucket, Hold, Incarnation};
use super::codec::Writer;
use super::quota::Quota;
use super::record::write_name;
use crate::decision::Key;

/// Fewer buckets than this are not worth a sweep.
const SWEEP_FROM: usize = 64;
/// A shard that stays full is swept at most once in this time: a second.
const SWEEP_AGAIN: i64 = 1_000_000_000;

/// Which bucket: the quota's index and the key.
pub(super) type Name = (u16, Key);

/// A map by names, whose keys are already keyed hashes.
pub(super) type NameMap<V> = HashMap<Name, V, BuildHasherDefault<NameHasher>>;

/// Some of the buckets.
#[derive(Debug)]
pub(super) struct Shard {
    buckets: NameMap<Bucket>,
    most: usize,
    /// At how many buckets the fresh ones are forgotten next.
    sweep_at: usize,
    swept: i64,
    incarnations: u64,
}

/// There is no place for another bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

impl Shard {
    pub(super) fn new(most: usize) -> Self {
        let sweep_at = SWEEP_FROM.min(most);
        Self {
            buckets: NameMap::default(),
            most,
            sweep_at,
            swept: i64::MIN,
            incarnations: 0,
        }
    }

    /// The bucket as it is at `now`, made if it is not there.
    pub(super) fn bucket(
        &mut self,
        quotas: &[Quota],
        name: Name,
        quota: &Quota,
        now: i64,
    ) -> Result<&mut Bucket, Full> {
        if self.buckets.len() >= self.sweep_at && !self.buckets.contains_key(&name) {
            self.sweep(quotas, now)?;
        }
        Ok(self.bucket_beyond_most(name, quota, now))
    }

    /// The bucket as it is at `now`, made if it is not there, whatever the most is: what is used must be counted.
    pub(super) fn bucket_beyond_most(
        &mut self,
        name: Name,
        quota: &Quota,
        now: i64,
    ) -> &mut Bucket {
        self.incarnations += 1;
        let next = Incarnation(self.incarnations);
        let bucket = self
            .buckets
            .entry(name)
            .or_insert_with(|| Bucket::new(quota, now, next));
        bucket.advance(quota, now, next);
        bucket
    }

    /// The bucket as it was found at `now`, when a log says which incarnation that was.
    pub(super) fn bucket_again(
        &mut self,
        name: Name,
        quota: &Quota,
        now: i64,
        found: Incarnation,
    ) -> &mut Bucket {
        self.incarnations = self.incarnations.max(found.0);
        let bucket = self
            .buckets
            .entry(name)
            .or_insert_with(|| Bucket::new(quota, now, found));
        bucket.advance_again(quota, now, found);
        bucket
    }

    /// Empty, with room for as many buckets as will be put in.
    pub(super) fn restart(&mut self, incarnations: u64, count: usize) {
        self.buckets.clear();
        self.buckets.reserve(count);
        self.incarnations = incarnations;
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        writer.number(self.incarnations);
        writer.length(self.buckets.len());
        for (name, bucket) in &self.buckets {
            write_name(*name, writer);
            bucket.write(writer);
        }
    }

    /// Whose buckets there are.
    pub(super) fn names(&self) -> impl Iterator<Item = Name> {
        self.buckets.keys().copied()
    }

    /// The bucket as it was last seen; `None` where nothing is used.
    pub(super) fn get(&self, name: Name) -> Option<&Bucket> {
        self.buckets.get(&name)
    }

    pub(super) fn get_mut(&mut self, name: Name) -> Option<&mut Bucket> {
        self.buckets.get_mut(&name)
    }

    /// What a bucket becomes whose window is over.
    pub(super) const fn next_incarnation(&mut self) -> Incarnation {
        self.incarnations += 1;
        Incarnation(self.incarnations)
    }

    /// Those that replicas share.
    pub(super) fn leased(&mut self) -> impl Iterator<Item = (Name, &mut Bucket)> {
        let all = self.buckets.iter_mut();
        all.filter(|(_, bucket)| bucket.lease.is_some())
            .map(|(name, bucket)| (*name, bucket))
    }

    /// A copy of the bucket as it would be at `now`; `None` where nothing is used.
    fn peek(&self, name: Name, quota: &Quota, now: i64) -> Option<Bucket> {
        let kept = self.buckets.get(&name)?;
        let mut bucket = kept.figures();
        bucket.advance(quota, now, Incarnation(0));
        let lease = kept.lease.as_ref();
        bucket.lease = lease.map(|lease| Box::new(lease.hearing()));
        Some(bucket)
    }

    /// Takes back a charge that was just made.
    pub(super) fn undo(&mut self, name: Name, quota: &Quota, hold: Hold) {
        if let Some(bucket) = self.buckets.get_mut(&name) {
            bucket.undo(quota, hold);
            if let Some(lease) = &mut bucket.lease {
                lease.unspend(hold.amount);
            }
        }
    }

    /// The figures of all buckets, as they are at `now`.
    pub(super) fn all(&self, quotas: &[Quota], now: i64) -> Vec<(Name, Bucket)> {
        let figures = |name: &Name| {
            let quota = quotas.get(usize::from(name.0))?;
            Some((*name, self.peek(*name, quota, now)?))
        };
        self.buckets.keys().filter_map(figures).collect()
    }

    /// Puts a bucket in.
    pub(super) fn insert(&mut self, name: Name, bucket: Bucket) {
        self.incarnations = self.incarnations.max(bucket.incarnation.0);
        self.buckets.insert(name, bucket);
    }

    /// Gives all its buckets, as they are and with all that is held, to another, where quotas have these indices.
    pub(super) fn hand_over(old: &mut Self, new: &mut Self, place: impl Fn(u16) -> Option<u16>) {
        new.incarnations = new.incarnations.max(old.incarnations);
        let buckets = std::mem::take(&mut old.buckets);
        let is_where_it_was = |(quota, _): &Name| place(*quota) == Some(*quota);
        if new.buckets.is_empty() && buckets.keys().all(is_where_it_was) {
            new.buckets = buckets;
        } else {
            let moved = buckets.into_iter().filter_map(|((quota, key), bucket)| {
                let quota = place(quota)?;
                Some(((quota, key), bucket))
            });
            new.buckets.extend(moved);
        }
        new.sweep_at = old.sweep_at.min(new.most);
    }

    pub(super) fn len(&self) -> usize {
        self.buckets.len()
    }

    /// Forgets what is fresh; amortised, since the next sweep waits until the shard has doubled.
    fn sweep(&mut self, quotas: &[Quota], now: i64) -> Result<(), Full> {
        let full = self.buckets.len() >= self.most;
        if full && now.saturating_sub(self.swept) < SWEEP_AGAIN && now >= self.swept {
            return Err(Full);
        }
        self.swept = now;
        self.forget_fresh(quotas, now);
        self.sweep_at = (self.buckets.len() * 2).clamp(SWEEP_FROM.min(self.most), self.most);
        if self.buckets.len() < self.most {
            Ok(())
        } else {
            Err(Full)
        }
    }

    /// Forgets the buckets that say no more than fresh ones.
    pub(super) fn forget_fresh(&mut self, quotas: &[Quota], now: i64) {
        self.incarnations += 1;
        let next = Incarnation(self.incarnations);
        self.buckets.retain(|&(index, _), bucket| {
            let Some(quota) = quotas.get(usize::from(index)) else {
                return false;
            };
            bucket.advance(quota, now, next);
            !bucket.is_fresh(now)
        });
    }
}

/// Folds a name's parts; good enough because keys are keyed hashes that nobody outside can choose.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct NameHasher(u64);

impl NameHasher {
    fn fold(&mut self, part: u64) {
        self.0 = (self.0.rotate_left(23) ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl Hasher for NameHasher {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.fold(u64::from(*byte));
        }
    }

    fn write_u16(&mut self, part: u16) {
        self.fold(u64::from(part));
    }

    fn write_u128(&mut self, part: u128) {
        self.fold(part as u64);
        self.fold((part >> 64) as u64);
    }
}

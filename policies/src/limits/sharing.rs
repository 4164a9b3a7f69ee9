//! A state whose buckets are shared with other replicas: what it asks of Redis, and what it makes of the answers.
//!
//! Nothing here waits or sends: a [`Desk`] is told which bucket should be asked for, takes the ask from
//! [`State::ask`], and brings the answer to [`State::answered`].

use std::hash::Hasher as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use siphasher::sip128::{Hasher128 as _, SipHasher13};
use smallvec::SmallVec;

use super::bucket::{Bucket, Incarnation, Settled};
use super::codec::Writer;
use super::identity::{Declared, Identity};
use super::lease::{Answer, Ask, Terms};
use super::quota::{Quota, Window};
use super::shard::Name;
use super::{SHARDS, State, shard_of};
use crate::decision::{Charge, Key};

/// Which bucket of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BucketName {
    /// The quota's index.
    pub quota: u16,
    /// Whose it is.
    pub key: Key,
}

/// Who asks Redis for a state.
pub trait Desk: std::fmt::Debug + Send + Sync {
    /// This bucket should be asked for. Called while buckets are locked: it must not wait.
    fn wanted(&self, bucket: BucketName);
}

/// Whom a state shares its buckets with.
#[derive(Debug)]
pub struct Sharing {
    replicas: u64,
    shares: bool,
    desk: Arc<dyn Desk>,
    /// What each quota is called in Redis, in order.
    names: Vec<u128>,
    common: Arc<Common>,
}

/// What the states that follow one another have in common.
#[derive(Debug, Default)]
struct Common {
    serials: AtomicU64,
    is_away: AtomicBool,
    is_closing: AtomicBool,
}

impl Sharing {
    /// Among so many replicas at most. While Redis is away each goes on with its share, if it `shares`.
    #[must_use]
    pub fn new(replicas: u32, shares: bool, desk: Arc<dyn Desk>) -> Self {
        Self {
            replicas: u64::from(replicas.max(1)),
            shares,
            desk,
            names: Vec::new(),
            common: Arc::default(),
        }
    }

    /// The same, for a state that takes the place of another.
    #[must_use]
    pub fn again(&self) -> Self {
        Self {
            replicas: self.replicas,
            shares: self.shares,
            desk: Arc::clone(&self.desk),
            names: Vec::new(),
            common: Arc::clone(&self.common),
        }
    }

    fn terms(&self) -> Terms {
        Terms {
            replicas: self.replicas,
            is_closing: self.common.is_closing.load(Ordering::Relaxed),
        }
    }

    /// Takes a charge from what is leased. `false` where that is not enough.
    pub(super) fn take(
        &self,
        bucket: &mut Bucket,
        quota: &Quota,
        charge: &Charge,
        now: i64,
    ) -> bool {
        let used = bucket.used(quota);
        let name = (charge.quota, charge.key);
        let (amount, bound) = (charge.amount, charge.bound);
        let lease = bucket.lease();
        lease.touch(bound, now);
        if lease.covers(amount, bound) {
            let is_low = lease.spend(amount);
            if is_low {
                self.want(bucket, name);
            }
            return true;
        }
        if bound == u64::MAX {
            // Nothing is refused for it, so nobody need be asked first.
            lease.owe(amount);
            self.want(bucket, name);
            return true;
        }
        let goes_alone = self.shares && self.common.is_away.load(Ordering::Relaxed);
        goes_alone && lease.go_alone((quota, used), (amount, bound), self.replicas, now)
    }

    /// A hold has ended.
    pub(super) fn settle(
        &self,
        bucket: &mut Bucket,
        (quota, name): (&Quota, Name),
        settled: Settled,
        now: i64,
    ) {
        let lease = bucket.lease();
        if settled.returned > 0 {
            lease.give_back(quota, self.terms(), settled.returned, now);
        }
        self.owe(bucket, name, settled.beyond);
    }

    /// This much was used without having been leased.
    pub(super) fn owe(&self, bucket: &mut Bucket, name: Name, amount: u64) {
        let lease = bucket.lease();
        lease.owe(amount);
        if lease.has_news() {
            self.want(bucket, name);
        }
    }

    fn want(&self, bucket: &mut Bucket, (quota, key): Name) {
        let lease = bucket.lease();
        if !lease.is_queued {
            lease.is_queued = true;
            self.desk.wanted(BucketName { quota, key });
        }
    }
}

impl State {
    /// The same, with what is used shared with other replicas.
    #[must_use]
    pub fn shared(mut self, sharing: Sharing) -> Self {
        // What others are to find is not kept under a seed of one's own.
        self.seed = Self::SHARED_SEED;
        self.sharing = Some(Sharing {
            names: self.names_in_redis(),
            ..sharing
        });
        self
    }

    /// The seed of keys that all replicas must find alike.
    pub const SHARED_SEED: [u64; 2] = [0x7761_7970_6f73_7420, 0x7368_6172_6564_2031];

    pub(super) fn shares(&self, quota: &Quota) -> Option<&Sharing> {
        let counted = matches!(quota.window, Window::Rolling { .. } | Window::Calendar(_));
        self.sharing.as_ref().filter(|_| counted)
    }

    /// What a bucket is called in Redis.
    #[must_use]
    pub fn name_in_redis(&self, bucket: BucketName) -> Option<(u128, u128)> {
        if let Some(next) = self.successor() {
            return next.name_in_redis(next.name_of_old(bucket)?);
        }
        let names = &self.sharing.as_ref()?.names;
        Some((*names.get(usize::from(bucket.quota))?, bucket.key.0))
    }

    /// A bucket of the state that this one follows.
    fn name_of_old(&self, bucket: BucketName) -> Option<BucketName> {
        Some(BucketName {
            quota: self.follows.quota(bucket.quota)?,
            ..bucket
        })
    }

    /// Quotas are called by what they count, not by how much, so that one that is changed goes on; those that count the
    /// same are told apart by their order.
    fn names_in_redis(&self) -> Vec<u128> {
        let mut names: Vec<u128> = Vec::new();
        for (identity, quota) in self.names.quotas.iter().zip(&self.quotas) {
            let identity = Identity {
                label: String::new(),
                ..identity.clone()
            };
            let window = match &quota.window {
                Window::Rolling { nanoseconds, .. } => Window::Rolling {
                    nanoseconds: *nanoseconds,
                    burst: 0,
                },
                window => window.clone(),
            };
            let measured = Quota {
                unit: quota.unit,
                amount: 0,
                window,
            };
            let mut bytes = Vec::new();
            Declared::write(&identity, &measured, &mut Writer(&mut bytes));
            let name = |place: u64| {
                let mut hasher = SipHasher13::new_with_keys(place, 0);
                hasher.write(&bytes);
                hasher.finish128().as_u128()
            };
            let free = (0..).map(name).find(|name| !names.contains(name));
            names.extend(free);
        }
        names
    }

    /// Says that these charges wait for what they lack, until the result is dropped.
    #[must_use]
    pub fn need(&self, charges: &[Charge], now: i64) -> Needs<'_> {
        let mut needs = Needs {
            state: self,
            charges: SmallVec::new(),
        };
        for charge in charges {
            let news = self.need_one(charge, now);
            needs.charges.extend(news.map(|news| (*charge, news)));
        }
        needs
    }

    fn need_one(&self, charge: &Charge, now: i64) -> Option<u64> {
        let mut shard = self.lock(shard_of(charge.key))?;
        if let Some(next) = self.successor() {
            drop(shard);
            return next.need_one(&next.charge_of_old(charge), now);
        }
        let quota = self.quota(charge.quota)?;
        let sharing = self.shares(quota)?;
        let name = (charge.quota, charge.key);
        let bucket = shard.bucket(&self.quotas, name, quota, now).ok()?;
        let lease = bucket.lease();
        if lease.covers(charge.amount, charge.bound) || charge.bound == u64::MAX {
            return None;
        }
        lease.wait_for(charge.amount, charge.bound);
        let news = lease.news();
        sharing.want(bucket, name);
        Some(news)
    }

    /// Does something with a bucket that is shared, wherever it is now.
    fn with_shared<T>(&self, bucket: BucketName, act: impl FnOnce(Found<'_>) -> T) -> Option<T> {
        let mut shard = self.lock(shard_of(bucket.key))?;
        if let Some(next) = self.successor() {
            drop(shard);
            return next.with_shared(next.name_of_old(bucket)?, act);
        }
        let quota = self.quota(bucket.quota)?;
        let sharing = self.shares(quota)?;
        let name = (bucket.quota, bucket.key);
        let next = shard.next_incarnation();
        let bucket = shard.get_mut(name)?;
        Some(act(Found {
            sharing,
            quota,
            name,
            bucket,
            next,
        }))
    }

    /// What to ask of a bucket now; nothing where there is nothing to ask, or an answer is still to come.
    #[must_use]
    pub fn ask(&self, bucket: BucketName, now: i64) -> Option<Ask> {
        self.with_shared(bucket, |found| {
            let Found {
                sharing,
                quota,
                bucket,
                next,
                ..
            } = found;
            bucket.advance(quota, now, next);
            let used = bucket.used(quota);
            let serial = sharing.common.serials.fetch_add(1, Ordering::Relaxed) + 1;
            bucket
                .lease()
                .ask(quota, sharing.terms(), (serial, used), now)
        })?
    }

    /// It was wanted, and cannot be asked for now.
    pub fn put_off(&self, bucket: BucketName) {
        self.with_shared(bucket, |found| found.bucket.lease().is_queued = false);
    }

    /// Takes in what became of an ask: nothing is known of it without an answer.
    pub fn answered(&self, bucket: BucketName, serial: u64, answer: Option<Answer>, now: i64) {
        self.with_shared(bucket, |found| {
            let Found {
                sharing,
                quota,
                name,
                bucket,
                ..
            } = found;
            let used = bucket.used(quota);
            let lease = bucket.lease();
            lease.answered(quota, (serial, answer), used, now);
            lease.trim(quota, sharing.terms(), now);
            if lease.is_late() || (answer.is_some() && lease.has_news()) {
                sharing.want(bucket, name);
            }
        });
    }

    /// Has a part of the leases looked after: what is not needed is given back, what others use is looked at again. The
    /// parts are numbered from 0, and come one after the other; `false` when there is no such part.
    pub fn look_after(&self, part: usize, now: i64) -> bool {
        let (Some(sharing), Some(mut shard)) = (&self.sharing, self.lock(part)) else {
            return false;
        };
        for (name, bucket) in shard.leased() {
            if bucket.lease.as_ref().is_some_and(|lease| lease.is_due(now)) {
                sharing.want(bucket, name);
            }
        }
        true
    }

    /// Redis can be asked, or not. Where it cannot, each replica goes on with its share, if the file says so.
    pub fn set_away(&self, is_away: bool) {
        if let Some(sharing) = &self.sharing {
            sharing.common.is_away.store(is_away, Ordering::Relaxed);
        }
    }

    /// Wants again what is waited for: whom it was told to served another state.
    pub fn want_again(&self) {
        let Some(sharing) = &self.sharing else {
            return;
        };
        for part in 0..SHARDS {
            let Some(mut shard) = self.lock(part) else {
                continue;
            };
            for (name, bucket) in shard.leased() {
                if std::mem::take(&mut bucket.lease().is_queued) {
                    sharing.want(bucket, name);
                }
            }
        }
    }

    /// Forgets what was leased: whoever granted it is not asked any more.
    pub fn forget_leases(&self) {
        for part in 0..SHARDS {
            let Some(mut shard) = self.lock(part) else {
                continue;
            };
            for (_, bucket) in shard.leased() {
                bucket.lease = None;
            }
        }
    }

    /// Redis has begun anew: it must hear again of all that is used.
    pub fn tell_all(&self) {
        let Some(sharing) = &self.sharing else {
            return;
        };
        for part in 0..SHARDS {
            let Some(mut shard) = self.lock(part) else {
                continue;
            };
            for (name, bucket) in shard.leased() {
                bucket.lease().tell_again();
                sharing.want(bucket, name);
            }
        }
    }

    /// Takes nothing any more, and gives back what is left: the end, or another state takes the place of this one.
    pub fn give_back_all(&self, now: i64) {
        let Some(sharing) = &self.sharing else {
            return;
        };
        sharing.common.is_closing.store(true, Ordering::Relaxed);
        for part in 0..SHARDS {
            let Some(mut shard) = self.lock(part) else {
                continue;
            };
            for ((index, key), bucket) in shard.leased() {
                let Some(quota) = self.quota(index) else {
                    continue;
                };
                let lease = bucket.lease();
                lease.trim(quota, sharing.terms(), now);
                if lease.has_news() {
                    sharing.want(bucket, (index, key));
                }
            }
        }
    }

    /// Whether Redis has yet to hear of something.
    #[must_use]
    pub fn has_untold(&self) -> bool {
        (0..SHARDS)
            .filter_map(|part| self.lock(part))
            .any(|mut shard| {
                shard
                    .leased()
                    .any(|(_, bucket)| bucket.lease.as_ref().is_some_and(|lease| lease.has_news()))
            })
    }
}

/// What calls wait for; they do not any more when this is dropped.
#[derive(Debug)]
pub struct Needs<'s> {
    state: &'s State,
    /// With the answer that is news.
    charges: SmallVec<[(Charge, u64); 4]>,
}

/// A bucket that is shared, and what belongs to it.
struct Found<'s> {
    sharing: &'s Sharing,
    quota: &'s Quota,
    name: Name,
    bucket: &'s mut Bucket,
    /// What it becomes if its window is over.
    next: Incarnation,
}

impl Needs<'_> {
    /// Whether every bucket has been answered for since, or has what is needed.
    #[must_use]
    pub fn are_met(&self) -> bool {
        self.charges.iter().all(|(charge, news)| {
            let is_met = self.state.with_shared(bucket_of(charge), |found| {
                let lease = found.bucket.lease();
                lease.answers() > *news || lease.covers(charge.amount, charge.bound)
            });
            is_met.unwrap_or(true)
        })
    }

    /// Whether nothing is lacking.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.charges.is_empty()
    }
}

impl Drop for Needs<'_> {
    fn drop(&mut self) {
        for (charge, _) in &self.charges {
            self.state.with_shared(bucket_of(charge), |found| {
                found.bucket.lease().wait_no_more(charge.amount);
            });
        }
    }
}

const fn bucket_of(charge: &Charge) -> BucketName {
    BucketName {
        quota: charge.quota,
        key: charge.key,
    }
}

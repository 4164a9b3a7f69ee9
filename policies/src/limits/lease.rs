//! What one replica holds of a bucket that all replicas share.
//!
//! Redis keeps what is *committed* of a bucket: all that replicas were granted and have not given back, whether they
//! have used it or not. A replica spends what it was granted without asking anybody, asks for more before that is used
//! up, and gives back what it does not need. So what is used is never more than what is committed, and what is
//! committed is bounded in one place, by one clock.
//!
//! Invariants:
//! - Nothing is spent that was not granted, but for what a call used beyond its reservation: that is debt, which the next
//!   ask commits whether there is room or not.
//! - What becomes of an ask is known, or it is asked again in a way that undoes it: each says how much is held for this
//!   replica, as far as it knows, and has a higher number than all before it. A request that comes late does nothing.
//! - In a rolling bucket, where what is granted drains whether it is used or not, a replica keeps no more than
//!   [`largest_slice`] between calls; so in any time all replicas let through at most [`slack`] more than one
//!   process would. In a calendar window they let through no more at all.
//! - What Redis has forgotten is restored from what replicas have heard, by the highest.

use super::bucket::Bucket;
use super::calendar::Span;
use super::quota::{Quota, Window};

/// A rolling limit lets through at most one part in so many more.
const SLACK: u64 = 8;
/// Redis computes in doubles: beyond this, amounts are counted in coarser grains.
const EXACT: u32 = 50;
/// For how long what was heard of a bucket that has no room is believed: a second.
const FRESH: i64 = 1_000_000_000;
/// After how long what others use is looked at again, where calls come: five seconds.
const LOOK_AGAIN: i64 = 5_000_000_000;
/// After how long without a call what is left is given back: two seconds.
const IDLE: i64 = 2_000_000_000;
/// Asks that follow one another sooner than this ask for more: a quarter of a second.
const SOON: i64 = 250_000_000;
const NANOSECONDS_IN_MICROSECOND: i64 = 1_000;

/// The most that a replica keeps of a rolling bucket that holds so much, between calls.
#[must_use]
pub const fn largest_slice(holds: u64, replicas: u64) -> u64 {
    holds / SLACK / if replicas == 0 { 1 } else { replicas }
}

/// How much more than one process all replicas together let through a rolling limit that holds so much.
#[must_use]
pub const fn slack(holds: u64, replicas: u64) -> u64 {
    largest_slice(holds, replicas).saturating_mul(replicas)
}

/// How a shared bucket's window runs, in microseconds and in grains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// So much drains in such a time.
    Rolling {
        /// How much.
        amount: u64,
        /// In how long.
        microseconds: u64,
    },
    /// From a moment to another.
    Calendar {
        /// The first microsecond since 1970.
        start: i64,
        /// The first one after it.
        end: i64,
    },
}

/// What a replica asks of Redis about a bucket, in grains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// How the window runs.
    pub measure: Measure,
    /// Higher than in all asks before it.
    pub serial: u64,
    /// What Redis should hold for this replica, had it heard all that was answered.
    pub taken: u64,
    /// What calls wait for.
    pub need: u64,
    /// Less than this helps none of them.
    pub least: u64,
    /// What is wanted beside it.
    pub extra: u64,
    /// Grants must not commit more than this.
    pub bound: u64,
    /// Used already, beyond what was granted.
    pub debt: u64,
    /// Granted, and given back.
    pub give: u64,
    /// Since when it has been on its way back, by Redis's clock: what drained meanwhile is not given twice.
    pub give_since: i64,
    /// At least so much is committed, or Redis has forgotten.
    pub floor: u64,
    /// What was committed when Redis was last heard.
    pub heard: u64,
    /// When that was, by Redis's clock.
    pub heard_at: i64,
}

/// What Redis makes of an ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// Whether it was considered.
    pub verdict: Verdict,
    /// What was granted, in grains.
    pub granted: u64,
    /// What is committed now, in grains.
    pub committed: u64,
    /// When, in microseconds since 1970.
    pub now: i64,
}

/// How an ask was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Done, as far as there was room.
    Done,
    /// A later one came before it: nothing was done.
    Late,
    /// The window is not now: nothing was done.
    NotNow,
    /// Redis has begun anew a moment ago and waits for what replicas know: nothing was granted.
    Learning,
}

/// What one replica holds of one bucket.
#[derive(Debug, Default)]
pub(super) struct Lease {
    /// Granted, and not spent.
    left: u64,
    /// Spent, and not granted.
    debt: u64,
    /// Granted, and on its way back.
    surplus: u64,
    /// Since when, by Redis's clock.
    surplus_since: i64,
    /// What Redis holds for this replica.
    taken: u64,
    /// What was sent and not answered.
    sent: Option<Ask>,
    /// When, by Redis's clock.
    sent_at: i64,
    /// What calls wait for: together, the smallest, and the highest bound of theirs.
    need: u64,
    waiting: u32,
    least: u64,
    bound: u64,
    /// The bound of the last call.
    last_bound: u64,
    /// How much is wanted beside that.
    slice: u64,
    committed: u64,
    others: u64,
    heard: Option<Heard>,
    /// When it was last asked for more.
    asked: i64,
    /// How often Redis has answered.
    answers: u64,
    /// Whether there was less than was needed.
    is_dry: bool,
    /// Whether it is not known what became of the last ask.
    is_unsure: bool,
    /// Whether Redis has forgotten what was heard of it.
    is_telling: bool,
    /// Whether it was to be asked while an answer was on its way.
    is_late: bool,
    /// Whether somebody was told to ask.
    pub(super) is_queued: bool,
    /// When a call last came.
    touched: i64,
    span: Option<Span>,
    /// What was used by this replica's own share, while Redis is away.
    alone: Option<Bucket>,
}

/// A moment by both clocks.
#[derive(Debug, Clone, Copy)]
struct Heard {
    /// Nanoseconds by the replica's.
    here: i64,
    /// Microseconds by Redis's.
    there: i64,
}

/// What all leases of a state have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    /// How many replicas there are at most.
    pub(super) replicas: u64,
    /// Whether everything is to be given back.
    pub(super) is_closing: bool,
}

impl Lease {
    /// Lets a window that is over be over: what was leased of it is worth nothing.
    pub(super) fn advance(&mut self, span: Option<Span>) {
        if self.span != span {
            *self = Self {
                span,
                // Goes on: it says for whom, not of what.
                need: self.need,
                waiting: self.waiting,
                least: self.least,
                bound: self.bound,
                slice: self.slice,
                answers: self.answers,
                is_queued: self.is_queued,
                touched: self.touched,
                ..Self::default()
            };
        }
    }

    /// Whether a call may take this without asking.
    pub(super) const fn covers(&self, amount: u64, bound: u64) -> bool {
        self.left >= amount && self.committed <= bound
    }

    /// A call comes.
    pub(super) fn touch(&mut self, bound: u64, now: i64) {
        self.touched = now;
        self.last_bound = bound;
    }

    /// A call takes what it is covered for. Whether it is time to ask for more.
    pub(super) const fn spend(&mut self, amount: u64) -> bool {
        self.left = self.left.saturating_sub(amount);
        self.left < self.slice / 2 && !self.is_dry
    }

    /// A call that came to nothing gives back what it took.
    pub(super) const fn unspend(&mut self, amount: u64) {
        self.left = self.left.saturating_add(amount);
    }

    /// A call has used this much without having been granted it.
    pub(super) fn owe(&mut self, amount: u64) {
        let paid = amount.min(self.left);
        self.left -= paid;
        self.debt = self.debt.saturating_add(amount - paid);
    }

    /// A call did not use this much of what it took.
    pub(super) fn give_back(&mut self, quota: &Quota, terms: Terms, amount: u64, now: i64) {
        // What was never granted need not be granted later.
        let forgiven = amount.min(self.debt);
        self.debt -= forgiven;
        self.left = self.left.saturating_add(amount - forgiven);
        self.trim(quota, terms, now);
    }

    /// Puts aside what is more than may be kept, to be given back.
    pub(super) fn trim(&mut self, quota: &Quota, terms: Terms, now: i64) {
        let keeps = match &quota.window {
            _ if terms.is_closing => 0,
            Window::Rolling { burst, .. } => largest_slice(*burst, terms.replicas),
            _ => self.slice.saturating_mul(4),
        };
        let keeps = keeps.saturating_add(self.need);
        let excess = self.left.saturating_sub(keeps);
        if excess > 0 {
            self.put_aside(excess, now);
        }
    }

    fn put_aside(&mut self, amount: u64, now: i64) {
        if self.surplus == 0 {
            self.surplus_since = self.there(now);
        }
        self.left -= amount;
        self.surplus = self.surplus.saturating_add(amount);
    }

    /// A call waits for this much.
    pub(super) fn wait_for(&mut self, amount: u64, bound: u64) {
        if self.waiting == 0 {
            (self.least, self.bound) = (amount, bound);
        }
        self.waiting += 1;
        self.need = self.need.saturating_add(amount);
        self.least = self.least.min(amount);
        self.bound = self.bound.max(bound);
    }

    /// It does not any more.
    pub(super) fn wait_no_more(&mut self, amount: u64) {
        self.waiting = self.waiting.saturating_sub(1);
        self.need = self.need.saturating_sub(amount);
        if self.waiting == 0 {
            self.need = 0;
        }
    }

    /// How often it was answered, and of what is on its way that is not: what comes after is news.
    pub(super) const fn news(&self) -> u64 {
        self.answers + self.sent.is_some() as u64
    }

    /// How often Redis has answered.
    pub(super) const fn answers(&self) -> u64 {
        self.answers
    }

    /// What others had committed when Redis was last heard, less what has drained since.
    pub(super) fn others(&self, quota: &Quota, now: i64) -> u64 {
        let Some(heard) = self.heard else {
            return 0;
        };
        let age = now.saturating_sub(heard.here).max(0);
        // What nobody has heard of for a while is asked for, not believed.
        if self.is_dry && age > FRESH {
            return 0;
        }
        match (&quota.window, self.span) {
            (Window::Rolling { nanoseconds, .. }, _) => {
                let age = u128::from(age.unsigned_abs());
                let drained = u128::from(quota.amount) * age / u128::from((*nanoseconds).max(1));
                self.others
                    .saturating_sub(u64::try_from(drained).unwrap_or(u64::MAX))
            }
            (_, Some(span)) if now >= span.end => 0,
            _ => self.others,
        }
    }

    /// Takes this much of the replica's own share, while Redis is away.
    pub(super) fn go_alone(
        &mut self,
        (quota, used): (&Quota, u64),
        (amount, bound): (u64, u64),
        replicas: u64,
        now: i64,
    ) -> bool {
        let own = share_of(quota, replicas);
        let next = super::bucket::Incarnation(0);
        let alone = self.alone.get_or_insert_with(|| {
            // What it has used already was of this share too.
            let mut bucket = Bucket::new(&own, now, next);
            bucket.add(&own, used);
            bucket
        });
        alone.advance(&own, now, next);
        if !alone.has_room(&own, amount, bound / replicas.max(1)) {
            return false;
        }
        alone.add(&own, amount);
        self.debt = self.debt.saturating_add(amount);
        // Granted by itself, and spent at once.
        true
    }

    /// Whether a call began to wait while an answer was on its way.
    pub(super) const fn is_late(&self) -> bool {
        self.is_late
    }

    /// Whether there is something that Redis has yet to hear of.
    pub(super) const fn has_news(&self) -> bool {
        self.debt > 0 || self.surplus > 0
    }

    /// Whether Redis should hear of it though no call waits.
    pub(super) fn is_due(&self, now: i64) -> bool {
        let is_old = |limit: i64| {
            self.heard
                .is_none_or(|at| now.saturating_sub(at.here) > limit)
        };
        let is_idle = now.saturating_sub(self.touched) > IDLE;
        let came_since = self.heard.is_some_and(|heard| self.touched > heard.here);
        self.debt > 0
            || self.surplus > 0
            || self.is_unsure
            || (is_idle && self.left > 0)
            || (came_since && is_old(LOOK_AGAIN))
    }

    /// Whether it says nothing that a fresh one would not.
    pub(super) const fn is_idle(&self) -> bool {
        self.left == 0
            && self.debt == 0
            && self.surplus == 0
            && self.waiting == 0
            && self.sent.is_none()
            && !self.is_unsure
    }

    /// Redis has begun anew: it must hear of everything again.
    pub(super) const fn tell_again(&mut self) {
        self.is_unsure = true;
        self.is_telling = true;
    }

    /// What was heard, for a state that takes the place of this one: it has been granted nothing.
    pub(super) fn hearing(&self) -> Self {
        Self {
            committed: self.committed,
            others: self.others,
            heard: self.heard,
            span: self.span,
            touched: self.touched,
            ..Self::default()
        }
    }

    /// What to ask now; nothing while an answer is still to come. `used` is what this replica has used of the bucket.
    pub(super) fn ask(
        &mut self,
        quota: &Quota,
        terms: Terms,
        (serial, used): (u64, u64),
        now: i64,
    ) -> Option<Ask> {
        self.is_queued = false;
        self.is_late = self.sent.is_some();
        if self.is_late {
            return None;
        }
        let is_idle = now.saturating_sub(self.touched) > IDLE;
        if (is_idle || terms.is_closing) && self.waiting == 0 && self.left > 0 {
            self.put_aside(self.left, now);
        }
        let grain = Grain::of(quota);
        let short = self.need.saturating_sub(self.left);
        let heard = self.heard.unwrap_or(Heard { here: 0, there: 0 });
        let ask = Ask {
            measure: grain.measure(quota, self.span)?,
            serial,
            taken: self.taken,
            need: grain.up(short),
            least: grain.up(self.least.saturating_sub(self.left).min(short)),
            extra: grain.down(self.extra(quota, terms, (is_idle, now))),
            bound: grain.down(match self.waiting {
                0 => self.last_bound,
                _ => self.bound,
            }),
            debt: grain.up(self.debt),
            give: grain.down(self.surplus),
            give_since: self.surplus_since,
            floor: grain.up(used.saturating_sub(self.debt).saturating_add(self.left)),
            heard: match self.taken > 0 || self.is_telling {
                true => grain.up(self.committed),
                // It may have got less since, and Redis knows.
                false => 0,
            },
            heard_at: heard.there,
        };
        self.sent = Some(ask);
        self.sent_at = self.there(now);
        Some(ask)
    }

    /// How much is wanted beside what calls wait for: more where asks follow soon upon one another, less where they do not.
    fn extra(&mut self, quota: &Quota, terms: Terms, (is_idle, now): (bool, i64)) -> u64 {
        if terms.is_closing || is_idle {
            return 0;
        }
        let pause = now.saturating_sub(self.asked);
        self.asked = now;
        self.slice = match pause {
            ..=SOON => self.slice.saturating_mul(2),
            IDLE.. => self.slice / 2,
            _ => self.slice,
        };
        let (most, kept) = match &quota.window {
            Window::Rolling { burst, .. } => (
                largest_slice(*burst, terms.replicas),
                self.left.saturating_sub(self.need),
            ),
            _ => (quota.capacity(), 0),
        };
        let one = if self.waiting > 0 { self.least } else { 0 };
        self.slice = self.slice.max(one).min(most);
        self.slice.min(most.saturating_sub(kept))
    }

    /// Takes in what became of the ask with this number. `used` is as for [`Lease::ask`].
    pub(super) fn answered(
        &mut self,
        quota: &Quota,
        (serial, answer): (u64, Option<Answer>),
        used: u64,
        now: i64,
    ) {
        let Some(ask) = self.sent.take_if(|sent| sent.serial == serial) else {
            return;
        };
        let done = |answer: &Answer| matches!(answer.verdict, Verdict::Done | Verdict::Learning);
        let Some(answer) = answer.filter(|answer| answer.verdict != Verdict::Late) else {
            self.is_unsure = true;
            return;
        };
        self.answers += 1;
        self.is_dry = answer.granted < ask.need || !done(&answer);
        self.heard = Some(Heard {
            here: now,
            there: answer.now,
        });
        if !done(&answer) {
            self.is_unsure = false;
            return;
        }
        let grain = Grain::of(quota);
        // Rounded up when it was told: what is more than was owed is as good as granted.
        let told = grain.units(ask.debt);
        let rounded = told.saturating_sub(self.debt.min(told));
        self.debt = self.debt.saturating_sub(told);
        self.surplus = self.surplus.saturating_sub(grain.units(ask.give));
        self.surplus_since = self.sent_at;
        let granted = grain.units(answer.granted);
        self.left = self.left.saturating_add(granted).saturating_add(rounded);
        self.taken = (ask.taken + ask.debt + answer.granted).saturating_sub(ask.give);
        self.committed = grain.units(answer.committed);
        let own = used.saturating_add(self.left).saturating_add(self.surplus);
        self.others = self.committed.saturating_sub(own);
        // What it could not know of is told again, until it learns.
        self.is_unsure = answer.verdict == Verdict::Learning;
        self.is_telling &= self.is_unsure;
        if answer.verdict == Verdict::Done && self.debt == 0 {
            self.alone = None;
        }
    }

    /// Redis's time now, or a little before: what was heard, and what has passed here since.
    fn there(&self, now: i64) -> i64 {
        self.heard.map_or(0, |heard| {
            let passed = now.saturating_sub(heard.here).max(0);
            heard
                .there
                .saturating_add(passed / NANOSECONDS_IN_MICROSECOND)
        })
    }
}

/// What one of so many replicas may use by itself.
fn share_of(quota: &Quota, replicas: u64) -> Quota {
    let replicas = replicas.max(1);
    let window = match &quota.window {
        Window::Rolling { nanoseconds, burst } => Window::Rolling {
            nanoseconds: *nanoseconds,
            burst: burst / replicas,
        },
        window => window.clone(),
    };
    Quota {
        unit: quota.unit,
        amount: quota.amount / replicas,
        window,
    }
}

/// How many units of a quota Redis counts as one, as a power of two.
#[derive(Debug, Clone, Copy)]
struct Grain(u32);

impl Grain {
    fn of(quota: &Quota) -> Self {
        let largest = quota.capacity().max(quota.amount);
        Self((u64::BITS - largest.leading_zeros()).saturating_sub(EXACT))
    }

    const fn down(self, units: u64) -> u64 {
        units >> self.0
    }

    const fn up(self, units: u64) -> u64 {
        units.div_ceil(1 << self.0)
    }

    const fn units(self, grains: u64) -> u64 {
        grains.saturating_mul(1 << self.0)
    }

    fn measure(self, quota: &Quota, span: Option<Span>) -> Option<Measure> {
        match (&quota.window, span) {
            (Window::Rolling { nanoseconds, .. }, _) => Some(Measure::Rolling {
                amount: self.down(quota.amount),
                microseconds: nanoseconds.div_ceil(NANOSECONDS_IN_MICROSECOND.unsigned_abs()),
            }),
            (Window::Calendar(_), Some(span)) => Some(Measure::Calendar {
                start: span.start / NANOSECONDS_IN_MICROSECOND,
                end: span.end / NANOSECONDS_IN_MICROSECOND,
            }),
            _ => None,
        }
    }
}

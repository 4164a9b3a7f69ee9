//! One bucket of a quota: how much is used, exactly, in integers.
//!
//! A rolling bucket is a queue of charges that drains evenly, first come first drained. It keeps two totals, `added`
//! and `drained`; what is used is their difference. Of each charge that is held it knows where its end stands in
//! `added`, so that when it is settled only the part that has *not yet drained* is given back: what drained was room
//! that others have already had. Units are scaled by the window's length, so nothing is ever rounded.
//!
//! A calendar bucket counts from the start of its window. A settlement belongs to the window it was reserved in:
//! each window is an [`Incarnation`], and one that is over is not touched.
//!
//! A sliding bucket is [`Sliding`]'s. A session's counts from its first call until none of its calls has been admitted
//! or has ended for as long as its window says; what a call uses that ends after its session is beyond its reservation only.
//!
//! Clocks: a moment a little before the last one seen (two threads read the clock, then race for the lock) counts as
//! the last one; for a rolling bucket a step back by more becomes the new present, from which it goes on draining. A
//! calendar bucket stays in the window it has reached until that is over, so that a clock that steps back over
//! midnight never gives a window twice; only a step back by more than a whole window becomes the new present.
//! Nothing used is forgotten by either.

use smallvec::SmallVec;

use super::calendar::Span;
use super::codec::{Malformed, Reader, Writer};
use super::lease::Lease;
use super::quota::{Quota, Usage, Window};
use super::sliding::{Measure, Sliding};

/// By how much the clock may run back before it counts as having been set: ten seconds.
pub(super) const JITTER: i64 = 10_000_000_000;
const NANOSECONDS_IN_MILLISECOND: u128 = 1_000_000;

/// Which life of a bucket a charge belongs to: another window, or the same after it was forgotten, is another life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Incarnation(pub(super) u64);

impl Incarnation {
    /// One that was written down. They are counted up from zero: half of what fits is more than ever begin.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        match reader.number()? {
            number if number <= u64::MAX / 2 => Ok(Self(number)),
            _ => Err(Malformed),
        }
    }
}

/// How much of one quota one key has used.
#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) incarnation: Incarnation,
    fill: Fill,
    /// The ends of a rolling bucket's held charges, in order, until they have drained.
    held: SmallVec<[End; 1]>,
    serial: u64,
    /// What is leased of it, where replicas share it.
    pub(super) lease: Option<Box<Lease>>,
}

/// What came of a hold that has ended, in the quota's unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Settled {
    /// Given back.
    pub(super) returned: u64,
    /// Used beyond it.
    pub(super) beyond: u64,
}

/// Where a held charge ends.
#[derive(Debug, Clone, Copy)]
struct End {
    serial: u64,
    end: u128,
}

#[derive(Debug, Clone)]
enum Fill {
    /// Totals in the quota's unit times the window's nanoseconds.
    Rolling {
        added: u128,
        drained: u128,
        last: i64,
    },
    Calendar {
        used: u64,
        span: Span,
    },
    Sliding(Sliding),
    Session {
        used: u64,
        /// When a call of it was last admitted or ended.
        active: i64,
        /// The moment of the call that is counted now.
        present: i64,
    },
}

/// A charge that was taken: what it needs to be settled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hold {
    pub(super) amount: u64,
    pub(super) incarnation: Incarnation,
    serial: u64,
}

impl Hold {
    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        writer.number(self.amount);
        writer.number(self.incarnation.0);
        writer.number(self.serial);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            amount: reader.number()?,
            incarnation: Incarnation::read(reader)?,
            serial: reader.number()?,
        })
    }
}

impl Bucket {
    /// A bucket of which nothing is used.
    pub(super) fn new(quota: &Quota, now: i64, incarnation: Incarnation) -> Self {
        let fill = match &quota.window {
            Window::Rolling { .. } => Fill::Rolling {
                added: 0,
                drained: 0,
                last: now,
            },
            Window::Calendar(calendar) => Fill::Calendar {
                used: 0,
                span: calendar.span(now),
            },
            Window::Sliding { .. } => Fill::Sliding(Sliding::new(now)),
            // Nothing is counted of the last two: they have no buckets.
            Window::Session { .. } | Window::Call | Window::Open => Fill::Session {
                used: 0,
                active: now,
                present: now,
            },
        };
        Self {
            incarnation,
            fill,
            held: SmallVec::new(),
            serial: 0,
            lease: None,
        }
    }

    /// The same figures, without what is held.
    pub(super) fn figures(&self) -> Self {
        Self {
            incarnation: self.incarnation,
            fill: self.fill.clone(),
            held: SmallVec::new(),
            serial: 0,
            lease: None,
        }
    }

    /// What is leased of it, in the window that is now. Advance first.
    pub(super) fn lease(&mut self) -> &mut Lease {
        let span = match self.fill {
            Fill::Calendar { span, .. } => Some(span),
            _ => None,
        };
        let lease = self.lease.get_or_insert_default();
        lease.advance(span);
        lease
    }

    /// The bucket as all replicas see it, where others have used something of it.
    pub(super) fn with_others(&self, quota: &Quota, now: i64) -> Option<Self> {
        let others = self.lease.as_ref()?.others(quota, now);
        (others > 0).then(|| {
            let mut all = self.advanced(quota, now);
            all.add(quota, others);
            all
        })
    }

    /// Lets the time until `now` pass. `next` becomes its incarnation if a new window begins.
    pub(super) fn advance(&mut self, quota: &Quota, now: i64, next: Incarnation) {
        match (&mut self.fill, &quota.window) {
            (
                Fill::Rolling {
                    added,
                    drained,
                    last,
                },
                Window::Rolling { .. },
            ) => {
                let elapsed = now.saturating_sub(*last);
                if elapsed >= 0 {
                    let drains =
                        u128::from(quota.amount).saturating_mul(u128::from(elapsed.unsigned_abs()));
                    *drained = drained.saturating_add(drains).min(*added);
                    *last = now;
                    let over = self.held.iter().take_while(|charge| charge.end <= *drained);
                    let over = over.count();
                    self.held.drain(..over);
                    if drained == added {
                        // Nothing is held any more: count from zero again.
                        (*added, *drained) = (0, 0);
                    }
                } else if elapsed < -JITTER {
                    *last = now;
                }
            }
            (Fill::Calendar { used, span }, Window::Calendar(calendar)) => {
                if now >= span.end {
                    *used = 0;
                    *span = calendar.span(now);
                    self.incarnation = next;
                } else if now < span.start.saturating_sub(span.end - span.start) {
                    // The clock had been far ahead: what is used stays used until the window that is now is over.
                    *span = calendar.span(now);
                }
            }
            (Fill::Sliding(sliding), Window::Sliding { nanoseconds }) => {
                let is_another = sliding.advance(Measure::of(*nanoseconds), now);
                if is_another {
                    self.incarnation = next;
                }
            }
            (
                Fill::Session {
                    used,
                    active,
                    present,
                },
                Window::Session { nanoseconds },
            ) => {
                *present = now;
                if now.saturating_sub(*active) < -JITTER {
                    *active = now;
                }
                if idle(*active, now) >= *nanoseconds {
                    (*used, *active) = (0, now);
                    self.incarnation = next;
                }
            }
            // A bucket is always advanced with the quota that made it.
            _ => {}
        }
    }

    /// What is used at `now`.
    pub(super) fn used_at(&self, quota: &Quota, now: i64) -> u64 {
        match &self.fill {
            Fill::Sliding(sliding) => sliding.used_at(measure(quota), now),
            _ => self.advanced(quota, now).used(quota),
        }
    }

    /// How full it is at `now`.
    pub(super) fn usage_at(&self, quota: &Quota, now: i64) -> Usage {
        let (used, resets_milliseconds) = match &self.fill {
            // The one fill that owns memory is read where it is.
            Fill::Sliding(sliding) => {
                let measure = measure(quota);
                let empty = sliding.room_at(measure, 0, now).unwrap_or(now);
                let used = sliding.used_at(measure, now);
                (used, milliseconds_until(empty, now))
            }
            _ => {
                let bucket = self.advanced(quota, now);
                (bucket.used(quota), bucket.until_empty(quota, now))
            }
        };
        Usage {
            used,
            capacity: quota.capacity(),
            resets_milliseconds,
        }
    }

    /// Whether `amount` more at `now` leaves at most `bound` used; if not, in how many milliseconds it would, if ever.
    pub(super) fn room_at(
        &self,
        quota: &Quota,
        amount: u64,
        bound: u64,
        now: i64,
    ) -> Result<(), Option<u64>> {
        let most = bound.checked_sub(amount).ok_or(None)?;
        if let Fill::Sliding(sliding) = &self.fill {
            let room = sliding.room_at(measure(quota), most, now);
            return room.map_or(Ok(()), |room| Err(Some(milliseconds_until(room, now))));
        }
        let bucket = self.advanced(quota, now);
        if bucket.has_room(quota, amount, bound) {
            return Ok(());
        }
        Err(bucket.until_at_most(quota, most, now))
    }

    fn advanced(&self, quota: &Quota, now: i64) -> Self {
        let mut copy = self.figures();
        copy.advance(quota, now, Incarnation(0));
        copy
    }

    /// As [`Bucket::advance`], when a log says which incarnation was found then: where it is the same, no window had
    /// begun in between, whatever the clock said, and where it is another, what was held before it is not any more.
    pub(super) fn advance_again(&mut self, quota: &Quota, now: i64, found: Incarnation) {
        let is_same = self.incarnation == found;
        match (&mut self.fill, &quota.window) {
            (Fill::Calendar { span, .. }, Window::Calendar(calendar)) if is_same => {
                if now >= span.end {
                    *span = calendar.span(now);
                }
            }
            (Fill::Sliding(sliding), Window::Sliding { .. }) => {
                sliding.pass(measure(quota), now);
                if !is_same {
                    sliding.set_back(measure(quota), now);
                }
            }
            (
                Fill::Session {
                    used,
                    active,
                    present,
                },
                Window::Session { .. },
            ) => {
                *present = now;
                if !is_same {
                    (*used, *active) = (0, now);
                }
            }
            _ => self.advance(quota, now, found),
        }
        if !is_same {
            self.incarnation = found;
            self.held.clear();
        }
    }

    /// What is used, in the quota's unit; a part of a unit counts as one.
    pub(super) fn used(&self, quota: &Quota) -> u64 {
        match self.fill {
            Fill::Rolling { added, drained, .. } => {
                u64::try_from((added - drained).div_ceil(scale(quota))).unwrap_or(u64::MAX)
            }
            Fill::Calendar { used, .. } | Fill::Session { used, .. } => used,
            Fill::Sliding(ref sliding) => sliding.used(),
        }
    }

    /// Milliseconds from `now` until at most `most` is used; `None` if that is never.
    pub(super) fn until_at_most(&self, quota: &Quota, most: u64, now: i64) -> Option<u64> {
        match self.fill {
            Fill::Rolling { added, drained, .. } => {
                let excess =
                    (added - drained).saturating_sub(u128::from(most).saturating_mul(scale(quota)));
                match (excess, quota.amount) {
                    (0, _) => Some(0),
                    (_, 0) => None,
                    (excess, amount) => Some(milliseconds(excess.div_ceil(u128::from(amount)))),
                }
            }
            Fill::Calendar { used, .. } | Fill::Session { used, .. } if used <= most => Some(0),
            Fill::Calendar { span, .. } => Some(milliseconds_until(span.end, now)),
            Fill::Sliding(ref sliding) => Some(
                sliding
                    .room_at(measure(quota), most, now)
                    .map_or(0, |room| milliseconds_until(room, now)),
            ),
            Fill::Session { active, .. } => {
                let end = active.saturating_add_unsigned(length(quota));
                Some(milliseconds_until(end, now))
            }
        }
    }

    /// Milliseconds from `now` until nothing is used: it has drained, or the window is over.
    pub(super) fn until_empty(&self, quota: &Quota, now: i64) -> u64 {
        match self.fill {
            Fill::Calendar { span, .. } => milliseconds_until(span.end, now),
            _ => self.until_at_most(quota, 0, now).unwrap_or(u64::MAX),
        }
    }

    /// Whether `amount` more leaves at most `bound` used.
    pub(super) fn has_room(&self, quota: &Quota, amount: u64, bound: u64) -> bool {
        match self.fill {
            Fill::Rolling { added, drained, .. } => bound.checked_sub(amount).is_some_and(|most| {
                added - drained <= u128::from(most).saturating_mul(scale(quota))
            }),
            _ => self
                .used(quota)
                .checked_add(amount)
                .is_some_and(|used| used <= bound),
        }
    }

    /// Uses `amount`, whether there is room or not, for good.
    pub(super) fn add(&mut self, quota: &Quota, amount: u64) {
        match &mut self.fill {
            Fill::Rolling { added, .. } => {
                *added = added.saturating_add(u128::from(amount).saturating_mul(scale(quota)));
            }
            Fill::Calendar { used, .. } => *used = used.saturating_add(amount),
            Fill::Sliding(sliding) => {
                sliding.add(measure(quota), amount);
            }
            Fill::Session {
                used,
                active,
                present,
            } => {
                *used = used.saturating_add(amount);
                *active = (*active).max(*present);
            }
        }
    }

    /// Uses `amount` until it is settled.
    pub(super) fn hold(&mut self, quota: &Quota, amount: u64) -> Hold {
        let hold = Hold {
            amount,
            incarnation: self.incarnation,
            serial: match &self.fill {
                Fill::Sliding(sliding) => sliding.slot(measure(quota)).cast_unsigned(),
                // What it was before, should the reservation come to nothing.
                Fill::Session { active, .. } => active.cast_unsigned(),
                _ => self.serial.saturating_add(1),
            },
        };
        self.hold_again(quota, hold);
        hold
    }

    /// Uses what a log says was used until it is settled.
    pub(super) fn hold_again(&mut self, quota: &Quota, hold: Hold) {
        if let Fill::Sliding(sliding) = &mut self.fill {
            return sliding.add_to(hold.serial.cast_signed(), hold.amount);
        }
        self.add(quota, hold.amount);
        self.serial = hold.serial;
        if let Fill::Rolling { added, .. } = self.fill {
            self.held.push(End {
                serial: hold.serial,
                end: added,
            });
        }
    }

    /// Takes back a charge that was just taken, as if it had never been.
    pub(super) fn undo(&mut self, quota: &Quota, hold: Hold) {
        match &mut self.fill {
            Fill::Session { used, active, .. } => {
                *used = used.saturating_sub(hold.amount);
                *active = hold.serial.cast_signed();
            }
            _ => {
                self.settle(quota, hold, 0);
            }
        }
    }

    /// Replaces what was held by what was spent. Advance first.
    pub(super) fn settle(&mut self, quota: &Quota, hold: Hold, spent: u64) -> Settled {
        let same = hold.incarnation == self.incarnation;
        let unspent = hold.amount.saturating_sub(spent);
        let beyond = spent.saturating_sub(hold.amount);
        let returned = if same { unspent } else { 0 };
        match &mut self.fill {
            Fill::Rolling { added, drained, .. } => {
                let scale = scale(quota);
                let mut returned = 0;
                if same {
                    let unspent = u128::from(unspent).saturating_mul(scale);
                    returned = release(&mut self.held, hold.serial, unspent, *drained);
                    *added -= returned;
                }
                self.add(quota, beyond);
                let returned = u64::try_from(returned / scale).unwrap_or(u64::MAX);
                return Settled { returned, beyond };
            }
            Fill::Calendar { used, .. } if same => {
                *used = used.saturating_sub(hold.amount).saturating_add(spent);
            }
            Fill::Calendar { .. } => return Settled::default(),
            Fill::Sliding(sliding) => {
                if same {
                    sliding.give_back(hold.serial.cast_signed(), unspent);
                }
                self.add(quota, beyond);
            }
            Fill::Session { used, .. } => {
                if same {
                    *used = used.saturating_sub(unspent);
                }
                self.add(quota, beyond);
            }
        }
        Settled { returned, beyond }
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        writer.number(self.incarnation.0);
        writer.number(self.serial);
        match &self.fill {
            &Fill::Rolling {
                added,
                drained,
                last,
            } => {
                writer.byte(0);
                writer.number(added - drained);
                writer.time(last);
                writer.length(self.held.len());
                for charge in &self.held {
                    writer.number(charge.serial);
                    writer.number(charge.end.saturating_sub(drained));
                }
            }
            Fill::Calendar { used, span } => {
                writer.byte(1);
                writer.number(*used);
                writer.time(span.start);
                writer.time(span.end);
            }
            Fill::Sliding(sliding) => {
                writer.byte(2);
                sliding.write(writer);
            }
            Fill::Session { used, active, .. } => {
                writer.byte(3);
                writer.number(*used);
                writer.time(*active);
            }
        }
    }

    pub(super) fn read(quota: &Quota, reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let incarnation = Incarnation::read(reader)?;
        let serial = reader.number()?;
        let mut held = SmallVec::new();
        let fill = match (reader.byte()?, &quota.window) {
            (0, Window::Rolling { .. }) => {
                let (added, last) = (reader.wide_number()?, reader.time()?);
                let read = reader.list(|reader| {
                    Ok(End {
                        serial: reader.number()?,
                        end: reader.wide_number()?.min(added),
                    })
                })?;
                held.extend(read);
                Fill::Rolling {
                    added,
                    drained: 0,
                    last,
                }
            }
            (1, Window::Calendar(_)) => Fill::Calendar {
                used: reader.number()?,
                span: read_span(reader)?,
            },
            (2, Window::Sliding { .. }) => Fill::Sliding(Sliding::read(reader)?),
            (3, Window::Session { .. }) => {
                let used = reader.number()?;
                let active = reader.time()?;
                Fill::Session {
                    used,
                    active,
                    present: active,
                }
            }
            _ => return Err(Malformed),
        };
        Ok(Self {
            incarnation,
            fill,
            held,
            serial,
            lease: None,
        })
    }

    /// Whether it says no more than a fresh one would.
    pub(super) fn is_fresh(&self, now: i64) -> bool {
        if self.lease.as_ref().is_some_and(|lease| !lease.is_idle()) {
            return false;
        }
        match self.fill {
            Fill::Rolling {
                added,
                drained,
                last,
            } => added == drained && last <= now,
            // Not just after midnight: a late thread would make the old window anew.
            Fill::Calendar { used, span } => used == 0 && span.start.saturating_add(JITTER) <= now,
            Fill::Sliding(ref sliding) => sliding.is_fresh(now),
            Fill::Session { used, active, .. } => used == 0 && active <= now,
        }
    }
}

/// Ends a held charge: how much of what it did not spend has not drained yet. Those behind it move up by that.
fn release(held: &mut SmallVec<[End; 1]>, serial: u64, unspent: u128, drained: u128) -> u128 {
    let Ok(index) = held.binary_search_by_key(&serial, |charge| charge.serial) else {
        return 0;
    };
    let charge = held.remove(index);
    let returned = unspent.min(charge.end.saturating_sub(drained));
    for behind in held.iter_mut().skip(index) {
        behind.end -= returned;
    }
    returned
}

/// What one unit weighs in a rolling bucket's totals: the window in nanoseconds.
fn scale(quota: &Quota) -> u128 {
    match &quota.window {
        Window::Rolling { nanoseconds, .. } => u128::from((*nanoseconds).max(1)),
        _ => 1,
    }
}

/// How long a sliding window or a session's idleness is, in nanoseconds.
fn length(quota: &Quota) -> u64 {
    match &quota.window {
        Window::Sliding { nanoseconds } | Window::Session { nanoseconds } => *nanoseconds,
        _ => 0,
    }
}

fn measure(quota: &Quota) -> Measure {
    Measure::of(length(quota))
}

fn idle(active: i64, now: i64) -> u64 {
    now.saturating_sub(active).max(0).unsigned_abs()
}

/// Rounded up: not a nanosecond too early.
fn milliseconds(nanoseconds: u128) -> u64 {
    u64::try_from(nanoseconds.div_ceil(NANOSECONDS_IN_MILLISECOND)).unwrap_or(u64::MAX)
}

fn milliseconds_until(end: i64, now: i64) -> u64 {
    milliseconds(u128::from(end.saturating_sub(now).max(0).unsigned_abs()))
}

/// A window as it was written down: its end is after its start, and its length is a number.
fn read_span(reader: &mut Reader<'_>) -> Result<Span, Malformed> {
    let (start, end) = (reader.time()?, reader.time()?);
    let length = end.checked_sub(start).ok_or(Malformed)?;
    match length > 0 {
        true => Ok(Span { start, end }),
        false => Err(Malformed),
    }
}

//! A sliding window: what was used in the time just past, at every moment.
//!
//! The time is cut into slots, a sixtieth of the window each. What a slot has used counts until the *whole* slot lies
//! further back than the window is long, so in no stretch of time as long as the window, wherever it begins, is more
//! admitted than the amount; and what was used comes free at most a sixtieth late.
//!
//! Invariants: a settlement belongs to the slot in which it was reserved, and what it uses beyond its reservation is of
//! the slot in which it ends. A clock that is set back forgets nothing: what was used in times that are now to come
//! counts as used now.

use std::collections::VecDeque;

use super::bucket::JITTER;
use super::codec::{Malformed, Reader, Writer};

/// How many slots a window has.
const SLOTS: u64 = 60;

/// What the slots of one key have used.
#[derive(Debug, Clone)]
pub(super) struct Sliding {
    /// By number, the oldest first; a slot that has used nothing is left out.
    slots: VecDeque<(i64, u64)>,
    used: u64,
    /// The latest moment seen, from which on time passes.
    last: i64,
    /// The moment of the call that is counted now: a little before that, where threads race.
    present: i64,
}

/// A window's measures in nanoseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measure {
    window: i64,
    slot: i64,
}

impl Measure {
    pub(super) fn of(nanoseconds: u64) -> Self {
        let length = |nanoseconds: u64| i64::try_from(nanoseconds).unwrap_or(i64::MAX).max(1);
        Self {
            window: length(nanoseconds),
            slot: length(nanoseconds.div_ceil(SLOTS)),
        }
    }

    const fn slot_of(self, now: i64) -> i64 {
        now.div_euclid(self.slot)
    }

    /// When what a slot has used is no longer in the window.
    const fn leaves(self, slot: i64) -> i64 {
        slot.saturating_add(1)
            .saturating_mul(self.slot)
            .saturating_add(self.window)
    }
}

impl Sliding {
    pub(super) const fn new(now: i64) -> Self {
        Self {
            slots: VecDeque::new(),
            used: 0,
            last: now,
            present: now,
        }
    }

    /// Whether the clock was set back by more than threads disagree.
    const fn is_set_back(&self, now: i64) -> bool {
        now.saturating_sub(self.last) < -JITTER
    }

    /// Lets time pass; whether slots are no longer what they were, because the clock was set back before them.
    pub(super) fn advance(&mut self, measure: Measure, now: i64) -> bool {
        if self.is_set_back(now) {
            return self.set_back(measure, now);
        }
        self.pass(measure, now);
        false
    }

    /// What was used in times that are now to come counts as used now; whether there was any.
    pub(super) fn set_back(&mut self, measure: Measure, now: i64) -> bool {
        (self.last, self.present) = (now, now);
        let slot = measure.slot_of(now);
        let mut moved = 0_u64;
        while let Some((_, used)) = self.slots.pop_back_if(|(later, _)| *later > slot) {
            moved = moved.saturating_add(used);
        }
        self.used = self.used.saturating_sub(moved);
        self.add_to(slot, moved);
        moved > 0
    }

    /// Lets time pass, if it does.
    pub(super) fn pass(&mut self, measure: Measure, now: i64) {
        self.present = now;
        self.last = self.last.max(now);
        while let Some(&(slot, used)) = self.slots.front() {
            if measure.leaves(slot) > self.last {
                break;
            }
            self.used = self.used.saturating_sub(used);
            self.slots.pop_front();
        }
    }

    /// What is in the window at the last moment seen.
    pub(super) const fn used(&self) -> u64 {
        self.used
    }

    /// What is in the window at `now`, without letting time pass.
    pub(super) fn used_at(&self, measure: Measure, now: i64) -> u64 {
        if self.is_set_back(now) {
            return self.used;
        }
        let now = self.last.max(now);
        let gone = self.slots.iter();
        let gone = gone.take_while(|(slot, _)| measure.leaves(*slot) <= now);
        let gone = gone.fold(0_u64, |sum, (_, used)| sum.saturating_add(*used));
        self.used.saturating_sub(gone)
    }

    /// When at most `most` is in the window, if it is not now.
    pub(super) fn room_at(&self, measure: Measure, most: u64, now: i64) -> Option<i64> {
        if self.used_at(measure, now) <= most {
            return None;
        }
        let latest = match self.is_set_back(now) {
            true => measure.slot_of(now),
            false => i64::MAX,
        };
        let mut left = self.used;
        for (slot, used) in &self.slots {
            left = left.saturating_sub(*used);
            if left <= most {
                return Some(measure.leaves(latest.min(*slot)));
            }
        }
        None
    }

    /// The number of the slot that is now.
    pub(super) const fn slot(&self, measure: Measure) -> i64 {
        measure.slot_of(self.present)
    }

    /// Uses an amount now.
    pub(super) fn add(&mut self, measure: Measure, amount: u64) {
        self.add_to(self.slot(measure), amount);
    }

    /// Uses an amount in a slot, as a log says.
    pub(super) fn add_to(&mut self, slot: i64, amount: u64) {
        if amount == 0 {
            return;
        }
        self.used = self.used.saturating_add(amount);
        match self.slots.binary_search_by_key(&slot, |(slot, _)| *slot) {
            Ok(place) => {
                if let Some((_, used)) = self.slots.get_mut(place) {
                    *used = used.saturating_add(amount);
                }
            }
            Err(place) => self.slots.insert(place, (slot, amount)),
        }
    }

    /// Gives back what was reserved in a slot and not used, where the slot is still in the window.
    pub(super) fn give_back(&mut self, slot: i64, amount: u64) {
        let Ok(place) = self.slots.binary_search_by_key(&slot, |(slot, _)| *slot) else {
            return;
        };
        let Some((_, used)) = self.slots.get_mut(place) else {
            return;
        };
        let returned = amount.min(*used);
        *used -= returned;
        self.used = self.used.saturating_sub(returned);
        if *used == 0 {
            self.slots.remove(place);
        }
    }

    pub(super) const fn is_fresh(&self, now: i64) -> bool {
        self.used == 0 && self.last <= now
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        writer.time(self.last);
        writer.length(self.slots.len());
        for (slot, used) in &self.slots {
            writer.time(*slot);
            writer.number(*used);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut sliding = Self::new(reader.time()?);
        for (slot, used) in reader.list(|reader| Ok((reader.time()?, reader.number()?)))? {
            sliding.add_to(slot, used);
        }
        Ok(sliding)
    }
}

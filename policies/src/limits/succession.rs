//! A state that takes the place of another while calls go on.
//!
//! Invariant: from one moment on, all that would happen to a state that was followed happens to its successor instead, in
//! the successor's terms. So what was reserved on the one is settled on the other, once: nothing is counted twice, nothing
//! stays reserved, and nothing is forgotten.

use std::sync::Arc;

use super::reservation::Holds;
use super::shard::Shard;
use super::{Exhausted, Reservation, SHARDS, State};
use crate::decision::{Charge, Charges, Key, SessionFloor};
use crate::plan::Plan;
use crate::plan::draft::TierIndex;

impl State {
    /// The state of a plan that is to take the place of this one's, with nothing used until [`State::hand_over`].
    #[must_use]
    pub fn following(plan: &Plan, old: &Self) -> Self {
        Self::new(plan, old.seed).in_place_of(old)
    }

    pub(super) fn in_place_of(mut self, old: &Self) -> Self {
        self.follows = self.adopt(self.quotas.len(), &old.declared(), &old.names);
        self.share_seats(old);
        self.abandoned = Arc::clone(&old.abandoned);
        self
    }

    /// Gives everything to the state that follows this one. `turn` is called in between, while nothing can happen to either.
    pub fn hand_over(&self, next: &Arc<Self>, turn: impl FnOnce()) {
        let mut shards: Vec<_> = (0..SHARDS).filter_map(|index| self.lock(index)).collect();
        if self.successor.get().is_some() {
            return;
        }
        for (index, shard) in shards.iter_mut().enumerate() {
            if let Some(mut new) = next.lock(index) {
                Shard::hand_over(shard, &mut new, |quota| next.follows.quota(quota));
            }
        }
        for (floor, expires) in self.floors.all() {
            if let Some(floor) = next.floor_of_old(floor) {
                next.floors.keep(floor, expires);
            }
        }
        turn();
        // Only who holds all the shards gets here.
        let _ = self.successor.set(Arc::clone(next));
    }

    /// The state that all goes to, where there is one. Who holds a shard can rely on the answer.
    pub(super) fn successor(&self) -> Option<&Self> {
        self.successor.get().map(|next| &**next)
    }

    /// A charge of the state that this one follows.
    pub(super) fn charge_of_old(&self, charge: &Charge) -> Charge {
        // An index that no plan has is exhausted.
        let quota = self.follows.quota(charge.quota).unwrap_or(u16::MAX);
        Charge { quota, ..*charge }
    }

    /// A floor of the state that this one follows.
    pub(super) fn floor_of_old(&self, floor: SessionFloor) -> Option<SessionFloor> {
        Some(SessionFloor {
            content: self.follows.content(floor.content)?,
            tier: self.follows.tier(floor.tier)?,
            key: floor.key,
        })
    }

    /// The floor of a session of the state that this one follows, in the terms of that.
    pub(super) fn floor_for_old(&self, content: u16, key: Key, now: i64) -> Option<TierIndex> {
        let tier = self.floor(self.follows.content(content)?, key, now)?;
        self.follows.tier_before(tier)
    }

    /// Reserves for the state that this one follows: what it holds is in the terms of that.
    pub(super) fn reserve_for_old(
        &self,
        charges: &[Charge],
        now: i64,
    ) -> Result<Reservation, Exhausted> {
        let own: Charges = charges
            .iter()
            .map(|charge| self.charge_of_old(charge))
            .collect();
        let old = |quota: u16| {
            let mut pairs = charges.iter().zip(&own);
            let found = pairs.find(|(_, own)| own.quota == quota);
            found.map_or(quota, |(charge, _)| charge.quota)
        };
        match self.reserve(&own, now) {
            Ok(mut reservation) => {
                reservation.rename(old);
                Ok(reservation)
            }
            Err(exhausted) => Err(Exhausted {
                quota: old(exhausted.quota),
                ..exhausted
            }),
        }
    }

    /// What was held on the state that this one follows.
    pub(super) fn holds_of_old(&self, mut holds: Holds) -> Holds {
        holds.retain(|(name, _)| match self.follows.quota(name.0) {
            Some(quota) => {
                name.0 = quota;
                true
            }
            None => false,
        });
        holds
    }
}

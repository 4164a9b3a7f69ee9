//! What is used of limits and budgets, and what keeps it, from one plan to the next.
//!
//! Invariant: a plan's records are written only while it is the one that is served, since what they say is in its terms.

use std::sync::Arc;

use waypost_policies::limits::{Position, State};
use waypost_policies::plan::Plan;

use crate::clock;
use crate::ledger::{Keeper, LedgerError, StateStore, Unrecorded, random_seed};
use crate::metrics::Disk;
use crate::sharing::Shared;

/// What is used of one plan's limits and budgets.
#[derive(Debug)]
pub(crate) struct Books {
    pub(crate) state: Arc<State>,
    /// Nothing where the state is in memory alone.
    keeper: Option<Arc<Keeper>>,
    /// Which of the states that the keeper has had.
    chapter: u64,
    /// Nothing where this process counts by itself.
    shared: Option<Arc<Shared>>,
    /// By what number the state is known there.
    lessee: u64,
}

impl Books {
    /// For the plan that a server starts with. One that counts nothing needs no folder.
    pub(crate) fn open(
        plan: &Plan,
        store: &StateStore,
        figures: &Disk,
        shared: Option<Arc<Shared>>,
    ) -> Result<Self, LedgerError> {
        let mut lessee = 0;
        let mut fresh = |seed| {
            // What others are to find is not kept under a seed of one's own.
            let seed = shared.as_ref().map_or(seed, |_| State::SHARED_SEED);
            let (state, number) = share(State::new(plan, seed), shared.as_deref());
            lessee = number;
            state
        };
        let (state, keeper) = match store {
            StateStore::Folder(folder) if !plan.quotas().is_empty() => {
                let now = clock::now();
                let (state, keeper) =
                    Keeper::open_and_measure(folder, fresh, now, figures.clone())?;
                (state, Some(Arc::new(keeper)))
            }
            _ => {
                let seed = random_seed().ok_or(LedgerError::Random)?;
                (Arc::new(fresh(seed)), None)
            }
        };
        Ok(Self {
            state,
            keeper,
            chapter: 0,
            shared,
            lessee,
        })
    }

    /// For a plan that is to take the place of this one's.
    pub(crate) fn next(
        &self,
        plan: &Plan,
        store: &StateStore,
        figures: &Disk,
        shared: Option<Arc<Shared>>,
    ) -> Result<Self, LedgerError> {
        let begins = matches!(store, StateStore::Folder(_)) && !plan.quotas().is_empty();
        if self.keeper.is_none() && begins {
            // The first plan that counts anything.
            return Self::open(plan, store, figures, shared);
        }
        let mut next = Self {
            state: Arc::clone(&self.state),
            keeper: self.keeper.clone(),
            chapter: 0,
            shared,
            lessee: 0,
        };
        next.carry_over(plan, self);
        Ok(next)
    }

    /// Takes over what the plan before this one has used, as it is now.
    fn carry_over(&mut self, plan: &Plan, before: &Self) {
        let is_found = before.state.has_shared_keys() || self.shared.is_none();
        let state = match is_found {
            true => State::reloaded(plan, &before.state, clock::now()),
            // So far it counted by itself, under keys of its own.
            false => State::new(plan, State::SHARED_SEED),
        };
        let (state, lessee) = share(state, self.shared.as_deref());
        self.lessee = lessee;
        match &self.keeper {
            Some(keeper) => (self.chapter, self.state) = keeper.follow(state),
            None => self.state = Arc::new(state),
        }
    }

    /// Takes over once more what the plan before this one has used, as it is now: trying this plan took its time, and calls went on.
    pub(crate) fn catch_up(&mut self, plan: &Plan, before: &Self) {
        // Where the plan before counted nothing, this one has begun its own folder.
        if before.keeper.is_some() || self.keeper.is_none() {
            self.carry_over(plan, before);
        }
    }

    /// From now on this plan is served: its records are written, and those of the one before are not any more.
    pub(crate) fn take_over(&self, before: Option<&Self>) {
        if let (Some(keeper), Some(_)) = (&self.keeper, before) {
            keeper.turn_to(self.chapter, &self.state);
        }
        if let Some(shared) = &self.shared {
            shared.serve(self.lessee, &self.state);
        }
        let before = before.and_then(|before| Some((before.shared.as_ref()?, before.lessee)));
        if let Some((shared, lessee)) = before {
            shared.retire(lessee);
        }
    }

    /// Who shares what is used.
    pub(crate) const fn shared(&self) -> Option<&Arc<Shared>> {
        self.shared.as_ref()
    }

    /// Why nothing can be written down, if that is so.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.keeper.as_ref()?.ledger().trouble()
    }

    /// Whether what calls use can be written down now; in memory it always can.
    pub(crate) fn can_record(&self) -> bool {
        let keeper = self.keeper.as_ref();
        !keeper.is_some_and(|keeper| keeper.ledger().is_failing())
    }

    /// Writes down everything up to here: from then on it survives the end of this process.
    pub(crate) fn commit(&self, position: Position) -> Result<(), Unrecorded> {
        let keeper = self.keeper.as_ref();
        keeper.map_or(Ok(()), |keeper| keeper.ledger().commit(position))
    }

    /// Waits until everything up to here survives the loss of power, or until that cannot be had.
    pub(crate) async fn secure(&self, position: Position) {
        if let Some(keeper) = &self.keeper {
            keeper.ledger().secure(position).await;
        }
    }
}

/// The state as it is shared, and by what number it is known. Where there is no number to be had it counts by itself.
fn share(state: State, shared: Option<&Shared>) -> (State, u64) {
    match shared {
        Some(shared) => shared.share(state),
        None => (state, 0),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use waypost_policies::example;
    use waypost_policies::plan::encode;

    use super::*;
    use crate::metrics::Metrics;

    #[test]
    fn what_is_used_while_a_plan_is_tried_is_known_to_it() {
        let plan = Plan::load(encode(&example::draft())).unwrap();
        let figures = Metrics::default().disk;
        let old = Books::open(&plan, &StateStore::Memory, &figures, None).unwrap();
        let mut new = old.next(&plan, &StateStore::Memory, &figures, None).unwrap();
        let (key, now) = (old.state.key("somebody"), clock::now());
        old.state.add(0, key, 5, now);
        assert_eq!(new.state.usage(0, key, now).used, 0);
        new.catch_up(&plan, &old);
        assert_eq!(new.state.usage(0, key, now).used, 5);
    }
}

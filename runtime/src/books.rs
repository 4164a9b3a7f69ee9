//! What is used of limits and budgets, and what keeps it, from one plan to the next.
//!
//! Invariant: records are written in the terms of the plan that is served, also of calls that began with another.

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
}

impl Books {
    /// For the plan that a server starts with. One that counts nothing needs no folder.
    pub(crate) fn open(
        plan: &Plan,
        store: &StateStore,
        figures: &Disk,
        shared: Option<Arc<Shared>>,
    ) -> Result<Self, LedgerError> {
        let fresh = |seed| share(State::new(plan, seed), shared.as_deref());
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
        })
    }

    /// For a plan that is to be tried, and may take the place of this one's.
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
        let state = State::reloaded(plan, &self.state, clock::now());
        let state = share(state, shared.as_deref());
        let (chapter, state) = match &self.keeper {
            Some(keeper) => keeper.follow(state),
            None => (0, Arc::new(state)),
        };
        Ok(Self {
            state,
            keeper: self.keeper.clone(),
            chapter,
            shared,
        })
    }

    /// From now on this plan is served: what the one before it has used goes on here, and calls that are under way there
    /// are settled here.
    pub(crate) fn take_over(&mut self, plan: &Plan, before: &Self) {
        let following = || {
            share(
                State::following(plan, &before.state),
                self.shared.as_deref(),
            )
        };
        match (&before.keeper, &self.keeper) {
            (Some(keeper), _) => {
                (self.chapter, self.state) = keeper.follow(following());
                let turn = || keeper.turn_to(self.chapter, &self.state);
                before.state.hand_over(&self.state, turn);
            }
            (None, None) => {
                self.state = Arc::new(following());
                before.state.hand_over(&self.state, || {});
            }
            // The plan before counted nothing, and this one has begun its own folder.
            (None, Some(keeper)) => keeper.turn_to(self.chapter, &self.state),
        }
        let same = match (&before.shared, &self.shared) {
            (Some(before), Some(shared)) => Arc::ptr_eq(before, shared),
            (None, None) => true,
            _ => false,
        };
        if !same {
            // What one Redis has granted another knows nothing of.
            self.state.forget_leases();
        }
        self.serve();
    }

    /// From now on what others use is asked for, where it is shared.
    pub(crate) fn serve(&self) {
        if let Some(shared) = &self.shared {
            shared.serve(&self.state);
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

/// The state as it is shared, where it is.
fn share(state: State, shared: Option<&Shared>) -> State {
    match shared {
        Some(shared) => shared.share(state),
        None => state,
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
    fn what_is_used_while_a_plan_is_tried_and_later_on_the_old_one_is_known_to_it() {
        let plan = Plan::load(encode(&example::draft())).unwrap();
        let figures = Metrics::default().disk;
        let old = Books::open(&plan, &StateStore::Memory, &figures, None).unwrap();
        let mut new = old
            .next(&plan, &StateStore::Memory, &figures, None)
            .unwrap();
        let (key, now) = (old.state.key("somebody"), clock::now());
        old.state.add(0, key, 5, now);
        assert_eq!(new.state.usage(0, key, now).used, 0);
        new.take_over(&plan, &old);
        assert_eq!(new.state.usage(0, key, now).used, 5);
        old.state.add(0, key, 2, now);
        assert_eq!(new.state.usage(0, key, now).used, 7);
    }
}

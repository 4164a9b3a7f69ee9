//! What must have happened before a call for two plans to decide it differently: what was used of a quota, by whom and how long
//! ago, or which tier its session had.

use serde_json::Value;
use waypost_policies::decide::quota_key;
use waypost_policies::decision::SessionFloor;
use waypost_policies::limits::State;
use waypost_policies::{Evaluation, Facts, Plan, decide};

use super::request::{self, Values};
use super::rules;
use super::slots::Slot;
use crate::Program;

/// Longer ago than any window reaches, in milliseconds.
const LONGEST: u64 = 70 * 86_400_000;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Before<'a> {
    pub(super) event: Event<'a>,
    /// How long ago, in milliseconds.
    pub(super) ago: u64,
}

/// What may have happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Event<'a> {
    /// Nothing.
    Nothing,
    /// Something of a quota was used.
    Used(Used<'a>),
    /// The call's session had this tier.
    Session(&'a str),
}

/// What was used of a quota.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Used<'a> {
    /// Its index in the old plan.
    pub(super) old: Option<u16>,
    /// Its index in the new plan.
    pub(super) new: Option<u16>,
    /// How much, in its unit.
    pub(super) amount: u64,
    /// Where another call than this one used it: in what the two differ.
    pub(super) other: Option<&'a (Slot, Value)>,
}

impl<'a> Before<'a> {
    pub(super) const NOTHING: Self = Self::now(Event::Nothing);

    /// Just before the call.
    pub(super) const fn now(event: Event<'a>) -> Self {
        Self { event, ago: 0 }
    }

    /// The state that a call of these values meets.
    pub(super) fn state(
        &self,
        plan: &Plan,
        (facts, values, model): (&Facts<'_>, &Values, &str),
        is_old: bool,
        evaluation: &mut Evaluation,
    ) -> State {
        let state = State::new(plan, [0, 0]);
        let ago = i64::try_from(self.ago.saturating_mul(1_000_000)).unwrap_or(i64::MAX);
        let then = facts.now.saturating_sub(ago);
        match self.event {
            Event::Nothing => {}
            Event::Used(used) => {
                if let Some(index) = if is_old { used.old } else { used.new } {
                    let mut key_of =
                        |facts: &Facts<'_>| quota_key(plan, facts, &state, evaluation, index);
                    let key = match used.other {
                        None => Some(key_of(facts)),
                        Some((slot, value)) => {
                            let mut values = values.clone();
                            values.insert(slot.clone(), value.clone());
                            let other = request::envelope(&values, model);
                            request::with_facts(plan, &other, key_of)
                        }
                    };
                    if let Some(key) = key {
                        state.add(index, key, used.amount, then);
                    }
                }
            }
            Event::Session(name) => {
                let decision = decide(plan, facts, &state, evaluation);
                let tier = (0..)
                    .zip(plan.tiers())
                    .find(|(_, tier)| tier.name() == name);
                if let (Some(floor), Some((tier, _))) = (decision.session, tier) {
                    state.raise_floor(SessionFloor { tier, ..floor }, then);
                }
            }
        }
        state
    }

    /// The same, so long ago that one plan has forgotten it and the other has not. `shows` says whether the old plan (or the new)
    /// still decides otherwise because of it; the longer ago, the less.
    pub(super) fn aged(self, shows: impl Fn(Self, bool) -> bool) -> Option<Self> {
        let ago = |ago| Self { ago, ..self };
        let forgotten = |is_old: bool| {
            if !shows(ago(0), is_old) || shows(ago(LONGEST), is_old) {
                return None;
            }
            let (mut shown, mut gone) = (0, LONGEST);
            while gone - shown > 1 {
                let middle = shown + (gone - shown) / 2;
                match shows(ago(middle), is_old) {
                    true => shown = middle,
                    false => gone = middle,
                }
            }
            Some(gone)
        };
        let (old, new) = (forgotten(true)?, forgotten(false)?);
        let (first, last) = (old.min(new), old.max(new));
        let units = [86_400_000, 3_600_000, 60_000, 1_000, 1];
        let rounded = units.map(|unit| first.div_ceil(unit) * unit);
        let readable = rounded.into_iter().find(|rounded| *rounded < last)?;
        Some(ago(readable))
    }

    /// In words; `None` where nothing happened.
    pub(super) fn say(&self, old: &Program, new: &Program) -> Option<String> {
        let what = match self.event {
            Event::Nothing => return None,
            Event::Session(tier) => format!("a call of its session that was given {tier}"),
            Event::Used(used) => {
                let quota = |program: &'_ Program, index: Option<u16>| {
                    let quota = program.policy.quotas.get(usize::from(index?))?;
                    let amount = rules::amount_of(quota, used.amount);
                    Some(format!("{amount} of `{}` used", quota.label.text))
                };
                let what = quota(new, used.new).or_else(|| quota(old, used.old))?;
                match used.other {
                    None => what,
                    Some((slot, value)) => format!("{what} by a call with {slot} {value}"),
                }
            }
        };
        Some(match self.ago {
            0 => what,
            ago => format!("{what} {} ago", rules::duration(ago)),
        })
    }
}

//! Looks for a request that two plans decide differently: the plain one and one for each tier, then one and two values away
//! from those, then mixtures, all at the borders of what the files compare with; what is found is made as plain as it can be.
//! Where the policy refuses the plain one (`deny "no team" when caller.team == ""`), the search sets out from one that it admits.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use waypost_lang::cel::typed::Typed;
use waypost_policies::decision::{Decision, Outcome};
use waypost_policies::explain::Explanation;
use waypost_policies::limits::State;
use waypost_policies::{Evaluation, Plan, decide, explain};

use super::before::Before;
use super::request::{self, Values};
use super::slots::{self, Slot, Slots};
use super::{Decided, Side, Witness};
use crate::Program;

/// What one search may cost, and all of them: a decision costs one, and one more for each 4 kB of request.
const ONE: u64 = 2_500;
const MIXTURES: u64 = 500;
/// What may be tried to find a call that the policy admits, and how many of those are held against each tier.
const ADMISSIONS: usize = 1_500;
const COMPARED: usize = 40;
const ALL: u64 = 60_000;

/// A request decided through both plans.
pub(super) struct Both {
    pub(super) old: (Decided, Decision, Explanation),
    pub(super) new: (Decided, Decision, Explanation),
}

/// A request, and what it was made of.
#[derive(Clone, Copy)]
struct Call<'c> {
    request: &'c Value,
    values: &'c Values,
    model: &'c str,
}

/// What a search is for.
pub(super) struct Goal<'g> {
    /// The conditions whose borders matter.
    pub(super) conditions: Vec<&'g Typed>,
    /// The content section that the call should pass; any where it does not matter.
    pub(super) section: Option<&'g str>,
    /// Model names to try beside those of the sections.
    pub(super) names: Vec<String>,
    /// What may have happened before, besides nothing.
    pub(super) before: Vec<Before<'g>>,
    /// Whether how long ago it happened may matter.
    pub(super) is_of_time: bool,
    /// Whether a difference has to do with the change.
    pub(super) is_meant: &'g dyn Fn(&Both) -> bool,
}

/// Searches, with one bound on the work of all of them.
pub(super) struct Search<'a> {
    old: Side<'a>,
    new: Side<'a>,
    /// Of every condition of both files.
    everything: Slots,
    /// The plainest values that the policy of both plans admits, as far as one was found.
    admitted: Values,
    /// The plainest values that content gives each tier to, of either plan, admitted likewise.
    lifts: Vec<Values>,
    /// What difficulties are held against, of either file.
    thresholds: Vec<f64>,
    left: u64,
}

impl<'a> Search<'a> {
    pub(super) fn new(old: Side<'a>, new: Side<'a>) -> Self {
        let mut conditions = content_conditions(old.program);
        conditions.extend(content_conditions(new.program));
        let contents = [old, new]
            .into_iter()
            .flat_map(|side| &side.program.contents);
        let thresholds = contents.filter_map(|content| Some(content.threshold.as_ref()?.value));
        let thresholds: Vec<f64> = thresholds.collect();
        let slots = |conditions: &[&Typed]| slots::slots(conditions.iter().copied(), &thresholds);
        let content = slots(&conditions);
        let lifts = [old, new]
            .into_iter()
            .flat_map(|side| lifts(side, &content));
        let mut lifts: Vec<Values> = lifts.collect();
        lifts.dedup();
        let mut policy = policy_conditions(old.program);
        policy.extend(policy_conditions(new.program));
        let admitted = admitted([old, new], &slots(&policy), &lifts);
        for lift in &mut lifts {
            for (slot, value) in &admitted {
                lift.entry(slot.clone()).or_insert_with(|| value.clone());
            }
        }
        conditions.extend(policy);
        Self {
            old,
            new,
            everything: slots(&conditions),
            admitted,
            lifts,
            thresholds,
            left: ALL,
        }
    }

    /// A request that the plans decide differently, as plain as it can be.
    pub(super) fn witness(&mut self, goal: &Goal<'_>) -> Option<Witness> {
        let mut own = slots::slots(goal.conditions.iter().copied(), &self.thresholds);
        let names = self.names(goal);
        let (model, others) = names.split_first()?;
        own.insert(Slot::Model, others.iter().map(|name| json!(name)).collect());
        let mut budget = ONE.min(self.left);
        let mut wider = own.clone();
        for (slot, values) in &self.everything {
            wider.entry(slot.clone()).or_insert_with(|| values.clone());
        }
        let found = self
            .walk(goal, model, &own, &mut budget)
            .or_else(|| self.mix(goal, model, &wider, &mut budget));
        self.left = self.left.saturating_sub(ONE - budget.min(ONE));
        let (values, before) = found?;
        let values = self.shrink(goal, model, values, before);
        let request = request::envelope(&values, model);
        let call = Call {
            request: &request,
            values: &values,
            model,
        };
        let both = self.decide(call, before)?;
        Some(Witness {
            after: before.say(self.old.program, self.new.program),
            old: both.old.0,
            new: both.new.0,
            prompt: None,
            request,
        })
    }

    /// Model names that lead to the section asked for, in either file, before others.
    fn names(&self, goal: &Goal<'_>) -> Vec<String> {
        let mut names = goal.names.clone();
        for program in [self.old.program, self.new.program] {
            for content in &program.contents {
                let wanted = goal.section.is_none_or(|name| name == content.name);
                let accepts = content.accepts.iter().filter(|one| one.model.is_none());
                let exact = accepts.clone().filter(|one| !one.prefix);
                let prefixes = accepts.filter(|one| one.prefix);
                if wanted {
                    names.extend(exact.map(|one| one.name.clone()));
                    names.extend(prefixes.map(|one| format!("{}0.5", one.name)));
                }
            }
        }
        if goal.section.is_none() {
            for program in [self.old.program, self.new.program] {
                let accepts = program.contents.iter().flat_map(|content| &content.accepts);
                let models = accepts.filter(|one| one.model.is_some());
                names.extend(models.map(|one| one.name.clone()));
            }
        }
        let mut seen = BTreeSet::new();
        names.retain(|name| seen.insert(name.clone()));
        names
    }

    /// From the plainest on: the plain call and one of each tier, with one value of the slots, with two.
    fn walk<'g>(
        &self,
        goal: &Goal<'g>,
        model: &str,
        slots: &Slots,
        budget: &mut u64,
    ) -> Option<(Values, Before<'g>)> {
        let flat: Vec<(&Slot, &Value)> = slots
            .iter()
            .flat_map(|(slot, values)| values.iter().map(move |value| (slot, value)))
            .collect();
        let plains = self.plains(slots);
        let bases: Vec<&Values> = plains.iter().chain(&self.lifts).collect();
        let mut attempt = |base: &Values, more: &[(&Slot, &Value)]| {
            let mut values = base.clone();
            let more = more.iter();
            values.extend(more.map(|(slot, value)| ((*slot).clone(), (*value).clone())));
            let before = self.differs(goal, model, &values, budget)?;
            Some((values, before))
        };
        for base in &bases {
            if let found @ Some(_) = attempt(base, &[]) {
                return found;
            }
        }
        for base in &bases {
            for one in &flat {
                if let found @ Some(_) = attempt(base, &[*one]) {
                    return found;
                }
            }
        }
        for base in &bases {
            for (index, one) in flat.iter().enumerate() {
                let others = flat.iter().skip(index + 1);
                for other in others.filter(|other| other.0 != one.0) {
                    if let found @ Some(_) = attempt(base, &[*one, *other]) {
                        return found;
                    }
                }
            }
        }
        None
    }

    /// The plainest calls: one that is admitted, and it without each of the values that the search is about.
    fn plains(&self, slots: &Slots) -> Vec<Values> {
        let about = self.admitted.keys().filter(|slot| slots.contains_key(slot));
        let without = about.map(|slot| {
            let mut values = self.admitted.clone();
            values.remove(slot);
            values
        });
        std::iter::once(self.admitted.clone())
            .chain(without)
            .collect()
    }

    /// Mixtures of values of all slots. They are the same every time, so the same files have the same witness.
    fn mix<'g>(
        &self,
        goal: &Goal<'g>,
        model: &str,
        slots: &Slots,
        budget: &mut u64,
    ) -> Option<(Values, Before<'g>)> {
        let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
        // However much the orderly part has taken, while there is any left for all.
        *budget = (*budget).max(MIXTURES.min(self.left));
        while *budget > 0 {
            let mut values = self.admitted.clone();
            for (slot, options) in slots {
                let pick = chance.below(options.len() * 2);
                if let Some(value) = options.get(pick) {
                    values.insert(slot.clone(), value.clone());
                }
            }
            if let Some(before) = self.differs(goal, model, &values, budget) {
                return Some((values, before));
            }
        }
        None
    }

    /// Whether the plans differ on these values, and after what.
    fn differs<'g>(
        &self,
        goal: &Goal<'g>,
        model: &str,
        values: &Values,
        budget: &mut u64,
    ) -> Option<Before<'g>> {
        if *budget == 0 {
            return None;
        }
        let request = request::envelope(values, model);
        let call = Call {
            request: &request,
            values,
            model,
        };
        let cost = 1 + request.to_string().len() as u64 / 4096;
        for before in std::iter::once(&Before::NOTHING).chain(&goal.before) {
            *budget = budget.saturating_sub(cost);
            if self.is_shown(goal, call, *before) {
                return Some(*before);
            }
        }
        if !goal.is_of_time {
            return None;
        }
        for before in &goal.before {
            *budget = budget.saturating_sub(2 * cost);
            let shows = |before: Before<'_>, is_old: bool| {
                self.quick(call, before, is_old) != self.quick(call, Before::NOTHING, is_old)
            };
            if let Some(aged) = before.aged(shows)
                && self.is_shown(goal, call, aged)
            {
                return Some(aged);
            }
        }
        None
    }

    fn is_shown(&self, goal: &Goal<'_>, call: Call<'_>, before: Before<'_>) -> bool {
        let (old, new) = (
            self.quick(call, before, true),
            self.quick(call, before, false),
        );
        let differs = old.zip(new).is_some_and(|(old, new)| old != new);
        differs
            && self
                .decide(call, before)
                .is_some_and(|both| (goal.is_meant)(&both))
    }

    /// The decision of one plan without its reasons; `None` where the runtime would not take the request.
    fn quick(&self, call: Call<'_>, before: Before<'_>, is_old: bool) -> Option<Decided> {
        let plan = if is_old { self.old.plan } else { self.new.plan };
        request::with_facts(plan, call.request, |facts| {
            let mut evaluation = Evaluation::default();
            let of = (facts, call.values, call.model);
            let state = before.state(plan, of, is_old, &mut evaluation);
            Decided::new(plan, &decide(plan, facts, &state, &mut evaluation))
        })
    }

    /// The decision and its reasons through both plans.
    fn decide(&self, call: Call<'_>, before: Before<'_>) -> Option<Both> {
        let whole = |plan: &Plan, is_old: bool| {
            request::with_facts(plan, call.request, |facts| {
                let mut evaluation = Evaluation::default();
                let of = (facts, call.values, call.model);
                let state = before.state(plan, of, is_old, &mut evaluation);
                let decision = decide(plan, facts, &state, &mut evaluation);
                let explanation = explain(plan, facts, &state, &mut evaluation);
                (Decided::new(plan, &decision), decision, explanation)
            })
        };
        Some(Both {
            old: whole(self.old.plan, true)?,
            new: whole(self.new.plan, false)?,
        })
    }

    /// Leaves out what the difference does not need; a call that one of the plans routes stays one.
    fn shrink(
        &self,
        goal: &Goal<'_>,
        model: &str,
        mut values: Values,
        before: Before<'_>,
    ) -> Values {
        let outcomes = |values: &Values| {
            let request = request::envelope(values, model);
            let call = Call {
                request: &request,
                values,
                model,
            };
            let both = self.decide(call, before)?;
            let is_shown = self.is_shown(goal, call, before);
            Some((is_shown, both.old.0.decision, both.new.0.decision))
        };
        let wanted = outcomes(&values);
        for slot in values.keys().cloned().collect::<Vec<_>>() {
            let mut plainer = values.clone();
            plainer.remove(&slot);
            if outcomes(&plainer) == wanted {
                values = plainer;
            }
        }
        values
    }
}

/// The plainest values that the policy admits to the most tiers, in both plans: nothing, a caller who has all that the policy asks for,
/// then one and two values away from those.
fn admitted(sides: [Side<'_>; 2], slots: &Slots, lifts: &[Values]) -> Values {
    let named: Values = slots
        .keys()
        .filter(|slot| matches!(slot, Slot::Caller(_)))
        .map(|slot| (slot.clone(), json!("x")))
        .collect();
    let flat: Vec<(&Slot, &Value)> = slots
        .iter()
        .flat_map(|(slot, values)| values.iter().map(move |value| (slot, value)))
        .collect();
    let one = flat.iter().map(|one| vec![*one]);
    let pairs = flat.iter().enumerate().flat_map(|(index, one)| {
        let others = flat.iter().skip(index + 1);
        let others = others.filter(move |other| other.0 != one.0);
        others.map(move |other| vec![*one, *other])
    });
    let away = std::iter::once(Vec::new()).chain(one).chain(pairs);
    let candidates = away
        .flat_map(|more| [(Values::new(), more.clone()), (named.clone(), more)])
        .take(ADMISSIONS)
        .map(|(mut values, more)| {
            let more = more.into_iter();
            values.extend(more.map(|(slot, value)| (slot.clone(), value.clone())));
            values
        });
    let routed = candidates.filter(|values| sides.iter().any(|side| admits(*side, values)));
    let mut best = (0, Values::new());
    for values in routed.take(COMPARED) {
        let tiers = std::iter::once(values.clone()).chain(lifts.iter().map(|lift| {
            let mut lifted = values.clone();
            lifted.extend(lift.clone());
            lifted
        }));
        let calls = tiers.flat_map(|values| sides.map(|side| admits(side, &values)));
        let score = calls.filter(|admitted| *admitted).count();
        if score > best.0 {
            best = (score, values);
        }
        if best.0 == sides.len() * (lifts.len() + 1) {
            break;
        }
    }
    best.1
}

/// Whether a plan gives a first call with these values a model, and the tier that content asks for.
fn admits(side: Side<'_>, values: &Values) -> bool {
    let request = request::envelope(values, &first_name(side.program));
    let decided = request::with_facts(side.plan, &request, |facts| {
        let state = State::new(side.plan, [0, 0]);
        decide(side.plan, facts, &state, &mut Evaluation::default())
    });
    decided
        .is_some_and(|one| matches!(one.outcome, Outcome::Route(_)) && one.tier == one.content_tier)
}

/// A name that a client may send.
fn first_name(program: &Program) -> String {
    let accepts = program.contents.iter().flat_map(|one| &one.accepts);
    let mut names = accepts.filter(|accept| accept.model.is_none() && !accept.prefix);
    names
        .next()
        .map_or_else(String::new, |accept| accept.name.clone())
}

/// The shortest requests that content gives each tier above its start to, one value away from the plainest.
fn lifts(side: Side<'_>, slots: &Slots) -> Vec<Values> {
    let mut best: Vec<Option<(usize, Values)>> = vec![None; side.program.tiers.len()];
    let model = first_name(side.program);
    let flat = slots
        .iter()
        .flat_map(|(slot, values)| values.iter().map(move |value| (slot, value)));
    for (slot, value) in flat {
        let values = Values::from([(slot.clone(), value.clone())]);
        let request = request::envelope(&values, &model);
        let size = request.to_string().len();
        let decided = request::with_facts(side.plan, &request, |facts| {
            let state = State::new(side.plan, [0, 0]);
            decide(side.plan, facts, &state, &mut Evaluation::default())
        });
        let Some(decided) = decided.filter(|decided| decided.content_tier > decided.start) else {
            continue;
        };
        if let Some(slot) = best.get_mut(usize::from(decided.content_tier))
            && slot.as_ref().is_none_or(|(least, _)| size < *least)
        {
            *slot = Some((size, values));
        }
    }
    let found = best.into_iter().flatten();
    found.map(|(_, values)| values).collect()
}

fn content_conditions(program: &Program) -> Vec<&Typed> {
    let escalations = program.contents.iter().flat_map(|one| &one.escalations);
    escalations.map(|rule| &rule.when).collect()
}

fn policy_conditions(program: &Program) -> Vec<&Typed> {
    let policy = &program.policy;
    let denials = policy.denials.iter().map(|rule| &rule.when);
    let caps = policy.caps.iter().map(|rule| &rule.when);
    let quotas = policy.quotas.iter();
    let quotas = quotas.flat_map(|quota| quota.when.iter().chain(&quota.per));
    let priorities = policy.priorities.iter().flat_map(|rule| &rule.when);
    denials
        .chain(caps)
        .chain(quotas)
        .chain(priorities)
        .collect()
}

/// A sequence of numbers that looks like chance and is always the same (xorshift64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let bound = bound.max(1) as u64;
        usize::try_from(self.0 % bound).unwrap_or(0)
    }
}

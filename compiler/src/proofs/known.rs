//! What a file says about the facts of its own rules: which tiers a rule can see, which model names lead to a section.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::Reasoner;
use super::terms::{Accepted, Known};
use crate::program::{Accept, Action, Content, ModelIndex, Program, Step, TierIndex};

impl Reasoner {
    /// For the conditions of a content section.
    #[must_use]
    pub fn of_content(content: &Content) -> Self {
        let here = content
            .accepts
            .iter()
            .filter(|accept| accept.model.is_none());
        Self::new(Known {
            accepted: Some(accepted(here)),
            threshold: fixed_threshold(content),
            ..Known::default()
        })
    }

    /// For the conditions of the policy.
    #[must_use]
    pub fn of_policy(program: &Program) -> Self {
        let tiers = visible_tiers(program);
        let name = |tier: &TierIndex| {
            program
                .tiers
                .get(*tier)
                .map(|tier| Rc::from(tier.name.value.as_str()))
        };
        let models = program
            .models
            .iter()
            .map(|model| Rc::from(model.name.value.as_str()));
        let accepts = program.contents.iter().flat_map(|content| &content.accepts);
        Self::new(Known {
            tiers: Some(Rc::new(tiers.iter().filter_map(name).collect())),
            models: Some(Rc::new(models.collect())),
            accepted: Some(accepted(accepts)),
            threshold: None,
        })
    }
}

fn accepted<'a>(accepts: impl Iterator<Item = &'a Accept>) -> Accepted {
    let mut accepted = Accepted::default();
    for accept in accepts {
        let name = Rc::from(accept.name.as_str());
        if accept.prefix {
            accepted.beginnings.push(name);
        } else {
            accepted.exact.insert(name);
        }
    }
    accepted
}

/// The declared threshold, unless a name such as `router-mf-0.11593` may set another.
fn fixed_threshold(content: &Content) -> Option<f64> {
    let settable = content
        .accepts
        .iter()
        .any(|accept| accept.prefix && accept.model.is_none() && accept.name.ends_with('-'));
    let threshold = content.threshold.as_ref()?;
    (!settable).then_some(threshold.value)
}

/// The tiers that content, or a model by name, gives to some call.
pub(crate) fn content_tiers(program: &Program) -> BTreeSet<TierIndex> {
    let mut tiers = BTreeSet::new();
    for content in &program.contents {
        let raised = content.escalations.iter().map(|rule| rule.tier);
        let raised = raised.filter(|tier| *tier > content.start.value);
        tiers.extend(raised.chain([content.start.value]));
        let named = content.accepts.iter().filter_map(|accept| accept.model);
        tiers.extend(named.map(|model| tier_of(program, model)));
    }
    tiers
}

/// The tiers that some call ends in: those of the content, and those it is lowered to.
pub(crate) fn final_tiers(program: &Program) -> BTreeSet<TierIndex> {
    let content = content_tiers(program);
    let caps = program.policy.caps.iter().map(|cap| cap.tier);
    let outcomes = program
        .policy
        .quotas
        .iter()
        .flat_map(|quota| &quota.outcomes);
    let lowered = outcomes.filter_map(|outcome| match outcome.action {
        Action::CapAt(tier) => Some(tier),
        Action::Warn | Action::Deny | Action::Wait(_) => None,
    });
    let highest = content.last().copied().unwrap_or(0);
    let below = caps.chain(lowered).filter(|tier| *tier < highest);
    let below: BTreeSet<TierIndex> = below.collect();
    content.into_iter().chain(below).collect()
}

/// The tiers that a rule of the policy may see: a fallback is judged in the tier of its own model. A session may keep one from
/// before the file changed, so with `keep` it is all of them.
pub(crate) fn visible_tiers(program: &Program) -> BTreeSet<TierIndex> {
    if program
        .contents
        .iter()
        .any(|content| content.keep.is_some())
    {
        return (0..program.tiers.len()).collect();
    }
    let last = final_tiers(program);
    let models: Vec<ModelIndex> = last
        .iter()
        .flat_map(|tier| models_of(program, *tier))
        .collect();
    let homes = models
        .into_iter()
        .filter_map(|model| home_tier(program, model));
    let homes: Vec<TierIndex> = homes.collect();
    last.into_iter().chain(homes).collect()
}

/// The models that a tier may try.
pub(crate) fn models_of(program: &Program, tier: TierIndex) -> Vec<ModelIndex> {
    let steps = program.tiers.get(tier).map_or(&[][..], |tier| &tier.steps);
    let models = steps.iter().flat_map(|step| match step {
        Step::Try(model) => vec![model.value],
        Step::Split { arms, .. } => arms.iter().map(|(model, _)| model.value).collect(),
    });
    models.collect()
}

/// The lowest tier that tries a model first.
pub(crate) fn home_tier(program: &Program, model: ModelIndex) -> Option<TierIndex> {
    program
        .tiers
        .iter()
        .position(|tier| tier.home() == Some(model))
}

/// The tier of a model that a client names.
fn tier_of(program: &Program, model: ModelIndex) -> TierIndex {
    home_tier(program, model)
        .or_else(|| {
            (0..program.tiers.len()).find(|tier| models_of(program, *tier).contains(&model))
        })
        .unwrap_or_else(|| program.tiers.len().saturating_sub(1))
}

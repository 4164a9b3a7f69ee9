//! The models of a tier, one after another, each through the policy: the first that passes answers.

use super::{Decider, Search};
use crate::decision::{Capability, Outcome, Route, RuleReference, SkipReason, Skipped};
use crate::facts::{Request, Surface};
use crate::plan::draft::{ModelIndex, TierIndex};
use crate::plan::view::{Model, Step};
use crate::vm::stable_hash;

/// What became of one candidate.
enum Trial {
    Takes(Route),
    Skips(SkipReason),
    Ends(Outcome),
}

/// The first thing that went wrong, beyond what [`Skipped`] says.
#[derive(Default)]
struct Trail {
    skipped: Vec<Skipped>,
    /// Whether a candidate could have served the call.
    served: bool,
    retry_after_milliseconds: Option<u64>,
}

impl Decider<'_, '_> {
    /// The outcome of a call of this final tier.
    pub(crate) fn admit(&mut self, search: &Search) -> Outcome {
        let plan = self.plan;
        let mut trail = Trail {
            skipped: search.skipped.clone(),
            served: search.is_fallback,
            retry_after_milliseconds: None,
        };
        if let Some(model) = search.alone {
            // A model by name has no next.
            if search.from == 0
                && let Some(outcome) = self.attempt(search, 0, model, &mut trail)
            {
                return outcome;
            }
            return self.failed(trail);
        }
        let Some(tier) = plan.tier(search.tier) else {
            return Outcome::NoModel(trail.skipped);
        };
        for (place, step) in (0..).zip(tier.steps()).skip(search.from.into()) {
            let Some(model) = self.pick(&step, place) else {
                continue;
            };
            if let Some(outcome) = self.attempt(search, place, model, &mut trail) {
                return outcome;
            }
        }
        self.failed(trail)
    }

    fn attempt(
        &mut self,
        search: &Search,
        step: u16,
        model: ModelIndex,
        trail: &mut Trail,
    ) -> Option<Outcome> {
        match self.candidate(search, step, model, trail) {
            Trial::Ends(outcome) => Some(outcome),
            Trial::Skips(reason) => {
                trail.skipped.push(Skipped { model, reason });
                None
            }
            Trial::Takes(mut route) => {
                route.skipped = std::mem::take(&mut trail.skipped);
                Some(Outcome::Route(route))
            }
        }
    }

    fn candidate(
        &mut self,
        search: &Search,
        step: u16,
        index: ModelIndex,
        trail: &mut Trail,
    ) -> Trial {
        let Some(model) = self.plan.model(index) else {
            return Trial::Skips(SkipReason::Surface);
        };
        let tier = self.candidate_tier(search, index);
        let context = self.enter(tier, index);
        let is_first = step == 0 && !search.is_fallback;
        // Denials beat everything, so the first candidate's are the answer before it is asked whether it can serve.
        if is_first && let Some((denial, status)) = self.denial() {
            return Trial::Ends(Outcome::Denied { denial, status });
        }
        if let Some(reason) = self.unservable(search, index, &model, tier) {
            if trail.skipped.is_empty() && matches!(reason, SkipReason::QuotaCap(_)) {
                let charge = search.lowered.charge;
                trail.retry_after_milliseconds =
                    charge.and_then(|charge| self.retry_after(&charge));
            }
            return Trial::Skips(reason);
        }
        if !is_first && let Some((denial, _)) = self.denial() {
            return Trial::Skips(SkipReason::Denial(denial));
        }
        let served = std::mem::replace(&mut trail.served, true);
        match self.charges(context, tier) {
            Ok(charges) => Trial::Takes(Route {
                model: index,
                step,
                estimate: context.estimate,
                ceiling: context.ceiling,
                max_tokens: self.answer(&model).limit,
                charges,
                skipped: Vec::new(),
            }),
            Err(binding) if binding.denies && !served => Trial::Ends(Outcome::Limited {
                quota: binding.quota,
                retry_after_milliseconds: binding.retry_after_milliseconds,
            }),
            Err(binding) => {
                if trail.skipped.is_empty() {
                    trail.retry_after_milliseconds = binding.retry_after_milliseconds;
                }
                Trial::Skips(if binding.denies {
                    SkipReason::Quota(binding.quota)
                } else {
                    SkipReason::QuotaCap(binding.quota)
                })
            }
        }
    }

    /// The final tier for its own home, else the lowest tier whose home the model is, else the final tier.
    fn candidate_tier(&self, search: &Search, model: ModelIndex) -> TierIndex {
        if self.home(search.tier) == model {
            return search.tier;
        }
        self.home_tier(model).unwrap_or(search.tier)
    }

    fn unservable(
        &self,
        search: &Search,
        index: ModelIndex,
        model: &Model<'_>,
        tier: TierIndex,
    ) -> Option<SkipReason> {
        if !self.facts.caller.may_use(index) {
            return Some(SkipReason::NotAllowed);
        }
        let request = self.facts.request;
        let serves = match request.surface {
            Surface::Chat | Surface::Messages | Surface::CountTokens | Surface::Responses => {
                model.chat()
            }
            Surface::Completions => model.completions(),
            Surface::Embeddings => model.embeddings(),
        };
        if !serves {
            return Some(SkipReason::Surface);
        }
        if let Some(capability) = lacking(request, model) {
            return Some(SkipReason::Lacks(capability));
        }
        let manner = self.plan.manner(index, request.manner);
        let price = self.plan.price(index);
        if let Some(what) = price.and_then(|price| manner.unpriced(price)) {
            return Some(SkipReason::Unpriced(what));
        }
        let answer = match request.max_tokens {
            Some(_) => self.answer(model).limit,
            None => 1,
        };
        let answer = if request.answers == 0 { 0 } else { answer };
        let needed = request.largest_prompt.saturating_add(answer);
        if model.context().is_some_and(|context| context < needed) {
            return Some(SkipReason::Context);
        }
        if tier <= search.lowered.tier {
            return None;
        }
        match search.lowered.rule {
            Some(RuleReference::Quota(quota)) => Some(SkipReason::QuotaCap(quota)),
            Some(RuleReference::Cap(cap)) => Some(SkipReason::Cap(cap)),
            _ => None,
        }
    }

    /// The model of a step: of a split the arm of its key, or of this very call where it has none.
    fn pick(&mut self, step: &Step<'_>, place: u16) -> Option<ModelIndex> {
        let (arms, key) = match step {
            Step::Try(model) => return Some(*model),
            Step::Split { arms, key } => (arms.clone(), *key),
        };
        let hash = match key {
            Some(key) => self.session.text(key, |text| stable_hash(text.as_bytes())),
            None => {
                let mut call = [0; 10];
                let (now, step) = call.split_at_mut(8);
                now.copy_from_slice(&self.facts.now.to_le_bytes());
                step.copy_from_slice(&place.to_le_bytes());
                stable_hash(&call)
            }
        };
        let mut left = u32::try_from(hash % 10_000).unwrap_or(0);
        for (model, share) in arms {
            match left.checked_sub(share) {
                Some(rest) => left = rest,
                None => return Some(model),
            }
        }
        None
    }

    /// Nothing is left: the first failure is the answer.
    fn failed(&self, trail: Trail) -> Outcome {
        match trail.skipped.first().map(|skipped| skipped.reason) {
            Some(SkipReason::Denial(denial)) => Outcome::Denied {
                denial,
                status: self.plan.denial(denial).map_or(403, |rule| rule.status()),
            },
            Some(SkipReason::Quota(quota) | SkipReason::QuotaCap(quota)) => Outcome::Limited {
                quota,
                retry_after_milliseconds: trail.retry_after_milliseconds,
            },
            _ => Outcome::NoModel(trail.skipped),
        }
    }
}

/// The first thing that the call sends and the model cannot take.
fn lacking(request: &Request<'_>, model: &Model<'_>) -> Option<Capability> {
    if request.images > 0 && model.lacks_images() {
        return Some(Capability::Images);
    }
    (request.offers_tools && model.lacks_tools()).then_some(Capability::Tools)
}

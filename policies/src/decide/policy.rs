//! Caps, denials and priorities.

use super::{Decider, QuotaReading};
use crate::cost;
use crate::decision::{Charge, Route, RuleReference};
use crate::money::NanoDollars;
use crate::plan::draft::{ModelIndex, TierIndex};
use crate::plan::view::{Model, QuotaAction};
use crate::vm::{Context, Session};

/// The answer that is reserved where the client set no limit: more is rare, and settled when it comes.
const USUAL_LIMIT: u64 = 4096;

/// How low the caps that act hold a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lowered {
    /// The highest tier that they allow.
    pub(crate) tier: TierIndex,
    /// The cap or quota that says so; none where no cap acts.
    pub(crate) rule: Option<RuleReference>,
    /// Of a quota: what the call would have to fit in for it to let go.
    pub(crate) charge: Option<Charge>,
}

/// How long the answers of a model may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The most tokens of one answer: what the client asked, at most what the model can.
    pub(crate) limit: u64,
    /// Tokens reserved for all answers together.
    pub(crate) reserved: u64,
    /// Tokens expected of all answers together.
    pub(crate) expected: u64,
}

impl Decider<'_, '_> {
    /// What rules see when this model answers in this tier.
    pub(crate) fn enter(&mut self, tier: TierIndex, model: ModelIndex) -> Context {
        let (estimate, ceiling) = self.costs(model).unwrap_or_default();
        let context = Context {
            tier,
            model,
            estimate,
            ceiling,
        };
        self.session.set_context(context);
        context
    }

    pub(crate) fn answer(&self, model: &Model<'_>) -> Answer {
        let request = self.facts.request;
        let most = model.output().unwrap_or(u64::MAX);
        let limit = request.max_tokens.unwrap_or(USUAL_LIMIT).min(most);
        Answer {
            limit,
            reserved: limit.saturating_mul(request.answers),
            expected: limit
                .min(cost::EXPECTED_ANSWER)
                .saturating_mul(request.answers),
        }
    }

    /// What the call is expected to cost, and what it costs at worst; nothing where the model has no price.
    fn costs(&self, index: ModelIndex) -> Option<(NanoDollars, NanoDollars)> {
        let price = self.plan.price(index)?;
        let answer = self.answer(&self.plan.model(index)?);
        let request = self.facts.request;
        let manner = self.plan.manner(index, request.manner);
        Some((
            cost::estimate(price, manner, request.tokens, answer.expected),
            cost::ceiling(price, manner, request.tokens, answer.reserved),
        ))
    }

    /// The lowest of the caps that act on a call of this content tier. Quotas warn on the way.
    pub(crate) fn lower(
        &mut self,
        content_tier: TierIndex,
        home: ModelIndex,
        warnings: &mut Vec<u16>,
    ) -> Lowered {
        let plan = self.plan;
        let context = self.enter(content_tier, home);
        let cap = self.first(&plan.tables().ranks.caps, Session::matches);
        let tier = cap.and_then(|cap| plan.cap(cap)).map(|cap| cap.tier());
        let mut lowered = Lowered {
            tier: tier.unwrap_or(TierIndex::MAX),
            rule: cap.map(RuleReference::Cap),
            charge: None,
        };
        let steering = &plan.tables().ranks.steering;
        let mut open = self.session.take_ranks();
        self.open(steering, &mut open);
        let places = open
            .iter()
            .filter_map(|rank| steering.rules.get(usize::from(*rank)));
        for index in places.map(|rule| rule.place) {
            let Some(quota) = plan.quota(index) else {
                continue;
            };
            let Some(reading) = self.read_quota(index, &quota, context) else {
                continue;
            };
            for outcome in quota
                .outcomes()
                .filter(|outcome| reading.acts(outcome.share()))
            {
                match outcome.action() {
                    QuotaAction::CapAt(tier) if tier < lowered.tier => {
                        lowered = Lowered {
                            tier,
                            rule: Some(RuleReference::Quota(index)),
                            charge: Some(reading.charge(index, outcome.share())),
                        };
                    }
                    QuotaAction::Warn => add(warnings, index),
                    _ => {}
                }
            }
        }
        self.session.put_back(open);
        lowered
    }

    /// Adds the quotas whose `warn` share the routed call passes.
    pub(crate) fn warn(&mut self, route: &Route, warnings: &mut Vec<u16>) {
        for charge in &route.charges {
            let Some(quota) = self.plan.quota(charge.quota) else {
                continue;
            };
            let warns = |action: QuotaAction| matches!(action, QuotaAction::Warn);
            if !quota.outcomes().any(|outcome| warns(outcome.action())) {
                continue;
            }
            let reading = QuotaReading {
                key: charge.key,
                amount: charge.amount,
                used: self.state.used(charge.quota, charge.key, self.facts.now),
                capacity: self.state.capacity(charge.quota),
            };
            let mut warned = quota.outcomes().filter(|outcome| warns(outcome.action()));
            if warned.any(|outcome| reading.acts(outcome.share())) {
                add(warnings, charge.quota);
            }
        }
    }

    /// The denial that forbids the call as it now stands. Of several: the lowest status, then the first by label, so
    /// that their order in the file says nothing.
    pub(crate) fn denial(&mut self) -> Option<(u16, u16)> {
        let plan = self.plan;
        let denial = self.first(&plan.tables().ranks.denials, Session::matches)?;
        Some((denial, plan.denial(denial)?.status()))
    }

    /// The highest priority that matches a call of this final tier, which this model is the first to answer.
    pub(crate) fn priority(&mut self, tier: TierIndex, home: ModelIndex) -> (i64, Option<u16>) {
        let plan = self.plan;
        if plan.priorities().is_empty() {
            return (0, None);
        }
        self.enter(tier, home);
        let found = self.first(&plan.tables().ranks.priorities, Session::is_true);
        let value = found.and_then(|found| plan.priority(found));
        (value.map_or(0, |priority| priority.value()), found)
    }
}

/// Adds an index once, in ascending order.
fn add(indices: &mut Vec<u16>, index: u16) {
    if let Err(place) = indices.binary_search(&index) {
        indices.insert(place, index);
    }
}

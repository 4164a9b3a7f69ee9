//! Which tier the content asks for.

use super::Decider;
use crate::decision::{Key, RuleReference, SessionFloor};
use crate::plan::draft::{ModelIndex, TierIndex};
use crate::plan::view::{AcceptTarget, Content, Step};
use crate::vm::{Session, Verdict};

/// Where a call is going before any cap.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Course {
    /// The content section; `None` for a model by name.
    pub(crate) content: Option<u16>,
    pub(crate) start: TierIndex,
    /// The content tier.
    pub(crate) tier: TierIndex,
    /// What set it.
    pub(crate) rule: RuleReference,
    /// The model that caps see: the tier's home, or the one that was named.
    pub(crate) home: ModelIndex,
    /// The model that the client named.
    pub(crate) named: Option<ModelIndex>,
    pub(crate) threshold: Option<f64>,
    pub(crate) session: Option<SessionFloor>,
}

impl Decider<'_, '_> {
    /// The call's course; `None` when no name that clients may send is the one it sent.
    pub(crate) fn content(&mut self) -> Option<Course> {
        let plan = self.plan;
        let (target, rest) = plan.accepted(&self.facts.request.model)?;
        match target {
            AcceptTarget::Model(model) => Some(self.named(model)),
            AcceptTarget::Content(index) => {
                let content = plan.content(index)?;
                let asked = threshold_in(&self.facts.request.model, rest);
                let threshold = content
                    .threshold()
                    .map(|declared| asked.unwrap_or(declared));
                self.session.set_threshold(threshold);
                Some(self.raise(index, &content, threshold))
            }
        }
    }

    fn named(&self, model: ModelIndex) -> Course {
        let tier = self.tier_of(model);
        Course {
            content: None,
            start: tier,
            tier,
            rule: RuleReference::Named(model),
            home: model,
            named: Some(model),
            threshold: None,
            session: None,
        }
    }

    /// The lowest tier whose home is this model, else the lowest that lists it, else the highest.
    fn tier_of(&self, model: ModelIndex) -> TierIndex {
        let lists = |step: Step<'_>| match step {
            Step::Try(index) => index == model,
            Step::Split { mut arms, .. } => arms.any(|(index, _)| index == model),
        };
        let mut tiers = self.plan.tiers();
        let last = tiers.len().saturating_sub(1);
        let tier = self
            .home_tier(model)
            .map(usize::from)
            .or_else(|| tiers.position(|tier| tier.steps().any(lists)));
        TierIndex::try_from(tier.unwrap_or(last)).unwrap_or(TierIndex::MAX)
    }

    /// The lowest tier whose home is this model.
    pub(crate) fn home_tier(&self, model: ModelIndex) -> Option<TierIndex> {
        let tiers = &self.plan.tables().home_tiers;
        *tiers.get(usize::from(model))?
    }

    /// The start, raised by every escalation that matches and by the session's floor.
    fn raise(&mut self, index: u16, content: &Content<'_>, threshold: Option<f64>) -> Course {
        let start = content.start();
        let (mut tier, mut rule) = (start, RuleReference::Start(index));
        let plan = self.plan;
        let ranks = plan.tables().ranks.escalations.get(usize::from(index));
        let raised = ranks.and_then(|ranks| self.first(ranks, Session::matches));
        if let Some(place) = raised
            && let Some(escalation) = content.escalations().get(place.into())
        {
            tier = escalation.tier();
            rule = RuleReference::Escalation(index, place);
        }
        let session = self.floor_key(content);
        self.run = session;
        if let Some(key) = session
            && let Some(floor) = self.state.floor(index, key, self.facts.now)
            && floor > tier
            && usize::from(floor) < self.plan.tiers().len()
        {
            tier = floor;
            rule = RuleReference::Keep(index);
        }
        Course {
            content: Some(index),
            start,
            tier,
            rule,
            home: self.home(tier),
            named: None,
            threshold,
            session: session.map(|key| SessionFloor {
                content: index,
                key,
                tier,
            }),
        }
    }

    /// A session whose name is "" is none. It is its caller's: whoever else sends the same name has another one, so
    /// that nobody can raise what others pay.
    fn floor_key(&mut self, content: &Content<'_>) -> Option<Key> {
        match self.session.verdict(content.keep()?.session()) {
            Verdict::Text {
                key, empty: false, ..
            } => Some(self.state.key_of(&self.facts.caller.key, key)),
            _ => None,
        }
    }
}

/// The threshold in a model name such as `router-mf-0.11593`: what follows a prefix that ends in `-`, and after
/// `router-` alone the router's name too, as RouteLLM's clients write it.
fn threshold_in(name: &str, rest: &str) -> Option<f64> {
    let prefix = name.strip_suffix(rest)?;
    let number = match prefix {
        "router-" => rest.split_once('-').map_or(rest, |(_, number)| number),
        _ => rest,
    };
    // Python writes a small one as `1e-05`; `inf` and `nan` are no thresholds.
    let plain = number
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b".e-+".contains(&byte));
    if !prefix.ends_with('-') || !plain {
        return None;
    }
    let threshold: f64 = number.parse().ok()?;
    (0.0..=1.0).contains(&threshold).then_some(threshold)
}

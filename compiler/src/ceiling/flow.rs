//! The ways money leaves: calls of a tier that a model answers, judged by the policy as those of a tier.
//!
//! It follows `decide`: a candidate is judged in the final tier if that tier tries it first, else in the lowest tier that
//! tries it first, else in the final tier.

use waypost_lang::syntax::tree::{Amount, Window};

use crate::ceiling::call::{self, Size};
use crate::ceiling::{bound, condition};
use crate::program::{Model, ModelIndex, Price, Program, Step, Tier, TierIndex};

/// Calls of one tier that one model answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flow {
    /// The final tier.
    pub(super) tier: TierIndex,
    /// Who answers.
    pub(super) model: ModelIndex,
    /// The tier that rules see.
    pub(super) judged: TierIndex,
    /// Whether the model has a price.
    pub(super) priced: bool,
    /// The most that one call can cost, in nano-dollars, each retry as much again; `None` where nothing bounds it.
    pub(super) one_call: Option<u128>,
    /// The most that one token can cost, in nano-dollars.
    pub(super) one_token: u128,
}

impl Flow {
    /// Whether it costs anything.
    pub(super) const fn is_paid(&self) -> bool {
        self.one_token > 0
    }
}

/// Every flow that no denial stops for certain.
pub(super) fn flows(program: &Program) -> Vec<Flow> {
    let homes: Vec<Option<ModelIndex>> = program.tiers.iter().map(Tier::home).collect();
    let home_tier = |model: ModelIndex| homes.iter().position(|home| *home == Some(model));
    let mut ways: Vec<(TierIndex, ModelIndex)> = Vec::new();
    for (tier, declared) in program.tiers.iter().enumerate() {
        ways.extend(models(declared).map(|model| (tier, model)));
    }
    let accepts = program.contents.iter().flat_map(|content| &content.accepts);
    for model in accepts.filter_map(|accept| accept.model) {
        let listed = |tier: &Tier| models(tier).any(|one| one == model);
        let tier = home_tier(model)
            .or_else(|| program.tiers.iter().position(listed))
            .or_else(|| program.tiers.len().checked_sub(1));
        ways.extend(tier.map(|tier| (tier, model)));
    }
    ways.sort_unstable();
    ways.dedup();
    ways.into_iter()
        .filter_map(|(tier, model)| {
            let first = homes.get(tier).copied().flatten() == Some(model);
            let judged = if first {
                tier
            } else {
                home_tier(model).unwrap_or(tier)
            };
            flow(program, tier, model, judged)
        })
        .collect()
}

/// The flow, unless a denial refuses every call of it.
fn flow(program: &Program, tier: TierIndex, model: ModelIndex, judged: TierIndex) -> Option<Flow> {
    let declared = program.models.get(model)?;
    let setting = condition::Setting {
        tier: &program.tiers.get(judged)?.name.value,
        model: &declared.name.value,
    };
    let mut size = Size::default();
    for denial in &program.policy.denials {
        if setting.truth(&denial.when) == Some(true) {
            return None;
        }
        setting.narrow(&denial.when, &mut size);
    }
    let way = Flow {
        tier,
        model,
        judged,
        priced: false,
        one_call: None,
        one_token: 0,
    };
    bound_each_call(program, &way, &mut size);
    let of = program.tiers.get(tier)?;
    let attempts = u128::from(of.retries) + 1;
    let price = declared.price.as_ref();
    let one_call = price.and_then(|price| {
        let own = call::dearest(declared, price, &size)?;
        // A call that is hedged is one request, and may cost what two models take for it.
        let beside = match of.hedge {
            Some(_) => dearest_beside(program, of, model, &size)?,
            None => 0,
        };
        Some(own.saturating_add(beside))
    });
    Some(Flow {
        tier,
        model,
        judged,
        priced: price.is_some(),
        one_call: one_call.map(|cost| cost.saturating_mul(attempts)),
        one_token: price.map_or(0, |price| token(declared, price)),
    })
}

/// The most that another model of a tier takes for a call; `None` where nothing bounds it.
fn dearest_beside(program: &Program, tier: &Tier, model: ModelIndex, size: &Size) -> Option<u128> {
    models(tier)
        .filter(|other| *other != model)
        .filter_map(|other| program.models.get(other))
        .filter_map(|other| Some((other, other.price.as_ref()?)))
        .try_fold(0, |most: u128, (other, price)| {
            Some(most.max(call::dearest(other, price, size)?))
        })
}

/// What limits and budgets `/ call` leave of a call's size.
fn bound_each_call(program: &Program, way: &Flow, size: &mut Size) {
    let smaller = |known: Option<u128>, most: u64| {
        let most = u128::from(most);
        Some(known.map_or(most, |known| known.min(most)))
    };
    for quota in &program.policy.quotas {
        let applies = bound::applies(program, quota, way) == Some(true);
        let most = bound::most(quota, way.judged).filter(|_| applies);
        let (Window::Call, Some(most)) = (&quota.window.value, most) else {
            continue;
        };
        match quota.amount.value {
            Amount::Money(_) => size.ceiling = smaller(size.ceiling, most),
            Amount::Tokens(_) => size.tokens = smaller(size.tokens, most),
            Amount::Requests(_) | Amount::Repeats(_) | Amount::Concurrent(_) => {}
        }
    }
}

/// The most that a token costs, rounded up: a call of one token is.
fn token(model: &Model, price: &Price) -> u128 {
    call::dearest_token(model, price).div_ceil(1_000_000)
}

/// The models that a tier may try.
pub(crate) fn models(tier: &Tier) -> impl Iterator<Item = ModelIndex> {
    tier.steps.iter().flat_map(|step| match step {
        Step::Try(model) => vec![model.value],
        Step::Split { arms, .. } => arms.iter().map(|(model, _)| model.value).collect(),
    })
}

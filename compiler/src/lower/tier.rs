//! Tiers: what each tries, in order.

use waypost_policies::plan::draft;

use super::expressions::Expressions;
use super::index;
use super::origin::Origins;
use crate::program::{Step, Tier};

pub(crate) fn lower(
    tiers: &[Tier],
    origins: &Origins<'_>,
    expressions: &mut Expressions<'_>,
) -> Vec<draft::Tier> {
    tiers
        .iter()
        .map(|tier| draft::Tier {
            name: tier.name.value.clone(),
            steps: tier
                .steps
                .iter()
                .map(|one| step(one, expressions))
                .collect(),
            timeout_milliseconds: tier.timeout.unwrap_or(0),
            retries: tier.retries,
            hedge_milliseconds: tier.hedge.as_ref().map_or(0, |hedge| hedge.value),
            origin: origins.of(tier.name.span),
        })
        .collect()
}

fn step(step: &Step, expressions: &mut Expressions<'_>) -> draft::Step {
    match step {
        Step::Try(model) => draft::Step::Try(index(model.value)),
        Step::Split { arms, key } => draft::Step::Split {
            arms: arms
                .iter()
                .map(|(model, share)| (index(model.value), share.0))
                .collect(),
            key: key.as_ref().map(|key| expressions.add(key)),
        },
    }
}

//! WP0427: a budget that lowers calls to a tier that costs as much.

use waypost_lang::syntax::tree::Amount;
use waypost_lang::{Diagnostic, codes};
use waypost_policies::cost::Sort;

use super::Subject;
use crate::program::{Action, Model, Price, Program, Quota, TierIndex};

/// Finds outcomes of money quotas that cap at a tier whose first model is no cheaper than what they cap.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let program = subject.program;
    let quotas = program.policy.quotas.iter();
    for quota in quotas.filter(|quota| matches!(quota.amount.value, Amount::Money(_))) {
        for outcome in &quota.outcomes {
            let Action::CapAt(target) = outcome.action else {
                continue;
            };
            let Some((model, other)) = no_cheaper(program, quota, target) else {
                continue;
            };
            let tier = program.tiers.get(target);
            found.push(
                codes::CAP_TARGET_NOT_CHEAPER
                    .warning(
                        outcome.span,
                        format!("a call that `{}` lowers costs no less", quota.label.text),
                    )
                    .label(format!(
                        "leads to `{}`, which tries `{}` first",
                        tier.map_or("", |tier| &tier.name.value),
                        model.name.value
                    ))
                    .because(other.name.span, "costs no more than that")
                    .help("cap at a tier whose model costs less, or write `deny`"),
            );
        }
    }
}

/// The model that capped calls get, and the one they would have had, where the first is not cheaper in anything.
fn no_cheaper<'p>(
    program: &'p Program,
    quota: &Quota,
    target: TierIndex,
) -> Option<(&'p Model, &'p Model)> {
    let home = |tier: TierIndex| program.tiers.get(tier)?.home();
    let model = program.models.get(home(target)?)?;
    let price = model.price.as_ref()?;
    let above = target + 1..program.tiers.len();
    let capped = above.filter_map(home);
    let mut capped = capped.filter(|index| quota.on.as_ref().is_none_or(|on| on.value == *index));
    let other = program.models.get(capped.next()?)?;
    // With a dearer tier above, capping has a point there.
    let all = std::iter::once(Some(other)).chain(capped.map(|index| program.models.get(index)));
    let mut prices = all.map(|model| model.and_then(|model| model.price.as_ref()));
    let none_saves = prices.all(|other| other.is_some_and(|other| !is_cheaper(price, other)));
    none_saves.then_some((model, other))
}

fn is_cheaper(one: &Price, other: &Price) -> bool {
    let (one, other) = (one.base(), other.base());
    let cheaper = |sort| one.of(sort) < other.of(sort);
    cheaper(Sort::Input) || cheaper(Sort::Output)
}

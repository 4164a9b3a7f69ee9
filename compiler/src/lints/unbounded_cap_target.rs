//! WP0428: a budget lowers calls to a tier in which nothing holds them.

use waypost_lang::syntax::tree::Amount;
use waypost_lang::{Diagnostic, codes};

use super::Subject;
use super::quotas::{rate, refuses};
use crate::ceiling::{Ceiling, Nearest};
use crate::program::Action;

/// Finds quotas of money that cap, and whose capped calls go on being paid for without end.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let program = subject.program;
    for (index, quota) in program.policy.quotas.iter().enumerate() {
        let is_money = matches!(quota.amount.value, Amount::Money(_));
        if !is_money || !refuses(quota, program) {
            continue;
        }
        let capped = quota.outcomes.iter().filter_map(|one| match one.action {
            Action::CapAt(tier) => Some((one.span, tier)),
            _ => None,
        });
        let Some((span, target)) = capped.min_by_key(|(_, tier)| *tier) else {
            continue;
        };
        let scope = subject.ceilings.tiers.get(target);
        let Some(Ceiling::Unbounded(unbounded)) = scope.map(|scope| &scope.caller.month) else {
            continue;
        };
        let tier = program.tiers.get(target);
        let (Nearest::NeverRefuses(nearest), Some(tier)) = (unbounded.nearest, tier) else {
            continue;
        };
        if nearest != index {
            continue;
        }
        let name = &tier.name.value;
        found.push(
            codes::UNBOUNDED_CAP_TARGET
                .warning(
                    span,
                    format!(
                        "what `{}` lowers to `{name}` is spent without end",
                        quota.label.text
                    ),
                )
                .label(format!("no call of `{name}` is ever refused"))
                .because(rate(quota), "counts those calls too, and lets them through")
                .help("add an outcome that refuses them, such as `at 150% deny`"),
        );
    }
}

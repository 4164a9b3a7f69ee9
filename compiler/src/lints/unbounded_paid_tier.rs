//! WP0420: a tier that costs money, and no limit and no budget applies to it.

use waypost_lang::{Diagnostic, codes};

use super::Subject;
use crate::ceiling::{Ceiling, Nearest};
use crate::program::ModelIndex;

/// Finds tiers of which even one caller may spend without end, since no rule applies; each model once.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let program = subject.program;
    // A file without content is there to be imported: the budgets stand elsewhere.
    if program.contents.is_empty() {
        return;
    }
    let mut known: Vec<ModelIndex> = Vec::new();
    // Highest first: a model is best known by the tier that tries it first, not by one that falls back to it.
    for (tier, scope) in program.tiers.iter().zip(&subject.ceilings.tiers).rev() {
        let Ceiling::Unbounded(unbounded) = &scope.caller.month else {
            continue;
        };
        let model = program.models.get(unbounded.model);
        let Some(model) = model.filter(|_| unbounded.nearest == Nearest::Nothing) else {
            continue;
        };
        if known.contains(&unbounded.model) {
            continue;
        }
        known.push(unbounded.model);
        let name = &model.name.value;
        found.push(
            codes::UNBOUNDED_PAID_TIER
                .warning(
                    tier.name.span,
                    format!("nothing bounds what the tier `{}` spends", tier.name.value),
                )
                .label(format!("no limit and no budget applies to `{name}`"))
                .because(model.name.span, "is paid for by the token")
                .help(format!(
                    "write a budget, such as `budget $50 / day on {name}`, in `policy`"
                )),
        );
    }
}

//! WP0429: a tier that costs less than the one below it.

use waypost_lang::{Diagnostic, codes};
use waypost_policies::cost::Sort;

use super::Subject;
use crate::program::{Model, Price, Program, Tier};

/// Finds neighbours in the chain of which the higher one tries a model first that is cheaper in all that it charges.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let program = subject.program;
    for (lower, higher) in program.tiers.iter().zip(program.tiers.iter().skip(1)) {
        let (Some(below), Some(above)) = (priced(program, lower), priced(program, higher)) else {
            continue;
        };
        if !is_cheaper(above.1, below.1) {
            continue;
        }
        found.push(
            codes::INVERTED_PRICE
                .warning(
                    higher.name.span,
                    format!(
                        "the tier `{}` costs less than `{}` below it",
                        higher.name.value, lower.name.value
                    ),
                )
                .label(format!("tries `{}` first", above.0.name.value))
                .because(
                    lower.name.span,
                    format!("tries `{}` first, which costs more", below.0.name.value),
                )
                .help("check the prices; if they are right, nothing is saved by the lower tier: start at the higher one"),
        );
    }
}

fn priced<'p>(program: &'p Program, tier: &Tier) -> Option<(&'p Model, &'p Price)> {
    let model = program.models.get(tier.home()?)?;
    Some((model, model.price.as_ref()?))
}

fn is_cheaper(one: &Price, other: &Price) -> bool {
    let (one, other) = (one.base(), other.base());
    let compared = |sort| one.of(sort).cmp(&other.of(sort));
    let (input, output) = (compared(Sort::Input), compared(Sort::Output));
    input.is_le() && output.is_le() && (input.is_lt() || output.is_lt())
}

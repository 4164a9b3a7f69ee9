//! WP0436: only a limit on requests bounds what is spent, and one request may cost a fortune.

use waypost_lang::cel::typed::Field;
use waypost_lang::{Diagnostic, codes};

use super::Subject;
use super::quotas::rate;
use crate::ceiling::{Ceiling, Setter};

/// Finds limits on requests that set the ceiling of a caller's day, where no denial asks what a call may cost.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let program = subject.program;
    let denials = program.policy.denials.iter();
    let sizes = [Field::CostCeiling, Field::CostEstimate];
    let mut asked = denials.flat_map(|rule| rule.when.fields());
    if asked.any(|field| sizes.contains(&field)) {
        return;
    }
    let mut worst: Vec<&Setter> = Vec::new();
    for scope in &subject.ceilings.tiers {
        let Ceiling::Bounded { by, .. } = &scope.caller.day else {
            continue;
        };
        for setter in by.iter().filter(|setter| setter.one_call.is_some()) {
            match worst.iter_mut().find(|one| one.quota == setter.quota) {
                Some(known) if known.part < setter.part => *known = setter,
                Some(_) => {}
                None => worst.push(setter),
            }
        }
    }
    for setter in worst {
        let (Some(one_call), Some(quota)) =
            (setter.one_call, program.policy.quotas.get(setter.quota))
        else {
            continue;
        };
        found.push(
            codes::REQUESTS_BOUND_NO_MONEY
                .warning(
                    rate(quota),
                    format!("`{}` is all that bounds what a caller spends", setter.label),
                )
                .label(format!(
                    "one request may cost {} with all its answers and retries, a day of them {}",
                    one_call.readable(),
                    setter.part.readable()
                ))
                .help("add a budget, such as `budget $50 / day per caller.key`, or refuse dear calls: `deny \"too dear\" when cost.ceiling > 1.0`"),
        );
    }
}

//! WP0465: a pool overflows to the next model where there is none.

use waypost_lang::syntax::tree::ItemKind;
use waypost_lang::{Diagnostic, codes};

use super::Subject;
use crate::program::{ModelIndex, PoolIndex, Step, Tier, Via};

/// Finds `overflow … then next` of pools whose models stand last in every tier that tries them.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let program = subject.program;
    let items = subject.files.iter().flat_map(|file| &file.items);
    for item in items {
        let ItemKind::Place(place) = &item.kind else {
            continue;
        };
        let overflow = place.overflow.as_ref();
        let Some(next) = overflow
            .and_then(|one| one.then.as_ref())
            .filter(|then| then.value == "next")
        else {
            continue;
        };
        let pool = program
            .pools
            .iter()
            .position(|one| one.name.value == place.pool.value);
        let trying = program.tiers.iter().filter(|tier| {
            pool.is_some_and(|pool| tier.steps.iter().any(|step| tries(subject, step, pool)))
        });
        let trying: Vec<&Tier> = trying.collect();
        let Some(first) = trying.first() else {
            continue;
        };
        let last = |tier: &&Tier| {
            let mut steps = tier.steps.iter();
            let at = steps.position(|step| pool.is_some_and(|pool| tries(subject, step, pool)));
            at.is_some_and(|at| at + 1 == tier.steps.len())
        };
        if trying.iter().all(last) {
            found.push(
                codes::OVERFLOW_WITHOUT_NEXT
                    .warning(next.span, "there is no next model to go to")
                    .label("so calls are shed when the pool is full")
                    .because(first.name.span, "tries nothing after it")
                    .help("add a model to the tier, such as `then MODEL`, or write `then shed`"),
            );
        }
    }
}

fn tries(subject: &Subject<'_>, step: &Step, pool: PoolIndex) -> bool {
    let of_pool = |model: ModelIndex| {
        let model = subject.program.models.get(model);
        model.is_some_and(|model| model.via == Via::Pool(pool))
    };
    match step {
        Step::Try(model) => of_pool(model.value),
        Step::Split { arms, .. } => arms.iter().any(|(model, _)| of_pool(model.value)),
    }
}

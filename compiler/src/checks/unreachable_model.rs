//! WP0305: a model that no call can reach.

use waypost_lang::codes;
use waypost_lang::diagnostic::Diagnostic;

use crate::program::{ModelIndex, Program, Step};

/// Models that no tier tries, no alias stands for and no `accept models` names.
pub(crate) fn check(program: &Program) -> Vec<Diagnostic> {
    // A file of models alone is there to be imported.
    if program.contents.is_empty() {
        return Vec::new();
    }
    let reached = reachable(program);
    program
        .models
        .iter()
        .enumerate()
        .filter(|(index, _)| !reached.contains(index))
        .map(|(_, model)| {
            codes::UNREACHABLE_MODEL
                .warning(
                    model.name.span,
                    format!("no call can reach the model `{}`", model.name.value),
                )
                .label("in no tier, and no client may name it")
                .help("add it to a tier, write `accept models`, or delete it")
        })
        .collect()
}

/// Every model that some call may be answered by, each once, in order.
pub(crate) fn reachable(program: &Program) -> Vec<ModelIndex> {
    let mut models: Vec<ModelIndex> = Vec::new();
    for step in program.tiers.iter().flat_map(|tier| &tier.steps) {
        match step {
            Step::Try(model) => models.push(model.value),
            Step::Split { arms, .. } => models.extend(arms.iter().map(|(model, _)| model.value)),
        }
    }
    let accepts = program.contents.iter().flat_map(|content| &content.accepts);
    models.extend(accepts.filter_map(|accept| accept.model));
    models.sort_unstable();
    models.dedup();
    models
}

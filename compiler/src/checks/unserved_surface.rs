//! A model that is to serve what its provider's API does not have.

use waypost_lang::codes;
use waypost_lang::diagnostic::Diagnostic;

use crate::program::{Program, ProviderKind, Via};

pub(crate) fn check(program: &Program) -> Vec<Diagnostic> {
    let anthropic = |via: &Via| match via {
        Via::Provider(index) => program
            .providers
            .get(*index)
            .is_some_and(|provider| provider.kind == ProviderKind::Anthropic),
        Via::Pool(_) => false,
    };
    let mut found = Vec::new();
    for model in program.models.iter().filter(|model| anthropic(&model.via)) {
        let surfaces = [
            ("completions", model.serves.completions),
            ("embeddings", model.serves.embeddings),
        ];
        for (surface, _) in surfaces.into_iter().filter(|(_, served)| *served) {
            let message = format!("`{}` cannot serve {surface}", model.name.value);
            found.push(
                codes::BAD_VALUE
                    .error(model.name.span, message)
                    .label("Anthropic's API has none")
                    .help(format!("leave `{surface}` out of `serves`")),
            );
        }
    }
    found
}

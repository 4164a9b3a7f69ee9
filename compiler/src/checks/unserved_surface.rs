//! A model that is to serve what its provider's API does not have.

use waypost_lang::codes;
use waypost_lang::diagnostic::Diagnostic;

use crate::program::{Program, ProviderKind, Via};

pub(crate) fn check(program: &Program) -> Vec<Diagnostic> {
    let only_conversations = |via: &Via| match via {
        Via::Provider(index) => match program.providers.get(*index)?.kind {
            ProviderKind::Anthropic => Some("Anthropic's API has none"),
            ProviderKind::Gemini => Some("only conversations are translated to Gemini's API"),
            ProviderKind::Bedrock => Some("Bedrock's Converse has none"),
            ProviderKind::OpenAi | ProviderKind::AzureOpenAi | ProviderKind::OpenAiCompatible => {
                None
            }
        },
        Via::Pool(_) => None,
    };
    let mut found = Vec::new();
    for model in &program.models {
        let Some(why) = only_conversations(&model.via) else {
            continue;
        };
        let surfaces = [
            ("completions", model.serves.completions),
            ("embeddings", model.serves.embeddings),
        ];
        for (surface, _) in surfaces.into_iter().filter(|(_, served)| *served) {
            let message = format!("`{}` cannot serve {surface}", model.name.value);
            found.push(
                codes::BAD_VALUE
                    .error(model.name.span, message)
                    .label(why)
                    .help(format!("leave `{surface}` out of `serves`")),
            );
        }
    }
    found
}

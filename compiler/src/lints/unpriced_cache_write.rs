//! WP0437: a model of Anthropic's whose price does not say what writing to the cache costs.

use waypost_lang::{Diagnostic, codes};
use waypost_policies::cost::Sort;

use super::Subject;
use crate::program::{Model, Program, ProviderKind, Via};

/// Finds Claude at Anthropic or Bedrock with a price for cached tokens and none for those that are written.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let program = subject.program;
    for model in &program.models {
        let base = model.price.as_ref().map(|price| price.base());
        let unsaid = base.is_some_and(|base| {
            base.said(Sort::Cached).is_some() && base.said(Sort::CacheWrite).is_none()
        });
        let (true, Some(span)) = (unsaid && is_claude(model, program), model.price_span) else {
            continue;
        };
        found.push(
            codes::UNPRICED_CACHE_WRITE
                .warning(
                    span,
                    format!("what `{}` asks for writing to its cache is not counted", model.name.value),
                )
                .label("a token that is written counts as any other of the prompt")
                .help("write `cache-write` and `cache-write-1h`, which Anthropic lists at 1.25 and 2 times `input`"),
        );
    }
}

fn is_claude(model: &Model, program: &Program) -> bool {
    let Via::Provider(provider) = model.via else {
        return false;
    };
    let kind = program
        .providers
        .get(provider)
        .map(|provider| provider.kind);
    match kind {
        Some(ProviderKind::Anthropic) => true,
        Some(ProviderKind::Bedrock) => model.upstream_name.contains("anthropic."),
        _ => false,
    }
}

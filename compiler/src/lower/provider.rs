//! Hosted APIs.

use waypost_policies::plan::draft;

use super::index;
use crate::program::{Provider, ProviderAuth, ProviderKind};

pub(crate) fn lower(providers: &[Provider]) -> Vec<draft::Provider> {
    providers
        .iter()
        .map(|provider| draft::Provider {
            name: provider.name.value.clone(),
            kind: match provider.kind {
                ProviderKind::OpenAi => draft::ProviderKind::OpenAi,
                ProviderKind::AzureOpenAi => draft::ProviderKind::AzureOpenAi,
                ProviderKind::OpenAiCompatible => draft::ProviderKind::OpenAiCompatible,
                ProviderKind::Anthropic => draft::ProviderKind::Anthropic,
                ProviderKind::Gemini => draft::ProviderKind::Gemini,
                ProviderKind::Bedrock => draft::ProviderKind::Bedrock,
            },
            base_url: provider.url.clone(),
            api_version: provider.version.clone(),
            region: provider.region.clone(),
            auth: match provider.auth {
                ProviderAuth::Secret(secret) => draft::ProviderAuth::Secret(index(secret)),
                ProviderAuth::WorkloadIdentity => draft::ProviderAuth::WorkloadIdentity,
                ProviderAuth::None => draft::ProviderAuth::None,
            },
        })
        .collect()
}

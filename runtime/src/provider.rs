//! How each kind of upstream wants to be asked: address and credentials. All of them speak OpenAI's API.

mod azure;
mod openai;
mod pool;

use hyper::header::{HeaderName, HeaderValue};
use waypost_policies::facts::Surface;
use waypost_policies::plan::draft;

pub(crate) use azure::Azure;
pub(crate) use openai::OpenAi;
pub(crate) use pool::replica_address;

use crate::secrets::SecretValue;

/// A hosted API.
#[derive(Debug)]
pub(crate) struct Provider {
    /// How the file calls it.
    pub(crate) name: String,
    dialect: Dialect,
}

#[derive(Debug)]
enum Dialect {
    OpenAi(OpenAi),
    Azure(Azure),
}

/// What a credential is sent as; its value is marked sensitive, so that nothing prints it.
pub(crate) type Credential = (HeaderName, HeaderValue);

impl Provider {
    /// The provider of the plan, at `base_url`; the key as resolved.
    pub(crate) fn new(
        provider: &draft::Provider,
        base_url: &str,
        key: Option<&SecretValue>,
    ) -> Option<Self> {
        let base_url = base_url.trim_end_matches('/').to_owned();
        let dialect = match provider.kind {
            draft::ProviderKind::AzureOpenAi => {
                Dialect::Azure(Azure::new(base_url, provider.api_version.clone(), key)?)
            }
            draft::ProviderKind::OpenAi | draft::ProviderKind::OpenAiCompatible => {
                Dialect::OpenAi(OpenAi::new(base_url, key)?)
            }
        };
        Some(Self {
            name: provider.name.clone(),
            dialect,
        })
    }

    /// Where calls of a model go.
    pub(crate) fn address(&self, surface: Surface, upstream_name: &str) -> String {
        match &self.dialect {
            Dialect::OpenAi(openai) => openai.address(surface),
            Dialect::Azure(azure) => azure.address(surface, upstream_name),
        }
    }

    /// The header that authenticates calls.
    pub(crate) fn credential(&self) -> Option<&Credential> {
        match &self.dialect {
            Dialect::OpenAi(openai) => openai.credential(),
            Dialect::Azure(azure) => azure.credential(),
        }
    }
}

/// The last part of a surface's path.
pub(crate) const fn path(surface: Surface) -> &'static str {
    match surface {
        Surface::Chat => "chat/completions",
        Surface::Completions => "completions",
        Surface::Embeddings => "embeddings",
    }
}

/// Whether a model of OpenAI's knows `max_tokens` only as `max_completion_tokens`: `gpt-5…`, `o1`, `o3-mini`, ….
pub(crate) fn wants_completion_tokens(name: &str) -> bool {
    let name = name.rsplit('/').next().unwrap_or(name);
    let reasoning = name
        .strip_prefix('o')
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    reasoning || name.starts_with("gpt-5")
}

/// A secret in a header; `None` when it cannot stand in one.
fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasoning_models_are_known_by_name() {
        for name in ["gpt-5.1", "gpt-5", "o1", "o3-mini", "openai/o4-mini"] {
            assert!(wants_completion_tokens(name), "{name}");
        }
        for name in ["gpt-4o", "phi-4", "olmo-2", "qwen-3", "gpt-oss-20b"] {
            assert!(!wants_completion_tokens(name), "{name}");
        }
    }
}

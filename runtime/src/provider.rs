//! How each kind of upstream wants to be asked: in which dialect, where, and with which credentials.

mod anthropic;
mod azure;
mod openai;
mod pool;

use hyper::header::{HeaderName, HeaderValue};
use waypost_policies::facts::Surface;
use waypost_policies::plan::draft;

pub(crate) use anthropic::{Anthropic, USUAL_VERSION, VERSION};
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
    /// A server of it that may have no more than its oldest paths.
    Compatible(OpenAi),
    Azure(Azure),
    Anthropic(Anthropic),
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
            draft::ProviderKind::OpenAi => Dialect::OpenAi(OpenAi::new(base_url, key)?),
            draft::ProviderKind::OpenAiCompatible => {
                Dialect::Compatible(OpenAi::new(base_url, key)?)
            }
            draft::ProviderKind::Anthropic => Dialect::Anthropic(Anthropic::new(base_url, key)?),
        };
        Some(Self {
            name: provider.name.clone(),
            dialect,
        })
    }

    /// On which surface it is asked what came in on another; `None` where it cannot be asked at all.
    pub(crate) fn asked_on(&self, surface: Surface) -> Option<Surface> {
        match &self.dialect {
            Dialect::OpenAi(_) if surface == Surface::Responses => Some(surface),
            Dialect::Azure(azure) if surface == Surface::Responses && azure.has_responses() => {
                Some(surface)
            }
            Dialect::OpenAi(_) | Dialect::Compatible(_) | Dialect::Azure(_) => {
                spoken_by_engines(surface)
            }
            Dialect::Anthropic(_) => match surface {
                Surface::Chat | Surface::Messages | Surface::Responses => Some(Surface::Messages),
                Surface::CountTokens => Some(surface),
                Surface::Completions | Surface::Embeddings => None,
            },
        }
    }

    /// Where calls of a model go.
    pub(crate) fn address(&self, surface: Surface, upstream_name: &str) -> String {
        match &self.dialect {
            Dialect::OpenAi(openai) | Dialect::Compatible(openai) => openai.address(surface),
            Dialect::Anthropic(anthropic) => anthropic.address(surface),
            Dialect::Azure(azure) => azure.address(surface, upstream_name),
        }
    }

    /// The header that authenticates calls.
    pub(crate) fn credential(&self) -> Option<&Credential> {
        match &self.dialect {
            Dialect::OpenAi(openai) | Dialect::Compatible(openai) => openai.credential(),
            Dialect::Anthropic(anthropic) => anthropic.credential(),
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
        Surface::Messages => "messages",
        Surface::CountTokens => "messages/count_tokens",
        Surface::Responses => "responses",
    }
}

/// On which surface engines and servers of OpenAI's older API are asked. None of them counts tokens.
pub(crate) const fn spoken_by_engines(surface: Surface) -> Option<Surface> {
    match surface {
        Surface::Chat | Surface::Messages | Surface::Responses => Some(Surface::Chat),
        Surface::Completions | Surface::Embeddings => Some(surface),
        Surface::CountTokens => None,
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

//! How each kind of upstream wants to be asked: in which dialect, where, and with which credentials.

mod access;
mod anthropic;
mod azure;
mod bedrock;
mod gemini;
mod identity;
mod openai;
mod pool;
mod signature;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{HeaderName, HeaderValue};
use waypost_policies::facts::Surface;
use waypost_policies::plan::draft;

use crate::client::Client;
use crate::dialect::Dialect;
use crate::secrets::{SecretValue, Secrets, Workload};

use access::Access;
pub(crate) use anthropic::{USUAL_VERSION, VERSION};
use identity::Identity;
pub(crate) use pool::replica_address;

/// A hosted API.
#[derive(Debug)]
pub(crate) struct Provider {
    /// How the file calls it.
    pub(crate) name: Arc<str>,
    api: Box<dyn Api>,
    access: Access,
}

/// What differs from one API to another, beside what is said in it.
trait Api: fmt::Debug + Send + Sync {
    /// In which dialect it is asked what came in on a surface; `None` where it cannot be asked at all.
    fn asked_in(&self, surface: Surface) -> Option<Dialect>;

    /// Where calls of a model go.
    fn address(&self, dialect: Dialect, model: &str, stream: bool) -> String;

    /// The header that a key is sent in; `None` where the key has characters that no header can carry.
    fn key(&self, key: &str) -> Option<Credential>;
}

/// What a credential is sent as; its value is marked sensitive, so that nothing prints it.
pub(crate) type Credential = (HeaderName, HeaderValue);

/// Why a provider cannot be asked, or a call of it cannot be sent. No credential is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// A key that no header can carry.
    #[error("its secret has characters that no header can carry")]
    Header,
    /// Keys of Amazon's that cannot be read.
    #[error("its secret is none of Amazon's: {0}")]
    Keys(&'static str),
    /// No token for the workload's identity. The reason is none of Azure's own words but its code.
    #[error("no token for the workload's identity: {0}")]
    Identity(String),
    /// A call that cannot be signed.
    #[error("its address cannot be signed")]
    Address,
}

impl Provider {
    /// The provider of the plan, at `base_url`; the key as resolved.
    pub(crate) fn new(
        provider: &draft::Provider,
        base_url: &str,
        key: Option<&SecretValue>,
        secrets: &Secrets,
    ) -> Result<Self, AccessError> {
        let base_url = base_url.trim_end_matches('/').to_owned();
        let api: Box<dyn Api> = match provider.kind {
            draft::ProviderKind::AzureOpenAi => Box::new(azure::Azure {
                base_url,
                api_version: provider.api_version.clone(),
            }),
            draft::ProviderKind::OpenAi => Box::new(openai::OpenAi {
                base_url,
                has_responses: true,
            }),
            draft::ProviderKind::OpenAiCompatible => Box::new(openai::OpenAi {
                base_url,
                has_responses: false,
            }),
            draft::ProviderKind::Anthropic => Box::new(anthropic::Anthropic { base_url }),
            draft::ProviderKind::Gemini => Box::new(gemini::Gemini { base_url }),
            draft::ProviderKind::Bedrock => Box::new(bedrock::Bedrock { base_url }),
        };
        let access = match key {
            None if provider.auth == draft::ProviderAuth::WorkloadIdentity => {
                match secrets.workload()? {
                    Workload::Federated(federation) => {
                        Access::Identity(Box::new(Identity::new(federation)))
                    }
                    Workload::Token(token) => {
                        Access::Key(bearer(token.expose()).ok_or(AccessError::Header)?)
                    }
                }
            }
            None => Access::Open,
            Some(key) if provider.kind == draft::ProviderKind::Bedrock => {
                Access::amazon(key, &provider.region, &*api)?
            }
            Some(key) => Access::Key(api.key(key.expose()).ok_or(AccessError::Header)?),
        };
        Ok(Self {
            name: provider.name.as_str().into(),
            api,
            access,
        })
    }

    /// In which dialect it is asked what came in on a surface; `None` where it cannot be asked at all.
    pub(crate) fn asked_in(&self, surface: Surface) -> Option<Dialect> {
        self.api.asked_in(surface)
    }

    /// Where calls of a model go.
    pub(crate) fn address(&self, dialect: Dialect, model: &str, stream: bool) -> String {
        self.api.address(dialect, model, stream)
    }

    /// Says who asks. A call that this fails for is not sent.
    pub(crate) async fn authorize(
        &self,
        client: &Client,
        request: &mut Request<Full<Bytes>>,
        body: &[u8],
        now: i64,
    ) -> Result<(), AccessError> {
        self.access.authorize(client, request, body, now).await
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

/// The path of a dialect at a server of OpenAI's or Anthropic's kind.
const fn path_of(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Of(surface) => path(surface),
        // No such server is asked in these.
        Dialect::Gemini | Dialect::Converse => "",
    }
}

/// In which dialect engines and servers of OpenAI's older API are asked. None of them counts tokens.
pub(crate) const fn spoken_by_engines(surface: Surface) -> Option<Dialect> {
    match surface {
        Surface::Chat | Surface::Messages | Surface::Responses => Some(Dialect::CHAT),
        Surface::Completions | Surface::Embeddings => Some(Dialect::Of(surface)),
        Surface::CountTokens => None,
    }
}

/// Who has a dialect of their own for conversations, and for nothing else.
const fn only_conversations(surface: Surface, dialect: Dialect) -> Option<Dialect> {
    match surface {
        Surface::Chat | Surface::Messages | Surface::Responses => Some(dialect),
        Surface::Completions | Surface::Embeddings | Surface::CountTokens => None,
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

/// `Authorization: Bearer …`
fn bearer(token: &str) -> Option<Credential> {
    let value = sensitive(&format!("Bearer {token}"))?;
    Some((hyper::header::AUTHORIZATION, value))
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

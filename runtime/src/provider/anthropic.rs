//! Anthropic: `x-api-key`, and a version of the API that every call names.

use hyper::header::{HeaderName, HeaderValue};
use waypost_policies::facts::Surface;

use super::{Api, Credential, path_of, sensitive};
use crate::dialect::Dialect;

/// The header that names the API's version.
pub(crate) const VERSION: HeaderName = HeaderName::from_static("anthropic-version");
/// The version that is asked for where the caller does not say.
pub(crate) const USUAL_VERSION: HeaderValue = HeaderValue::from_static("2023-06-01");

/// A server of Anthropic's API.
#[derive(Debug)]
pub(super) struct Anthropic {
    pub(super) base_url: String,
}

impl Api for Anthropic {
    fn asked_in(&self, surface: Surface) -> Option<Dialect> {
        match surface {
            Surface::Chat | Surface::Messages | Surface::Responses => {
                Some(Dialect::Of(Surface::Messages))
            }
            Surface::CountTokens => Some(Dialect::Of(surface)),
            Surface::Completions | Surface::Embeddings => None,
        }
    }

    fn address(&self, dialect: Dialect, _: &str, _: bool) -> String {
        format!("{}/{}", self.base_url, path_of(dialect))
    }

    fn key(&self, key: &str) -> Option<Credential> {
        Some((HeaderName::from_static("x-api-key"), sensitive(key)?))
    }
}

//! Anthropic: `x-api-key`, and a version of the API that every call names.

use hyper::header::{HeaderName, HeaderValue};
use waypost_policies::facts::Surface;

use super::{Credential, path, sensitive};
use crate::secrets::SecretValue;

/// The header that names the API's version.
pub(crate) const VERSION: HeaderName = HeaderName::from_static("anthropic-version");
/// The version that is asked for where the caller does not say.
pub(crate) const USUAL_VERSION: HeaderValue = HeaderValue::from_static("2023-06-01");

/// A server of Anthropic's API.
#[derive(Debug)]
pub(crate) struct Anthropic {
    base_url: String,
    credential: Option<Credential>,
}

impl Anthropic {
    pub(crate) fn new(base_url: String, key: Option<&SecretValue>) -> Option<Self> {
        let credential = match key {
            Some(key) => Some((
                HeaderName::from_static("x-api-key"),
                sensitive(key.expose())?,
            )),
            None => None,
        };
        Some(Self {
            base_url,
            credential,
        })
    }

    pub(crate) fn address(&self, surface: Surface) -> String {
        format!("{}/{}", self.base_url, path(surface))
    }

    pub(crate) const fn credential(&self) -> Option<&Credential> {
        self.credential.as_ref()
    }
}

//! Azure OpenAI: a path for each deployment, an API version, and the header `api-key`.

use hyper::header::HeaderName;
use waypost_policies::facts::Surface;

use super::{Credential, path, sensitive};
use crate::secrets::SecretValue;

/// A resource of Azure OpenAI.
#[derive(Debug)]
pub(crate) struct Azure {
    base_url: String,
    api_version: String,
    credential: Option<Credential>,
}

impl Azure {
    pub(crate) fn new(
        base_url: String,
        api_version: String,
        key: Option<&SecretValue>,
    ) -> Option<Self> {
        let credential = match key {
            Some(key) => Some((HeaderName::from_static("api-key"), sensitive(key.expose())?)),
            None => None,
        };
        Some(Self {
            base_url,
            api_version,
            credential,
        })
    }

    /// Responses came with this version of the API.
    pub(crate) fn has_responses(&self) -> bool {
        self.api_version.as_str() >= "2025-03-01"
    }

    pub(crate) fn address(&self, surface: Surface, deployment: &str) -> String {
        // These name the deployment in their body.
        if surface == Surface::Responses {
            return format!(
                "{}/openai/responses?api-version={}",
                self.base_url, self.api_version
            );
        }
        format!(
            "{}/openai/deployments/{deployment}/{}?api-version={}",
            self.base_url,
            path(surface),
            self.api_version
        )
    }

    pub(crate) const fn credential(&self) -> Option<&Credential> {
        self.credential.as_ref()
    }
}

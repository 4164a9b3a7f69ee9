//! Azure OpenAI: a path for each deployment, an API version, and the header `api-key`.

use hyper::header::HeaderName;
use waypost_policies::facts::Surface;

use super::{Api, Credential, path_of, sensitive, spoken_by_engines};
use crate::dialect::Dialect;

/// Responses came with this version of the API.
const FIRST_WITH_RESPONSES: &str = "2025-03-01";

/// A resource of Azure OpenAI.
#[derive(Debug)]
pub(super) struct Azure {
    pub(super) base_url: String,
    pub(super) api_version: String,
}

impl Api for Azure {
    fn asked_in(&self, surface: Surface) -> Option<Dialect> {
        match surface {
            Surface::Responses if self.api_version.as_str() >= FIRST_WITH_RESPONSES => {
                Some(Dialect::Of(surface))
            }
            _ => spoken_by_engines(surface),
        }
    }

    fn address(&self, dialect: Dialect, deployment: &str, _: bool) -> String {
        // These name the deployment in their body.
        if dialect.is(Surface::Responses) {
            return format!(
                "{}/openai/responses?api-version={}",
                self.base_url, self.api_version
            );
        }
        format!(
            "{}/openai/deployments/{deployment}/{}?api-version={}",
            self.base_url,
            path_of(dialect),
            self.api_version
        )
    }

    fn key(&self, key: &str) -> Option<Credential> {
        Some((HeaderName::from_static("api-key"), sensitive(key)?))
    }
}

//! OpenAI and every server of its API: `Authorization: Bearer`, paths below the base URL.

use hyper::header::AUTHORIZATION;
use waypost_policies::facts::Surface;

use super::{Credential, path, sensitive};
use crate::secrets::SecretValue;

/// A server of OpenAI's API.
#[derive(Debug)]
pub(crate) struct OpenAi {
    base_url: String,
    credential: Option<Credential>,
}

impl OpenAi {
    pub(crate) fn new(base_url: String, key: Option<&SecretValue>) -> Option<Self> {
        let credential = match key {
            Some(key) => Some((
                AUTHORIZATION,
                sensitive(&format!("Bearer {}", key.expose()))?,
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

//! OpenAI and every server of its API: `Authorization: Bearer`, paths below the base URL.

use waypost_policies::facts::Surface;

use super::{Api, Credential, bearer, path_of, spoken_by_engines};
use crate::dialect::Dialect;

/// A server of OpenAI's API.
#[derive(Debug)]
pub(super) struct OpenAi {
    pub(super) base_url: String,
    /// Others may have no more than its oldest paths.
    pub(super) has_responses: bool,
}

impl Api for OpenAi {
    fn asked_in(&self, surface: Surface) -> Option<Dialect> {
        match surface {
            Surface::Responses if self.has_responses => Some(Dialect::Of(surface)),
            _ => spoken_by_engines(surface),
        }
    }

    fn address(&self, dialect: Dialect, _: &str, _: bool) -> String {
        format!("{}/{}", self.base_url, path_of(dialect))
    }

    fn key(&self, key: &str) -> Option<Credential> {
        bearer(key)
    }
}

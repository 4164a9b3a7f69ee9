//! Google's Gemini: a path for each model and for streaming, and the header `x-goog-api-key`.

use hyper::header::HeaderName;
use waypost_policies::facts::Surface;

use super::{Api, Credential, only_conversations, sensitive};
use crate::dialect::Dialect;

/// A server of Gemini's API.
#[derive(Debug)]
pub(super) struct Gemini {
    pub(super) base_url: String,
}

impl Api for Gemini {
    fn asked_in(&self, surface: Surface) -> Option<Dialect> {
        only_conversations(surface, Dialect::Gemini)
    }

    fn address(&self, _: Dialect, model: &str, stream: bool) -> String {
        // Tuned models have a collection of their own: `tunedModels/…`.
        let collection = if model.contains('/') { "" } else { "models/" };
        let method = match stream {
            true => "streamGenerateContent?alt=sse",
            false => "generateContent",
        };
        format!("{}/{collection}{model}:{method}", self.base_url)
    }

    fn key(&self, key: &str) -> Option<Credential> {
        Some((HeaderName::from_static("x-goog-api-key"), sensitive(key)?))
    }
}

//! Amazon Bedrock: a path for each model and for streaming; calls are signed, or carry a key of Bedrock's own.

use waypost_policies::facts::Surface;

use super::signature::encoded;
use super::{Api, Credential, bearer, only_conversations};
use crate::dialect::Dialect;

/// Bedrock's runtime in a region.
#[derive(Debug)]
pub(super) struct Bedrock {
    pub(super) base_url: String,
}

impl Api for Bedrock {
    fn asked_in(&self, surface: Surface) -> Option<Dialect> {
        only_conversations(surface, Dialect::Converse)
    }

    fn address(&self, _: Dialect, model: &str, stream: bool) -> String {
        let method = match stream {
            true => "converse-stream",
            false => "converse",
        };
        // Profiles are named by ARNs, with colons and slashes in them.
        format!("{}/model/{}/{method}", self.base_url, encoded(model))
    }

    fn key(&self, key: &str) -> Option<Credential> {
        bearer(key)
    }
}

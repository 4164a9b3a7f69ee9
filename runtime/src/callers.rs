//! Who calls: a key of the key file, a signed token, or nobody where the plan says so.
//!
//! Invariants: a key is never kept, logged or shown; a caller that is not known is let in only where the plan says so;
//! a key file that cannot be read changes nothing: the callers that were known before stay so.

mod directory;
mod jwks;
pub(crate) mod key;
mod key_file;
mod token;
mod watch;

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HeaderName};
use waypost_policies::facts::Claim;
use waypost_policies::plan::draft::ModelIndex;
use waypost_policies::{Caller, Plan};

use crate::gateway::StartError;
use crate::metrics::Callers as Metrics;
use crate::secrets::SecretValue;
use crate::settings::Settings;

use directory::Directory;
use key::{Digest, sha256};
pub use key_file::{KeyEntry, KeyFile, KeysError, moment};
pub(crate) use token::TokenError;
use token::{Tokens, looks_signed};
use watch::KeySource;
pub(crate) use watch::watch;

const API_KEY: HeaderName = HeaderName::from_static("api-key");
const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The callers that are known.
#[derive(Debug)]
pub(crate) struct Callers {
    directory: ArcSwap<Directory>,
    /// Where the keys are, where the plan has some.
    source: Option<KeySource>,
    plan: Arc<Plan>,
    metrics: Arc<Metrics>,
    /// A digest of the file that the server began with.
    first: Digest,
    /// Why the file is not read as it stands now.
    stale: Mutex<Option<String>>,
    has_keys: bool,
    /// Callers by signed token, where the plan lets them in.
    tokens: Option<Tokens>,
    anonymous: bool,
    demo_key: bool,
}

/// Who calls.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Identity {
    /// What names the key or the token's subject, never the key.
    pub(crate) id: Arc<str>,
    pub(crate) team: Arc<str>,
    pub(crate) agent: Arc<str>,
    pub(crate) plan: Arc<str>,
    pub(crate) name: Arc<str>,
    /// The only models it may use, as the file names them.
    allowed: Option<Vec<String>>,
    /// The same, as the plan has them.
    models: Option<Vec<ModelIndex>>,
    /// What the token claims, by the plan's slots.
    pub(crate) claims: Vec<Option<Claim<'static>>>,
    /// In nanoseconds since 1970.
    expires: Option<i64>,
    revoked: bool,
}

impl Identity {
    /// As a decision sees it; no claims come from a key.
    pub(crate) fn caller(&self, claims: usize) -> Caller<'_> {
        let mut own = self.claims.clone();
        own.resize(claims, None);
        Caller {
            key: Cow::Borrowed(&self.id),
            team: Cow::Borrowed(&self.team),
            agent: Cow::Borrowed(&self.agent),
            plan: Cow::Borrowed(&self.plan),
            name: Cow::Borrowed(&self.name),
            models: self.models.as_deref().map(Cow::Borrowed),
            claims: own,
        }
    }

    /// As a decision of another plan sees it, whose models have other numbers.
    pub(crate) fn caller_under(&self, plan: &Plan) -> Caller<'_> {
        Caller {
            models: self
                .allowed
                .as_ref()
                .map(|names| Cow::Owned(plan.models_named(names))),
            ..self.caller(plan.needs().claims.len())
        }
    }

    /// Whether it may use a model.
    pub(crate) fn may_use(&self, model: ModelIndex) -> bool {
        self.models
            .as_ref()
            .is_none_or(|models| models.contains(&model))
    }
}

/// Why a call has no caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// It sent no key.
    NoKey,
    /// The key that it sent is not known.
    WrongKey,
    /// The key is one of ours that was cut off or mistyped.
    Damaged,
    /// The key's time is over.
    Expired,
    /// The key was taken back.
    Revoked,
    /// `Authorization` is not `Bearer KEY`.
    NotBearer,
    /// One header stands twice: who calls would depend on which of them is read.
    Twice,
    /// The token that it sent is no good.
    Token(TokenError),
}

impl Callers {
    /// The callers of a plan. The key file must be sound now; later it may come and go.
    pub(crate) fn build(
        plan: &Arc<Plan>,
        settings: &Settings,
        metrics: &Arc<Metrics>,
        earlier: Option<&Self>,
    ) -> Result<Arc<Self>, StartError> {
        let declared = plan.callers();
        let source = declared
            .keys()
            .map(|secret| KeySource::new(secret, settings));
        let file = source
            .as_ref()
            .map(|source| source.read(plan))
            .transpose()?;
        let file = file.as_ref().map(SecretValue::expose);
        let earlier = earlier.and_then(|earlier| earlier.tokens.as_ref());
        let tokens = plan.to_draft().callers.jwt;
        let tokens = tokens.map(|declared| Tokens::new(declared, plan, earlier, settings));
        let callers = Self {
            directory: ArcSwap::from_pointee(Directory::empty()?),
            has_keys: source.is_some() || settings.demo_key,
            tokens: tokens.transpose()?,
            source,
            plan: Arc::clone(plan),
            metrics: Arc::clone(metrics),
            first: sha256(file.unwrap_or_default()),
            stale: Mutex::default(),
            anonymous: declared.anonymous(),
            demo_key: settings.demo_key,
        };
        callers.replace(file)?;
        Ok(Arc::new(callers))
    }

    /// Takes the callers of a file instead of those known before.
    fn replace(&self, file: Option<&str>) -> Result<(), StartError> {
        let mut directory = match file {
            Some(file) => self.directory.load().read(file, &self.plan)?,
            None => Directory::empty()?,
        };
        for warning in directory.warnings() {
            tracing::warn!("{warning}");
        }
        if self.demo_key {
            directory = directory.with_demo_key();
        }
        self.directory.store(Arc::new(directory));
        Ok(())
    }

    /// How many keys are known.
    pub(crate) fn keys(&self) -> usize {
        self.directory.load().len()
    }

    /// Why the key file that is in force is not the one that stands there, or the keys of tokens are not new.
    pub(crate) fn stale(&self) -> Option<String> {
        let stale = self.stale.lock().unwrap_or_else(PoisonError::into_inner);
        let tokens = || self.tokens.as_ref()?.keys.failure();
        stale.clone().or_else(tokens)
    }

    /// Fetches the keys of tokens for as long as it is awaited; nothing where none are accepted.
    pub(crate) fn renewal(&self) -> Option<impl Future<Output = ()> + use<>> {
        let keys = Arc::clone(&self.tokens.as_ref()?.keys);
        Some(async move { keys.keep().await })
    }

    /// Who sent these headers.
    pub(crate) async fn identify(&self, headers: &HeaderMap) -> Result<Arc<Identity>, Unknown> {
        let is_open = self.anonymous && !self.has_keys && self.tokens.is_none();
        let key = match sent_key(headers) {
            Err(_) | Ok(Some(_)) if is_open => None,
            sent => sent?,
        };
        match (key, &self.tokens) {
            (Some(token), Some(tokens)) if looks_signed(token) => {
                // Apart: calls with keys need no room for it.
                let identity = Box::pin(tokens.identify(token)).await;
                identity.map(Arc::new).map_err(Unknown::Token)
            }
            (Some(key), _) => self.directory.load().find(key),
            (None, _) if self.anonymous => Ok(Arc::default()),
            (None, _) => Err(Unknown::NoKey),
        }
    }
}

/// The key in `Authorization: Bearer`, `api-key` (as Azure's clients send it) or `x-api-key`.
fn sent_key(headers: &HeaderMap) -> Result<Option<&str>, Unknown> {
    let stands_twice = |name: &HeaderName| headers.get_all(name).iter().nth(1).is_some();
    if [AUTHORIZATION, API_KEY, X_API_KEY].iter().any(stands_twice) {
        return Err(Unknown::Twice);
    }
    if let Some(value) = headers.get(AUTHORIZATION) {
        let (scheme, key) = value
            .to_str()
            .ok()
            .and_then(|value| value.trim().split_once(' '))
            .ok_or(Unknown::NotBearer)?;
        return if scheme.eq_ignore_ascii_case("bearer") {
            Ok(Some(key.trim()))
        } else {
            Err(Unknown::NotBearer)
        };
    }
    let value = headers.get(API_KEY).or_else(|| headers.get(X_API_KEY));
    value
        .map(|value| value.to_str().map_err(|_| Unknown::WrongKey))
        .transpose()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        headers
    }

    #[test]
    fn a_key_is_read_from_each_header() {
        for headers in [
            headers("authorization", "Bearer alpha-key"),
            headers("authorization", "bearer alpha-key"),
            headers("api-key", "alpha-key"),
            headers("x-api-key", "alpha-key"),
        ] {
            assert_eq!(sent_key(&headers), Ok(Some("alpha-key")));
        }
        assert_eq!(sent_key(&HeaderMap::new()), Ok(None));
    }

    #[test]
    fn what_is_no_bearer_and_what_stands_twice_says_nothing() {
        for value in ["Basic abc", "alpha-key"] {
            assert_eq!(
                sent_key(&headers("authorization", value)),
                Err(Unknown::NotBearer)
            );
        }
        for name in ["authorization", "api-key", "x-api-key"] {
            let mut twice = headers(name, "Bearer alpha-key");
            twice.append(name, "Bearer beta".parse().unwrap());
            assert_eq!(sent_key(&twice), Err(Unknown::Twice));
        }
    }
}

//! The keys that tokens are signed with, as their issuer publishes them (RFC 7517).
//!
//! Invariants: what a key can verify follows from its type alone, never from a token; keys are asked for again because
//! of an unknown one at most once in [`SOONEST`], and by one call at a time; keys that could not be renewed for
//! [`MOST_STALE`] count no more, since one of them may have been withdrawn. They are kept in the state folder, so that
//! a server that starts while the issuer is away knows those that it knew, with their age.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ACCEPT, HeaderValue};
use hyper::{Request, StatusCode, Uri};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};

use crate::body::collect;
use crate::client::{self, Client, root_cause};
use crate::clock;

/// How often keys are renewed.
const RENEWAL: Duration = Duration::from_secs(300);
/// After a failure: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// How long lies between two renewals that calls asked for.
const SOONEST: Duration = Duration::from_secs(30);
/// How long keys count that cannot be renewed.
const MOST_STALE: Duration = Duration::from_secs(24 * 3600);
/// How long a renewal may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The largest document.
const LARGEST: usize = 1 << 20;
/// The file that they are kept in.
const FILE: &str = "jwks.json";
/// More keys than this are no issuer's.
const MOST_KEYS: usize = 100;

/// How a token may be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rs256,
    Es256,
    EdDsa,
}

impl Algorithm {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rs256,
            "ES256" => Self::Es256,
            "EdDSA" | "Ed25519" => Self::EdDsa,
            _ => return None,
        })
    }
}

/// A key; its type says how it signs.
#[derive(Debug, PartialEq)]
enum Material {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
}

/// A key of the issuer.
#[derive(Debug, PartialEq)]
pub(super) struct Key {
    id: Option<String>,
    material: Material,
}

/// A key as it is published; what is not for us is not read.
#[derive(Deserialize)]
struct Published {
    kty: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default, rename = "use")]
    purpose: Option<String>,
    #[serde(default)]
    alg: Option<String>,
    #[serde(default)]
    crv: String,
    #[serde(default)]
    n: String,
    #[serde(default)]
    e: String,
    #[serde(default)]
    x: String,
    #[serde(default)]
    y: String,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<serde_json::Value>,
}

impl Key {
    /// A published key, where it is one to verify tokens with.
    fn read(published: Published) -> Option<Self> {
        let decode = |text: &str| {
            URL_SAFE_NO_PAD
                .decode(text)
                .ok()
                .filter(|it| !it.is_empty())
        };
        let coordinate = |text: &str| decode(text).filter(|bytes| bytes.len() == 32);
        if published.purpose.is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        let material = match (&*published.kty, &*published.crv) {
            ("RSA", _) => Material::Rsa {
                modulus: decode(&published.n)?,
                exponent: decode(&published.e)?,
            },
            ("EC", "P-256") => {
                // SEC 1, 2.3.3: an uncompressed point.
                let mut point = vec![4];
                point.extend(coordinate(&published.x)?);
                point.extend(coordinate(&published.y)?);
                Material::P256(point)
            }
            ("OKP", "Ed25519") => Material::Ed25519(coordinate(&published.x)?),
            _ => return None,
        };
        let key = Self {
            id: published.kid,
            material,
        };
        let fits = |name: &str| Algorithm::named(name) == Some(key.algorithm());
        published.alg.as_deref().is_none_or(fits).then_some(key)
    }

    const fn algorithm(&self) -> Algorithm {
        match self.material {
            Material::Rsa { .. } => Algorithm::Rs256,
            Material::P256(_) => Algorithm::Es256,
            Material::Ed25519(_) => Algorithm::EdDsa,
        }
    }

    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let verified = match &self.material {
            Material::Rsa { modulus, exponent } => RsaPublicKeyComponents {
                n: modulus,
                e: exponent,
            }
            .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature),
            Material::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            Material::Ed25519(point) => {
                UnparsedPublicKey::new(&ED25519, point).verify(message, signature)
            }
        };
        verified.is_ok()
    }
}

/// The keys of a document; those of other kinds are passed over.
fn read(document: &[u8]) -> Result<Vec<Arc<Key>>, String> {
    let document: Document =
        serde_json::from_slice(document).map_err(|_| "it is no set of keys".to_owned())?;
    let keys = document.keys.into_iter().take(MOST_KEYS);
    let keys: Vec<Arc<Key>> = keys
        .filter_map(|key| Key::read(serde_json::from_value(key).ok()?).map(Arc::new))
        .collect();
    match keys.is_empty() {
        true => Err("it has no key for RS256, ES256 or EdDSA".to_owned()),
        false => Ok(keys),
    }
}

/// The keys as they were last fetched.
#[derive(Debug, Default)]
struct Fetched {
    keys: Vec<Arc<Key>>,
    /// In nanoseconds since 1970; never without it.
    at: Option<i64>,
    /// Why they could not be renewed since.
    failure: Option<String>,
}

/// What is kept of them on disk.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// Where they are from: those of another issuer are of no use.
    address: String,
    fetched: i64,
    document: String,
}

/// An issuer's keys.
#[derive(Debug)]
pub(super) struct Jwks {
    address: Uri,
    client: Client,
    fetched: ArcSwap<Fetched>,
    /// When a call last asked for a renewal; held by the one that does.
    asked: Mutex<Option<Instant>>,
    /// Where they are kept, where state is.
    file: Option<PathBuf>,
}

/// Why there is no key for a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoKey {
    /// The issuer has none of this name.
    Unknown,
    /// The issuer's keys could not be had.
    Away,
}

impl Jwks {
    /// The keys at an address, and those that were kept in a folder.
    pub(super) fn new(address: &str, client: Client, folder: Option<&Path>) -> Option<Self> {
        let address: Uri = address.parse().ok()?;
        let is_spoken = matches!(address.scheme_str(), Some("https" | "http"));
        let file = folder.map(|folder| folder.join(FILE));
        let kept = file.as_deref().and_then(|file| recall(file, &address));
        (is_spoken && address.host().is_some()).then(|| Self {
            address,
            client,
            fetched: ArcSwap::from_pointee(kept.unwrap_or_default()),
            asked: Mutex::default(),
            file,
        })
    }

    /// Whether these are the keys at that address.
    pub(super) fn is_of(&self, address: &str) -> bool {
        address.parse::<Uri>().is_ok_and(|it| it == self.address)
    }

    /// The key of a token, asked for if it is not known.
    pub(super) async fn key(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Arc<Key>, NoKey> {
        if let Some(key) = self.find(id, algorithm) {
            return Ok(key);
        }
        let mut asked = self.asked.lock().await;
        // Another call may have asked meanwhile.
        if let Some(key) = self.find(id, algorithm) {
            return Ok(key);
        }
        if asked.is_none_or(|asked| asked.elapsed() >= SOONEST) {
            self.renew().await;
            *asked = Some(Instant::now());
        }
        drop(asked);
        self.find(id, algorithm).ok_or_else(|| match self.counts() {
            true => NoKey::Unknown,
            false => NoKey::Away,
        })
    }

    /// Why the keys are not there, or not new.
    pub(super) fn failure(&self) -> Option<String> {
        self.fetched.load().failure.clone()
    }

    /// Renews the keys for as long as the server runs.
    pub(super) async fn keep(&self) {
        let mut pause = PAUSES.0;
        loop {
            // Calls that come meanwhile wait for this instead of asking themselves.
            let asked = self.asked.lock().await;
            let renewed = self.renew().await;
            drop(asked);
            match renewed {
                true => {
                    pause = PAUSES.0;
                    sleep(RENEWAL).await;
                }
                false => {
                    sleep(pause).await;
                    pause = (pause * 2).min(PAUSES.1);
                }
            }
        }
    }

    fn counts(&self) -> bool {
        let at = self.fetched.load().at;
        at.is_some_and(|at| clock::since(at) < MOST_STALE)
    }

    fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<Arc<Key>> {
        if !self.counts() {
            return None;
        }
        let fetched = self.fetched.load();
        let mut fitting = fetched
            .keys
            .iter()
            .filter(|key| key.algorithm() == algorithm);
        match id {
            Some(id) => fitting.find(|key| key.id.as_deref() == Some(id)).cloned(),
            // Without a name only the one that there is can be meant.
            None => fitting.next().filter(|_| fitting.next().is_none()).cloned(),
        }
    }

    async fn renew(&self) -> bool {
        let fetch = timeout(PATIENCE, self.fetch());
        let found = fetch
            .await
            .unwrap_or_else(|_| Err(format!("no answer within {PATIENCE:?}")));
        match found {
            Ok((keys, document)) => {
                let at = clock::now();
                self.fetched.store(Arc::new(Fetched {
                    keys,
                    at: Some(at),
                    failure: None,
                }));
                self.keep_on_disk(at, &document);
                true
            }
            Err(reason) => {
                self.failed(&reason);
                false
            }
        }
    }

    fn failed(&self, reason: &str) {
        let failure = format!("the keys of tokens at `{}`: {reason}", self.address);
        let before = self.fetched.load();
        if before.failure.as_ref() != Some(&failure) {
            tracing::warn!("{failure}");
        }
        self.fetched.store(Arc::new(Fetched {
            keys: before.keys.clone(),
            at: before.at,
            failure: Some(failure),
        }));
    }

    async fn fetch(&self) -> Result<(Vec<Arc<Key>>, Bytes), String> {
        let mut request = Request::new(Full::<Bytes>::default());
        *request.uri_mut() = self.address.clone();
        request
            .headers_mut()
            .insert(ACCEPT, HeaderValue::from_static("application/json"));
        let response = client::send(&self.client, request)
            .await
            .map_err(|error| root_cause(&error))?;
        if response.status() != StatusCode::OK {
            return Err(format!("answered {}", response.status()));
        }
        let body = collect(&mut response.into_body(), LARGEST).await;
        let document = body.map_err(|error| error.to_string())?;
        Ok((read(&document)?, document))
    }

    /// For the next start. Without it the server only has to ask first.
    fn keep_on_disk(&self, fetched: i64, document: &[u8]) {
        let Some(file) = &self.file else {
            return;
        };
        let kept = Kept {
            address: self.address.to_string(),
            fetched,
            document: String::from_utf8_lossy(document).into_owned(),
        };
        let beside = file.with_extension("new");
        let text = serde_json::to_vec(&kept).unwrap_or_default();
        let written = fs::write(&beside, text).and_then(|()| fs::rename(&beside, file));
        if let Err(error) = written {
            tracing::warn!(
                "the keys of tokens cannot be kept in `{}`: {error}",
                file.display()
            );
        }
    }
}

/// The keys that an earlier run kept, if they are of the same issuer.
fn recall(file: &Path, address: &Uri) -> Option<Fetched> {
    let kept: Kept = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
    let keys = read(kept.document.as_bytes()).ok()?;
    // Written in what is still to come, they would seem new for too long.
    let is_past = kept.fetched <= clock::now();
    (kept.address == address.to_string() && is_past).then_some(Fetched {
        keys,
        at: Some(kept.fetched),
        failure: None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_of_other_kinds_and_uses_are_passed_over() {
        let x = URL_SAFE_NO_PAD.encode([7; 32]);
        let key = |change: serde_json::Value| {
            let mut key = json!({"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": x});
            key.as_object_mut()
                .unwrap()
                .extend(change.as_object().unwrap().clone());
            read(json!({"keys": [key]}).to_string().as_bytes())
        };
        assert_eq!(key(json!({})).unwrap().len(), 1);
        assert_eq!(key(json!({"use": "sig", "alg": "EdDSA"})).unwrap().len(), 1);
        for other in [
            json!({"use": "enc"}),
            json!({"alg": "RS256"}),
            json!({"alg": "HS256"}),
            json!({"kty": "oct", "k": "c2VjcmV0"}),
            json!({"crv": "X25519"}),
            json!({"x": "AAAA"}),
            json!({"x": "not base64!"}),
            json!({"kty": 7}),
        ] {
            assert!(key(other.clone()).is_err(), "{other}");
        }
        assert!(read(b"[]").is_err() && read(b"{\"keys\":7}").is_err());
    }
}

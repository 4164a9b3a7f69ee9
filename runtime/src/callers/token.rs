//! Callers with a signed token (RFC 7519), held to the issuer, the audience and the keys that the plan names.
//!
//! Invariants: nothing that a token says is believed before its signature is verified, and the key's type alone says
//! how (no `none`, no shared secret); what is claimed about time has the right type or the token is refused; a token
//! without a subject is nobody.

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value};
use waypost_policies::Plan;
use waypost_policies::facts::Claim;
use waypost_policies::plan::draft::Jwt;

use super::Identity;
use super::jwks::{Algorithm, Jwks, NoKey};
use crate::client;
use crate::clock;
use crate::gateway::StartError;
use crate::settings::Settings;

/// How far the issuer's clock and ours may differ, in seconds.
const SKEW: f64 = 60.0;
/// The longest token.
const LONGEST: usize = 16 << 10;

/// Callers with a signed token.
#[derive(Debug)]
pub(super) struct Tokens {
    declared: Jwt,
    /// The claims that expressions read, by slot.
    wanted: Vec<String>,
    pub(super) keys: Arc<Jwks>,
}

/// Why a token is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    #[error(
        "this token is none: three parts in base64url, the first two JSON, at most {LONGEST} bytes"
    )]
    Malformed,
    #[error("this token is not signed with RS256, ES256 or EdDSA")]
    Algorithm,
    #[error("this token is signed with a key that its issuer does not publish for that algorithm")]
    UnknownKey,
    #[error(
        "tokens cannot be verified now: the keys of their issuer could not be fetched; come back later"
    )]
    KeysAway,
    #[error("the signature of this token is wrong")]
    Signature,
    #[error("this token has expired: get a new one")]
    Expired,
    #[error("this token is not valid yet")]
    NotYet,
    #[error("`{0}` of this token is no number")]
    NotNumber(&'static str),
    #[error("this token is from another issuer")]
    Issuer,
    #[error("this token is for another audience")]
    Audience,
    #[error("this token has no text as `{0}`, which says who calls")]
    Nobody(String),
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    /// RFC 7515, 4.1.11: what must be understood, and we understand nothing more.
    #[serde(default)]
    crit: Option<serde::de::IgnoredAny>,
}

/// Whether it has the shape of a token: three parts of base64url, of which the first begins as JSON does.
pub(super) fn looks_signed(key: &str) -> bool {
    key.starts_with("eyJ") && key.bytes().filter(|byte| *byte == b'.').count() == 2
}

impl Tokens {
    /// Tokens as a plan declares them; the keys that an earlier plan fetched go on where the issuer is the same.
    pub(super) fn new(
        declared: Jwt,
        plan: &Plan,
        earlier: Option<&Self>,
        settings: &Settings,
    ) -> Result<Self, StartError> {
        let same = earlier.filter(|earlier| earlier.keys.is_of(&declared.jwks));
        let keys = match same {
            Some(earlier) => Arc::clone(&earlier.keys),
            None => {
                let client = client::public(&settings.upstream_tls, settings.bounds.connect)?;
                let keys = Jwks::new(&declared.jwks, client, settings.state.folder());
                Arc::new(keys.ok_or_else(|| StartError::Jwks(declared.jwks.clone()))?)
            }
        };
        Ok(Self {
            declared,
            wanted: plan.needs().claims.clone(),
            keys,
        })
    }

    /// Whose token this is.
    pub(super) async fn identify(&self, token: &str) -> Result<Identity, TokenError> {
        let claims = self.verified(token).await?;
        check_times(&claims, clock::now())?;
        self.check_names(&claims)?;
        self.identity(&claims)
    }

    async fn verified(&self, token: &str) -> Result<Map<String, Value>, TokenError> {
        if token.len() > LONGEST {
            return Err(TokenError::Malformed);
        }
        let malformed = || TokenError::Malformed;
        let (signed, signature) = token.rsplit_once('.').ok_or_else(malformed)?;
        let (header, payload) = signed.split_once('.').ok_or_else(malformed)?;
        let header: Header = decoded(header)?;
        let algorithm = Algorithm::named(&header.alg).ok_or(TokenError::Algorithm)?;
        if header.crit.is_some() {
            return Err(TokenError::Algorithm);
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| malformed())?;
        let key = self.keys.key(header.kid.as_deref(), algorithm).await;
        let key = key.map_err(|reason| match reason {
            NoKey::Unknown => TokenError::UnknownKey,
            NoKey::Away => TokenError::KeysAway,
        })?;
        if !key.verifies(signed.as_bytes(), &signature) {
            return Err(TokenError::Signature);
        }
        decoded(payload)
    }

    fn check_names(&self, claims: &Map<String, Value>) -> Result<(), TokenError> {
        let is_issuer = claims.get("iss").and_then(Value::as_str) == Some(&self.declared.issuer);
        if !is_issuer {
            return Err(TokenError::Issuer);
        }
        let ours = |audience: &Value| audience.as_str() == Some(&self.declared.audience);
        let is_for_us = match claims.get("aud") {
            Some(Value::Array(several)) => several.iter().any(ours),
            Some(one) => ours(one),
            None => false,
        };
        is_for_us.then_some(()).ok_or(TokenError::Audience)
    }

    fn identity(&self, claims: &Map<String, Value>) -> Result<Identity, TokenError> {
        let text = |name: &str| -> Arc<str> {
            let text = claims.get(name).and_then(Value::as_str);
            text.filter(|_| !name.is_empty()).unwrap_or_default().into()
        };
        let id = text(&self.declared.key);
        if id.is_empty() {
            return Err(TokenError::Nobody(self.declared.key.clone()));
        }
        let wanted = self.wanted.iter();
        Ok(Identity {
            id,
            team: text(&self.declared.team),
            agent: text(&self.declared.agent),
            plan: text(&self.declared.plan),
            name: text(&self.declared.name),
            claims: wanted.map(|name| claim(claims.get(name)?)).collect(),
            ..Identity::default()
        })
    }
}

/// RFC 7519, 4.1.4 and 4.1.5. A token that never expires could not be taken back.
fn check_times(claims: &Map<String, Value>, now: i64) -> Result<(), TokenError> {
    let now = now as f64 / 1e9;
    let moment = |name: &'static str| match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_f64().map(Some).ok_or(TokenError::NotNumber(name)),
    };
    let expires = moment("exp")?.ok_or(TokenError::NotNumber("exp"))?;
    if now >= expires + SKEW {
        return Err(TokenError::Expired);
    }
    match moment("nbf")? {
        Some(begins) if now < begins - SKEW => Err(TokenError::NotYet),
        _ => Ok(()),
    }
}

fn decoded<T: serde::de::DeserializeOwned>(part: &str) -> Result<T, TokenError> {
    let bytes = URL_SAFE_NO_PAD.decode(part);
    let bytes = bytes.map_err(|_| TokenError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| TokenError::Malformed)
}

/// A claim as expressions see it; what they could not is absent.
fn claim(value: &Value) -> Option<Claim<'static>> {
    Some(match value {
        Value::String(text) => Claim::String(Cow::Owned(text.clone())),
        Value::Bool(value) => Claim::Bool(*value),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Claim::Int(whole),
            None => Claim::Double(number.as_f64()?),
        },
        Value::Array(items) => {
            let text = |item: &Value| Some(Cow::Owned(item.as_str()?.to_owned()));
            Claim::Strings(items.iter().map(text).collect::<Option<_>>()?)
        }
        Value::Null | Value::Object(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use serde_json::json;

    fn times(claims: Value, now: i64) -> Result<(), TokenError> {
        check_times(claims.as_object().unwrap(), now * 1_000_000_000)
    }

    #[test]
    fn a_token_counts_within_its_times_and_a_minute_of_skew() {
        let claims = json!({"nbf": 1_000, "exp": 2_000});
        assert_eq!(times(claims.clone(), 939), Err(TokenError::NotYet));
        assert_eq!(times(claims.clone(), 940), Ok(()));
        assert_eq!(times(claims.clone(), 2_059), Ok(()));
        assert_eq!(times(claims, 2_060), Err(TokenError::Expired));
    }

    #[test]
    fn a_time_of_another_type_is_no_time() {
        for exp in [json!("2000"), json!(null), json!([2000]), json!(true)] {
            assert_eq!(
                times(json!({"exp": exp}), 0),
                Err(TokenError::NotNumber("exp"))
            );
        }
        assert_eq!(times(json!({}), 0), Err(TokenError::NotNumber("exp")));
        let nbf = json!({"exp": 2_000, "nbf": "later"});
        assert_eq!(times(nbf, 0), Err(TokenError::NotNumber("nbf")));
    }

    #[test]
    fn keys_of_callers_do_not_look_like_tokens() {
        assert!(looks_signed("eyJh.eyJi.c"));
        for key in ["wpk_abc", "sk-a.b.c", "eyJh.b", "eyJh.b.c.d"] {
            assert!(!looks_signed(key), "{key}");
        }
    }
}

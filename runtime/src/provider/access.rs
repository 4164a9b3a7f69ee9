//! Who asks a provider: nobody, whoever has a key, or whoever can sign.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use serde::Deserialize;

use super::identity::Identity;
use super::signature::{Keys, sign};
use super::{AccessError, Api, Credential};
use crate::client::Client;
use crate::secrets::SecretValue;

/// How calls are authenticated.
#[derive(Debug)]
pub(super) enum Access {
    /// They are not.
    Open,
    /// With the same header on each.
    Key(Credential),
    /// As the workload that Azure knows.
    Identity(Box<Identity>),
    /// With a signature of each, for Amazon.
    Signed { keys: Keys, region: String },
}

/// Keys as `aws configure export-credentials` and every other process that hands out credentials print them.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    access_key_id: String,
    secret_access_key: String,
    #[serde(default)]
    session_token: Option<String>,
}

impl Access {
    /// Of what a secret holds: keys as JSON, keys as a credentials file has them, or a key of Bedrock's own.
    pub(super) fn amazon(
        secret: &SecretValue,
        region: &str,
        api: &dyn Api,
    ) -> Result<Self, AccessError> {
        let text = secret.expose().trim();
        let keys = if text.starts_with('{') {
            let document: Document = serde_json::from_str(text).map_err(|_| {
                AccessError::Keys("JSON with `AccessKeyId` and `SecretAccessKey` is meant")
            })?;
            Keys {
                id: document.access_key_id,
                secret: document.secret_access_key,
                token: document.session_token,
            }
        } else if text.contains('=') && text.contains("aws_access_key_id") {
            file(text)?
        } else {
            return Ok(Self::Key(api.key(text).ok_or(AccessError::Header)?));
        };
        if keys.id.is_empty() || keys.secret.is_empty() {
            return Err(AccessError::Keys("a key in it is empty"));
        }
        Ok(Self::Signed {
            keys,
            region: region.to_owned(),
        })
    }

    pub(super) async fn authorize(
        &self,
        client: &Client,
        request: &mut Request<Full<Bytes>>,
        body: &[u8],
        now: i64,
    ) -> Result<(), AccessError> {
        match self {
            Self::Open => Ok(()),
            Self::Key((name, value)) => {
                request.headers_mut().insert(name.clone(), value.clone());
                Ok(())
            }
            Self::Identity(identity) => {
                let (name, value) = identity.credential(client).await?;
                request.headers_mut().insert(name, value);
                Ok(())
            }
            Self::Signed { keys, region } => sign(request, body, keys, region, now),
        }
    }
}

/// The first profile of a credentials file.
fn file(text: &str) -> Result<Keys, AccessError> {
    let value = |name: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once('='));
        lines
            .find(|(key, _)| key.trim() == name)
            .map(|(_, value)| value.trim().to_owned())
    };
    let missing = AccessError::Keys("`aws_access_key_id` and `aws_secret_access_key` are meant");
    Ok(Keys {
        id: value("aws_access_key_id").ok_or(missing.clone())?,
        secret: value("aws_secret_access_key").ok_or(missing)?,
        token: value("aws_session_token").filter(|token| !token.is_empty()),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::super::bedrock::Bedrock;
    use super::*;

    fn access(secret: &str) -> Result<Access, AccessError> {
        let api = Bedrock {
            base_url: "https://bedrock-runtime.eu-west-1.amazonaws.com".to_owned(),
        };
        Access::amazon(&SecretValue::new(secret), "eu-west-1", &api)
    }

    fn keys(secret: &str) -> (String, String, Option<String>) {
        match access(secret).unwrap() {
            Access::Signed { keys, .. } => (keys.id, keys.secret, keys.token),
            _ => (String::new(), String::new(), None),
        }
    }

    #[test]
    fn keys_come_as_json_or_as_a_file_of_credentials() {
        let expected = |token: Option<&str>| {
            let token = token.map(str::to_owned);
            ("AKID".to_owned(), "se/cr+et=".to_owned(), token)
        };
        let json = r#"{"Version":1,"AccessKeyId":"AKID","SecretAccessKey":"se/cr+et=","SessionToken":"t=="}"#;
        assert_eq!(keys(json), expected(Some("t==")));
        let file = "[default]\naws_access_key_id = AKID\naws_secret_access_key=se/cr+et=\n";
        assert_eq!(keys(file), expected(None));
    }

    #[test]
    fn a_key_of_bedrocks_own_is_a_bearer() {
        let Access::Key((name, value)) = access("ABSKQmVk=").unwrap() else {
            unreachable!("no key");
        };
        assert_eq!(
            (name.as_str(), value.to_str().unwrap()),
            ("authorization", "Bearer ABSKQmVk=")
        );
    }

    #[test]
    fn half_a_key_is_none_and_is_not_printed() {
        for half in [
            r#"{"AccessKeyId":"AKID"}"#,
            "aws_access_key_id=AKID",
            r#"{"AccessKeyId":"AKID","SecretAccessKey":""}"#,
        ] {
            let error = access(half).unwrap_err();
            assert!(!error.to_string().contains("AKID"), "{error}");
        }
        let whole = access("aws_access_key_id=AKID\naws_secret_access_key=hidden").unwrap();
        assert!(!format!("{whole:?}").contains("hidden"));
    }
}

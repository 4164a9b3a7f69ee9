//! Amazon's signature of a call, version 4.
//!
//! Signed are the method, the address, the host, the time, the body and a session's token; other headers may be changed
//! on the way. Invariant: no key is in an error or a log.

use std::fmt;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{AUTHORIZATION, HOST, HeaderName, HeaderValue};
use jiff::Timestamp;
use ring::{digest, hmac};

use super::{AccessError, sensitive};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// How the service is called in signatures: by the name of its control plane.
const SERVICE: &str = "bedrock";

/// An access key; printed without it.
pub(super) struct Keys {
    pub(super) id: String,
    pub(super) secret: String,
    /// Of keys that last for a session only.
    pub(super) token: Option<String>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Signs a call, `now` in nanoseconds since 1970.
pub(super) fn sign(
    request: &mut Request<Full<Bytes>>,
    body: &[u8],
    keys: &Keys,
    region: &str,
    now: i64,
) -> Result<(), AccessError> {
    let uri = request.uri();
    let authority = uri.authority().ok_or(AccessError::Address)?.clone();
    // The path as it goes out is encoded; here it is encoded once more.
    let path = uri.path().split('/').map(encoded);
    let path = path.collect::<Vec<_>>().join("/");
    let query = uri.query().unwrap_or_default();
    let time = Timestamp::from_nanosecond(i128::from(now)).map_err(|_| AccessError::Address)?;
    let time = time.strftime("%Y%m%dT%H%M%SZ").to_string();
    let hash = hex(digest::digest(&digest::SHA256, body).as_ref());
    let token = keys.token.as_deref();
    let mut signed = vec![
        ("host", authority.as_str()),
        ("x-amz-content-sha256", hash.as_str()),
        ("x-amz-date", time.as_str()),
    ];
    signed.extend(token.map(|token| ("x-amz-security-token", token)));
    let names = signed.iter().map(|(name, _)| *name);
    let names = names.collect::<Vec<_>>().join(";");
    let lines: String = signed
        .iter()
        .map(|(name, value)| format!("{name}:{value}\n"))
        .collect();
    let canonical = format!("POST\n{path}\n{query}\n{lines}\n{names}\n{hash}");
    let scope = format!("{}/{region}/{SERVICE}/aws4_request", day(&time));
    let canonical = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
    let text = format!("{ALGORITHM}\n{time}\n{scope}\n{canonical}");
    let signature = hex(hmac::sign(&signing_key(keys, region, &time), text.as_bytes()).as_ref());
    let authorization = format!(
        "{ALGORITHM} Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
        keys.id
    );
    let authorization = sensitive(&authorization).ok_or(AccessError::Header)?;
    let plain = |text: &str| HeaderValue::from_str(text).map_err(|_| AccessError::Header);
    let (host, hash, time) = (plain(authority.as_str())?, plain(&hash)?, plain(&time)?);
    let token = token.map(|token| sensitive(token).ok_or(AccessError::Header));
    let token = token.transpose()?;
    let headers = request.headers_mut();
    headers.insert(HOST, host);
    headers.insert(HeaderName::from_static("x-amz-content-sha256"), hash);
    headers.insert(HeaderName::from_static("x-amz-date"), time);
    if let Some(token) = token {
        headers.insert(HeaderName::from_static("x-amz-security-token"), token);
    }
    headers.insert(AUTHORIZATION, authorization);
    Ok(())
}

/// `20260131` of `20260131T235959Z`.
fn day(time: &str) -> &str {
    time.split('T').next().unwrap_or_default()
}

fn signing_key(keys: &Keys, region: &str, time: &str) -> hmac::Key {
    let secret = format!("AWS4{}", keys.secret);
    let mut key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    for part in [day(time), region, SERVICE, "aws4_request"] {
        let tag = hmac::sign(&key, part.as_bytes());
        key = hmac::Key::new(hmac::HMAC_SHA256, tag.as_ref());
    }
    key
}

/// A part of a path with everything encoded that is not a letter, a digit or one of `-._~`.
pub(super) fn encoded(text: &str) -> String {
    let mut output = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                output.push(char::from(byte));
            }
            _ => output.push_str(&format!("%{byte:02X}")),
        }
    }
    output
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    /// 2026-01-31T23:59:59Z
    const NOW: i64 = 1_769_903_999_000_000_000;
    const BODY: &[u8] = br#"{"messages":[]}"#;

    fn signature(path: &str, token: Option<&str>) -> String {
        let keys = Keys {
            id: "AKIDEXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
            token: token.map(str::to_owned),
        };
        let mut request = Request::new(Full::new(Bytes::from_static(BODY)));
        let address = format!("https://bedrock-runtime.eu-west-1.amazonaws.com{path}");
        *request.uri_mut() = address.parse().unwrap();
        sign(&mut request, BODY, &keys, "eu-west-1", NOW).unwrap();
        assert_eq!(request.headers()["x-amz-date"], "20260131T235959Z");
        let authorization = request.headers()[AUTHORIZATION].to_str().unwrap();
        authorization.rsplit('=').next().unwrap().to_owned()
    }

    /// What botocore 1 signs for the same calls.
    #[test]
    fn signatures_are_those_of_amazons_own_client() {
        let model = "/model/eu.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream";
        assert_eq!(
            signature(model, None),
            "c8d8ddc30b2e87644eb10d499b7a3d572708f0c839ca465e22c72c02b16a2cf3"
        );
        assert_eq!(
            signature(model, Some("IQoJb3JpZ2lu==")),
            "e1b33a2228ef21a2169e9924d6ae7eebdba924d8daa6f489d91402fa43422f2a"
        );
        let profile = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc";
        let profile = format!("/model/{}/converse", encoded(profile));
        assert_eq!(
            signature(&profile, None),
            "8f6c46eafb3276383d5ca52f69355e80ebadb2238a64508bca06578c3bb10a33"
        );
    }
}

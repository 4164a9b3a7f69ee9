//! A workload's own identity at Azure: the token that the cluster writes into a file, exchanged for one of Azure's.
//!
//! Invariants: a token is used until shortly before it expires, and one call at a time asks for the next; where none can
//! be had, calls are not sent. Neither token is in an error or a log.

use std::time::Duration;

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::{AccessError, Credential, bearer, signature::encoded};
use crate::body::collect;
use crate::client::{self, Client, root_cause};
use crate::secrets::Federation;

/// A token that ends sooner than this is renewed, as long as it lasts.
const MARGIN: Duration = Duration::from_secs(5 * 60);
/// After a failure nobody asks again for so long.
const PAUSE: Duration = Duration::from_secs(2);
/// An exchange that takes longer has failed.
const LONGEST_EXCHANGE: Duration = Duration::from_secs(10);
/// The largest answer that is read.
const LARGEST_ANSWER: usize = 1 << 20;

/// An identity, and the token that it has now.
#[derive(Debug)]
pub(super) struct Identity {
    federation: Federation,
    current: ArcSwapOption<Token>,
    /// Held by who asks for a token; when the last exchange failed, and how.
    exchange: Mutex<Option<(Instant, AccessError)>>,
}

#[derive(Debug)]
struct Token {
    credential: Credential,
    renew: Instant,
    expires: Instant,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: u64,
}

/// Why there is no token, in the words of Azure's own code.
#[derive(Deserialize)]
struct Refused {
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_codes: Vec<u64>,
}

impl Identity {
    pub(super) fn new(federation: Federation) -> Self {
        Self {
            federation,
            current: ArcSwapOption::empty(),
            exchange: Mutex::default(),
        }
    }

    /// The header of a call that leaves now.
    pub(super) async fn credential(&self, client: &Client) -> Result<Credential, AccessError> {
        if let Some(token) = self.held(|token| token.renew) {
            return Ok(token);
        }
        // While one call renews, others go on with what is still good.
        let Some(mut failed) = self.free().await else {
            return self
                .held(|token| token.expires)
                .ok_or(AccessError::Identity("it is being renewed".to_owned()));
        };
        if let Some(token) = self.held(|token| token.renew) {
            return Ok(token);
        }
        let lately = failed.as_ref().filter(|(when, _)| when.elapsed() < PAUSE);
        if let Some((_, error)) = lately {
            return self.held(|token| token.expires).ok_or(error.clone());
        }
        match self.ask(client).await {
            Ok(token) => {
                let credential = token.credential.clone();
                self.current.store(Some(token.into()));
                *failed = None;
                Ok(credential)
            }
            Err(error) => {
                tracing::warn!(reason = %error, "a workload's identity cannot be renewed");
                *failed = Some((Instant::now(), error.clone()));
                self.held(|token| token.expires).ok_or(error)
            }
        }
    }

    /// The right to ask: at once where a token still lasts, else as soon as whoever has it is done.
    async fn free(&self) -> Option<tokio::sync::MutexGuard<'_, Option<(Instant, AccessError)>>> {
        match self.held(|token| token.expires) {
            Some(_) => self.exchange.try_lock().ok(),
            None => Some(self.exchange.lock().await),
        }
    }

    fn held(&self, until: impl Fn(&Token) -> Instant) -> Option<Credential> {
        let token = self.current.load();
        let token = token.as_ref()?;
        (Instant::now() < until(token)).then(|| token.credential.clone())
    }

    async fn ask(&self, client: &Client) -> Result<Token, AccessError> {
        let failed = |reason: String| AccessError::Identity(reason);
        let asked = Instant::now();
        // The cluster writes a new one every hour or so, into memory: nothing here waits for a disk.
        let assertion = std::fs::read_to_string(&self.federation.token_file)
            .map_err(|error| failed(format!("its token file cannot be read: {error}")))?;
        let request = self.request(assertion.trim())?;
        let answer = async {
            let response = client::send(client, request)
                .await
                .map_err(|error| failed(root_cause(&error)))?;
            let (parts, mut body) = response.into_parts();
            let body = collect(&mut body, LARGEST_ANSWER)
                .await
                .map_err(|error| failed(error.to_string()))?;
            Ok((parts.status, body))
        };
        let (status, body) = timeout(LONGEST_EXCHANGE, answer)
            .await
            .map_err(|_| failed(format!("no answer within {LONGEST_EXCHANGE:?}")))??;
        if !status.is_success() {
            let refused: Option<Refused> = serde_json::from_slice(&body).ok();
            let why = refused.map_or_else(String::new, |refused| {
                let code = refused.error_codes.first();
                let code = code.map_or_else(String::new, |code| format!(", AADSTS{code}"));
                format!(": {}{code}", refused.error)
            });
            return Err(failed(format!("it was refused ({status}){why}")));
        }
        let granted: Granted = serde_json::from_slice(&body)
            .map_err(|_| failed("the answer holds no token".to_owned()))?;
        let lasts = Duration::from_secs(granted.expires_in);
        Ok(Token {
            credential: bearer(&granted.access_token).ok_or(AccessError::Header)?,
            // Of a short one, half.
            renew: asked + lasts.saturating_sub(MARGIN).max(lasts / 2),
            expires: asked + lasts.saturating_sub(Duration::from_secs(5)),
        })
    }

    fn request(&self, assertion: &str) -> Result<Request<Full<Bytes>>, AccessError> {
        let federation = &self.federation;
        let authority = federation.authority_host.trim_end_matches('/');
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", &federation.client_id),
            ("scope", federation.scope()),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
            ("client_assertion", assertion),
        ];
        let fields = fields.map(|(name, value)| format!("{name}={}", encoded(value)));
        let mut request = Request::new(Full::new(Bytes::from(fields.join("&"))));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = format!(
            "{authority}/{}/oauth2/v2.0/token",
            encoded(&federation.tenant_id)
        )
        .parse()
        .map_err(|_| AccessError::Address)?;
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(CONTENT_TYPE, form);
        Ok(request)
    }
}

//! The HTTP client that speaks to upstreams, replicas and the cluster.

mod reuse;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use reuse::Remembering;
pub(crate) use reuse::send;

use crate::worker;

/// An HTTP client over TCP and TLS.
pub(crate) type Client = legacy::Client<HttpsConnector<Remembering>, Full<Bytes>>;

/// Connections that nobody uses are closed after this long: before servers close theirs.
const IDLE: Duration = Duration::from_secs(20);

/// Why a client cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The TLS library refused its own defaults.
    #[error("tls: {0}")]
    Tls(#[from] rustls::Error),
    /// The certificate authority's file.
    #[error("certificate authority `{path}`: {reason}")]
    Authority {
        /// Where it was looked for.
        path: String,
        /// Why it cannot be used.
        reason: String,
    },
}

/// A client for each thread that answers calls, and one for all others: connections are kept where they are used.
#[derive(Debug, Clone)]
pub(crate) struct Clients {
    of_workers: Arc<[Client]>,
    of_others: Client,
}

impl Clients {
    /// Clients that trust the authorities that browsers trust.
    pub(crate) fn public(connect: Duration, workers: usize) -> Result<Self, ClientError> {
        let connector = public_connector(connect)?;
        Ok(Self {
            of_workers: (0..workers).map(|_| build(connector.clone())).collect(),
            of_others: build(connector),
        })
    }

    /// That of this thread.
    pub(crate) fn here(&self) -> &Client {
        let of_this = worker::here()
            .checked_sub(1)
            .and_then(|number| self.of_workers.get(number));
        of_this.unwrap_or(&self.of_others)
    }
}

/// A client that trusts the authorities that browsers trust.
pub(crate) fn public(connect: Duration) -> Result<Client, ClientError> {
    public_connector(connect).map(build)
}

fn public_connector(connect: Duration) -> Result<HttpsConnector<Remembering>, ClientError> {
    let builder = HttpsConnectorBuilder::new()
        .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())?;
    Ok(builder
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp(connect)))
}

/// A client that trusts one authority: a cluster's.
pub(crate) fn trusting(authority: &Path, connect: Duration) -> Result<Client, ClientError> {
    let failed = |reason: String| ClientError::Authority {
        path: authority.display().to_string(),
        reason,
    };
    let mut roots = rustls::RootCertStore::empty();
    for certificate in
        CertificateDer::pem_file_iter(authority).map_err(|error| failed(error.to_string()))?
    {
        let certificate = certificate.map_err(|error| failed(error.to_string()))?;
        roots
            .add(certificate)
            .map_err(|error| failed(error.to_string()))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let builder = HttpsConnectorBuilder::new().with_tls_config(config);
    Ok(build(
        builder
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp(connect)),
    ))
}

fn tcp(connect: Duration) -> Remembering {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(connect));
    Remembering(tcp)
}

fn build(connector: HttpsConnector<Remembering>) -> Client {
    legacy::Client::builder(TokioExecutor::new())
        .pool_idle_timeout(IDLE)
        .pool_timer(TokioTimer::new())
        .build(connector)
}

/// The innermost reason: what wraps it says only that something failed.
pub(crate) fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        cause = inner.to_string();
        source = inner.source();
    }
    cause
}

//! TLS for callers: a certificate, its key, and who may come in.
//!
//! Invariants: files are read again when they change; such as cannot be used change nothing, and are told; no key is in
//! any message. TLS is 1.2 or newer.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use clap::Args;
use ring::digest::{Context, SHA256};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};
use tokio_rustls::TlsAcceptor;

use crate::metrics::Connections;

/// What is offered to clients, the best first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Where what TLS needs is kept, in PEM.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct TlsFiles {
    /// The certificate that callers are shown, with those between it and its authority; callers use https then
    #[arg(
        long = "tls-certificate",
        value_name = "FILE",
        requires = "key",
        required = false
    )]
    pub certificate: PathBuf,
    /// The certificate's key
    #[arg(
        long = "tls-key",
        value_name = "FILE",
        requires = "certificate",
        required = false
    )]
    pub key: PathBuf,
    /// The authorities of which callers must show a certificate
    #[arg(
        long = "client-authority",
        value_name = "FILE",
        requires = "certificate"
    )]
    pub client_authority: Option<PathBuf>,
}

/// Why TLS cannot be spoken.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{what} `{path}`: {reason}")]
    File {
        /// What it is.
        what: &'static str,
        /// Where it was looked for.
        path: String,
        /// Why it cannot be read.
        reason: String,
    },
    /// They do not fit together.
    #[error("certificate `{path}`: {reason}")]
    Certificate {
        /// The certificate's file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
}

type Digest = [u8; 32];

/// What callers are shown now.
#[derive(Debug)]
pub(crate) struct Certificates {
    files: TlsFiles,
    served: ArcSwap<ServerConfig>,
    last: Mutex<Last>,
    metrics: Connections,
}

/// How the last look at the files went.
#[derive(Debug, Default)]
struct Last {
    seen: Option<Digest>,
    /// Why what the files hold is not served, where it is not.
    stale: Option<String>,
}

/// What the files hold.
struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_authority: Option<Vec<u8>>,
}

impl Certificates {
    pub(crate) fn read(files: TlsFiles, metrics: Connections) -> Result<Self, TlsError> {
        let contents = Contents::read(&files)?;
        let served = contents.config(&files)?;
        metrics.certificate_current.set(1);
        Ok(Self {
            files,
            served: ArcSwap::from_pointee(served),
            last: Mutex::new(Last {
                seen: Some(contents.digest()),
                stale: None,
            }),
            metrics,
        })
    }

    /// Speaks TLS with a new connection.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.served.load_full())
    }

    /// Why callers are shown an older certificate than the files hold.
    pub(crate) fn stale(&self) -> Option<String> {
        self.last().stale.clone()
    }

    /// Looks at the files for as long as the server runs.
    pub(crate) async fn watch(self: Arc<Self>, every: Duration) {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.reread().await;
        }
    }

    /// Serves what the files hold now, if it can be served.
    pub(crate) async fn reread(self: &Arc<Self>) {
        let this = Arc::clone(self);
        // It ends early only where the process does.
        let _ = spawn_blocking(move || this.replace()).await;
    }

    fn replace(&self) {
        let found = Contents::read(&self.files);
        let seen = found.as_ref().ok().map(Contents::digest);
        let mut last = self.last();
        if seen.is_some() && seen == last.seen {
            return;
        }
        let config = found.and_then(|contents| contents.config(&self.files));
        let stale = match config {
            Ok(config) => {
                self.served.store(Arc::new(config));
                tracing::info!(certificate = %self.files.certificate.display(), "the certificate has changed");
                None
            }
            Err(error) => Some(error.to_string()),
        };
        // Told once, and not at each look.
        if let (Some(reason), true) = (&stale, stale != last.stale) {
            tracing::error!(
                reason,
                "the certificate has changed and cannot be used: the one from before goes on"
            );
        }
        self.metrics.certificate_current.set(stale.is_none().into());
        *last = Last { seen, stale };
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Contents {
    fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        let authority = files.client_authority.as_ref();
        Ok(Self {
            certificate: read("certificate", &files.certificate)?,
            key: read("key", &files.key)?,
            client_authority: authority
                .map(|path| read("client authority", path))
                .transpose()?,
        })
    }

    fn digest(&self) -> Digest {
        let mut context = Context::new(&SHA256);
        let authority = self.client_authority.as_deref().unwrap_or_default();
        for part in [&self.certificate, &self.key, authority] {
            context.update(&part.len().to_le_bytes());
            context.update(part);
        }
        let mut digest = Digest::default();
        digest.copy_from_slice(context.finish().as_ref());
        digest
    }

    fn config(&self, files: &TlsFiles) -> Result<ServerConfig, TlsError> {
        let chain = certificates("certificate", &files.certificate, &self.certificate)?;
        let key = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|error| unreadable("key", &files.key, error.to_string()))?;
        let failed = |error: rustls::Error| TlsError::Certificate {
            path: files.certificate.display().to_string(),
            reason: error.to_string(),
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(failed)?;
        let builder = match (&self.client_authority, &files.client_authority) {
            (Some(pem), Some(path)) => {
                let refused = |reason: String| unreadable("client authority", path, reason);
                let roots = Arc::new(roots("client authority", path, pem)?);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider)
                    .build()
                    .map_err(|error| refused(error.to_string()))?;
                builder.with_client_cert_verifier(verifier)
            }
            _ => builder.with_no_client_auth(),
        };
        let mut config = builder.with_single_cert(chain, key).map_err(failed)?;
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        Ok(config)
    }
}

fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|error| unreadable(what, path, error.to_string()))
}

fn unreadable(what: &'static str, path: &Path, reason: String) -> TlsError {
    TlsError::File {
        what,
        path: path.display().to_string(),
        reason,
    }
}

/// The authorities of a file.
fn roots(what: &'static str, path: &Path, pem: &[u8]) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(what, path, pem)? {
        roots
            .add(certificate)
            .map_err(|error| unreadable(what, path, error.to_string()))?;
    }
    Ok(roots)
}

/// The certificates of a file; there is at least one.
fn certificates(
    what: &'static str,
    path: &Path,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let all = all.map_err(|error| unreadable(what, path, error.to_string()))?;
    if all.is_empty() {
        return Err(unreadable(what, path, "it holds no certificate".to_owned()));
    }
    Ok(all)
}

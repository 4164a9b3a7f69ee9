//! Whom we believe to be who they say, and what we show of ourselves.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::ClientError;

/// What is offered to servers, the best first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Files of TLS with upstreams, in PEM.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct UpstreamTls {
    /// Authorities that are trusted to vouch for upstreams, beside those that browsers trust
    #[arg(
        id = "upstream_authority",
        long = "upstream-authority",
        value_name = "FILE"
    )]
    pub authority: Option<PathBuf>,
    /// The certificate that upstreams are shown that ask for one
    #[arg(
        id = "upstream_certificate",
        long = "upstream-certificate",
        value_name = "FILE",
        requires = "upstream_key"
    )]
    pub certificate: Option<PathBuf>,
    /// That certificate's key
    #[arg(
        id = "upstream_key",
        long = "upstream-key",
        value_name = "FILE",
        requires = "upstream_certificate"
    )]
    pub key: Option<PathBuf>,
}

impl UpstreamTls {
    /// The files.
    pub(crate) fn files(&self) -> impl Iterator<Item = PathBuf> {
        let files = [&self.authority, &self.certificate, &self.key];
        files.map(Clone::clone).into_iter().flatten()
    }

    /// Trusts the authorities that browsers trust, and those of the file.
    pub(crate) fn config(&self) -> Result<ClientConfig, ClientError> {
        let mut roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        if let Some(path) = &self.authority {
            add(&mut roots, path)?;
        }
        let identity = match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => Some((certificate.as_path(), key.as_path())),
            _ => None,
        };
        config(roots, identity)
    }
}

/// Trusts one authority: a cluster's.
pub(super) fn trusting(authority: &Path) -> Result<ClientConfig, ClientError> {
    let mut roots = RootCertStore::empty();
    add(&mut roots, authority)?;
    config(roots, None)
}

fn config(
    roots: RootCertStore,
    identity: Option<(&Path, &Path)>,
) -> Result<ClientConfig, ClientError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain = certificates(certificate)?;
            let key = PrivateKeyDer::from_pem_file(key)
                .map_err(|error| unusable("key", key, error.to_string()))?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| unusable("certificate", certificate, error.to_string()))?
        }
    };
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    Ok(config)
}

fn add(roots: &mut RootCertStore, path: &Path) -> Result<(), ClientError> {
    for certificate in certificates(path)? {
        roots
            .add(certificate)
            .map_err(|error| unusable("certificate authority", path, error.to_string()))?;
    }
    Ok(())
}

/// The certificates of a file; there is at least one.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ClientError> {
    let failed = |reason: String| unusable("certificate", path, reason);
    let all = CertificateDer::pem_file_iter(path).map_err(|error| failed(error.to_string()))?;
    let all: Result<Vec<_>, _> = all.collect();
    let all = all.map_err(|error| failed(error.to_string()))?;
    if all.is_empty() {
        return Err(failed("it holds none".to_owned()));
    }
    Ok(all)
}

fn unusable(what: &'static str, path: &Path, reason: String) -> ClientError {
    ClientError::File {
        what,
        path: path.display().to_string(),
        reason,
    }
}

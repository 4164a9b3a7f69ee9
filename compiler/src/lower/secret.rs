//! Where secrets are kept.

use waypost_policies::plan::draft;

use crate::program::{Secret, SecretSource};

pub(crate) fn lower(secrets: &[Secret]) -> Vec<draft::Secret> {
    secrets
        .iter()
        .map(|secret| draft::Secret {
            name: secret.name.value.clone(),
            source: source(&secret.source),
        })
        .collect()
}

fn source(source: &SecretSource) -> draft::SecretSource {
    match source {
        SecretSource::Kubernetes {
            namespace,
            name,
            key,
        } => draft::SecretSource::Kubernetes {
            namespace: namespace.clone(),
            secret: name.clone(),
            key: key.clone(),
        },
        SecretSource::Environment(name) => draft::SecretSource::Environment(name.clone()),
        SecretSource::File(path) => draft::SecretSource::File(path.clone()),
    }
}

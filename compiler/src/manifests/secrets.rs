//! Which keys of which Secrets a pod mounts. Secrets are referenced, never written.

use std::collections::{BTreeMap, BTreeSet};

use waypost_lang::codes;

use super::object::is_dns_label;
use super::volume::{Mount, Volume, read};
use super::{Refusal, Target};
use crate::program::{Secret, SecretIndex, SecretSource};

/// Secrets by name, each with the keys that are used: a pod sees no other.
#[derive(Debug, Default)]
pub(crate) struct SecretMounts {
    keys: BTreeMap<String, BTreeSet<String>>,
}

impl SecretMounts {
    /// Adds the secret at `index` and gives its Secret's name and key.
    ///
    /// # Errors
    /// A pod cannot reach it: it is of another namespace, or not of the cluster at all.
    pub(crate) fn add<'p>(
        &mut self,
        target: &Target<'p>,
        index: SecretIndex,
    ) -> Result<(&'p str, &'p str), Refusal> {
        let (name, key) = in_cluster(target, index)?;
        self.keys
            .entry(name.to_owned())
            .or_default()
            .insert(key.to_owned());
        Ok((name, key))
    }

    /// The volumes, one a Secret.
    pub(crate) fn volumes(&self) -> Vec<Volume> {
        self.keys
            .iter()
            .enumerate()
            .map(|(at, (name, keys))| Volume::secret(&volume_name(at, name), name, keys))
            .collect()
    }

    /// The mounts, under `directory`, one folder a Secret.
    pub(crate) fn mounts(&self, directory: &str) -> Vec<Mount> {
        self.keys
            .keys()
            .enumerate()
            .map(|(at, name)| read(&volume_name(at, name), &format!("{directory}/{name}")))
            .collect()
    }
}

/// A Secret's name may be longer than a volume's and have dots; such a one is called by its number.
fn volume_name(at: usize, secret: &str) -> String {
    let name = format!("secret-{secret}");
    if is_dns_label(&name) {
        name
    } else {
        format!("numbered-secret-{at}")
    }
}

/// The Secret's name and key of the secret at `index`, where a pod of the deployment can read it.
pub(crate) fn in_cluster<'p>(
    target: &Target<'p>,
    index: SecretIndex,
) -> Result<(&'p str, &'p str), Refusal> {
    let program = target.program;
    let Some(secret) = program.secrets.get(index) else {
        let message = "a secret that is used is not declared";
        return Err(codes::SHAPE_NEEDS.error(target.deploy.span, message).into());
    };
    match &secret.source {
        SecretSource::Kubernetes {
            namespace,
            name,
            key,
        } if namespace == target.namespace() => Ok((name, key)),
        SecretSource::Kubernetes { namespace, .. } => Err(elsewhere(target, secret, namespace)),
        SecretSource::Environment(_) => Err(not_of_the_cluster(secret, "an environment variable")),
        SecretSource::File(_) => Err(not_of_the_cluster(secret, "a file")),
    }
}

fn elsewhere(target: &Target<'_>, secret: &Secret, namespace: &str) -> Refusal {
    let own = target.namespace();
    let message = format!("`{}` is in namespace `{namespace}`", secret.name.value);
    codes::SHAPE_NEEDS
        .error(secret.name.span, message)
        .label(format!("pods of `{own}` can only mount Secrets of `{own}`"))
        .help(format!("copy the Secret to `{own}` and name it there"))
        .into()
}

fn not_of_the_cluster(secret: &Secret, what: &str) -> Refusal {
    let message = format!(
        "`{}` comes from {what}, which no pod has",
        secret.name.value
    );
    codes::SHAPE_NEEDS
        .error(secret.name.span, message)
        .label("cannot be mounted from a Secret")
        .help("keep it in a Secret: `k8s(\"namespace/name\", \"key\")`")
        .into()
}

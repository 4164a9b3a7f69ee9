//! Resolves the plan's secrets, from the environment, files and mounted Kubernetes secrets.
//!
//! Invariants: a secret's value is in no message and no log; an empty one is missing.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use waypost_policies::plan::view::SecretSource;

use crate::provider::AccessError;

/// Where the manifests mount Kubernetes secrets.
const MOUNT: &str = "/etc/waypost/secrets";
/// Who exchanges tokens in Azure's public cloud.
const PUBLIC_AUTHORITY: &str = "https://login.microsoftonline.com/";

/// How secrets are resolved.
#[derive(Clone)]
pub struct Secrets {
    mount: PathBuf,
    given: BTreeMap<String, SecretValue>,
    workload: Option<Workload>,
}

/// Who this process is to Azure.
#[derive(Debug, Clone)]
pub enum Workload {
    /// Whoever has the token that the cluster writes.
    Federated(Federation),
    /// Whoever has this one of Azure's: for demonstrations.
    Token(SecretValue),
}

/// How the cluster's token becomes one of Azure's, as Azure's webhook says it to a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Federation {
    /// `AZURE_FEDERATED_TOKEN_FILE`
    pub token_file: PathBuf,
    /// `AZURE_CLIENT_ID`
    pub client_id: String,
    /// `AZURE_TENANT_ID`
    pub tenant_id: String,
    /// `AZURE_AUTHORITY_HOST`: a base URL.
    pub authority_host: String,
}

impl Federation {
    /// What the token is for: Azure's AI services, in the cloud that the authority is of.
    pub(crate) fn scope(&self) -> &'static str {
        if self.authority_host.contains("microsoftonline.us") {
            "https://cognitiveservices.azure.us/.default"
        } else if self.authority_host.contains(".cn") {
            "https://cognitiveservices.azure.cn/.default"
        } else {
            "https://cognitiveservices.azure.com/.default"
        }
    }
}

impl Secrets {
    /// From the environment, files, and Kubernetes secrets at `/etc/waypost/secrets/<secret>/<key>`.
    #[must_use]
    pub fn system() -> Self {
        Self {
            mount: PathBuf::from(MOUNT),
            given: BTreeMap::new(),
            workload: None,
        }
    }

    /// With Kubernetes secrets mounted elsewhere.
    #[must_use]
    pub fn mounted_at(mut self, mount: impl Into<PathBuf>) -> Self {
        self.mount = mount.into();
        self
    }

    /// With this value for a secret of the plan, wherever the plan says it is.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.given.insert(name.into(), SecretValue(value.into()));
        self
    }

    /// As this workload, whatever the environment says.
    #[must_use]
    pub fn as_workload(mut self, workload: Workload) -> Self {
        self.workload = Some(workload);
        self
    }

    /// Who this process is to Azure: as it was given, else as the environment says.
    ///
    /// # Errors
    ///
    /// Which variable of the environment is not set.
    pub fn workload(&self) -> Result<Workload, AccessError> {
        if let Some(workload) = &self.workload {
            return Ok(workload.clone());
        }
        let variable = |name: &str| {
            let value = std::env::var(name).ok().filter(|value| !value.is_empty());
            value.ok_or_else(|| {
                AccessError::Identity(format!("the environment variable `{name}` is not set"))
            })
        };
        Ok(Workload::Federated(Federation {
            token_file: variable("AZURE_FEDERATED_TOKEN_FILE")?.into(),
            client_id: variable("AZURE_CLIENT_ID")?,
            tenant_id: variable("AZURE_TENANT_ID")?,
            authority_host: variable("AZURE_AUTHORITY_HOST")
                .unwrap_or_else(|_| PUBLIC_AUTHORITY.to_owned()),
        }))
    }

    /// The file that a secret is read from, where it is a file.
    pub(crate) fn file(&self, name: &str, source: SecretSource<'_>) -> Option<PathBuf> {
        match source {
            _ if self.given.contains_key(name) => None,
            SecretSource::Environment(_) => None,
            SecretSource::File(path) => Some(path.into()),
            SecretSource::Kubernetes { secret, key, .. } => Some(self.mount.join(secret).join(key)),
        }
    }

    /// The value of a secret.
    ///
    /// # Errors
    ///
    /// Where the secret was looked for, and why it is not there.
    pub fn resolve(
        &self,
        name: &str,
        source: SecretSource<'_>,
    ) -> Result<SecretValue, SecretError> {
        if let Some(value) = self.given.get(name) {
            return Ok(value.clone());
        }
        let failed = |place: String, reason: String| SecretError {
            name: name.to_owned(),
            place,
            reason,
        };
        let (place, text) = match source {
            SecretSource::Environment(variable) => (
                format!("environment variable `{variable}`"),
                std::env::var(variable).map_err(|error| match error {
                    std::env::VarError::NotPresent => "it is not set".to_owned(),
                    std::env::VarError::NotUnicode(_) => "it is not UTF-8".to_owned(),
                }),
            ),
            SecretSource::File(path) => (format!("file `{path}`"), read(path.into())),
            SecretSource::Kubernetes { secret, key, .. } => {
                let path = self.mount.join(secret).join(key);
                (format!("file `{}`", path.display()), read(path))
            }
        };
        let text = text.map_err(|reason| failed(place.clone(), reason))?;
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() {
            return Err(failed(place, "it is empty".to_owned()));
        }
        Ok(SecretValue(text.to_owned()))
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets")
            .field("mount", &self.mount)
            .field("given", &self.given.keys())
            .finish()
    }
}

fn read(path: PathBuf) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}

/// A secret's value; printed as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretValue(String);

impl SecretValue {
    /// A secret that is none of the plan's.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the one header that carries it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Why a secret has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("secret `{name}` is missing: {place}: {reason}")]
pub struct SecretError {
    /// How the file calls it.
    pub name: String,
    /// Where it was looked for.
    pub place: String,
    /// Why it is not there.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_missing_file_names_the_secret_and_the_place() {
        let error = Secrets::system()
            .mounted_at("/nowhere")
            .resolve(
                "aoai_key",
                SecretSource::Kubernetes {
                    namespace: "llm",
                    secret: "aoai",
                    key: "api-key",
                },
            )
            .unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with("secret `aoai_key` is missing: file `/nowhere/aoai/api-key`: "),
            "{text}"
        );
    }

    #[test]
    fn a_given_value_wins_and_is_not_printed() {
        let secrets = Secrets::system().with("key", "sk-very-secret");
        let value = secrets
            .resolve("key", SecretSource::Environment("NOT_SET"))
            .unwrap();
        assert_eq!(value.expose(), "sk-very-secret");
        assert!(!format!("{secrets:?} {value:?}").contains("very-secret"));
    }
}

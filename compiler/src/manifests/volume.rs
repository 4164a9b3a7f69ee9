//! Volumes and where they are mounted.

use serde::Serialize;

/// Where a volume is mounted.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Mount {
    name: String,
    mount_path: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    read_only: bool,
}

/// A mount that is only read.
pub(crate) fn read(name: &str, mount_path: &str) -> Mount {
    Mount {
        name: name.to_owned(),
        mount_path: mount_path.to_owned(),
        read_only: true,
    }
}

/// A mount that is written to.
pub(crate) fn write(name: &str, mount_path: &str) -> Mount {
    Mount {
        name: name.to_owned(),
        mount_path: mount_path.to_owned(),
        read_only: false,
    }
}

/// A volume.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Volume {
    name: String,
    #[serde(flatten)]
    source: VolumeSource,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
enum VolumeSource {
    ConfigMap(ConfigMapVolume),
    EmptyDir(EmptyDir),
    Secret(SecretVolume),
}

#[derive(Debug, Clone, Serialize)]
struct ConfigMapVolume {
    name: String,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct EmptyDir {
    size_limit: &'static str,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct SecretVolume {
    secret_name: String,
    items: Vec<Item>,
}

#[derive(Debug, Clone, Serialize)]
struct Item {
    key: String,
    path: String,
}

impl Volume {
    /// A ConfigMap's files.
    pub(crate) fn config_map(name: &str, config_map: &str) -> Self {
        Self {
            name: name.to_owned(),
            source: VolumeSource::ConfigMap(ConfigMapVolume {
                name: config_map.to_owned(),
            }),
        }
    }

    /// Room to write in.
    pub(crate) fn empty(name: &str, size_limit: &'static str) -> Self {
        Self {
            name: name.to_owned(),
            source: VolumeSource::EmptyDir(EmptyDir { size_limit }),
        }
    }

    /// A Secret's keys as files of the same names: only those named.
    pub(crate) fn secret<'k>(
        name: &str,
        secret: &str,
        keys: impl IntoIterator<Item = &'k String>,
    ) -> Self {
        let items = keys
            .into_iter()
            .map(|key| Item {
                key: key.clone(),
                path: key.clone(),
            })
            .collect();
        Self {
            name: name.to_owned(),
            source: VolumeSource::Secret(SecretVolume {
                secret_name: secret.to_owned(),
                items,
            }),
        }
    }
}

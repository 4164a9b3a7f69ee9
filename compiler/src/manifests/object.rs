//! What every Kubernetes object has: its type, its name, its labels.

use std::collections::BTreeMap;

use serde::Serialize;

/// Names and values, sorted by name, so that two builds agree.
pub(crate) type Map = BTreeMap<String, String>;

/// An object with all it has beside its type and metadata.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Object<Body> {
    pub(crate) api_version: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) metadata: Metadata,
    #[serde(flatten)]
    pub(crate) body: Body,
}

/// The usual body.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Spec<Inner> {
    pub(crate) spec: Inner,
}

/// No body: a Namespace, a ServiceAccount.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Nothing {}

/// What names an object.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Metadata {
    pub(crate) name: String,
    /// Absent for what is of the whole cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) namespace: Option<String>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) labels: Map,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) annotations: Map,
}

impl<Inner> Object<Spec<Inner>> {
    /// An object whose body is `spec`.
    pub(crate) fn with_spec(
        api_version: &'static str,
        kind: &'static str,
        metadata: Metadata,
        spec: Inner,
    ) -> Self {
        Self {
            api_version,
            kind,
            metadata,
            body: Spec { spec },
        }
    }
}

/// A name of the language as a name of Kubernetes: `.` and `_` become `-`. That two names may become one is
/// found when the documents are finished.
pub(crate) fn dns_name(name: &str) -> String {
    name.chars()
        .map(|letter| match letter {
            'a'..='z' | '0'..='9' => letter,
            'A'..='Z' => letter.to_ascii_lowercase(),
            _ => '-',
        })
        .collect()
}

/// The most that RFC 1123 allows a label.
pub(crate) const LONGEST_LABEL: usize = 63;
/// Far below the 253 that Kubernetes allows, so that it is a file's name too.
const LONGEST_NAME: usize = 160;

/// RFC 1123: at most 63 lower-case letters, digits and inner dashes.
pub(crate) fn is_dns_label(name: &str) -> bool {
    name.len() <= LONGEST_LABEL && is_long_name(name)
}

/// As a label, but longer: the name of a ClusterRole, of nothing that becomes a label or a host.
pub(crate) fn is_long_name(name: &str) -> bool {
    let inner =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    !name.is_empty()
        && name.len() <= LONGEST_NAME
        && name.chars().all(inner)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

/// One name and value.
pub(crate) fn pair(name: &str, value: impl Into<String>) -> Map {
    Map::from([(name.to_owned(), value.into())])
}

#[cfg(test)]
mod tests {
    use super::{dns_name, is_dns_label};

    #[test]
    fn names_of_the_language_become_labels() {
        assert_eq!(dns_name("gpt-5.1"), "gpt-5-1");
        assert!(is_dns_label(&dns_name("phi_4.mini")));
        assert!(!is_dns_label("-phi"));
        assert!(!is_dns_label(&"a".repeat(64)));
    }
}

//! Labels: which objects are ours, and which pods are meant.

use super::Target;
use super::object::{Map, Metadata, pair};

/// The label that our own pods are selected by; the seed's PodMonitor selects agentgateway by it too.
pub(crate) const APP: &str = "app";
/// The label that KAITO puts on the pods of a workspace. Its `labelSelector` is another thing: it selects nodes.
pub(crate) const KAITO_WORKSPACE: &str = "kaito.sh/workspace";
/// The label of pods that Azure's webhook gives a token and the names that go with it.
pub(crate) const AZURE_IDENTITY: &str = "azure.workload.identity/use";
/// The label that every namespace carries with its own name.
pub(crate) const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// What selects the pods of one of our Deployments.
pub(crate) fn selector(app: &str) -> Map {
    pair(APP, app)
}

/// What our objects carry.
pub(crate) fn of(app: &str) -> Map {
    let mut labels = selector(app);
    labels.insert("app.kubernetes.io/managed-by".into(), "waypost".into());
    labels.insert("app.kubernetes.io/name".into(), app.into());
    labels
}

impl Target<'_> {
    /// The metadata of an object of the deployment's namespace that belongs to `app`.
    pub(crate) fn metadata(&self, name: &str, app: &str) -> Metadata {
        Metadata {
            name: name.to_owned(),
            namespace: Some(self.namespace().to_owned()),
            labels: of(app),
            annotations: Map::new(),
        }
    }

    /// The metadata of an object of the whole cluster: its name says whose it is.
    pub(crate) fn cluster_metadata(&self, name: &str, app: &str) -> Metadata {
        Metadata {
            name: format!("{}-{name}", self.namespace()),
            namespace: None,
            labels: of(app),
            annotations: Map::new(),
        }
    }
}

//! Namespace. It comes first: nothing namespaced can be applied before it exists.

use super::Target;
use super::documents::Documents;
use super::object::{Map, Metadata, Nothing, Object, pair};

/// Writes the deployment's namespace; `default` always exists and is left as it is.
pub(crate) fn write(target: &Target<'_>, documents: &mut Documents) {
    if target.namespace() == "default" {
        return;
    }
    let object = Object {
        api_version: "v1",
        kind: "Namespace",
        metadata: Metadata {
            name: target.namespace().to_owned(),
            namespace: None,
            labels: pair("app.kubernetes.io/managed-by", "waypost"),
            annotations: Map::new(),
        },
        body: Nothing {},
    };
    let note = format!("before all else: {}", target.origin(target.deploy.span));
    documents.add(&object, &[note]);
}

//! KAITO Workspace, kaito.sh/v1beta1: it has no `spec`; `resource` and `inference` stand at the top.

use serde::Serialize;
use waypost_lang::codes;
use waypost_lang::diagnostic::Diagnostic;

use super::Target;
use super::documents::Documents;
use super::object::{Map, Object, dns_name, pair};
use crate::program::{Pool, PoolSource};

#[derive(Debug, Clone, Serialize)]
struct Workspace {
    resource: Resource,
    inference: Inference,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    count: u64,
    /// Absent for nodes of one's own: KAITO refuses a size where it provisions nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_type: Option<String>,
    label_selector: NodeSelector,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct NodeSelector {
    match_labels: Map,
}

#[derive(Debug, Clone, Serialize)]
struct Inference {
    preset: Preset,
}

#[derive(Debug, Clone, Serialize)]
struct Preset {
    name: String,
}

/// Writes the workspace of `pool`, if it is KAITO's, and says what its range of replicas comes to.
pub(crate) fn write(
    target: &Target<'_>,
    pool: &Pool,
    documents: &mut Documents,
) -> Option<Diagnostic> {
    let PoolSource::Kaito {
        preset,
        instance,
        replicas,
        port,
    } = &pool.source
    else {
        return None;
    };
    let name = pool.workspace();
    let notes = [
        format!(
            "pool `{}`: {}",
            pool.name.value,
            target.origin(pool.name.span)
        ),
        format!(
            "labelSelector places nodes; the pods carry kaito.sh/workspace: {name} and listen on {port}"
        ),
    ];
    let object = Object {
        api_version: "kaito.sh/v1beta1",
        kind: "Workspace",
        metadata: target.metadata(&name, &name),
        body: workspace(pool, preset, instance, replicas.low),
    };
    documents.add(&object, &notes);
    (replicas.high > replicas.low).then(|| fixed_count(pool, replicas.low, replicas.high))
}

fn workspace(pool: &Pool, preset: &str, instance: &str, count: u64) -> Workspace {
    Workspace {
        resource: Resource {
            count,
            instance_type: Some(instance.to_owned()).filter(|size| !size.is_empty()),
            label_selector: NodeSelector {
                match_labels: pair("apps", dns_name(&pool.name.value)),
            },
        },
        inference: Inference {
            preset: Preset {
                name: preset.to_owned(),
            },
        },
    }
}

fn fixed_count(pool: &Pool, low: u64, high: u64) -> Diagnostic {
    let message = format!("pool `{}` stays at {low} replicas", pool.name.value);
    codes::SHAPE_CANNOT_CARRY
        .warning(pool.name.span, message)
        .label("the count of a KAITO Workspace is fixed once it is applied")
        .help(format!(
            "write `replicas {low}`, or scale to {high} with an InferenceSet of your own"
        ))
}

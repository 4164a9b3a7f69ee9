//! InferencePool (inference.networking.k8s.io/v1) and InferenceObjective, whose group is another one:
//! inference.networking.x-k8s.io up to inference extension 1.5, llm-d.ai after it.

use serde::Serialize;

use super::object::{Map, Metadata, Object, Spec};
use super::versions::InferenceExtension;

/// A pool's spec.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InferencePool {
    selector: Selector,
    target_ports: Vec<Port>,
    endpoint_picker_ref: EndpointPickerRef,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Selector {
    match_labels: Map,
}

#[derive(Debug, Clone, Serialize)]
struct Port {
    number: u16,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct EndpointPickerRef {
    name: String,
    port: Port,
    failure_mode: &'static str,
}

/// The pool of the pods with `labels`, which listen on `target_port`; `picker` is a Service and its port.
///
/// `failureMode` is written out: the CRD's default is FailClose, the chart's FailOpen, and placement that is
/// away must not turn into placement at random.
pub(crate) fn pool(
    metadata: Metadata,
    labels: Map,
    target_port: u16,
    picker: (&str, u16),
) -> Object<Spec<InferencePool>> {
    let spec = InferencePool {
        selector: Selector {
            match_labels: labels,
        },
        target_ports: vec![Port {
            number: target_port,
        }],
        endpoint_picker_ref: EndpointPickerRef {
            name: picker.0.to_owned(),
            port: Port { number: picker.1 },
            failure_mode: "FailClose",
        },
    };
    Object::with_spec(
        "inference.networking.k8s.io/v1",
        "InferencePool",
        metadata,
        spec,
    )
}

/// An objective's spec.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InferenceObjective {
    pool_ref: PoolRef,
    /// Higher is served first; below zero is shed when the pool is saturated.
    priority: i64,
}

#[derive(Debug, Clone, Serialize)]
struct PoolRef {
    name: String,
}

/// The objective `priority` against the pool named `pool`.
pub(crate) fn objective(
    version: &InferenceExtension,
    metadata: Metadata,
    pool: &str,
    priority: i64,
) -> Object<Spec<InferenceObjective>> {
    let spec = InferenceObjective {
        pool_ref: PoolRef {
            name: pool.to_owned(),
        },
        priority,
    };
    Object::with_spec(
        version.objective_api(),
        "InferenceObjective",
        metadata,
        spec,
    )
}

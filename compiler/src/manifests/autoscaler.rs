//! HorizontalPodAutoscaler. Where there is one its Deployment names no count: two controllers would fight over it.

use serde::Serialize;
use waypost_lang::syntax::tree::Range;

use super::Target;
use super::object::{Object, Spec};

/// A scaler's spec.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Autoscaler {
    scale_target_ref: Scaled,
    min_replicas: u64,
    max_replicas: u64,
    metrics: Vec<Metric>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Scaled {
    api_version: &'static str,
    kind: &'static str,
    name: String,
}

#[derive(Debug, Clone, Serialize)]
struct Metric {
    r#type: &'static str,
    resource: ResourceMetric,
}

#[derive(Debug, Clone, Serialize)]
struct ResourceMetric {
    name: &'static str,
    target: Utilization,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Utilization {
    r#type: &'static str,
    average_utilization: u32,
}

/// The scaler of a Deployment named `app`, on CPU; none for a range of one number.
pub(crate) fn autoscaler(
    target: &Target<'_>,
    app: &str,
    replicas: Range,
) -> Option<Object<Spec<Autoscaler>>> {
    if replicas.high <= replicas.low {
        return None;
    }
    let spec = Autoscaler {
        scale_target_ref: Scaled {
            api_version: "apps/v1",
            kind: "Deployment",
            name: app.to_owned(),
        },
        min_replicas: replicas.low,
        max_replicas: replicas.high,
        metrics: vec![Metric {
            r#type: "Resource",
            resource: ResourceMetric {
                name: "cpu",
                target: Utilization {
                    r#type: "Utilization",
                    average_utilization: 70,
                },
            },
        }],
    };
    let metadata = target.metadata(app, app);
    Some(Object::with_spec(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        metadata,
        spec,
    ))
}

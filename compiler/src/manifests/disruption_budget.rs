//! PodDisruptionBudget: a drained node takes one pod at a time.

use serde::Serialize;

use super::Target;
use super::labels;
use super::object::{Map, Object, Spec};

/// A budget's spec.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DisruptionBudget {
    max_unavailable: u32,
    selector: Selector,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Selector {
    match_labels: Map,
}

/// The budget of a Deployment named `app`.
pub(crate) fn disruption_budget(target: &Target<'_>, app: &str) -> Object<Spec<DisruptionBudget>> {
    let spec = DisruptionBudget {
        max_unavailable: 1,
        selector: Selector {
            match_labels: labels::selector(app),
        },
    };
    let metadata = target.metadata(app, app);
    Object::with_spec("policy/v1", "PodDisruptionBudget", metadata, spec)
}

//! Service.

use serde::Serialize;

use super::Target;
use super::labels;
use super::object::{Map, Object, Spec};

/// A Service's spec.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Service {
    ports: Vec<ServicePort>,
    selector: Map,
}

/// A port of a Service; the target is the container port of the same name.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServicePort {
    pub(crate) name: &'static str,
    pub(crate) port: u16,
    pub(crate) target_port: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) app_protocol: Option<&'static str>,
}

/// The Service of a Deployment named `app`: one port, by the container port's name.
pub(crate) fn service(target: &Target<'_>, app: &str, port: ServicePort) -> Object<Spec<Service>> {
    let spec = Service {
        ports: vec![port],
        selector: labels::selector(app),
    };
    Object::with_spec("v1", "Service", target.metadata(app, app), spec)
}

/// A port that speaks HTTP/1.
pub(crate) fn http(port: u16) -> ServicePort {
    ServicePort {
        name: "http",
        port,
        target_port: "http",
        app_protocol: None,
    }
}

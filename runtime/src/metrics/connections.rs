//! Connections of callers.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::{Labels, single};

/// Metrics of callers' connections.
#[derive(Debug, Clone)]
pub(crate) struct Connections {
    /// Those that are open.
    pub(crate) open: Gauge,
    /// What large bodies take that are held.
    pub(crate) body_memory: Gauge,
    /// 1 while callers are shown the certificate that its file holds.
    pub(crate) certificate_current: Gauge,
    closed: Family<Labels, Counter>,
}

impl Connections {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let r = registry;
        let closed = Family::default();
        let help = "Connections that were closed on their clients, by reason";
        r.register("waypost_connections_refused", help, closed.clone());
        let open = "Connections of callers that are open";
        let current = "1 while callers are shown the certificate that its file holds";
        let memory = "Bytes that request bodies above 64 KiB take which are held at the moment";
        Self {
            body_memory: single(r, "waypost_body_memory_bytes", memory),
            open: single(r, "waypost_connections", open),
            certificate_current: single(r, "waypost_tls_certificate_current", current),
            closed,
        }
    }

    /// A connection is closed on its client.
    pub(crate) fn refused(&self, reason: &'static str) {
        self.closed
            .get_or_create(&vec![("reason", reason.to_owned())])
            .inc();
    }
}

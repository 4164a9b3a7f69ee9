//! Limits and budgets that were nearly used up, and whether somebody was told.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::Labels;

/// Metrics of warnings.
#[derive(Debug, Clone)]
pub(crate) struct Warnings {
    passed: Family<Labels, Counter>,
    told: Family<Labels, Counter>,
}

impl Warnings {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let passed = Family::default();
        let help = "Calls that passed a `warn` share, by limit or budget";
        registry.register("waypost_quota_warnings", help, passed.clone());
        let told = Family::default();
        let help = "Warnings for the webhook, by what became of them";
        registry.register("waypost_webhook_messages", help, told.clone());
        Self { passed, told }
    }

    /// A call has passed a `warn` share of this limit or budget.
    pub(crate) fn passed(&self, quota: &str) {
        let labels = vec![("quota", quota.to_owned())];
        self.passed.get_or_create_owned(&labels).inc();
    }

    /// A message was sent, or was not.
    pub(crate) fn told(&self, outcome: &'static str) {
        let labels = vec![("outcome", outcome.to_owned())];
        self.told.get_or_create_owned(&labels).inc();
    }
}

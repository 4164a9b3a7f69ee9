//! Which plan is served, and what became of attempts to replace it.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use waypost_policies::Plan;

use super::{Labels, single};
use crate::clock;
use crate::reload::source_hash;

/// Metrics of plans.
#[derive(Debug, Clone)]
pub(crate) struct Plans {
    info: Family<Labels, Gauge>,
    reloads: Family<Labels, Counter>,
    succeeded: Gauge,
    loaded: Gauge,
}

impl Plans {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let r = registry;
        let info = Family::default();
        r.register("waypost_plan_info", "The plan that is served", info.clone());
        let reloads = Family::default();
        let help = "Attempts to replace the plan, by outcome";
        r.register("waypost_reloads", help, reloads.clone());
        for outcome in ["loaded", "refused"] {
            // There from the beginning, so that a rate can be asked for.
            let _ = reloads.get_or_create_owned(&vec![("outcome", outcome.to_owned())]);
        }
        let succeeded = "Whether the last attempt to replace the plan succeeded: 0 while an older plan serves on";
        let loaded = "When the plan that is served was loaded, in seconds since 1970";
        Self {
            info,
            reloads,
            succeeded: single(r, "waypost_plan_last_reload_successful", succeeded),
            loaded: single(r, "waypost_plan_loaded_timestamp_seconds", loaded),
        }
    }

    /// A plan is served from now on.
    pub(crate) fn serves(&self, plan: &Plan) {
        self.info.clear();
        let labels = vec![
            ("source_hash", source_hash(plan)),
            ("compiler", plan.compiler().to_owned()),
        ];
        self.info.get_or_create_owned(&labels).set(1);
        self.succeeded.set(1);
        self.loaded.set(clock::now() / 1_000_000_000);
    }

    /// The plan was replaced, or not.
    pub(crate) fn reloaded(&self, succeeded: bool) {
        let outcome = if succeeded { "loaded" } else { "refused" };
        let labels = vec![("outcome", outcome.to_owned())];
        self.reloads.get_or_create_owned(&labels).inc();
        self.succeeded.set(i64::from(succeeded));
    }
}

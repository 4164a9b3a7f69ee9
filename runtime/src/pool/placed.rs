//! A pool as one plan places calls on it, and what looks after the pool.
//!
//! Invariants: a pool that two plans declare alike is one pool: what is known of its replicas, and the calls that they
//! answer, outlive a change of plan; discovery and scraping end with the last plan that has the pool.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use waypost_policies::plan::draft::{self, Discovery, Placement};

use super::discovery::discover;
use super::scrape::scrape;
use super::{DiscoveryError, Found, Picked, Pool, Unplaced, Wanted};
use crate::client::Client;
use crate::gateway::StartError;
use crate::kubernetes::{Cluster, Pods};
use crate::settings::Settings;

/// A pool as one plan places calls on it.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) pool: Arc<Pool>,
    pub(crate) placement: Placement,
    /// Discovery and scraping; they end when nobody holds this.
    tasks: Arc<JoinSet<()>>,
}

impl Placed {
    /// The pools of a plan. Those that were there `before` go on; others are looked for from now on.
    pub(crate) fn all(
        plan: &draft::Draft,
        settings: &Settings,
        scraper: &Client,
        before: &[Self],
    ) -> Result<Vec<Self>, StartError> {
        let place = |declared: &draft::Pool| {
            let mut declared = declared.clone();
            if let Some(endpoints) = settings.upstreams.pools.get(&declared.name) {
                declared.discovery = Discovery::Static(endpoints.clone());
            }
            let kept = before
                .iter()
                .find(|placed| placed.pool.is(&declared, &plan.labels));
            if let Some(kept) = kept {
                return Ok(Self {
                    pool: Arc::clone(&kept.pool),
                    placement: declared.placement,
                    tasks: Arc::clone(&kept.tasks),
                });
            }
            let pool = Arc::new(Pool::new(&declared, plan.labels.clone()));
            let tasks = look_after(&pool, declared.discovery, settings, scraper)?;
            Ok(Self {
                pool,
                placement: declared.placement,
                tasks: Arc::new(tasks),
            })
        };
        plan.pools.iter().map(place).collect()
    }

    /// A pool that nothing looks after.
    #[cfg(test)]
    pub(super) fn unattended(pool: Pool, placement: Placement) -> Self {
        Self {
            pool: Arc::new(pool),
            placement,
            tasks: Arc::default(),
        }
    }

    /// Picks a replica; where all are saturated, waits as long as the file allows.
    pub(crate) async fn pick(
        &self,
        wanted: Wanted<'_>,
        excluded: &[u64],
    ) -> Result<Picked, Unplaced> {
        self.pool.pick(&self.placement, wanted, excluded).await
    }
}

/// Finds and scrapes the replicas of a pool, in the background.
fn look_after(
    pool: &Arc<Pool>,
    discovery: Discovery,
    settings: &Settings,
    scraper: &Client,
) -> Result<JoinSet<()>, StartError> {
    let mut tasks = JoinSet::new();
    match &discovery {
        // Written down: there from the beginning.
        Discovery::Static(bases) => pool.update(
            bases
                .iter()
                .map(|base| Found::unlabelled(base.clone()))
                .collect(),
        ),
        Discovery::Dns(_) => drop(tasks.spawn(discover(Arc::clone(pool), discovery, None))),
        Discovery::Kubernetes { .. } => {
            let pods = pods(
                &pool.name,
                settings.cluster.as_ref(),
                settings.bounds.connect,
            )?;
            tasks.spawn(discover(Arc::clone(pool), discovery, Some(pods)));
        }
    }
    tasks.spawn(scrape(Arc::clone(pool), scraper.clone()));
    Ok(tasks)
}

fn pods(pool: &str, cluster: Option<&Cluster>, connect: Duration) -> Result<Pods, StartError> {
    let cluster = cluster.ok_or_else(|| DiscoveryError::NoCluster(pool.to_owned()))?;
    Ok(Pods::new(cluster.clone(), connect)?)
}

//! Asks replicas how they are: often under traffic, seldom without.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, StatusCode};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use waypost_policies::place::Snapshot;

use super::Pool;
use crate::body::collect;
use crate::client::{self, Client, base_url};
use crate::clock;

/// How long after a call a pool counts as busy.
pub(super) const BUSY: Duration = Duration::from_secs(5);
/// Between scrapes under traffic.
const BUSY_PAUSE: Duration = Duration::from_millis(100);
/// Between scrapes without.
const IDLE_PAUSE: Duration = Duration::from_secs(2);
/// How long a replica may take to say how it is. A page that comes later is old already.
const PATIENCE: Duration = Duration::from_secs(1);
/// The largest page that is read.
const LARGEST_PAGE: usize = 4 << 20;

/// Scrapes a pool's replicas for ever.
pub(crate) async fn scrape(pool: Arc<Pool>, client: Client) {
    loop {
        scrape_once(&pool, &client).await;
        if clock::since(pool.used.load(Ordering::Relaxed)) <= BUSY {
            sleep(BUSY_PAUSE).await;
        } else {
            tokio::select! {
                () = sleep(IDLE_PAUSE) => {}
                () = pool.woken.notified() => {}
            }
        }
    }
}

/// Scrapes each replica once, all at the same time. What cannot be read leaves the older figures, which age.
pub(super) async fn scrape_once(pool: &Arc<Pool>, client: &Client) {
    let mut tasks = JoinSet::new();
    let replicas: Vec<(u64, Arc<str>)> = {
        let members = pool.lock();
        members
            .replicas
            .iter()
            .map(|replica| (replica.id, Arc::clone(&replica.base)))
            .collect()
    };
    for (id, base) in replicas {
        let client = client.clone();
        tasks.spawn(async move {
            (
                id,
                timeout(PATIENCE, page(&client, &base)).await.ok().flatten(),
            )
        });
    }
    while let Some(result) = tasks.join_next().await {
        let Ok((id, Some(page))) = result else {
            continue;
        };
        let snapshot = Snapshot::parse(&String::from_utf8_lossy(&page), &pool.engine);
        if snapshot.is_empty() {
            continue;
        }
        if let Some(replica) = pool.lock().replica(id) {
            replica.known.record(snapshot, clock::now());
        }
    }
    pool.queue.changed();
}

async fn page(client: &Client, base: &str) -> Option<Bytes> {
    let base = base.trim_end_matches('/');
    let base = base.strip_suffix("/v1").unwrap_or(base);
    let request = Request::get(format!("{}/metrics", base_url(base)))
        .body(Full::default())
        .ok()?;
    let response = client::send(client, request).await.ok()?;
    if response.status() != StatusCode::OK {
        return None;
    }
    collect(&mut response.into_body(), LARGEST_PAGE).await.ok()
}

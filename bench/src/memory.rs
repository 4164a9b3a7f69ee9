//! What proxies hold: at rest, for each open stream, and after the load.

use std::time::Duration;

use serde::Serialize;
use tokio::time::sleep;

use crate::load::hold;
use crate::peers::Peer;

/// How long a proxy gets to come to rest.
const REST: Duration = Duration::from_millis(500);

/// What one proxy holds, in kilobytes.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Memory {
    pub(crate) peer: &'static str,
    pub(crate) at_rest: u64,
    pub(crate) streams: usize,
    pub(crate) per_stream: f64,
    pub(crate) after_load: u64,
}

/// Opens so many streams through each proxy.
pub(crate) async fn measure(peers: &[Peer], streams: usize) -> Result<Vec<Memory>, String> {
    let mut all = Vec::new();
    for peer in peers {
        let Some(process) = &peer.process else {
            continue;
        };
        sleep(REST).await;
        let at_rest = process.resident();
        let held = hold(peer.address, streams).await;
        let held = held.map_err(|error| format!("{}: {error}", peer.name))?;
        let open = process.resident();
        drop(held);
        all.push(Memory {
            peer: peer.name,
            at_rest,
            streams,
            per_stream: open.saturating_sub(at_rest) as f64 / streams as f64,
            after_load: 0,
        });
    }
    Ok(all)
}

/// Notes what is held once all load is over.
pub(crate) fn after_load(peers: &[Peer], all: &mut [Memory]) {
    for memory in all {
        let peer = peers.iter().find(|peer| peer.name == memory.peer);
        if let Some(process) = peer.and_then(|peer| peer.process.as_ref()) {
            memory.after_load = process.resident();
        }
    }
}

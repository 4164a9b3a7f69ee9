//! All rounds of all scenarios, the peers by turns.

use std::time::Duration;

use crate::calls::Answer;
use crate::load::{Load, Taken};
use crate::machine::Machine;
use crate::memory;
use crate::peers::Peer;
use crate::report::{Figures, Report, Round};

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    pub(crate) rounds: usize,
    pub(crate) time: Duration,
    pub(crate) streams: usize,
}

impl Effort {
    pub(crate) const FULL: Self = Self {
        // Short ones, and many: each is another chance that nothing else wants the core.
        rounds: 20,
        time: Duration::from_millis(200),
        streams: 2000,
    };
    pub(crate) const QUICK: Self = Self {
        rounds: 1,
        time: Duration::from_millis(100),
        streams: 50,
    };
}

const CONNECTIONS: [usize; 2] = [1, 32];
const BODIES: [usize; 2] = [1 << 10, 64 << 10];
const ANSWERS: [Answer; 2] = [Answer::Whole, Answer::Streamed];

/// Measures everything.
pub(crate) async fn all(
    peers: &[Peer],
    effort: Effort,
    only: Option<&str>,
    machine: Machine,
) -> Result<Report, String> {
    for peer in peers {
        peer.is_ready().await?;
    }
    let mut memory = match only {
        None => memory::measure(peers, effort.streams).await?,
        Some(_) => Vec::new(),
    };
    let mut figures = Vec::new();
    for answer in ANSWERS {
        for body in BODIES {
            for connections in CONNECTIONS {
                let load = Load {
                    connections,
                    body,
                    answer,
                };
                if only.is_none_or(|only| load.name().contains(only)) {
                    figures.extend(scenario(peers, load, effort).await?);
                }
            }
        }
    }
    memory::after_load(peers, &mut memory);
    Ok(Report {
        machine,
        rounds: effort.rounds,
        figures,
        memory,
    })
}

async fn scenario(peers: &[Peer], load: Load, effort: Effort) -> Result<Vec<Figures>, String> {
    let mut rounds: Vec<Vec<Round>> = peers.iter().map(|_| Vec::new()).collect();
    for _ in 0..effort.rounds {
        for (peer, rounds) in peers.iter().zip(&mut rounds) {
            let taken = load
                .run(peer.address, peer.process.as_ref(), effort.time)
                .await;
            let taken = taken.map_err(|error| format!("{}: {error}", peer.name))?;
            rounds.push(round(&taken));
        }
    }
    let figures = peers.iter().zip(rounds);
    let figures = figures.map(|(peer, rounds)| Figures::new(load, peer.name, rounds));
    let mut figures: Vec<Figures> = figures.collect();
    if let Some(direct) = figures.first().cloned() {
        for figures in &mut figures {
            figures.beyond(&direct);
        }
    }
    Ok(figures)
}

fn round(taken: &Taken) -> Round {
    let microseconds = |duration: Duration| duration.as_secs_f64() * 1e6;
    let calls = taken.latencies.len().max(1) as f64;
    Round {
        requests_per_second: calls / taken.elapsed.as_secs_f64(),
        p50: microseconds(taken.percentile(0.5)),
        p99: microseconds(taken.percentile(0.99)),
        cpu: microseconds(taken.cpu) / calls,
    }
}

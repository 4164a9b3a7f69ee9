//! Picks the replica of a pool that a call goes to.
//!
//! Pure: endpoints, warm prefixes and the time come in, an index goes out. What this process knows for itself (its own
//! calls in flight) is always true; what was scraped is discounted by its age.
//!
//! Adapters (`lora`) are not looked at yet: all replicas count as equals there.
//!
//! Invariants: an endpoint that is excluded, ejected or saturated is never picked; figures that are older than
//! [`FRESH`] are never taken for idleness; all else equal, a warm prefix wins.

mod budget;
mod health;
pub mod metrics;
pub mod prefix;
#[cfg(test)]
mod tests;

pub use budget::RetryBudget;
pub use health::Health;

use crate::plan::draft::Placement;
pub use metrics::Snapshot;
pub use prefix::PrefixIndex;

/// How old scraped figures may be and still count in full, in nanoseconds: five seconds.
pub const FRESH: i64 = 5_000_000_000;
/// Figures of this age tell nothing any more: thirty seconds.
pub const WORTHLESS: i64 = 30_000_000_000;

/// What is known of one replica.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Endpoint {
    /// Calls of this process that it is answering.
    pub in_flight: u32,
    /// The tokens of these calls, reserved answers included.
    pub in_flight_tokens: u64,
    /// What it said of itself last.
    pub scraped: Option<Scraped>,
    /// Whether its failures keep calls away.
    pub health: Health,
}

/// What a replica said of itself, and when.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scraped {
    /// Its figures.
    pub snapshot: Snapshot,
    /// When they were read, in nanoseconds since 1970.
    pub at: i64,
    /// Calls of this process that it was answering then: the figures include them.
    pub in_flight: u32,
}

/// A replica that was picked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pick {
    /// Which of the endpoints.
    pub index: usize,
    /// Why.
    pub scores: Scores,
}

/// How good a replica is for a call; each part from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Scores {
    /// The share of the prompt that it has seen.
    pub prefix: f64,
    /// 1 for the least loaded of the candidates, 0 for the most.
    pub queue: f64,
    /// The share of its KV cache that is free.
    pub kv_cache: f64,
    /// All, by the weights of the placement.
    pub total: f64,
}

/// Why no replica was picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoPick {
    /// There are replicas, and each has all that it can take.
    #[error("every replica is saturated")]
    Saturated,
    /// There is none, or each has failed or is left out.
    #[error("no replica is available")]
    NoEndpoint,
}

/// What a call brings to the choice.
#[derive(Debug, Clone, Copy, Default)]
pub struct Prompt<'a> {
    /// How many of its blocks each endpoint has seen, in the order of the endpoints.
    pub warm: &'a [usize],
    /// How many blocks it has.
    pub blocks: usize,
}

impl Prompt<'_> {
    fn share(&self, index: usize) -> f64 {
        match (self.warm.get(index), self.blocks) {
            (None, _) | (_, 0) => 0.0,
            (Some(&warm), blocks) => warm.min(blocks) as f64 / blocks as f64,
        }
    }
}

/// Picks the best replica for a call.
///
/// `excluded` leaves out replicas that were tried already or that the file does not allow. `turn` is a number that
/// grows with each call: equals take turns by it.
///
/// # Errors
///
/// Why there is none.
pub fn pick(
    placement: &Placement,
    endpoints: &[Endpoint],
    prompt: Prompt<'_>,
    excluded: &dyn Fn(usize) -> bool,
    now: i64,
    turn: usize,
) -> Result<Pick, NoPick> {
    let available = |&(index, endpoint): &(usize, &Endpoint)| {
        endpoint.health.admits(endpoint.in_flight, now) && !excluded(index)
    };
    let candidates = || {
        endpoints
            .iter()
            .enumerate()
            .filter(available)
            .filter(|(_, endpoint)| !endpoint.is_saturated(placement, now))
    };
    let field = Field::of(candidates().map(|(_, endpoint)| endpoint));
    let order = |index: usize| {
        (index + endpoints.len() - turn % endpoints.len().max(1)) % endpoints.len().max(1)
    };
    candidates()
        .map(|(index, endpoint)| {
            let scores = score(placement, endpoint, prompt.share(index), &field, now);
            (Pick { index, scores }, endpoint)
        })
        .max_by(|(a, left), (b, right)| {
            a.scores
                .total
                .total_cmp(&b.scores.total)
                .then_with(|| right.in_flight.cmp(&left.in_flight))
                .then_with(|| right.in_flight_tokens.cmp(&left.in_flight_tokens))
                .then_with(|| order(b.index).cmp(&order(a.index)))
        })
        .map(|(pick, _)| pick)
        .ok_or_else(|| {
            if endpoints
                .iter()
                .enumerate()
                .any(|candidate| available(&candidate))
            {
                NoPick::Saturated
            } else {
                NoPick::NoEndpoint
            }
        })
}

impl Endpoint {
    /// Takes note of what it says of itself.
    pub fn record(&mut self, snapshot: Snapshot, at: i64) {
        self.scraped = Some(Scraped {
            snapshot,
            at,
            in_flight: self.in_flight,
        });
    }

    /// Whether it has all that it can take. Without fresh figures that is judged by the calls of this process: as many
    /// in flight as may wait is too many for a replica that might be full.
    #[must_use]
    pub fn is_saturated(&self, placement: &Placement, now: i64) -> bool {
        let fresh = self
            .scraped
            .filter(|scraped| freshness(scraped, now) >= 1.0);
        let queue = fresh.and_then(|scraped| match scraped.snapshot.queue? {
            // Nobody waits: what was sent since then runs.
            0 => Some(0),
            waiting => Some(waiting.saturating_add(self.sent_since(&scraped))),
        });
        let kv_cache = fresh.and_then(|scraped| scraped.snapshot.kv_cache);
        let queue_full = placement
            .saturate_queue
            .is_some_and(|most| queue.unwrap_or(self.in_flight) >= most.max(1));
        let kv_cache_full =
            placement
                .saturate_kv_cache
                .is_some_and(|most| match (kv_cache, fresh) {
                    (Some(used), _) => used * 10_000.0 >= f64::from(most),
                    // It says how it is, but not this: then this cannot count.
                    (None, Some(_)) => false,
                    // One at a time, until it says how it is.
                    (None, None) => placement.saturate_queue.is_none() && self.in_flight >= 1,
                });
        queue_full || kv_cache_full
    }

    /// Calls of this process that its figures do not include yet.
    fn sent_since(&self, scraped: &Scraped) -> u32 {
        self.in_flight.saturating_sub(scraped.in_flight)
    }

    /// Calls that it is busy with; waiting ones count twice, since a new one would wait behind them.
    fn load(&self) -> f64 {
        let known = self.scraped.map_or(0, |scraped| {
            let queue = u64::from(scraped.snapshot.queue.unwrap_or(0));
            let running = u64::from(scraped.snapshot.running.unwrap_or(0));
            2 * queue + running + u64::from(self.sent_since(&scraped))
        });
        known.max(u64::from(self.in_flight)) as f64
    }
}

/// How much scraped figures count: 1 while they are fresh, 0 when they are worthless.
fn freshness(scraped: &Scraped, now: i64) -> f64 {
    // A scrape from the future is a clock that was set back: its age is not known.
    let age = now.saturating_sub(scraped.at);
    if !(-FRESH..WORTHLESS).contains(&age) {
        0.0
    } else if age <= FRESH {
        1.0
    } else {
        (WORTHLESS - age) as f64 / (WORTHLESS - FRESH) as f64
    }
}

/// The least and the most loaded of the candidates.
struct Field {
    load: (f64, f64),
    in_flight: (f64, f64),
}

impl Field {
    fn of<'e>(candidates: impl Iterator<Item = &'e Endpoint>) -> Self {
        let none = (f64::INFINITY, f64::NEG_INFINITY);
        candidates.fold(
            Self {
                load: none,
                in_flight: none,
            },
            |field, endpoint| {
                let widen =
                    |(least, most): (f64, f64), value: f64| (least.min(value), most.max(value));
                Self {
                    load: widen(field.load, endpoint.load()),
                    in_flight: widen(field.in_flight, f64::from(endpoint.in_flight)),
                }
            },
        )
    }
}

/// 1 for the least, 0 for the most, and 1 for all where they are equal.
fn relative(value: f64, (least, most): (f64, f64)) -> f64 {
    if most > least {
        (most - value) / (most - least)
    } else {
        1.0
    }
}

fn score(
    placement: &Placement,
    endpoint: &Endpoint,
    prefix: f64,
    field: &Field,
    now: i64,
) -> Scores {
    let fresh = endpoint
        .scraped
        .map_or(0.0, |scraped| freshness(&scraped, now));
    // Own calls are half a reason to believe in idleness: others may send too.
    let own = relative(f64::from(endpoint.in_flight), field.in_flight) / 2.0;
    let queue = fresh * relative(endpoint.load(), field.load) + (1.0 - fresh) * own;
    let used = endpoint
        .scraped
        .and_then(|scraped| scraped.snapshot.kv_cache)
        .unwrap_or(1.0);
    let kv_cache = fresh * (1.0 - used.clamp(0.0, 1.0));
    let total = f64::from(placement.prefix) * prefix
        + f64::from(placement.queue) * queue
        + f64::from(placement.kv_cache) * kv_cache;
    Scores {
        prefix,
        queue,
        kv_cache,
        total,
    }
}

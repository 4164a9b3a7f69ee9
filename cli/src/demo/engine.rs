//! A simulated replica: how long a call waits, computes and speaks, and what its gauges say meanwhile.
//!
//! Invariants: every gauge that a call raises falls when its [`Sequence`] is dropped, however the call ends; at most
//! `slots` sequences compute at once, the others wait in the order they came.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::prefix::{BLOCK_TOKENS, PrefixCache, Prompt};

/// How fast a simulated server is. Everything is about ten times as fast as the hardware it stands for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Speed {
    /// Sequences that compute at once.
    pub(super) slots: usize,
    /// Before anything else.
    pub(super) overhead: Duration,
    /// For each prompt token that is not warm.
    pub(super) prefill: Duration,
    /// For each token of the answer, alone on the machine.
    pub(super) decode: Duration,
    /// Blocks that the KV cache holds.
    pub(super) blocks: usize,
    /// Warm prefixes shorter than this do not count.
    pub(super) shortest_prefix: u64,
}

impl Speed {
    /// A small model on a GPU of one's own.
    pub(super) const POOL: Self = Self {
        slots: 8,
        overhead: Duration::from_millis(1),
        prefill: Duration::from_micros(12),
        decode: Duration::from_micros(1200),
        blocks: 4096,
        shortest_prefix: BLOCK_TOKENS,
    };
    /// A hosted API: far away, wide, and with a prompt cache from 1,024 tokens on.
    pub(super) const PROVIDER: Self = Self {
        slots: 64,
        overhead: Duration::from_millis(30),
        prefill: Duration::from_micros(15),
        decode: Duration::from_micros(2000),
        blocks: 65_536,
        shortest_prefix: 1024,
    };
}

/// One replica.
#[derive(Debug)]
pub(super) struct Engine {
    pub(super) speed: Speed,
    slots: Arc<Semaphore>,
    cache: Mutex<PrefixCache>,
    pub(super) gauges: Gauges,
}

/// What a replica counts.
#[derive(Debug, Default)]
pub(super) struct Gauges {
    pub(super) waiting: AtomicU64,
    pub(super) running: AtomicU64,
    /// Blocks of the sequences that compute.
    pub(super) blocks: AtomicU64,
    pub(super) prefix_queries: AtomicU64,
    pub(super) prefix_hits: AtomicU64,
    pub(super) prompt_tokens: AtomicU64,
    pub(super) generation_tokens: AtomicU64,
    pub(super) finished: AtomicU64,
}

impl Engine {
    /// An idle replica with a cold cache.
    pub(super) fn new(speed: Speed) -> Arc<Self> {
        Arc::new(Self {
            speed,
            slots: Arc::new(Semaphore::new(speed.slots)),
            cache: Mutex::new(PrefixCache::new(speed.blocks)),
            gauges: Gauges::default(),
        })
    }

    /// Waits for a slot and computes the prompt. The answer may then be spoken.
    pub(super) async fn start(self: &Arc<Self>, prompt: &Prompt, answer_tokens: u64) -> Sequence {
        let queued = Raised::new(self, Gauge::Waiting, 1);
        // The semaphore is never closed; were it, the call would compute without waiting.
        let slot = self.slots.clone().acquire_owned().await.ok();
        drop(queued);
        let blocks = (prompt.tokens + answer_tokens).div_ceil(BLOCK_TOKENS);
        let held = [
            Raised::new(self, Gauge::Running, 1),
            Raised::new(self, Gauge::Blocks, blocks),
        ];
        let cached_tokens = self.look_up(prompt);
        let cold = u32::try_from(prompt.tokens - cached_tokens).unwrap_or(u32::MAX);
        tokio::time::sleep(self.speed.overhead + self.speed.prefill * cold).await;
        self.cache().remember(prompt);
        self.gauges.prompt_tokens.fetch_add(prompt.tokens, Relaxed);
        Sequence {
            engine: Arc::clone(self),
            cached_tokens,
            due: Instant::now(),
            _slot: slot,
            _held: held,
        }
    }

    /// Share of the KV cache that running sequences hold.
    pub(super) fn kv_cache_usage(&self) -> f64 {
        let held = self.gauges.blocks.load(Relaxed) as f64;
        (held / self.speed.blocks.max(1) as f64).min(1.0)
    }

    fn look_up(&self, prompt: &Prompt) -> u64 {
        let warm = self.cache().warm_tokens(prompt);
        let counted = if warm < self.speed.shortest_prefix {
            0
        } else {
            warm
        };
        self.gauges.prefix_queries.fetch_add(prompt.tokens, Relaxed);
        self.gauges.prefix_hits.fetch_add(counted, Relaxed);
        counted
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, PrefixCache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    const fn gauge(&self, gauge: Gauge) -> &AtomicU64 {
        match gauge {
            Gauge::Waiting => &self.gauges.waiting,
            Gauge::Running => &self.gauges.running,
            Gauge::Blocks => &self.gauges.blocks,
        }
    }
}

/// A call that has its slot and its prompt computed.
#[derive(Debug)]
pub(super) struct Sequence {
    engine: Arc<Engine>,
    /// How much of the prompt was warm.
    pub(super) cached_tokens: u64,
    /// When what was spoken so far is over: timers tick in milliseconds, tokens are faster.
    due: Instant,
    _slot: Option<OwnedSemaphorePermit>,
    _held: [Raised; 2],
}

impl Sequence {
    /// Speaks `tokens` more tokens: slower the more others speak at once.
    pub(super) async fn speak(&mut self, tokens: u64) {
        let others = self.engine.gauges.running.load(Relaxed).saturating_sub(1) as f64;
        let crowded = 1.0 + others / (2.0 * self.engine.speed.slots.max(1) as f64);
        let count = u32::try_from(tokens).unwrap_or(u32::MAX);
        self.due += (self.engine.speed.decode * count).mul_f64(crowded);
        tokio::time::sleep_until(self.due).await;
        let spoken = &self.engine.gauges.generation_tokens;
        spoken.fetch_add(tokens, Relaxed);
    }

    /// Counts the call as answered in full.
    pub(super) fn finish(self) {
        self.engine.gauges.finished.fetch_add(1, Relaxed);
    }
}

#[derive(Debug, Clone, Copy)]
enum Gauge {
    Waiting,
    Running,
    Blocks,
}

/// A gauge that stands higher for as long as this lives.
#[derive(Debug)]
struct Raised {
    engine: Arc<Engine>,
    gauge: Gauge,
    amount: u64,
}

impl Raised {
    fn new(engine: &Arc<Engine>, gauge: Gauge, amount: u64) -> Self {
        engine.gauge(gauge).fetch_add(amount, Relaxed);
        Self {
            engine: Arc::clone(engine),
            gauge,
            amount,
        }
    }
}

impl Drop for Raised {
    fn drop(&mut self) {
        self.engine
            .gauge(self.gauge)
            .fetch_sub(self.amount, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const INSTANT: Speed = Speed {
        slots: 1,
        overhead: Duration::ZERO,
        prefill: Duration::ZERO,
        decode: Duration::ZERO,
        blocks: 10,
        shortest_prefix: BLOCK_TOKENS,
    };

    fn standing(engine: &Engine) -> (u64, u64, u64) {
        let gauges = &engine.gauges;
        let read = |gauge: &AtomicU64| gauge.load(Relaxed);
        (
            read(&gauges.waiting),
            read(&gauges.running),
            read(&gauges.blocks),
        )
    }

    #[test]
    fn calls_beyond_the_slots_wait_and_every_gauge_falls_again() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(async {
            let engine = Engine::new(INSTANT);
            let prompt = Prompt::new(&"a".repeat(64 * 3));
            let first = engine.start(&prompt, 16).await;
            assert_eq!(standing(&engine), (0, 1, 4));
            assert!((engine.kv_cache_usage() - 0.4).abs() < 1e-9);
            let second = tokio::spawn({
                let (engine, prompt) = (Arc::clone(&engine), prompt.clone());
                async move { engine.start(&prompt, 0).await.cached_tokens }
            });
            while standing(&engine) != (1, 1, 4) {
                tokio::task::yield_now().await;
            }
            first.finish();
            assert_eq!(second.await.unwrap(), 32);
            assert_eq!(standing(&engine), (0, 0, 0));
            let gauges = &engine.gauges;
            assert_eq!(gauges.prefix_queries.load(Relaxed), 2 * prompt.tokens);
            assert_eq!(gauges.prefix_hits.load(Relaxed), 32);
            assert_eq!(gauges.finished.load(Relaxed), 1);
        });
    }

    #[test]
    fn a_call_that_is_given_up_while_it_waits_waits_no_more() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(async {
            let engine = Engine::new(INSTANT);
            let prompt = Prompt::new("a");
            let first = engine.start(&prompt, 0).await;
            let given_up = tokio::time::timeout(Duration::ZERO, engine.start(&prompt, 0)).await;
            assert!(given_up.is_err());
            assert_eq!(standing(&engine), (0, 1, 1));
            drop(first);
            assert_eq!(standing(&engine), (0, 0, 0));
        });
    }
}

//! The task that asks Redis: connects, says that it is there, sends what buckets need, and hands out the answers.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{oneshot, watch};
use tokio::time::{MissedTickBehavior, interval, sleep};
use waypost_policies::limits::{BucketName, State, Verdict};

use super::link::{Life, Link, LinkError, Place, Request};
use super::{Status, Trouble};
use crate::clock;
use crate::metrics::Sharing as Figures;

/// How often a replica says that it is there: several times while a Redis that has begun anew learns.
const BEAT: Duration = Duration::from_millis(250);
/// How soon it is tried again, at first and at last.
const AGAIN: Duration = Duration::from_millis(50);
const AGAIN_AT_LAST: Duration = Duration::from_millis(500);
/// The most asks of one batch.
const BATCH: usize = 512;
/// How many parts of a state are looked after at each beat: all of them in two seconds.
const PARTS: usize = 8;
/// Clocks that differ by more than this are worth a word: windows begin by the replica's, and are granted by Redis's.
const SKEW: i64 = 5_000_000;

/// What the clerk is told.
pub(super) enum Order {
    /// A bucket of a state should be asked for.
    Wanted(u64, BucketName),
    /// A state is served from now on.
    Serve(u64, Arc<State>),
    /// Another takes the place of it: what it has left is given back.
    Retire(u64),
    /// Everything is to be given back; says when that is done.
    Finish(oneshot::Sender<()>),
}

/// The task's own.
pub(super) struct Clerk {
    pub(super) place: Place,
    pub(super) replicas: u32,
    pub(super) orders: UnboundedReceiver<Order>,
    pub(super) status: Arc<watch::Sender<Status>>,
    pub(super) figures: Figures,
    pub(super) served: HashMap<u64, Served>,
    /// What a Redis that begins anew is called.
    pub(super) name: String,
    /// The life that was heard of last.
    pub(super) life: Option<String>,
    pub(super) finishing: Vec<oneshot::Sender<()>>,
}

/// A state whose buckets are asked for.
pub(super) struct Served {
    state: Arc<State>,
    is_retired: bool,
    /// Which part of it is looked after next.
    part: usize,
}

impl Clerk {
    /// Works for ever.
    pub(super) async fn work(mut self) {
        let mut pause = AGAIN;
        loop {
            let failed = match Link::open(&self.place).await {
                Ok(link) => {
                    pause = AGAIN;
                    self.serve(link).await
                }
                Err(error) => error,
            };
            self.set_trouble(Some(Trouble::Away(failed.to_string())));
            self.heed(pause).await;
            pause = (pause * 2).min(AGAIN_AT_LAST);
        }
    }

    /// Waits, and listens meanwhile.
    async fn heed(&mut self, pause: Duration) {
        let over = sleep(pause);
        tokio::pin!(over);
        loop {
            tokio::select! {
                () = &mut over => return,
                Some(order) = self.orders.recv() => match order {
                    // Asked for once Redis is back: what it is not told of is never granted.
                    Order::Wanted(lessee, bucket) => self.put_off(lessee, bucket),
                    order => self.obey(order),
                },
            }
        }
    }

    fn put_off(&self, lessee: u64, bucket: BucketName) {
        if let Some(served) = self.served.get(&lessee) {
            served.state.put_off(bucket);
        }
    }

    /// Asks on one connection, until it fails.
    async fn serve(&mut self, mut link: Link) -> LinkError {
        match self.begin(&mut link).await {
            Ok(()) => {}
            Err(error) => return error,
        }
        let mut beat = interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut wanted = Vec::with_capacity(BATCH);
        loop {
            let result = tokio::select! {
                _ = beat.tick() => self.beat(&mut link).await,
                Some(order) = self.orders.recv() => {
                    self.take(order, &mut wanted);
                    while wanted.len() < BATCH && let Ok(order) = self.orders.try_recv() {
                        self.take(order, &mut wanted);
                    }
                    self.ask(&mut link, &mut wanted).await
                }
            };
            if let Err(error) = result {
                return error;
            }
        }
    }

    async fn begin(&mut self, link: &mut Link) -> Result<(), LinkError> {
        self.beat(link).await?;
        match link.evicts().await {
            Ok(true) => tracing::warn!(
                "Redis may forget keys to make room: set `maxmemory-policy noeviction` where limits and budgets are kept"
            ),
            // Some do not say.
            Ok(false) | Err(LinkError::Refused(_)) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn take(&mut self, order: Order, wanted: &mut Vec<(u64, BucketName)>) {
        match order {
            Order::Wanted(lessee, bucket) => wanted.push((lessee, bucket)),
            order => self.obey(order),
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Wanted(..) => {}
            Order::Serve(lessee, state) => {
                state.set_away(self.status.borrow().trouble.is_some());
                let served = Served {
                    state,
                    is_retired: false,
                    part: 0,
                };
                self.served.insert(lessee, served);
            }
            Order::Retire(lessee) => {
                if let Some(served) = self.served.get_mut(&lessee) {
                    served.is_retired = true;
                    served.state.give_back_all(clock::now());
                }
            }
            Order::Finish(done) => {
                for served in self.served.values() {
                    served.state.give_back_all(clock::now());
                }
                self.finishing.push(done);
            }
        }
    }

    /// Says that this replica is there, and looks after what it holds.
    async fn beat(&mut self, link: &mut Link) -> Result<(), LinkError> {
        let started = Instant::now();
        let life = link.beat(&self.name).await?;
        self.figures.seconds.observe(started.elapsed().as_secs_f64());
        self.heard(&life);
        let now = clock::now();
        for served in self.served.values_mut() {
            for _ in 0..PARTS {
                let more = served.state.look_after(served.part, now);
                served.part = if more { served.part + 1 } else { 0 };
            }
        }
        self.served.retain(|_, served| {
            let is_over = served.is_retired && Arc::strong_count(&served.state) == 1;
            !is_over || served.state.has_untold()
        });
        self.say_if_finished();
        Ok(())
    }

    fn say_if_finished(&mut self) {
        if self.finishing.is_empty() {
            return;
        }
        let mut served = self.served.values();
        if !served.any(|served| served.state.has_untold()) {
            for done in self.finishing.drain(..) {
                // Whoever waited may have lost patience.
                let _ = done.send(());
            }
        }
    }

    fn heard(&mut self, life: &Life) {
        if self.life.as_ref() != Some(&life.name) {
            if self.life.is_some() {
                tracing::warn!("Redis has begun anew: it is told again what is used");
                for served in self.served.values() {
                    served.state.tell_all();
                }
            }
            self.life = Some(life.name.clone());
            let skew = life.now.saturating_sub(clock::now() / 1_000);
            if skew.abs() > SKEW {
                tracing::warn!(
                    seconds = skew / 1_000_000,
                    "the clock of Redis differs from this machine's: budgets begin late until both agree"
                );
            }
        }
        self.set_trouble(life.is_learning.then_some(Trouble::Learning));
    }

    fn set_trouble(&self, trouble: Option<Trouble>) {
        let is_news = self.status.borrow().trouble != trouble;
        if !is_news {
            return;
        }
        for served in self.served.values() {
            served.state.set_away(trouble.is_some());
        }
        self.figures.reachable.set(i64::from(trouble.is_none()));
        match &trouble {
            Some(trouble) => tracing::warn!(
                reason = trouble.to_string(),
                "limits and budgets cannot be shared"
            ),
            None => tracing::info!("limits and budgets are shared over Redis"),
        }
        self.status.send_modify(|status| status.trouble = trouble);
    }

    async fn ask(
        &mut self,
        link: &mut Link,
        wanted: &mut Vec<(u64, BucketName)>,
    ) -> Result<(), LinkError> {
        let now = clock::now();
        let mut asked = Vec::with_capacity(wanted.len());
        let mut requests = Vec::with_capacity(wanted.len());
        for (lessee, name) in wanted.drain(..) {
            let Some(served) = self.served.get(&lessee) else {
                continue;
            };
            let state = &served.state;
            let ask = state.ask(name, now);
            let (Some(ask), Some(bucket)) = (ask, state.name_in_redis(name)) else {
                continue;
            };
            asked.push((Arc::clone(state), name, ask.serial));
            requests.push(Request {
                lessee,
                bucket,
                ask,
            });
        }
        if requests.is_empty() {
            return Ok(());
        }
        let started = Instant::now();
        let answers = link.ask(self.replicas, &requests).await;
        self.figures.seconds.observe(started.elapsed().as_secs_f64());
        let now = clock::now();
        match &answers {
            Ok(answers) => {
                for ((state, name, serial), answer) in asked.iter().zip(answers) {
                    self.figures.asked(match answer.verdict {
                        Verdict::Done => "done",
                        Verdict::Late => "late",
                        Verdict::NotNow => "not-now",
                        Verdict::Learning => "learning",
                    });
                    state.answered(*name, *serial, Some(*answer), now);
                }
            }
            Err(_) => {
                for (state, name, serial) in &asked {
                    self.figures.asked("failed");
                    state.answered(*name, *serial, None, now);
                }
            }
        }
        self.status.send_modify(|status| status.batches += 1);
        answers.map(|_| ())
    }
}

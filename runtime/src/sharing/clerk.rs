//! The task that asks Redis: connects, says that it is there, sends what buckets need, and hands out the answers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{oneshot, watch};
use tokio::time::{MissedTickBehavior, interval, sleep};
use waypost_policies::limits::{Answer, BucketName, State, Verdict};

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
    /// A bucket should be asked for.
    Wanted(BucketName),
    /// A state is served from now on.
    Serve(Arc<State>),
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
    /// By what number Redis knows this process.
    pub(super) lessee: u64,
    /// The state that is served.
    pub(super) state: Option<Arc<State>>,
    /// Which part of it is looked after next.
    pub(super) part: usize,
    /// What a Redis that begins anew is called.
    pub(super) name: String,
    /// The life that was heard of last.
    pub(super) life: Option<String>,
    pub(super) finishing: Vec<oneshot::Sender<()>>,
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
                    Order::Wanted(bucket) => {
                        if let Some(state) = &self.state {
                            state.put_off(bucket);
                        }
                    }
                    order => self.obey(order),
                },
            }
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

    fn take(&mut self, order: Order, wanted: &mut Vec<BucketName>) {
        match order {
            Order::Wanted(bucket) => wanted.push(bucket),
            order => self.obey(order),
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Wanted(_) => {}
            Order::Serve(state) => {
                state.set_away(self.status.borrow().trouble.is_some());
                // What the one before it wanted was in its terms.
                state.want_again();
                self.state = Some(state);
            }
            Order::Finish(done) => {
                if let Some(state) = &self.state {
                    state.give_back_all(clock::now());
                }
                self.finishing.push(done);
            }
        }
    }

    /// Says that this replica is there, and looks after what it holds.
    async fn beat(&mut self, link: &mut Link) -> Result<(), LinkError> {
        let started = Instant::now();
        let life = link.beat(&self.name).await?;
        self.figures
            .seconds
            .observe(started.elapsed().as_secs_f64());
        self.heard(&life);
        if let Some(state) = &self.state {
            let now = clock::now();
            for _ in 0..PARTS {
                let more = state.look_after(self.part, now);
                self.part = if more { self.part + 1 } else { 0 };
            }
        }
        self.say_if_finished();
        Ok(())
    }

    fn say_if_finished(&mut self) {
        if self.finishing.is_empty() {
            return;
        }
        let state = self.state.as_ref();
        if !state.is_some_and(|state| state.has_untold()) {
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
                if let Some(state) = &self.state {
                    state.tell_all();
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
        if let Some(state) = &self.state {
            state.set_away(trouble.is_some());
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
        wanted: &mut Vec<BucketName>,
    ) -> Result<(), LinkError> {
        let Some(state) = self.state.clone() else {
            wanted.clear();
            return Ok(());
        };
        let now = clock::now();
        let lessee = self.lessee;
        let (mut asked, mut requests) = (Vec::new(), Vec::new());
        for name in wanted.drain(..) {
            let ask = state.ask(name, now);
            if let (Some(ask), Some(bucket)) = (ask, state.name_in_redis(name)) {
                asked.push((name, ask.serial));
                requests.push(Request {
                    lessee,
                    bucket,
                    ask,
                });
            }
        }
        if requests.is_empty() {
            return Ok(());
        }
        let started = Instant::now();
        let answers = link.ask(self.replicas, &requests).await;
        self.figures
            .seconds
            .observe(started.elapsed().as_secs_f64());
        self.hand_out(&state, &asked, answers.as_deref().ok());
        answers.map(|_| ())
    }

    /// Brings the answers to the state that asked; none where it is not known what became of the asks.
    fn hand_out(&self, state: &State, asked: &[(BucketName, u64)], answers: Option<&[Answer]>) {
        let now = clock::now();
        for (place, (name, serial)) in asked.iter().enumerate() {
            let answer = answers.and_then(|answers| answers.get(place)).copied();
            self.figures
                .asked(match answer.map(|answer| answer.verdict) {
                    Some(Verdict::Done) => "done",
                    Some(Verdict::Late) => "late",
                    Some(Verdict::NotNow) => "not-now",
                    Some(Verdict::Learning) => "learning",
                    None => "failed",
                });
            state.answered(*name, *serial, answer, now);
        }
        self.status.send_modify(|status| status.batches += 1);
    }
}

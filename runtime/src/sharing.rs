//! What is used of limits and budgets, shared with the other replicas over Redis.
//!
//! Each replica holds leases (`waypost_policies::limits`): most calls spend from one without asking anybody. One task, the
//! clerk, asks Redis for all of them, in batches, on one connection.
//!
//! Invariants: a call that finds no lease waits for one answer, never for a connection; while Redis is away, calls that
//! need it are refused at once, or go on with this replica's share, as the file says. What Redis grants is spent by
//! whoever asked for it, or given back, or lost: never granted twice.

mod clerk;
mod link;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use waypost_policies::decision::Charge;
use waypost_policies::limits::{BucketName, Desk, Sharing, State};

use crate::clock;
use crate::ledger::random_seed;
use crate::metrics::Sharing as Figures;

use clerk::{Clerk, Order};
pub(crate) use link::Place;

/// How long a call waits for an answer: longer than Redis may take to give one.
const PATIENCE: Duration = Duration::from_millis(800);
/// How long the end waits until everything is given back.
const FAREWELL: Duration = Duration::from_secs(2);

/// A Redis, and how this process stands with it.
pub(crate) struct Shared {
    place: Place,
    replicas: u32,
    shares: bool,
    orders: UnboundedSender<Order>,
    status: Arc<watch::Sender<Status>>,
    figures: Figures,
    sharing: Sharing,
    clerk: JoinHandle<()>,
}

/// How things stand.
#[derive(Debug, Default)]
struct Status {
    /// How many batches were answered, or not.
    batches: u64,
    trouble: Option<Trouble>,
}

/// Why nothing is granted.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Trouble {
    /// Nobody has asked it yet.
    Unasked,
    /// It cannot be reached.
    Away(String),
    /// It has begun anew a moment ago.
    Learning,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unasked => f.write_str("Redis has not been asked yet"),
            Self::Away(reason) => write!(f, "Redis is away: {reason}"),
            Self::Learning => f.write_str("Redis has begun anew, and is told what is used"),
        }
    }
}

/// Nothing is granted now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Away;

/// Tells the clerk what a state wants.
#[derive(Debug)]
struct Counter(UnboundedSender<Order>);

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Its place holds a password.
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl fmt::Debug for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Order")
    }
}

impl Desk for Counter {
    fn wanted(&self, bucket: BucketName) {
        // A clerk who is gone takes no orders: what is not asked for is not granted.
        let _ = self.0.send(Order::Wanted(bucket));
    }
}

impl Shared {
    /// Begins to ask a Redis, in the background. `None` where the system gives no random numbers.
    pub(crate) fn open(
        place: Place,
        replicas: u32,
        shares: bool,
        figures: Figures,
    ) -> Option<Self> {
        let (orders, taken) = unbounded_channel();
        let status = watch::Sender::new(Status {
            batches: 0,
            trouble: Some(Trouble::Unasked),
        });
        let status = Arc::new(status);
        let [first, second] = random_seed()?;
        let [lessee, _] = random_seed()?;
        let clerk = Clerk {
            place: place.clone(),
            replicas,
            orders: taken,
            status: Arc::clone(&status),
            figures: figures.clone(),
            lessee,
            state: None,
            part: 0,
            name: format!("{first:016x}{second:016x}"),
            life: None,
            finishing: Vec::new(),
        };
        Some(Self {
            place,
            replicas,
            shares,
            status,
            figures,
            sharing: Sharing::new(replicas, shares, Arc::new(Counter(orders.clone()))),
            orders,
            clerk: tokio::spawn(clerk.work()),
        })
    }

    /// Whether another plan means the same.
    pub(crate) fn is(&self, place: &Place, replicas: u32, shares: bool) -> bool {
        self.place.is(place) && (self.replicas, self.shares) == (replicas, shares)
    }

    /// The same state, sharing what is used; it asks once it is served.
    pub(crate) fn share(&self, state: State) -> State {
        state.shared(self.sharing.again())
    }

    /// From now on this state is asked for, in place of the one before it.
    pub(crate) fn serve(&self, state: &Arc<State>) {
        let _ = self.orders.send(Order::Serve(Arc::clone(state)));
    }

    /// Waits until Redis has been asked for what these charges lack.
    pub(crate) async fn obtain(&self, state: &State, charges: &[Charge]) -> Result<(), Away> {
        let mut status = self.status.subscribe();
        if status.borrow().trouble.is_some() {
            return Err(Away);
        }
        let needs = state.need(charges, clock::now());
        if needs.is_empty() {
            return Ok(());
        }
        self.figures.waits.inc();
        let answered = status.wait_for(|status| status.trouble.is_some() || needs.are_met());
        match timeout(PATIENCE, answered).await {
            Ok(Ok(status)) if status.trouble.is_none() => Ok(()),
            _ => Err(Away),
        }
    }

    /// Whether this replica goes on with its share while nothing is granted.
    pub(crate) const fn shares(&self) -> bool {
        self.shares
    }

    /// Why nothing is granted, if that is so.
    pub(crate) fn trouble(&self) -> Option<String> {
        let status = self.status.borrow();
        let trouble = status.trouble.as_ref()?;
        let so = match self.shares {
            true => "this replica goes on with its share of limits and budgets",
            false => "calls that need more than this replica holds are refused",
        };
        Some(format!("{trouble}; {so}"))
    }

    /// Waits until it can be asked, as long as whoever waits has patience.
    pub(crate) async fn ready(&self) {
        let mut status = self.status.subscribe();
        let _ = status.wait_for(|status| status.trouble.is_none()).await;
    }

    /// Gives everything back that was not used.
    pub(crate) async fn finish(&self) {
        if self.status.borrow().trouble.is_some() {
            return;
        }
        let (done, is_done) = oneshot::channel();
        if self.orders.send(Order::Finish(done)).is_ok() {
            let _ = timeout(FAREWELL, is_done).await;
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.clerk.abort();
    }
}

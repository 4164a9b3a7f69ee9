//! The threads that answer calls: one for each core, each with a runtime of its own.
//!
//! Invariants: a connection, its calls, and the connections over which they ask upstreams stay on one thread, so that
//! nothing of a call waits for another core; the threads end with the value that started them.
//!
//! Connections are dealt out by one acceptor to the thread that has the fewest. Were each thread to accept by itself, the
//! system would deal by a hash of the addresses, and the few long connections that agents keep would come to lie unevenly.

use std::cell::Cell;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

thread_local! {
    static HERE: Cell<usize> = const { Cell::new(0) };
}

/// The number of this thread: from 1 for those that answer calls, 0 for any other.
pub(crate) fn here() -> usize {
    HERE.get()
}

/// How many threads answer calls where nobody says otherwise: as many as there are cores that this process may use.
pub(crate) fn count() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// The threads of one server.
#[derive(Debug)]
pub(crate) struct Workers(Vec<Worker>);

#[derive(Debug)]
struct Worker {
    handle: Handle,
    connections: Arc<AtomicUsize>,
    /// The thread ends when this is dropped.
    _stop: oneshot::Sender<()>,
}

/// A connection's place on a thread, for as long as it lasts.
#[derive(Debug)]
pub(crate) struct Place(Arc<AtomicUsize>);

impl Workers {
    /// Starts so many, and one at least.
    pub(crate) fn start(count: usize) -> io::Result<Self> {
        (1..=count.max(1))
            .map(Worker::start)
            .collect::<io::Result<_>>()
            .map(Self)
    }

    /// All of them, by their numbers.
    pub(crate) fn handles(&self) -> Vec<Handle> {
        let workers = self.0.iter();
        workers.map(|worker| worker.handle.clone()).collect()
    }

    /// The thread that has the fewest connections, and a place on it.
    pub(crate) fn least_busy(&self) -> Option<(&Handle, Place)> {
        let connections = |worker: &&Worker| worker.connections.load(Ordering::Relaxed);
        let worker = self.0.iter().min_by_key(connections)?;
        worker.connections.fetch_add(1, Ordering::Relaxed);
        Some((&worker.handle, Place(Arc::clone(&worker.connections))))
    }
}

impl Worker {
    fn start(number: usize) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        thread::Builder::new()
            .name(format!("waypost-{number}"))
            .spawn(move || {
                HERE.set(number);
                // An error says that the other end is gone, which is what is waited for.
                let _ = runtime.block_on(stopped);
                runtime.shutdown_background();
            })?;
        Ok(Self {
            handle,
            connections: Arc::default(),
            _stop: stop,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[tokio::test]
    async fn connections_are_dealt_out_evenly_and_stay_where_they_are() {
        let workers = Workers::start(3).unwrap();
        let mut places = Vec::new();
        let mut threads = Vec::new();
        for _ in 0..6 {
            let (handle, place) = workers.least_busy().unwrap();
            threads.push(handle.spawn(async { here() }).await.unwrap());
            places.push(place);
        }
        threads.sort_unstable();
        assert_eq!(threads, [1, 1, 2, 2, 3, 3]);
        // Whoever loses one gets the next.
        places.remove(4);
        let (handle, _place) = workers.least_busy().unwrap();
        assert_eq!(handle.spawn(async { here() }).await.unwrap(), 2);
        assert_eq!(here(), 0);
    }
}

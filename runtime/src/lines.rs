//! The calls that wait for room in limits whose outcome is `wait`: a line for each bucket.
//!
//! Invariants: a line is there as long as a call waits in it or has a place of its bucket, so that there are never more than
//! open calls; a place is given up when its call has been settled, and whoever is next is woken.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use waypost_policies::decision::Key;

use crate::gateway::lock;
use crate::queue::Queue;

/// The lines, by the bucket that is waited for.
#[derive(Debug, Default)]
pub(crate) struct Lines(Mutex<HashMap<Key, Arc<Queue>>>);

/// A line, as long as somebody has to do with it.
#[derive(Debug)]
pub(crate) struct Line {
    lines: Arc<Lines>,
    name: Key,
    queue: Arc<Queue>,
}

/// A call's place in a bucket that others may wait for.
#[derive(Debug)]
pub(crate) struct Place {
    line: Line,
    caller: u64,
}

impl Lines {
    /// The line of a bucket.
    pub(crate) fn line(self: &Arc<Self>, name: Key) -> Line {
        let queue = Arc::clone(lock(&self.0).entry(name).or_default());
        Line {
            lines: Arc::clone(self),
            name,
            queue,
        }
    }

    /// Whether nobody waits for a bucket who comes before a call of this priority, or with it.
    pub(crate) fn is_free_for(&self, name: Key, priority: i64) -> bool {
        let lines = lock(&self.0);
        let queue = lines.get(&name);
        queue.is_none_or(|queue| queue.is_free_for(priority))
    }

    /// How many calls wait, in all of them.
    pub(crate) fn waiting(&self) -> usize {
        lock(&self.0).values().map(|queue| queue.len()).sum()
    }
}

impl Line {
    pub(crate) fn queue(&self) -> &Queue {
        &self.queue
    }

    /// A call of this caller has got in.
    pub(crate) fn served(self, caller: u64) -> Place {
        self.queue.served(caller);
        Place { line: self, caller }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let mut lines = lock(&self.lines.0);
        // Lines are handed out under this lock: there is none beside this one and the map's own.
        if Arc::strong_count(&self.queue) == 2 {
            lines.remove(&self.name);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.line.queue.left(self.caller);
    }
}

//! The thread that syncs the log, tries again what failed, and makes checkpoints.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use waypost_policies::limits::{Log, Record, State};

use super::folder::{Folder, FolderLock, LedgerError, unusable};
use super::frame::{self, Marker};
use super::recovery::{Recovered, recover};
use super::writer::Writer;
use super::{Ledger, Unrecorded, lock};
use crate::metrics::Disk;

/// Between two syncs: a sync for each call would wear out the disk, and calls take longer than this.
const GROUP: Duration = Duration::from_millis(1);
/// How soon something that failed is tried again.
const AGAIN: Duration = Duration::from_millis(100);
/// By how much a segment grows beyond its checkpoint before the next one: so much, or as much as the checkpoint itself.
const GROWTH: u64 = 32 << 20;

/// A ledger and the thread that keeps it. When this is dropped, everything is synced.
#[derive(Debug)]
pub(crate) struct Keeper {
    ledger: Arc<Ledger>,
    thread: Option<JoinHandle<()>>,
    /// Given up last.
    _lock: FolderLock,
}

/// What is to be done for the next checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// None is needed until the segment is this long.
    Until(u64),
    /// A new segment is needed, for everything.
    Rotate,
    /// The segment is there, and gets everything that is used.
    Write,
}

impl Keeper {
    /// Opens a folder: the state that it says, and the log of what comes.
    ///
    /// `fresh` makes, from the folder's seed, a state of which nothing is used.
    pub(crate) fn open(
        path: &Path,
        fresh: impl FnOnce([u64; 2]) -> State,
        now: i64,
        figures: Disk,
    ) -> Result<(Arc<State>, Self), LedgerError> {
        let started = Instant::now();
        let (folder, lock_of_folder) = Folder::open(path)?;
        let Recovered {
            state,
            last,
            records,
            dropped,
        } = recover(&folder, fresh(folder.seed()), now)?;
        let mut first = Vec::new();
        frame::append(&mut first, frame::RECORD, |bytes| {
            state.declaration().encode(bytes);
        });
        let segment = last + 1;
        let segment_path = folder.segment_path(segment);
        let (file, length) = folder
            .create(segment, &first)
            .map_err(unusable(&segment_path))?;
        let (buckets, sessions) = state.len();
        tracing::info!(
            folder = %path.display(), records, buckets, sessions, dropped,
            milliseconds = started.elapsed().as_millis(),
            "limits and budgets are where they were"
        );
        let ledger = Arc::new(Ledger::new(
            folder,
            Writer::new(file, segment, length),
            figures,
        ));
        let state = Arc::new(state.logged(Arc::clone(&ledger) as Arc<dyn Log>));
        let (of_thread, kept) = (Arc::clone(&ledger), Arc::clone(&state));
        let thread = thread::Builder::new()
            .name("waypost-ledger".to_owned())
            .spawn(move || of_thread.keep(&kept))
            .map_err(unusable(path))?;
        *lock(&ledger.keeper) = Some(thread.thread().clone());
        let keeper = Self {
            ledger,
            thread: Some(thread),
            _lock: lock_of_folder,
        };
        Ok((state, keeper))
    }
}

impl std::ops::Deref for Keeper {
    type Target = Ledger;

    fn deref(&self) -> &Ledger {
        &self.ledger
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.ledger.stopping.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A thread that panicked has synced what it could.
            let _ = thread.join();
        }
    }
}

impl Ledger {
    fn keep(&self, state: &State) {
        let mut stage = Stage::Write;
        loop {
            let is_last = self.stopping.load(Ordering::Acquire);
            // What could not be written is tried again; at the end, what nobody asked for is written too.
            if self.is_failing() || is_last {
                let _ = self.flush(&mut lock(&self.writer));
            }
            // A checkpoint has no better chance than what waits to be written.
            if !is_last && lock(&self.trouble).write.is_none() {
                stage = self.check(state, stage);
            }
            self.sync();
            if is_last {
                return;
            }
            if self.is_failing() {
                thread::park_timeout(AGAIN);
            } else if self.dirty.load(Ordering::Acquire) {
                thread::sleep(GROUP);
            } else {
                thread::park();
                // A call has just been written; others come with it.
                thread::sleep(GROUP);
            }
        }
    }

    /// Syncs what was written, and says so in the file.
    fn sync(&self) {
        if !self.dirty.swap(false, Ordering::AcqRel) {
            return;
        }
        let (extent, position) = {
            let writer = lock(&self.writer);
            (writer.extent(), self.written.load(Ordering::Acquire))
        };
        let started = Instant::now();
        let result = extent.file.sync_data();
        self.figures
            .sync_seconds
            .observe(started.elapsed().as_secs_f64());
        if let Err(error) = result {
            self.unsynced(&error);
            return;
        }
        self.synced.send_modify(|synced| synced.position = position);
        let mut writer = lock(&self.writer);
        if writer.extent().segment == extent.segment {
            // Where it cannot be written now, the next one will be.
            let _ = writer.mark(Marker {
                segment: extent.segment,
                length: extent.length,
            });
        }
    }

    /// After a sync that failed the system may have forgotten what it should have written: only what is written anew
    /// is safe.
    pub(super) fn unsynced(&self, error: &std::io::Error) {
        self.figures.errors.inc();
        self.note(|trouble| trouble.sync = Some(error.to_string()));
    }

    /// Makes the checkpoint that is due.
    fn check(&self, state: &State, stage: Stage) -> Stage {
        let length = lock(&self.writer).extent().length;
        let stage = match stage {
            _ if lock(&self.trouble).sync.is_some() => Stage::Rotate,
            Stage::Until(most) if length >= most => Stage::Rotate,
            stage => stage,
        };
        let stage = match stage {
            Stage::Rotate if self.rotate(state) => Stage::Write,
            stage => stage,
        };
        match stage {
            Stage::Write => match self.write_all(state) {
                Ok(length) => Stage::Until(length + length.max(GROWTH)),
                Err(Unrecorded) => Stage::Write,
            },
            stage => stage,
        }
    }

    /// Goes on in a new segment. Whether there is one.
    fn rotate(&self, state: &State) -> bool {
        let mut first = Vec::new();
        frame::append(&mut first, frame::RECORD, |bytes| {
            state.declaration().encode(bytes);
        });
        let number = lock(&self.writer).extent().segment + 1;
        let (file, length) = match self.folder.create(number, &first) {
            Ok(created) => created,
            Err(error) => {
                tracing::warn!(%error, "a new file in the state directory cannot be made: the old one grows on");
                return false;
            }
        };
        let is_unsafe = lock(&self.trouble).sync.is_some();
        let old = {
            let mut writer = lock(&self.writer);
            if self.flush(&mut writer).is_err() && !is_unsafe {
                drop(writer);
                // Made anew once there is room.
                let _ = self.folder.remove(number);
                return false;
            }
            let old = writer.extent();
            writer.move_to(file, number, length);
            old
        };
        // Before anything of the new one is: what is synced has no gap.
        if !is_unsafe && let Err(error) = old.file.sync_data() {
            self.unsynced(&error);
        }
        true
    }

    /// Writes everything that is used into the segment, after which the ones before it are not needed.
    fn write_all(&self, state: &State) -> Result<u64, Unrecorded> {
        let mut part = 0;
        while state.checkpoint(part).is_some() {
            self.flush(&mut lock(&self.writer))?;
            part += 1;
        }
        self.append(&Record::complete());
        let extent = {
            let mut writer = lock(&self.writer);
            self.flush(&mut writer)?;
            writer.extent()
        };
        if let Err(error) = extent.file.sync_data() {
            self.unsynced(&error);
            return Err(Unrecorded);
        }
        self.note(|trouble| trouble.sync = None);
        if let Err(error) = self.folder.forget_before(extent.segment) {
            tracing::warn!(%error, "an old file of the state directory is still there");
        }
        Ok(extent.length)
    }
}

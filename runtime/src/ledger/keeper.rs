//! The thread that syncs the log, tries again what failed, and makes checkpoints.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use waypost_policies::limits::{Position, Record, State};

use super::folder::{Folder, FolderLock, LedgerError, unusable};
use super::frame::{self, Marker};
use super::recovery::{Recovered, recover};
use super::writer::Writer;
use super::{Chapter, ChapterLog, Ledger, Unrecorded, lock};
use crate::metrics::{Disk, Metrics};

/// Between two syncs: a sync for each call would wear out the disk, and calls take longer than this.
const GROUP: Duration = Duration::from_millis(1);
/// How soon something that failed is tried again.
const AGAIN: Duration = Duration::from_millis(100);
/// By how much a segment grows beyond its checkpoint before the next one: so much, or as much as the checkpoint itself.
const GROWTH: u64 = 32 << 20;

/// A ledger and the thread that keeps it. When this is dropped, everything is synced.
#[derive(Debug)]
pub struct Keeper {
    ledger: Arc<Ledger>,
    thread: Option<JoinHandle<()>>,
    /// How many states have followed the first.
    chapters: AtomicU64,
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
    ///
    /// # Errors
    ///
    /// When the folder cannot be used, or what it says is damaged.
    pub fn open(
        path: &Path,
        fresh: impl FnOnce([u64; 2]) -> State,
        now: i64,
    ) -> Result<(Arc<State>, Self), LedgerError> {
        Self::open_and_measure(path, fresh, now, Metrics::default().disk)
    }

    /// Puts everything up to a position into the file: from then on it survives the end of this process. Whether it
    /// could be.
    #[must_use]
    pub fn record(&self, position: Position) -> bool {
        self.ledger.commit(position).is_ok()
    }

    pub(crate) fn open_and_measure(
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
        let first = declaration(&state);
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
        let state = chapter(&ledger, 0, state);
        *lock(&ledger.kept) = Some(Chapter {
            number: 0,
            state: Arc::clone(&state),
        });
        let of_thread = Arc::clone(&ledger);
        let thread = thread::Builder::new()
            .name("waypost-ledger".to_owned())
            .spawn(move || of_thread.keep())
            .map_err(unusable(path))?;
        *lock(&ledger.keeper) = Some(thread.thread().clone());
        let keeper = Self {
            ledger,
            thread: Some(thread),
            chapters: AtomicU64::new(0),
            _lock: lock_of_folder,
        };
        Ok((state, keeper))
    }
}

impl Keeper {
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Takes in a state that is to follow the one that is kept. Its records are written once it is turned to.
    pub(crate) fn follow(&self, state: State) -> (u64, Arc<State>) {
        let number = self.chapters.fetch_add(1, Ordering::Relaxed) + 1;
        (number, chapter(&self.ledger, number, state))
    }

    /// From now on this state is kept.
    pub(crate) fn turn_to(&self, number: u64, state: &Arc<State>) {
        let declaration = declaration(state);
        {
            let mut pending = lock(&self.ledger.pending);
            pending.end += declaration.len() as u64;
            pending.bytes.extend(declaration);
            pending.chapter = number;
        }
        let state = Arc::clone(state);
        *lock(&self.ledger.kept) = Some(Chapter { number, state });
        self.ledger.turned.store(true, Ordering::Release);
        self.ledger.wake();
    }
}

fn chapter(ledger: &Arc<Ledger>, number: u64, state: State) -> Arc<State> {
    let ledger = Arc::clone(ledger);
    Arc::new(state.logged(Arc::new(ChapterLog { ledger, number })))
}

/// What a segment begins with.
fn declaration(state: &State) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame::append(&mut bytes, frame::RECORD, |bytes| {
        state.declaration().encode(bytes);
    });
    bytes
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.ledger.stopping.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A thread that panicked has synced what it could.
            let _ = thread.join();
        }
        // The state has the ledger for its log.
        *lock(&self.ledger.kept) = None;
    }
}

impl Ledger {
    fn keep(&self) {
        let mut stage = Stage::Write;
        loop {
            let is_last = self.stopping.load(Ordering::Acquire);
            // What could not be written is tried again; at the end, what nobody asked for is written too.
            if self.is_failing() || is_last {
                let _ = self.flush(&mut lock(&self.writer));
            }
            // A checkpoint has no better chance than what waits to be written.
            if !is_last && lock(&self.trouble).write.is_none() {
                stage = self.check(stage);
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
    fn check(&self, stage: Stage) -> Stage {
        let is_turned = self.turned.swap(false, Ordering::AcqRel);
        let Some(kept) = lock(&self.kept).clone() else {
            return stage;
        };
        let length = lock(&self.writer).extent().length;
        let stage = match stage {
            _ if is_turned || lock(&self.trouble).sync.is_some() => Stage::Rotate,
            Stage::Until(most) if length >= most => Stage::Rotate,
            stage => stage,
        };
        let stage = match stage {
            Stage::Rotate if self.rotate(&kept) => Stage::Write,
            stage => stage,
        };
        match stage {
            Stage::Write => match self.write_all(&kept) {
                Ok(Some(length)) => Stage::Until(length + length.max(GROWTH)),
                Ok(None) => Stage::Rotate,
                Err(Unrecorded) => Stage::Write,
            },
            stage => stage,
        }
    }

    /// Goes on in a new segment. Whether there is one.
    fn rotate(&self, kept: &Chapter) -> bool {
        let first = declaration(&kept.state);
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
            let is_written = self.flush(&mut writer).is_ok();
            // Nobody turns to another state while the segment that begins with this one's declaration is put in place.
            let pending = lock(&self.pending);
            if pending.chapter != kept.number || !(is_written || is_unsafe) {
                drop((pending, writer));
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

    /// Writes everything that is used into the segment, after which the ones before it are not needed. How long it is
    /// then; `None` where another state has taken the place of this one meanwhile.
    fn write_all(&self, kept: &Chapter) -> Result<Option<u64>, Unrecorded> {
        let mut part = 0;
        while kept.state.checkpoint(part).is_some() {
            self.flush(&mut lock(&self.writer))?;
            part += 1;
        }
        if self.append(kept.number, &Record::complete()) == Position::default() {
            return Ok(None);
        }
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
        Ok(Some(extent.length))
    }
}

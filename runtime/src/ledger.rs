//! Keeps what is used of limits and budgets on disk: an append-only log with checkpoints.
//!
//! Invariants:
//! - A reservation is in the file before its call leaves, and a settlement before its answer ends: what was acknowledged
//!   survives the end of this process at any point.
//! - The file is synced every few milliseconds, and no answer begins before its reservation is synced: what a client
//!   has seen something for survives the loss of power.
//! - A log that cannot be written or synced takes no new reservations, and says why. It goes on by itself.
//! - Records stand in the order in which they happened; what comes back is always a whole beginning of them. What was
//!   synced and cannot be read is an error that names the file, never dropped.
//! - One process at a time: the folder is locked.
//!
//! A write goes to the page cache, so it is made where the call is handled: handing it to another thread would cost
//! more than it. Only syncs and checkpoints have a thread of their own.

mod folder;
mod frame;
mod keeper;
mod recovery;
#[cfg(test)]
mod tests;
mod writer;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Thread;

use tokio::sync::watch;
use waypost_policies::limits::{Log, Position, Record, State};

use crate::metrics::Disk;
use folder::Folder;
pub use folder::LedgerError;
pub(crate) use folder::random_seed;
pub use keeper::Keeper;
use writer::Writer;

/// A thread's buffer that has grown beyond this is not kept.
const LARGEST_SCRATCH: usize = 64 << 10;

thread_local! {
    /// Where records are put together before anything global is locked.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The log of one folder.
#[derive(Debug)]
pub(crate) struct Ledger {
    folder: Folder,
    /// What was appended and not yet handed to the file.
    pending: Mutex<Pending>,
    writer: Mutex<Writer>,
    /// Up to which position the file has everything.
    written: AtomicU64,
    /// Whether the file has something that is not synced.
    dirty: AtomicBool,
    synced: watch::Sender<Synced>,
    trouble: Mutex<Trouble>,
    failing: AtomicBool,
    stopping: AtomicBool,
    keeper: Mutex<Option<Thread>>,
    /// The state whose records are written, and which checkpoints are made of.
    kept: Mutex<Option<Chapter>>,
    turned: AtomicBool,
    figures: Disk,
}

/// Frames on their way to the file.
#[derive(Debug, Default)]
struct Pending {
    bytes: Vec<u8>,
    /// The position of the last of them.
    end: u64,
    /// Whose records are taken in.
    chapter: u64,
}

/// A state that the log has: the one it began with, or that of a plan that took its place.
#[derive(Debug, Clone)]
struct Chapter {
    number: u64,
    state: Arc<State>,
}

/// The log as one chapter's state has it.
#[derive(Debug)]
struct ChapterLog {
    ledger: Arc<Ledger>,
    number: u64,
}

/// Up to which position everything survives the loss of power.
#[derive(Debug, Clone, Copy, Default)]
struct Synced {
    position: u64,
    is_failing: bool,
}

/// What keeps the log from being written.
#[derive(Debug, Default)]
struct Trouble {
    write: Option<String>,
    sync: Option<String>,
}

/// The log cannot be written: what it should hold is not safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unrecorded;

impl Ledger {
    fn new(folder: Folder, writer: Writer, figures: Disk) -> Self {
        Self {
            folder,
            pending: Mutex::default(),
            writer: Mutex::new(writer),
            written: AtomicU64::new(0),
            dirty: AtomicBool::new(true),
            synced: watch::Sender::new(Synced::default()),
            trouble: Mutex::default(),
            failing: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            keeper: Mutex::default(),
            kept: Mutex::default(),
            turned: AtomicBool::new(false),
            figures,
        }
    }

    /// Whether nothing can be recorded now.
    pub(crate) fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Acquire)
    }

    /// What keeps it from being written, and where.
    pub(crate) fn trouble(&self) -> Option<String> {
        let trouble = lock(&self.trouble);
        let reason = trouble.write.as_ref().or(trouble.sync.as_ref())?;
        let folder = self.folder.path().display();
        Some(format!("state directory `{folder}`: {reason}"))
    }

    /// Puts everything up to a position into the file.
    ///
    /// # Errors
    ///
    /// When the file cannot be written. It stays on its way there.
    pub(crate) fn commit(&self, position: Position) -> Result<(), Unrecorded> {
        if self.written.load(Ordering::Acquire) >= position.0 {
            return Ok(());
        }
        let mut writer = lock(&self.writer);
        // Whoever had the file before may have written this as well.
        if self.written.load(Ordering::Acquire) >= position.0 {
            return Ok(());
        }
        self.flush(&mut writer)
    }

    /// Waits until everything up to a position survives the loss of power, or until that cannot be had.
    pub(crate) async fn secure(&self, position: Position) {
        let is_over = |synced: &Synced| synced.position >= position.0 || synced.is_failing;
        if is_over(&self.synced.borrow()) {
            return;
        }
        // The sender is this ledger: it is there as long as we are.
        let _ = self.synced.subscribe().wait_for(is_over).await;
    }

    fn flush(&self, writer: &mut Writer) -> Result<(), Unrecorded> {
        let end = {
            let mut pending = lock(&self.pending);
            writer.take_in(&mut pending.bytes);
            pending.end
        };
        match writer.write() {
            Ok(()) => {
                self.written.store(end, Ordering::Release);
                self.figures.bytes.set(writer.bytes());
                if self.is_failing() {
                    self.note(|trouble| trouble.write = None);
                }
                if !self.dirty.swap(true, Ordering::AcqRel) {
                    self.wake();
                }
                Ok(())
            }
            Err(error) => {
                self.figures.errors.inc();
                self.note(|trouble| trouble.write = Some(error.to_string()));
                Err(Unrecorded)
            }
        }
    }

    /// Changes what is in the way, and tells of it when calls begin to be refused, or to be taken again.
    fn note(&self, change: impl FnOnce(&mut Trouble)) {
        let is_failing = {
            let mut trouble = lock(&self.trouble);
            change(&mut trouble);
            trouble.write.is_some() || trouble.sync.is_some()
        };
        let was_failing = self.failing.swap(is_failing, Ordering::AcqRel);
        if is_failing == was_failing {
            return;
        }
        self.figures.failing.set(i64::from(is_failing));
        self.synced
            .send_modify(|synced| synced.is_failing = is_failing);
        match self.trouble() {
            Some(reason) => {
                tracing::error!(reason, "calls that limits count are refused");
                self.wake();
            }
            None => tracing::info!("the state directory can be written again: calls go on"),
        }
    }

    /// The keeper has something to do.
    fn wake(&self) {
        if let Some(thread) = &*lock(&self.keeper) {
            thread.unpark();
        }
    }
}

impl Log for ChapterLog {
    fn append(&self, record: &Record<'_>) -> Position {
        self.ledger.append(self.number, record)
    }
}

impl Ledger {
    /// Takes a record in. Those of a chapter that is over mean nothing any more: they have no position.
    fn append(&self, chapter: u64, record: &Record<'_>) -> Position {
        SCRATCH.with_borrow_mut(|scratch| {
            scratch.clear();
            frame::append(scratch, frame::RECORD, |bytes| record.encode(bytes));
            let position = {
                let mut pending = lock(&self.pending);
                if pending.chapter != chapter {
                    return Position::default();
                }
                pending.bytes.extend_from_slice(scratch);
                pending.end += scratch.len() as u64;
                Position(pending.end)
            };
            self.figures.records.inc();
            if scratch.capacity() > LARGEST_SCRATCH {
                *scratch = Vec::new();
            }
            position
        })
    }
}

/// Where limits and budgets are kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum StateStore {
    /// In memory: a restart forgets what was used.
    #[default]
    Memory,
    /// In this folder, which is made where it is not there.
    Folder(PathBuf),
}

impl StateStore {
    /// What a command line says: a folder, or the word `memory`.
    #[must_use]
    pub fn named(name: &Path) -> Self {
        match name.as_os_str() == "memory" {
            true => Self::Memory,
            false => Self::Folder(name.to_owned()),
        }
    }

    /// The folder, if there is one.
    pub(crate) fn folder(&self) -> Option<&Path> {
        match self {
            Self::Memory => None,
            Self::Folder(folder) => Some(folder),
        }
    }
}

/// A panic elsewhere leaves whole values behind.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! The folder of a ledger: one process at a time, a seed, and numbered segments.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};

use super::frame::{HEADER, Header};

const LOCK: &str = "lock";
const SEED: &str = "seed";
const ENDING: &str = ".ledger";
const NEW: &str = "new";

/// Why limits and budgets cannot be kept in a folder.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The folder or a file in it cannot be used.
    #[error("state directory: `{}`: {reason}: give a folder that can be written with `--state DIR`", path.display())]
    Unusable {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
    /// Another process has it.
    #[error("state directory `{}` is in use by another process: each needs its own `--state DIR`", .0.display())]
    Locked(PathBuf),
    /// A file is not as it was written.
    #[error("state directory: `{}` is damaged {place}: restore it, or begin with nothing used in another `--state DIR`", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// Where, and how.
        place: String,
    },
    /// A file is gone.
    #[error("state directory: `{}` is missing: restore it, or begin with nothing used in another `--state DIR`", .0.display())]
    Missing(PathBuf),
    /// The system gave no random numbers.
    #[error("the system gave no random numbers")]
    Random,
}

/// A folder that is this process's alone.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    seed: [u64; 2],
}

/// What keeps other processes out while it lives. The system lets go of it when the process ends, however it does.
#[derive(Debug)]
pub(super) struct FolderLock(#[expect(dead_code, reason = "held, not used")] File);

impl Folder {
    /// Takes the folder, which is made where it is not there.
    pub(super) fn open(path: &Path) -> Result<(Self, FolderLock), LedgerError> {
        make(path).map_err(unusable(path))?;
        let lock_path = path.join(LOCK);
        let lock = private().open(&lock_path).map_err(unusable(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LedgerError::Locked(path.to_owned())),
            Err(TryLockError::Error(reason)) => return Err(unusable(&lock_path)(reason)),
        }
        let mut folder = Self {
            path: path.to_owned(),
            seed: [0; 2],
        };
        folder.seed = folder.find_seed()?;
        Ok((folder, FolderLock(lock)))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What the keys of quotas are made with.
    pub(super) const fn seed(&self) -> [u64; 2] {
        self.seed
    }

    pub(super) fn header(&self, segment: u64) -> Header {
        let [first, second] = self.seed.map(u64::to_le_bytes);
        let text = [&b"waypost ledger seed"[..], &first, &second].concat();
        let digest = digest(&SHA256, &text);
        let start = digest.as_ref().first_chunk().copied().unwrap_or_default();
        Header {
            segment,
            seed_fingerprint: u64::from_le_bytes(start),
        }
    }

    pub(super) fn segment_path(&self, segment: u64) -> PathBuf {
        self.path.join(format!("{segment:016}{ENDING}"))
    }

    /// The numbers of the segments, in order.
    pub(super) fn segments(&self) -> Result<Vec<u64>, LedgerError> {
        let mut segments = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(unusable(&self.path))? {
            let name = entry.map_err(unusable(&self.path))?.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(ENDING));
            segments.extend(number.and_then(|number| number.parse::<u64>().ok()));
        }
        segments.sort_unstable();
        Ok(segments)
    }

    /// Makes a segment that begins with this frame; it is there whole, or not at all.
    pub(super) fn create(&self, segment: u64, first_frame: &[u8]) -> io::Result<(File, u64)> {
        let path = self.segment_path(segment);
        let mut bytes = self.header(segment).bytes();
        debug_assert_eq!(bytes.len(), HEADER);
        bytes.extend_from_slice(first_frame);
        self.write_whole(&path, &bytes)?;
        let file = private().open(&path)?;
        Ok((file, bytes.len() as u64))
    }

    /// Removes the segments before this one.
    pub(super) fn forget_before(&self, segment: u64) -> Result<(), LedgerError> {
        for number in self
            .segments()?
            .into_iter()
            .filter(|&found| found < segment)
        {
            self.remove(number)?;
        }
        Ok(())
    }

    pub(super) fn remove(&self, segment: u64) -> Result<(), LedgerError> {
        let path = self.segment_path(segment);
        fs::remove_file(&path).map_err(unusable(&path))?;
        self.sync_names().map_err(unusable(&self.path))
    }

    fn find_seed(&self) -> Result<[u64; 2], LedgerError> {
        let path = self.path.join(SEED);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // With another seed, nothing that was used would be found again.
                if !self.segments()?.is_empty() {
                    return Err(LedgerError::Missing(path));
                }
                let seed = random_seed().ok_or(LedgerError::Random)?;
                let [first, second] = seed;
                let text = format!("{first:016x}{second:016x}\n");
                self.write_whole(&path, text.as_bytes())
                    .map_err(unusable(&path))?;
                return Ok(seed);
            }
            Err(reason) => return Err(unusable(&path)(reason)),
        };
        let halves = text.trim_end().split_at_checked(16);
        let read = halves.and_then(|(first, second)| {
            let read = |half| u64::from_str_radix(half, 16).ok();
            Some([read(first)?, read(second)?])
        });
        read.ok_or_else(|| LedgerError::Damaged {
            path,
            place: "(it is not 32 hexadecimal digits)".to_owned(),
        })
    }

    fn write_whole(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let new = path.with_extension(NEW);
        let mut file = private().truncate(true).open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        self.sync_names()
    }

    /// So that names of files survive as well.
    #[cfg(unix)]
    fn sync_names(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }

    #[cfg(not(unix))]
    fn sync_names(&self) -> io::Result<()> {
        Ok(())
    }
}

/// A secret seed for the keys of quotas.
pub(crate) fn random_seed() -> Option<[u64; 2]> {
    let mut halves = [[0; 8]; 2];
    for half in &mut halves {
        SystemRandom::new().fill(half).ok()?;
    }
    Some(halves.map(u64::from_le_bytes))
}

pub(super) fn unusable(path: &Path) -> impl Fn(io::Error) -> LedgerError + use<> {
    let path = path.to_owned();
    move |reason| LedgerError::Unusable {
        path: path.clone(),
        reason,
    }
}

/// For reading and writing, made where it is not there, and nobody else's.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn make(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

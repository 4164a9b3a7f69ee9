//! The audit log: a line of JSON for each decided call, with what it was charged, in a folder of its own.
//!
//! Invariants: a line is in the file before its call's answer ends, so it survives the end of this process (the loss of
//! power may take the last seconds); a line stands whole or not at all; while lines cannot be written they wait in
//! memory and no new call is served, so that there are never more of them than calls were running; no line holds a
//! prompt, an answer or a key.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock;

/// The file that is written to.
const CURRENT: &str = "audit.jsonl";
/// A file that has grown to this is put aside, in bytes.
const LARGEST: u64 = 64 << 20;
/// So many that were put aside are kept: some gigabytes, about ten million calls.
const KEPT: usize = 100;

/// Why the folder of the audit log cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the audit log in `{}`: {reason}", folder.display())]
pub struct AuditError {
    folder: PathBuf,
    reason: io::Error,
}

/// The audit log.
#[derive(Debug)]
pub(crate) struct Audit {
    folder: PathBuf,
    current: Mutex<Current>,
    failing: AtomicBool,
    largest: u64,
    kept: usize,
}

#[derive(Debug)]
struct Current {
    file: File,
    length: u64,
    /// Lines that could not be written yet.
    waiting: Vec<u8>,
    /// Why not.
    trouble: Option<String>,
}

impl Audit {
    /// Goes on with the log of a folder, which is made where it is not there.
    pub(crate) fn open(folder: &Path) -> Result<Self, AuditError> {
        Self::bounded(folder, LARGEST, KEPT)
    }

    fn bounded(folder: &Path, largest: u64, kept: usize) -> Result<Self, AuditError> {
        let failed = |reason| AuditError {
            folder: folder.to_owned(),
            reason,
        };
        fs::create_dir_all(folder).map_err(failed)?;
        Ok(Self {
            folder: folder.to_owned(),
            current: Mutex::new(Current::open(&folder.join(CURRENT)).map_err(failed)?),
            failing: AtomicBool::new(false),
            largest,
            kept,
        })
    }

    /// Writes a line, which ends without a line's end.
    pub(crate) fn write(&self, line: &[u8]) {
        let mut current = self.lock();
        current.waiting.extend_from_slice(line);
        current.waiting.push(b'\n');
        self.flush(&mut current);
    }

    /// Whether what calls come to can be written down now. Where it could not be, this tries again.
    pub(crate) fn can_record(&self) -> bool {
        if !self.failing.load(Ordering::Relaxed) {
            return true;
        }
        self.flush(&mut self.lock())
    }

    /// Why nothing can be written, if that is so.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.can_record();
        let reason = self.lock().trouble.clone()?;
        Some(format!(
            "the audit log in `{}` cannot be written: {reason}",
            self.folder.display()
        ))
    }

    fn flush(&self, current: &mut Current) -> bool {
        let written = current.flush();
        self.failing.store(written.is_err(), Ordering::Relaxed);
        match written {
            Ok(()) => {
                if current.trouble.take().is_some() {
                    tracing::info!("the audit log goes on");
                }
                if current.length >= self.largest {
                    self.put_aside(current);
                }
                true
            }
            Err(error) => {
                if current.trouble.is_none() {
                    tracing::error!(
                        "the audit log cannot be written, so no call is served: {error}"
                    );
                }
                current.trouble = Some(error.to_string());
                false
            }
        }
    }

    /// Begins a new file. Where that cannot be, the old one goes on.
    fn put_aside(&self, current: &mut Current) {
        let path = self.folder.join(CURRENT);
        let aside = self.folder.join(format!("audit-{}.jsonl", clock::now()));
        let renewed = fs::rename(&path, &aside).and_then(|()| Current::open(&path));
        match renewed {
            Ok(next) => {
                *current = next;
                self.forget_oldest();
            }
            Err(error) => tracing::warn!("the audit log cannot begin a new file: {error}"),
        }
    }

    fn forget_oldest(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else {
            return;
        };
        let mut aside: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| is_aside(path))
            .collect();
        // Their names are times of the same number of digits.
        aside.sort();
        let surplus = aside.len().saturating_sub(self.kept);
        for path in aside.iter().take(surplus) {
            if let Err(error) = fs::remove_file(path) {
                tracing::warn!("`{}` cannot be removed: {error}", path.display());
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_aside(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let time = name.and_then(|name| name.strip_prefix("audit-")?.strip_suffix(".jsonl"));
    time.is_some_and(|time| time.bytes().all(|digit| digit.is_ascii_digit()))
}

impl Current {
    fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let mut current = Self {
            length: file.metadata()?.len(),
            file,
            waiting: Vec::new(),
            trouble: None,
        };
        current.mend(path)?;
        Ok(current)
    }

    /// What a crash left without a line's end is no line.
    fn mend(&mut self, path: &Path) -> io::Result<()> {
        // What is no file, such as a pipe to a collector, keeps nothing that could be mended.
        if !self.file.metadata()?.is_file() {
            return Ok(());
        }
        let whole = whole_lines(path)?;
        if whole < self.length {
            self.file.set_len(whole)?;
            self.length = whole;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let written = self.file.write_all(&self.waiting);
        if let Err(error) = written {
            // A part of a line would make the next one unreadable.
            self.file.set_len(self.length)?;
            return Err(error);
        }
        self.length += self.waiting.len() as u64;
        self.waiting.clear();
        Ok(())
    }
}

/// How long the file is up to the end of its last whole line.
fn whole_lines(path: &Path) -> io::Result<u64> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    /// More than a line.
    const TAIL: u64 = 1 << 20;
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let start = length.saturating_sub(TAIL);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let end = tail.iter().rposition(|byte| *byte == b'\n');
    Ok(end.map_or(start, |end| start + end as u64 + 1))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
    use super::*;

    /// A folder that is removed with its test.
    struct Place(PathBuf);

    impl Place {
        fn new(name: &str) -> Self {
            let id = std::process::id();
            let path = std::env::temp_dir().join(format!("waypost-audit-{name}-{id}"));
            let _ = fs::remove_dir_all(&path);
            Self(path)
        }

        fn read(&self) -> String {
            fs::read_to_string(self.0.join(CURRENT)).unwrap()
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn lines_go_on_after_a_restart_and_half_a_line_is_none() {
        let place = Place::new("restart");
        Audit::open(&place.0).unwrap().write(b"one");
        let half = OpenOptions::new().append(true).open(place.0.join(CURRENT));
        half.unwrap().write_all(b"tw").unwrap();
        Audit::open(&place.0).unwrap().write(b"three");
        assert_eq!(place.read(), "one\nthree\n");
    }

    #[test]
    fn files_that_are_full_are_put_aside_and_the_oldest_go() {
        let place = Place::new("full");
        let audit = Audit::bounded(&place.0, 8, 2).unwrap();
        for line in ["aaaaaaaa", "bbbbbbbb", "cccccccc", "dd"] {
            audit.write(line.as_bytes());
        }
        assert_eq!(place.read(), "dd\n");
        let mut aside: Vec<PathBuf> = fs::read_dir(&place.0)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| is_aside(path))
            .collect();
        aside.sort();
        let texts: Vec<String> = aside
            .iter()
            .map(|path| fs::read_to_string(path).unwrap())
            .collect();
        assert_eq!(texts, ["bbbbbbbb\n", "cccccccc\n"]);
    }

    #[test]
    fn what_cannot_be_written_waits_and_is_told() {
        let place = Place::new("wait");
        let audit = Audit::open(&place.0).unwrap();
        audit.write(b"one");
        // A file that is open for reading takes nothing, as a full disk does not.
        let sound = {
            let mut current = audit.lock();
            let closed = File::open(place.0.join(CURRENT)).unwrap();
            std::mem::replace(&mut current.file, closed)
        };
        audit.write(b"two");
        assert!(!audit.can_record());
        assert!(
            audit
                .trouble()
                .expect("trouble")
                .contains("cannot be written")
        );
        audit.lock().file = sound;
        assert!(audit.can_record() && audit.trouble().is_none());
        assert_eq!(place.read(), "one\ntwo\n");
    }
}

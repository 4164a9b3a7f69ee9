//! The segment that is written now.
//!
//! Invariant: `length` is the end of what is whole. A write that failed half way is made again at the same place.

use std::fs::File;
use std::io;
use std::sync::Arc;

use super::frame::Marker;

/// The segment that is written now, and what it still has to get.
#[derive(Debug)]
pub(super) struct Writer {
    file: Arc<File>,
    segment: u64,
    length: u64,
    unwritten: Vec<u8>,
}

/// How far a segment is written.
#[derive(Debug, Clone)]
pub(super) struct Extent {
    pub(super) file: Arc<File>,
    pub(super) segment: u64,
    pub(super) length: u64,
}

impl Writer {
    pub(super) fn new(file: File, segment: u64, length: u64) -> Self {
        Self {
            file: Arc::new(file),
            segment,
            length,
            unwritten: Vec::new(),
        }
    }

    /// Takes in frames to write; leaves an empty buffer.
    pub(super) fn take_in(&mut self, frames: &mut Vec<u8>) {
        if self.unwritten.is_empty() {
            std::mem::swap(&mut self.unwritten, frames);
        } else {
            self.unwritten.append(frames);
        }
    }

    /// Writes all that it has taken in.
    pub(super) fn write(&mut self) -> io::Result<()> {
        write_at(&self.file, &self.unwritten, self.length)?;
        self.length += self.unwritten.len() as u64;
        self.unwritten.clear();
        Ok(())
    }

    /// Writes a marker, unless there is something before it that is not written.
    pub(super) fn mark(&mut self, marker: Marker) -> io::Result<()> {
        if self.unwritten.is_empty() {
            self.unwritten = marker.frame();
            self.write()?;
        }
        Ok(())
    }

    /// Goes on in another segment, with what the last one did not get.
    pub(super) fn move_to(&mut self, file: File, segment: u64, length: u64) {
        self.file = Arc::new(file);
        self.segment = segment;
        self.length = length;
    }

    pub(super) fn extent(&self) -> Extent {
        Extent {
            file: Arc::clone(&self.file),
            segment: self.segment,
            length: self.length,
        }
    }

    pub(super) fn bytes(&self) -> i64 {
        i64::try_from(self.length).unwrap_or(i64::MAX)
    }
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

#[cfg(not(unix))]
fn write_at(mut file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    use std::io::{Seek as _, SeekFrom, Write as _};
    file.seek(SeekFrom::Start(offset))?;
    file.write_all(bytes)
}

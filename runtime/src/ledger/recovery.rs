//! Reads the segments of a folder back into a state.
//!
//! Invariants: what comes back is a whole beginning of what was written. Where it ends before the end of the files, no
//! marker says that the rest had been synced; the rest is cut off, so that nothing is ever read behind it.

use std::fs::{self, File};
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};

use waypost_policies::limits::{Replay, State};

use super::folder::{Folder, LedgerError, unusable};
use super::frame::{Frames, HEADER, Header, Marker, Next};

/// How much is read at a time.
const BUFFER: usize = 1 << 20;

/// What came back.
#[derive(Debug)]
pub(super) struct Recovered {
    pub(super) state: State,
    /// The number of the last segment; 0 where there is none.
    pub(super) last: u64,
    pub(super) records: u64,
    /// Bytes at the end that were no whole record.
    pub(super) dropped: u64,
}

/// Brings back what a folder says, on top of a state of which nothing is used.
pub(super) fn recover(folder: &Folder, fresh: State, now: i64) -> Result<Recovered, LedgerError> {
    let segments = folder.segments()?;
    let mut replay = Replay::new(fresh);
    let (mut records, mut dropped, mut is_complete) = (0, 0, false);
    let mut last = 0;
    for (place, &segment) in segments.iter().enumerate() {
        if last != 0 && segment != last + 1 {
            return Err(LedgerError::Missing(folder.segment_path(last + 1)));
        }
        last = segment;
        let read = read(folder, segment, &mut replay)?;
        records += read.records;
        is_complete |= replay.is_complete();
        if let Some(offset) = read.broken_at {
            let later = segments.get(place + 1..).unwrap_or_default();
            dropped = cut(folder, segment, offset, later)?;
            break;
        }
    }
    if let Some(first) = segments.first().filter(|&&first| first > 1 && !is_complete) {
        return Err(LedgerError::Missing(folder.segment_path(first - 1)));
    }
    Ok(Recovered {
        state: replay.finish(now),
        last,
        records,
        dropped,
    })
}

/// What was found in one segment.
struct Read {
    records: u64,
    broken_at: Option<u64>,
}

fn read(folder: &Folder, segment: u64, replay: &mut Replay) -> Result<Read, LedgerError> {
    let path = folder.segment_path(segment);
    let damaged = |place: String| LedgerError::Damaged {
        path: path.clone(),
        place,
    };
    let failed = unusable(&path);
    let file = File::open(&path).map_err(&failed)?;
    let size = file.metadata().map_err(&failed)?.len();
    let mut source = BufReader::with_capacity(BUFFER, file);
    let header = Header::read(&mut source).map_err(|error| damaged(format!("({error})")))?;
    if header != folder.header(segment) {
        let place = "(it is another folder's, or another seed's)";
        return Err(damaged(place.to_owned()));
    }
    let mut frames = Frames::new(source, size.saturating_sub(HEADER as u64));
    let (mut records, mut content) = (0, Vec::new());
    loop {
        let offset = size - frames.left();
        match frames.next_frame(&mut content).map_err(&failed)? {
            Next::Record => {
                let unknown = |error| damaged(format!("at byte {offset} ({error})"));
                replay.apply(record(&content)).map_err(unknown)?;
                records += 1;
            }
            Next::Marker(_) => {}
            Next::End => {
                let broken_at = None;
                return Ok(Read { records, broken_at });
            }
            Next::Broken => {
                let broken_at = Some(offset);
                return Ok(Read { records, broken_at });
            }
        }
    }
}

/// Without what says that it is one.
fn record(content: &[u8]) -> &[u8] {
    content.split_first().map_or(&[], |(_, record)| record)
}

/// Cuts off what cannot be read, unless it had been synced. How many bytes that were.
fn cut(folder: &Folder, segment: u64, offset: u64, later: &[u64]) -> Result<u64, LedgerError> {
    let path = folder.segment_path(segment);
    let failed = unusable(&path);
    let mut file = File::options()
        .read(true)
        .write(true)
        .open(&path)
        .map_err(&failed)?;
    let mut rest = Vec::new();
    file.seek(SeekFrom::Start(offset)).map_err(&failed)?;
    file.read_to_end(&mut rest).map_err(&failed)?;
    let was_synced = |bytes: &[u8]| Marker::find_all(bytes).any(|it| it.covers(segment, offset));
    let mut is_damaged = was_synced(&rest);
    let mut dropped = rest.len() as u64;
    for &number in later {
        let path = folder.segment_path(number);
        let bytes = fs::read(&path).map_err(unusable(&path))?;
        is_damaged |= was_synced(&bytes);
        dropped += bytes.len() as u64;
    }
    if is_damaged {
        let place = format!("at byte {offset}");
        return Err(LedgerError::Damaged { path, place });
    }
    // The last first, so that there is never a gap.
    for &number in later.iter().rev() {
        folder.remove(number)?;
    }
    file.set_len(offset).map_err(&failed)?;
    file.sync_all().map_err(&failed)?;
    tracing::warn!(
        file = %path.display(), offset, dropped,
        "the end of the log is not whole: it was being written when the process or the machine stopped; what was synced is all there"
    );
    Ok(dropped)
}

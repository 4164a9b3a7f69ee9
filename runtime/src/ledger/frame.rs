//! How records stand in a file: a header, then frames of length, checksum and content.
//!
//! Everything is little-endian. A marker is a frame that says up to where the files had been synced when it was
//! written: a frame that cannot be read is the torn end of the log unless a marker behind it says that it was whole.

use std::io::{self, Read};

/// A record of the state.
pub(super) const RECORD: u8 = 1;
const MARKER: u8 = 2;

/// Length and checksum.
const HEAD: usize = 8;
/// Unlikely in anything else, so that markers are found in what cannot be read.
const MARKER_MAGIC: &[u8; 16] = b"\xf6waypost-synced\xf6";
const MARKER_CONTENT: usize = MARKER_MAGIC.len() + 16;

const MAGIC: &[u8; 16] = b"waypost-ledger\r\n";
const VERSION: u32 = 1;
/// The length of a file's header.
pub(super) const HEADER: usize = 40;

/// Which file, and whose seed its keys are made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) segment: u64,
    pub(super) seed_fingerprint: u64,
}

/// Why a file's header is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum HeaderError {
    #[error("it is no ledger, or its header is damaged")]
    Damaged,
    #[error(
        "it has version {0}, and this program reads version {VERSION}: use the version that wrote it"
    )]
    Version(u32),
}

impl Header {
    pub(super) fn bytes(self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(self.segment.to_le_bytes());
        bytes.extend(self.seed_fingerprint.to_le_bytes());
        let checksum = crc32fast::hash(&bytes);
        bytes.extend(checksum.to_le_bytes());
        bytes
    }

    pub(super) fn read(source: &mut impl Read) -> Result<Self, HeaderError> {
        let (mut magic, mut version) = ([0; 16], [0; 4]);
        let (mut segment, mut seed, mut checksum) = ([0; 8], [0; 8], [0; 4]);
        for part in [
            &mut magic[..],
            &mut version,
            &mut segment,
            &mut seed,
            &mut checksum,
        ] {
            source.read_exact(part).map_err(|_| HeaderError::Damaged)?;
        }
        let header = Self {
            segment: u64::from_le_bytes(segment),
            seed_fingerprint: u64::from_le_bytes(seed),
        };
        let version = u32::from_le_bytes(version);
        if &magic == MAGIC && version != VERSION {
            return Err(HeaderError::Version(version));
        }
        let is_whole = header.bytes().ends_with(&checksum) && &magic == MAGIC;
        is_whole.then_some(header).ok_or(HeaderError::Damaged)
    }
}

/// Appends a frame with this content.
pub(super) fn append(bytes: &mut Vec<u8>, kind: u8, content: impl FnOnce(&mut Vec<u8>)) {
    let start = bytes.len();
    bytes.extend([0; HEAD]);
    bytes.push(kind);
    content(bytes);
    if let Some((head, content)) = bytes
        .get_mut(start..)
        .and_then(|frame| frame.split_first_chunk_mut::<HEAD>())
    {
        // A shard of a million buckets has some hundred megabytes.
        let length = u32::try_from(content.len())
            .unwrap_or(u32::MAX)
            .to_le_bytes();
        let checksum = checksum(length, content).to_le_bytes();
        let (first, second) = head.split_at_mut(4);
        first.copy_from_slice(&length);
        second.copy_from_slice(&checksum);
    }
}

fn checksum(length: [u8; 4], content: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length);
    hasher.update(content);
    hasher.finalize()
}

/// What was synced when a marker was written: a segment up to this length, and all segments before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marker {
    pub(super) segment: u64,
    pub(super) length: u64,
}

impl Marker {
    pub(super) fn frame(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD + 1 + MARKER_CONTENT);
        append(&mut bytes, MARKER, |content| {
            content.extend(MARKER_MAGIC);
            content.extend(self.segment.to_le_bytes());
            content.extend(self.length.to_le_bytes());
        });
        bytes
    }

    /// Whether a byte of a segment had been synced.
    pub(super) const fn covers(self, segment: u64, offset: u64) -> bool {
        self.segment > segment || (self.segment == segment && self.length > offset)
    }

    /// Those that can be found in bytes of which nothing is known.
    pub(super) fn find_all(bytes: &[u8]) -> impl Iterator<Item = Self> + '_ {
        memchr::memmem::find_iter(bytes, MARKER_MAGIC).filter_map(|found| {
            let start = found.checked_sub(HEAD + 1)?;
            let frame = bytes.get(start..start + HEAD + 1 + MARKER_CONTENT)?;
            match Frames::new(frame, frame.len() as u64).next_frame(&mut Vec::new()) {
                Ok(Next::Marker(marker)) => Some(marker),
                _ => None,
            }
        })
    }

    fn read(content: &[u8]) -> Option<Self> {
        let (segment, length) = content.strip_prefix(MARKER_MAGIC)?.split_first_chunk()?;
        Some(Self {
            segment: u64::from_le_bytes(*segment),
            length: u64::from_le_bytes(length.try_into().ok()?),
        })
    }
}

/// The frames of a file, behind its header.
pub(super) struct Frames<R> {
    source: R,
    /// How many bytes there are still.
    left: u64,
}

/// What comes next in a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A record: it is in the buffer now, behind the byte that says so.
    Record,
    Marker(Marker),
    End,
    /// Bytes that are no whole frame.
    Broken,
}

impl<R: Read> Frames<R> {
    pub(super) const fn new(source: R, left: u64) -> Self {
        Self { source, left }
    }

    /// How many bytes there are still.
    pub(super) const fn left(&self) -> u64 {
        self.left
    }

    /// The next frame; a record is put into `content`.
    pub(super) fn next_frame(&mut self, content: &mut Vec<u8>) -> io::Result<Next> {
        if self.left == 0 {
            return Ok(Next::End);
        }
        let Some(left) = self.left.checked_sub(HEAD as u64) else {
            return Ok(Next::Broken);
        };
        let (mut length, mut expected) = ([0; 4], [0; 4]);
        self.source.read_exact(&mut length)?;
        self.source.read_exact(&mut expected)?;
        let size = u32::from_le_bytes(length);
        let Some(left) = left.checked_sub(size.into()) else {
            return Ok(Next::Broken);
        };
        content.resize(size as usize, 0);
        self.source.read_exact(content)?;
        self.left = left;
        if checksum(length, content) != u32::from_le_bytes(expected) {
            return Ok(Next::Broken);
        }
        match content.split_first() {
            Some((&RECORD, _)) => Ok(Next::Record),
            Some((&MARKER, content)) => {
                Ok(Marker::read(content).map_or(Next::Broken, Next::Marker))
            }
            _ => Ok(Next::Broken),
        }
    }
}

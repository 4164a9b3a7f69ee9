//! Seals a draft.
//!
//! Deterministic: the same draft gives the same bytes. Numbers are little-endian and of fixed width. A string or
//! count beyond 32 bits cannot be expressed; it is written as a length that no plan can have, and no loader takes it.

use std::collections::HashMap;

use super::column::{Column, Row};
use super::draft::Draft;
use super::view::Root;
use super::{FORMAT, HEADER, MAGIC, TABLE_ENTRY, section};

/// A draft as a sealed file.
#[must_use]
pub fn encode(draft: &Draft) -> Vec<u8> {
    let mut writer = Writer::new();
    let mut root = Vec::with_capacity(Root::WIDTH);
    Root::write(draft, &mut root, &mut writer);
    writer.append(section::ROOT, &root);
    writer.seal()
}

/// The sections as they grow.
pub struct Writer {
    sections: [Vec<u8>; section::COUNT],
    strings: HashMap<String, u32>,
}

impl Writer {
    fn new() -> Self {
        Self {
            sections: std::array::from_fn(|_| Vec::new()),
            strings: HashMap::new(),
        }
    }

    fn length(&self, number: usize) -> usize {
        self.sections.get(number).map_or(0, Vec::len)
    }

    fn append(&mut self, number: usize, bytes: &[u8]) {
        if let Some(section) = self.sections.get_mut(number) {
            section.extend_from_slice(bytes);
        }
    }

    pub(super) fn text(&mut self, text: &str, record: &mut Vec<u8>) {
        let start = match self.strings.get(text) {
            Some(start) => *start,
            None => {
                let start = clamp(self.length(section::HEAP));
                self.append(section::HEAP, text.as_bytes());
                self.strings.insert(text.to_owned(), start);
                start
            }
        };
        write_range(start, text.len(), record);
    }

    pub(super) fn blob(&mut self, bytes: &[u8], record: &mut Vec<u8>) {
        let start = clamp(self.length(section::CODE));
        self.append(section::CODE, bytes);
        write_range(start, bytes.len(), record);
    }

    pub(super) fn list<R: Row>(&mut self, drafts: &[R::Draft], record: &mut Vec<u8>) {
        let start = clamp(self.length(R::SECTION) / R::WIDTH);
        let mut row = Vec::with_capacity(R::WIDTH);
        for draft in drafts {
            row.clear();
            R::write(draft, &mut row, self);
            self.append(R::SECTION, &row);
        }
        write_range(start, drafts.len(), record);
    }

    fn seal(self) -> Vec<u8> {
        let mut file = Vec::new();
        file.extend_from_slice(MAGIC);
        file.extend_from_slice(&FORMAT.to_le_bytes());
        file.extend_from_slice(&clamp(section::COUNT).to_le_bytes());
        let mut offset = HEADER + section::COUNT * TABLE_ENTRY;
        for section in &self.sections {
            write_range(clamp(offset), section.len(), &mut file);
            file.extend_from_slice(&crc32fast::hash(section).to_le_bytes());
            offset += section.len();
        }
        for section in &self.sections {
            file.extend_from_slice(section);
        }
        file
    }
}

fn clamp(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn write_range(start: u32, length: usize, record: &mut Vec<u8>) {
    record.extend_from_slice(&start.to_le_bytes());
    record.extend_from_slice(&clamp(length).to_le_bytes());
}

//! The bytes of a plan, by section.

use std::ops::Range;

use super::column::{Column, Row};
use super::section;
use super::view::Root;

/// A plan's bytes: the sections of records and code as they were sealed, and the string heap.
#[derive(Debug)]
pub struct Image {
    bytes: Vec<u8>,
    sections: [Range<usize>; section::COUNT],
    heap: String,
}

impl Image {
    pub(super) const fn new(
        bytes: Vec<u8>,
        sections: [Range<usize>; section::COUNT],
        heap: String,
    ) -> Self {
        Self {
            bytes,
            sections,
            heap,
        }
    }

    /// The record that owns all others.
    pub(super) fn root(&self) -> Root<'_> {
        Root::read(self.section(section::ROOT), self)
    }

    /// A section's bytes.
    pub(super) fn section(&self, number: usize) -> &[u8] {
        self.sections
            .get(number)
            .and_then(|range| self.bytes.get(range.clone()))
            .unwrap_or_default()
    }

    /// How many records a section has.
    pub(super) fn count<R: Row>(&self) -> usize {
        self.section(R::SECTION).len() / R::WIDTH
    }

    pub(super) fn row<R: Row>(&self, index: usize) -> Option<&[u8]> {
        let start = index.checked_mul(R::WIDTH)?;
        self.section(R::SECTION)
            .get(start..start.checked_add(R::WIDTH)?)
    }

    pub(super) fn text(&self, start: usize, length: usize) -> Option<&str> {
        self.heap.get(start..start.checked_add(length)?)
    }

    pub(super) fn blob(&self, start: usize, length: usize) -> Option<&[u8]> {
        self.section(section::CODE)
            .get(start..start.checked_add(length)?)
    }
}

//! Opens a sealed file: header, section table, checksums, verifier, side tables.

use std::ops::Range;

use super::column::leading;
use super::image::Image;
use super::tables::Tables;
use super::{FORMAT, HEADER, MAGIC, Plan, PlanError, TABLE_ENTRY};
use super::{meaning, section, verify};

impl Plan {
    /// Verifies a sealed plan and takes it in.
    ///
    /// # Errors
    /// When the bytes are not a plan of this format, were changed, or could make a decision fail.
    pub fn load(mut bytes: Vec<u8>) -> Result<Self, PlanError> {
        let sections = sections(&bytes)?;
        checksums(&bytes, &sections)?;
        let heap = sections
            .get(section::HEAP)
            .ok_or(PlanError::Length)?
            .clone();
        let heap = String::from_utf8(bytes.split_off(heap.start)).map_err(|_| PlanError::Utf8)?;
        let image = Image::new(bytes, sections, heap);
        verify::lengths(&image)?;
        verify::records(&image)?;
        meaning::check(&image.root())?;
        let tables = Tables::build(&image.root())?;
        Ok(Self { image, tables })
    }
}

/// The sections in order, one directly after the other up to the end of the file.
fn sections(bytes: &[u8]) -> Result<[Range<usize>; section::COUNT], PlanError> {
    if !bytes.starts_with(MAGIC) {
        return Err(PlanError::NotAPlan);
    }
    let number = |offset: usize| u32::from_le_bytes(leading(bytes.get(offset..).unwrap_or(&[])));
    let format = number(MAGIC.len());
    if format != FORMAT {
        return Err(PlanError::Format(format));
    }
    if number(12) as usize != section::COUNT {
        return Err(PlanError::Length);
    }
    let mut end = HEADER + section::COUNT * TABLE_ENTRY;
    let mut sections = std::array::from_fn(|_| 0..0);
    for (index, range) in sections.iter_mut().enumerate() {
        let entry = HEADER + index * TABLE_ENTRY;
        let start = number(entry) as usize;
        let length = number(entry + 4) as usize;
        if start != end {
            return Err(PlanError::Length);
        }
        end = start.checked_add(length).ok_or(PlanError::Length)?;
        *range = start..end;
    }
    if end != bytes.len() {
        return Err(PlanError::Length);
    }
    Ok(sections)
}

fn checksums(bytes: &[u8], sections: &[Range<usize>]) -> Result<(), PlanError> {
    for (index, range) in sections.iter().enumerate() {
        let stored = HEADER + index * TABLE_ENTRY + 8;
        let stored = u32::from_le_bytes(leading(bytes.get(stored..).unwrap_or(&[])));
        let content = bytes.get(range.clone()).ok_or(PlanError::Length)?;
        if crc32fast::hash(content) != stored {
            return Err(PlanError::Checksum {
                section: section::NAMES.get(index).copied().unwrap_or_default(),
            });
        }
    }
    Ok(())
}
